//! An `Observation` into measurements, and what of it could not be understood.
//!
//! The resource is valid already ([`crate::validate`]) and its references are literal
//! ([`crate::bundle::rewrite`]). Each part stands alone: one component that nobody understands
//! loses that component.

use serde_json::Value as Json;
use vitals::metric::{MetricKind, code};
use vitals::{
    DeviceId, DeviceTime, Identifier, Measurement, Metric, MetricCode, PatientId, PatientRef,
    Problem, ProblemKind, Quality, Reading, Unit, Value,
};

use crate::code::{codings, metric_of, state_by_code, state_by_text, unit_of};
use crate::reference::{self, Target};
use crate::{bits, directory, guide, samples, time};

/// Extension that carries [`Quality`] flags by name, one each.
pub const QUALITY: &str = "urn:vitalwire:quality";
/// Extension that carries [`Measurement::channel`].
pub const CHANNEL: &str = "urn:vitalwire:channel";

/// What an observation says.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The measurements; none when nothing was understood.
    pub reading: Option<Reading>,
    /// What was not.
    pub problems: Vec<Problem>,
}

/// Reads a valid observation. `path` is where it stands (`Observation`, or
/// `Bundle.entry[2].resource`), for the problems.
#[must_use]
pub fn read(resource: &Json, path: &str) -> Observed {
    let mut problems = Vec::new();
    let patient = patient(resource);
    let (device, manual) = device(resource, patient.as_ref());
    let mut base = status_quality(resource["status"].as_str().unwrap_or_default());
    base.set(Quality::MANUAL, manual);
    let common = Common {
        device_time: device_time(resource),
        quality: base | flags(resource),
        channel: channel_of(resource),
        guided: false,
    };
    let mut measurements = Vec::new();
    let main = metric_of(&resource["code"]);
    if guide::is_clock(resource) {
        return clock(resource, &common, path);
    }
    let parts = resource["component"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(reading) = main.and_then(|main| set_bits(parts, main, &common)) {
        return Observed { reading: Some(Reading { device, patient, measurements: vec![reading] }), problems };
    }
    let common = Common { guided: guide::claimed(resource).next().is_some(), ..common };
    let parts: Vec<(usize, &Json)> = parts.iter().enumerate().filter(|(_, part)| !is_remark(part)).collect();
    if parts.is_empty() || value_of(resource).is_some() {
        part(resource, path, &common, main, &mut measurements, &mut problems);
    }
    let mut inner = Vec::new();
    for (index, component) in parts {
        let at = format!("{path}.component[{index}]");
        let metric = component_metric(component, main);
        part(component, &at, &common, metric, &mut inner, &mut problems);
    }
    // A part that could not be measured takes nothing from those that were.
    let (absent, there): (Vec<Measurement>, Vec<Measurement>) =
        inner.iter().cloned().partition(|part| part.quality.contains(Quality::INVALID));
    match compound(main, &there).filter(|_| absent.is_empty() || there.len() > 1) {
        Some(whole) => {
            measurements.push(whole);
            measurements.extend(absent);
        }
        None => measurements.append(&mut inner),
    }
    number_repeats(&mut measurements);
    let reading =
        (!measurements.is_empty()).then_some(Reading { device, patient, measurements });
    Observed { reading, problems }
}

/// What all measurements of one observation share.
struct Common {
    device_time: Option<DeviceTime>,
    quality: Quality,
    channel: u32,
    /// Whether it claims to be a device's in the words of a device guide: then also what has no
    /// metric is kept, in words.
    guided: bool,
}

/// One coded value: the observation's own or a component's.
fn part(
    holder: &Json,
    path: &str,
    common: &Common,
    metric: Option<&'static Metric>,
    into: &mut Vec<Measurement>,
    problems: &mut Vec<Problem>,
) {
    let mut problem = |kind, at: &str, detail: &str| {
        problems.push(Problem { kind, path: format!("{path}.{at}"), detail: detail.to_owned() });
    };
    let statement = guide::STATEMENT.metric().filter(|_| common.guided);
    if let (None, Some(row), Some(words)) = (metric, statement, in_words(holder)) {
        let kind = if words.len() > WORDS_MAX { ProblemKind::Limit } else { ProblemKind::UnknownMetric };
        if kind == ProblemKind::Limit {
            return problem(kind, "value", "Too long for what has no metric.");
        }
        into.push(Measurement {
            metric: row.code,
            value: Value::Text(words),
            unit: row.unit,
            device_time: common.device_time,
            quality: common.quality,
            channel: common.channel,
        });
        return;
    }
    let Some(metric) = metric else {
        return problem(
            ProblemKind::UnknownMetric,
            "code",
            "No coding here is a metric that the platform knows: IEEE 11073-10101 \
             (urn:iso:std:iso:11073:10101) or LOINC.",
        );
    };
    let measurement = |value, quality| Measurement {
        metric: metric.code,
        value,
        unit: metric.unit,
        device_time: common.device_time,
        quality: common.quality | quality,
        channel: common.channel,
    };
    let Some((name, value)) = value_of(holder) else {
        if holder.get("dataAbsentReason").is_some() || common.quality.contains(Quality::INVALID) {
            into.push(measurement(Value::Numeric(f64::NAN), Quality::INVALID));
        } else {
            problem(ProblemKind::Missing, "value", "There is no value and no dataAbsentReason.");
        }
        return;
    };
    if name == "valueSampledData" {
        match samples::read(value, metric) {
            Ok(channels) => into.extend(channels.into_iter().enumerate().map(|(at, (array, quality))| {
                let mut one = measurement(Value::SampleArray(array), quality);
                one.channel += u32::try_from(at).unwrap_or(u32::MAX);
                one
            })),
            Err((kind, at, detail)) => problem(kind, &format!("value.ofType(SampledData).{at}"), detail),
        }
        return;
    }
    match single(name, value, metric) {
        Ok((value, quality)) => into.push(measurement(value, quality)),
        Err((kind, detail)) => problem(kind, "value", detail),
    }
}

/// `MDC_ATTR_SUPPLEMENTAL_TYPES` and `MDC_TIME_SYNC_PROTOCOL`: components that say more about a
/// measurement and are none.
const REMARKS: [&str; 2] = ["68193", "68220"];
/// Longest text that is kept of what has no metric, in bytes.
const WORDS_MAX: usize = 1_000;

fn is_remark(component: &Json) -> bool {
    codings(&component["code"]).any(|(system, code)| system == crate::code::MDC && REMARKS.contains(&code))
}

/// A value that no metric has, in words.
fn in_words(holder: &Json) -> Option<String> {
    let (name, value) = value_of(holder)?;
    let words = match name {
        "valueString" | "valueDateTime" | "valueTime" => value.as_str()?.to_owned(),
        "valueQuantity" => {
            let unit = value["unit"].as_str().or(value["code"].as_str()).unwrap_or_default();
            format!("{} {unit}", value["value"].as_f64()?).trim_end().to_owned()
        }
        "valueCodeableConcept" => {
            let code = || codings(value).next().map(|(_, code)| code);
            texts(value).next().or_else(code)?.to_owned()
        }
        "valueBoolean" => value.as_bool()?.to_string(),
        "valueInteger" => value.as_i64()?.to_string(),
        _ => return None,
    };
    (!words.is_empty()).then_some(words)
}

/// Bits, one component each, as the one enumeration that they are.
fn set_bits(parts: &[Json], main: &'static Metric, common: &Common) -> Option<Measurement> {
    let number = bits::read(main.code, parts)?;
    Some(Measurement {
        metric: main.code,
        value: Value::Enumeration(number, String::new()),
        unit: main.unit,
        device_time: common.device_time,
        quality: common.quality,
        channel: common.channel,
    })
}

/// What a device's clock said at a time that its gateway knew better: a measurement of how far the
/// clock is ahead.
fn clock(resource: &Json, common: &Common, path: &str) -> Observed {
    let problem = |kind, at: &str, detail: &str| {
        let problem = Problem { kind, path: format!("{path}.{at}"), detail: detail.to_owned() };
        Observed { reading: None, problems: vec![problem] }
    };
    let said = resource["valueDateTime"].as_str().and_then(time::interval).map(|interval| interval.start);
    let (value, quality) = match (said, common.device_time) {
        (Some(said), Some(at)) => (said.saturating_sub(at.0) as f64 / 1e6, Quality::empty()),
        (Some(_), None) => return problem(ProblemKind::BadTime, "effective", "When the clock was read is not said."),
        (None, _) if resource.get("dataAbsentReason").is_some() => (f64::NAN, Quality::INVALID),
        (None, _) => return problem(ProblemKind::Missing, "value", "There is no value and no dataAbsentReason."),
    };
    let measurement = Measurement {
        metric: guide::CLOCK_OFFSET,
        value: Value::Numeric(value),
        unit: guide::CLOCK_OFFSET.metric().map_or(Unit::NONE, |row| row.unit),
        device_time: common.device_time,
        quality: (common.quality | quality) - Quality::MANUAL,
        channel: common.channel,
    };
    let reading = Reading { device: subject_device(resource), patient: None, measurements: vec![measurement] };
    Observed { reading: Some(reading), problems: Vec::new() }
}

type Single = Result<(Value, Quality), (ProblemKind, &'static str)>;

fn single(name: &str, value: &Json, metric: &Metric) -> Single {
    let wrong = Err((ProblemKind::BadValue, "The metric can't have a value of this type."));
    let state = |number: Option<i32>, text: String| {
        let unknown = (ProblemKind::BadValue, "Not a state that this metric has.");
        Ok((Value::Enumeration(number.ok_or(unknown)?, text), Quality::empty()))
    };
    match (name, metric.kind) {
        ("valueQuantity", MetricKind::Numeric) => quantity(value, metric),
        ("valueQuantity" | "valueInteger", MetricKind::Enumeration) => {
            let number = value.as_i64().or_else(|| value["value"].as_i64());
            state(number.and_then(|n| i32::try_from(n).ok()), String::new())
        }
        ("valueInteger", MetricKind::Numeric) if metric.unit == Unit::NONE => {
            Ok((Value::Numeric(value.as_f64().unwrap_or(f64::NAN)), Quality::empty()))
        }
        ("valueInteger", MetricKind::Numeric) => {
            Err((ProblemKind::UnknownUnit, "This metric has a unit: send a valueQuantity."))
        }
        ("valueBoolean", MetricKind::Enumeration) => {
            let truth = value.as_bool().unwrap_or_default();
            state(Some(i32::from(truth)), truth.to_string())
        }
        ("valueString", MetricKind::Enumeration) => {
            let text = value.as_str().unwrap_or_default();
            state(state_by_text(metric.code, text), text.to_owned())
        }
        ("valueString", MetricKind::Text) => {
            Ok((Value::Text(value.as_str().unwrap_or_default().to_owned()), Quality::empty()))
        }
        ("valueCodeableConcept", MetricKind::Enumeration) => {
            let number = codings(value)
                .find_map(|(system, code)| state_by_code(metric.code, system, code))
                .or_else(|| texts(value).find_map(|text| state_by_text(metric.code, text)));
            state(number, texts(value).next().unwrap_or_default().to_owned())
        }
        ("valueCodeableConcept", MetricKind::Text) => match texts(value).next() {
            Some(text) => Ok((Value::Text(text.to_owned()), Quality::empty())),
            None => wrong,
        },
        _ => wrong,
    }
}

/// The texts of a concept: its own, then its codings'.
fn texts(concept: &Json) -> impl Iterator<Item = &str> {
    let displays = concept["coding"].as_array().into_iter().flatten();
    concept["text"].as_str().into_iter().chain(displays.filter_map(|c| c["display"].as_str()))
}

fn quantity(value: &Json, metric: &Metric) -> Single {
    let number = value["value"]
        .as_f64()
        .ok_or((ProblemKind::Missing, "The quantity has no value."))?;
    let named = ["code", "unit"].iter().any(|name| value.get(*name).is_some());
    let unit = match unit_of(value) {
        Some(unit) => unit,
        None if !named && metric.unit == Unit::NONE => Unit::NONE,
        None if named => return Err((ProblemKind::UnknownUnit, "A unit that no table knows: use UCUM.")),
        None => return Err((ProblemKind::UnknownUnit, "The quantity has no unit, but the metric has one.")),
    };
    let converted = metric
        .normalise(number, unit)
        .ok_or((ProblemKind::UnknownUnit, "The metric can't have a value in this unit."))?;
    let mut quality = Quality::empty();
    quality.set(Quality::UNIT_CONVERTED, unit != metric.unit);
    quality.set(Quality::QUESTIONABLE, value.get("comparator").is_some());
    Ok((Value::Numeric(converted), quality))
}

fn value_of(holder: &Json) -> Option<(&str, &Json)> {
    holder.as_object()?.iter().find_map(|(key, value)| {
        let typed = key.strip_prefix("value")?.starts_with(|c: char| c.is_ascii_uppercase());
        typed.then_some((key.as_str(), value))
    })
}

/// A component's metric. Under an arterial line the general blood pressure codes of LOINC mean
/// the arterial parts, not those of a cuff.
pub(crate) fn component_metric(component: &Json, main: Option<&'static Metric>) -> Option<&'static Metric> {
    let metric = metric_of(&component["code"])?;
    if main.is_none_or(|main| main.code != code::ABP) {
        return Some(metric);
    }
    match metric.code {
        code::NIBP_SYS => code::ABP_SYS.metric(),
        code::NIBP_DIA => code::ABP_DIA.metric(),
        code::NIBP_MEAN => code::ABP_MEAN.metric(),
        _ => Some(metric),
    }
}

/// Joins numeric parts under a compound metric, where all share unit and quality.
fn compound(main: Option<&'static Metric>, parts: &[Measurement]) -> Option<Measurement> {
    let main = main.filter(|metric| metric.kind == MetricKind::Compound)?;
    let first = parts.first()?;
    let values: Option<Vec<(MetricCode, f64)>> = parts
        .iter()
        .map(|part| match part.value {
            Value::Numeric(value) if part.unit == first.unit && part.quality == first.quality => {
                Some((part.metric, value))
            }
            _ => None,
        })
        .collect();
    let values = values?;
    let distinct = values.iter().enumerate().all(|(at, (m, _))| values[..at].iter().all(|(o, _)| o != m));
    distinct.then(|| Measurement { metric: main.code, value: Value::Compound(values), ..first.clone() })
}

/// Like parts of one observation are channels 0, 1, 2 …
fn number_repeats(measurements: &mut [Measurement]) {
    for at in 1..measurements.len() {
        let (before, rest) = measurements.split_at_mut(at);
        while before.iter().any(|m| m.metric == rest[0].metric && m.channel == rest[0].channel) {
            rest[0].channel += 1;
        }
    }
}

fn status_quality(status: &str) -> Quality {
    match status {
        "amended" | "corrected" => Quality::AMENDED,
        "entered-in-error" => Quality::AMENDED | Quality::INVALID,
        "cancelled" => Quality::INVALID,
        "unknown" => Quality::QUESTIONABLE,
        _ => Quality::empty(),
    }
}

fn extensions<'a>(resource: &'a Json, url: &'static str) -> impl Iterator<Item = &'a Json> {
    let list = resource["extension"].as_array().into_iter().flatten();
    list.filter(move |extension| extension["url"] == url)
}

fn flags(resource: &Json) -> Quality {
    extensions(resource, QUALITY)
        .filter_map(|e| Quality::from_name(&e["valueCode"].as_str()?.replace('-', "_").to_uppercase()))
        .fold(Quality::empty(), Quality::union)
}

fn channel_of(resource: &Json) -> u32 {
    extensions(resource, CHANNEL)
        .find_map(|e| u32::try_from(e["valueUnsignedInt"].as_u64()?).ok())
        .unwrap_or(0)
        .min(0x3fff_ffff)
}

/// When it was measured: an instant or dateTime, the end of a period (for samples its start),
/// the first event of a timing.
fn device_time(resource: &Json) -> Option<DeviceTime> {
    let start = |text: &Json| text.as_str().and_then(time::interval).map(|i| DeviceTime(i.start));
    let period = &resource["effectivePeriod"];
    let parts = resource["component"].as_array().into_iter().flatten();
    let sampled = std::iter::once(resource).chain(parts).any(|part| part.get("valueSampledData").is_some());
    let (first, second) = if sampled {
        (&period["start"], &period["end"])
    } else {
        (&period["end"], &period["start"])
    };
    start(&resource["effectiveInstant"])
        .or_else(|| start(&resource["effectiveDateTime"]))
        .or_else(|| start(first))
        .or_else(|| start(second))
        .or_else(|| start(&resource["effectiveTiming"]["event"][0]))
}

/// Whom the observation is about, if it is about a patient.
fn patient(resource: &Json) -> Option<PatientRef> {
    let subject = &resource["subject"];
    let target = subject["reference"].as_str().and_then(reference::parse);
    let logical = directory::identifier(&subject["identifier"]);
    match target {
        Some(Target::Literal { resource_type: "Patient", id, absolute: false }) => {
            let id = PatientId::new(id).ok()?;
            Some(PatientRef { id, identifiers: logical.into_iter().collect(), name: None })
        }
        // The same id on another server is another patient.
        Some(Target::Literal { resource_type: "Patient", id, absolute: true }) => {
            let address = subject["reference"].as_str().unwrap_or_default();
            let system = address.rsplit_once('/').map_or("", |(system, _)| system).to_owned();
            Some(by_identifier(Identifier { system, value: id.to_owned(), kind: String::new() }))
        }
        Some(Target::Contained(id)) => {
            let contained = contained(resource, id).filter(|r| r["resourceType"] == "Patient")?;
            let identifiers = directory::identifiers(contained);
            let first = identifiers.first()?.clone();
            let name = Some(directory::human_name(contained));
            Some(PatientRef { identifiers, name, ..by_identifier(first) })
        }
        None => {
            let other = subject["type"].as_str().is_some_and(|ty| ty != "Patient");
            logical.filter(|_| !other).map(by_identifier)
        }
        Some(_) => None,
    }
}

fn by_identifier(identifier: Identifier) -> PatientRef {
    let id = PatientId::from_identifier(&identifier.system, &identifier.value);
    PatientRef { id, identifiers: vec![identifier], name: None }
}

/// The device, and whether a person stands in for one. An observation that names no device is a
/// chart entry; each patient's chart counts as a device of its own, so that one sender's entries
/// about several patients never look like one device that moves between them.
fn device(resource: &Json, patient: Option<&PatientRef>) -> (DeviceId, bool) {
    let named = &resource["device"];
    let by_reference = named["reference"].as_str().and_then(reference::parse).and_then(|t| match t {
        Target::Literal { id, .. } => Some(DeviceId::sanitised(id)),
        Target::Contained(id) => {
            let device = contained(resource, id)?;
            Some(directory::identifiers(device).first().map_or_else(
                || DeviceId::sanitised(id),
                |identifier| DeviceId::sanitised(&identifier.value),
            ))
        }
        Target::Urn(urn) => Some(DeviceId::sanitised(urn)),
        _ => None,
    });
    let by_identifier =
        || directory::identifier(&named["identifier"]).map(|i| DeviceId::sanitised(&i.value));
    let by_display = || named["display"].as_str().map(DeviceId::sanitised);
    match by_reference.or_else(by_identifier).or_else(by_display) {
        Some(device) => (device, false),
        None => match patient {
            Some(patient) => (chart_of(&patient.id), true),
            None => (subject_device(resource), true),
        },
    }
}

/// What the id of a chart begins with.
const CHART: &str = "chart-";

/// The device that stands for what people wrote into a patient's chart, without any device: see
/// [`read`].
#[must_use]
pub fn chart_of(patient: &PatientId) -> DeviceId {
    DeviceId::sanitised(&format!("{CHART}{patient}"))
}

/// An observation about a device itself is that device's.
fn subject_device(resource: &Json) -> DeviceId {
    match resource["subject"]["reference"].as_str().and_then(reference::parse) {
        Some(Target::Literal { resource_type: "Device", id, .. }) => DeviceId::sanitised(id),
        _ => DeviceId::sanitised("chart"),
    }
}

fn contained<'a>(resource: &'a Json, id: &str) -> Option<&'a Json> {
    resource["contained"].as_array()?.iter().find(|inner| inner["id"] == id)
}
