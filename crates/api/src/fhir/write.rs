//! Creates and updates of one resource: validated, made literal, put into the journal, and only
//! then answered (DU-1). What can't be understood goes to quarantine whole (DU-2).

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;
use tokio::sync::MutexGuard;
use vitals::id::stable_hash;
use vitals::time::DAY;
use vitals::{
    Content, DirectoryEvent, Message, Offset, Origin, Problem, ProblemKind, Protocol, Reading, ReceiveTime, TimeBase,
};
use wire_fhir::outcome::issue_of;
use wire_fhir::search::{Subject, decode, encode, parse};
use wire_fhir::{
    Issue, IssueCode, Kind, Record, directory, names, observation, panel, record, time,
};

use super::answer::{Done, refusal, refusals, unavailable, version};
use super::backend::{BackendError, Submitted};
use super::guided::Unwritten;
use super::known::Creates;
use super::observations::under;
use super::{Call, Fhir, resolve};

const NO_CRITERIA: &str = "A conditional request needs search criteria.";

/// A resource to write, with what its request said.
pub(super) struct Write<'a> {
    /// The resource; validated already.
    pub resource: Json,
    /// Where it stands: its type, or its place in a bundle.
    pub path: &'a str,
    /// The bytes to keep in the journal.
    pub payload: Vec<u8>,
    /// Search of a conditional create.
    pub if_none_exist: Option<&'a str>,
    /// Expected version of an update.
    pub if_match: Option<&'a str>,
}

impl Fhir {
    /// Keeps what was refused where a person can look at it, and passes the refusal on; if even
    /// that is impossible, says so instead.
    pub(super) async fn quarantine(
        &self,
        call: &Call,
        address: &str,
        payload: Vec<u8>,
        done: Done,
    ) -> Done {
        let problems = done.issues.iter().map(Issue::to_problem).collect();
        let message = self.message(call, address, "", payload, Vec::new(), problems);
        match self.backend.submit(message, None).await {
            Ok(_) => done,
            Err(error) => unavailable(&error),
        }
    }

    pub(super) fn message(
        &self,
        call: &Call,
        address: &str,
        name: &str,
        payload: Vec<u8>,
        content: Vec<Content>,
        problems: Vec<Problem>,
    ) -> Message {
        let received = self.backend.now();
        Message {
            origin: Origin {
                protocol: Protocol::Fhir,
                address: address.to_owned(),
                sender: call.sender.clone(),
                message_id: name.to_owned(),
                profile: "fhir-r4".to_owned(),
            },
            received,
            time_base: time_base(&content, received),
            payload,
            content,
            problems,
        }
    }

    /// Writes an observation: POST, or PUT under the client's own id. A correction of what is
    /// stored is a new reading; an id that the client chose passes on to it.
    pub(super) async fn create_observation(
        &self,
        call: &Call,
        mut write: Write<'_>,
        client_id: Option<&str>,
    ) -> Done {
        if let Some(done) = client_id.and_then(ours) {
            return done;
        }
        let issues = resolve::literal(self, call, &mut write.resource, write.path).await;
        if !issues.is_empty() {
            return self.quarantine(call, "Observation", write.payload, refusals(412, issues)).await;
        }
        let _held = self.hold(write.if_none_exist).await;
        if let Some(criteria) = write.if_none_exist {
            match self.existing(criteria).await {
                Ok(None) => {}
                Ok(Some(there)) => return there,
                Err(done) => return done,
            }
        }
        if let Some(done) = self.outdated(client_id, write.if_match).await {
            return done;
        }
        if let Err(error) = self.name_device(&mut write.resource, &[]).await {
            return unavailable(&error);
        }
        let observed = observation::read(&write.resource, write.path);
        let issues: Vec<Issue> = observed.problems.iter().map(issue_of).collect();
        let Some(reading) = observed.reading else {
            return self.quarantine_unread(call, write.payload, observed.problems, issues).await;
        };
        let lead = panel::lead(&reading);
        let names = names::of(&write.resource, client_id, lead.1);
        let names: Vec<(u16, String)> = names.into_iter().map(|name| (lead.0, name)).collect();
        let dedup = is_timed(&write.resource)
            .then(|| key("content", &format!("{} {}", client_id.unwrap_or_default(), write.resource)));
        let content = vec![Content::Reading(reading)];
        let name = names::encode(&names);
        let message =
            self.message(call, "Observation", &name, write.payload, content, observed.problems);
        let (status, offset) = match self.backend.submit(message, dedup).await {
            Ok(Submitted::Committed(offset)) => (201, offset),
            Ok(Submitted::Duplicate(offset)) => (200, offset),
            Err(error) => return unavailable(&error),
        };
        // Some of it may not have been understood: the sender is told, and it is in quarantine.
        let told = issues.into_iter().map(|issue| Issue::warning(issue.code, issue.path, issue.detail));
        match self.stored_as(offset, lead, client_id).await {
            Ok((done, updated)) => {
                let status = if updated { 200 } else { status };
                Done { status, issues: told.collect(), ..done }
            }
            Err(error) => unavailable(&error),
        }
    }

    /// What was stored of an observation, as an answer; and whether its id was in use before.
    async fn stored_as(
        &self,
        offset: Offset,
        (index, as_panel): (u16, bool),
        client_id: Option<&str>,
    ) -> Result<(Done, bool), BackendError> {
        let stored = self.backend.readings_of(offset).await?;
        let at = stored.iter().position(|(at, _)| *at == index).unwrap_or(0);
        let Some((_, mut lead)) = stored.into_iter().nth(at) else { return Ok((Done::default(), false)) };
        let mut updated = false;
        if let Some(id) = client_id {
            lead = under(lead, id, as_panel);
            for of_panel in [false, true] {
                let named = self.backend.named(&names::by_id(id, of_panel)).await?;
                updated |= named.iter().any(|name| name.offset < offset);
            }
        }
        Ok((self.observation(lead, as_panel).await?, updated))
    }

    /// The answer to an update that expects another version than the present one.
    async fn outdated(&self, client_id: Option<&str>, if_match: Option<&str>) -> Option<Done> {
        let (id, expected) = (client_id?, if_match?);
        let now = self.read(Subject::Observation, id, None).await;
        let now = now.etag.as_deref().and_then(version);
        (now.is_none() || now != version(expected)).then(changed_since)
    }

    /// Holds what conditional creates by these criteria need, so that of several alike one
    /// creates and the others find.
    pub(super) async fn hold<'a>(
        &self,
        criteria: impl IntoIterator<Item = &'a str>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let place = |criteria: &str| {
            let mut pairs = decode(bare(criteria));
            pairs.sort();
            stable_hash(encode(&pairs).as_bytes()) as usize % self.stripes.len()
        };
        let mut places: Vec<usize> = criteria.into_iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        let mut held = Vec::new();
        for place in places {
            held.push(self.stripes[place].lock().await);
        }
        held
    }

    /// The one observation that a conditional create's criteria find, as its answer.
    pub(super) async fn existing(&self, criteria: &str) -> Result<Option<Done>, Done> {
        let mut search = parse(Subject::Observation, &decode(bare(criteria)), true)
            .map_err(|issues| refusals(400, issues))?;
        if search.criteria.is_empty() {
            return Err(refusal(400, IssueCode::Value, "", NO_CRITERIA));
        }
        search.count = 2;
        self.follow_merges(&mut search).await.map_err(|error| unavailable(&error))?;
        let mut found = self.matching_readings(&search).await.map_err(Done::from)?;
        match (found.total, found.matches.pop()) {
            (0, _) | (_, None) => Ok(None),
            (1, Some((stored, as_panel))) => {
                self.observation(stored, as_panel).await.map(Some).map_err(|e| unavailable(&e))
            }
            _ => Err(several()),
        }
    }

    /// Nothing of an observation was understood. Where that is only because the platform does not
    /// chart what it is about, it is accepted into quarantine, to be released when a profile knows
    /// it; with `Prefer: handling=strict`, and whenever a known metric has an impossible value, it
    /// is refused.
    async fn quarantine_unread(
        &self,
        call: &Call,
        payload: Vec<u8>,
        problems: Vec<Problem>,
        issues: Vec<Issue>,
    ) -> Done {
        let valid = problems.iter().all(|problem| problem.kind == ProblemKind::UnknownMetric);
        let message = self.message(call, "Observation", "", payload, Vec::new(), problems);
        if let Err(error) = self.backend.submit(message, None).await {
            return unavailable(&error);
        }
        if !valid || call.wishes.strict {
            return refusals(422, issues);
        }
        let kept = |issue: Issue| {
            let detail = format!("{} It is kept in quarantine.", issue.detail);
            Issue::warning(issue.code, issue.path, detail)
        };
        refusals(202, issues.into_iter().map(kept).collect())
    }

    /// Creates a record of the directory. A patient who is known already stays as they are; a device or place
    /// that is known already by its identifier is the same one and is updated.
    pub(super) async fn create_record(&self, call: &Call, kind: Kind, mut write: Write<'_>) -> Done {
        let issues = resolve::literal(self, call, &mut write.resource, write.path).await;
        if !issues.is_empty() {
            return self.quarantine(call, kind.name(), write.payload, refusals(412, issues)).await;
        }
        let _gate = self.gate.lock().await;
        if let Some(criteria) = write.if_none_exist {
            match self.matching(kind, criteria).await {
                Err(done) => return done,
                Ok(found) => match found.as_slice() {
                    [] => {}
                    [one] => return Done { status: 200, ..recorded_answer(one) },
                    _ => return several(),
                },
            }
        }
        match self.creates(kind, &write.resource).await {
            Ok(Creates::Under(id)) => self.put(call, kind, &id, write).await,
            Ok(Creates::There(one)) => recorded_answer(&one),
            Err(done) => done,
        }
    }

    /// Updates, or creates under the client's id, a record of the directory.
    pub(super) async fn update_record(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
        mut write: Write<'_>,
    ) -> Done {
        let issues = resolve::literal(self, call, &mut write.resource, write.path).await;
        if !issues.is_empty() {
            return self.quarantine(call, kind.name(), write.payload, refusals(412, issues)).await;
        }
        let _gate = self.gate.lock().await;
        if let Some(expected) = write.if_match {
            let now = match self.backend.record(kind, id).await {
                Ok(now) => now.map(|record| record.version),
                Err(error) => return unavailable(&error),
            };
            if now != version(expected) {
                return changed_since();
            }
        }
        match self.taken(kind, id, &write.resource).await {
            Ok(None) => self.put(call, kind, id, write).await,
            Ok(Some(refusal)) => refusal,
            Err(error) => unavailable(&error),
        }
    }

    async fn put(&self, call: &Call, kind: Kind, id: &str, write: Write<'_>) -> Done {
        let event = match self.event(kind, &write.resource, id, write.path, &[]).await {
            Ok(event) => event,
            Err(Unwritten::Issues(issues)) => {
                return self.quarantine(call, kind.name(), write.payload, refusals(422, issues)).await;
            }
            Err(Unwritten::Backend(error)) => return unavailable(&error),
        };
        match self.put_event(call, kind, id, write.payload, event).await {
            Ok(done) => done,
            Err(error) => unavailable(&error),
        }
    }

    async fn put_event(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
        payload: Vec<u8>,
        event: DirectoryEvent,
    ) -> Result<Done, BackendError> {
        let known = self.backend.record(kind, id).await?.is_some();
        let content = vec![Content::Directory(event)];
        let message = self.message(call, kind.name(), "", payload, content, Vec::new());
        let (Submitted::Committed(offset) | Submitted::Duplicate(offset)) =
            self.backend.submit(message, None).await?;
        self.backend.readings_of(offset).await?;
        let now = self.backend.record(kind, id).await?;
        let done = now.as_ref().map_or_else(Done::default, recorded_answer);
        Ok(Done { status: if known { 200 } else { 201 }, ..done })
    }

    /// The id for a resource whose sender leaves it to us. A derived id that somebody else has
    /// already is not taken.
    pub(super) async fn new_id(&self, kind: Kind, resource: &Json) -> Result<String, BackendError> {
        let fresh = self.fresh_id(kind);
        let id = directory::assigned_id(kind, resource, &fresh);
        let Some(known) = self.backend.record(kind, &id).await? else { return Ok(id) };
        let same = known.identifiers().iter().any(|theirs| {
            resource["identifier"].as_array().into_iter().flatten().any(|ours| {
                ours["value"] == theirs.value.as_str()
                    && ours["system"].as_str().unwrap_or_default() == theirs.system
            })
        });
        // A device that announced itself has no identifier of its own yet: its id is one.
        let announced = known.identifiers().is_empty() && kind == Kind::Device;
        Ok(if same || announced { id } else { fresh })
    }

    /// An id that nothing had before: made from our clock and a counter.
    fn fresh_id(&self, kind: Kind) -> String {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{} {} {count}", kind.name(), self.backend.now().micros());
        let letter = kind.name().chars().next().unwrap_or('x').to_ascii_lowercase();
        format!("{letter}-{:016x}", stable_hash(seed.as_bytes()))
    }

    /// The records that a conditional request's criteria find.
    pub(super) async fn matching(&self, kind: Kind, criteria: &str) -> Result<Vec<Record>, Done> {
        let mut search = parse(Subject::Directory(kind), &decode(bare(criteria)), true)
            .map_err(|issues| refusals(400, issues))?;
        if search.criteria.is_empty() {
            return Err(refusal(400, IssueCode::Value, "", NO_CRITERIA));
        }
        self.follow_merges(&mut search).await.map_err(|error| unavailable(&error))?;
        self.matching_records(kind, &search).await.map_err(|error| unavailable(&error))
    }
}

/// Search criteria without the address that some clients put before them.
fn bare(criteria: &str) -> &str {
    match criteria.split_once('?') {
        Some((address, query)) if !address.contains('=') => query,
        _ => criteria,
    }
}

pub(super) fn several() -> Done {
    let detail = "The criteria match more than one resource.";
    refusal(412, IssueCode::MultipleMatches, "", detail)
}

fn changed_since() -> Done {
    let detail = "Somebody changed it since: read it again and repeat the change.";
    refusal(412, IssueCode::Conflict, "", detail)
}

/// The answer to an update of an id that the platform gave: those never change.
pub(super) fn ours(id: &str) -> Option<Done> {
    let ours = id.parse::<vitals::ReadingRef>().is_ok() || panel::anchor(id).is_some();
    let detail = "A stored reading never changes: send a new observation with the status amended, \
                  corrected or entered-in-error.";
    ours.then(|| refusal(405, IssueCode::NotSupported, "", detail))
}

/// Whether an observation says when it was made: then the same one again is the same one.
pub(super) fn is_timed(resource: &Json) -> bool {
    let object = resource.as_object();
    object.is_some_and(|object| object.keys().any(|name| name.starts_with("effective")))
}

/// A record as an answer.
pub(super) fn recorded_answer(record: &Record) -> Done {
    let (kind, id) = record.name().unwrap_or((Kind::Patient, ""));
    Done {
        status: 200,
        location: Some(format!("{}/{id}/_history/{}", kind.name(), record.version)),
        etag: Some(format!("W/\"{}\"", record.version)),
        last_modified: Some(time::format(record.updated.micros())),
        resource: record::resource(record),
        ..Done::default()
    }
}

/// A key for the journal: two independent 64-bit hashes side by side.
pub(super) fn key(purpose: &str, text: &str) -> u128 {
    let hash = |salt: &str| u128::from(stable_hash(format!("fhir {purpose} {salt} {text}").as_bytes()));
    (hash("a") << 64) | hash("b")
}

/// A FHIR time is explicit and has a zone, so an old one is history, not a wrong clock: a message
/// with a value from more than a day ago keeps its own times and never looks live.
fn time_base(content: &[Content], received: ReceiveTime) -> TimeBase {
    let old = |reading: &Reading| {
        reading.measurements.iter().any(|m| {
            m.device_time.is_some_and(|at| at.micros() < received.micros().saturating_sub(DAY))
        })
    };
    let any = content.iter().any(|c| matches!(c, Content::Reading(reading) if old(reading)));
    if any { TimeBase::Recorded } else { TimeBase::Live }
}
