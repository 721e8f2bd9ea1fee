//! One stay through the engine under each policy.

use std::sync::Arc;

use alert::Policy;
use engine::{Effect, Engine};
use vitals::time::{DAY, HOUR, MINUTE, SECOND};
use vitals::{
    Action, Actor, Content, DeviceId, DirectoryEvent, Event, Measurement, Message, Offset, Origin,
    Patient, PatientId, Protocol, Quality, Reading, ReceiveTime, Role, TimeBase, Value,
};

use super::psv::{Row, Stay};
use crate::answers::{self, Answers};
use crate::events::{Events, PatientEvents};
use crate::measure::{self, Settings, Totals};
use crate::report::Measured;
use crate::watch::Watch;

/// When hour 0 is: any moment would do.
const EPOCH: i64 = 18_262 * DAY;
/// Time passes in the running system twice a second.
const TICK: i64 = SECOND / 2;
/// In one hour a patient is judged so often at most.
const JUDGED_MAX: usize = 240;

/// Plays stays; kept from one to the next.
pub(super) struct Player<'a> {
    policies: &'a [Arc<Policy>],
    events: &'a Events,
    settings: &'a Settings,
    device: DeviceId,
    actor: Actor,
}

/// One stay under one policy.
struct Run<'a> {
    engine: Engine,
    id: PatientId,
    name: &'a str,
    offset: Offset,
    watch: Watch,
    answers: Answers,
    answered_after_s: f64,
    out: Vec<Effect>,
}

impl<'a> Player<'a> {
    pub(super) fn new(policies: &'a [Arc<Policy>], events: &'a Events, settings: &'a Settings) -> Self {
        let device = DeviceId::sanitised("monitor");
        Self { policies, events, settings, device, actor: Actor { name: "laboratory".into(), role: Role::Service } }
    }

    /// Plays a stay under each policy and measures it; adds to the totals of each.
    pub(super) fn play(&mut self, stay: &Stay, totals: &mut [Totals]) -> Measured {
        let mut measured = Measured { events: vec![0; self.events.names().len()], ..Measured::default() };
        let (Some(first), Some(last)) = (stay.rows.first(), stay.rows.last()) else {
            measured.sums = totals.iter_mut().map(|totals| self.measure(&Watch::default(), &[], 0, totals)).collect();
            return measured;
        };
        measured.bed_us = (last.hour - first.hour + 1) * HOUR;
        let end = EPOCH + (last.hour + 1) * HOUR;
        let messages: Vec<Event> = stay.rows.iter().map(|row| self.message(row)).collect();
        let mut found: Vec<(usize, i64)> = Vec::new();
        for (at, policy) in self.policies.iter().enumerate() {
            // What happens to the patient is the same under every policy: it is looked for once.
            let mut happening = (at == 0).then(|| self.events.patient());
            let watch = self.run(stay, &messages, policy, happening.as_mut());
            if let Some(mut happening) = happening {
                // Hour 1 lasts from the beginning of the stay: a label in the first row is an onset like any other.
                if let (Some(onset), Some(kind)) = (stay.onset_h, self.events.told(super::SEPSIS)) {
                    happening.happened(kind, EPOCH + onset * HOUR);
                }
                found = happening.found;
                for (kind, _) in &found {
                    measured.events[*kind] += 1;
                }
            }
            measured.sums.push(self.measure(&watch, &found, end, &mut totals[at]));
        }
        measured
    }

    fn measure(&self, watch: &Watch, found: &[(usize, i64)], end: i64, totals: &mut Totals) -> measure::Sums {
        measure::patient(watch.raised.iter(), found, end, self.settings, totals)
    }

    fn run(
        &self,
        stay: &Stay,
        messages: &[Event],
        policy: &Arc<Policy>,
        mut happening: Option<&mut PatientEvents>,
    ) -> Watch {
        let mut run = Run {
            engine: Engine::judging_by(Arc::clone(policy)),
            id: PatientId::sanitised(&stay.name),
            name: &stay.name,
            offset: 0,
            watch: Watch::default(),
            answers: Answers::default(),
            answered_after_s: self.settings.answered_after_s,
            out: Vec::new(),
        };
        self.admit(&mut run, stay);
        for (at, row) in stay.rows.iter().enumerate() {
            let begin = EPOCH + row.hour * HOUR;
            let next = stay.rows.get(at + 1).map_or(begin + HOUR, |next| EPOCH + next.hour * HOUR);
            let mut now = begin;
            for _ in 0..JUDGED_MAX {
                // A row stands for its hour; where the next ones are missing, nothing is said.
                let says = now < begin + HOUR && !row.values.is_empty();
                run.step(now, if says { &messages[at] } else { &Event::Tick });
                run.answer(now);
                let patient = run.engine.patient(&run.id);
                let mut due = run.answers.due();
                let sooner = |due: Option<i64>, other: Option<i64>| due.into_iter().chain(other).min();
                if let Some(patient) = patient {
                    due = sooner(due, patient.changes_at().filter(|at| *at > now));
                    if let Some(happening) = happening.as_deref_mut() {
                        happening.judge(self.events, patient, now);
                        due = sooner(due, happening.due().filter(|at| *at > now));
                    }
                }
                let Some(due) = due else { break };
                now = due.div_euclid(TICK) * TICK + if due.rem_euclid(TICK) > 0 { TICK } else { 0 };
                if now >= next {
                    break;
                }
            }
        }
        run.watch
    }

    /// The patient comes, with their age, and the monitor is put on them.
    fn admit(&self, run: &mut Run<'_>, stay: &Stay) {
        let Some(first) = stay.rows.first() else { return };
        let at = EPOCH + first.hour * HOUR - MINUTE;
        let mut patient = Patient::unknown(run.id.clone());
        patient.birth_date = stay.age_years.map(|age| born(age, at));
        let patient = Action::Directory(DirectoryEvent::Patient(patient));
        let device = self.device.clone();
        let on = Action::Associate { device, patient: run.id.clone(), since: None };
        for action in [patient, on] {
            run.step(at, &Event::Action(self.actor.clone(), action));
        }
    }

    fn message(&self, row: &Row) -> Event {
        let measurements = row.values.iter().map(|(column, value)| Measurement {
            metric: column.metric,
            value: Value::Numeric(*value),
            unit: column.unit,
            device_time: None,
            quality: Quality::empty(),
            channel: 0,
        });
        let reading =
            Reading { device: self.device.clone(), patient: None, measurements: measurements.collect() };
        Event::Message(Message {
            origin: Origin {
                protocol: Protocol::Mqtt,
                address: String::new(),
                sender: String::new(),
                message_id: String::new(),
                profile: String::new(),
            },
            received: ReceiveTime(EPOCH + row.hour * HOUR),
            time_base: TimeBase::Live,
            payload: Vec::new(),
            content: vec![Content::Reading(reading)],
            problems: Vec::new(),
        })
    }
}

impl Run<'_> {
    fn step(&mut self, now: i64, event: &Event) {
        self.offset += 1;
        match event {
            Event::Message(message) if message.received.0 != now => {
                // The monitor says it again.
                let again = Message { received: ReceiveTime(now), ..message.clone() };
                self.engine.step(self.offset, ReceiveTime(now), &Event::Message(again), &mut self.out);
            }
            event => self.engine.step(self.offset, ReceiveTime(now), event, &mut self.out),
        }
        self.take();
    }

    /// People take what is due.
    fn answer(&mut self, now: i64) {
        for episode in self.answers.take(now) {
            let action = answers::acknowledge(episode);
            self.engine.answer(&answers::actor(), &action, &mut self.out);
        }
        self.take();
    }

    fn take(&mut self) {
        for effect in self.out.drain(..) {
            let Effect::Alert(record) = effect else { continue };
            self.watch.note(0, &record);
            if record.episode.state.sounding() {
                let at = answers::answered_at(self.answered_after_s, self.name, record.at.0);
                self.answers.expect(at, record.episode.id);
            } else {
                self.answers.drop(record.episode.id);
            }
        }
    }
}

/// The date of birth of somebody of this age.
fn born(age_years: f64, at: i64) -> String {
    let year = 1970.0 + at as f64 / (365.2425 * DAY as f64) - age_years.clamp(0.0, 130.0);
    // The day does not matter to a policy; the year's share is kept to the month.
    let month = ((year.fract() * 12.0) as i64).clamp(0, 11) + 1;
    format!("{:04}-{month:02}-15", year as i64)
}
