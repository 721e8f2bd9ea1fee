//! What has to be looked up of the audit trail: who, whose, when. The log itself is what counts;
//! this index of it (`trail.db`) is made from it and can be made anew at any time.

mod index;
mod search;

pub use search::{Accesses, AuditPage, AuditQuery};

/// The tables of this part in the account database: none, for the index has its own.
pub(crate) const TABLES: &str = "";

/// The index of the audit log, in the guard's folder.
pub(crate) const INDEX_FILE: &str = "trail.db";

pub(crate) use index::Index;
