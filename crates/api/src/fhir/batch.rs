//! Batches: each entry on its own, and what entries of batches and transactions have in common.

use std::collections::HashMap;
use std::pin::Pin;

use futures_util::future::join_all;
use serde_json::Value as Json;
use vitals::Problem;
use wire_fhir::bundle::{Entry, EntryResponse, response};
use wire_fhir::search::{Subject, decode};
use wire_fhir::{Issue, IssueCode, Kind, bundle};

use super::answer::{Done, refusal, refusals, unavailable};
use super::write::{Write, several};
use super::{Call, Fhir, resolve};

/// Entries of a batch that are in flight together: enough to share a commit.
const IN_FLIGHT: usize = 32;

/// One entry on its way.
type Running<'a> = Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

impl Fhir {
    /// Processes a batch or transaction.
    pub(super) async fn bundle(&self, call: &Call, json: Json, payload: Vec<u8>) -> Done {
        match bundle::read(json) {
            Err(issues) => self.quarantine(call, "Bundle", payload, refusals(400, issues)).await,
            Ok(found) if found.transaction => self.transaction(call, found.entries, payload).await,
            Ok(found) => self.batch(call, found.entries, payload).await,
        }
    }

    async fn batch(&self, call: &Call, entries: Vec<Entry>, payload: Vec<u8>) -> Done {
        let mut answers: Vec<EntryResponse> = vec![EntryResponse::default(); entries.len()];
        let mut known: HashMap<String, String> = HashMap::new();
        // Who and what there is comes first, so that readings find it whatever the order.
        for kind in [Kind::Patient, Kind::Location, Kind::Device, Kind::DeviceMetric, Kind::Encounter] {
            for (at, entry) in entries.iter().enumerate() {
                if !is_write(entry) || entry.address().0 != kind.name() {
                    continue;
                }
                let done = self.entry(call, entry, &known).await;
                if let Some(location) = done.location.as_deref().filter(|_| !entry.full_url.is_empty()) {
                    let literal = location.split("/_history/").next().unwrap_or(location);
                    known.insert(entry.full_url.clone(), literal.to_owned());
                }
                answers[at] = done;
            }
        }
        let rest = entries.iter().enumerate().filter(|(_, entry)| {
            !is_write(entry) || Kind::from_name(entry.address().0).is_none()
        });
        let rest: Vec<usize> = rest.map(|(at, _)| at).collect();
        for group in rest.chunks(IN_FLIGHT) {
            let running: Vec<Running<'_>> =
                group.iter().map(|at| -> Running<'_> { Box::pin(self.entry(call, &entries[*at], &known)) }).collect();
            for (at, done) in group.iter().zip(join_all(running).await) {
                answers[*at] = done;
            }
        }
        let unsupported: Vec<Problem> = entries
            .iter()
            .zip(&answers)
            .filter(|(entry, _)| is_write(entry) && Subject::from_name(entry.address().0).is_none())
            .flat_map(|(_, done)| done.issues.iter().map(Issue::to_problem))
            .collect();
        if !unsupported.is_empty() {
            let message = self.message(call, "Bundle", "", payload, Vec::new(), unsupported);
            if let Err(error) = self.backend.submit(message, None).await {
                return unavailable(&error);
            }
        }
        for (answer, entry) in answers.iter_mut().zip(&entries) {
            if is_write(entry) {
                answer.resource = None;
            }
        }
        Done { status: 200, resource: Some(response(false, &answers)), ..Done::default() }
    }

    /// One entry of a batch.
    async fn entry(&self, call: &Call, entry: &Entry, known: &HashMap<String, String>) -> Done {
        if !is_write(entry) {
            return self.find_entry(call, entry).await;
        }
        let (ty, id, query) = entry.address();
        if id.is_some_and(|id| id.starts_with('$')) {
            return unsupported_request(entry);
        }
        let at = format!("{}.resource", entry.path);
        let issues = entry.validate();
        let payload = || entry.resource.to_string().into_bytes();
        if !issues.is_empty() {
            return self.quarantine(call, ty, payload(), refusals(400, issues)).await;
        }
        let Some(subject) = Subject::from_name(ty) else {
            let at = format!("{}.request.url", entry.path);
            return refusal(404, IssueCode::NotSupported, &at, "The platform has no resources of this type.");
        };
        let mut resource = entry.resource.clone();
        let issues = resolve::with(self, call, &mut resource, &at, known).await;
        if !issues.is_empty() {
            return self.quarantine(call, ty, payload(), refusals(412, issues)).await;
        }
        let write = Write {
            resource,
            path: &at,
            payload: payload(),
            if_none_exist: entry.if_none_exist.as_deref(),
            if_match: entry.if_match.as_deref(),
        };
        match (subject, entry.method.as_str(), id) {
            (Subject::Observation, "POST", None) => self.create_observation(call, write, None).await,
            (Subject::Observation, "PUT", Some(id)) => self.create_observation(call, write, Some(id)).await,
            (Subject::Directory(kind), "POST", None) => self.create_record(call, kind, write).await,
            (Subject::Directory(kind), "PUT", Some(id)) => self.update_record(call, kind, id, write).await,
            (Subject::Directory(kind), "PUT", None) if query.is_some() => {
                match self.conditional_id(kind, query.unwrap_or_default(), &write.resource).await {
                    Ok(id) => self.update_record(call, kind, &id, write).await,
                    Err(done) => done,
                }
            }
            _ => unsupported_request(entry),
        }
    }

    /// The id that a conditional update is about.
    pub(super) async fn conditional_id(&self, kind: Kind, query: &str, resource: &Json) -> Result<String, Done> {
        let found = self.matching(kind, query).await?;
        match found.as_slice() {
            [] => self.new_id(kind, resource).await.map_err(|error| unavailable(&error)),
            [one] => Ok(one.name().map(|(_, id)| id.to_owned()).unwrap_or_default()),
            _ => Err(several()),
        }
    }

    /// Answers an entry that writes nothing.
    pub(super) async fn find_entry(&self, call: &Call, entry: &Entry) -> Done {
        if entry.method == "DELETE" {
            return self.delete_entry(entry).await;
        }
        if entry.method != "GET" {
            return unsupported_request(entry);
        }
        let (ty, id, query) = entry.address();
        let Some(subject) = Subject::from_name(ty) else {
            let at = format!("{}.request.url", entry.path);
            return refusal(404, IssueCode::NotSupported, &at, "The platform has no resources of this type.");
        };
        match id.filter(|id| !id.is_empty()) {
            Some(id) => match id.split_once("/_history") {
                Some((id, "")) => self.history(call, subject, id).await,
                Some((id, version)) => {
                    self.read(subject, id, Some(version.trim_start_matches('/'))).await
                }
                None => self.read(subject, id, None).await,
            },
            None => self.search(call, subject, &decode(query.unwrap_or_default())).await,
        }
    }

    /// A deletion in a bundle: what is not there is gone already, what is there stays.
    pub(super) async fn delete_entry(&self, entry: &Entry) -> Done {
        let (ty, id, query) = entry.address();
        let at = format!("{}.request", entry.path);
        let Some(subject) = Subject::from_name(ty) else {
            return refusal(404, IssueCode::NotSupported, &at, "The platform has no resources of this type.");
        };
        let mut done = match (id, query) {
            (Some(id), _) => self.delete(subject, id).await,
            (None, Some(query)) => self.delete_matching(subject, query).await,
            (None, None) => return unsupported_request(entry),
        };
        done.issues.iter_mut().for_each(|issue| issue.path.clone_from(&at));
        done
    }
}

/// Whether an entry creates or updates.
pub(super) fn is_write(entry: &Entry) -> bool {
    matches!(entry.method.as_str(), "POST" | "PUT")
}

/// The refusal of an entry that asks for something else.
pub(super) fn unsupported_request(entry: &Entry) -> Done {
    let at = format!("{}.request", entry.path);
    let detail = "Only POST to a type, PUT to an id or a search, DELETE and GET are possible here: \
                  operations and patches are not.";
    refusal(405, IssueCode::NotSupported, &at, detail)
}
