//! Virtual ward, replay of real recordings, load and fault injection.
//!
//! In the order of the data: a [`body`] under a [`scenario`], whose heart and chest make
//! [`waveform`]s, is seen by the devices of a [`ward`], which speak through [`link`]s; [`replay`] sends recordings through the same links; [`load`] sends
//! as fast as it can; [`fault`] stands between and breaks things. All that decides *what* is sent is
//! pure and seeded; only links, drivers and the proxy touch sockets and clocks. Nothing here knows
//! the inside of the platform: it speaks the public protocols, as a stranger would.

pub mod body;
pub mod error;
pub mod fault;
pub mod histogram;
pub mod link;
pub mod load;
pub mod random;
pub mod replay;
pub mod scenario;
pub mod ward;
pub mod waveform;
pub mod wire;

pub use error::SimError;
