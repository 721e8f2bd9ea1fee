//! Devices Profile for Web Services as IEEE 11073-20702 (MDPWS) and 11073-20701 (SDC glue) use it: SOAP
//! 1.2 envelopes with WS-Addressing headers, WS-Discovery with scopes and their rules of matching, the
//! metadata of a device and its services, WS-Eventing, faults. Every message is read and written, so that
//! device and client use one crate.
//!
//! What is absent: sockets, clocks, message ids drawn by lot (all arguments), and the participant model
//! that travels in the bodies ([`Envelope::body`] is a tree of elements for whoever knows it).
#![forbid(unsafe_code)]

mod error;
pub mod names;
pub mod services;
mod prefixes;
mod endpoint;
mod envelope;
mod fault;
pub mod duration;
pub mod scope;
pub mod discovery;
pub mod metadata;
pub mod eventing;
mod wsdl;
mod path;
pub mod safety;

pub use endpoint::Endpoint;
pub use envelope::{AppSequence, Envelope, Header, LIMITS, LIMITS_UDP};
pub use error::Error;
pub use fault::{Code, Fault};
pub use names::Name;
pub use prefixes::Prefixes;
pub use wsdl::wsdl;

/// What can stand in the body of an envelope.
pub trait Payload: Sized {
    /// Action of the message (`wsa:Action`).
    fn action(&self) -> &'static str;

    /// The body's element; none when the body is empty.
    fn element(&self, prefixes: &mut Prefixes) -> Option<markup::Element>;

    /// Reads it from an envelope.
    ///
    /// # Errors
    /// [`Error`] when the envelope holds something else or a mandatory part is missing.
    fn read(envelope: &Envelope) -> Result<Self, Error>;
}
