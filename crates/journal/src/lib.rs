//! The durable, ordered log: group commit, checksums, recovery.
