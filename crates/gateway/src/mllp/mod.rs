//! MLLP listener: HL7 v2 over TCP or TLS, acknowledged after the journal has committed (DU-1).
//!
//! Many messages may be in flight on one connection; their answers go out in the order in which
//! the messages came. A connection that has too much in flight is not read until some of it is
//! durable, so an overloaded journal slows its senders and nothing piles up here (DU-3).
//!
//! Frames that can't be read are journalled too, without content, so that they stand in
//! quarantine; bytes outside of frames and half frames at the end of a connection are counted.

mod config;
mod connection;
mod response;
mod server;

pub use config::{MllpConfig, MllpLimits, MllpTls};
pub use server::serve;

/// Counts something that was refused or lost, by reason (DU-2).
fn count_refused(reason: &'static str) {
    crate::stream::count_refused::<server::Shared>(reason);
}
