//! What a message from a wire does.

use smallvec::SmallVec;
use vitals::{
    AssociationBasis, Content, Device, DeviceId, DeviceTime, EffectiveTime, LinkState, Measurement,
    Message, MetricCode, PatientId, PatientRef, Point, Protocol, Quality, Reading, ReadingRef,
    SeriesId, SeriesKey, TimeBase, Value,
};

use crate::device::DeviceState;
use crate::effect::Effect;
use crate::shared::Shared;
use crate::value::Arriving;
use crate::{Engine, Step};

/// What all measurements of one reading share.
pub(crate) struct Source<'a> {
    pub(crate) reading: &'a Reading,
    pub(crate) message: &'a Message,
    /// Newest device time in the reading: of samples, the end.
    pub(crate) newest: Option<DeviceTime>,
}

/// One value on its way to a series.
struct Incoming<'a> {
    metric: MetricCode,
    channel: u32,
    value: f64,
    text: Option<&'a str>,
    /// Whether the text is the value, not only the name of a number.
    is_text: bool,
    quality: Quality,
    time: EffectiveTime,
    index: u16,
}

impl Engine {
    pub(crate) fn message(&mut self, message: &Message, cx: &mut Step, out: &mut Vec<Effect>) {
        for content in &message.content {
            if let Content::Directory(event) = content {
                self.directory_event(event, out);
            }
        }
        let mut index = 0_u16;
        for content in &message.content {
            if let Content::Reading(reading) = content {
                self.reading(reading, message, &mut index, cx, out);
            }
        }
        // After the values that came with them, which say what they are about.
        for content in &message.content {
            if let Content::Alarm(alarm) = content {
                self.device_alarm(alarm, message, cx, out);
            }
        }
        if !message.problems.is_empty() {
            self.count_problem(message);
        }
    }

    fn reading(
        &mut self,
        reading: &Reading,
        message: &Message,
        index: &mut u16,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let source = Source {
            reading,
            message,
            newest: reading.measurements.iter().filter_map(end_of).max(),
        };
        self.hear(&source, cx, out);
        let named = reading.patient.as_ref().map(|who| self.named_patient(who, &source, out));
        // Patients touched by this reading, and whether a present value changed: usually one, whom
        // the device is on now.
        let mut touched: SmallVec<[(PatientId, bool); 1]> = SmallVec::new();
        for measurement in &reading.measurements {
            if let Value::SampleArray(array) = &measurement.value {
                self.samples(&source, (measurement, array), named.as_ref(), *index, cx, out);
                *index = index.saturating_add(1);
                continue;
            }
            let (time, flags) = self.time_of(&source, measurement.device_time);
            let (subject, until) = self.subject(&reading.device, named.as_ref(), time, out);
            let first = *index;
            *index = index.saturating_add(spread(
                measurement,
                time,
                measurement.quality | flags,
                first,
                |incoming| {
                    let became_present =
                        self.store_value(&source, (subject.as_ref(), until), incoming, cx, out);
                    note(&mut touched, subject.clone(), became_present);
                },
            ));
        }
        self.analyse_waiting(cx, out, |patient, judge| note(&mut touched, Some(patient), judge));
        for (patient, present) in touched {
            self.came_through(&patient);
            if present && !self.relays.late {
                self.judge_patient(&patient, cx, out);
            } else {
                self.set_patient_timer(&patient);
            }
        }
    }

    /// Notes that the device spoke: its clock, its rhythm, the end of its silence.
    fn hear(&mut self, source: &Source<'_>, cx: &mut Step, out: &mut Vec<Effect>) {
        let (id, received) = (&source.reading.device, source.message.received);
        let recorded = source.message.time_base == TimeBase::Recorded;
        let at = self.now;
        // What an edge held back is no sign of life.
        let past = cx.released || self.relays.late;
        let device = self.announce(id, out);
        // A message released from quarantine is none that the device sends now.
        if !past {
            device.hear(at, source.message.origin.protocol);
            device.recorded = recorded;
        }
        device.values += source.reading.measurements.len() as u64;
        // A request over HTTP may hold what was measured any time ago; its clock proves nothing.
        if !recorded && !cx.released && source.message.origin.protocol != Protocol::Fhir {
            device.clock.observe(source.newest, received);
        }
        if let Some(newest) = source.newest.filter(|_| !recorded && !cx.released) {
            let (time, _) = device.clock.effective(Some(newest), received);
            let delay = received.0.saturating_sub(time.0);
            device.delay_us = Some(device.delay_us.map_or(delay, |old| old + (delay - old) / 8));
        }
        let on = device.current().map(|association| association.patient.clone());
        let slow = device.interval_us.is_some_and(|interval| interval > self.policy.gap.clear_us);
        if let Some(patient) = on.filter(|_| !past) {
            self.end_silence(&patient, id, slow, cx, out);
        }
        self.touch_device(id);
        self.set_device_timer(id);
    }

    /// A device that was silent is so no more when it has been heard for long enough; a slow one,
    /// when it is heard at all.
    fn end_silence(
        &mut self,
        patient: &PatientId,
        id: &DeviceId,
        slow: bool,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let now = self.now.0;
        let clear_us = self.policy.gap.clear_us;
        let patient = self.directory.resolve(patient).clone();
        let Some(state) = self.patients.get_mut(&patient) else { return };
        let Some(at) = state.silent.iter().position(|gap| gap.device == *id) else { return };
        let heard = *state.silent[at].heard_again.get_or_insert(now);
        if slow || now.saturating_sub(heard) >= clear_us {
            state.silent.remove(at);
            state.clock = state.clock.max(now);
            self.judge_patient(&patient, cx, out);
        }
        self.touch_patient(&patient);
    }

    /// When a measurement was true, and the flags that say how that is known.
    pub(crate) fn time_of(&self, source: &Source<'_>, time: Option<DeviceTime>) -> (EffectiveTime, Quality) {
        let received = source.message.received;
        if source.message.time_base == TimeBase::Recorded {
            return (EffectiveTime(time.map_or(received.0, |time| time.0)), Quality::RECORDED);
        }
        let (time, flags) = match self.devices.get(&source.reading.device) {
            Some(device) => device.clock.effective(time, received),
            None => (EffectiveTime(received.0), Quality::NO_DEVICE_TIME),
        };
        (time, if self.relays.late { flags | Quality::LATE } else { flags })
    }

    /// The patient whom the message itself names. While nobody else put the device on somebody,
    /// that associates it, from the reading's time on.
    pub(crate) fn named_patient(
        &mut self,
        who: &PatientRef,
        source: &Source<'_>,
        out: &mut Vec<Effect>,
    ) -> PatientId {
        let before = out.len();
        let patient = self.directory.find_or_create(who, out);
        if out.len() > before {
            self.touch_directory();
        }
        self.ensure_patient(&patient);
        let (time, _) = self.time_of(source, source.newest);
        let id = &source.reading.device;
        let current = self.devices.get(id).and_then(|device| device.current()).cloned();
        let change = match &current {
            None => true,
            Some(now) if now.patient == patient => false,
            // A person's word stands; the readings then go to nobody, see `subject`.
            Some(now) => !matches!(now.basis, AssociationBasis::Person(_)) && time >= now.start,
        };
        if change && !matches!(source.message.origin.protocol, Protocol::Fhir | Protocol::Http) {
            self.associate(id, &patient, AssociationBasis::Message, time, out);
        }
        patient
    }

    /// Whose a value is (PA-1): whoever the device was on at that time, and until when it was.
    /// Where the message names somebody else than that, nobody: it is kept with the device, and
    /// counted.
    pub(crate) fn subject(
        &self,
        device: &DeviceId,
        named: Option<&PatientId>,
        time: EffectiveTime,
        out: &mut Vec<Effect>,
    ) -> (Option<PatientId>, Option<EffectiveTime>) {
        let association = self.devices.get(device).and_then(|device| device.association_at(time));
        let Some(association) = association else { return (named.cloned(), None) };
        let patient = self.directory.resolve(&association.patient);
        if named.is_some_and(|named| named != patient) {
            out.push(Effect::Counted("patient-conflict"));
            return (None, None);
        }
        (Some(patient.clone()), association.end)
    }

    /// Puts one value into its series and, if it is the latest, on the patient. Returns whether
    /// it became the present value of its metric.
    fn store_value(
        &mut self,
        source: &Source<'_>,
        (subject, until): (Option<&PatientId>, Option<EffectiveTime>),
        incoming: Incoming<'_>,
        cx: &Step,
        out: &mut Vec<Effect>,
    ) -> bool {
        let device = &source.reading.device;
        let series = self.series_of(device, subject, incoming.metric, incoming.channel, out);
        let received = source.message.received;
        let mut arriving = Arriving {
            metric: incoming.metric,
            row: incoming.metric.metric(),
            value: incoming.value,
            text: incoming.text,
            device,
            reading: ReadingRef { series, offset: cx.offset, index: incoming.index },
            time: incoming.time,
            received,
            quality: incoming.quality,
            until,
        };
        let (mut present, mut teaches) = (false, false);
        if let Some(patient) = subject.and_then(|id| self.patients.get_mut(id)) {
            arriving.quality |= patient.values.judge(&arriving);
            let shown = patient.advance(incoming.time, self.now, source.message.time_base);
            let clock = patient.clock;
            present = shown && patient.values.take(&arriving, clock);
            if let (true, Some(row), true) = (present, arriving.row, arriving.quality.usable()) {
                patient.past.note(row, arriving.value, incoming.time.0);
                teaches = true;
            }
            if shown && arriving.quality.usable() {
                patient.care.note(incoming.metric, arriving.value, incoming.time.0);
            }
            if shown && crate::care::is_chart(device.as_str()) {
                let at = incoming.time.0.min(clock);
                patient.care.look(at, &source.message.origin.sender, "charted");
            }
            let looked_at = shown && !self.judges.none() && arriving.quality.usable() && !incoming.is_text;
            if let Some(variable) = predict::Variable::of(incoming.metric).filter(|_| looked_at) {
                let stay = self.directory.encounter_of(&patient.id).filter(|_| !patient.recorded);
                let began = stay.and_then(|stay| stay.start).map_or(i64::MAX, |start| start.0);
                // What a wrong clock dates ahead counts as of now: nothing looks ahead.
                let time = incoming.time.0.min(clock);
                patient.foresight.note(variable, time, arriving.value, began);
            }
        } else if let Some(row) = arriving.row {
            if row.plausible.is_some_and(|(l, h)| !(l..=h).contains(&incoming.value)) {
                arriving.quality |= Quality::IMPLAUSIBLE;
            }
        }
        if let Some(patient) = subject.filter(|_| teaches) {
            self.teach(patient, (incoming.metric, incoming.value), incoming.time, arriving.quality);
        }
        if let (vitals::metric::code::BATTERY, Some(state)) =
            (incoming.metric, self.devices.get_mut(device))
        {
            state.battery = Some(incoming.value);
        }
        if self.commands_open() && !cx.released && source.message.time_base == TimeBase::Live {
            self.read_back(device, (incoming.metric, incoming.value), incoming.time, out);
        }
        let point = Point {
            time: incoming.time,
            received,
            value: incoming.value,
            offset: cx.offset,
            index: incoming.index,
            quality: arriving.quality,
        };
        out.push(match incoming.text.filter(|_| incoming.is_text) {
            Some(text) => Effect::Text(series, point, text.to_owned()),
            None => Effect::Point(series, point),
        });
        if let Some(id) = subject {
            self.touch_patient(id);
        }
        present
    }

    /// The series of a metric of a device on a subject, opened if it is new.
    pub(crate) fn series_of(
        &mut self,
        device: &DeviceId,
        subject: Option<&PatientId>,
        metric: MetricCode,
        channel: u32,
        out: &mut Vec<Effect>,
    ) -> SeriesId {
        let known = self.devices.get(device).and_then(|state| {
            state
                .series
                .iter()
                // The present patient's series are the last.
                .rev()
                .find(|(s, m, c, _)| *m == metric && *c == channel && s.as_ref() == subject)
                .map(|(.., id)| *id)
        });
        if let Some(id) = known {
            return id;
        }
        let id = self.new_series();
        if let Some(state) = self.devices.get_mut(device) {
            state.series.push((subject.cloned(), metric, channel, id));
        }
        let key = SeriesKey {
            subject: subject.cloned(),
            device: device.clone(),
            metric,
            channel,
        };
        out.push(Effect::SeriesOpened(id, key));
        id
    }

    /// The device's state; one never heard before is announced.
    pub(crate) fn announce(&mut self, id: &DeviceId, out: &mut Vec<Effect>) -> &mut DeviceState {
        if !self.devices.contains_key(id) {
            let device = Device::announced(id.clone());
            self.touch_device(id);
            out.push(Effect::Device(Box::new(device.clone())));
            self.devices.insert(id.clone(), Shared::new(DeviceState::new(device, false)));
        }
        self.devices.get_mut(id).expect("inserted above if it was missing")
    }

    pub(crate) fn link(&mut self, id: &DeviceId, state: LinkState, out: &mut Vec<Effect>) {
        self.announce(id, out).link = state;
        self.touch_device(id);
    }

    fn count_problem(&mut self, message: &Message) {
        let devices = message.content.iter().filter_map(|content| match content {
            Content::Reading(reading) => Some(&reading.device),
            Content::Alarm(alarm) => Some(&alarm.device),
            Content::Directory(_) => None,
        });
        // A message of which nothing was understood names its sender at best.
        let sender = DeviceId::new(&message.origin.sender).ok();
        let first = devices.cloned().next().or(sender);
        if let Some(id) = first.filter(|id| self.devices.contains_key(id)) {
            if let Some(device) = self.devices.get_mut(&id) {
                device.problems += 1;
            }
            self.touch_device(&id);
        }
    }

    pub(crate) fn ensure_patient(&mut self, id: &PatientId) {
        if !self.patients.contains_key(id) {
            let mut state = crate::PatientState::new(id.clone());
            state.derived = self.derived_before.remove(id).unwrap_or_default();
            self.patients.insert(id.clone(), Shared::new(state));
            self.configure(id);
            self.touch_patient(id);
        }
    }
}

/// Notes that a patient was touched, and whether a present value changed.
fn note(touched: &mut SmallVec<[(PatientId, bool); 1]>, patient: Option<PatientId>, present: bool) {
    let Some(patient) = patient else { return };
    match touched.iter_mut().find(|(other, _)| *other == patient) {
        Some((_, so_far)) => *so_far |= present,
        None => touched.push((patient, present)),
    }
}

/// The device's time of a measurement; of samples, that of the end: they were sent after it.
fn end_of(measurement: &Measurement) -> Option<DeviceTime> {
    let time = measurement.device_time?;
    Some(match &measurement.value {
        Value::SampleArray(array) => time.plus(array.rate.micros(array.len() as u64)),
        _ => time,
    })
}

/// Calls `each` with every value in a measurement; returns how many indexes it took.
fn spread<'a>(
    measurement: &'a Measurement,
    time: EffectiveTime,
    quality: Quality,
    index: u16,
    mut each: impl FnMut(Incoming<'a>),
) -> u16 {
    let one = |value: f64, text, is_text| Incoming {
        metric: measurement.metric,
        channel: measurement.channel,
        value,
        text,
        is_text,
        quality,
        time,
        index,
    };
    match &measurement.value {
        Value::Numeric(value) => each(one(*value, None, false)),
        Value::Enumeration(number, text) => each(one(f64::from(*number), Some(text), false)),
        Value::Text(text) => each(one(f64::NAN, Some(text), true)),
        // Placed sample by sample, see `wave`.
        Value::SampleArray(_) => {}
        Value::Compound(parts) => {
            for (at, (metric, value)) in (0_u16..).zip(parts) {
                each(Incoming { metric: *metric, index: index + at, ..one(*value, None, false) });
            }
            return u16::try_from(parts.len()).unwrap_or(u16::MAX).max(1);
        }
    }
    1
}
