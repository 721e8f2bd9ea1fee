//! Listener of personal health devices: IEEE 11073-20601 over TCP or TLS, as gateways forward it that
//! bridge USB or Bluetooth. A connection is one device's, APDU behind APDU; a report is answered
//! only when the journal has it (DU-1).
//!
//! What a manager says is decided in [`wire_phd::manager`]; here are sockets, who may come in, what
//! goes to the journal. What can't be read goes to quarantine whole; refusals are counted.

mod config;
mod connection;
mod message;
mod server;

pub use config::{PhdConfig, PhdLimits, PhdTls};
pub use server::serve;
pub use wire_phd::manager::Settings as PhdManager;

/// Counts something that was refused or lost, by reason (DU-2).
fn count_refused(reason: &'static str) {
    crate::stream::count_refused::<server::Shared>(reason);
}
