//! From a publish to an event for the journal.

use guard::{Restrictions, Violation};
use journal::{Draft, Lane};
use mapping::{Profiles, RawMessage};
use vitals::{
    Action, Actor, Content, DeviceId, Event, LinkState, Message, Origin, Problem, ProblemKind, Protocol,
    ReceiveTime, Role, TimeBase,
};

use crate::ClientIdentity;

/// The first level of topics that need no profile.
const NATIVE: &str = "vitalwire/";

/// Longest text told to a sender about a quarantined message, bytes.
const NOTE_BYTES: usize = 200;

/// Whether a topic goes down to devices: configuration and commands. Such messages are not
/// measurements and do not go to the journal.
pub(super) fn is_downlink(topic: &str) -> bool {
    downlink(topic).is_some()
}

/// To which device a topic goes down, and with what.
pub(super) fn downlink(topic: &str) -> Option<(&str, &'static str)> {
    let (device, rest) = native_parts(topic)?;
    ["config", "command"].into_iter().find(|what| *what == rest).map(|what| (device, what))
}

/// The device that says on this topic how it gets on with an update. Such messages are not
/// measurements and do not go to the journal, either.
pub(super) fn firmware_of(topic: &str) -> Option<DeviceId> {
    let (device, rest) = native_parts(topic)?;
    if rest == "firmware" { DeviceId::new(device).ok() } else { None }
}

/// The device that says on this topic what became of a command.
fn answer_of(topic: &str) -> Option<DeviceId> {
    let (device, rest) = native_parts(topic)?;
    if rest == "command/answer" { DeviceId::new(device).ok() } else { None }
}

/// What a device says of a command, as an event in its name; none when it can't be understood, which
/// is then among the problems.
fn answer(device: DeviceId, raw: &Raw<'_>, problems: &mut Vec<Problem>) -> Option<Event> {
    match command::Answer::read(raw.payload) {
        Ok(command::Answer { command, step }) => {
            let actor = Actor { name: device.to_string(), role: Role::Service };
            Some(Event::Action(actor, Action::CommandStep { command, device, step }))
        }
        Err(error) => {
            let (kind, path) = (ProblemKind::BadValue, String::from("payload"));
            problems.push(Problem { kind, path, detail: error.to_string() });
            None
        }
    }
}

/// Whether messages on this topic go to the journal.
pub(super) fn is_ingested(topic: &str) -> bool {
    !topic.starts_with('$') && !is_downlink(topic)
}

/// Device id and the rest of a native topic.
fn native_parts(topic: &str) -> Option<(&str, &str)> {
    topic.strip_prefix(NATIVE)?.split_once('/')
}

/// Whether a client may publish to a topic: a device's own account only to its own topics, and
/// nobody's device to what goes down. Topics of other shapes are checked by what they contain. A
/// program needs the right to send, and another one for configuration that goes down. Commands are
/// the platform's alone: only what went through rights, patient, time and record reaches a device.
pub(super) fn may_publish(identity: &ClientIdentity, topic: &str) -> bool {
    let down = downlink(topic).map(|(_, what)| what);
    let Some(own) = &identity.device else {
        return match down {
            Some("command") => false,
            Some(_) => identity.may_configure,
            None => identity.may_publish && (identity.open || !topic.starts_with('$')),
        };
    };
    match native_parts(topic) {
        Some((device, _)) => device == own.as_str() && !is_downlink(topic),
        None => !topic.starts_with('$'),
    }
}

/// Whether a client may subscribe to an unshared filter.
pub(super) fn may_subscribe(identity: &ClientIdentity, filter: &str) -> bool {
    if identity.may_subscribe {
        return true;
    }
    identity.device.as_ref().is_some_and(|own| {
        native_parts(filter).is_some_and(|(device, _)| device == own.as_str())
    })
}

/// What a publish became.
pub(super) struct Ingested {
    pub(super) draft: Draft,
    /// Why it goes to quarantine, if it does.
    pub(super) quarantined: Option<Box<str>>,
    /// Whether something in it was not the sender's to say.
    pub(super) forbidden: bool,
    /// What devices in it may not say.
    pub(super) violations: Vec<Violation>,
}

/// What a publish is read and judged by.
pub(super) struct Rules<'a> {
    pub(super) profiles: &'a Profiles,
    pub(super) restrictions: Option<&'a Restrictions>,
}

/// One publish as it came in.
pub(super) struct Raw<'a> {
    pub(super) client_id: &'a str,
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) content_type: Option<&'a str>,
    pub(super) received: ReceiveTime,
}

/// Maps a publish; with a `refusal` it is kept whole in quarantine instead.
pub(super) fn ingest(
    raw: &Raw<'_>,
    rules: &Rules<'_>,
    identity: &ClientIdentity,
    refusal: Option<Problem>,
) -> Ingested {
    let mut message = Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: raw.topic.to_owned(),
            sender: raw.client_id.to_owned(),
            message_id: String::new(),
            profile: String::new(),
        },
        received: raw.received,
        time_base: TimeBase::Live,
        payload: raw.payload.to_vec(),
        content: Vec::new(),
        problems: Vec::new(),
    };
    let (mut dedup, mut lane, mut violations) = (None, Lane::Numeric, Vec::new());
    if let Some(problem) = refusal {
        message.problems.push(problem);
    } else if let Some(device) = answer_of(raw.topic) {
        message.origin.profile = String::from("command-answer");
        if let Some(event) = answer(device, raw, &mut message.problems) {
            let draft = Draft { event, dedup: None, lane: Lane::Urgent };
            return Ingested { draft, quarantined: None, forbidden: false, violations: Vec::new() };
        }
    } else {
        let mapped = rules.profiles.map(&RawMessage {
            topic: raw.topic,
            payload: raw.payload,
            content_type: raw.content_type,
            received: raw.received,
        });
        message.origin.profile = mapped.profile;
        message.time_base = mapped.time_base;
        message.content = mapped.content;
        message.problems = mapped.problems;
        dedup = mapped.dedup;
        if mapped.lane_is_waveform {
            lane = Lane::Waveform;
        }
        keep_to_own_device(&mut message, identity);
        if let Some(restrictions) = rules.restrictions {
            violations = restrictions.keep_within(&mut message);
        }
    }
    let quarantined = message.problems.first().map(|problem| {
        let mut note = format!("{}: {}", problem.kind.name(), problem.detail);
        let mut end = note.len().min(NOTE_BYTES);
        while !note.is_char_boundary(end) {
            end -= 1;
        }
        note.truncate(end);
        note.into_boxed_str()
    });
    let forbidden = message.problems.iter().any(|p| p.kind == ProblemKind::Forbidden);
    Ingested { draft: Draft { event: Event::Message(message), dedup, lane }, quarantined, forbidden, violations }
}

/// Takes out what a device's account says about other devices.
fn keep_to_own_device(message: &mut Message, identity: &ClientIdentity) {
    let Some(own) = &identity.device else { return };
    if message.keep_to(own, true) {
        message.problems.push(forbidden("readings of another device than the account's own"));
    }
}

/// The problem of a sender that may not send this.
pub(super) fn forbidden(what: &str) -> Problem {
    Problem {
        kind: ProblemKind::Forbidden,
        path: String::from("topic"),
        detail: format!("{what}: use that device's account, or one without a device"),
    }
}

/// The problem of a topic that is too long or too deep.
pub(super) fn topic_limit() -> Problem {
    Problem {
        kind: ProblemKind::Limit,
        path: String::from("topic"),
        detail: String::from("topic longer or deeper than the listener takes"),
    }
}

/// The devices that a live message speaks for.
pub(super) fn live_devices(event: &Event) -> impl Iterator<Item = &DeviceId> {
    let content = match event {
        Event::Message(m) if m.time_base == TimeBase::Live => m.content.as_slice(),
        _ => &[],
    };
    content.iter().filter_map(|content| match content {
        Content::Reading(reading) => Some(&reading.device),
        Content::Alarm(alarm) => Some(&alarm.device),
        Content::Directory(_) => None,
    })
}

/// A change of a device's link.
pub(super) fn link(device: DeviceId, state: LinkState, reason: &str) -> Draft {
    let event = Event::Link { device, state, reason: reason.to_owned() };
    Draft { event, dedup: None, lane: Lane::Urgent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(device: Option<&str>, may_subscribe: bool) -> ClientIdentity {
        let device = device.map(DeviceId::sanitised);
        let peer = ClientIdentity::peer("x");
        ClientIdentity { device, may_subscribe, may_configure: may_subscribe, ..peer }
    }

    #[test]
    fn what_goes_down_is_not_ingested() {
        for (topic, ingested) in [
            ("vitalwire/m1/measurements", true),
            ("vitalwire/m1/config", false),
            ("vitalwire/m1/command", false),
            ("vitalwire/m1/command/answer", true),
            ("vitalwire/m1/config/x", true),
            ("vitalwire/config", true),
            ("$SYS/x", false),
            ("site/a/config", true),
        ] {
            assert_eq!(is_ingested(topic), ingested, "{topic}");
        }
    }

    #[test]
    fn a_device_account_keeps_to_its_own_topics() {
        let (own, any) = (identity(Some("m1"), false), identity(None, true));
        for (topic, allowed) in [
            ("vitalwire/m1/measurements", true),
            ("vitalwire/m2/measurements", false),
            ("vitalwire/m1/config", false),
            ("vitalwire/m1/command", false),
            ("vitalwire/m1/command/answer", true),
            ("vitalwire/m2/command/answer", false),
            ("site/x", true),
            ("$SYS/x", false),
        ] {
            assert_eq!(may_publish(&own, topic), allowed, "{topic}");
            let command = topic.ends_with("/command");
            assert_ne!(may_publish(&any, topic), command || topic.starts_with('$'), "{topic}");
            let trial = ClientIdentity { open: true, ..any.clone() };
            assert_ne!(may_publish(&trial, topic), command, "nobody sends commands past the platform");
            let reader = ClientIdentity { may_publish: false, may_configure: false, ..any.clone() };
            assert!(!may_publish(&reader, topic), "{topic}");
            let sender = ClientIdentity { may_configure: false, ..any.clone() };
            assert_eq!(may_publish(&sender, topic), !topic.starts_with('$') && !is_downlink(topic));
        }
        for (filter, allowed) in [
            ("vitalwire/m1/config", true),
            ("vitalwire/m1/#", true),
            ("vitalwire/+/config", false),
            ("vitalwire/m2/config", false),
            ("#", false),
        ] {
            assert_eq!(may_subscribe(&own, filter), allowed, "{filter}");
            assert!(may_subscribe(&any, filter));
        }
    }
}
