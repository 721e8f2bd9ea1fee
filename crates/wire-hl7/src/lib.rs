//! HL7 v2 over MLLP without I/O: frames, messages, what they mean, acknowledgements.
//!
//! The way of the data is the order of the modules: [`mllp`] cuts bytes into frames, [`read()`]
//! takes a frame's messages apart (batches, character sets, [`syntax`]) and says what they mean in
//! the nouns of [`vitals`], [`Reply`] answers each. [`build`] writes messages, for simulation and
//! tests; [`report`] writes alerts for alert managers.
//!
//! Nothing here knows sockets, clocks or storage: the time of receipt and of answering is passed
//! in. Any bytes give an answer; nothing panics.
//!
//! ```
//! use vitals::{Content, ReceiveTime};
//! use wire_hl7::{Kept, Options, read};
//!
//! let frame = b"MSH|^~\\&|MONITOR|ICU|||20260101120000+0000||ORU^R01|17|P|2.4\r\
//!               PID|||4711\rOBR|1\rOBX|1|NM|HR||72|bpm|||||F\r";
//! let received = read(frame, ReceiveTime(0), &Options::default());
//! let inbound = &received.messages[0];
//! assert!(matches!(&inbound.message.content[..], [Content::Reading(r)] if r.measurements.len() == 1));
//! let answer = inbound.reply.encode(Kept::Durable, ReceiveTime(0)).expect("an answer is wanted");
//! assert!(String::from_utf8_lossy(&answer).contains("MSA|AA|17"));
//! ```

pub mod build;
pub mod mllp;
pub mod order;
pub mod program;
pub mod report;
pub mod syntax;

mod ack;
mod adt;
mod alert;
mod charset;
mod codes;
mod dtm;
mod finding;
mod header;
mod implant;
mod measure;
mod oru;
mod path;
mod person;
mod read;
mod status;
mod value;

pub use ack::{Kept, Reply, batch};
pub use codes::Aliases;
pub use finding::{ErrorCode, Finding};
pub use header::Header;
pub use person::DEFAULT_SYSTEM;
pub use status::{AlertStatus, Response};
pub use read::{Inbound, Kind, Options, Received, cut_off, read, too_long};
