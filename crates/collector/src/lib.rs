//! Fetches what does not come by itself: the documents of another Nightscout site, the values of Bluetooth
//! devices that BlueZ holds. What is fetched goes the way of all else: mapped, restricted, put into the
//! journal; and only then is it noted as fetched (DU-1).
//!
//! What is absent: what documents and characteristics mean (`mapping`), and who may be what (`guard`).

pub mod bluetooth;
pub mod nightscout;

mod keep;
mod memory;
mod pace;

pub use keep::{Fate, NotKept, Parts};
pub use memory::MemoryError;
