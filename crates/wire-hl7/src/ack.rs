//! Acknowledgements: MSA with AA, AE or AR (CA, CE, CR in enhanced mode) and an ERR segment for
//! each finding that names the field.
//!
//! A message of which anything could be used is accepted; what was lost of it is told as a
//! warning. Where both an accept and an application acknowledgement are wanted, the application
//! acknowledgement alone is sent: it comes after the commit, which is what both stand for.
//!
//! Source: HL7 v2.5.1 chapter 2, sections 2.9 and 2.15.5 (ERR), table 0357.

use std::fmt::Write as _;

use vitals::ReceiveTime;
use vitals::id::stable_hash;

use crate::charset;
use crate::dtm;
use crate::finding::{ErrorCode, Finding, Weight};
use crate::header::Header;
use crate::syntax::Separators;

/// No more than this many ERR segments go into one answer.
const MAX_ERR: usize = 20;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is durable (now, or since it came the first time).
    Durable,
    /// It could not be stored, for reasons that are not its own: its sender should send it again.
    NotStored,
}

/// What is needed to answer a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub(crate) header: Header,
    pub(crate) findings: Vec<Finding>,
    /// Whether anything of the message could be used.
    pub(crate) usable: bool,
    /// An acknowledgement itself, which nobody answers.
    pub(crate) silent: bool,
}

impl Reply {
    /// The acknowledgement code: `AA`, `AE` or `AR`.
    #[must_use]
    pub fn code(&self, kept: Kept) -> &'static str {
        let worst = self.findings.iter().map(|f| f.weight).max();
        match (kept, worst, self.usable) {
            (Kept::NotStored, _, _) | (_, Some(Weight::Reject), _) => "AR",
            (_, Some(_), false) => "AE",
            _ => "AA",
        }
    }

    /// The sending application's name (MSH-3).
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.header.sender
    }

    /// The same, but never given.
    #[must_use]
    pub fn unspoken(&self) -> Self {
        Self { silent: true, ..self.clone() }
    }

    /// The answer, unframed; none if the sender wants none. `now` is the time of answering.
    #[must_use]
    pub fn encode(&self, kept: Kept, now: ReceiveTime) -> Option<Vec<u8>> {
        let code = self.wanted(self.code(kept))?;
        let header = &self.header;
        let mut text = self.msh(now, code.starts_with('A'));
        let separators = header.separators;
        let field = separators.field;
        let _ = write!(text, "MSA{field}{code}{field}{}", separators.escape(&header.control_id));
        let internal = not_stored();
        let findings: &[Finding] = match kept {
            Kept::Durable => &self.findings,
            Kept::NotStored => std::slice::from_ref(&internal),
        };
        if !code.ends_with('A')
            && let Some(first) = findings.first()
        {
            let _ = write!(text, "{field}{}", separators.escape(&first.detail));
        }
        text.push('\r');
        let severity = if code.ends_with('A') { 'W' } else { 'E' };
        for finding in findings.iter().take(MAX_ERR) {
            self.err(&mut text, finding, severity);
        }
        let (bytes, _) = charset::encode(&text, &header.charset);
        Some(bytes.into_owned())
    }

    /// The code that the acknowledgement mode makes of it; none if no answer is wanted.
    fn wanted(&self, code: &'static str) -> Option<&'static str> {
        let header = &self.header;
        if self.silent {
            return None;
        }
        if !header.is_enhanced() {
            return Some(code);
        }
        let wants = |condition: &str| match condition {
            "AL" => true,
            "ER" => code != "AA",
            "SU" => code == "AA",
            _ => false,
        };
        if wants(&header.application_ack) {
            return Some(code);
        }
        wants(&header.accept_ack).then_some(match code {
            "AA" => "CA",
            "AE" => "CE",
            _ => "CR",
        })
    }

    /// The sender's version, or 2.6 if it names none that we could answer in.
    fn version(&self) -> &str {
        let known = self.header.version_number().is_some_and(|(major, _)| major == 2);
        if known { &self.header.version } else { "2.6" }
    }

    fn msh(&self, now: ReceiveTime, application: bool) -> String {
        let h = &self.header;
        let s = h.separators;
        let (f, c) = (s.field, s.component);
        let version = self.version();
        let kind = match (h.trigger.as_str(), before(version, 4)) {
            ("", _) => "ACK".to_owned(),
            // An alert has an application acknowledgement of its own.
            ("R40", false) if application => format!("ORA{c}R41{c}ORA_R41"),
            (trigger, true) => format!("ACK{c}{}", s.escape(trigger)),
            (trigger, false) => format!("ACK{c}{}{c}ACK", s.escape(trigger)),
        };
        let processing = match h.processing_id.as_str() {
            "T" | "D" => &h.processing_id,
            _ => "P",
        };
        let id = stable_hash(format!("{}|{}", h.control_id, now.micros()).as_bytes());
        let parties = [
            &h.receiving_application,
            &h.receiving_facility,
            &h.sending_application,
            &h.sending_facility,
        ]
        .map(|name| printable(name))
        .join(&f.to_string());
        let encoding: String = [c, s.repetition, s.escape, s.subcomponent].iter().collect();
        let mut text = format!(
            "MSH{f}{encoding}{f}{parties}{f}{}{f}{f}{kind}{f}VW{id:016X}{f}{processing}{f}{version}",
            dtm::write(now.micros())
        );
        if !h.charset.is_empty() {
            let all_ascii = h.control_id.is_ascii() && parties.is_ascii();
            let fits =
                all_ascii || charset::encode(&format!("{}{parties}", h.control_id), &h.charset).1;
            let utf16 = h.charset.to_uppercase().contains("16");
            let name = if fits && !utf16 && charset::known(&h.charset) {
                h.charset.as_str()
            } else {
                "UNICODE UTF-8"
            };
            text.extend(std::iter::repeat_n(f, 6));
            text.push_str(&s.escape(name));
        }
        text.push('\r');
        text
    }

    fn err(&self, text: &mut String, finding: &Finding, severity: char) {
        let s: Separators = self.header.separators;
        let (f, c, b) = (s.field, s.component, s.subcomponent);
        let (number, name) = finding.code.row();
        let place = &finding.place;
        let is_segment = place.segment.len() == 3;
        let location = |field: &str| match (is_segment, field) {
            (false, _) => String::new(),
            (true, "") => format!("{}{c}{}", place.segment, place.sequence),
            (true, field) => format!("{}{c}{}{c}{field}", place.segment, place.sequence),
        };
        let field = if place.field > 0 { place.field.to_string() } else { String::new() };
        let detail = s.escape(&finding.detail);
        let _ = if before(self.version(), 5) {
            // Until v2.4 ERR has one field: segment, sequence, field and the code.
            write!(
                text,
                "ERR{f}{}{c}{}{c}{field}{c}{number}{b}{name}{b}HL70357\r",
                if is_segment { place.segment.as_str() } else { "" },
                place.sequence
            )
        } else {
            write!(
                text,
                "ERR{f}{f}{}{f}{number}{c}{name}{c}HL70357{f}{severity}{f}{f}{f}{}: {detail}{f}{detail}\r",
                location(&field),
                s.escape(&place.to_string()),
            )
        };
    }
}

/// Puts the answers to a batch into one batch, as section 2.10.3 of chapter 2 says.
#[must_use]
pub fn batch(answers: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"BHS|^~\\&\r".to_vec();
    for answer in answers {
        bytes.extend_from_slice(answer);
    }
    bytes.extend_from_slice(format!("BTS|{}\r", answers.len()).as_bytes());
    bytes
}

fn not_stored() -> Finding {
    Finding::reject(
        ErrorCode::Internal,
        vitals::ProblemKind::Limit,
        crate::syntax::Place::new("message", 1, 0),
    )
    .saying("the message could not be stored: send it again later")
}

/// Whether a version is 2.x with x below `minor`.
fn before(version: &str, minor: u32) -> bool {
    let number = version.split('.').nth(1).and_then(|m| m.parse::<u32>().ok());
    number.is_some_and(|number| number < minor)
}

/// A field as sent, without what would break a frame or a segment.
fn printable(raw: &str) -> String {
    raw.chars().filter(|c| !c.is_control()).take(250).collect()
}
