//! Projections: SQLite documents, alerts and compressed series.
