//! Applications that act for people: clients, codes, tokens (SMART on FHIR).

/// The tables of this part.
pub(crate) const TABLES: &str = "";
