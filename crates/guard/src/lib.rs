//! Identity, policy, keys and the audit trail.
