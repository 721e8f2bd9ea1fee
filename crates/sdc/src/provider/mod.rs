//! The provider: connected devices of ours as SDC devices, one host a device.
//!
//! A host's description grows with what the device sends and never shrinks while the program runs;
//! its states follow the live view. Whoever asks shows a certificate of the site's authority, is an
//! account of the guard, and sees a host only while the policy lets that account see the patient whom
//! the device is on. Every answer about a patient is recorded before it is given.
//!
//! What is deliberately absent: any conclusion. Values, alerts and limits are those of the engine.

mod settings;
mod model;
mod published;
mod access;
mod operations;
mod subscribers;
mod delivery;
mod answer;
mod server;
mod discovery;
mod managed;
mod tls;
mod run;

pub use run::{Parts, Provider, StartError};
pub use settings::{Offered, Peer, Settings};
pub use tls::TlsError;
