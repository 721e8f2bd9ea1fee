//! A frame's bytes as messages: batches taken apart, character sets resolved, each message read.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use vitals::{
    Content, DeviceId, Message, Origin, ProblemKind, Protocol, ReceiveTime, TimeBase, Value,
};

use crate::ack::Reply;
use crate::charset::{self, Trust};
use crate::codes::Aliases;
use crate::finding::{ErrorCode, Finding, Findings, Weight};
use crate::header::Header;
use crate::syntax::{Place, Segment, Separators};
use crate::program::{self, Programmed};
use crate::status::{self, AlertStatus};
use crate::{adt, alert, oru};

/// Segments beyond this many in one message are not read.
const MAX_SEGMENTS: usize = 200_000;

/// What a site may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone of times without an offset, in messages whose MSH-7 has none either.
    pub zone: TimeZone,
    /// Names of metrics beyond the built-in ones.
    pub aliases: Aliases,
}

impl Default for Options {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, aliases: Aliases::default() }
    }
}

/// A frame's messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// In order; at least one.
    pub messages: Vec<Inbound>,
    /// Whether they came as a batch, which is answered by a batch.
    pub batch: bool,
}

/// What a message is for, which decides how urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Patients and places, alarms: what goes first.
    Directory,
    /// Numerics, states, texts.
    Numeric,
    /// Waveforms only.
    Waveform,
    /// Nothing of it could be used.
    Refused,
}

/// One message with what it means and how to answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// For the journal.
    pub message: Message,
    /// The same for a message that is sent again: from sender, control id and time of the header;
    /// of a message that could not be read, from its bytes.
    pub dedup: Option<u128>,
    /// What it is for.
    pub kind: Kind,
    /// The answer in waiting.
    pub reply: Reply,
    /// What it says became of an alert of ours.
    pub status: Option<AlertStatus>,
    /// What a pump says became of an order of ours.
    pub programmed: Option<Programmed>,
}

impl Inbound {
    /// Leaves out what comes from another device than `allowed`: its sender may speak for that one
    /// only.
    pub fn restrict_to(&mut self, allowed: &DeviceId) {
        let before = self.message.content.len();
        self.programmed.take_if(|programmed| programmed.device != *allowed);
        self.message.content.retain(|content| match content {
            Content::Reading(reading) => reading.device == *allowed,
            Content::Alarm(alarm) => alarm.device == *allowed,
            Content::Directory(_) => false,
        });
        if self.message.content.len() == before {
            return;
        }
        let finding = forbidden("this sender may speak for its own device only");
        self.message.problems.push(finding.problem());
        self.answered(finding);
    }

    /// Answers that something was taken out of the message, which says so among its problems: a
    /// device said what it may not say.
    pub fn restricted(&mut self) {
        self.answered(forbidden("a device may not say some of this, or is not in service"));
    }

    /// Refuses the message as a whole: its sender may not say what became of alerts.
    pub fn refuse_status(&mut self) {
        self.status = None;
        let finding = forbidden("this sender is no alert manager that is configured");
        self.message.problems.push(finding.problem());
        self.answered(finding);
    }

    fn answered(&mut self, finding: Finding) {
        self.reply.findings.push(finding);
        self.reply.usable = !self.message.content.is_empty();
        self.kind = kind(&self.message.content);
    }
}

fn forbidden(why: &'static str) -> Finding {
    Finding::part(ErrorCode::Internal, ProblemKind::Forbidden, Place::new("MSH", 1, 3)).saying(why)
}

/// Reads what one frame holds. Any bytes are an answer: what can't be read becomes an [`Inbound`]
/// with problems and no content.
#[must_use]
pub fn read(frame: &[u8], received: ReceiveTime, options: &Options) -> Received {
    let wide = charset::utf16_to_utf8(frame);
    let bytes = wide.as_deref().map_or(frame, str::as_bytes);
    let split = split(bytes);
    let whole = split.messages.len() == 1 && !split.batch;
    let mut messages: Vec<Inbound> = split
        .messages
        .iter()
        .map(|chunk| {
            let payload = if whole { frame } else { chunk };
            one(chunk, payload, received, options, split.before_first)
        })
        .collect();
    if messages.is_empty() {
        messages.push(unreadable(frame, received));
    }
    if let (Some(declared), Some(last)) = (split.declared, messages.last_mut())
        && declared != split.messages.len()
    {
        let finding =
            Finding::part(ErrorCode::DataType, ProblemKind::Missing, Place::new("BTS", 1, 1))
                .saying("the batch does not hold as many messages as BTS-1 says");
        last.message.problems.push(finding.problem());
        last.reply.findings.push(finding);
    }
    Received { messages, batch: split.batch }
}

/// What stands for a frame that was longer than the limit, from its first bytes.
#[must_use]
pub fn too_long(head: &[u8], length: u64, received: ReceiveTime) -> Inbound {
    let finding =
        Finding::reject(ErrorCode::ValueTooLong, ProblemKind::Limit, Place::new("frame", 1, 0))
            .saying(format!(
                "the frame has {length} bytes, more than is taken: send smaller messages"
            ));
    refused(head, received, finding)
}

/// What stands for a frame that another one cut off.
#[must_use]
pub fn cut_off(bytes: &[u8], received: ReceiveTime) -> Inbound {
    let finding =
        Finding::reject(ErrorCode::SegmentSequence, ProblemKind::Syntax, Place::new("frame", 1, 0))
            .saying("the frame has no end: another one began within it");
    let mut inbound = refused(bytes, received, finding);
    // Its sender went on without waiting; an answer out of turn would confuse it.
    inbound.reply.silent = true;
    inbound
}

struct Split<'a> {
    messages: Vec<&'a [u8]>,
    batch: bool,
    /// BTS-1.
    declared: Option<usize>,
    /// Whether something that is no header stands before the first message.
    before_first: bool,
}

fn split(bytes: &[u8]) -> Split<'_> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut split =
        Split { messages: Vec::new(), batch: false, declared: None, before_first: false };
    let mut start: Option<usize> = None;
    let mut at = 0;
    for line in bytes.split(|b| matches!(b, b'\r' | b'\n')) {
        let is = |name: &[u8]| {
            line.starts_with(name) && line.get(3).is_none_or(|b| !b.is_ascii_alphanumeric())
        };
        let header = is(b"MSH") && line.len() > 3;
        let envelope = [b"FHS", b"BHS", b"BTS", b"FTS"].iter().any(|name| is(*name));
        if header || envelope {
            split.messages.extend(start.take().map(|from| &bytes[from..at]));
        }
        if header {
            start = Some(at);
        } else if envelope {
            split.batch = true;
            if is(b"BTS") {
                let count =
                    line.get(4..).and_then(|rest| rest.split(|b| !b.is_ascii_digit()).next());
                split.declared = count.and_then(|c| std::str::from_utf8(c).ok()?.parse().ok());
            }
        } else if start.is_none() && !line.trim_ascii().is_empty() {
            split.before_first = true;
        }
        at += line.len() + 1;
    }
    split.messages.extend(start.map(|from| &bytes[from..]));
    split
}

fn one(
    chunk: &[u8],
    payload: &[u8],
    received: ReceiveTime,
    options: &Options,
    junk_before: bool,
) -> Inbound {
    let line = chunk.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or(chunk);
    let line = String::from_utf8_lossy(line);
    let Some(separators) = Separators::of_header(&line) else {
        return unreadable(payload, received);
    };
    let declared = Segment::parse(&line, separators)
        .map(|msh| msh.field(18).component(1).into_owned())
        .unwrap_or_default();
    let (text, trust) = charset::decode(chunk, &declared);
    let mut findings = Findings::default();
    if junk_before {
        findings.add(
            Finding::part(
                ErrorCode::SegmentSequence,
                ProblemKind::Syntax,
                Place::new("line", 1, 0),
            )
            .saying("something that is no segment stands before MSH"),
        );
    }
    let segments = segments(&text, separators, &mut findings);
    let Some(msh) = segments.first().filter(|s| s.name == "MSH") else {
        return unreadable(payload, received);
    };
    complain_about_charset(msh, trust, &mut findings);
    let header = Header::read(msh);
    let (content, status) = match header.refusal(msh) {
        Some(finding) => {
            findings.add(finding);
            (Vec::new(), None)
        }
        None if header.message_type == "ORA" => (Vec::new(), answer(&header, &segments, &mut findings)),
        None => (content(&header, &segments, options, &mut findings), None),
    };
    let programmed = program::read(&header, &segments, &content, header.time_base());
    let inbound = finish(header, content, findings.into_vec(), payload, chunk, received);
    let inbound = Inbound { programmed, ..inbound };
    match status {
        Some(_) => Inbound { status, kind: Kind::Directory, ..inbound },
        None => inbound,
    }
}

fn answer(header: &Header, segments: &[Segment<'_>], findings: &mut Findings) -> Option<AlertStatus> {
    if matches!(header.trigger.as_str(), "" | "R41") {
        return status::read(segments, findings);
    }
    let place = Place::new("MSH", 1, 9);
    let finding = Finding::reject(ErrorCode::UnsupportedEvent, ProblemKind::Unmatched, place);
    findings.add(finding.saying("unsupported event: send ORA^R41"));
    None
}

fn content(
    header: &Header,
    segments: &[Segment<'_>],
    options: &Options,
    findings: &mut Findings,
) -> Vec<Content> {
    let zone = header.zone(&options.zone);
    let refuse = |code, detail| {
        let place = Place::new("MSH", 1, 9);
        Finding::reject(code, ProblemKind::Unmatched, place).saying(detail)
    };
    match header.message_type.as_str() {
        "ORU" if matches!(header.trigger.as_str(), "" | "R01" | "R42") => {
            return oru::read(header, segments, &zone, &options.aliases, findings);
        }
        "ORU" if header.trigger == "R40" => {
            return alert::read(header, segments, &zone, &options.aliases, findings);
        }
        "ADT" => {
            let evn = segments.iter().find(|s| s.name == "EVN");
            let trigger = match header.trigger.as_str() {
                "" => evn.map_or(Cow::Borrowed(""), |s| s.field(1).text()),
                trigger => Cow::Borrowed(trigger),
            };
            if let Some(event) = adt::event(&trigger) {
                return adt::read(event, segments, &zone, findings);
            }
            findings.add(refuse(
                ErrorCode::UnsupportedEvent,
                "unsupported event: send ADT A01, A02, A03, A04, A08, A11, A12, A13 or A40",
            ));
        }
        "ORU" => {
            findings.add(refuse(ErrorCode::UnsupportedEvent, "unsupported event: send ORU^R01, R40 or R42"))
        }
        "ACK" => findings.add(refuse(
            ErrorCode::UnsupportedMessageType,
            "an acknowledgement that was not asked for",
        )),
        _ => findings.add(refuse(
            ErrorCode::UnsupportedMessageType,
            "unsupported message type: send ORU, ORA or ADT",
        )),
    }
    Vec::new()
}

fn segments<'a>(
    text: &'a str,
    separators: Separators,
    findings: &mut Findings,
) -> Vec<Segment<'a>> {
    let mut counts: Vec<(&str, u32)> = Vec::new();
    let mut segments = Vec::new();
    let lines = text.split(['\r', '\n']).filter(|line| !line.trim().is_empty());
    for (number, line) in lines.enumerate() {
        let place = || Place::new("line", u32::try_from(number + 1).unwrap_or(u32::MAX), 0);
        if segments.len() == MAX_SEGMENTS {
            findings.add(
                Finding::part(ErrorCode::ValueTooLong, ProblemKind::Limit, place())
                    .saying("more segments than one message may have: send several messages"),
            );
            break;
        }
        let Some(mut segment) = Segment::parse(line, separators) else {
            findings.add(
                Finding::part(ErrorCode::SegmentSequence, ProblemKind::Syntax, place())
                    .saying("not a segment: it does not begin with a name and a field separator"),
            );
            continue;
        };
        match counts.iter().position(|(name, _)| *name == segment.name) {
            Some(at) => {
                counts[at].1 += 1;
                segment.sequence = counts[at].1;
            }
            // More names than HL7 has: numbering them would only cost time.
            None if counts.len() == 256 => {}
            None => counts.push((segment.name, 1)),
        }
        segments.push(segment);
    }
    segments
}

fn complain_about_charset(msh: &Segment<'_>, trust: Trust, findings: &mut Findings) {
    let (code, kind, detail) = match trust {
        Trust::Declared => return,
        Trust::UnknownSet => (
            ErrorCode::TableValueNotFound,
            ProblemKind::Unmatched,
            "unknown character set: names may be misread; send one of HL7 table 0211",
        ),
        Trust::Invalid => (
            ErrorCode::DataType,
            ProblemKind::Syntax,
            "the bytes are not in the character set that MSH-18 says; read as Windows-1252",
        ),
    };
    findings.add(Finding::part(code, kind, msh.at(18)).saying(detail));
}

fn finish(
    header: Header,
    content: Vec<Content>,
    mut findings: Vec<Finding>,
    payload: &[u8],
    chunk: &[u8],
    received: ReceiveTime,
) -> Inbound {
    let kind = kind(&content);
    let usable = !content.is_empty();
    // The answer begins with what weighs most.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    let refused = findings.first().is_some_and(|f| f.weight > Weight::Part);
    let profile = match kind {
        Kind::Refused => "",
        _ => profile(&header),
    };
    let message = Message {
        origin: Origin {
            protocol: Protocol::Mllp,
            address: header.kind(),
            sender: header.sent_by(),
            message_id: header.control_id.clone(),
            profile: profile.to_owned(),
        },
        received,
        time_base: header.time_base(),
        payload: payload.to_vec(),
        content,
        problems: findings.iter().map(Finding::problem).collect(),
    };
    let dedup = match usable && !refused {
        true => key_of_header(&header, chunk),
        false => hash(&[b"bytes", payload]),
    };
    let silent = header.message_type == "ACK";
    let reply = Reply { header, findings, usable, silent };
    Inbound { message, dedup: Some(dedup), kind, reply, status: None, programmed: None }
}

/// Which profile a message follows, for the record.
fn profile(header: &Header) -> &'static str {
    match header.trigger.as_str() {
        "R40" => "ihe-pcd-04",
        "R42" => "ihe-pcd-10",
        _ if header.profile.contains("IDCO") || header.profile.contains("PCD_009") => "ihe-pcd-09",
        _ if header.profile.contains("PCD") => "ihe-pcd-01",
        _ => "hl7v2",
    }
}

fn kind(content: &[Content]) -> Kind {
    let mut kind = Kind::Refused;
    for part in content {
        match part {
            Content::Directory(_) | Content::Alarm(_) => return Kind::Directory,
            Content::Reading(reading) => {
                let wave = |m: &vitals::Measurement| matches!(m.value, Value::SampleArray(_));
                if !reading.measurements.iter().all(wave) {
                    return Kind::Numeric;
                }
                kind = Kind::Waveform;
            }
        }
    }
    kind
}

/// The same for every sending of one message. Without a time in the header control ids may come
/// again after a restart of the sender, so there the content counts too.
fn key_of_header(header: &Header, chunk: &[u8]) -> u128 {
    let content = if header.time.is_empty() { chunk } else { b"" };
    hash(&[
        b"header",
        header.sending_application.as_bytes(),
        header.sending_facility.as_bytes(),
        header.control_id.as_bytes(),
        header.time.as_bytes(),
        content,
    ])
}

fn hash(parts: &[&[u8]]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = [0_u8; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_le_bytes(key)
}

fn unreadable(bytes: &[u8], received: ReceiveTime) -> Inbound {
    let finding =
        Finding::reject(ErrorCode::SegmentSequence, ProblemKind::Syntax, Place::new("MSH", 1, 0))
            .saying("not an HL7 v2 message: it does not begin with a usable MSH segment");
    refused(bytes, received, finding)
}

/// A message that is refused as a whole; its header is read as far as there is one.
fn refused(bytes: &[u8], received: ReceiveTime, finding: Finding) -> Inbound {
    let wide = charset::utf16_to_utf8(bytes);
    let text = wide.map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned);
    let line = text.trim_start_matches('\u{feff}').split(['\r', '\n']).next().unwrap_or("");
    let header = Separators::of_header(line)
        .filter(|_| line.starts_with("MSH"))
        .and_then(|separators| Segment::parse(line, separators))
        .map(|msh| Header::read(&msh))
        .unwrap_or_default();
    let mut inbound = finish(header, Vec::new(), vec![finding], bytes, bytes, received);
    inbound.message.time_base = TimeBase::Live;
    inbound
}
