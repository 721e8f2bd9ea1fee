//! What can be wrong with a head, a key or a proof.

/// What can be wrong with a head, a key or a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A text has not the form of a signed note.
    #[error("not a signed note (C2SP signed-note)")]
    Note,
    /// A note's text has not the form of a checkpoint.
    #[error("not a checkpoint (C2SP tlog-checkpoint)")]
    Checkpoint,
    /// A key has not the form `name+hash+base64`.
    #[error("not a verifier key (C2SP signed-note)")]
    Key,
    /// No signature of this key holds.
    #[error("no signature of this key holds")]
    Unsigned,
    /// A proof does not lead to the root that it should lead to.
    #[error("the proof does not hold")]
    Proof,
    /// A proof was asked of something that is not in a tree of that size.
    #[error("beyond the size of the tree")]
    Beyond,
}
