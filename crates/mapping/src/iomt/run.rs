//! Running a pair of templates over one payload.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vitals::{
    DeviceId, DeviceTime, Identifier, Measurement, PatientId, PatientRef, Problem, ProblemKind,
};

use super::TemplateSet;
use super::content::{ContentKind, ContentTemplate};
use super::fhir::Target;
use crate::payload::{self, number_of, scalar_text};
use crate::profile::Outcome;
use crate::time::TimeFormat;
use crate::trace::{StepKind, Trail, value_text};
use crate::{Details, MAX_RECORDS, Mapped, RawMessage, dedup_key, measure, measure_text, problem};

/// Who hands out patient identifiers in such payloads: nobody says, so a namespace of its own.
const PATIENT_SYSTEM: &str = "urn:vitalwire:iomt-patient";

impl TemplateSet {
    /// Maps a message, if any template takes it.
    pub(crate) fn run(&self, raw: &RawMessage<'_>, trail: &mut Trail) -> Outcome {
        trail.enter(&self.name);
        let mut captured = None;
        if !self.filters.is_empty() {
            let Some(captures) = self.filters.iter().find_map(|filter| filter.matches(raw.topic)) else {
                trail.note(StepKind::NotMatched, "topic", || "the topic does not match".to_owned());
                return Outcome::NotMine;
            };
            captured = captures.into_iter().find(|(name, _)| *name == "device").map(|(_, text)| text);
        }
        let event = match payload::json(raw.payload) {
            Ok(event) => event,
            Err(why) => {
                trail.note(StepKind::NotMatched, "payload", || why.clone());
                // Without a topic of its own the pair can't claim what it can't read.
                return if self.filters.is_empty() { Outcome::NotMine } else { Outcome::Unreadable(why) };
            }
        };
        let mut run = Run { set: self, captured, mapped: Mapped::new(&self.name), trail, own_time: false, records: 0 };
        let mut taken = run.templates(&event);
        if !taken && event.get("Body").is_none() {
            // Azure hands templates the payload as `Body`; over MQTT it comes bare.
            taken = run.templates(&json!({ "Body": event }));
        }
        if !taken {
            run.trail.note(StepKind::NotMatched, "typeMatchExpression", || "no template finds its type".to_owned());
            return Outcome::NotMine;
        }
        let Run { mut mapped, own_time, .. } = run;
        if own_time {
            mapped.dedup = Some(dedup_key(raw));
        }
        Outcome::Taken(mapped)
    }
}

struct Run<'s, 'r> {
    set: &'s TemplateSet,
    captured: Option<&'r str>,
    mapped: Mapped,
    trail: &'r mut Trail,
    own_time: bool,
    records: usize,
}

impl Run<'_, '_> {
    /// Tries every template; whether any found its type.
    fn templates(&mut self, event: &Value) -> bool {
        let set = self.set;
        let mut taken = false;
        for template in &set.contents {
            for token in template.matches.select(event) {
                taken = true;
                if self.records >= MAX_RECORDS {
                    self.mapped.problem(ProblemKind::Limit, "$", "more than 10,000 records in one message: send several messages");
                    return true;
                }
                self.trail.note(StepKind::Matched, &template.type_name, || "the type is found".to_owned());
                self.token(template, event, token);
            }
        }
        taken
    }

    fn token(&mut self, template: &ContentTemplate, event: &Value, token: &Value) {
        let (device, device_time) = match (self.device(template, event, token), time_of(template, event, token)) {
            (Ok(device), Ok(time)) => (device, time),
            (Err(problem), _) | (_, Err(problem)) => {
                self.records += 1;
                self.fail(template, problem);
                return;
            }
        };
        let patient = template
            .patient
            .as_ref()
            .and_then(|expression| expression.first(event, token))
            .and_then(scalar_text)
            .filter(|text| !text.is_empty())
            .map(|value| PatientRef {
                id: PatientId::from_identifier(PATIENT_SYSTEM, &value),
                identifiers: vec![Identifier { system: PATIENT_SYSTEM.to_owned(), value, kind: String::new() }],
                name: None,
            });
        let set = self.set;
        for wanted in &template.values {
            self.records += 1;
            let Some(value) = wanted.expression.first(event, token) else {
                if wanted.required {
                    let missing = problem(ProblemKind::Missing, "", format!("the value `{}` is required", wanted.name));
                    self.fail(template, missing);
                } else {
                    self.trail.note(StepKind::Absent, &template.type_name, || format!("{} is not there", wanted.name));
                }
                continue;
            };
            let targets: Vec<&Target> = set
                .targets
                .iter()
                .filter(|target| target.type_name == template.type_name && target.value_name == wanted.name)
                .collect();
            if targets.is_empty() {
                let unknown = format!("fhirmapping.json does not say what `{}` is", wanted.name);
                self.fail(template, problem(ProblemKind::UnknownMetric, "", unknown));
            }
            for target in targets {
                match convert(target, value, device_time) {
                    Ok(measurement) => {
                        self.own_time |= device_time.is_some();
                        self.trail.note(StepKind::Converted, &template.type_name, || {
                            format!("{:?} = {} {}", measurement.metric, value_text(&measurement.value), measurement.unit.ucum())
                        });
                        self.mapped.push(&device, patient.as_ref(), measurement);
                    }
                    Err(mut problem) => {
                        problem.detail = format!("`{}`: {}", wanted.name, problem.detail);
                        self.fail(template, problem);
                    }
                }
            }
        }
    }

    fn fail(&mut self, template: &ContentTemplate, mut problem: Problem) {
        problem.path = format!("template {}", template.type_name);
        self.trail.note(StepKind::Problem, &template.type_name, || problem.detail.clone());
        self.mapped.problems.push(problem);
    }

    fn device(&self, template: &ContentTemplate, event: &Value, token: &Value) -> Result<DeviceId, Problem> {
        let said = template.device.as_ref().and_then(|expression| expression.first(event, token));
        let added = || match template.kind {
            ContentKind::IotHub => event.get("SystemProperties")?.get("iothub-connection-device-id"),
            ContentKind::IotCentral => event.get("deviceId"),
            _ => None,
        };
        said.or_else(added)
            .and_then(scalar_text)
            .or_else(|| self.captured.map(str::to_owned))
            .filter(|text| !text.is_empty())
            .map(|text| DeviceId::sanitised(&text))
            .ok_or_else(|| problem(ProblemKind::BadDevice, "", "no device id: give it in the payload, or as {device} in the topic filter"))
    }
}

fn time_of(template: &ContentTemplate, event: &Value, token: &Value) -> Result<Option<DeviceTime>, Problem> {
    let said = template.timestamp.as_ref().and_then(|expression| expression.first(event, token));
    let added = || match template.kind {
        ContentKind::IotHub => event
            .get("Properties")
            .and_then(|properties| properties.get("iothub-creation-time-utc"))
            .or_else(|| event.get("SystemProperties")?.get("iothub-enqueuedtime")),
        ContentKind::IotCentral => event.get("enqueuedTime"),
        _ => None,
    };
    said.or_else(added)
        .map(|value| {
            TimeFormat::Rfc3339
                .read(value, &TimeZone::UTC)
                .map_err(|why| problem(ProblemKind::BadTime, "", why))
        })
        .transpose()
}

fn convert(target: &Target, value: &Value, device_time: Option<DeviceTime>) -> Result<Measurement, Problem> {
    let (metric, unit) = match &target.metric {
        Ok(found) => *found,
        Err((kind, why)) => return Err(problem(*kind, "", why.clone())),
    };
    let details = Details { device_time, ..Details::default() };
    match (number_of(value), scalar_text(value)) {
        (Some(number), _) => measure(metric, number, unit, details),
        (None, Some(text)) => measure_text(metric, &text, details),
        (None, None) => Err(problem(ProblemKind::BadValue, "", "the value is a list or an object")),
    }
}
