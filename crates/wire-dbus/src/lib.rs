//! D-Bus without I/O: messages read and written as the D-Bus Specification 0.43 lays them out, in both
//! byte orders, within limits. [`Message::decode`] takes bytes as they come; too few is a value, not an
//! error. File descriptors are not passed.
//!
//! What is absent: the socket, authentication, and what any message means.

mod message;
mod read;
mod signature;
mod value;
mod write;

pub use message::{Field, Kind, MESSAGE_MAX, Message};
pub use value::Value;

/// Why bytes are no message, or a message can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DbusError {
    /// Neither byte order.
    #[error("a message begins with l or B")]
    Order,
    /// Another version of the protocol.
    #[error("version {0} of the protocol is not spoken")]
    Version(u8),
    /// No such type of message.
    #[error("a message of type {0}")]
    Kind(u8),
    /// The message, an array or its nesting is larger than is taken.
    #[error("larger or deeper than is taken")]
    Limit,
    /// A value reaches beyond the end, or its length can't be.
    #[error("a value is cut off")]
    Short,
    /// A text that is not UTF-8, has a zero inside, or none behind it.
    #[error("a text is none")]
    Text,
    /// A signature that is none.
    #[error("a signature is none")]
    Signature,
    /// A boolean that is neither 0 nor 1, padding that is not 0.
    #[error("a value can't be")]
    Value,
    /// A header field that a message of its type must have is missing, or is of another type.
    #[error("a header field is missing or of another type")]
    Header,
    /// Bytes behind the last value.
    #[error("more bytes than the signature says")]
    Long,
}
