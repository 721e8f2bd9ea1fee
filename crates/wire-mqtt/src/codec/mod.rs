//! Packets: bytes in, borrowed packets out; and the other way round.
//!
//! Decoding borrows from the receive buffer, so a PUBLISH costs no allocation. [`decode`] reads
//! what a client may send, [`decode_server`] what a server may send (for load generators and
//! tests). `encode` writes both.

pub mod encode;

mod connect;
mod frame;
mod packet;
mod properties;
mod reader;
mod server;

pub use connect::{Connect, Will};
pub use frame::{Frame, split};
pub use packet::{Ack, Packet, Publish, Subscribe, SubscribeEntry, Unsubscribe, decode};
pub use properties::Properties;
pub use server::{ConnAck, FromServer, decode_server};
