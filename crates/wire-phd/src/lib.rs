//! IEEE 11073-20601 personal health devices without I/O: APDUs read and written, configurations,
//! scan reports as measurements, and the manager's half of the protocol as a state machine.
//!
//! The order is the path of the data: [`apdu`] and [`data`] turn bytes into APDUs and back,
//! [`config`] knows a device's objects, [`scan`] and [`wave`] read its reports, [`measure`] says what
//! they mean, [`manager`] answers the device. No socket, no clock: bytes and times come in as arguments.
//! What is absent: agents, stores of episodes (PM-store), transports.
//!
//! Facts come from IEEE 11073-20601 and the specialisations that the modules name.

pub mod bytes;
pub mod apdu;
pub mod data;
pub mod config;
pub mod standard;
pub mod scan;
pub mod wave;
pub mod measure;
pub mod device;
pub mod manager;

pub use apdu::Apdu;
pub use bytes::{Fault, PhdError};
pub use data::{Data, Message};
