//! Projections: what the engine concluded, and how far in the journal it got, in one transaction.
//!
//! [`Store`] is the one writer, [`Read`] is what everybody else holds (cheap to clone, never
//! blocked by the writer), [`Side`] keeps the few things that happen outside the journal.
//! [`SqliteStore`] is the backend of one machine; others pass the same [`conformance`] suite.
//!
//! Series are kept as compressed blocks, not as rows: see [`mod@series`] for values, [`wave`] for
//! waveforms. What is deliberately
//! absent: any conclusion of its own. It keeps what it is given.

#![forbid(unsafe_code)]

mod commit;
pub mod conformance;
mod erasure;
mod error;
mod expiry;
mod part;
mod prediction;
mod query;
mod rows;
pub mod series;
mod sqlite;
mod traits;
pub mod wave;

pub use commit::{Commit, KvRow};
pub use erasure::{Erasure, ErasureRow};
pub use error::StoreError;
pub use expiry::{ALERT_STRIP, Expired, ExpiredRecords, Expiry, Held, RecordExpiry};
pub use part::StatePart;
pub use prediction::{PredictionQuery, PredictionRow, RiskRow};
pub use query::{
    AlertQuery, AssociationQuery, DirectoryQuery, DocumentQuery, Found, Order, Page,
    QuarantineQuery, ReadingQuery, SeriesFilter, Span,
};
pub use rows::{
    AlertEventRow, AlertHour, AlertRow, AssociationRow, Attachment, DeviceRow, DirectoryKind, DirectoryRow, DocumentRow,
    EncounterRow, LocationRow, OutboxRow, PatientRow, QuarantineRow, QuarantineStatus, SeriesInfo,
};
pub use series::thin::{Bucket, Thinned};
pub use sqlite::SqliteStore;
pub use traits::{Read, Reader, Side, Store};
pub use wave::{WaveColumn, WaveExtent, WaveFrame, WaveGap, WaveStrip};
