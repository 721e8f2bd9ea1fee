//! Reads and searches.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use vitals::{PatientId, ReadingRef};
use wire_fhir::bundle::{SearchSet, searchset};
use wire_fhir::names;
use wire_fhir::search::{Criterion, Part, Search, Subject, encode, parse};
use wire_fhir::{Issue, IssueCode, Kind, Record, panel, record};

use super::answer::{Done, refusal, refusals, unavailable};
use super::backend::{BackendError, Hint};
use super::matching::{compare, hint, holds, identified, refers};
use super::observations::under;
use super::write::recorded_answer;
use super::{Call, Fhir};

/// Records that `_revinclude` adds to a page at most.
const REVINCLUDED_MAX: usize = 1_000;

impl Fhir {
    /// Reads one resource, or one version of it.
    pub(super) async fn read(&self, subject: Subject, id: &str, version: Option<&str>) -> Done {
        let found = match (subject, version) {
            (Subject::Directory(kind), None) => {
                self.backend.record(kind, id).await.map(|r| r.as_ref().map(recorded_answer))
            }
            _ => self.versions(subject, id).await.map(|versions| {
                let wanted = version.map(|version| format!("W/\"{version}\""));
                versions.into_iter().find(|done| wanted.is_none() || done.etag == wanted)
            }),
        };
        match found {
            Ok(Some(done)) => Done { location: None, ..done },
            Ok(None) if version.is_some() => {
                refusal(404, IssueCode::NotFound, "", "There is no such version of this resource.")
            }
            Ok(None) => {
                refusal(404, IssueCode::NotFound, "", "There is no resource with this id.")
            }
            Err(error) => unavailable(&error),
        }
    }

    /// The same with only a part of the resource.
    pub(super) async fn read_part(
        &self,
        subject: Subject,
        id: &str,
        query: &[(String, String)],
    ) -> Done {
        let part = match Part::read(query) {
            Ok(part) => part,
            Err((code, detail)) => return refusal(400, code, "", detail),
        };
        let mut done = self.read(subject, id, None).await;
        if let Some(resource) = &mut done.resource {
            part.take(resource);
        }
        done
    }

    /// Every version of a resource that is there, newest first.
    async fn versions(&self, subject: Subject, id: &str) -> Result<Vec<Done>, BackendError> {
        if let Subject::Directory(kind) = subject {
            let records = self.backend.history(kind, id).await?;
            return Ok(records.iter().map(recorded_answer).collect());
        }
        let mut found: Vec<(ReadingRef, bool)> = Vec::new();
        if let Ok(name) = id.parse() {
            found.push((name, false));
        } else if let Some(name) = panel::anchor(id) {
            found.push((name, true));
        } else {
            for of_panel in [false, true] {
                let named = self.backend.named(&names::by_id(id, of_panel)).await?;
                found.extend(named.into_iter().map(|name| (name, of_panel)));
            }
            found.sort_by_key(|(name, _)| std::cmp::Reverse(name.offset));
        }
        let mut versions = Vec::new();
        for (name, of_panel) in found {
            let Some(stored) = self.backend.reading(name).await? else { continue };
            if of_panel && panel::compound_of(stored.key.metric).is_none() {
                continue;
            }
            // An earlier version has the id that it had then; one with several ids, that by which it is asked for.
            versions.push(self.observation(under(stored, id, of_panel), of_panel).await?);
        }
        Ok(versions)
    }

    /// A resource's history.
    pub(super) async fn history(&self, call: &Call, subject: Subject, id: &str) -> Done {
        let versions = match self.versions(subject, id).await {
            Ok(versions) => versions,
            Err(error) => return unavailable(&error),
        };
        if versions.is_empty() {
            return refusal(404, IssueCode::NotFound, "", "There is no resource with this id.");
        }
        let address = format!("{}/{id}", subject.name());
        let last = versions.len() - 1;
        let entries: Vec<Json> = versions
            .iter()
            .enumerate()
            .map(|(at, done)| {
                let created = at == last;
                let (method, url, status) = if created {
                    ("POST", subject.name(), "201 Created")
                } else {
                    ("PUT", address.as_str(), "200 OK")
                };
                json!({
                    "fullUrl": format!("{}/{address}", call.base),
                    "resource": done.resource,
                    "request": {"method": method, "url": url},
                    "response": {
                        "status": status, "etag": done.etag, "lastModified": done.last_modified,
                    },
                })
            })
            .collect();
        let link = format!("{}/{address}/_history", call.base);
        let bundle = json!({
            "resourceType": "Bundle", "type": "history", "total": entries.len(),
            "link": [{"relation": "self", "url": link}], "entry": entries,
        });
        Done { status: 200, resource: Some(bundle), ..Done::default() }
    }

    /// Answers a search as a searchset.
    pub(super) async fn search(
        &self,
        call: &Call,
        subject: Subject,
        parameters: &[(String, String)],
    ) -> Done {
        let mut search = match parse(subject, parameters, call.wishes.strict) {
            Ok(search) => search,
            Err(issues) => return refusals(400, issues),
        };
        if let Err(error) = self.follow_merges(&mut search).await {
            return unavailable(&error);
        }
        let set = match subject {
            Subject::Observation => self.search_readings(call, &search).await,
            Subject::Directory(kind) => self.search_records(call, kind, &search).await,
        };
        match set {
            Ok(mut set) => {
                set.issues.extend(search.ignored.iter().cloned());
                set.matches.iter_mut().for_each(|json| search.part.take(json));
                Done { status: 200, resource: Some(searchset(&set, &call.base)), ..Done::default() }
            }
            Err(Failure::Page) => {
                let detail = "Search parameter _page: not a page of this search; begin again without it.";
                refusal(400, IssueCode::Value, "", detail)
            }
            Err(Failure::Refused(code, detail)) => refusal(400, code, "", detail),
            Err(Failure::Backend(error)) => unavailable(&error),
        }
    }

    /// Lets a search for a patient find what was kept under merged records.
    pub(super) async fn follow_merges(&self, search: &mut Search) -> Result<(), BackendError> {
        for criterion in &mut search.criteria {
            let Criterion::Reference("patient" | "subject", ids, _) = criterion else { continue };
            let mut all: Vec<String> = ids.clone();
            for id in ids.iter().filter_map(|id| PatientId::new(id).ok()) {
                let same = self.backend.same_person(&id).await?;
                all.extend(same.iter().map(ToString::to_string));
            }
            all.sort_unstable();
            all.dedup();
            *ids = all;
        }
        Ok(())
    }

    async fn search_readings(&self, call: &Call, search: &Search) -> Result<SearchSet, Failure> {
        let found = self.matching_readings(search).await?;
        let mut wanted = BTreeSet::new();
        for (stored, _) in &found.matches {
            if search.include.contains(&"device") {
                wanted.insert((Kind::Device, stored.key.device.to_string()));
            }
            if search.include.iter().any(|name| *name != "device") {
                wanted.extend(stored.key.subject.iter().map(|id| (Kind::Patient, id.to_string())));
            }
        }
        Ok(SearchSet {
            total: found.total,
            links: links(call, search, found.next),
            matches: self.projected(found.matches, found.guide).await?,
            included: self.include(wanted).await?,
            issues: Vec::new(),
        })
    }

    /// Ids of the records that one of the tokens identifies.
    pub(super) async fn by_identifier(
        &self,
        kind: Kind,
        tokens: &[wire_fhir::search::Token],
    ) -> Result<Vec<String>, BackendError> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let values = tokens.iter().map(|token| token.code.clone()).collect();
        let records = self.backend.records(kind, Hint::Identifiers(values)).await?;
        Ok(records
            .iter()
            .filter(|record| identified(record, tokens))
            .filter_map(|record| record.name().map(|(_, id)| id.to_owned()))
            .collect())
    }

    async fn search_records(
        &self,
        call: &Call,
        kind: Kind,
        search: &Search,
    ) -> Result<SearchSet, Failure> {
        let mut found = self.matching_records(kind, search).await?;
        let total = found.len();
        let start = match &search.page {
            Some(page) => after(page, &found).ok_or(Failure::Page)?,
            None => 0,
        };
        let end = start.saturating_add(search.count).min(total);
        let page: Vec<Record> = if search.count_only {
            Vec::new()
        } else {
            found.drain(start.min(end)..end).collect()
        };
        let last = page.last().and_then(|record| record.name().map(|(_, id)| id.to_owned()));
        let next = last.filter(|_| end < total).map(|id| format!("{end}~{id}"));
        let mut wanted = BTreeSet::new();
        for record in &page {
            for name in &search.include {
                let kind = match *name {
                    "location" => Kind::Location,
                    "source" | "parent" => Kind::Device,
                    _ => Kind::Patient,
                };
                wanted.extend(refers(record, name).map(|id| (kind, id)));
            }
        }
        let mut set = SearchSet {
            total: total as u64,
            matches: page.iter().filter_map(record::resource).collect(),
            links: links(call, search, next),
            included: self.include(wanted).await?,
            issues: Vec::new(),
        };
        self.revinclude(search, &page, &mut set).await?;
        Ok(set)
    }

    /// Adds what refers to the records of a page.
    async fn revinclude(
        &self,
        search: &Search,
        page: &[Record],
        set: &mut SearchSet,
    ) -> Result<(), BackendError> {
        let ids: Vec<&str> = page.iter().filter_map(|record| Some(record.name()?.1)).collect();
        let mut seen = BTreeSet::new();
        for (kind, name) in &search.revinclude {
            if ids.is_empty() {
                break;
            }
            let hint = match kind {
                Kind::DeviceMetric => Hint::Devices(ids.iter().map(|id| (*id).to_owned()).collect()),
                _ => Hint::All,
            };
            for found in self.backend.records(*kind, hint).await? {
                let refers_here = refers(&found, name).is_some_and(|id| ids.contains(&id.as_str()));
                let fresh =
                    refers_here && seen.insert(found.name().map(|(kind, id)| (kind, id.to_owned())));
                if !fresh {
                    continue;
                }
                if seen.len() > REVINCLUDED_MAX {
                    let detail = "Not all that refers to the matches is included: it is too much.";
                    set.issues.push(Issue::warning(IssueCode::TooCostly, "", detail));
                    return Ok(());
                }
                set.included.extend(record::resource(&found));
            }
        }
        Ok(())
    }

    /// Every record that matches, in the order asked for.
    pub(super) async fn matching_records(
        &self,
        kind: Kind,
        search: &Search,
    ) -> Result<Vec<Record>, BackendError> {
        let now = self.backend.now().micros();
        let mut patients = Vec::new();
        for criterion in &search.criteria {
            if let Criterion::Reference("patient" | "subject", _, tokens) = criterion {
                patients.extend(self.by_identifier(Kind::Patient, tokens).await?);
            }
        }
        let mut found = self.backend.records(kind, hint(search)).await?;
        found.retain(|record| search.criteria.iter().all(|c| holds(record, c, &patients, now)));
        found.sort_by(|a, b| compare(a, b, &search.sort));
        found.dedup_by(|a, b| a.name() == b.name());
        Ok(found)
    }

    async fn include(&self, wanted: BTreeSet<(Kind, String)>) -> Result<Vec<Json>, BackendError> {
        let mut included = Vec::new();
        for (kind, id) in wanted {
            if let Some(found) = self.backend.record(kind, &id).await? {
                included.extend(record::resource(&found));
            }
        }
        Ok(included)
    }
}

/// Why a search has no answer.
pub(super) enum Failure {
    Page,
    Refused(IssueCode, &'static str),
    Backend(BackendError),
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl From<Failure> for Done {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Page => refusal(400, IssueCode::Value, "", "There are no pages here."),
            Failure::Refused(code, detail) => refusal(400, code, "", detail),
            Failure::Backend(error) => unavailable(&error),
        }
    }
}

/// Where the page goes on: after the record that the page before ended with, wherever that now
/// stands; or at its old place, when it is gone.
fn after(page: &str, found: &[Record]) -> Option<usize> {
    let (place, id) = page.split_once('~')?;
    let place: usize = place.parse().ok()?;
    let now = found.iter().position(|record| record.name().is_some_and(|(_, own)| own == id));
    Some(now.map_or(place, |at| at + 1))
}

/// Self, first and, where there is one, next link: only with parameters that were understood.
fn links(call: &Call, search: &Search, next: Option<String>) -> Vec<(&'static str, String)> {
    let address = |parameters: &[(String, String)]| {
        let query = encode(parameters);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{}{mark}{query}", call.base, search.subject.name())
    };
    let mut rest: Vec<(String, String)> = search.used.clone();
    let mut links = vec![("self", address(&rest))];
    let paged = rest.iter().any(|(name, _)| name == "_page");
    rest.retain(|(name, _)| name != "_page");
    if paged || next.is_some() {
        links.push(("first", address(&rest)));
    }
    if let Some(next) = next {
        rest.push(("_page".to_owned(), next));
        links.push(("next", address(&rest)));
    }
    links
}
