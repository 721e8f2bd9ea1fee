//! Alarms that devices raise themselves: taken up as conditions of the patient whom the device was
//! on, so that the same rules hold for them as for ours (AL-1 to AL-4).
//!
//! What a device said last of an alarm is kept, also that it ended: an older word that comes late,
//! or the same one again, changes nothing.

use alert::{Active, ConditionKey, Conditions, Priority};
use serde::{Deserialize, Serialize};
use vitals::alarm::{ALARM_ID_BYTES, ALARM_TEXT_BYTES, cut};
use vitals::time::MINUTE;
use vitals::{
    Actor, AlarmKind, AlarmPriority, AlarmSignal, AlarmState, DeviceAlarm, DeviceId, DeviceTime,
    Message, MetricCode, PatientId, Reading, Role,
};

use crate::effect::Effect;
use crate::message::Source;
use crate::patient::PatientState;
use crate::{Engine, Step};

/// An alarm of which its device says nothing for this long is given up, in microseconds.
const FORGOTTEN_AFTER: i64 = 24 * 60 * MINUTE;
/// Alarms kept a patient, the ended ones among them.
const MOST: usize = 256;
/// What the alerts of alarms that belong to none of ours are called by.
const OWN_GROUP: &str = "alarm/";
/// Why such an alert ended.
pub(crate) const SAID_OVER: &str = "the device says that it is over";

/// What a device on a patient said last of one of its alarms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Which device.
    pub device: DeviceId,
    /// Which of its alarms.
    pub id: String,
    /// Of the patient, of the device, or advice.
    pub kind: AlarmKind,
    /// How urgent.
    pub priority: AlarmPriority,
    /// Whether it is there.
    pub state: AlarmState,
    /// What the device does to be heard.
    pub signal: AlarmSignal,
    /// MDC code of the event.
    pub code: Option<MetricCode>,
    /// What the device shows; may be empty.
    pub text: String,
    /// The metric that it is about.
    pub source: Option<MetricCode>,
    /// Where in the device.
    pub channel: u32,
    /// Since when it has been there, in microseconds on the patient's clock.
    pub since: i64,
    /// When it was last spoken of, in microseconds on the patient's clock.
    pub said_at: i64,
    device_time: Option<DeviceTime>,
    key: ConditionKey,
}

impl Alarm {
    /// Whether it asks for anybody.
    fn holds(&self) -> bool {
        self.state != AlarmState::Inactive && self.priority != AlarmPriority::None
    }

    /// Whether a device speaks of this one, which is there, under another name.
    fn is_same(&self, said: &DeviceAlarm) -> bool {
        let what = self.code.is_some() && self.code == said.code && self.source == said.source;
        what && self.device == said.device
            && self.channel == said.channel
            && self.text == cut(&said.text, ALARM_TEXT_BYTES)
            && self.state != AlarmState::Inactive
    }

    /// The alert that it belongs to: that of our own rules about its metric, so that one trouble
    /// makes one alert, else its own.
    fn group<'a>(&'a self, conditions: &'a Conditions) -> &'a str {
        let ours = self.source.filter(|_| self.kind == AlarmKind::Physiological);
        match (ours.and_then(|metric| conditions.group_of(metric)), &self.key) {
            (Some(group), _) => group,
            (None, ConditionKey::Alarm(name)) => name,
            (None, _) => OWN_GROUP,
        }
    }

    pub(crate) fn active<'a>(&'a self, conditions: &'a Conditions) -> Active<'a> {
        Active {
            key: &self.key,
            priority: match self.priority {
                AlarmPriority::High => Priority::High,
                AlarmPriority::Medium => Priority::Medium,
                AlarmPriority::Low | AlarmPriority::None => Priority::Low,
            },
            excess: 0.0,
            below: false,
            worsen_by: f64::INFINITY,
            group: self.group(conditions),
            title: match (self.text.as_str(), self.kind) {
                ("", AlarmKind::Technical) => "Alarm about the device",
                ("", _) => "Alarm of the device",
                (text, _) => text,
            },
            rule: "said by the device",
            terms: self.source.as_slice(),
            latch: false,
            chain: 0,
        }
    }
}

/// Whether alerts of this group are of a device's alarm alone.
pub(crate) fn is_own(group: &str) -> bool {
    group.starts_with(OWN_GROUP)
}

/// The alarms among these that hold.
pub(crate) fn holding<'a>(
    alarms: &'a [Alarm],
    conditions: &'a Conditions,
) -> impl Iterator<Item = Active<'a>> {
    alarms.iter().filter(|alarm| alarm.holds()).map(|alarm| alarm.active(conditions))
}

/// The alarm of that condition.
pub(crate) fn by_key<'a>(alarms: &'a [Alarm], key: &ConditionKey) -> Option<&'a Alarm> {
    alarms.iter().find(|alarm| alarm.key == *key)
}

/// Gives up what nobody spoke of for long.
pub(crate) fn forget(alarms: &mut Vec<Alarm>, now: i64) {
    alarms.retain(|alarm| now.saturating_sub(alarm.said_at) < FORGOTTEN_AFTER);
}

impl Engine {
    /// Takes in what a device says of one of its alarms.
    pub(crate) fn device_alarm(
        &mut self,
        alarm: &DeviceAlarm,
        message: &Message,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        if cx.released || alarm.id.is_empty() {
            // What was true when it was quarantined says nothing of now.
            out.push(Effect::Counted("alarm-not-current"));
            return;
        }
        let (device, patient) = (alarm.device.clone(), alarm.patient.clone());
        let reading = Reading { device, patient, measurements: Vec::new() };
        let source = Source { reading: &reading, message, newest: alarm.device_time };
        self.hear_alarm(&source, out);
        let named = alarm.patient.as_ref().map(|who| self.named_patient(who, &source, out));
        let (time, _) = self.time_of(&source, alarm.device_time);
        let (subject, _) = self.subject(&alarm.device, named.as_ref(), time, out);
        let Some(id) = subject else {
            out.push(Effect::Counted("alarm-without-patient"));
            return;
        };
        self.ensure_patient(&id);
        let now = self.now;
        let Some(patient) = self.patients.get_mut(&id) else { return };
        if !patient.advance(time, now, message.time_base) {
            out.push(Effect::Counted("alarm-not-current"));
            return;
        }
        match take(patient, alarm) {
            Err(reason) => out.push(Effect::Counted(reason)),
            Ok(taken_at_device) => {
                self.judge_patient(&id, cx, out);
                if let Some(key) = taken_at_device {
                    self.acknowledged_at_device(&id, &alarm.device, &key, out);
                }
            }
        }
    }

    /// An alarm says that its device is there, but nothing of how often it measures: it neither
    /// makes nor ends a silence (AL-2).
    fn hear_alarm(&mut self, source: &Source<'_>, out: &mut Vec<Effect>) {
        let at = self.now;
        let device = self.announce(&source.reading.device, out);
        device.messages += 1;
        device.protocol = source.message.origin.protocol;
        if device.interval_us.is_none() {
            device.heard_at = Some(at);
        }
        self.touch_device(&source.reading.device);
    }

    /// Somebody took the alarm at the bedside: whoever it was, it need not sound here as well.
    fn acknowledged_at_device(
        &mut self,
        id: &PatientId,
        device: &DeviceId,
        key: &ConditionKey,
        out: &mut Vec<Effect>,
    ) {
        let Some(patient) = self.patients.get_mut(id) else { return };
        let now = if patient.recorded { patient.clock } else { self.now.0 };
        let open = patient.episodes.open().iter();
        let sounding = open.into_iter().find(|e| e.condition == *key && is_own(&e.group) && e.state.sounding());
        let Some(episode) = sounding.map(|episode| episode.id) else { return };
        let actor = Actor { name: device.to_string(), role: Role::Service };
        let mut changes = Vec::new();
        patient.episodes.acknowledge(episode, &actor, None, "taken at the device", now, &mut changes);
        self.push_alerts(id, changes, out);
        self.touch_patient(id);
    }
}

/// Brings the patient's alarms up to date. Gives the alarm's condition if it was taken at the device
/// since the last word.
///
/// # Errors
/// Why it changes nothing, to be counted.
fn take(patient: &mut PatientState, said: &DeviceAlarm) -> Result<Option<ConditionKey>, &'static str> {
    let now = patient.clock;
    let id = cut(&said.id, ALARM_ID_BYTES);
    let known = patient.alarms.iter().position(|alarm| alarm.device == said.device && alarm.id == id);
    // A device that was started anew gives another number to what it said before (AL-1); and some
    // number the end of an alarm anew.
    let known = known.or_else(|| patient.alarms.iter().position(|alarm| alarm.is_same(said)));
    let id = &known.map_or_else(|| id.to_owned(), |at| patient.alarms[at].id.clone());
    let before = known.map(|at| &patient.alarms[at]);
    if let (Some(last), Some(new)) = (before.and_then(|alarm| alarm.device_time), said.device_time)
        && new < last
    {
        return Err("alarm-out-of-order");
    }
    if known.is_none() && patient.alarms.len() >= MOST {
        let ended = |alarm: &Alarm| alarm.state == AlarmState::Inactive;
        let oldest = patient.alarms.iter().position(ended).ok_or("alarm-limit")?;
        patient.alarms.remove(oldest);
        return take(patient, said);
    }
    let present = before.is_some_and(Alarm::holds);
    let taken = |signal: AlarmSignal| signal == AlarmSignal::Acknowledged;
    let was_taken = present && before.is_some_and(|alarm| taken(alarm.signal));
    let key = ConditionKey::Alarm(format!("{OWN_GROUP}{}/{id}", said.device));
    let alarm = Alarm {
        device: said.device.clone(),
        id: id.clone(),
        kind: said.kind,
        priority: said.priority,
        state: said.state,
        signal: said.signal,
        code: said.code,
        text: cut(&said.text, ALARM_TEXT_BYTES).to_owned(),
        source: said.source,
        channel: said.channel,
        since: before.filter(|alarm| alarm.holds()).map_or(now, |alarm| alarm.since),
        said_at: now,
        device_time: said.device_time.or(before.and_then(|alarm| alarm.device_time)),
        key: key.clone(),
    };
    match known {
        Some(at) => patient.alarms[at] = alarm,
        None => patient.alarms.push(alarm),
    }
    Ok(Some(key).filter(|_| taken(said.signal) && !was_taken))
}
