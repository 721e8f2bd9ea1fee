//! Requests that go out: to receivers of alerts, to the site's identity provider, to applications'
//! keys; and HL7 messages over MLLP, to alert managers and pump systems. One client for all of them, so that what holds of one holds of each: TLS 1.2 or 1.3 with
//! the authorities that the system or the site trusts, a limit of time and of size, no redirect
//! followed, no address asked that only this machine's surroundings answer (link-local, where
//! clouds keep credentials).
//!
//! What is absent: what is said in a request, and trying again.

mod address;
mod client;
mod mllp;
mod reach;

pub use address::{Address, AddressError};
pub use hyper::header::{self, HeaderName, HeaderValue};

pub use client::{Answer, Ask, Client, OutgoingError};
pub use mllp::{Line, Peer};
