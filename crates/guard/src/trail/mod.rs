//! What has to be looked up of the audit trail beside the trail itself.

/// The tables of this part.
pub(crate) const TABLES: &str = "";
