//! What devices are made of and how they behave.
//!
//! - [`version`], [`firmware`]: which firmware is newer, and which is too old for its model.
//! - [`udi`]: unique device identifiers on labels.
//! - [`association`]: whether a device may be put on a patient, by what is scanned and said.
//! - [`inventory`]: lists of devices from elsewhere.
//! - [`sbom`], [`advisory`]: what is inside a device, and what is known against it.
//! - [`campaign`]: updates in rings, never while a device is on a patient.
//! - [`habit`]: what is usual for one device, and what is not.
//! - [`limit`]: how much one identity may send.
//!
//! What is absent: any clock, file or socket, any signature (the guard checks those), any vital
//! sign that outlives its comparison with the next.

pub mod version;
pub mod firmware;
pub mod udi;
pub mod association;
pub mod inventory;
pub mod sbom;
pub mod advisory;
pub mod campaign;
pub mod habit;
pub mod limit;
mod table;
