//! CoAP (RFC 7252) and the server's half of LwM2M 1.1 without I/O: datagrams in, datagrams and values
//! out. [`Session`] is one sensor's connection: it registers, is observed, sends, and is answered
//! only when its values are kept (DU-1). [`content`] reads what it says: TLV, SenML in JSON and CBOR,
//! text. No socket, no clock, no DTLS: who the sensor is has been proven before.
//!
//! What values mean is a profile's affair: [`content::to_json`] writes them as a profile reads them.
//! Our own requests are sent again until they are answered, one at a time, and only while the sensor
//! listens (queue mode). What is absent: bootstrap, writing to and commanding a sensor.
//!
//! Facts come from RFC 7252, 7641 (observe), 7959 (blocks), 8428 (SenML) and OMA LwM2M 1.1.

pub mod content;
pub mod tlv;

mod asks;
mod block;
mod notify;
mod packet;
mod registration;
mod replies;
mod session;

pub use content::{ContentError, Datum, Record};
pub use session::{Limits, Output, Refusal, Session};
