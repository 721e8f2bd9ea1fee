//! The certificate authority of the house, and the life of a device from announced to retired.

/// The tables of this part.
pub(crate) const TABLES: &str = "";
