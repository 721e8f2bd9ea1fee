//! Waveforms on their way out: live over a WebSocket, and any interval over HTTP.
//!
//! What a viewer draws comes as wave messages ([`wire`]): whole samples while they fit what it can
//! draw, pairs of lowest and highest otherwise. What lives elsewhere: finding beats (`signal`),
//! keeping samples (`store`), the newest of them (`live`).

mod channels;
mod encode;
mod export;
mod flow;
mod holds;
mod import;
mod interval;
mod marks;
mod names;
mod past;
mod recorded;
mod shapes;
mod socket;
mod strip;
mod unzip;
mod viewer;
mod wire;

pub(crate) use channels::*;
pub(crate) use export::*;
pub(crate) use holds::*;
pub(crate) use import::*;
pub(crate) use interval::*;
pub(crate) use marks::*;
pub(crate) use names::rhythm;
pub(crate) use socket::*;
