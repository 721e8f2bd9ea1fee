//! Whether a record of the directory meets a search's criteria, and in which order records come.

use std::cmp::Ordering;

use serde_json::Value as Json;
use vitals::{DirectoryEvent, PatientId};
use wire_fhir::search::{Criterion, Search, Token};
use wire_fhir::{Record, record, time};

use super::backend::Hint;

/// What narrows the search, where a backend has an index for it.
pub(super) fn hint(search: &Search) -> Hint {
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
            Criterion::Reference("source" | "parent", ids, tokens)
                if tokens.is_empty() && best == Hint::All =>
            {
                best = Hint::Devices(ids.clone());
            }
            _ => {}
        }
    }
    best
}

/// Whether one of the tokens identifies the record.
pub(super) fn identified(record: &Record, tokens: &[Token]) -> bool {
    let identifiers = record.identifiers();
    tokens.iter().any(|token| identifiers.iter().any(|i| token.matches(&i.system, &i.value)))
}

/// Whether a record meets a criterion; `patients` are those that reference criteria identified.
pub(super) fn holds(record: &Record, criterion: &Criterion, patients: &[String], now: i64) -> bool {
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
        // Of the directory's types none has such a parameter.
        Criterion::Uri(..) => false,
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
pub(super) fn refers(record: &Record, name: &str) -> Option<String> {
    match (&record.event, name) {
        (DirectoryEvent::Encounter(encounter), "patient" | "subject") => {
            Some(encounter.patient.to_string())
        }
        (DirectoryEvent::Encounter(encounter), "location") => {
            encounter.location.as_ref().map(ToString::to_string)
        }
        (DirectoryEvent::Device(_), "source" | "parent") => {
            let json = record::resource(record)?;
            let text = json[name]["reference"].as_str()?;
            text.strip_prefix("Device/").map(str::to_owned)
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
        "gender" | "status" | "category" => plain(&json[name]).into_iter().collect(),
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

/// The order of two records; equal ones are ordered by id.
pub(super) fn compare(a: &Record, b: &Record, sort: &[(&'static str, bool)]) -> Ordering {
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
