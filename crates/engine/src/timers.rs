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
    /// Lets everything happen that is due by now, in the order in which it became due: when timers
    /// were set, and how often, makes no difference (EN-1).
    pub(crate) fn run_timers(&mut self, cx: &mut Step, out: &mut Vec<Effect>) {
        loop {
            let mut due = Vec::new();
            while let Some((at, timer)) = self.timers.pop(self.now.0) {
                if self.take_timer(at, &timer) {
                    match self.due(&timer) {
                        Some(when) if when <= self.now.0 => due.push((when, timer)),
                        _ => self.set_timer(&timer),
                    }
                }
            }
            if due.is_empty() {
                return;
            }
            due.sort_unstable();
            for (_, timer) in due {
                if self.due(&timer).is_some_and(|when| when <= self.now.0) {
                    self.happen(&timer, cx, out);
                }
                self.set_timer(&timer);
            }
        }
    }

    /// Whether this is the timer that is set; one that is left over is not.
    fn take_timer(&mut self, at: i64, timer: &Timer) -> bool {
        let set = match timer {
            Timer::Patient(id) => self.patients.get_mut(id).map(|state| &mut state.timer_at),
            Timer::Device(id) => self.devices.get_mut(id).map(|state| &mut state.timer_at),
        };
        set.is_some_and(|set| set.take_if(|set| *set == at).is_some())
    }

    fn due(&self, timer: &Timer) -> Option<i64> {
        match timer {
            Timer::Patient(id) => {
                let due = self.patients.get(id)?.due()?;
                Some(due.max(self.relays.until(id)))
            }
            Timer::Device(id) => {
                let device = self.devices.get(id).filter(|device| !device.silent)?;
                device.silence_at(&self.policy.gap, self.awake_since)
            }
        }
    }

    fn set_timer(&mut self, timer: &Timer) {
        match timer {
            Timer::Patient(id) => self.set_patient_timer(id),
            Timer::Device(id) => self.set_device_timer(id),
        }
    }

    fn happen(&mut self, timer: &Timer, cx: &mut Step, out: &mut Vec<Effect>) {
        match timer {
            Timer::Patient(id) => {
                let now = self.now.0;
                if let Some(patient) = self.patients.get_mut(id) {
                    patient.clock = patient.clock.max(now);
                }
                self.judge_patient(id, cx, out);
            }
            Timer::Device(id) => {
                let Some(device) = self.devices.get_mut(id) else { return };
                device.silent = true;
                let patient = device.current().map(|association| association.patient.clone());
                self.touch_device(id);
                if let Some(patient) = patient {
                    let patient = self.directory.resolve(&patient).clone();
                    self.fall_silent(&patient, id);
                    self.judge_patient(&patient, cx, out);
                }
            }
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
