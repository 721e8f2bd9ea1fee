//! Devices follow places: association and its end, mounting at beds, moves and departures.

use vitals::{
    AssociationBasis, DeviceId, DirectoryEvent, EffectiveTime, LocationId, Movement, PatientId,
};

use crate::age::years;
use crate::device::DeviceState;
use crate::directory::Moved;
use crate::effect::{AlertRecord, Effect};
use crate::foresight::Foresight;
use crate::patient::ChosenBy;
use crate::Engine;

impl Engine {
    pub(crate) fn directory_event(
        &mut self,
        event: &DirectoryEvent,
        out: &mut Vec<Effect>,
    ) {
        self.touch_directory();
        let now = EffectiveTime(self.now.0);
        let moved = match event {
            DirectoryEvent::Patient(patient) => {
                let id = self.directory.upsert(patient.clone(), out);
                self.configure(&id);
                self.touch_if_known(&id);
                None
            }
            DirectoryEvent::Merge { survivor, retired } => {
                self.merge(survivor, retired, out);
                None
            }
            DirectoryEvent::Encounter(encounter) => {
                self.directory.upsert_encounter(encounter.clone(), now, out)
            }
            DirectoryEvent::Location(location) => {
                self.directory.upsert_location(location.clone(), out);
                // Its unit may go by another name now, and rules go by units.
                if let Some(occupant) = self.directory.occupant(&location.id) {
                    self.configure(&occupant);
                }
                None
            }
            DirectoryEvent::Device(device) => {
                self.device_details(device.clone(), out);
                None
            }
            DirectoryEvent::Movement(movement) => {
                let moved = self.directory.apply(movement, now, out);
                let undone = movement.movement == Movement::CancelAdmit;
                moved.map(|moved| Moved { left: moved.left || undone, ..moved })
            }
        };
        if let Some(moved) = moved {
            self.follow(&moved, out);
        }
    }

    /// Lets devices and alerts follow a patient's change of place.
    fn follow(&mut self, moved: &Moved, out: &mut Vec<Effect>) {
        self.ensure_patient(&moved.patient);
        if moved.left {
            for device in self.devices_on(&moved.patient) {
                self.disassociate(&device, moved.at, out);
            }
            self.end_alerts(&moved.patient, "patient left", out);
            // Whoever comes back begins another stay.
            if let Some(patient) = self.patients.get_mut(&moved.patient) {
                patient.foresight = Foresight::default();
            }
        }
        for place in [&moved.from, &moved.to].into_iter().flatten() {
            self.settle_bed(place, moved.at, out);
        }
        self.configure(&moved.patient);
        self.touch_patient(&moved.patient);
    }

    /// Brings the devices mounted at a bed into line with who is in it.
    fn settle_bed(
        &mut self,
        place: &LocationId,
        at: EffectiveTime,
        out: &mut Vec<Effect>,
    ) {
        let occupant = self.directory.occupant(place);
        let mut mounted: Vec<DeviceId> = self
            .devices
            .values()
            .filter(|state| state.device.location.as_ref() == Some(place))
            .map(|state| state.device.id.clone())
            .collect();
        mounted.sort();
        for id in mounted {
            self.settle_device(&id, occupant.as_ref(), at, out);
        }
    }

    fn settle_device(
        &mut self,
        id: &DeviceId,
        occupant: Option<&PatientId>,
        at: EffectiveTime,
        out: &mut Vec<Effect>,
    ) {
        let Some(state) = self.devices.get(id) else { return };
        let Some(place) = state.device.location.clone() else { return };
        let current = state.current().cloned();
        // What a person decided is a person's to undo.
        if current.as_ref().is_some_and(|a| matches!(a.basis, AssociationBasis::Person(_))) {
            return;
        }
        match (current, occupant) {
            (Some(now), Some(occupant)) if now.patient == *occupant => {}
            // Somebody confirms it by a scan; whoever lay here before does not keep the device.
            (now, Some(_)) if self.policy.confirm_place => {
                if now.is_some_and(|now| matches!(now.basis, AssociationBasis::Location(_))) {
                    self.disassociate(id, at, out);
                }
            }
            (_, Some(occupant)) => {
                let basis = AssociationBasis::Location(place);
                self.associate(id, occupant, basis, at, out);
            }
            (Some(_), None) => self.disassociate(id, at, out),
            (None, None) => {}
        }
    }

    /// Puts a device on a patient from `at` on; whomever it was on, it leaves.
    pub(crate) fn associate(
        &mut self,
        id: &DeviceId,
        patient: &PatientId,
        basis: AssociationBasis,
        at: EffectiveTime,
        out: &mut Vec<Effect>,
    ) {
        let patient = self.directory.resolve(patient).clone();
        self.announce(id, out);
        self.disassociate(id, at, out);
        self.ensure_patient(&patient);
        let now = self.now;
        let Some(state) = self.devices.get_mut(id) else { return };
        let association = state.begin(patient.clone(), basis, at);
        state.silent = false;
        state.watched_since = now;
        out.push(Effect::Association(association));
        if let Some(on) = self.patients.get_mut(&patient) {
            if let Err(at) = on.devices.binary_search(id) {
                on.devices.insert(at, id.clone());
            }
        }
        self.touch_device(id);
        self.touch_patient(&patient);
        self.set_device_timer(id);
        self.set_patient_timer(&patient);
    }

    /// Takes a device off whomever it is on. Its values stop being the present ones (TI-1).
    pub(crate) fn disassociate(
        &mut self,
        id: &DeviceId,
        at: EffectiveTime,
        out: &mut Vec<Effect>,
    ) {
        let Some(ended) = self.devices.get_mut(id).and_then(|state| state.end_current(at)) else {
            return;
        };
        let patient = self.directory.resolve(&ended.patient).clone();
        out.push(Effect::Association(ended));
        let now = self.now.0;
        if let Some(state) = self.patients.get_mut(&patient) {
            let clock = if state.recorded { state.clock } else { now };
            state.values.detach(id, clock);
            state.silent.retain(|gap| gap.device != *id);
            state.alarms.retain(|alarm| alarm.device != *id);
            state.devices.retain(|other| other != id);
            // The next timer judges what is left.
            state.timer_at = None;
        }
        self.touch_device(id);
        self.touch_patient(&patient);
        self.set_patient_timer(&patient);
    }

    /// Mounts a device at a bed, or unmounts it.
    pub(crate) fn mount(
        &mut self,
        id: &DeviceId,
        place: Option<&LocationId>,
        out: &mut Vec<Effect>,
    ) {
        let at = EffectiveTime(self.now.0);
        let state = self.announce(id, out);
        let by_place = |state: &DeviceState| {
            state.current().is_some_and(|a| matches!(a.basis, AssociationBasis::Location(_)))
        };
        if state.device.location.as_ref() != place {
            let leave = by_place(state);
            state.device.location = place.cloned();
            state.known = true;
            let device = state.device.clone();
            out.push(Effect::Device(Box::new(device)));
            if leave {
                self.disassociate(id, at, out);
            }
        }
        if let Some(place) = place {
            let occupant = self.directory.occupant(place);
            self.settle_device(id, occupant.as_ref(), at, out);
        }
        self.touch_device(id);
    }

    fn device_details(&mut self, mut device: vitals::Device, out: &mut Vec<Effect>) {
        let id = device.id.clone();
        let place = device.location.take();
        let state = self.announce(&id, out);
        device.location.clone_from(&state.device.location);
        for (new, old) in [
            (&mut device.manufacturer, &state.device.manufacturer),
            (&mut device.model, &state.device.model),
            (&mut device.serial, &state.device.serial),
            (&mut device.version, &state.device.version),
        ] {
            if new.is_empty() {
                new.clone_from(old);
            }
        }
        if device.document.is_none() {
            keep_told(&mut device, &state.device);
        }
        state.known = true;
        if state.device != device {
            state.device = device.clone();
            out.push(Effect::Device(Box::new(device)));
        }
        if place.is_some() {
            self.mount(&id, place.as_ref(), out);
        }
        self.touch_device(&id);
    }

    fn merge(
        &mut self,
        survivor: &PatientId,
        retired: &PatientId,
        out: &mut Vec<Effect>,
    ) {
        let Some((survivor, retired)) = self.directory.merge(survivor, retired, out) else { return };
        self.ensure_patient(&survivor);
        let at = EffectiveTime(self.now.0);
        for device in self.devices_on(&retired) {
            let basis = self.devices.get(&device).and_then(|device| device.current()).map_or(
                AssociationBasis::Message,
                |association| association.basis.clone(),
            );
            self.associate(&device, &survivor, basis, at, out);
        }
        self.end_alerts(&retired, "record merged into another", out);
        self.forget_waves(&retired);
        self.merge_normals(&survivor, &retired);
        if let Some(old) = self.patients.remove(&retired) {
            if let Some(kept) = self.patients.get_mut(&survivor) {
                for limit in old.limits.clone() {
                    if kept.limits.iter().all(|other| other.metric != limit.metric) {
                        kept.limits.push(limit);
                    }
                }
                kept.spo2_scale = kept.spo2_scale.max(old.spo2_scale);
            }
        }
        self.configure(&survivor);
        self.touch_patient(&retired);
        self.touch_patient(&survivor);
    }

    /// Ends a patient's open alerts for a reason outside their conditions.
    fn end_alerts(&mut self, id: &PatientId, why: &str, out: &mut Vec<Effect>) {
        let now = self.now;
        let mut changes = Vec::new();
        if let Some(patient) = self.patients.get_mut(id) {
            patient.episodes.end_all(now.0, why, &mut changes);
            patient.silent.clear();
            patient.alarms.clear();
            patient.conditions = alert::Conditions::default();
        }
        self.configure(id);
        self.push_alerts(id, changes, out);
    }

    /// Devices on a patient now, by id.
    pub(crate) fn devices_on(&self, id: &PatientId) -> Vec<DeviceId> {
        self.patients.get(id).map(|patient| patient.devices.clone()).unwrap_or_default()
    }

    /// Turns changes of alerts into effects.
    pub(crate) fn push_alerts(
        &self,
        id: &PatientId,
        changes: Vec<alert::Change>,
        out: &mut Vec<Effect>,
    ) {
        let clock = self.patients.get(id).map_or(self.now.0, |patient| {
            if patient.recorded { patient.clock } else { self.now.0 }
        });
        for change in changes {
            let device = match &change.episode.condition {
                alert::ConditionKey::Gap(device) => DeviceId::new(device).ok(),
                key => self.patients.get(id).and_then(|patient| {
                    crate::alarm::by_key(&patient.alarms, key).map(|alarm| alarm.device.clone())
                }),
            };
            out.push(Effect::Alert(Box::new(AlertRecord {
                episode: change.episode,
                kind: change.kind,
                actor: change.actor,
                detail: change.detail,
                at: vitals::ReceiveTime(clock),
                patient: id.clone(),
                location: self.directory.place_of(id).cloned(),
                device,
            })));
        }
    }

    /// Takes up the rules for a patient's unit and age.
    pub(crate) fn configure(&mut self, id: &PatientId) {
        let age = self.age_of(id);
        let unit = self
            .directory
            .place_of(id)
            .and_then(|place| self.directory.location(place))
            .map(|location| location.bed.unit.clone());
        let policy = self.policy.clone();
        self.unsettle_normals(id);
        if let Some(patient) = self.patients.get_mut(id) {
            // What follows the normal follows the new rules when the patient is next judged.
            patient.followed.clear();
            patient.configure(&policy, ChosenBy { unit, age_years: age });
            self.touch_patient(id);
        }
    }

    /// A patient's age in years, on the patient's own clock.
    pub(crate) fn age_of(&self, id: &PatientId) -> Option<f64> {
        let birth = self.directory.patient(id)?.birth_date.as_deref()?;
        let clock = self.patients.get(id).map_or(0, |patient| patient.clock);
        years(birth, if clock == 0 { self.now.0 } else { clock })
    }

    fn touch_if_known(&mut self, id: &PatientId) {
        if self.patients.contains_key(id) {
            self.touch_patient(id);
        }
    }
}

/// What a device says of itself adds to what is known of it; only a written record (a document)
/// replaces it as a whole.
fn keep_told(new: &mut vitals::Device, old: &vitals::Device) {
    if new.name == new.id.as_str() {
        new.name.clone_from(&old.name);
    }
    for known in &old.identifiers {
        if new.identifiers.iter().all(|one| (&one.system, &one.kind) != (&known.system, &known.kind)) {
            new.identifiers.push(known.clone());
        }
    }
    new.kind = new.kind.or(old.kind);
    if new.clock == vitals::ClockMethod::Unknown {
        new.clock = old.clock;
    }
    if new.components.is_empty() {
        new.components.clone_from(&old.components);
    }
    new.document.clone_from(&old.document);
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::{ClockMethod, Device, Identifier};

    fn identifier(value: &str) -> Identifier {
        Identifier { system: "urn:vitalwire:udi".into(), value: value.into(), kind: "UDI".into() }
    }

    #[test]
    fn what_a_device_says_adds_to_what_is_known() {
        let id = DeviceId::sanitised("m-1");
        let known = Device {
            name: "Monitor".into(),
            identifiers: vec![identifier("a"), Identifier { kind: "SNO".into(), ..identifier("7") }],
            clock: ClockMethod::Manual,
            document: Some(b"{}".to_vec()),
            ..Device::announced(id.clone())
        };
        let mut said = Device { identifiers: vec![identifier("b")], ..Device::announced(id) };
        keep_told(&mut said, &known);
        assert_eq!((said.name.as_str(), said.clock), ("Monitor", ClockMethod::Manual));
        let values: Vec<&str> = said.identifiers.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(values, ["b", "7"], "a new label stands in place of the old one");
        assert_eq!(said.document, known.document);
    }
}
