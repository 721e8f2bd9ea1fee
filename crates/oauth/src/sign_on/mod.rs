//! Signing on at somebody else's server (OpenID Connect Core 1.0), from the side of whoever relies
//! on it: what the server says of itself, whether an ID token holds, what it says of a person.
//!
//! Here Vitalwire is the client; the rest of this crate is the server for others.

mod claims;
mod discovery;
mod id_token;

pub use claims::{Claims, text, texts};
pub use discovery::{DiscoveryError, Provider};
pub use id_token::{Expected, IdTokenError, kid, verify};
