//! What people prove themselves with beside a password: second factors, passkeys, the site's provider.

/// The tables of this part.
pub(crate) const TABLES: &str = "";
