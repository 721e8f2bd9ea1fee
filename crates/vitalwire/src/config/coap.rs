//! `[coap]`: where sensors that speak CoAP are listened for.

use std::net::SocketAddr;

use serde::Deserialize;

/// `[coap]`: sensors over UDP; off without an address.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Coap {
    /// Where DTLS is spoken.
    pub(crate) listen: Option<SocketAddr>,
    /// Where nothing is encrypted and nobody proved: with `--open` alone.
    pub(crate) plain_listen: Option<SocketAddr>,
    pub(crate) sensors_max: usize,
}

impl Default for Coap {
    fn default() -> Self {
        let limits = gateway::coap::CoapLimits::default();
        Self { listen: None, plain_listen: None, sensors_max: limits.sensors }
    }
}
