//! From a sensor's values to an event for the journal.

use guard::{Restrictions, Violation};
use journal::{Draft, Lane};
use mapping::{Profiles, RawMessage};
use vitals::{
    DeviceId, Event, LinkState, Message, Origin, Problem, ProblemKind, Protocol, ReceiveTime, TimeBase,
};
use wire_coap::{ContentError, Record, content};

/// What a sensor said.
pub(super) struct Said<'a> {
    pub(super) device: &'a DeviceId,
    /// Whether the device has an account of its own, which speaks for no other.
    pub(super) own: bool,
    pub(super) records: &'a [Record],
    /// The content as it came, and why it can't be read, if so.
    pub(super) raw: Vec<u8>,
    pub(super) fault: Option<ContentError>,
    pub(super) received: ReceiveTime,
}

/// What it became.
pub(super) struct Ingested {
    pub(super) message: Message,
    pub(super) dedup: Option<u128>,
    pub(super) violations: Vec<Violation>,
}

/// The topic under which profiles find what a sensor says.
pub(super) fn topic(device: &DeviceId) -> String {
    format!("lwm2m/{device}")
}

/// Maps what was said: values as a profile reads them. What can't be read is kept whole, in
/// quarantine.
pub(super) fn ingest(said: Said<'_>, profiles: &Profiles, restrictions: Option<&Restrictions>) -> Ingested {
    let received_s = said.received.0 as f64 / 1e6;
    let payload = if said.fault.is_some() { said.raw } else { content::to_json(said.records, received_s) };
    let mut message = Message {
        origin: Origin {
            protocol: Protocol::Coap,
            address: topic(said.device),
            sender: said.device.to_string(),
            message_id: String::new(),
            profile: String::new(),
        },
        received: said.received,
        time_base: TimeBase::Live,
        payload,
        content: Vec::new(),
        problems: Vec::new(),
    };
    if let Some(fault) = said.fault {
        let kind = if fault == ContentError::TooMany { ProblemKind::Limit } else { ProblemKind::Syntax };
        message.problems.push(Problem { kind, path: "payload".to_owned(), detail: fault.to_string() });
        return Ingested { message, dedup: None, violations: Vec::new() };
    }
    let mapped = profiles.map(&RawMessage {
        topic: &message.origin.address,
        payload: &message.payload,
        content_type: None,
        received: said.received,
    });
    message.origin.profile = mapped.profile;
    message.time_base = mapped.time_base;
    message.content = mapped.content;
    message.problems = mapped.problems;
    if said.own {
        keep_to_own_device(&mut message, said.device);
    }
    let violations = restrictions.map_or_else(Vec::new, |restrictions| restrictions.keep_within(&mut message));
    Ingested { message, dedup: mapped.dedup, violations }
}

/// Takes out what a profile finds of other devices.
fn keep_to_own_device(message: &mut Message, own: &DeviceId) {
    if message.keep_to(own, false) {
        let detail = "readings of another device than the one that proved itself".to_owned();
        message.problems.push(Problem { kind: ProblemKind::Forbidden, path: "payload".to_owned(), detail });
    }
}

/// A message for the journal.
pub(super) fn draft(message: Message, dedup: Option<u128>) -> Draft {
    Draft { event: Event::Message(message), dedup, lane: Lane::Numeric }
}

/// A change of a device's link.
pub(super) fn link(device: DeviceId, state: LinkState, reason: &str) -> Draft {
    Draft { event: Event::Link { device, state, reason: reason.to_owned() }, dedup: None, lane: Lane::Urgent }
}
