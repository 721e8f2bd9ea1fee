//! Timers: who is due when, and what happens then. Lazy: a timer that fires too early is set
//! again, so that a message need not move one.

use std::collections::BTreeSet;

use vitals::{DeviceId, PatientId};

use crate::effect::Effect;
use crate::patient::Silence;
use crate::{Engine, Step};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Device(DeviceId),
    Patient(PatientId),
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(i64, Timer)>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: i64, timer: Timer) {
        self.queue.insert((at, timer));
    }

    fn pop(&mut self, now: i64) -> Option<(i64, Timer)> {
        if self.queue.first()?.0 <= now { self.queue.pop_first() } else { None }
    }
}

impl Engine {
    /// Lets everything happen that is due by now.
    pub(crate) fn run_timers(&mut self, cx: &mut Step, out: &mut Vec<Effect>) {
        while let Some((at, timer)) = self.timers.pop(self.now.0) {
            match timer {
                Timer::Patient(id) => self.patient_due(&id, at, cx, out),
                Timer::Device(id) => self.device_due(&id, at, cx, out),
            }
        }
    }

    fn patient_due(
        &mut self,
        id: &PatientId,
        at: i64,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let now = self.now.0;
        let Some(patient) = self.patients.get_mut(id) else { return };
        // An earlier timer was set since; this one is left over.
        if patient.timer_at != Some(at) {
            return;
        }
        patient.timer_at = None;
        if patient.due().is_some_and(|due| due <= now) {
            patient.clock = patient.clock.max(now);
            self.judge_patient(id, cx, out);
        }
        self.set_patient_timer(id);
    }

    fn device_due(&mut self, id: &DeviceId, at: i64, cx: &mut Step, out: &mut Vec<Effect>) {
        let now = self.now.0;
        let Some(device) = self.devices.get_mut(id) else { return };
        if device.timer_at != Some(at) {
            return;
        }
        device.timer_at = None;
        match device.silence_at(&self.policy.gap, self.awake_since) {
            Some(due) if due <= now => {
                device.silent = true;
                let patient = device.current().map(|association| association.patient.clone());
                self.touch_device(id);
                if let Some(patient) = patient {
                    self.fall_silent(&patient, id);
                    self.judge_patient(&patient, cx, out);
                }
            }
            Some(_) => self.set_device_timer(id),
            None => {}
        }
    }

    /// Notes that a device on the patient is silent (AL-2).
    pub(crate) fn fall_silent(&mut self, patient: &PatientId, device: &DeviceId) {
        let now = self.now.0;
        let heard = self.devices.get(device).and_then(|device| device.heard_at);
        let since = heard.map_or(now, |heard| heard.0);
        let Some(state) = self.patients.get_mut(patient) else { return };
        state.clock = state.clock.max(now);
        match state.silent.iter_mut().find(|gap| gap.device == *device) {
            Some(gap) => gap.heard_again = None,
            None => {
                let device = device.clone();
                state.silent.push(Silence { device, since, heard_again: None });
            }
        }
        self.touch_patient(patient);
    }
}
