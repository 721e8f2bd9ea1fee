//! MQTT 3.1.1 and 5.0 without I/O: packets, topics, subscriptions, retained messages, sessions.
//!
//! The order is the path of the data: [`codec`] turns bytes into packets and back, [`topic`] says
//! which names and filters are valid, [`tree`] finds who subscribed, [`retained`] keeps last
//! values, [`session`] keeps what one client must still get. No socket, no clock, no task: bytes
//! and times come in as arguments, and "not enough bytes yet" is a value.
//!
//! Section numbers in comments are those of the OASIS standards MQTT 3.1.1 (2014) and 5.0 (2019).

pub mod codec;
pub mod retained;
pub mod session;
pub mod topic;
pub mod tree;

mod publication;
mod reason;

pub use publication::{Delivery, Publication};
pub use reason::{MqttError, Reason};

/// Protocol version that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1 (and 3.1, which differs in the protocol's name only).
    V3,
    /// MQTT 5.0.
    V5,
}

/// Quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Qos {
    /// Fire and forget.
    #[default]
    AtMostOnce,
    /// Acknowledged.
    AtLeastOnce,
    /// Acknowledged in two steps.
    ExactlyOnce,
}

impl Qos {
    /// From its two bits; 3 is malformed in every packet.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// Its two bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }
}
