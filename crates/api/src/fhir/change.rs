//! Deletions, which are refused with what to do instead, and patches.

use serde_json::Value as Json;
use wire_fhir::search::Subject;
use wire_fhir::{IssueCode, Kind, patch, record};

use super::answer::{Done, refusal, refusals, unavailable, version};
use super::write::Write;
use super::{Call, Fhir};

/// Why nothing is deleted, and what to do instead. Measurements belong to the patient, device and
/// place of their time (PA-1), and every access to them stays on record (SE-1, SE-2).
const fn instead(subject: Subject) -> &'static str {
    match subject {
        Subject::Observation => {
            "A stored reading is never deleted: send it again with the status entered-in-error."
        }
        Subject::Directory(Kind::Patient) => {
            "A patient is never deleted, because measurements and records of access belong to it: \
             update it with active set to false, or have the records merged (ADT A40)."
        }
        Subject::Directory(Kind::Encounter) => {
            "An encounter is never deleted: update it with the status cancelled or entered-in-error."
        }
        Subject::Directory(Kind::Device) => {
            "A device is never deleted, because measurements belong to it: update it with the \
             status inactive."
        }
        Subject::Directory(Kind::DeviceMetric) => {
            "A metric is never deleted, because measurements are of it: update it with the \
             operational status entered-in-error."
        }
        Subject::Directory(Kind::Location) => {
            "A location is never deleted: update it with the status inactive."
        }
    }
}

impl Fhir {
    /// A deletion: what is not there is gone already; what is there stays.
    pub(super) async fn delete(&self, subject: Subject, id: &str) -> Done {
        let there = self.read(subject, id, None).await;
        match there.status {
            200 => refusal(405, IssueCode::NotSupported, "", instead(subject)),
            404 => Done { status: 204, ..Done::default() },
            _ => there,
        }
    }

    /// A deletion of whatever matches.
    pub(super) async fn delete_matching(&self, subject: Subject, query: &str) -> Done {
        let found = match subject {
            Subject::Observation => self.existing(query).await.map(|found| found.is_some()),
            Subject::Directory(kind) => {
                self.matching(kind, query).await.map(|found| !found.is_empty())
            }
        };
        match found {
            Ok(true) => refusal(405, IssueCode::NotSupported, "", instead(subject)),
            Ok(false) => Done { status: 204, ..Done::default() },
            // Several observations match.
            Err(done) if done.status == 412 => {
                refusal(405, IssueCode::NotSupported, "", instead(subject))
            }
            Err(done) => done,
        }
    }

    /// A JSON patch (RFC 6902) of a record of the directory.
    pub(super) async fn patch(
        &self,
        call: &Call,
        subject: Subject,
        id: &str,
        body: &[u8],
        if_match: Option<&str>,
    ) -> Done {
        let Subject::Directory(kind) = subject else {
            let detail = "A stored reading never changes: send a new observation with the status \
                          amended, corrected or entered-in-error.";
            return refusal(405, IssueCode::NotSupported, "", detail);
        };
        let operations = match serde_json::from_slice::<Json>(body) {
            Ok(operations) => operations,
            Err(_) => {
                let detail = "The body is not well-formed JSON.";
                return refusal(400, IssueCode::Structure, "", detail);
            }
        };
        let known = match self.backend.record(kind, id).await {
            Ok(Some(known)) => known,
            Ok(None) => {
                return refusal(404, IssueCode::NotFound, "", "There is no resource with this id.");
            }
            Err(error) => return unavailable(&error),
        };
        let expected = if_match.and_then(version).unwrap_or(known.version);
        let before = record::resource(&known).unwrap_or_default();
        let resource = match patch::apply(&before, &operations) {
            Ok(resource) => resource,
            Err(problem) => {
                let status = if problem.refused { 422 } else { 400 };
                let at = format!("{}[{}]", "patch", problem.at);
                return refusal(status, IssueCode::Processing, &at, problem.detail);
            }
        };
        if resource["resourceType"] != kind.name() || resource["id"] != before["id"] {
            let detail = "A patch can't change resourceType or id.";
            return refusal(422, IssueCode::Value, "", detail);
        }
        let issues = wire_fhir::validate(&resource, kind.name());
        if !issues.is_empty() {
            return refusals(422, issues);
        }
        let if_match = format!("W/\"{expected}\"");
        let write = Write {
            payload: resource.to_string().into_bytes(),
            resource,
            path: kind.name(),
            if_none_exist: None,
            if_match: Some(&if_match),
        };
        self.update_record(call, kind, id, write).await
    }
}
