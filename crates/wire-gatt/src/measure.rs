//! What payloads mean in the platform's words: metrics by IEEE 11073 code, in the metric's own
//! unit, with quality from the device's own doubts. Pure: the clock's zone and the times that
//! relative ones count from are arguments.
//!
//! A field that holds no number (NaN, infinite, a failed weighing) gives no measurement but a
//! problem, so that "above what the meter measures" is told apart from silence.

mod alarms;
mod metabolic;
mod vital;

use medfloat::Special;
use vitals::metric::MetricKind;
use vitals::{
    AlarmKind, AlarmPriority, AlarmSignal, AlarmState, DeviceTime, Measurement, Metric, MetricCode, Problem, ProblemKind, Quality, Unit, Value,
};

use crate::Payload;
use crate::time::DateTime;

/// What a payload does not say of its times.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// How far the device's local time is ahead of UTC.
    pub utc_offset_minutes: i32,
    /// Where relative times count from: the start of the CGM session, the last reference time of
    /// the pump, the time of the glucose record that a context belongs to.
    pub base: Option<DeviceTime>,
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// Measurements, in the payload's order.
    pub measurements: Vec<Measurement>,
    /// How the device's own alarms are from now on.
    pub alarms: Vec<Alarm>,
    /// What could not be taken for one; paths are the fields' names.
    pub problems: Vec<Problem>,
    /// Which of the device's users was measured, where it tells: a scale in a household measures
    /// more people than the patient that it is assigned to.
    pub user: Option<u8>,
}

/// How one of the device's alarms is from now on, in the words of [`vitals::DeviceAlarm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Which of the device's.
    pub id: &'static str,
    /// Of the device, or advice.
    pub kind: AlarmKind,
    /// How urgent; the services themselves say nothing of that.
    pub priority: AlarmPriority,
    /// Whether it is there.
    pub state: AlarmState,
    /// What the device does to be heard.
    pub signal: AlarmSignal,
    /// What it is, in words.
    pub text: &'static str,
}

/// The measurements in a payload. Payloads that hold none (features, control points, clocks) have
/// an empty meaning.
#[must_use]
pub fn measure(payload: &Payload, timing: Timing) -> Meaning {
    let mut notes = Notes {
        meaning: Meaning::default(),
        timing,
        time: None,
        quality: Quality::empty(),
        channel: 0,
    };
    match payload {
        Payload::HeartRate(heart) => vital::heart_rate(&mut notes, heart),
        Payload::BloodPressure(pressure) => vital::blood_pressure(&mut notes, &pressure.0),
        Payload::Temperature(value) => vital::temperature(&mut notes, &value.0),
        Payload::IntermediateTemperature(value) => {
            notes.quality |= Quality::QUESTIONABLE;
            vital::temperature(&mut notes, &value.0);
        }
        Payload::SpotCheck(value) => vital::spot_check(&mut notes, value),
        Payload::Continuous(value) => vital::continuous(&mut notes, value),
        Payload::Running(value) => vital::running(&mut notes, *value),
        Payload::Battery(battery) => vital::battery(&mut notes, battery.0),
        Payload::Weight(weight) => metabolic::weight(&mut notes, weight),
        Payload::BodyComposition(body) => metabolic::composition(&mut notes, body),
        Payload::Glucose(record) => metabolic::glucose(&mut notes, record),
        Payload::GlucoseContext(context) => metabolic::context(&mut notes, context),
        Payload::CgmMeasurement(records) => {
            for record in &records.0 {
                metabolic::cgm(&mut notes, record);
            }
        }
        Payload::PumpStatus(status) => {
            notes.decimal(
                "reservoir remaining amount",
                "VW_INSULIN_RESERVOIR",
                status.reservoir.value(),
                "[iU]",
            );
            alarms::pump_status(&mut notes, *status);
        }
        Payload::AnnunciationStatus(status) => alarms::annunciation(&mut notes, *status),
        Payload::StatusReader(reader) => metabolic::reading(&mut notes, &reader.reading),
        Payload::HistoryEvent(event) => metabolic::history(&mut notes, event),
        _ => {}
    }
    notes.meaning
}

/// A meaning in the making: what holds for the measurements to come.
struct Notes {
    meaning: Meaning,
    timing: Timing,
    time: Option<DeviceTime>,
    quality: Quality,
    channel: u32,
}

impl Notes {
    /// The measurements to come are of this time.
    fn at(&mut self, time: Option<DateTime>) {
        self.time =
            time.and_then(|time| match time.to_device_time(self.timing.utc_offset_minutes) {
                Ok(time) => Some(time),
                Err(fault) => {
                    self.problem(ProblemKind::BadTime, "time stamp", fault.to_string());
                    None
                }
            });
    }

    /// The measurements to come were made so long after the base. Where that is not known they may
    /// be of any age: they are questionable.
    fn after(&mut self, micros: i64, base: &'static str) {
        self.time = self.timing.base.map(|base| base.plus(micros));
        if self.time.is_none() {
            self.quality |= Quality::QUESTIONABLE;
            let detail = format!("the {base} is not known: read it first");
            self.problem(ProblemKind::BadTime, "time offset", detail);
        }
    }

    /// The measurements to come are of this user.
    fn of_user(&mut self, user: Option<u8>) {
        self.meaning.user = user.filter(|user| *user != 0xff);
    }

    /// Quality flags for the measurements to come.
    fn doubt(&mut self, invalid: bool, questionable: bool) {
        if invalid {
            self.quality |= Quality::INVALID;
        } else if questionable {
            self.quality |= Quality::QUESTIONABLE;
        }
    }

    /// A measurement, if the field holds a number.
    fn decimal(
        &mut self,
        field: &'static str,
        refid: &str,
        value: Result<f64, Special>,
        unit: &str,
    ) {
        match value {
            Ok(value) => self.number(field, refid, value, unit),
            Err(special) => {
                self.problem(ProblemKind::BadValue, field, special.meaning().to_owned())
            }
        }
    }

    /// A measurement.
    fn number(&mut self, field: &'static str, refid: &str, value: f64, unit: &str) {
        match in_own_unit(refid, value, unit) {
            Some((metric, value, converted)) => self.push(metric, Value::Numeric(value), converted),
            None => {
                self.problem(ProblemKind::UnknownUnit, field, format!("{refid} can't be in {unit}"))
            }
        }
    }

    /// Several numbers that belong together; a part that is no number is left out.
    fn group(
        &mut self,
        refid: &str,
        parts: &[(&'static str, &str, Result<f64, Special>)],
        unit: &str,
    ) {
        let mut values: Vec<(MetricCode, f64)> = Vec::new();
        let mut converted = false;
        for (field, part, value) in parts {
            let number = match value {
                Ok(number) => *number,
                Err(special) => {
                    self.problem(ProblemKind::BadValue, field, special.meaning().to_owned());
                    continue;
                }
            };
            if let Some((metric, value, change)) = in_own_unit(part, number, unit) {
                values.push((metric.code, value));
                converted |= change;
            }
        }
        let whole = Metric::by_refid(refid).filter(|whole| whole.kind == MetricKind::Compound);
        if let Some(whole) = whole.filter(|_| !values.is_empty()) {
            self.push(whole, Value::Compound(values), converted);
        }
    }

    fn push(&mut self, metric: &Metric, value: Value, converted: bool) {
        let mut quality = self.quality;
        if converted {
            quality |= Quality::UNIT_CONVERTED;
        }
        self.meaning.measurements.push(Measurement {
            metric: metric.code,
            value,
            unit: metric.unit,
            device_time: self.time,
            quality,
            channel: self.channel,
        });
    }

    fn problem(&mut self, kind: ProblemKind, field: &str, detail: String) {
        self.meaning.problems.push(Problem { kind, path: field.to_owned(), detail });
    }
}

/// The metric, the value in its own unit, and whether that took a conversion.
fn in_own_unit(refid: &str, value: f64, unit: &str) -> Option<(&'static Metric, f64, bool)> {
    let metric = Metric::by_refid(refid)?;
    let unit = Unit::from_ucum(unit)?;
    if unit == metric.unit {
        return Some((metric, value, false));
    }
    let value = metric.normalise(value, unit)?;
    // Binary arithmetic adds digits that no device measures (36.60000000000002).
    Some((metric, (value * 1e10).round() / 1e10, true))
}
