//! A record as a DICOM audit message (PS3.15 section A.5) in a syslog message (RFC 5424).

use std::fmt::Write;

use api::audit::AuditRow;
use api::audit::event::{Kind, kind, letter, outcome};

/// Facility 10 (security), severity 5 (notice).
const PRIORITY: u8 = 10 * 8 + 5;

/// The syslog message, octet-counted as RFC 5425 frames it.
pub(super) fn framed(row: &AuditRow, host: &str) -> Vec<u8> {
    let time = wire_fhir::time::format(row.at_ms.saturating_mul(1_000));
    let process = std::process::id();
    // The byte order mark says that what follows is UTF-8 (RFC 5424 section 6.4).
    let message = format!("<{PRIORITY}>1 {time} {host} vitalwire {process} DICOM+RFC3881 - \u{feff}{}", xml(row, host));
    let mut framed = format!("{} ", message.len()).into_bytes();
    framed.extend_from_slice(message.as_bytes());
    framed
}

/// The audit message.
fn xml(row: &AuditRow, host: &str) -> String {
    let what = kind(row);
    let time = wire_fhir::time::format(row.at_ms.saturating_mul(1_000));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>");
    let (id, types) = codes(row, what);
    let _ = write!(
        xml,
        "<EventIdentification EventActionCode=\"{}\" EventDateTime=\"{time}\" EventOutcomeIndicator=\"{}\">",
        letter(what),
        outcome(row)
    );
    code(&mut xml, "EventID", id.0, "DCM", id.1);
    if let Some((number, text)) = types {
        code(&mut xml, "EventTypeCode", number, "DCM", text);
    }
    code(&mut xml, "EventTypeCode", &row.action, "Vitalwire", &row.action);
    xml.push_str("</EventIdentification>");
    let writes = matches!(what, Kind::Data("create" | "update" | "delete"));
    participants(&mut xml, row, host, writes);
    let _ = write!(xml, "<AuditSourceIdentification AuditSourceID=\"{}\"><AuditSourceTypeCode csd-code=\"4\"/></AuditSourceIdentification>", escaped(host));
    for patient in row.subject.iter().chain(&row.patients) {
        let _ = write!(xml, "<ParticipantObjectIdentification ParticipantObjectID=\"{}\" ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\">", escaped(patient));
        code(&mut xml, "ParticipantObjectIDTypeCode", "2", "RFC-3881", "Patient Number");
        xml.push_str("</ParticipantObjectIdentification>");
    }
    let object = if row.object.is_empty() { &row.route } else { &row.object };
    let _ = write!(xml, "<ParticipantObjectIdentification ParticipantObjectID=\"{}\" ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"13\">", escaped(if object.is_empty() { "audit.log" } else { object }));
    code(&mut xml, "ParticipantObjectIDTypeCode", "12", "RFC-3881", "URI");
    // The record's number tells a repository that got it twice, and leads to its proof.
    for (name, value) in [("record", row.n.to_string()), ("request", row.request.clone()), ("detail", row.detail.clone())] {
        if !value.is_empty() {
            let _ = write!(xml, "<ParticipantObjectDetail type=\"{name}\" value=\"{}\"/>", ledger::to_base64(value.as_bytes()));
        }
    }
    xml.push_str("</ParticipantObjectIdentification></AuditMessage>");
    xml
}

fn participants(xml: &mut String, row: &AuditRow, host: &str, writes: bool) {
    let _ = write!(xml, "<ActiveParticipant UserID=\"{}\" UserIsRequestor=\"true\"", escaped(&row.actor));
    if let Some(address) = &row.source {
        let _ = write!(xml, " NetworkAccessPointID=\"{}\" NetworkAccessPointTypeCode=\"2\"", escaped(address));
    }
    xml.push('>');
    let (source, destination) = (("110153", "Source Role ID"), ("110152", "Destination Role ID"));
    let (theirs, ours) = if writes { (source, destination) } else { (destination, source) };
    code(xml, "RoleIDCode", theirs.0, "DCM", theirs.1);
    if let Some(role) = &row.role {
        code(xml, "RoleIDCode", role, "Vitalwire", role);
    }
    xml.push_str("</ActiveParticipant>");
    let _ = write!(xml, "<ActiveParticipant UserID=\"vitalwire@{}\" UserIsRequestor=\"false\">", escaped(host));
    code(xml, "RoleIDCode", ours.0, "DCM", ours.1);
    xml.push_str("</ActiveParticipant>");
}

type Code = (&'static str, &'static str);

/// The event and its type, of DICOM's own codes (PS3.16 CID 400 and 401).
fn codes(row: &AuditRow, what: Kind) -> (Code, Option<Code>) {
    match what {
        _ if row.action == "see-audit" => (("110101", "Audit Log Used"), None),
        Kind::Application if row.action.ends_with("stop") => {
            (("110100", "Application Activity"), Some(("110121", "Application Stop")))
        }
        Kind::Application => (("110100", "Application Activity"), Some(("110120", "Application Start"))),
        Kind::Authentication if row.action.contains("logout") => {
            (("110114", "User Authentication"), Some(("110123", "Logout")))
        }
        Kind::Authentication => (("110114", "User Authentication"), Some(("110122", "Login"))),
        Kind::Decision => (("110113", "Security Alert"), Some(("110132", "Use of Restricted Function"))),
        Kind::Administration => (("110113", "Security Alert"), Some(("110129", "Security Configuration"))),
        Kind::Data("search") => (("110112", "Query"), None),
        Kind::Data(_) if row.action == "export-person" => (("110106", "Export"), None),
        Kind::Data(_) => (("110110", "Patient Record"), None),
    }
}

fn code(xml: &mut String, element: &str, code: &str, system: &str, text: &str) {
    let (code, text) = (escaped(code), escaped(text));
    let _ = write!(xml, "<{element} csd-code=\"{code}\" codeSystemName=\"{system}\" originalText=\"{text}\"/>");
}

/// A text as it stands in an attribute; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => done.push_str("&amp;"),
            '<' => done.push_str("&lt;"),
            '>' => done.push_str("&gt;"),
            '"' => done.push_str("&quot;"),
            '\n' | '\r' | '\t' => done.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => done.push(c),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_counted_in_octets_and_escaped() {
        let line = serde_json::json!({"n": 7, "at_us": 5, "actor": "ä\"<&\u{1}", "action": "see-patients",
            "route": "/api/v1/ward", "outcome": "allowed", "patients": ["p-1", "p-2"], "source": "10.0.0.9"});
        let row = AuditRow::read(7, &line.to_string()).expect("a record");
        let framed = String::from_utf8(framed(&row, "house")).expect("text");
        let (length, message) = framed.split_once(' ').expect("a count");
        assert_eq!(length.parse::<usize>().expect("a number"), message.len());
        assert!(message.starts_with("<85>1 1970-01-01T00:00:00"), "{message}");
        assert!(message.contains(" house vitalwire ") && message.contains(" DICOM+RFC3881 - \u{feff}<?xml"));
        assert!(message.contains("UserID=\"ä&quot;&lt;&amp;\""));
        assert_eq!(message.matches("ParticipantObjectTypeCodeRole=\"1\"").count(), 2);
        assert!(message.contains("csd-code=\"110112\"") && message.ends_with("</AuditMessage>"));
    }
}
