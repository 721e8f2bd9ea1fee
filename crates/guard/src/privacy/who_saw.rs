//! Who saw a patient: what the audit log says, in a form that can be put into words.

use serde::Deserialize;
use vitals::{PatientId, ReceiveTime};

use crate::{Guard, GuardError};

/// Records that are found of one patient at most: those of [`Guard::accesses_to`].
const FOUND_MAX: usize = 10_000;

/// One record of the audit log that is about a patient.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Access {
    /// Its number in the log, from 1: the security officer can ask for its proof.
    #[serde(rename = "n")]
    pub number: u64,
    /// When, in microseconds since 1970.
    #[serde(rename = "at_us")]
    pub at: i64,
    /// Who: account name, or `unknown`.
    pub actor: String,
    /// In which role; empty when nobody was recognised.
    #[serde(default)]
    pub role: String,
    /// What: a permission's name, or another deed's.
    pub action: String,
    /// The route's template.
    #[serde(default)]
    pub route: String,
    /// `allowed`, `denied` or `failed`.
    pub outcome: String,
    /// A code of HL7 v3 PurposeOfUse; empty when it was not said.
    #[serde(default)]
    pub purpose: String,
    /// The program that acted for the account; empty when none did.
    #[serde(default)]
    pub client: String,
}

impl Guard {
    /// What the audit log says of any of these records of one patient from `from` up to but not
    /// including `to`, the latest first, and whether there is more. May read what was written since
    /// the last time, so call it on a thread that may wait.
    ///
    /// # Errors
    /// [`GuardError`] when the log or its index cannot be read.
    pub fn who_saw(
        &self,
        patients: &[PatientId],
        from: ReceiveTime,
        to: ReceiveTime,
    ) -> Result<(Vec<Access>, bool), GuardError> {
        let mut found: Vec<Access> = Vec::new();
        let mut more = false;
        for patient in patients {
            let lines = self.accesses_to(patient, from, to)?;
            more |= lines.len() >= FOUND_MAX;
            found.extend(lines.iter().filter_map(|(_, line)| serde_json::from_str(line).ok()));
        }
        found.sort_by_key(|access| std::cmp::Reverse(access.number));
        // A list may be about several of the records that became one.
        found.dedup_by_key(|access| access.number);
        Ok((found, more))
    }
}
