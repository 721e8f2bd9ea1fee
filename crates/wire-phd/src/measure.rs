//! What observations mean in the platform's words: metrics by code, in the metric's own unit,
//! quality from the device's own doubts. Pure: the device's clock is an argument.

use medfloat::{Float, Sfloat, Special};
use vitals::metric::MetricKind;
use vitals::{
    DeviceTime, Measurement, Metric, MetricCode, Problem, ProblemKind, Quality, SampleArray, Unit,
    Value,
};

use crate::bytes::{PhdError, Reader};
use crate::config::{Configuration, Object, attr, whole};
use crate::enumeration::{self, State};
use crate::scan::Observation;
use crate::terms;
use crate::time::{Clock, Told, absolute, base_offset, fine};
use crate::wave::samples;

/// What was understood of one observation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// Measurements.
    pub measurements: Vec<Measurement>,
    /// What could not be taken for one; paths are object handles.
    pub problems: Vec<Problem>,
    /// Whom, as the device numbers its users.
    pub person: Option<u16>,
    /// The object that was observed.
    pub object: u16,
    /// The observation as a report of its own would have it: handle and attributes.
    pub bytes: Vec<u8>,
}

/// The nomenclature's partition of dimensions.
const DIMENSIONS: u32 = 4;

/// The number of one value: what, and how much.
type Number = (MetricCode, Result<f64, Special>);

/// The partition of health and fitness.
const FITNESS: u32 = 129;
/// `MDC_HF_DISTANCE`, which step counters tell in steps; `VW_STEPS`; `MDC_HF_ACTIVITY_TIME`.
const DISTANCE: MetricCode = MetricCode(8_454_247);
const STEPS: MetricCode = MetricCode(67_109_030);
const ACTIVITY_TIME: MetricCode = MetricCode(8_454_269);

/// The measurements in an observation of an object of this configuration, by a device with this
/// clock.
#[must_use]
pub fn measure(observation: &Observation, configuration: &Configuration, clock: &Clock) -> Meaning {
    let mut meaning =
        Meaning { person: observation.person, object: observation.object, ..Meaning::default() };
    let path = format!("object {}", observation.object);
    let Some(object) = configuration.object(observation.object) else {
        meaning.problem(ProblemKind::Missing, &path, "the configuration has no such object");
        return meaning;
    };
    meaning.bytes = observation.bytes();
    let read = Reading::of(observation, object, clock);
    let reading = match read {
        Ok(reading) => Reading { channel: channel(object, configuration), ..reading },
        Err(error) => {
            meaning.problem(ProblemKind::Syntax, &path, &error.to_string());
            return meaning;
        }
    };
    if let Some(fault) = reading.time_fault {
        meaning.problem(ProblemKind::BadTime, &path, fault);
    }
    reading.tell(&path, &mut meaning);
    meaning
}

/// An object's handle as a channel, where the device has several objects of the same kind.
fn channel(object: &Object, configuration: &Configuration) -> u32 {
    let kind = object.attribute(attr::TYPE);
    let alike = configuration.objects.iter().filter(|other| other.attribute(attr::TYPE) == kind);
    match kind.is_some() && alike.count() > 1 {
        true => vitals::measurement::channel(0, 0, u32::from(object.handle)),
        false => 0,
    }
}

impl Meaning {
    fn problem(&mut self, kind: ProblemKind, path: &str, detail: &str) {
        self.problems.push(Problem { kind, path: path.to_owned(), detail: detail.to_owned() });
    }
}

/// An observation's attributes, read.
struct Reading {
    whole: MetricCode,
    partition: u16,
    compound: bool,
    states: Vec<(MetricCode, State)>,
    active_s: Option<f64>,
    channel: u32,
    numbers: Vec<Number>,
    samples: Option<SampleArray>,
    unit: Option<u32>,
    time: Option<DeviceTime>,
    time_fault: Option<&'static str>,
    quality: Quality,
}

impl Reading {
    fn of(observation: &Observation, object: &Object, clock: &Clock) -> Result<Self, PhdError> {
        let find = |id: u16| {
            let sent = observation.attributes.iter().find(|(known, _)| *known == id);
            sent.map(|(_, value)| &value[..]).or_else(|| object.attribute(id))
        };
        let (partition, code) = match find(attr::TYPE) {
            Some(bytes) => whole(bytes, |r| Ok((r.u16("partition")?, r.u16("code")?)))?,
            None => (0, 0),
        };
        let partition = match find(attr::METRIC_ID_PARTITION) {
            Some(bytes) => whole(bytes, |r| r.u16("metric-id-partition"))?,
            None => partition,
        };
        let states_of = match find(attr::ENUM_PARTITION) {
            Some(bytes) => whole(bytes, |r| r.u16("enum-obs-val-part"))?,
            None => partition,
        };
        let of = |code: u16| MetricCode(u32::from(partition) << 16 | u32::from(code)).canonical();
        let unit =
            find(attr::UNIT).map(|bytes| whole(bytes, |r| r.u16("unit-code"))).transpose()?;
        let mut reading = Self {
            whole: of(code),
            partition: states_of,
            compound: false,
            states: Vec::new(),
            active_s: None,
            channel: 0,
            numbers: Vec::new(),
            samples: samples(find)?,
            unit: unit.map(u32::from),
            time: None,
            time_fault: None,
            quality: Quality::empty(),
        };
        // A metric's own identifier stands before the object's type.
        let single = match find(attr::PHYSIO) {
            Some(bytes) => of(whole(bytes, |r| r.u16("metric-id"))?),
            None => reading.whole,
        };
        let parts = match find(attr::PHYSIO_LIST) {
            Some(bytes) => whole(bytes, |r| r.list("metric-id-list", |r| r.u16("metric-id")))?,
            None => Vec::new(),
        };
        let parts: Vec<MetricCode> = parts.into_iter().map(of).collect();
        for (id, value) in &observation.attributes {
            if let Some(seen) = enumeration::seen(*id, value)? {
                reading.doubt(seen.status);
                reading.states.push((seen.metric.map_or(single, of), seen.state));
            } else if !reading.take_time(*id, value, clock)? {
                reading.take(*id, value, single, &parts)?;
            }
        }
        Ok(reading)
    }

    fn take(
        &mut self,
        id: u16,
        value: &[u8],
        single: MetricCode,
        parts: &[MetricCode],
    ) -> Result<(), PhdError> {
        match id {
            attr::NU_BASIC => self.numbers.push((single, whole(value, sfloat)?)),
            attr::NU_SIMPLE => self.numbers.push((single, whole(value, float)?)),
            attr::NU_OBS => {
                let (status, unit, number) = whole(value, |r| {
                    r.u16("metric-id")?;
                    Ok((r.u16("state")?, r.u16("unit-code")?, float(r)?))
                })?;
                self.doubt(status);
                self.unit = Some(u32::from(unit));
                self.numbers.push((single, number));
            }
            attr::NU_COMPOUND_BASIC => {
                self.parts(whole(value, |r| r.list("values", sfloat))?, parts)
            }
            attr::NU_COMPOUND_SIMPLE => {
                self.parts(whole(value, |r| r.list("values", float))?, parts)
            }
            attr::STATUS => self.doubt(whole(value, |r| r.u16("measurement-status"))?),
            attr::TIME_ACTIVE => self.active_s = whole(value, float)?.ok(),
            _ => {}
        }
        Ok(())
    }

    /// Whether the attribute is a time, which is then taken.
    fn take_time(&mut self, id: u16, value: &[u8], clock: &Clock) -> Result<bool, PhdError> {
        let told: Told = match id {
            attr::TIME_ABSOLUTE => clock.absolute(whole(value, absolute)?),
            attr::TIME_BASE_OFFSET => clock.base_offset(whole(value, base_offset)?),
            attr::TIME_RELATIVE => clock.relative(whole(value, |r| r.u32("relative-time-stamp"))?),
            attr::TIME_FINE => clock.fine(whole(value, fine)?),
            _ => return Ok(false),
        };
        match told {
            // A time of day goes before one that is counted from it.
            Ok(time) if self.time.is_none() || matches!(id, attr::TIME_ABSOLUTE | attr::TIME_BASE_OFFSET) => {
                self.time = Some(time);
            }
            Ok(_) => {}
            Err(fault) => self.time_fault = Some(fault),
        }
        Ok(true)
    }

    fn parts(&mut self, values: Vec<Result<f64, Special>>, codes: &[MetricCode]) {
        self.compound = true;
        self.numbers.extend(codes.iter().copied().zip(values));
    }

    /// Measurement status, bit 0 being the highest (annex A.3.4).
    fn doubt(&mut self, status: u16) {
        for (bit, flag) in [
            (0, Quality::INVALID),
            (1, Quality::QUESTIONABLE),
            (2, Quality::INVALID),
            (3, Quality::CALIBRATING),
            (4, Quality::TEST),
            (5, Quality::TEST),
            (9, Quality::QUESTIONABLE),
        ] {
            if status & 0x8000 >> bit != 0 {
                self.quality |= flag;
            }
        }
    }

    fn tell(&self, path: &str, meaning: &mut Meaning) {
        let unit = self.unit.map(|code| Unit::from_mdc(DIMENSIONS << 16 | code));
        if unit == Some(None) {
            meaning.problem(ProblemKind::UnknownUnit, path, "no table knows this unit");
            return;
        }
        self.tell_samples(unit.flatten(), path, meaning);
        self.tell_states(path, meaning);
        let steps = unit.flatten() == Unit::from_ucum("{steps}");
        let mut told = Vec::new();
        let mut converted = false;
        for (code, number) in &self.numbers {
            let code = if *code == DISTANCE && steps { STEPS } else { *code };
            let Some(metric) = code.metric() else {
                meaning.problem(ProblemKind::UnknownMetric, path, "no table knows this metric");
                continue;
            };
            let number = match number {
                Ok(number) => *number,
                Err(special) => {
                    meaning.problem(ProblemKind::BadValue, path, special.meaning());
                    continue;
                }
            };
            let unit = unit.flatten().unwrap_or(metric.unit);
            let Some(value) = metric.normalise(number, unit) else {
                meaning.problem(ProblemKind::UnknownUnit, path, "the metric can't have this unit");
                continue;
            };
            let other = unit != metric.unit;
            converted |= other;
            // Binary arithmetic adds digits that no device measures.
            told.push((metric, if other { (value * 1e10).round() / 1e10 } else { value }));
        }
        let Some((first, value)) = told.first().copied() else { return };
        if self.compound {
            let parts = told.iter().map(|(metric, value)| (metric.code, *value)).collect();
            meaning.measurements.push(self.build(
                self.whole,
                first,
                Value::Compound(parts),
                converted,
            ));
        } else {
            meaning.measurements.push(self.build(
                first.code,
                first,
                Value::Numeric(value),
                converted,
            ));
        }
    }

    fn tell_states(&self, path: &str, meaning: &mut Meaning) {
        for (code, state) in &self.states {
            let Some(metric) = code.metric() else {
                meaning.problem(ProblemKind::UnknownMetric, path, "no table knows this enumeration");
                continue;
            };
            if !matches!(metric.kind, MetricKind::Enumeration | MetricKind::Text) {
                meaning.problem(ProblemKind::BadValue, path, "a state where a number is due");
                continue;
            }
            let value = match (enumeration::number(state, metric.code, self.partition), state) {
                (Some((number, words)), _) => Value::Enumeration(number, words),
                (None, State::Text(text)) => Value::Text(text.clone()),
                (None, _) => continue,
            };
            meaning.measurements.push(self.build(metric.code, metric, value, false));
            if let State::Bits(word, _) = state {
                meaning.measurements.extend(self.told_besides(metric.code, *word));
            }
            if let Some(minutes) = self.active_s.filter(|_| code.0 >> 16 == FITNESS).map(|s| s / 60.0) {
                let active = ACTIVITY_TIME.metric();
                let value = Value::Numeric(minutes);
                meaning.measurements.extend(active.map(|row| self.build(row.code, row, value, false)));
            }
        }
    }

    /// What a hub's sensor says in a metric of the platform's own.
    fn told_besides(&self, code: MetricCode, word: u32) -> Option<Measurement> {
        let (own, number) = terms::told_by_sensor(code, word)?;
        let row = own.metric()?;
        let value = match row.kind {
            MetricKind::Enumeration => Value::Enumeration(number as i32, String::new()),
            _ => Value::Numeric(number),
        };
        Some(self.build(row.code, row, value, false))
    }

    fn tell_samples(&self, unit: Option<Unit>, path: &str, meaning: &mut Meaning) {
        let Some(samples) = &self.samples else { return };
        let wave = |metric: &&'static Metric| metric.kind == MetricKind::SampleArray;
        let Some(metric) = self.whole.metric().filter(wave) else {
            meaning.problem(ProblemKind::UnknownMetric, path, "no table knows this waveform");
            return;
        };
        let unit = unit.unwrap_or(metric.unit);
        let other = unit != metric.unit;
        let converted = if other {
            samples.clone().convert(|value| unit.convert(value, metric.unit))
        } else {
            Some(samples.clone())
        };
        match converted {
            None => {
                let detail = "the waveform can't have this unit";
                meaning.problem(ProblemKind::UnknownUnit, path, detail);
            }
            Some(samples) => {
                let value = Value::SampleArray(samples);
                meaning.measurements.push(self.build(metric.code, metric, value, other));
            }
        }
    }

    fn build(
        &self,
        code: MetricCode,
        metric: &Metric,
        value: Value,
        converted: bool,
    ) -> Measurement {
        let mut quality = self.quality;
        quality.set(Quality::UNIT_CONVERTED, converted);
        Measurement {
            metric: code,
            value,
            unit: metric.unit,
            device_time: self.time,
            quality,
            channel: self.channel,
        }
    }
}

fn sfloat(reader: &mut Reader<'_>) -> Result<Result<f64, Special>, PhdError> {
    reader.u16("basic-nu-observed-value").map(|bits| Sfloat::from_bits(bits).value())
}

fn float(reader: &mut Reader<'_>) -> Result<Result<f64, Special>, PhdError> {
    reader.u32("simple-nu-observed-value").map(|bits| Float::from_bits(bits).value())
}
