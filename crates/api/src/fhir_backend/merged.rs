//! Merged records (A40): what was kept under a retired id is shown under the one that lives on.

use std::collections::HashMap;

use store::{DirectoryQuery, Page, Read, StoreError};
use vitals::PatientId;

/// Merges of merges are followed this far.
const STEPS_MAX: usize = 16;

/// The id under which a patient lives on: its own, unless it was merged.
pub(super) fn survivor(store: &dyn Read, id: PatientId) -> Result<PatientId, StoreError> {
    let mut id = id;
    for _ in 0..STEPS_MAX {
        let query = DirectoryQuery { ids: vec![id.to_string()], ..DirectoryQuery::default() };
        match store.patients(&query)?.rows.pop().and_then(|row| row.merged_into) {
            Some(next) => id = next,
            None => break,
        }
    }
    Ok(id)
}

/// The patient who lives on, and every record that was merged into it.
pub(super) fn same_person(store: &dyn Read, id: PatientId) -> Result<Vec<PatientId>, StoreError> {
    let mut all = vec![survivor(store, id)?];
    let mut at = 0;
    while let Some(patient) = all.get(at).cloned() {
        at += 1;
        let page = Page { skip: 0, limit: 1_000 };
        let query = DirectoryQuery { patient: Some(patient), page, ..DirectoryQuery::default() };
        for row in store.patients(&query)?.rows {
            if !all.contains(&row.patient.id) {
                all.push(row.patient.id);
            }
        }
    }
    Ok(all)
}

/// Survivors looked up so far.
#[derive(Default)]
pub(super) struct Survivors(HashMap<PatientId, PatientId>);

impl Survivors {
    /// Puts the survivor in a patient's place.
    pub(super) fn put(
        &mut self,
        store: &dyn Read,
        patient: &mut PatientId,
    ) -> Result<(), StoreError> {
        let found = match self.0.get(patient) {
            Some(found) => found.clone(),
            None => {
                let found = survivor(store, patient.clone())?;
                self.0.insert(patient.clone(), found.clone());
                found
            }
        };
        *patient = found;
        Ok(())
    }
}
