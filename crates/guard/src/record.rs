//! What an audit record says.

use std::net::IpAddr;

use serde::Serialize;
use vitals::{PatientId, ReceiveTime, Role};

use crate::Permission;

/// Patients named in one record; [`crate::Guard::audit`] makes further records of those on top.
pub const PATIENTS_MAX: usize = 400;
/// Policies named in one record.
const POLICIES_MAX: usize = 8;

/// One record of the audit trail. Write what is known, and `..Record::default()` for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// What it was done to, where that is not a patient: a device, an alert's episode, an account,
    /// a file of the configuration. At most 128 bytes are kept.
    pub object: String,
    /// Whose data were in the answer, where it was about many: any number, opaque ids.
    pub patients: Vec<PatientId>,
    /// Which request: what the answer's header `x-request-id` says. At most 64 bytes are kept.
    pub request: String,
    /// From where.
    pub source: Option<IpAddr>,
    /// For what purpose: a code of HL7's PurposeOfUse (`TREAT`, `ETREAT` for break-glass, `HOPERAT`).
    pub purpose: String,
    /// The program that acts for the account: the client id of a grant.
    pub client: String,
    /// The beginning of the fingerprint of the session or grant; never the token.
    pub session: String,
    /// How the account proved itself: `password`, `totp`, `passkey`, `token`, `certificate`.
    pub factor: String,
    /// The policies that decided, by id; the first eight are kept, 64 bytes each.
    pub policies: Vec<String>,
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

impl Default for Deed {
    fn default() -> Self {
        Self::Named("unnamed")
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Outcome {
    /// It was allowed, and is about to be answered.
    Allowed,
    /// It was refused.
    #[default]
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
    #[serde(skip_serializing_if = "str::is_empty")]
    object: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    patients: &'a [PatientId],
    #[serde(skip_serializing_if = "str::is_empty")]
    request: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<IpAddr>,
    #[serde(skip_serializing_if = "str::is_empty")]
    purpose: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    client: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    session: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    factor: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<&'a str>,
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
            object: clip(&self.object, 128),
            patients: &self.patients[..self.patients.len().min(PATIENTS_MAX)],
            request: clip(&self.request, 64),
            source: self.source,
            purpose: clip(&self.purpose, 32),
            client: clip(&self.client, 128),
            session: clip(&self.session, 32),
            factor: clip(&self.factor, 32),
            policies: self.policies.iter().take(POLICIES_MAX).map(|id| clip(id, 64)).collect(),
        })
    }

    /// A record of something done by somebody, allowed; the rest is filled in by its fields.
    #[must_use]
    pub fn new(at: ReceiveTime, actor: &str, action: impl Into<Deed>) -> Self {
        Self {
            at,
            actor: actor.to_owned(),
            action: action.into(),
            outcome: Outcome::Allowed,
            ..Self::default()
        }
    }

    /// The record, and further ones like it for the patients that do not fit into one.
    pub(crate) fn parts(mut self) -> Vec<Self> {
        if self.patients.len() <= PATIENTS_MAX {
            return vec![self];
        }
        let patients = std::mem::take(&mut self.patients);
        let count = patients.len().div_ceil(PATIENTS_MAX);
        let part = |(n, some): (usize, &[PatientId])| {
            let detail = format!("part {} of {count} {}", n + 1, self.detail);
            Self { patients: some.to_vec(), detail: detail.trim_end().to_owned(), ..self.clone() }
        };
        patients.chunks(PATIENTS_MAX).enumerate().map(part).collect()
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
            ..Record::default()
        };
        let json = record.json(7).expect("texts and numbers");
        assert!(
            json.starts_with(r#"{"n":7,"at_us":5,"actor":"a\n\"b","action":"login","route":"é"#)
        );
        assert!(!json.contains('\n') && json.len() < 6_000, "{}", json.len());
    }
}
