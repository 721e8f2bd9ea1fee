//! How a message was mapped, step by step, for the person who writes a profile.

use std::fmt;

use serde::Serialize;
use vitals::{Content, Measurement, TimeBase, Value};

use crate::Mapped;

/// The whole way of one message. It shows values of the payload: for the eyes of whoever may see
/// the payload, never for a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Topic.
    pub topic: String,
    /// Size of the payload.
    pub payload_bytes: usize,
    /// What was done, in order.
    pub steps: Vec<Step>,
    /// The profile that took it; empty if none did.
    pub profile: String,
    /// `live` or `recorded`.
    pub time_base: &'static str,
    /// What came out.
    pub values: Vec<TracedValue>,
    /// What did not.
    pub problems: Vec<TracedProblem>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What kind of step.
    pub kind: StepKind,
    /// The profile at work.
    pub profile: String,
    /// Where in the profile; may be empty.
    pub at: String,
    /// What happened.
    pub detail: String,
}

/// Kinds of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// The profile takes the message.
    Matched,
    /// It does not, and why.
    NotMatched,
    /// Something was found in the payload.
    Extracted,
    /// Something was not there, which is allowed.
    Absent,
    /// A value was made, scaled or converted.
    Converted,
    /// Something is wrong.
    Problem,
}

impl StepKind {
    const fn mark(self) -> &'static str {
        match self {
            Self::Matched => "✓",
            Self::NotMatched => "–",
            Self::Extracted => "→",
            Self::Absent => "·",
            Self::Converted => "=",
            Self::Problem => "✗",
        }
    }
}

/// One measurement, as people read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedValue {
    /// Device id.
    pub device: String,
    /// Reference id of the metric.
    pub metric: String,
    /// The value as text.
    pub value: String,
    /// UCUM code of its unit.
    pub unit: &'static str,
    /// Device time in microseconds since 1970, if the device gave one.
    pub device_time_us: Option<i64>,
    /// Channel.
    pub channel: u32,
    /// Quality flags.
    pub quality: Vec<String>,
}

/// One problem, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedProblem {
    /// Kind, as counted.
    pub kind: &'static str,
    /// Where in the payload.
    pub path: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl Trace {
    pub(crate) fn new(topic: &str, payload_bytes: usize, steps: Vec<Step>, mapped: &Mapped) -> Self {
        let mut values = Vec::new();
        for content in &mapped.content {
            if let Content::Reading(reading) = content {
                values.extend(reading.measurements.iter().map(|m| TracedValue::of(reading.device.as_str(), m)));
            }
        }
        Self {
            topic: topic.to_owned(),
            payload_bytes,
            steps,
            profile: mapped.profile.clone(),
            time_base: match mapped.time_base {
                TimeBase::Live => "live",
                TimeBase::Recorded => "recorded",
            },
            values,
            problems: mapped
                .problems
                .iter()
                .map(|p| TracedProblem { kind: p.kind.name(), path: p.path.clone(), detail: p.detail.clone() })
                .collect(),
        }
    }
}

impl TracedValue {
    fn of(device: &str, measurement: &Measurement) -> Self {
        Self {
            device: device.to_owned(),
            metric: measurement.metric.refid(),
            value: value_text(&measurement.value),
            unit: measurement.unit.ucum(),
            device_time_us: measurement.device_time.map(|time| time.micros()),
            channel: measurement.channel,
            quality: measurement.quality.names(),
        }
    }
}

pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::Numeric(number) => number.to_string(),
        Value::Compound(parts) => {
            parts.iter().map(|(code, value)| format!("{code:?} {value}")).collect::<Vec<_>>().join(", ")
        }
        Value::Enumeration(state, text) if text.is_empty() => state.to_string(),
        Value::Enumeration(state, text) => format!("{state} ({text})"),
        Value::SampleArray(samples) => {
            format!("{} samples at {} Hz", samples.len(), samples.rate.hz())
        }
        Value::Text(text) => format!("{text:?}"),
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({} bytes)", self.topic, self.payload_bytes)?;
        let mut profile = "";
        for step in &self.steps {
            if step.profile != profile {
                writeln!(f, "{}", step.profile)?;
                profile = &step.profile;
            }
            let at = if step.at.is_empty() { String::new() } else { format!("{}: ", step.at) };
            writeln!(f, "  {} {at}{}", step.kind.mark(), step.detail)?;
        }
        let taken = if self.profile.is_empty() { "no profile" } else { &self.profile };
        writeln!(
            f,
            "taken by {taken}: {} measurements, {} problems, times are {}",
            self.values.len(),
            self.problems.len(),
            self.time_base
        )?;
        for value in &self.values {
            let time = value.device_time_us.map_or_else(
                || "no device time".to_owned(),
                |us| jiff::Timestamp::from_microsecond(us).map_or_else(|_| format!("{us} µs"), |t| t.to_string()),
            );
            write!(f, "  {} {} = {} {} at {time}", value.device, value.metric, value.value, value.unit)?;
            if value.channel != 0 {
                write!(f, ", channel {}", value.channel)?;
            }
            if !value.quality.is_empty() {
                write!(f, ", {}", value.quality.join(" "))?;
            }
            writeln!(f)?;
        }
        for problem in &self.problems {
            writeln!(f, "  ✗ {} at {}: {}", problem.kind, problem.path, problem.detail)?;
        }
        Ok(())
    }
}

/// Collects steps when somebody wants them, and costs nothing when nobody does.
pub(crate) struct Trail {
    steps: Option<Vec<Step>>,
    profile: String,
}

impl Trail {
    /// Collects nothing.
    pub(crate) const fn off() -> Self {
        Self { steps: None, profile: String::new() }
    }

    /// Collects.
    pub(crate) const fn on() -> Self {
        Self { steps: Some(Vec::new()), profile: String::new() }
    }

    /// What follows is about this profile.
    pub(crate) fn enter(&mut self, profile: &str) {
        if self.steps.is_some() {
            profile.clone_into(&mut self.profile);
        }
    }

    /// Notes a step.
    pub(crate) fn note(&mut self, kind: StepKind, at: &str, detail: impl FnOnce() -> String) {
        // More than this nobody reads; the payload's own limits are higher.
        const MOST: usize = 2_000;
        if let Some(steps) = &mut self.steps
            && steps.len() < MOST
        {
            steps.push(Step { kind, profile: self.profile.clone(), at: at.to_owned(), detail: detail() });
        }
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps.unwrap_or_default()
    }
}
