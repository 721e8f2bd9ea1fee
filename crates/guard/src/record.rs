//! What an audit record says.

use serde::Serialize;
use vitals::{PatientId, ReceiveTime, Role};

use crate::Permission;

/// One record of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: ReceiveTime,
    /// Account name; for a failed login what [`crate::Guard::audit_name`] makes of what was typed.
    /// At most 128 bytes are kept.
    pub actor: String,
    /// In which role; none when nobody was recognised.
    pub role: Option<Role>,
    /// What was done, or tried.
    pub action: Deed,
    /// The route's template (`GET /api/v1/patients/{id}`), never with values. At most 256 bytes
    /// are kept.
    pub route: String,
    /// Whose data, where it is about one patient.
    pub subject: Option<PatientId>,
    /// How it went.
    pub outcome: Outcome,
    /// More, without patient data or secrets; may be empty. At most 512 bytes are kept.
    pub detail: String,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Something that needs a permission.
    Permitted(Permission),
    /// Something else, in kebab-case: `login`, `logout`, `add-user`.
    Named(&'static str),
}

impl Deed {
    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permitted(permission) => permission.name(),
            Self::Named(name) => name,
        }
    }
}

impl From<Permission> for Deed {
    fn from(permission: Permission) -> Self {
        Self::Permitted(permission)
    }
}

impl From<&'static str> for Deed {
    fn from(name: &'static str) -> Self {
        Self::Named(name)
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was allowed, and is about to be answered.
    Allowed,
    /// It was refused.
    Denied,
    /// It was allowed, and did not work.
    Failed,
}

impl Outcome {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// A record as it stands in the log, without its hash.
#[derive(Serialize)]
struct Line<'a> {
    n: u64,
    at_us: i64,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    action: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    route: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
}

impl Record {
    /// The record as one JSON object without line breaks, numbered.
    pub(crate) fn json(&self, number: u64) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Line {
            n: number,
            at_us: self.at.micros(),
            actor: clip(&self.actor, 128),
            role: self.role.map(Role::name),
            action: self.action.name(),
            route: clip(&self.route, 256),
            subject: self.subject.as_ref().map(PatientId::as_str),
            outcome: self.outcome.name(),
            detail: clip(&self.detail, 512),
        })
    }
}

/// The beginning of a text, whole characters, at most so many bytes.
fn clip(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_bounded() {
        let record = Record {
            at: ReceiveTime(5),
            actor: "a\n\"b".to_owned(),
            role: None,
            action: "login".into(),
            route: "é".repeat(1_000),
            subject: None,
            outcome: Outcome::Denied,
            detail: "\u{1}".repeat(10_000),
        };
        let json = record.json(7).expect("texts and numbers");
        assert!(
            json.starts_with(r#"{"n":7,"at_us":5,"actor":"a\n\"b","action":"login","route":"é"#)
        );
        assert!(!json.contains('\n') && json.len() < 6_000, "{}", json.len());
    }
}
