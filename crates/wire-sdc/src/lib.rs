//! IEEE 11073-10207 (BICEPS): the participant model of an SDC device and the messages about it,
//! read and written, and kept up to date from report to report.
//!
//! - [`Mdib`]: what a device describes of itself and how it is now; [`LiveMdib`] follows reports
//!   and tells when one was missed.
//! - [`Report`]: what a device sends to its subscribers; [`message`]: what is asked and answered.
//! - [`descriptor`], [`state`], [`basic`], [`words`]: the standard's types, named as in it where it
//!   has a plain word.
//!
//! What is deliberately absent: SOAP, discovery, eventing (`wire-dpws`), sockets and clocks (`sdc`),
//! and what a value means to us (`sdc`, which knows the metric table).
#![forbid(unsafe_code)]

mod shape;
pub mod words;
pub mod basic;
pub mod descriptor;
pub mod state;
mod mdib;
mod report;
pub mod message;
mod live;

pub use descriptor::{Descriptor, DescriptorKind};
pub use live::{Applied, Gap, LiveMdib};
pub use mdib::{Entry, Mdib, MdibVersion};
pub use report::{
    DescriptionChange, InvocationInfo, Invoked, Part, Report, ReportBody, ReportKind, SystemError,
};
pub use shape::{Extension, Fault, Problem};
pub use state::{State, StateKind};

/// Namespace of the participant model.
pub const PM: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant";
/// Namespace of the message model.
pub const MSG: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/message";
/// Namespace of extensions.
pub const EXT: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/extension";
/// Namespace of XML Schema's own types.
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// Beginning of the actions of all services of the standard's glue (11073-20701).
pub const ACTIONS: &str = "http://standards.ieee.org/downloads/11073/11073-20701-2018";

/// Prefixes to write with: qualified names in content (`Arg`, `xsi:type`) rely on them.
pub const PREFIXES: [(&str, &str); 5] =
    [("pm", PM), ("msg", MSG), ("ext", EXT), ("xsd", XSD), ("xsi", markup::XSI)];

/// More parts of one message than this are not read.
pub const MOST_PARTS: usize = 20_000;
