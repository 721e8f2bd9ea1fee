//! Batches and transactions. A batch is its entries, each on its own. A transaction is one journal
//! entry: all of it or nothing.
//!
//! Real record systems put everything that they know into a transaction. What is valid R4 but
//! nothing that the platform charts (a claim, an observation of an unknown code) is kept whole in
//! quarantine and answered 202 in its entry, so that the rest flows; `Prefer: handling=strict`
//! refuses such a transaction instead, naming every such entry.

use std::collections::HashMap;
use std::pin::Pin;

use futures_util::future::join_all;
use serde_json::Value as Json;
use vitals::{Content, Message, Problem, ProblemKind};
use wire_fhir::bundle::{Entry, EntryResponse, references, response};
use wire_fhir::outcome::issue_of;
use wire_fhir::reference::{Target, parse};
use wire_fhir::search::{Subject, decode};
use wire_fhir::{Issue, IssueCode, Kind, Stored, bundle, directory, names, observation, panel};

use super::answer::{Done, refusal, refusals, unavailable};
use super::backend::{BackendError, Submitted};
use super::observations::observed_answer;
use super::write::{Write, is_timed, key, recorded_answer, several, ours};
use super::{Call, Fhir, resolve};

/// Entries of a batch that are in flight together: enough to share a commit.
const IN_FLIGHT: usize = 32;
const KEPT: &str = "Valid, but nothing that the platform charts: it is kept in quarantine.";

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
        for kind in [Kind::Patient, Kind::Location, Kind::Device, Kind::Encounter] {
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
            _ => {
                let detail = "The criteria match more than one resource.";
                Err(refusal(412, IssueCode::MultipleMatches, "", detail))
            }
        }
    }

    async fn find_entry(&self, call: &Call, entry: &Entry) -> Done {
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
    async fn delete_entry(&self, entry: &Entry) -> Done {
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

    async fn transaction(&self, call: &Call, entries: Vec<Entry>, payload: Vec<u8>) -> Done {
        let _gate = self.gate.lock().await;
        let _held = self.hold(entries.iter().filter_map(|e| e.if_none_exist.as_deref())).await;
        let plan = match self.plan(call, &entries).await {
            Ok(plan) => plan,
            Err(done) => return self.quarantine(call, "Bundle", payload, done).await,
        };
        let writes = !plan.content.is_empty() || !plan.problems.is_empty();
        let mut stored = Vec::new();
        if writes {
            let names = names::encode(&plan.names);
            let message =
                self.message(call, "Bundle", &names, payload, plan.content, plan.problems);
            match self.commit(message, plan.repeatable).await {
                Ok(found) => stored = found,
                Err(error) => return unavailable(&error),
            }
        }
        let mut answers = Vec::with_capacity(entries.len());
        for (entry, step) in entries.iter().zip(plan.steps) {
            answers.push(match self.answer(call, entry, step, &stored).await {
                Ok(answer) => answer,
                Err(error) => return unavailable(&error),
            });
        }
        Done { status: 200, resource: Some(response(true, &answers)), ..Done::default() }
    }

    async fn commit(
        &self,
        message: Message,
        repeatable: bool,
    ) -> Result<Vec<(u16, Stored)>, BackendError> {
        let text = || String::from_utf8_lossy(&message.payload);
        let dedup = repeatable.then(|| key("transaction", &text()));
        let (Submitted::Committed(offset) | Submitted::Duplicate(offset)) =
            self.backend.submit(message, dedup).await?;
        self.backend.readings_of(offset).await
    }

    /// Works out what a transaction means, or everything that stands against it.
    async fn plan(&self, call: &Call, entries: &[Entry]) -> Result<Plan, Done> {
        let mut issues = Vec::new();
        for entry in entries {
            let (_, id, query) = entry.address();
            match entry.method.as_str() {
                "POST" if id.is_some_and(|id| id.starts_with('$')) => {
                    issues.extend(unsupported_request(entry).issues);
                }
                "POST" | "PUT" => issues.extend(entry.validate()),
                "GET" => {}
                "DELETE" if id.is_some() || query.is_some() => {
                    issues.extend(self.delete_entry(entry).await.issues);
                }
                _ => issues.extend(unsupported_request(entry).issues),
            }
        }
        if !issues.is_empty() {
            return Err(refusals(400, issues));
        }
        let mut steps = Vec::with_capacity(entries.len());
        for entry in entries {
            steps.push(self.step(entry).await?);
        }
        duplicates(entries, &steps)?;
        let known = addresses(entries, &steps);
        let mut plan = Plan { repeatable: true, ..Plan::default() };
        let mut readings = Vec::new();
        let mut index = 0_u16;
        for (entry, step) in entries.iter().zip(&mut steps) {
            let at = format!("{}.resource", entry.path);
            let mut resource = entry.resource.clone();
            if matches!(step, Step::Put(..) | Step::Observe(..)) {
                issues.extend(resolve::with(self, call, &mut resource, &at, &known).await);
                issues.extend(dangling(&resource, &at, &known));
            }
            match step {
                Step::Find | Step::Gone => {}
                Step::There(_) => plan.repeatable = false,
                Step::Keep => plan.problems.push(Problem {
                    kind: ProblemKind::Unmatched,
                    path: at,
                    detail: KEPT.to_owned(),
                }),
                Step::Put(kind, id, _) => {
                    plan.repeatable = false;
                    match directory::read(*kind, &resource, id, &at) {
                        Ok(event) => plan.content.push(Content::Directory(event)),
                        Err(found) => issues.extend(found),
                    }
                }
                Step::Observe(lead, told) => {
                    let observed = observation::read(&resource, &at);
                    plan.repeatable &= is_timed(&resource);
                    told.extend(observed.problems.iter().map(issue_of));
                    plan.problems.extend(observed.problems);
                    if let Some(reading) = observed.reading {
                        let (within, as_panel) = panel::lead(&reading);
                        let place = index.saturating_add(within);
                        *lead = Some((place, as_panel));
                        let id = entry.address().1.filter(|_| entry.method == "PUT");
                        let names = names::of(&resource, id, as_panel);
                        plan.names.extend(names.into_iter().map(|name| (place, name)));
                        index = index.saturating_add(width(&reading));
                        readings.push(Content::Reading(reading));
                    }
                }
            }
        }
        if call.wishes.strict {
            issues.extend(plan.problems.iter().map(issue_of));
        }
        if !issues.is_empty() {
            return Err(refusals(422, issues));
        }
        // Who and what there is comes before what was measured; readings keep their order.
        plan.content.extend(readings);
        plan.steps = steps;
        Ok(plan)
    }

    async fn step(&self, entry: &Entry) -> Result<Step, Done> {
        if !is_write(entry) {
            return Ok(if entry.method == "DELETE" { Step::Gone } else { Step::Find });
        }
        let (ty, id, query) = entry.address();
        let backend = |error: BackendError| unavailable(&error);
        match (Subject::from_name(ty), entry.method.as_str(), id) {
            (None, ..) => Ok(Step::Keep),
            (Some(Subject::Observation), "POST", None) => {
                let criteria = entry.if_none_exist.as_deref();
                let there = match criteria {
                    Some(criteria) => self.existing(criteria).await.map_err(|done| at_criteria(entry, done))?,
                    None => None,
                };
                Ok(there.map_or(Step::Observe(None, Vec::new()), |done| Step::There(Box::new(done))))
            }
            (Some(Subject::Observation), "PUT", Some(id)) => match ours(id) {
                Some(done) => Err(done),
                None => Ok(Step::Observe(None, Vec::new())),
            },
            (Some(Subject::Directory(kind)), "POST", None) => {
                if let Some(criteria) = &entry.if_none_exist {
                    let found = self.matching(kind, criteria).await;
                    match found.map_err(|done| at_criteria(entry, done))?.as_slice() {
                        [] => {}
                        [one] => return Ok(Step::There(Box::new(recorded_answer(one)))),
                        _ => return Err(at_criteria(entry, several())),
                    }
                }
                let id = self.new_id(kind, &entry.resource).await.map_err(backend)?;
                let there = self.backend.record(kind, &id).await.map_err(backend)?.is_some();
                Ok(Step::Put(kind, id, there))
            }
            (Some(Subject::Directory(kind)), "PUT", id) => {
                let id = match (id, query) {
                    (Some(id), _) => id.to_owned(),
                    (None, Some(query)) => self.conditional_id(kind, query, &entry.resource).await?,
                    (None, None) => return Err(unsupported_request(entry)),
                };
                let there = self.backend.record(kind, &id).await.map_err(backend)?;
                let expected = entry.if_match.as_deref().map(super::answer::version);
                if expected.is_some_and(|expected| expected != there.as_ref().map(|r| r.version)) {
                    let at = format!("{}.request.ifMatch", entry.path);
                    let detail = "Somebody changed it since: read it again and repeat the change.";
                    return Err(refusal(412, IssueCode::Conflict, &at, detail));
                }
                Ok(Step::Put(kind, id, there.is_some()))
            }
            _ => Err(unsupported_request(entry)),
        }
    }

    async fn answer(
        &self,
        call: &Call,
        entry: &Entry,
        step: Step,
        stored: &[(u16, Stored)],
    ) -> Result<EntryResponse, BackendError> {
        Ok(match step {
            Step::Find => self.find_entry(call, entry).await,
            Step::Gone => Done { status: 204, ..Done::default() },
            Step::There(done) => EntryResponse { resource: None, ..*done },
            Step::Keep => Done {
                status: 202,
                issues: vec![Issue::warning(IssueCode::NotSupported, format!("{}.resource", entry.path), KEPT)],
                ..Done::default()
            },
            Step::Put(kind, id, there) => {
                let now = self.backend.record(kind, &id).await?;
                let done = now.as_ref().map_or_else(Done::default, recorded_answer);
                Done { status: if there { 200 } else { 201 }, resource: None, ..done }
            }
            Step::Observe(lead, told) => {
                let issues = told.into_iter().map(|i| Issue::warning(i.code, i.path, i.detail));
                let found = lead.and_then(|(place, as_panel)| {
                    let found = stored.iter().find(|(index, _)| *index == place);
                    found.map(|(_, stored)| observed_answer(stored, as_panel))
                });
                let status = if lead.is_some() { 201 } else { 202 };
                let done = found.unwrap_or_default();
                Done { status, issues: issues.collect(), resource: None, ..done }
            }
        })
    }
}

/// What a transaction means.
#[derive(Default)]
struct Plan {
    steps: Vec<Step>,
    content: Vec<Content>,
    problems: Vec<Problem>,
    /// Names of the readings, by index.
    names: Vec<(u16, String)>,
    /// Only timed observations: the same bundle again is the same bundle.
    repeatable: bool,
}

/// What one entry of a transaction means.
enum Step {
    /// A read or search, answered after the writes.
    Find,
    /// A deletion of what is not there.
    Gone,
    /// A conditional create of what is there already.
    There(Box<Done>),
    /// Valid, but nothing that the platform charts.
    Keep,
    /// A record under this id; whether it was there before.
    Put(Kind, String, bool),
    /// An observation: index of the reading that it is known by, whether as a panel; and what was
    /// not understood of it.
    Observe(Option<(u16, bool)>, Vec<Issue>),
}

/// How many reading indices a reading takes: as [`Message::readings`] counts.
fn width(reading: &vitals::Reading) -> u16 {
    let parts = reading.measurements.iter().map(|m| match &m.value {
        vitals::Value::Compound(parts) => parts.len().max(1),
        _ => 1,
    });
    u16::try_from(parts.sum::<usize>()).unwrap_or(u16::MAX)
}

/// R4: no resource may be written twice in one transaction.
fn duplicates(entries: &[Entry], steps: &[Step]) -> Result<(), Done> {
    let mut seen = std::collections::HashSet::new();
    for (entry, step) in entries.iter().zip(steps) {
        let name = match step {
            Step::Put(kind, id, _) => Some((kind.name(), id.as_str())),
            Step::Observe(..) if entry.method == "PUT" => {
                entry.address().1.map(|id| ("Observation", id))
            }
            _ => None,
        };
        if let Some(name) = name {
            if !seen.insert(name) {
                let at = format!("{}.request.url", entry.path);
                let detail = "Another entry of the transaction writes the same resource.";
                return Err(refusal(400, IssueCode::Duplicate, &at, detail));
            }
        }
    }
    Ok(())
}

/// What references within the bundle mean: by full URL, by the address it ends with, and by a
/// search for an identifier that an entry brings along.
fn addresses(entries: &[Entry], steps: &[Step]) -> HashMap<String, String> {
    let mut known = HashMap::new();
    for (entry, step) in entries.iter().zip(steps) {
        let literal = match step {
            Step::Put(kind, id, _) => format!("{}/{id}", kind.name()),
            Step::There(done) => {
                let location = done.location.as_deref().unwrap_or_default();
                location.split("/_history/").next().unwrap_or_default().to_owned()
            }
            // Its id is not known yet, or it has none: the reference stays as it is.
            Step::Keep | Step::Observe(..) if !entry.full_url.is_empty() => entry.full_url.clone(),
            _ => continue,
        };
        let ty = entry.address().0;
        for identifier in entry.resource["identifier"].as_array().into_iter().flatten() {
            let text = |name: &str| identifier[name].as_str().unwrap_or_default();
            let search = format!("{ty}?identifier={}|{}", text("system"), text("value"));
            known.entry(search).or_insert_with(|| literal.clone());
        }
        if let Some(Target::Literal { resource_type, id, absolute: true }) = parse(&entry.full_url) {
            known.insert(format!("{resource_type}/{id}"), literal.clone());
        }
        if !entry.full_url.is_empty() {
            known.insert(entry.full_url.clone(), literal);
        }
    }
    known
}

/// References to entries that the bundle does not have.
fn dangling(resource: &Json, at: &str, known: &HashMap<String, String>) -> Vec<Issue> {
    let mut issues = Vec::new();
    references(resource, at, &mut |text, at| {
        let urn = matches!(parse(text), Some(Target::Urn(_)));
        if urn && !known.contains_key(text) {
            let detail = "No entry of the bundle has this full URL.";
            issues.push(Issue::error(IssueCode::NotFound, at, detail));
        }
    });
    issues
}

/// A refusal of a conditional create, at its criteria.
fn at_criteria(entry: &Entry, mut done: Done) -> Done {
    let at = format!("{}.request.ifNoneExist", entry.path);
    done.issues.iter_mut().for_each(|issue| issue.path.clone_from(&at));
    done
}

fn is_write(entry: &Entry) -> bool {
    matches!(entry.method.as_str(), "POST" | "PUT")
}

fn unsupported_request(entry: &Entry) -> Done {
    let at = format!("{}.request", entry.path);
    let detail = "Only POST to a type, PUT to an id or a search, DELETE and GET are possible here: \
                  operations and patches are not.";
    refusal(405, IssueCode::NotSupported, &at, detail)
}
