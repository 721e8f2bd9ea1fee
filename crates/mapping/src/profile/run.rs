//! Running a profile over one payload.

use jiff::tz::TimeZone;
use serde_json::Value;
use vitals::{
    DeviceId, DeviceTime, Identifier, Measurement, Metric, PatientId, PatientRef, Problem,
    ProblemKind, Quality, Rate, SampleArray, TimeBase, Unit,
};

use super::path::Scope;
use super::rules::{
    ChannelRule, DeviceRule, DeviceSource, MeasurementRule, MetricRule, Profile, QualityRule,
    TimeRule, UnitRule,
};
use crate::frame::MAX_SAMPLES;
use crate::measure::{measure_samples, tidy, unknown_metric, unknown_unit};
use crate::payload::{Format, number_of, scalar_text};
use crate::trace::{StepKind, Trail, value_text};
use crate::{
    Decode, DecodeFault, Details, MAX_RECORDS, Mapped, RawMessage, Script, dedup_key, lorawan, measure, measure_text, metric_from_text,
    problem, unit_from_text,
};

/// What a profile made of a message.
pub(crate) enum Outcome {
    /// The message is not its kind.
    NotMine,
    /// The topic is its, but the payload can't be read: why. Another profile may still take it.
    Unreadable(String),
    /// It took it.
    Taken(Mapped),
}

/// What a profile may need beside the message.
pub(crate) struct Aids<'a> {
    /// Runs payload formatters.
    pub(crate) engine: Option<&'a dyn Decode>,
    /// The message as Sparkplug, if it is.
    pub(crate) sparkplug: Option<&'a Value>,
}

impl Profile {
    /// Maps a message, if it is of this profile's kind.
    pub(crate) fn run(&self, raw: &RawMessage<'_>, aids: &Aids<'_>, trail: &mut Trail) -> Outcome {
        trail.enter(&self.name);
        let Some(captures) = self.filters.iter().find_map(|filter| filter.matches(raw.topic)) else {
            trail.note(StepKind::NotMatched, "match.topic", || {
                let filters: Vec<_> = self.filters.iter().map(|f| f.text()).collect();
                format!("the topic does not match {}", filters.join(" or "))
            });
            return Outcome::NotMine;
        };
        let read = match aids.sparkplug {
            Some(tree) if self.format == Format::Sparkplug => Ok(tree.clone()),
            _ => self.format.read(raw.payload),
        };
        let payload = match read {
            Ok(payload) => payload,
            Err(why) => {
                trail.note(StepKind::NotMatched, "format", || why.clone());
                return Outcome::Unreadable(why);
            }
        };
        let wrapped = Value::Array(vec![payload]);
        let scope = Scope::of(&wrapped);
        if let Some(condition) = &self.condition
            && !condition.holds(scope)
        {
            trail.note(StepKind::NotMatched, "match.payload", || format!("{} does not hold", condition.text()));
            return Outcome::NotMine;
        }
        trail.note(StepKind::Matched, "match", || {
            let captures: Vec<_> = captures.iter().map(|(name, text)| format!(", {name} = {text}")).collect();
            format!("topic and payload match{}", captures.concat())
        });
        let mut decoded = None;
        let mut name = self.name.clone();
        if let Some(script) = self.script.as_ref().filter(|_| scope.payload().get("bytes").is_some()) {
            name = format!("{} ({} {})", self.name, script.name, script.version);
            match decode(script, aids.engine, scope.payload()) {
                Ok(value) => {
                    trail.note(StepKind::Converted, "decoder", || format!("{} gives {}", script.name, value_of(&value)));
                    decoded = Some(with_decoded(scope.payload(), value));
                }
                Err(fault) => {
                    trail.note(StepKind::Problem, "decoder", || fault.to_string());
                    let mut mapped = Mapped::new(name);
                    mapped.problem(fault.kind(), "$.bytes", fault.to_string());
                    return Outcome::Taken(mapped);
                }
            }
        }
        let scope = decoded.as_ref().map_or(scope, Scope::of);
        let mut run = Run { profile: self, captures, mapped: Mapped::new(name), trail, own_time: false, records: 0 };
        run.everything(scope);
        let own_id = self.id.as_ref().and_then(|id| id.first(scope)).and_then(scalar_text);
        let Run { mut mapped, own_time, .. } = run;
        match own_id {
            // Two gateways' copies of one uplink, and one sent again by another way, differ in all but this.
            Some(id) if self.format == Format::Lorawan => mapped.dedup = Some(uplink_key(&id)),
            None if !own_time => {}
            _ => mapped.dedup = Some(dedup_key(raw)),
        }
        Outcome::Taken(mapped)
    }
}

/// What the decoder makes of an uplink.
fn decode(script: &Script, engine: Option<&dyn Decode>, payload: &Value) -> Result<Value, DecodeFault> {
    let absent = || DecodeFault::Unavailable("this program runs no decoders".to_owned());
    let uplink = lorawan::uplink(payload).ok_or(DecodeFault::Shape)?;
    engine.ok_or_else(absent)?.decode(script, &uplink)
}

/// The payload, wrapped as [`Scope::of`] takes it, with the decoder's answer in it.
fn with_decoded(payload: &Value, decoded: Value) -> Value {
    let mut tree = payload.clone();
    if let Value::Object(fields) = &mut tree {
        fields.insert("decoded".to_owned(), decoded);
    }
    Value::Array(vec![tree])
}

fn value_of(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 200 { format!("{} characters of JSON", text.len()) } else { text }
}

/// The key of an uplink, by whichever way it comes.
fn uplink_key(id: &str) -> u128 {
    dedup_key(&RawMessage {
        topic: "lorawan",
        payload: id.as_bytes(),
        content_type: None,
        received: vitals::ReceiveTime(0),
    })
}

struct Run<'p, 'r> {
    profile: &'p Profile,
    captures: Vec<(&'p str, &'r str)>,
    mapped: Mapped,
    trail: &'r mut Trail,
    own_time: bool,
    records: usize,
}

impl Run<'_, '_> {
    fn everything(&mut self, scope: Scope<'_>) {
        let profile = self.profile;
        if profile.recorded {
            self.mapped.time_base = TimeBase::Recorded;
        }
        let patient = self.patient(scope);
        for rule in &profile.measurements {
            let items = match &rule.each {
                None => vec![(String::from("$"), scope.item)],
                Some(each) => each.located(scope),
            };
            if items.is_empty() {
                self.trail.note(StepKind::Absent, &rule.key, || "`each` finds nothing".to_owned());
            }
            for (place, item) in items {
                if self.records >= MAX_RECORDS {
                    self.mapped.problem(ProblemKind::Limit, place, "more than 10,000 records in one message: send several messages");
                    return;
                }
                self.records += 1;
                self.item(rule, &place, scope.at(item), patient.as_ref());
            }
        }
        if self.mapped.content.is_empty() && self.mapped.problems.is_empty() {
            self.mapped.problem(ProblemKind::Missing, "$", "the profile matches, but finds nothing in the payload");
        }
    }

    fn patient(&mut self, scope: Scope<'_>) -> Option<PatientRef> {
        let rule = self.profile.patient.as_ref()?;
        let Some(value) = rule.path.first(scope).and_then(scalar_text).filter(|text| !text.is_empty()) else {
            self.trail.note(StepKind::Absent, "patient", || "no patient identifier".to_owned());
            return None;
        };
        self.trail.note(StepKind::Extracted, "patient", || format!("an identifier of {}", rule.system));
        Some(PatientRef {
            id: PatientId::from_identifier(&rule.system, &value),
            identifiers: vec![Identifier { system: rule.system.clone(), value, kind: "MR".to_owned() }],
            name: None,
        })
    }

    /// One rule on one item.
    fn item(&mut self, rule: &MeasurementRule, place: &str, scope: Scope<'_>, patient: Option<&PatientRef>) {
        if let Some(when) = &rule.when
            && !when.holds(scope)
        {
            self.trail.note(StepKind::Absent, &rule.key, || format!("{place}: {} does not hold", when.text()));
            return;
        }
        match self.extract(rule, place, scope) {
            Ok(None) => {}
            Ok(Some((device, measurement))) => {
                self.own_time |= measurement.device_time.is_some();
                self.mapped.lane_is_waveform |= matches!(measurement.value, vitals::Value::SampleArray(_));
                self.trail.note(StepKind::Converted, &rule.key, || {
                    format!("{:?} = {} {}", measurement.metric, value_text(&measurement.value), measurement.unit.ucum())
                });
                self.mapped.push(&device, patient, measurement);
            }
            Err(mut problem) => {
                problem.path = if problem.path.starts_with('@') {
                    format!("{place}{}", &problem.path[1..])
                } else if problem.path.is_empty() {
                    place.to_owned()
                } else {
                    problem.path
                };
                self.trail.note(StepKind::Problem, &rule.key, || format!("{}: {}", problem.path, problem.detail));
                self.mapped.problems.push(problem);
            }
        }
    }

    fn extract(
        &mut self,
        rule: &MeasurementRule,
        place: &str,
        scope: Scope<'_>,
    ) -> Result<Option<(DeviceId, Measurement)>, Problem> {
        let Some(value) = rule.value.first(scope) else {
            if rule.required {
                return Err(problem(ProblemKind::Missing, &rule.value.text, "the value is required and is not there"));
            }
            self.trail.note(StepKind::Absent, &rule.key, || format!("{place}: {} is not there", rule.value.text));
            return Ok(None);
        };
        self.trail.note(StepKind::Extracted, &rule.key, || {
            let mut text = value.to_string();
            if text.len() > 80 {
                text = format!("{} characters of JSON", text.len());
            }
            format!("{place}: {} is {text}", rule.value.text)
        });
        let metric = metric_of(&rule.metric, scope)?;
        let unit = unit_of(&rule.unit, scope)?;
        let device = self.device(rule.device.as_ref().unwrap_or(&self.profile.device), scope)?;
        let time_rule = rule.time.as_ref().or(self.profile.time.as_ref());
        let details = Details {
            device_time: time_rule.map_or(Ok(None), |time| time_of(time, scope))?,
            quality: rule.quality.as_ref().map_or(Quality::empty(), |quality| quality_of(quality, scope)),
            channel: channel_of(&rule.channel, scope)?,
        };
        if self.profile.recorded && details.device_time.is_none() {
            return Err(problem(ProblemKind::Missing, "", "a recording needs a time with each value"));
        }
        let made = match rule.rate {
            Some(rate) => samples(rule, rate, metric, unit, scope, details),
            None => single(rule, metric, unit, value, details),
        };
        let measurement = made.map_err(|mut problem| {
            problem.path.clone_from(&rule.value.text);
            problem
        })?;
        Ok(Some((device, measurement)))
    }

    fn device(&self, rule: &DeviceRule, scope: Scope<'_>) -> Result<DeviceId, Problem> {
        let (text, path) = match &rule.source {
            DeviceSource::Constant(text) => (Some(text.clone()), "device"),
            DeviceSource::Topic(name) => {
                let capture = self.captures.iter().find(|(captured, _)| captured == name);
                (capture.map(|(_, text)| (*text).to_owned()), "topic")
            }
            DeviceSource::Path(path) => (path.first(scope).and_then(scalar_text), path.text.as_str()),
        };
        match text.filter(|text| !text.is_empty()) {
            Some(text) => Ok(DeviceId::sanitised(&format!("{}{text}", rule.prefix))),
            None => Err(problem(ProblemKind::BadDevice, path, "no device id here")),
        }
    }
}

fn metric_of(rule: &MetricRule, scope: Scope<'_>) -> Result<&'static Metric, Problem> {
    match rule {
        MetricRule::Fixed(metric) => Ok(metric),
        MetricRule::FromPayload { path, map } => {
            let text = path
                .first(scope)
                .and_then(scalar_text)
                .ok_or_else(|| problem(ProblemKind::Missing, &path.text, "the metric's name is not there"))?;
            map.get(&text)
                .copied()
                .or_else(|| metric_from_text(&text))
                .ok_or_else(|| unknown_metric(path.text.clone()))
        }
    }
}

fn unit_of(rule: &UnitRule, scope: Scope<'_>) -> Result<Option<Unit>, Problem> {
    match rule {
        UnitRule::Own => Ok(None),
        UnitRule::Fixed(unit) => Ok(Some(*unit)),
        UnitRule::FromPayload(path) => match path.first(scope).and_then(Value::as_str) {
            None | Some("") => Ok(None),
            Some(text) => unit_from_text(text).map(Some).ok_or_else(|| unknown_unit(path.text.clone())),
        },
    }
}

fn time_of(rule: &TimeRule, scope: Scope<'_>) -> Result<Option<DeviceTime>, Problem> {
    read_time(rule.path.first(scope), &rule.format, &rule.zone)
        .map_err(|why| problem(ProblemKind::BadTime, &rule.path.text, why))
}

fn read_time(
    value: Option<&Value>,
    format: &crate::time::TimeFormat,
    zone: &TimeZone,
) -> Result<Option<DeviceTime>, String> {
    value.map(|value| format.read(value, zone)).transpose()
}

fn channel_of(rule: &ChannelRule, scope: Scope<'_>) -> Result<u32, Problem> {
    match rule {
        ChannelRule::Fixed(channel) => Ok(*channel),
        ChannelRule::FromPayload(path) => match path.first(scope) {
            None => Ok(0),
            Some(value) => scalar_text(value)
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| problem(ProblemKind::BadValue, &path.text, "the channel is not a whole number from 0")),
        },
    }
}

/// A text that the map does not have is taken as doubt: better a value too many is looked at
/// twice than one that the device itself did not trust.
fn quality_of(rule: &QualityRule, scope: Scope<'_>) -> Quality {
    let Some(value) = rule.path.first(scope) else { return Quality::empty() };
    if let Some(flags) = scalar_text(value).and_then(|text| rule.map.get(&text)) {
        return *flags;
    }
    if let Some(number) = number_of(value)
        && (rule.questionable_below.is_some() || rule.invalid_below.is_some())
    {
        let below = |limit: Option<f64>| limit.is_some_and(|limit| number < limit);
        return match (below(rule.invalid_below), below(rule.questionable_below)) {
            (true, _) => Quality::INVALID,
            (_, true) => Quality::QUESTIONABLE,
            _ => Quality::empty(),
        };
    }
    rule.map.get("*").copied().unwrap_or(Quality::QUESTIONABLE)
}

fn single(
    rule: &MeasurementRule,
    metric: &Metric,
    unit: Option<Unit>,
    value: &Value,
    details: Details,
) -> Result<Measurement, Problem> {
    let text = scalar_text(value)
        .ok_or_else(|| problem(ProblemKind::BadValue, "", "the value is a list or an object: give `rate` for samples, or a path to one value"))?;
    if let Some(map) = &rule.map {
        let number = map
            .get(&text)
            .ok_or_else(|| problem(ProblemKind::BadValue, "", "the profile's map does not have this text"))?;
        let mut measurement = measure(metric, *number, unit, details)?;
        if let vitals::Value::Enumeration(_, name) = &mut measurement.value {
            *name = text;
        }
        return Ok(measurement);
    }
    match number_of(value) {
        Some(number) if metric.kind != vitals::metric::MetricKind::Text => {
            measure(metric, scaled(rule, number), unit, details)
        }
        _ => measure_text(metric, &text, details),
    }
}

fn scaled(rule: &MeasurementRule, number: f64) -> f64 {
    if rule.scale == 1.0 && rule.offset == 0.0 {
        return number;
    }
    tidy(number * rule.scale + rule.offset)
}

fn samples(
    rule: &MeasurementRule,
    (numerator, denominator): (u32, u32),
    metric: &Metric,
    unit: Option<Unit>,
    scope: Scope<'_>,
    details: Details,
) -> Result<Measurement, Problem> {
    let nodes = rule.value.all(scope);
    let values: Vec<&Value> = match nodes.as_slice() {
        [Value::Array(items)] => items.iter().collect(),
        _ => nodes,
    };
    if values.len() > MAX_SAMPLES {
        return Err(problem(ProblemKind::Limit, "", "more than 262,144 samples: send several messages"));
    }
    let samples = values
        .into_iter()
        .map(|value| match value {
            Value::Null => Ok(f64::NAN),
            value => number_of(value)
                .map(|number| scaled(rule, number))
                .ok_or_else(|| problem(ProblemKind::BadValue, "", "a sample is not a number")),
        })
        .collect::<Result<_, _>>()?;
    let rate = Rate::new(numerator, denominator)
        .ok_or_else(|| problem(ProblemKind::BadValue, "", "the sampling rate is zero"))?;
    measure_samples(metric, SampleArray::from_values(rate, samples), unit, details)
}
