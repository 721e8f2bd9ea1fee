//! Where patients lay, and who was monitored.

use std::collections::{BTreeMap, HashMap, HashSet};

use burden::{Stay, Worn};
use store::{
    AssociationQuery, DirectoryKind, DirectoryQuery, DirectoryRow, EncounterRow, Page, Read, Span, StoreError,
};
use vitals::{Encounter, EncounterStatus, LocationId, PatientId};

use crate::Asked;

/// Encounters looked at.
const ENCOUNTERS_MAX: u64 = 50_000;
/// Places read.
const PLACES_MAX: u64 = 100_000;

/// Unit and bed of each place.
pub(crate) struct Places(HashMap<LocationId, (String, String)>);

impl Places {
    pub(crate) fn read(store: &dyn Read) -> Result<Self, StoreError> {
        let query = DirectoryQuery { page: Page { skip: 0, limit: PLACES_MAX }, ..DirectoryQuery::default() };
        let rows = store.locations(&query)?.rows.into_iter();
        Ok(Self(rows.map(|row| (row.location.id, named(&row.location.bed, &row.location.name))).collect()))
    }

    /// Unit and bed; both empty for a place that nobody knows.
    pub(crate) fn of(&self, id: Option<&LocationId>) -> (&str, &str) {
        let known = id.and_then(|id| self.0.get(id));
        known.map_or(("", ""), |(unit, bed)| (unit, bed))
    }
}

fn named(bed: &vitals::Bed, name: &str) -> (String, String) {
    let words: Vec<&str> = [bed.room.as_str(), bed.bed.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [] if bed.unit.is_empty() => (String::new(), name.to_owned()),
        words => (bed.unit.clone(), words.join(" ")),
    }
}

/// Where each patient lay in that time, by the versions of their encounters. Where somebody lay
/// before an encounter was first told of is where that said.
pub(crate) fn stays(store: &dyn Read, places: &Places, asked: &Asked) -> Result<Vec<Stay>, StoreError> {
    let page = Page { skip: 0, limit: ENCOUNTERS_MAX };
    let changed = DirectoryQuery {
        updated: Span { from: Some(asked.from), to: None },
        page,
        ..DirectoryQuery::default()
    };
    let open = DirectoryQuery { status: vec!["in-progress".to_owned()], page, ..DirectoryQuery::default() };
    let mut rows = BTreeMap::new();
    for query in [changed, open] {
        for row in store.encounters(&query)?.rows {
            rows.insert(row.encounter.id.to_string(), row);
        }
    }
    let mut stays = Vec::new();
    for row in rows.into_values() {
        stays.extend(of_row(store, places, row)?);
    }
    stays.retain(|stay| stay.from < asked.to && stay.to.is_none_or(|to| to > asked.from));
    Ok(stays)
}

/// Where a patient ever lay.
pub(crate) fn lay(store: &dyn Read, places: &Places, patient: &PatientId) -> Result<Vec<Stay>, StoreError> {
    let page = Page { skip: 0, limit: ENCOUNTERS_MAX };
    let query = DirectoryQuery { patient: Some(patient.clone()), page, ..DirectoryQuery::default() };
    let mut stays = Vec::new();
    for row in store.encounters(&query)?.rows {
        stays.extend(of_row(store, places, row)?);
    }
    Ok(stays)
}

fn of_row(store: &dyn Read, places: &Places, row: EncounterRow) -> Result<Vec<Stay>, StoreError> {
    let mut versions: Vec<(i64, Encounter)> = if row.version > 1 {
        let told = store.directory_history(DirectoryKind::Encounter, row.encounter.id.as_str())?.into_iter();
        told.filter_map(|row| match row {
            DirectoryRow::Encounter(row) => Some((row.updated.0, row.encounter)),
            _ => None,
        })
        .collect()
    } else {
        Vec::new()
    };
    if versions.is_empty() {
        versions.push((row.updated.0, row.encounter));
    }
    versions.sort_by_key(|(at, _)| *at);
    Ok(of_versions(&versions, places))
}

fn of_versions(versions: &[(i64, Encounter)], places: &Places) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for (index, (told, encounter)) in versions.iter().enumerate() {
        let began = encounter.start.map_or(*told, |start| start.0);
        let from = if index == 0 { began.min(*told) } else { *told };
        let next = versions.get(index + 1).map(|(at, _)| *at);
        let over = matches!(encounter.status, EncounterStatus::Finished | EncounterStatus::Cancelled);
        let end = encounter.end.map(|end| end.0).or(over.then_some(*told));
        if let Some(last) = stays.last_mut().filter(|_| over) {
            last.to = last.to.map(|to| end.map_or(to, |end| end.min(to)));
            continue;
        }
        let (unit, bed) = places.of(encounter.location.as_ref());
        let to = end.into_iter().chain(next).min();
        if to.is_none_or(|to| from < to) {
            stays.push(Stay {
                patient: encounter.patient.to_string(),
                from,
                to,
                unit: unit.to_owned(),
                bed: bed.to_owned(),
            });
        }
    }
    stays
}

/// When devices were on patients in that time.
pub(crate) fn worn(store: &dyn Read, stays: &[Stay], asked: &Asked) -> Result<Vec<Worn>, StoreError> {
    let known: HashSet<&str> = stays.iter().map(|stay| stay.patient.as_str()).collect();
    let rows = store.associations(&AssociationQuery::default())?.into_iter();
    let worn = rows.filter_map(|row| {
        let one = row.association;
        let within = one.start.0 < asked.to && one.end.is_none_or(|end| end.0 > asked.from);
        // Asked for some units, whoever lay nowhere that is known is in none of them.
        let here = asked.units.is_none() || known.contains(one.patient.as_str());
        (within && here).then(|| Worn {
            patient: one.patient.to_string(),
            from: one.start.0,
            to: one.end.map(|end| end.0),
        })
    });
    Ok(worn.collect())
}
