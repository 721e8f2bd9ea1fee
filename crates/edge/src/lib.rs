//! An edge: the platform near the device, for when the network is not there. Here is what it needs
//! beside the platform itself: the *spool* (bounded, on disk, exact), the rules by which it sends
//! less than all, what goes over the line, and the centre's list of edges.
//!
//! Exact, because of three things: what goes into the spool goes there with the journal's position
//! in one transaction; every piece has a number; and the centre's engine takes in each number once
//! (see `engine`). What is left out is counted by reason, and the centre is told (DU-2).
//!
//! What is absent: sockets, HTTP, the engine, any clock.

mod error;
mod line;
mod registry;
mod rules;
mod spool;

pub use error::EdgeError;
pub use line::{
    AlertDeed, Answer, BATCH_VERSION, Batch, BatchError, Configuration, DeedKind, Enrolment, Health, Own, Thinned,
    Unread,
};
pub use registry::{Edge, Gap, Registry};
pub use rules::{Rules, Urgency, WaveRule};
pub use spool::{Class, Fill, LeftOut, Piece, Ready, Spool};
