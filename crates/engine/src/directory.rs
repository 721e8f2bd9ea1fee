//! Who and where: patients by every identifier they go by, encounters, places, merges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vitals::{
    Bed, EffectiveTime, Encounter, EncounterId, EncounterStatus, Location, LocationId, Movement,
    Patient, PatientId, PatientMovement, PatientRef,
};

use crate::effect::Effect;

/// Patients, encounters and places.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    patients: BTreeMap<PatientId, Patient>,
    encounters: BTreeMap<EncounterId, Stay>,
    locations: BTreeMap<LocationId, Location>,
    /// `system|value` to patient.
    identifiers: BTreeMap<String, PatientId>,
    /// Records merged away, to the record that lives on.
    merged: BTreeMap<PatientId, PatientId>,
    /// Patient to the encounter in progress.
    present: BTreeMap<PatientId, EncounterId>,
}

/// An encounter with the place before, so that a transfer can be undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stay {
    encounter: Encounter,
    previous: Option<LocationId>,
}

/// A change of place that devices and alerts must follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Who.
    pub patient: PatientId,
    /// From where.
    pub from: Option<LocationId>,
    /// To where.
    pub to: Option<LocationId>,
    /// When.
    pub at: EffectiveTime,
    /// Whether the stay is over.
    pub left: bool,
}

impl Directory {
    /// The directory of what a store keeps: patients with the record that each was merged into.
    pub(crate) fn of(
        patients: Vec<(Patient, Option<PatientId>)>,
        locations: Vec<Location>,
        encounters: Vec<Encounter>,
    ) -> Self {
        let mut directory = Self::default();
        for (patient, survivor) in patients {
            let owner = survivor.clone().unwrap_or_else(|| patient.id.clone());
            for identifier in &patient.identifiers {
                // The record that lives on goes before those that were merged into it.
                if survivor.is_none() {
                    directory.identifiers.insert(key(identifier), owner.clone());
                } else {
                    directory.identifiers.entry(key(identifier)).or_insert(owner.clone());
                }
            }
            if let Some(survivor) = survivor {
                directory.merged.insert(patient.id.clone(), survivor);
            }
            directory.patients.insert(patient.id.clone(), patient);
        }
        directory.locations.extend(locations.into_iter().map(|place| (place.id.clone(), place)));
        for encounter in encounters {
            if encounter.status == EncounterStatus::InProgress {
                let patient = directory.resolve(&encounter.patient).clone();
                directory.present.insert(patient, encounter.id.clone());
            }
            let stay = Stay { encounter, previous: None };
            directory.encounters.insert(stay.encounter.id.clone(), stay);
        }
        directory
    }

    /// Every patient with an encounter in progress.
    pub(crate) fn present(&self) -> Vec<PatientId> {
        self.present.keys().cloned().collect()
    }

    /// The patient's details.
    #[must_use]
    pub fn patient(&self, id: &PatientId) -> Option<&Patient> {
        self.patients.get(self.resolve(id))
    }

    /// Every patient.
    pub fn patients(&self) -> impl Iterator<Item = &Patient> {
        self.patients.values()
    }

    /// A place's details.
    #[must_use]
    pub fn location(&self, id: &LocationId) -> Option<&Location> {
        self.locations.get(id)
    }

    /// Every place.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.locations.values()
    }

    /// The encounter in progress.
    #[must_use]
    pub fn encounter_of(&self, patient: &PatientId) -> Option<&Encounter> {
        let id = self.present.get(self.resolve(patient))?;
        self.encounters.get(id).map(|stay| &stay.encounter)
    }

    /// Where the patient is.
    #[must_use]
    pub fn place_of(&self, patient: &PatientId) -> Option<&LocationId> {
        self.encounter_of(patient)?.location.as_ref()
    }

    /// Who is there; none when nobody is, or when two are said to be.
    #[must_use]
    pub fn occupant(&self, location: &LocationId) -> Option<PatientId> {
        let mut there = self.present.iter().filter(|(_, encounter)| {
            self.encounters
                .get(*encounter)
                .is_some_and(|stay| stay.encounter.location.as_ref() == Some(location))
        });
        let first = there.next()?.0.clone();
        there.next().is_none().then_some(first)
    }

    /// The record that `id` lives on as.
    #[must_use]
    pub fn resolve<'a>(&'a self, id: &'a PatientId) -> &'a PatientId {
        let mut id = id;
        // A chain of merges ends; the bound guards against one that was made into a ring.
        for _ in 0..16 {
            match self.merged.get(id) {
                Some(survivor) => id = survivor,
                None => break,
            }
        }
        id
    }

    /// The records that were merged into `id`, directly or through others.
    #[must_use]
    pub fn merged_into(&self, id: &PatientId) -> Vec<PatientId> {
        let gone = self.merged.keys().filter(|retired| self.resolve(retired) == id);
        gone.cloned().collect()
    }

    /// The patient whom a message means: by any identifier known, else by id; created if new.
    pub fn find_or_create(&mut self, who: &PatientRef, out: &mut Vec<Effect>) -> PatientId {
        let id = self.identify(&who.id, who.identifiers.iter().map(key));
        if !self.patients.contains_key(&id) {
            let mut patient = Patient::unknown(id.clone());
            patient.identifiers.clone_from(&who.identifiers);
            patient.name = who.name.clone().unwrap_or_default();
            self.keep(patient, out);
        }
        id
    }

    /// Takes up a patient's details; gives the id under which they are kept.
    pub fn upsert(&mut self, mut patient: Patient, out: &mut Vec<Effect>) -> PatientId {
        let id = self.identify(&patient.id, patient.identifiers.iter().map(key));
        patient.id = id.clone();
        if let Some(old) = self.patients.get(&id) {
            fill_gaps(&mut patient, old);
        }
        self.keep(patient, out);
        id
    }

    /// `retired` lives on as `survivor`; gives both as they are kept.
    pub fn merge(
        &mut self,
        survivor: &PatientId,
        retired: &PatientId,
        out: &mut Vec<Effect>,
    ) -> Option<(PatientId, PatientId)> {
        let (survivor, retired) = (self.resolve(survivor).clone(), self.resolve(retired).clone());
        if survivor == retired {
            return None;
        }
        let known = PatientRef { id: survivor.clone(), identifiers: Vec::new(), name: None };
        self.find_or_create(&known, out);
        if let Some(old) = self.patients.get(&retired).cloned() {
            if let Some(kept) = self.patients.get(&survivor).cloned() {
                let mut kept = kept;
                fill_gaps(&mut kept, &old);
                self.keep(kept, out);
            }
        }
        for owner in self.identifiers.values_mut().filter(|owner| **owner == retired) {
            *owner = survivor.clone();
        }
        if let Some(stay) = self.present.remove(&retired) {
            self.present.entry(survivor.clone()).or_insert(stay);
        }
        self.merged.insert(retired.clone(), survivor.clone());
        out.push(Effect::Merged(survivor.clone(), retired.clone()));
        Some((survivor, retired))
    }

    /// Takes up a place's details.
    pub fn upsert_location(&mut self, location: Location, out: &mut Vec<Effect>) {
        if self.locations.get(&location.id) != Some(&location) {
            out.push(Effect::Location(Box::new(location.clone())));
            self.locations.insert(location.id.clone(), location);
        }
    }

    /// Takes up an encounter's details, as FHIR gives them.
    pub fn upsert_encounter(
        &mut self,
        mut encounter: Encounter,
        now: EffectiveTime,
        out: &mut Vec<Effect>,
    ) -> Option<Moved> {
        encounter.patient = self.resolve(&encounter.patient).clone();
        let at = match encounter.status {
            EncounterStatus::Finished => encounter.end.unwrap_or(now),
            _ if self.encounters.contains_key(&encounter.id) => now,
            _ => encounter.start.unwrap_or(now),
        };
        Some(self.place(encounter, at, out))
    }

    /// Applies a patient movement; gives the change of place.
    pub fn apply(
        &mut self,
        movement: &PatientMovement,
        now: EffectiveTime,
        out: &mut Vec<Effect>,
    ) -> Option<Moved> {
        let patient = self.upsert(movement.patient.clone(), out);
        let at = movement.at.unwrap_or(now).min(now);
        let to = movement.location.as_ref().map(|bed| self.bed(bed, out));
        let prior = movement.prior_location.as_ref().map(|bed| self.bed(bed, out));
        let id = movement
            .encounter
            .clone()
            .or_else(|| self.present.get(&patient).cloned())
            .unwrap_or_else(|| EncounterId::sanitised(&format!("stay-{patient}")));
        let stay = self.encounters.get(&id).cloned();
        let previous = stay.as_ref().and_then(|stay| stay.previous.clone());
        let mut encounter = stay.map_or_else(
            || Encounter {
                id,
                patient: patient.clone(),
                status: EncounterStatus::InProgress,
                class: String::new(),
                location: None,
                start: Some(at),
                end: None,
                document: None,
            },
            |stay| stay.encounter,
        );
        encounter.patient = patient;
        if !movement.class.is_empty() {
            encounter.class.clone_from(&movement.class);
        }
        match movement.movement {
            Movement::Admit | Movement::Register | Movement::Transfer => {
                encounter.status = EncounterStatus::InProgress;
                encounter.end = None;
                encounter.location = to.or(encounter.location);
            }
            Movement::Update => match (encounter.status, to) {
                (EncounterStatus::InProgress, Some(to)) => encounter.location = Some(to),
                _ => return None,
            },
            Movement::Discharge => {
                encounter.status = EncounterStatus::Finished;
                encounter.end = Some(at);
            }
            Movement::CancelAdmit => encounter.status = EncounterStatus::Cancelled,
            Movement::CancelTransfer => encounter.location = prior.or(to).or(previous),
            Movement::CancelDischarge => {
                encounter.status = EncounterStatus::InProgress;
                encounter.end = None;
                encounter.location = to.or(previous);
            }
        }
        Some(self.place(encounter, at, out))
    }

    /// The place with these names, made known if it is not.
    pub fn bed(&mut self, bed: &Bed, out: &mut Vec<Effect>) -> LocationId {
        let location = Location::from_bed(bed.clone());
        let id = location.id.clone();
        if !self.locations.contains_key(&id) {
            self.upsert_location(location, out);
        }
        id
    }

    fn place(&mut self, mut encounter: Encounter, at: EffectiveTime, out: &mut Vec<Effect>) -> Moved {
        let patient = encounter.patient.clone();
        let from = self.place_of(&patient).cloned();
        let present = encounter.status == EncounterStatus::InProgress;
        let old = self.encounters.get(&encounter.id);
        let here = old.and_then(|stay| stay.encounter.location.clone());
        let previous = if here == encounter.location && present {
            old.and_then(|stay| stay.previous.clone())
        } else {
            here
        };
        if present {
            self.present.insert(patient.clone(), encounter.id.clone());
        } else {
            encounter.location = None;
            if self.present.get(&patient) == Some(&encounter.id) {
                self.present.remove(&patient);
            }
        }
        let known = PatientRef { id: patient.clone(), identifiers: Vec::new(), name: None };
        self.find_or_create(&known, out);
        out.push(Effect::Encounter(Box::new(encounter.clone())));
        self.encounters.insert(encounter.id.clone(), Stay { encounter, previous });
        let to = self.place_of(&patient).cloned();
        let left = !self.present.contains_key(&patient);
        Moved { patient, from, to, at, left }
    }

    /// Every record of the person whose record `lives_on` is: itself first.
    pub(crate) fn records_of(&self, lives_on: &PatientId) -> Vec<PatientId> {
        let retired = self.merged.keys().filter(|retired| {
            *retired != lives_on && self.resolve(retired) == lives_on
        });
        std::iter::once(lives_on).chain(retired).cloned().collect()
    }

    /// Forgets these records with all that names them.
    pub(crate) fn forget(&mut self, records: &[PatientId]) {
        let theirs = |id: &PatientId| records.contains(id);
        self.patients.retain(|id, _| !theirs(id));
        self.encounters.retain(|_, stay| !theirs(&stay.encounter.patient));
        self.identifiers.retain(|_, owner| !theirs(owner));
        self.merged.retain(|retired, survivor| !theirs(retired) && !theirs(survivor));
        self.present.retain(|id, _| !theirs(id));
    }

    fn identify(&self, id: &PatientId, keys: impl Iterator<Item = String>) -> PatientId {
        let mut keys = keys;
        let known = keys.find_map(|key| self.identifiers.get(&key).cloned());
        self.resolve(&known.unwrap_or_else(|| id.clone())).clone()
    }

    fn keep(&mut self, patient: Patient, out: &mut Vec<Effect>) {
        if self.patients.get(&patient.id) == Some(&patient) {
            return;
        }
        for identifier in &patient.identifiers {
            self.identifiers.insert(key(identifier), patient.id.clone());
        }
        out.push(Effect::Patient(Box::new(patient.clone())));
        self.patients.insert(patient.id.clone(), patient);
    }
}

/// What a new message leaves out stays as it was.
fn fill_gaps(patient: &mut Patient, old: &Patient) {
    for identifier in &old.identifiers {
        if patient.identifiers.iter().all(|other| key(other) != key(identifier)) {
            patient.identifiers.push(identifier.clone());
        }
    }
    if patient.name.family.is_empty() && patient.name.given.is_empty() {
        patient.name = old.name.clone();
    }
    if patient.birth_date.is_none() {
        patient.birth_date.clone_from(&old.birth_date);
    }
    if patient.sex == vitals::Sex::Unknown {
        patient.sex = old.sex;
    }
    if patient.document.is_none() {
        patient.document.clone_from(&old.document);
    }
    patient.deceased |= old.deceased;
}

fn key(identifier: &vitals::Identifier) -> String {
    format!("{}|{}", identifier.system, identifier.value)
}
