//! CoAP listener: LwM2M sensors over UDP, encrypted with DTLS 1.2 and a key of their own, acknowledged
//! after the journal has committed (DU-1).
//!
//! Datagrams of an address that has not answered for itself keep nothing here ([`hello`]). Handshakes
//! and sensors are bounded; who comes on top is refused and counted. A sensor that moves to another
//! address shakes hands anew and finds its registration again; it is known by its device, not by its
//! address.

mod config;
mod dtls;
mod hello;
mod ingest;
mod sensors;
mod server;

pub use config::CoapLimits;
pub use server::{CoapDoor, serve};

/// Counts something that was refused or lost, by reason (DU-2).
fn count_refused(reason: &'static str) {
    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => "coap", "reason" => reason)
        .increment(1);
}
