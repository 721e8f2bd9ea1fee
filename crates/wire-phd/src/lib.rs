//! IEEE 11073-20601 personal health devices without I/O: APDUs read and written, configurations,
//! scan reports as measurements, and both halves of the protocol as state machines.
//!
//! The order is the path of the data: [`apdu`] and [`data`] turn bytes into APDUs and back,
//! [`config`] knows a device's objects, [`scan`] and [`wave`] read its reports, [`measure`] says what
//! they mean, [`device`] what the device says of itself, [`manager`] answers the device. No socket, no clock: bytes and times come in as arguments.
//! [`store`] reads what devices stored, [`agent`] is a device. What is absent: transports.
//!
//! Facts come from IEEE 11073-20601 and the specialisations that the modules name.

pub mod bytes;
pub mod apdu;
pub mod data;
pub mod config;
pub mod standard;
pub mod time;
pub mod scan;
pub mod wave;
pub mod terms;
pub mod enumeration;
pub mod measure;
pub mod device;
pub mod mds;
pub mod store;
mod transfer;
pub mod manager;
pub mod agent;

pub use apdu::Apdu;
pub use bytes::{Fault, PhdError};
pub use data::{Data, Message};
