//! Why a message was not understood.

use thiserror::Error;

/// Why a message was not understood. No text repeats its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// No XML, or over a limit.
    #[error("the message is not acceptable XML: {0}")]
    Markup(#[from] markup::Error),
    /// Not a SOAP 1.2 envelope.
    #[error("not a SOAP 1.2 envelope")]
    Envelope,
    /// A header that must be understood and is not.
    #[error("a header that must be understood is not known")]
    MustUnderstand,
    /// A mandatory part is missing.
    #[error("missing: {0}")]
    Missing(&'static str),
    /// A part does not have the shape of its type.
    #[error("not of the shape expected: {0}")]
    Shape(&'static str),
    /// The body holds another message than expected.
    #[error("expected {0}, found another message")]
    Other(&'static str),
    /// More of something than is accepted.
    #[error("more {0} than is accepted")]
    Limit(&'static str),
}
