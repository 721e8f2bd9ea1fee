//! Transactions: one journal entry each, all of it or nothing.
//!
//! Real record systems put everything that they know into a transaction. What is valid R4 but
//! nothing that the platform charts (a claim, an observation of an unknown code) is kept whole in
//! quarantine and answered 202 in its entry, so that the rest flows; `Prefer: handling=strict`
//! refuses such a transaction instead, naming every such entry.

use std::collections::HashMap;

use serde_json::Value as Json;
use vitals::{Content, Message, Problem, ProblemKind};
use wire_fhir::bundle::{Entry, EntryResponse, references, response};
use wire_fhir::outcome::issue_of;
use wire_fhir::reference::{Target, parse};
use wire_fhir::search::Subject;
use wire_fhir::{Issue, IssueCode, Kind, Stored, names, observation, panel};

use super::answer::{Done, refusal, refusals, unavailable};
use super::backend::{BackendError, Submitted};
use super::batch::{is_write, unsupported_request};
use super::observations::observed_answer;
use super::guided::Unwritten;
use super::known::Creates;
use super::write::{is_timed, key, ours, recorded_answer, several};
use super::{Call, Fhir, resolve};

const KEPT: &str = "Valid, but nothing that the platform charts: it is kept in quarantine.";

impl Fhir {
    /// Processes a transaction.
    pub(super) async fn transaction(
        &self,
        call: &Call,
        entries: Vec<Entry>,
        payload: Vec<u8>,
    ) -> Done {
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
        self.acceptable(entries).await?;
        let mut steps = Vec::with_capacity(entries.len());
        for entry in entries {
            steps.push(self.step(entry).await?);
        }
        duplicates(entries, &steps)?;
        let known = addresses(entries, &steps);
        let (mut plan, mut issues) = (Plan { repeatable: true, ..Plan::default() }, Vec::new());
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
                    issues.extend(self.plan_record(&mut plan, (*kind, id), &resource, &at).await?);
                }
                Step::Observe(lead, told) => {
                    *lead = self.plan_reading(&mut plan, entry, &mut resource, told).await?;
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
        plan.content.append(&mut plan.readings);
        plan.steps = steps;
        Ok(plan)
    }

    /// What can be said against the entries, each by itself.
    async fn acceptable(&self, entries: &[Entry]) -> Result<(), Done> {
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
        if issues.is_empty() { Ok(()) } else { Err(refusals(400, issues)) }
    }

    /// Takes a record into the plan, or says what stands against it.
    async fn plan_record(
        &self,
        plan: &mut Plan,
        (kind, id): (Kind, &str),
        resource: &Json,
        at: &str,
    ) -> Result<Vec<Issue>, Done> {
        plan.repeatable = false;
        match self.event(kind, resource, id, at, &plan.content).await {
            Ok(event) => plan.content.push(Content::Directory(event)),
            Err(Unwritten::Issues(found)) => return Ok(found),
            Err(Unwritten::Backend(error)) => return Err(unavailable(&error)),
        }
        Ok(Vec::new())
    }

    /// Takes an observation into the plan, and adds to `told` what was not understood of it. The index of the reading that
    /// it is known by, whether as a panel; none if nothing of it was understood.
    async fn plan_reading(
        &self,
        plan: &mut Plan,
        entry: &Entry,
        resource: &mut Json,
        told: &mut Vec<Issue>,
    ) -> Result<Option<(u16, bool)>, Done> {
        let named = self.name_device(resource, &plan.content).await;
        named.map_err(|error| unavailable(&error))?;
        let observed = observation::read(resource, &format!("{}.resource", entry.path));
        plan.repeatable &= is_timed(resource);
        told.extend(observed.problems.iter().map(issue_of));
        plan.problems.extend(observed.problems);
        let Some(reading) = observed.reading else { return Ok(None) };
        let (within, as_panel) = panel::lead(&reading);
        let place = plan.next.saturating_add(within);
        let id = entry.address().1.filter(|_| entry.method == "PUT");
        let names = names::of(resource, id, as_panel);
        plan.names.extend(names.into_iter().map(|name| (place, name)));
        plan.next = plan.next.saturating_add(width(&reading));
        plan.readings.push(Content::Reading(reading));
        Ok(Some((place, as_panel)))
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
                let place = format!("{}.resource.identifier", entry.path);
                match self.creates(kind, &entry.resource).await.map_err(|done| at(&place, done))? {
                    Creates::There(one) => Ok(Step::There(Box::new(recorded_answer(&one)))),
                    Creates::Under(id) => {
                        let there = self.backend.record(kind, &id).await.map_err(backend)?.is_some();
                        Ok(Step::Put(kind, id, there))
                    }
                }
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
                match self.taken(kind, &id, &entry.resource).await.map_err(backend)? {
                    Some(taken) => Err(at(&format!("{}.resource.identifier", entry.path), taken)),
                    None => Ok(Step::Put(kind, id, there.is_some())),
                }
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
    readings: Vec<Content>,
    /// Index of the reading to come.
    next: u16,
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
    /// A create of what is there already.
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
        if name.is_some_and(|name| !seen.insert(name)) {
            let at = format!("{}.request.url", entry.path);
            let detail = "Another entry of the transaction writes the same resource.";
            return Err(refusal(400, IssueCode::Duplicate, &at, detail));
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
fn at_criteria(entry: &Entry, done: Done) -> Done {
    at(&format!("{}.request.ifNoneExist", entry.path), done)
}

/// A refusal with the place in the bundle where the fault is.
fn at(place: &str, mut done: Done) -> Done {
    done.issues.iter_mut().for_each(|issue| place.clone_into(&mut issue.path));
    done
}
