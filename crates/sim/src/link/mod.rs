//! Connections to the platform: MQTT, MLLP and HTTP clients that keep what was not acknowledged.

pub mod http;
pub mod mllp;
pub mod mqtt;

pub use http::{Http, persuade};
pub use mllp::MllpLink;
pub use mqtt::{MqttLink, MqttOptions};

use std::time::Duration;

/// How long a server may take to answer before the connection counts as broken.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A timed-out or closed connection as an input/output error.
pub(crate) fn closed(reason: &'static str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, reason)
}
