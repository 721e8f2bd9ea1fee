//! Addresses and limits of the CoAP listener.

use std::time::Duration;

/// What sensors may ask of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoapLimits {
    /// Sensors at a time that have come in. Who comes on top of that is refused until one goes.
    pub sensors: usize,
    /// Handshakes at a time, of addresses that have proved to be theirs.
    pub handshakes: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// How long a handshake goes on whose first sealed record can't be read: the key is another.
    pub wrong_key: Duration,
    /// How long a sensor that is not registered may be silent.
    pub idle: Duration,
    /// What one sensor's conversation may hold.
    pub session: wire_coap::Limits,
}

impl Default for CoapLimits {
    fn default() -> Self {
        Self {
            sensors: 10_000,
            handshakes: 1_000,
            handshake: Duration::from_secs(60),
            wrong_key: Duration::from_secs(5),
            idle: Duration::from_secs(300),
            session: wire_coap::Limits::default(),
        }
    }
}
