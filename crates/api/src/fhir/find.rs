//! Reads and searches.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use vitals::{
    DeviceId, DirectoryEvent, MetricCode, PatientId, ReadingRef,
};
use vitals::metric::MetricKind;
use wire_fhir::bundle::{SearchSet, searchset};
use wire_fhir::search::{Criterion, DateFilter, Range, Search, Subject, Token, encode, parse};
use wire_fhir::{IssueCode, Kind, Record, code, project, record, time};

use super::answer::{Done, refusal, refusals, unavailable};
use super::backend::{BackendError, Cursor, Hint, Order, ReadingQuery};
use super::write::{observed_answer, recorded_answer};
use super::{Call, Fhir};

impl Fhir {
    /// Reads one resource, or one version of it as long as that is the present one.
    pub(super) async fn read(&self, subject: Subject, id: &str, version: Option<&str>) -> Done {
        let found = match subject {
            Subject::Observation => self.read_observation(id).await,
            Subject::Directory(kind) => {
                self.backend.record(kind, id).await.map(|r| r.as_ref().map(recorded_answer))
            }
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => return unavailable(&error),
        };
        let Some(mut done) = found else {
            return refusal(404, IssueCode::NotFound, "", "There is no resource with this id.");
        };
        done.location = None;
        let wanted = version.map(|version| format!("W/\"{version}\""));
        if wanted.is_some() && wanted != done.etag {
            return refusal(404, IssueCode::NotFound, "", "Only the present version is kept as a resource.");
        }
        done
    }

    async fn read_observation(&self, id: &str) -> Result<Option<Done>, BackendError> {
        if let Ok(reference) = id.parse::<ReadingRef>() {
            return Ok(self.backend.reading(reference).await?.as_ref().map(observed_answer));
        }
        let Some(offset) = self.backend.offset_of(&format!("Observation/{id}")).await? else {
            return Ok(None);
        };
        Ok(self.backend.readings_of(offset).await?.first().map(observed_answer))
    }

    /// Answers a search as a searchset.
    pub(super) async fn search(
        &self,
        call: &Call,
        subject: Subject,
        parameters: &[(String, String)],
    ) -> Done {
        let search = match parse(subject, parameters, call.wishes.strict) {
            Ok(search) => search,
            Err(issues) => return refusals(400, issues),
        };
        let set = match subject {
            Subject::Observation => self.search_readings(call, &search).await,
            Subject::Directory(kind) => self.search_records(call, kind, &search).await,
        };
        match set {
            Ok(mut set) => {
                set.issues = search.ignored.clone();
                if !search.elements.is_empty() {
                    set.matches.iter_mut().for_each(|json| subset(json, &search.elements));
                }
                Done { status: 200, resource: Some(searchset(&set, &call.base)), ..Done::default() }
            }
            Err(Failure::Page) => {
                let detail = "Search parameter _page: not a page of this search; begin again without it.";
                refusal(400, IssueCode::Value, "", detail)
            }
            Err(Failure::Backend(error)) => unavailable(&error),
        }
    }

    async fn search_readings(&self, call: &Call, search: &Search) -> Result<SearchSet, Failure> {
        let mut query = self.reading_query(search).await?;
        if let Some(page) = &search.page {
            query.after = Some(read_cursor(page).ok_or(Failure::Page)?);
        }
        let order = query.order;
        let page = self.backend.readings(query).await?;
        let next = page.readings.last().filter(|_| page.more).map(|last| {
            let time = if order.by_received { last.point.received.micros() } else { last.point.time.micros() };
            format!("{time}~{}", last.reference())
        });
        let mut set = SearchSet {
            total: page.total,
            matches: page.readings.iter().map(project::observation).collect(),
            links: links(call, search, next),
            ..SearchSet::default()
        };
        let mut wanted = BTreeSet::new();
        for stored in &page.readings {
            if search.include.contains(&"device") {
                wanted.insert((Kind::Device, stored.key.device.to_string()));
            }
            if search.include.iter().any(|name| *name != "device") {
                wanted.extend(stored.key.subject.iter().map(|id| (Kind::Patient, id.to_string())));
            }
        }
        set.included = self.include(wanted).await?;
        Ok(set)
    }

    /// The readings that a search asks for, its page apart.
    pub(super) async fn reading_query(&self, search: &Search) -> Result<ReadingQuery, BackendError> {
        let now = self.backend.now().micros();
        let mut query = ReadingQuery {
            limit: if search.count_only { 0 } else { search.count },
            ..ReadingQuery::default()
        };
        if let Some((name, descending)) = search.sort.first() {
            query.order = Order { by_received: *name == "_lastUpdated", ascending: !descending };
        }
        for criterion in &search.criteria {
            match criterion {
                Criterion::Id(ids) => {
                    let found = ids.iter().filter_map(|id| id.parse().ok()).collect();
                    narrow(&mut query.references, found);
                }
                Criterion::Reference("device", ids, tokens) => {
                    let mut found: Vec<DeviceId> =
                        ids.iter().filter_map(|id| DeviceId::new(id).ok()).collect();
                    let named = self.by_identifier(Kind::Device, tokens).await?;
                    found.extend(named.iter().filter_map(|id| DeviceId::new(id).ok()));
                    narrow(&mut query.devices, found);
                }
                Criterion::Reference(_, ids, tokens) => {
                    let mut found: Vec<PatientId> =
                        ids.iter().filter_map(|id| PatientId::new(id).ok()).collect();
                    let named = self.by_identifier(Kind::Patient, tokens).await?;
                    found.extend(named.iter().filter_map(|id| PatientId::new(id).ok()));
                    narrow(&mut query.subjects, found);
                }
                Criterion::Token("code", tokens) => {
                    let found = tokens.iter().flat_map(Token::metrics).flat_map(with_parts).collect();
                    narrow(&mut query.metrics, found);
                }
                Criterion::Token("category", tokens) => {
                    let of = |metric: &&vitals::Metric| {
                        let category = code::category(metric);
                        tokens.iter().any(|token| token.matches(code::CATEGORY, category))
                    };
                    narrow(&mut query.metrics, vitals::Metric::all().filter(of).map(|m| m.code).collect());
                }
                Criterion::Token(_, tokens) => {
                    narrow(&mut query.statuses, tokens.iter().map(|token| token.code.clone()).collect());
                }
                Criterion::Date("_lastUpdated", filters) => {
                    intersect(&mut query.received, filters, now);
                }
                Criterion::Date(_, filters) => intersect(&mut query.effective, filters, now),
                Criterion::Text(..) => {}
            }
        }
        Ok(query)
    }

    /// Ids of the records that one of the tokens identifies.
    async fn by_identifier(&self, kind: Kind, tokens: &[Token]) -> Result<Vec<String>, BackendError> {
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

    async fn search_records(&self, call: &Call, kind: Kind, search: &Search) -> Result<SearchSet, Failure> {
        let mut found = self.matching_records(kind, search).await?;
        let start: usize = match &search.page {
            Some(page) => page.parse().map_err(|_| Failure::Page)?,
            None => 0,
        };
        let total = found.len();
        let end = start.saturating_add(search.count).min(total);
        let page = if search.count_only { Vec::new() } else { found.drain(start.min(end)..end).collect() };
        let next = (end < total && !search.count_only).then(|| end.to_string());
        let mut set = SearchSet {
            total: total as u64,
            matches: page.iter().filter_map(record::resource).collect(),
            links: links(call, search, next),
            ..SearchSet::default()
        };
        let mut wanted = BTreeSet::new();
        for record in &page {
            for name in &search.include {
                let kind = if *name == "location" { Kind::Location } else { Kind::Patient };
                wanted.extend(refers(record, name).map(|id| (kind, id)));
            }
        }
        set.included = self.include(wanted).await?;
        Ok(set)
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
enum Failure {
    Page,
    Backend(BackendError),
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

/// A compound's parts are stored, not the compound: its nomenclature codes follow its own.
fn with_parts(metric: MetricCode) -> Vec<MetricCode> {
    let compound = metric.metric().is_some_and(|row| row.kind == MetricKind::Compound);
    let parts = if compound { 1..=3 } else { 1..=0 };
    let parts = parts.map(|step| MetricCode(metric.0 + step));
    std::iter::once(metric).chain(parts.filter(|part| part.metric().is_some())).collect()
}

fn narrow<T: PartialEq>(list: &mut Option<Vec<T>>, found: Vec<T>) {
    match list {
        Some(list) => list.retain(|item| found.contains(item)),
        None => *list = Some(found),
    }
}

/// Keeps of `ranges` what one of the filters takes.
fn intersect(ranges: &mut Option<Vec<Range>>, filters: &[DateFilter], now: i64) {
    let mut wanted: Vec<Range> = filters.iter().flat_map(|filter| filter.ranges(now)).collect();
    wanted.sort_by_key(|range| range.start);
    let mut merged: Vec<Range> = Vec::new();
    for range in wanted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let everything = [i64::MIN..i64::MAX];
    let before = ranges.as_deref().unwrap_or(&everything);
    let both = before.iter().flat_map(|a| {
        merged.iter().map(move |b| a.start.max(b.start)..a.end.min(b.end))
    });
    *ranges = Some(both.filter(|range| range.start < range.end).collect());
}

fn read_cursor(page: &str) -> Option<Cursor> {
    let (time, reference) = page.split_once('~')?;
    Some(Cursor { time: time.parse().ok()?, reference: reference.parse().ok()? })
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
    rest.retain(|(name, _)| name != "_page");
    if let Some(next) = next {
        links.push(("first", address(&rest)));
        rest.push(("_page".to_owned(), next));
        links.push(("next", address(&rest)));
    }
    links
}

/// Leaves the named top-level elements and the mandatory ones, marked as a subset.
fn subset(json: &mut Json, elements: &[String]) {
    const ALWAYS: [&str; 6] = ["resourceType", "id", "meta", "status", "code", "class"];
    let Some(object) = json.as_object_mut() else { return };
    object.retain(|name, _| {
        ALWAYS.contains(&name.as_str()) || elements.iter().any(|element| name.starts_with(element.as_str()))
    });
    json["meta"]["tag"] = json!([{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED",
    }]);
}

fn hint(search: &Search) -> Hint {
    let mut best = Hint::All;
    for criterion in &search.criteria {
        match criterion {
            Criterion::Id(ids) => return Hint::Ids(ids.clone()),
            Criterion::Token("identifier", tokens) if tokens.iter().all(|t| !t.code.is_empty()) => {
                best = Hint::Identifiers(tokens.iter().map(|token| token.code.clone()).collect());
            }
            Criterion::Reference("patient" | "subject", ids, tokens)
                if tokens.is_empty() && best == Hint::All =>
            {
                best = Hint::Patients(ids.iter().filter_map(|id| PatientId::new(id).ok()).collect());
            }
            _ => {}
        }
    }
    best
}

fn identified(record: &Record, tokens: &[Token]) -> bool {
    let identifiers = record.identifiers();
    tokens.iter().any(|token| identifiers.iter().any(|i| token.matches(&i.system, &i.value)))
}

/// Whether a record meets a criterion; `patients` are those that reference criteria identified.
fn holds(record: &Record, criterion: &Criterion, patients: &[String], now: i64) -> bool {
    match criterion {
        Criterion::Id(ids) => record.name().is_some_and(|(_, id)| ids.iter().any(|i| i == id)),
        Criterion::Token("identifier", tokens) => identified(record, tokens),
        Criterion::Token(name, tokens) => {
            let codes = coded(record, name);
            tokens.iter().any(|token| codes.iter().any(|(system, code)| token.matches(system, code)))
        }
        Criterion::Reference(name, ids, _) => {
            refers(record, name).is_some_and(|id| ids.contains(&id) || patients.contains(&id))
        }
        Criterion::Text(name, texts) => {
            let values = worded(record, name);
            texts.iter().any(|text| values.iter().any(|value| text.matches(value)))
        }
        Criterion::Date("_lastUpdated", filters) => {
            let at = record.updated.micros();
            filters.iter().any(|filter| filter.matches(at, at.saturating_add(1), now))
        }
        Criterion::Date(_, filters) => lasts(record).is_some_and(|(low, high)| {
            filters.iter().any(|filter| filter.matches(low, high, now))
        }),
    }
}

/// The id that a record's reference parameter holds.
fn refers(record: &Record, name: &str) -> Option<String> {
    match (&record.event, name) {
        (DirectoryEvent::Encounter(encounter), "patient" | "subject") => {
            Some(encounter.patient.to_string())
        }
        (DirectoryEvent::Encounter(encounter), "location") => {
            encounter.location.as_ref().map(ToString::to_string)
        }
        (DirectoryEvent::Device(_), "patient") => record.patient.as_ref().map(ToString::to_string),
        (DirectoryEvent::Device(device), "location") => {
            device.location.as_ref().map(ToString::to_string)
        }
        _ => None,
    }
}

/// System and code of a record's token parameter. Administrative codes are given without one as
/// well, because clients leave it out.
fn coded(record: &Record, name: &str) -> Vec<(String, String)> {
    let Some(json) = record::resource(record) else { return Vec::new() };
    let plain = |json: &Json| json.as_str().map(|code| (String::new(), code.to_owned()));
    let coding = |json: &Json| {
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        (text("system"), text("code"))
    };
    let all = |json: &Json| json["coding"].as_array().into_iter().flatten().map(coding).collect();
    match name {
        "gender" | "status" => plain(&json[name]).into_iter().collect(),
        "class" => vec![coding(&json["class"])],
        "type" if json["type"].is_array() => {
            json["type"].as_array().into_iter().flatten().flat_map(|c| -> Vec<_> { all(c) }).collect()
        }
        "type" => all(&json["type"]),
        _ => Vec::new(),
    }
}

/// The texts of a record's string parameter.
fn worded(record: &Record, name: &str) -> Vec<String> {
    match (&record.event, name) {
        (DirectoryEvent::Patient(patient), "family") => vec![patient.name.family.clone()],
        (DirectoryEvent::Patient(patient), "given") => vec![patient.name.given.clone()],
        (DirectoryEvent::Patient(patient), _) => {
            let name = &patient.name;
            vec![name.family.clone(), name.given.clone(), format!("{} {}", name.given, name.family)]
        }
        (DirectoryEvent::Device(device), "manufacturer") => vec![device.manufacturer.clone()],
        (DirectoryEvent::Device(device), "model") => vec![device.model.clone()],
        (DirectoryEvent::Device(device), _) => vec![device.name.clone()],
        (DirectoryEvent::Location(location), _) => vec![location.name.clone()],
        _ => Vec::new(),
    }
}

/// From when to when a record's date parameter lasts, µs; open ends are far away.
fn lasts(record: &Record) -> Option<(i64, i64)> {
    match &record.event {
        DirectoryEvent::Patient(patient) => {
            let day = time::interval(patient.birth_date.as_deref()?)?;
            Some((day.start, day.end))
        }
        DirectoryEvent::Encounter(encounter) => Some((
            encounter.start.map_or(i64::MIN, |at| at.micros()),
            encounter.end.map_or(i64::MAX, |at| at.micros().saturating_add(1)),
        )),
        _ => None,
    }
}

fn compare(a: &Record, b: &Record, sort: &[(&'static str, bool)]) -> Ordering {
    let id = |record: &Record| record.name().map(|(_, id)| id.to_owned());
    for (name, descending) in sort {
        let order = match *name {
            "_lastUpdated" => (a.updated, a.offset).cmp(&(b.updated, b.offset)),
            "_id" => id(a).cmp(&id(b)),
            "birthdate" | "date" => lasts(a).cmp(&lasts(b)),
            name => worded(a, name).cmp(&worded(b, name)),
        };
        let order = if *descending { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    id(a).cmp(&id(b))
}
