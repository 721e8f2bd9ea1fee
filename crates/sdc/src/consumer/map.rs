//! From states to what the journal keeps: readings, alarms, the device itself.
//!
//! A value is taken once: its determination time must be newer than that of the value taken before.
//! What can't be mapped is told once for each description, in quarantine, and counted every time.

use std::collections::{HashMap, HashSet};

use vitals::measurement::channel;
use vitals::metric::MetricKind;
use vitals::{
    Content, DeviceId, DeviceTime, Measurement, Metric, MetricCode, PatientRef, Problem,
    ProblemKind, Quality, Rate, Reading, SampleArray, Unit, Value,
};
use wire_sdc::basic::CodedValue;
use wire_sdc::state::ValueBase;
use wire_sdc::words::{ComponentActivation, Derivation, GenerationMode, OperatingModeMds, Validity};
use wire_sdc::{Descriptor, DescriptorKind, Mdib, State, StateKind};

use super::settings::{Known, Settings};

/// Codes from here on are private (IEEE 11073-10101, partition 1024): a device's are not ours.
const PRIVATE: u32 = 1_024 << 16;

/// Maps one device's states.
pub(super) struct Mapper<'a> {
    pub(super) settings: &'a Settings,
    pub(super) id: DeviceId,
    /// What the device's web service says of it, beside its description.
    pub(super) announced: Announced,
    /// Determination time of the value last taken, by handle.
    taken: HashMap<String, (Option<u64>, Option<u64>)>,
    /// Ordinal numbers of siblings, by parent.
    ordinals: HashMap<String, Vec<String>>,
    /// What was told since the description was read.
    told: HashSet<String>,
}

/// What a device's web service says of it (DPWS `ThisModel`, `ThisDevice`); empty where it says nothing.
#[derive(Debug, Default)]
pub(super) struct Announced {
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) version: String,
}

/// What a message says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) content: Vec<Content>,
    pub(super) problems: Vec<Problem>,
    /// Values that could not be mapped and were told before.
    pub(super) untold: u64,
}

impl<'a> Mapper<'a> {
    pub(super) fn new(settings: &'a Settings, id: DeviceId) -> Self {
        Self { settings, id, announced: Announced::default(), taken: HashMap::new(), ordinals: HashMap::new(), told: HashSet::new() }
    }

    /// A description was read anew: whatever can't be mapped is told again.
    pub(super) fn described(&mut self, mdib: &Mdib) {
        self.told.clear();
        for entry in &mdib.descriptors {
            self.ordinal(entry.parent.as_deref().unwrap_or(""), &entry.descriptor.handle);
        }
    }

    /// The device of the MDS that a descriptor belongs to: the first MDS is the device itself,
    /// others are named after it.
    pub(super) fn device_of(&self, mdib: &Mdib, handle: &str) -> DeviceId {
        let mds = mdib.path(handle).first().map_or("", |mds| mds.handle.as_str());
        let first = mdib.descriptors.first().map_or("", |entry| entry.descriptor.handle.as_str());
        if mds.is_empty() || mds == first {
            return self.id.clone();
        }
        DeviceId::sanitised(&format!("{}.{}", self.id, mds.replace('_', "-")))
    }

    /// Every MDS with its device.
    pub(super) fn devices(&self, mdib: &Mdib) -> Vec<(String, DeviceId)> {
        let mds = mdib.descriptors.iter().filter(|entry| entry.parent.is_none());
        mds.map(|entry| {
            let handle = &entry.descriptor.handle;
            (handle.clone(), self.device_of(mdib, handle))
        })
        .collect()
    }

    /// The containment path of a descriptor as a channel number.
    pub(super) fn channel(&mut self, mdib: &Mdib, handle: &str) -> u32 {
        let path: Vec<String> = mdib.path(handle).iter().map(|d| d.handle.clone()).collect();
        let mut numbers = [0_u32; 3];
        for (at, pair) in path.windows(2).take(3).enumerate() {
            numbers[at] = self.ordinal(&pair[0], &pair[1]);
        }
        channel(numbers[0], numbers[1], numbers[2])
    }

    fn ordinal(&mut self, parent: &str, child: &str) -> u32 {
        let siblings = self.ordinals.entry(parent.to_owned()).or_default();
        let at = siblings.iter().position(|known| known == child).unwrap_or_else(|| {
            siblings.push(child.to_owned());
            siblings.len() - 1
        });
        u32::try_from(at + 1).unwrap_or(u32::MAX)
    }

    /// Tells a problem, once for each description.
    pub(super) fn tell(&mut self, said: &mut Said, kind: ProblemKind, path: &str, detail: &str) {
        if self.told.insert(format!("{}/{path}", kind.name())) {
            let path = path[..path.floor_char_boundary(128)].to_owned();
            said.problems.push(Problem { kind, path, detail: detail.to_owned() });
        } else {
            said.untold += 1;
        }
    }

    /// Takes the metrics among the states, one reading a device.
    pub(super) fn metrics<'s>(
        &mut self,
        mdib: &Mdib,
        states: impl Iterator<Item = &'s State>,
        said: &mut Said,
    ) {
        let mut readings: Vec<Reading> = Vec::new();
        for state in states {
            let mut measurements = Vec::new();
            if state.metric().is_some() {
                measurements.extend(self.measurement(mdib, state, said));
            } else if let StateKind::Battery(battery) = &state.kind {
                for (metric, quantity) in [("MDC_ATTR_VAL_BATT_CHARGE", &battery.capacity), ("MDC_ATTR_TIME_BATT_REMAIN", &battery.remaining)] {
                    let found = quantity.as_ref().zip(Metric::by_refid(metric));
                    let Some((quantity, row)) = found else { continue };
                    // A capacity in ampere hours is no percentage: what does not convert is left out.
                    let unit = quantity.unit.mdc_code().and_then(Unit::from_mdc);
                    let Some(value) = unit.and_then(|unit| row.normalise(quantity.value, unit)) else { continue };
                    let key = format!("{}/{metric}", state.descriptor);
                    if self.is_new(&key, (state.version, None)) {
                        let channel = self.channel(mdib, &state.descriptor);
                        measurements.push(Measurement { channel, ..plain(row, Value::Numeric(value)) });
                    }
                }
            }
            if measurements.is_empty() {
                continue;
            }
            let device = self.device_of(mdib, &state.descriptor);
            match readings.iter_mut().find(|reading| reading.device == device) {
                Some(reading) => reading.measurements.append(&mut measurements),
                None => {
                    let patient = self.patient(mdib, &state.descriptor, said);
                    readings.push(Reading { device, patient, measurements });
                }
            }
        }
        said.content.extend(readings.into_iter().map(Content::Reading));
    }

    /// The patient whom the device says it is on, where its word counts.
    pub(super) fn patient(&mut self, mdib: &Mdib, handle: &str, said: &mut Said) -> Option<PatientRef> {
        let mds = mdib.path(handle).first().map(|mds| mds.handle.clone())?;
        super::context::patient(self, mdib, &mds, said)
    }

    fn is_new(&mut self, key: &str, now: (Option<u64>, Option<u64>)) -> bool {
        match self.taken.get(key) {
            // By its time where it has one, else by its version.
            Some((_, Some(last))) if now.1.is_some_and(|time| time <= *last) => false,
            Some((last, None)) if now.1.is_none() && *last == now.0 => false,
            _ => {
                self.taken.insert(key.to_owned(), now);
                true
            }
        }
    }

    fn measurement(&mut self, mdib: &Mdib, state: &State, said: &mut Said) -> Option<Measurement> {
        let descriptor = mdib.descriptor(&state.descriptor)?;
        let base = base_of(state)?;
        if has_no_value(state) || !self.is_new(&state.descriptor, (state.version, base.determined)) {
            return None;
        }
        let known = match self.known(descriptor) {
            Ok(known) => known,
            Err(kind) => {
                let detail = match kind {
                    ProblemKind::UnknownUnit => "the unit is none that is known: name it in sdc.metric",
                    _ => "the metric's code is private or unknown: say in sdc.metric what it is",
                };
                self.tell(said, kind, &state.descriptor, detail);
                return None;
            }
        };
        let (row, unit) = known;
        let value = match value_of(state, descriptor, row, unit) {
            Ok(value) => value,
            Err(kind) => {
                let detail = "the value or its unit is none that the metric can have";
                self.tell(said, kind, &state.descriptor, detail);
                return None;
            }
        };
        let metric = descriptor.metric()?;
        let mut quality = quality_of(base) | mode_of(mdib, &state.descriptor);
        if metric.derivation == Some(Derivation::Manual) {
            quality |= Quality::MANUAL;
        }
        if !matches!(state.metric()?.activation, None | Some(ComponentActivation::On)) {
            quality |= Quality::INVALID;
        }
        if unit != row.unit && matches!(value, Value::Numeric(_) | Value::SampleArray(_)) {
            quality |= Quality::UNIT_CONVERTED;
        }
        Some(Measurement {
            device_time: base.determined.and_then(device_time),
            quality,
            channel: self.channel(mdib, &state.descriptor),
            ..plain(row, value)
        })
    }

    /// What a metric's code and unit are here.
    fn known(&self, descriptor: &Descriptor) -> Result<(&'static Metric, Unit), ProblemKind> {
        let code = descriptor.code.as_ref().and_then(CodedValue::mdc_code).ok_or(ProblemKind::UnknownMetric)?;
        let said = || descriptor.metric()?.unit.mdc_code().and_then(Unit::from_mdc);
        let (row, unit) = match self.settings.metrics.get(&code) {
            Some(Known { metric, unit }) => (metric.metric(), unit.or_else(said)),
            None if code >= PRIVATE => return Err(ProblemKind::UnknownMetric),
            None => (MetricCode(code).metric(), said()),
        };
        let row = row.ok_or(ProblemKind::UnknownMetric)?;
        let textual = matches!(row.kind, MetricKind::Text | MetricKind::Enumeration);
        let unit = if textual { Some(row.unit) } else { unit };
        Ok((row, unit.ok_or(ProblemKind::UnknownUnit)?))
    }

    /// The metric's code here, if it has one.
    pub(super) fn code_of(&self, descriptor: &Descriptor) -> Option<MetricCode> {
        let code = descriptor.code.as_ref().and_then(CodedValue::mdc_code)?;
        match self.settings.metrics.get(&code) {
            Some(known) => Some(known.metric),
            None if code >= PRIVATE => None,
            None => Some(MetricCode(code).canonical()),
        }
    }
}

fn plain(row: &Metric, value: Value) -> Measurement {
    Measurement {
        metric: row.code,
        value,
        unit: row.unit,
        device_time: None,
        quality: Quality::empty(),
        channel: 0,
    }
}

pub(super) fn device_time(ms: u64) -> Option<DeviceTime> {
    i64::try_from(ms).ok().filter(|ms| *ms > 0).map(DeviceTime::from_millis)
}

fn base_of(state: &State) -> Option<&ValueBase> {
    Some(match &state.kind {
        StateKind::NumericMetric(s) => &s.value.as_ref()?.base,
        StateKind::StringMetric(s) => &s.value.as_ref()?.base,
        StateKind::EnumStringMetric(s) => &s.value.as_ref()?.base,
        StateKind::RealTimeSampleArrayMetric(s) => &s.value.as_ref()?.base,
        StateKind::DistributionSampleArrayMetric(s) => &s.value.as_ref()?.base,
        _ => return None,
    })
}

/// Whether a state says nothing that could be taken, though it is a value's.
fn has_no_value(state: &State) -> bool {
    match &state.kind {
        StateKind::NumericMetric(s) => s.value.as_ref().is_none_or(|v| v.value.is_none()),
        StateKind::StringMetric(s) => s.value.as_ref().is_none_or(|v| v.value.is_none()),
        StateKind::EnumStringMetric(s) => s.value.as_ref().is_none_or(|v| v.value.is_none()),
        StateKind::RealTimeSampleArrayMetric(s) => {
            s.value.as_ref().and_then(|v| v.samples.as_ref()).is_none_or(|samples| samples.0.is_empty())
        }
        _ => false,
    }
}

fn value_of(
    state: &State,
    descriptor: &Descriptor,
    row: &'static Metric,
    unit: Unit,
) -> Result<Value, ProblemKind> {
    match (&state.kind, row.kind) {
        (StateKind::NumericMetric(s), MetricKind::Numeric) => {
            let value = s.value.as_ref().and_then(|v| v.value).ok_or(ProblemKind::Missing)?;
            row.normalise(value, unit).map(Value::Numeric).ok_or(ProblemKind::UnknownUnit)
        }
        (StateKind::StringMetric(s), MetricKind::Text) => text(s.value.as_ref().and_then(|v| v.value.as_deref())),
        (StateKind::EnumStringMetric(s), MetricKind::Text) => text(s.value.as_ref().and_then(|v| v.value.as_deref())),
        (StateKind::EnumStringMetric(s), MetricKind::Enumeration) => {
            let word = s.value.as_ref().and_then(|v| v.value.as_deref()).ok_or(ProblemKind::Missing)?;
            let DescriptorKind::EnumStringMetric(described) = &descriptor.kind else {
                return Err(ProblemKind::BadValue);
            };
            let at = described.allowed.iter().position(|allowed| allowed.value == word);
            let number = at.and_then(|at| i32::try_from(at).ok()).ok_or(ProblemKind::BadValue)?;
            Ok(Value::Enumeration(number, word.to_owned()))
        }
        (StateKind::RealTimeSampleArrayMetric(s), MetricKind::SampleArray | MetricKind::Compound) => {
            let samples = s.value.as_ref().and_then(|v| v.samples.as_ref()).ok_or(ProblemKind::Missing)?;
            let DescriptorKind::RealTimeSampleArrayMetric(described) = &descriptor.kind else {
                return Err(ProblemKind::BadValue);
            };
            let rate = rate(described.sample_period.nanos).ok_or(ProblemKind::BadValue)?;
            let array = SampleArray::from_values(rate, samples.0.clone());
            let converted = if unit == row.unit { Some(array) } else { array.convert(|v| row.normalise(v, unit)) };
            converted.map(Value::SampleArray).ok_or(ProblemKind::UnknownUnit)
        }
        (StateKind::DistributionSampleArrayMetric(_), _) => Err(ProblemKind::Unmatched),
        _ => Err(ProblemKind::BadValue),
    }
}

fn text(text: Option<&str>) -> Result<Value, ProblemKind> {
    text.map(|text| Value::Text(text.to_owned())).ok_or(ProblemKind::Missing)
}

fn rate(nanos: i64) -> Option<Rate> {
    match u32::try_from(nanos) {
        Ok(nanos) => Rate::new(1_000_000_000, nanos),
        Err(_) => Rate::from_hz(1e9 / nanos.max(1) as f64),
    }
}

/// What a value is worth (BICEPS validity and generation mode) in our flags.
fn quality_of(base: &ValueBase) -> Quality {
    let validity = match base.quality.validity {
        Validity::Valid | Validity::Validated => Quality::empty(),
        Validity::Ongoing | Validity::Questionable => Quality::QUESTIONABLE,
        Validity::Calibrating => Quality::CALIBRATING,
        Validity::Invalid | Validity::Overflow | Validity::Underflow | Validity::NotAvailable => Quality::INVALID,
    };
    match base.quality.mode {
        Some(GenerationMode::Test | GenerationMode::Demo) => validity | Quality::TEST,
        _ => validity,
    }
}

/// Values of a device that is not on a patient but in demonstration or service are test data.
fn mode_of(mdib: &Mdib, handle: &str) -> Quality {
    let mds = mdib.path(handle).first().map(|mds| mds.handle.clone()).unwrap_or_default();
    match mdib.state(&mds).map(|state| &state.kind) {
        Some(StateKind::Mds(mds)) if !matches!(mds.mode, None | Some(OperatingModeMds::Normal)) => Quality::TEST,
        _ => Quality::empty(),
    }
}
