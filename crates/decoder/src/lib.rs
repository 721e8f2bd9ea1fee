//! Payload formatters: small JavaScript programs that device makers write to read the bytes of a
//! LoRaWAN uplink (`decodeUplink({bytes, fPort, recvTime})`). They are other people's code, so they
//! run in a sandbox: an engine without files, sockets, modules or timers, with limits of time,
//! memory, stack and answer ([`run`]), in a child process that is ended when even that does not
//! stop it ([`Pool`]). A queue of fixed length stands before the children, so that nothing else
//! waits for a decoder that does not come back.
//!
//! What is absent: which decoder belongs to which device; `mapping`'s profiles say so.

mod child;
mod pool;
mod run;

pub use child::work;
pub use pool::{Launch, Pool, Settings};
pub use run::{Limits, run};
