//! Erasing a patient: nothing that was ever said of them stays in the engine.

use std::collections::BTreeSet;

use vitals::{DeviceId, Identifier, Offset, PatientId, ReceiveTime, SeriesId};

use crate::effect::Effect;
use crate::wave::Owner;
use crate::{Engine, SELF_DEVICE};

/// What is to be deleted of a patient, wherever it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Erased {
    /// The patient, as asked for.
    pub patient: PatientId,
    /// Every record that is of this person: the one that lives on and those merged into it.
    pub records: Vec<PatientId>,
    /// Devices that never were on anybody else and are at no place: they go, too.
    pub devices: Vec<DeviceId>,
    /// Series of the patient that the engine knew.
    pub series: Vec<SeriesId>,
    /// What the patient went by: whatever holds one of these as text goes as well.
    pub identifiers: Vec<Identifier>,
    /// Family name; may be empty.
    pub family: String,
    /// The entry in which it was said; names the erasure.
    pub offset: Offset,
    /// Who said it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was said.
    pub at: ReceiveTime,
}

impl Engine {
    /// Notes a hold, or its end: while one lasts the patient is not erased.
    pub(crate) fn note_hold(&mut self, hold: Offset, patient: Option<PatientId>) {
        match patient {
            Some(patient) => drop(self.holds.insert(hold, patient)),
            None => drop(self.holds.remove(&hold)),
        }
        self.unsaved_holds = true;
    }

    /// Erases a patient, unless something is held of them.
    pub(crate) fn erase(
        &mut self,
        patient: &PatientId,
        (by, reason): (&str, &str),
        offset: Offset,
        out: &mut Vec<Effect>,
    ) {
        let lives_on = self.directory.resolve(patient).clone();
        let records = self.directory.records_of(&lives_on);
        if self.holds.values().any(|held| records.contains(held)) {
            out.push(Effect::Counted("erasure-refused-hold"));
            return;
        }
        let known = records.iter().filter_map(|id| self.directory.patient(id));
        let (mut identifiers, mut family) = (Vec::new(), String::new());
        for record in known {
            identifiers.extend(record.identifiers.iter().cloned());
            if record.id == lives_on {
                family.clone_from(&record.name.family);
            }
        }
        let mut series: BTreeSet<SeriesId> = BTreeSet::new();
        let devices = self.erase_from_devices(&records, &mut series);
        for id in &records {
            if let Some(state) = self.patients.remove(id) {
                series.extend(state.derived.iter().map(|(.., series)| *series));
            }
            if let Some(before) = self.derived_before.remove(id) {
                series.extend(before.into_iter().map(|(.., series)| series));
            }
            let owner = Owner::Patient(id.clone());
            self.waves.remove(&owner);
            self.unsaved_waves.insert(owner);
            self.touch_patient(id);
        }
        self.directory.forget(&records);
        self.forget_normals(&records);
        self.relays.forget(&records);
        self.forget_commands(&records);
        self.touch_directory();
        out.push(Effect::Erased(Box::new(Erased {
            patient: patient.clone(),
            records,
            devices,
            series: series.into_iter().collect(),
            identifiers,
            family,
            offset,
            by: by.to_owned(),
            reason: reason.to_owned(),
            at: self.now,
        })));
    }

    /// Takes the patient out of every device's past; gives the devices that are theirs alone.
    fn erase_from_devices(
        &mut self,
        records: &[PatientId],
        series: &mut BTreeSet<SeriesId>,
    ) -> Vec<DeviceId> {
        let theirs = |patient: &PatientId| records.contains(patient);
        let (mut touched, mut own) = (Vec::new(), Vec::new());
        for (id, state) in &mut self.devices {
            let was_on = state.associations.iter().any(|a| theirs(&a.patient));
            let named = state.series.iter().any(|(subject, ..)| subject.as_ref().is_some_and(theirs));
            if !was_on && !named {
                continue;
            }
            let others = state.associations.iter().any(|a| !theirs(&a.patient))
                || state.series.iter().any(|(subject, ..)| !subject.as_ref().is_some_and(theirs));
            for (subject, .., number) in &state.series {
                if subject.as_ref().is_some_and(theirs) {
                    series.insert(*number);
                }
            }
            state.associations.retain(|association| !theirs(&association.patient));
            state.series.retain(|(subject, ..)| !subject.as_ref().is_some_and(theirs));
            touched.push(id.clone());
            if !others && state.device.location.is_none() && id.as_str() != SELF_DEVICE {
                own.push(id.clone());
            }
        }
        own.sort();
        for id in touched {
            self.touch_device(&id);
        }
        for id in &own {
            self.devices.remove(id);
            let owner = Owner::Device(id.clone());
            self.waves.remove(&owner);
            self.unsaved_waves.insert(owner);
        }
        own
    }
}
