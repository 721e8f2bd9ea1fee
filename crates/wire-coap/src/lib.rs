//! CoAP (RFC 7252) and the server's half of LwM2M 1.1 without I/O: datagrams in, datagrams and values
//! out. [`Session`] is one sensor's connection: it registers, is observed, sends, and is answered
//! only when its values are kept (DU-1). [`content`] reads what it says: TLV, SenML in JSON and CBOR,
//! text. No socket, no clock, no DTLS: who the sensor is has been proven before.
//!
//! What values mean is a profile's affair: [`content::to_json`] writes them as a profile reads them.
//! What is absent: bootstrap, writing to and commanding a sensor, notifications in blocks, queue mode.
//!
//! Facts come from RFC 7252, 7641 (observe), 7959 (blocks), 8428 (SenML) and OMA LwM2M 1.1.

pub mod content;
pub mod tlv;

mod block;
mod packet;
mod replies;
mod session;

pub use content::{Datum, Record};
pub use session::{Limits, Output, Refusal, Session};
