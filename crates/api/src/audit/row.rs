//! A record as the API tells it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditAnswer {
    /// The records, newest first.
    pub rows: Vec<AuditRow>,
    /// How many there are in all, counted up to 10,000.
    pub total: u64,
    /// `before` of the next page; none at the end.
    pub next: Option<u64>,
    /// Records up to this one are under the signed head.
    pub signed: u64,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditRow {
    /// Its number in the log, from 1.
    pub n: u64,
    /// When, milliseconds since 1970, UTC.
    #[serde(default)]
    pub at_ms: i64,
    /// Account or device.
    pub actor: String,
    /// In which role.
    #[serde(default)]
    pub role: Option<String>,
    /// What was done: the name of a permission or of a deed.
    pub action: String,
    /// By which route.
    #[serde(default)]
    pub route: String,
    /// Whose data, where it was about one patient.
    #[serde(default)]
    pub subject: Option<String>,
    /// Whose data were in the answer, where it was about many.
    #[serde(default)]
    pub patients: Vec<String>,
    /// `allowed`, `denied` or `failed`.
    pub outcome: String,
    /// More.
    #[serde(default)]
    pub detail: String,
    /// What it was done to: a device, an alert, an account.
    #[serde(default)]
    pub object: String,
    /// The request's id, as its answer's `x-request-id` said.
    #[serde(default)]
    pub request: String,
    /// From which address.
    #[serde(default)]
    pub source: Option<String>,
    /// For what purpose.
    #[serde(default)]
    pub purpose: String,
    /// The program that acted for the account.
    #[serde(default)]
    pub client: String,
    /// The beginning of the session's fingerprint.
    #[serde(default)]
    pub session: String,
    /// How the account proved itself.
    #[serde(default)]
    pub factor: String,
    /// The policies that decided.
    #[serde(default)]
    pub policies: Vec<String>,
}

impl AuditRow {
    /// Reads a line of the log.
    #[must_use]
    pub fn read(n: u64, line: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct When {
            at_us: i64,
        }
        let when: When = serde_json::from_str(line).ok()?;
        let row: Self = serde_json::from_str(line).ok()?;
        Some(Self { n, at_ms: when.at_us.div_euclid(1_000), ..row })
    }
}

/// The signed head.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditHead {
    /// How many records it covers.
    pub size: u64,
    /// The root of the tree, base64.
    pub root: String,
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
    /// The log's public key (C2SP signed-note).
    pub key: String,
}

/// A record and the proof that it is in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditProof {
    /// The record's line, to the byte.
    pub record: String,
    /// Its place in the tree, from 0.
    pub index: u64,
    /// Hashes from its neighbour upwards, base64.
    pub path: Vec<String>,
    /// The signed note.
    pub head: String,
    /// The log's public key.
    pub key: String,
    /// Whether record, path and signature hold, as we see it; check it yourself with
    /// `vitalwire audit verify-proof`.
    pub holds: bool,
}
