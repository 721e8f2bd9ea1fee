//! What observations mean in the platform's words: metrics by code, in the metric's own unit,
//! quality from the device's own doubts. Pure: the clock's zone is an argument.

use jiff::civil;
use jiff::tz::TimeZone;
use medfloat::{Float, Sfloat, Special};
use vitals::metric::MetricKind;
use vitals::time::MINUTE;
use vitals::{
    DeviceTime, Measurement, Metric, MetricCode, Problem, ProblemKind, Quality, SampleArray, Unit,
    Value,
};

use crate::bytes::{PhdError, Reader};
use crate::config::{Configuration, Object, attr, whole};
use crate::scan::Observation;
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
}

/// The nomenclature's partition of dimensions.
const DIMENSIONS: u32 = 4;

/// The number of one value: what, and how much.
type Number = (MetricCode, Result<f64, Special>);

/// The measurements in an observation of an object of this configuration, by a device whose clock
/// is `utc_offset_minutes` ahead of UTC.
#[must_use]
pub fn measure(
    observation: &Observation,
    configuration: &Configuration,
    utc_offset_minutes: i32,
) -> Meaning {
    let mut meaning = Meaning { person: observation.person, ..Meaning::default() };
    let path = format!("object {}", observation.object);
    let Some(object) = configuration.object(observation.object) else {
        meaning.problem(ProblemKind::Missing, &path, "the configuration has no such object");
        return meaning;
    };
    let read = Reading::of(observation, object, utc_offset_minutes);
    let reading = match read {
        Ok(reading) => reading,
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

impl Meaning {
    fn problem(&mut self, kind: ProblemKind, path: &str, detail: &str) {
        self.problems.push(Problem { kind, path: path.to_owned(), detail: detail.to_owned() });
    }
}

/// An observation's attributes, read.
struct Reading {
    whole: MetricCode,
    compound: bool,
    numbers: Vec<Number>,
    samples: Option<SampleArray>,
    unit: Option<u32>,
    time: Option<DeviceTime>,
    time_fault: Option<&'static str>,
    quality: Quality,
}

impl Reading {
    fn of(observation: &Observation, object: &Object, zone: i32) -> Result<Self, PhdError> {
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
        let of = |code: u16| MetricCode(u32::from(partition) << 16 | u32::from(code)).canonical();
        let unit =
            find(attr::UNIT).map(|bytes| whole(bytes, |r| r.u16("unit-code"))).transpose()?;
        let mut reading = Self {
            whole: of(code),
            compound: false,
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
        for (id, value) in &observation.attributes {
            reading.take(
                *id,
                value,
                single,
                &parts.iter().map(|p| of(*p)).collect::<Vec<_>>(),
                zone,
            )?;
        }
        Ok(reading)
    }

    fn take(
        &mut self,
        id: u16,
        value: &[u8],
        single: MetricCode,
        parts: &[MetricCode],
        zone: i32,
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
            attr::TIME_ABSOLUTE => match absolute(
                whole(value, |r| r.take("absolute-time", 8).map(<[u8]>::to_vec))?.as_slice(),
                zone,
            ) {
                Ok(time) => self.time = Some(time),
                Err(fault) => self.time_fault = Some(fault),
            },
            _ => {}
        }
        Ok(())
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
        let mut told = Vec::new();
        let mut converted = false;
        for (code, number) in &self.numbers {
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
            channel: 0,
        }
    }
}

fn sfloat(reader: &mut Reader<'_>) -> Result<Result<f64, Special>, PhdError> {
    reader.u16("basic-nu-observed-value").map(|bits| Sfloat::from_bits(bits).value())
}

fn float(reader: &mut Reader<'_>) -> Result<Result<f64, Special>, PhdError> {
    reader.u32("simple-nu-observed-value").map(|bits| Float::from_bits(bits).value())
}

/// Eight bytes of two decimal digits: century, year, month, day, hour, minute, second, hundredths
/// (annex A.2.11).
fn absolute(bytes: &[u8], utc_offset_minutes: i32) -> Result<DeviceTime, &'static str> {
    const FAULT: &str = "the device's date and time does not exist: set its clock";
    let digits: Vec<i16> = bytes
        .iter()
        .map(|byte| {
            (byte >> 4 < 10 && byte & 15 < 10)
                .then(|| i16::from(byte >> 4) * 10 + i16::from(byte & 15))
        })
        .collect::<Option<_>>()
        .ok_or(FAULT)?;
    let [century, year, month, day, hour, minute, second, hundredths] = digits[..] else {
        return Err(FAULT);
    };
    let time = civil::DateTime::new(
        century * 100 + year,
        month as i8,
        day as i8,
        hour as i8,
        minute as i8,
        second as i8,
        i32::from(hundredths) * 10_000_000,
    );
    let utc = time.and_then(|time| TimeZone::UTC.to_timestamp(time)).map_err(|_| FAULT)?;
    Ok(DeviceTime(utc.as_microsecond()).plus(-i64::from(utc_offset_minutes) * MINUTE))
}
