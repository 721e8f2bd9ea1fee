//! How a database file (SQLCipher) is unlocked, and how one that is plain is sealed.

use zeroize::Zeroizing;

use crate::Key;

/// First bytes of a database that is not encrypted.
pub const PLAIN: &[u8; 16] = b"SQLite format 3\0";

/// What must be the first that a connection is told. The key is used as it is: it is random, so
/// there is nothing that stretching would add. Pages of 4 KiB, as the sizes of blocks were chosen for, AES-256-CBC with HMAC-SHA256 a page:
/// see `docs/adr/0014-encryption-at-rest.md` for the measurement.
#[must_use]
pub fn unlock(key: &Key) -> Zeroizing<String> {
    Zeroizing::new(format!("PRAGMA cipher_log_level = NONE; PRAGMA key = \"x'{}'\";{SETTINGS}", key.to_hex().as_str()))
}

const SETTINGS: &str = "PRAGMA cipher_page_size = 4096; PRAGMA cipher_hmac_algorithm = HMAC_SHA256; \
                        PRAGMA temp_store = memory;";

/// Copies the plain database that a connection has open into a new file, sealed. `file` must not
/// exist; `version` is the database's `user_version`.
#[must_use]
pub fn export(key: &Key, file: &str, version: i64) -> Zeroizing<String> {
    let file = file.replace('\'', "''");
    Zeroizing::new(format!(
        "ATTACH DATABASE '{file}' AS sealed KEY \"x'{}'\"; \
         PRAGMA sealed.cipher_page_size = 4096; PRAGMA sealed.cipher_hmac_algorithm = HMAC_SHA256; \
         PRAGMA sealed.auto_vacuum = incremental; SELECT sqlcipher_export('sealed'); PRAGMA sealed.user_version = {version}; \
         DETACH DATABASE sealed;",
        key.to_hex().as_str()
    ))
}
