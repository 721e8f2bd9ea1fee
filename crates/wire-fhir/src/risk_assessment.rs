//! `RiskAssessment`: what a predictive model said of a patient, with all that it was said from, so that it
//! can be said again.
//!
//! Probabilities are fractions of 1, as in the specification's examples. What R4 has no element for (the
//! interval around the probability, the inputs, whether the model is in use or only compared) stands in
//! extensions. An input that was missing is not listed.

use serde_json::{Map, Value as Json, json};
use vitals::time::HOUR;
use vitals::{Metric, MetricCode, ReadingRef};

use crate::code::PRIVATE;
use crate::time;

/// System of predictions' identifiers.
pub const PREDICTION: &str = "urn:vitalwire:prediction";
/// System of models: the code is the model's id, `version` its version with the hash of its file.
pub const MODEL: &str = "urn:vitalwire:model";
/// System of classes: `low`, `unsure`, `high`.
pub const CLASS: &str = "urn:vitalwire:risk-class";
/// Extension: the model's inputs, each an extension named like the input.
pub const INPUTS: &str = "urn:vitalwire:extension:model-inputs";
/// Extension: `champion` or `shadow`.
pub const ROLE: &str = "urn:vitalwire:extension:model-role";
/// Extension beside a probability: between what it lies.
pub const INTERVAL: &str = "urn:vitalwire:extension:probability-interval";

/// A prediction as it is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Logical id.
    pub id: String,
    /// Whose: the record that lives on.
    pub patient: String,
    /// Id of the model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// What it calls itself.
    pub title: String,
    /// What it predicts, in words.
    pub outcome: String,
    /// The metric that its risk is kept under, if it has one.
    pub metric: Option<MetricCode>,
    /// Within how many hours.
    pub horizon_h: f64,
    /// `champion` or `shadow`.
    pub role: &'static str,
    /// As of when, µs.
    pub at: i64,
    /// When it was made, µs.
    pub made: i64,
    /// Probability, low end, high end, class; or why there is none.
    pub said: Result<(f32, f32, f32, &'static str), Vec<String>>,
    /// Why, most important first.
    pub because: Vec<String>,
    /// What is to be known of its inputs.
    pub warnings: Vec<String>,
    /// The readings that it rests on.
    pub basis: Vec<ReadingRef>,
    /// Names and values of its inputs; NaN: missing.
    pub inputs: Vec<(String, f32)>,
}

/// The resource.
#[must_use]
pub fn resource(of: &Assessment) -> Json {
    let mut json = json!({
        "resourceType": "RiskAssessment",
        "id": of.id,
        "meta": {"versionId": "1", "lastUpdated": time::format(of.made)},
        "extension": [
            {"url": ROLE, "valueCode": of.role},
            {"url": INPUTS, "extension": inputs(&of.inputs)},
        ],
        "identifier": [{"system": PREDICTION, "value": of.id}],
        "status": if of.said.is_ok() { "final" } else { "cancelled" },
        "method": {
            "coding": [{"system": MODEL, "version": of.version, "code": of.model, "display": of.title}],
            "text": of.title,
        },
        "code": code(of),
        "subject": {"reference": format!("Patient/{}", of.patient)},
        "occurrenceDateTime": time::format(of.at),
        "performer": {"reference": "Device/vitalwire", "display": "Vitalwire"},
    });
    if of.inputs.iter().all(|(_, value)| value.is_nan()) {
        json["extension"].as_array_mut().map(Vec::pop);
    }
    if !of.basis.is_empty() {
        let basis = of.basis.iter().map(|name| json!({"reference": format!("Observation/{name}")}));
        json["basis"] = basis.collect();
    }
    let mut notes: Vec<String> = of.warnings.clone();
    match &of.said {
        Ok(said) => json["prediction"] = json!([prediction(of, *said)]),
        Err(reasons) => notes.extend(reasons.iter().map(|reason| format!("The model does not judge: {reason}"))),
    }
    if !notes.is_empty() {
        json["note"] = notes.into_iter().map(|text| json!({"text": text})).collect();
    }
    json
}

fn code(of: &Assessment) -> Json {
    let text = format!("Risk of {} within {} h", of.outcome, of.horizon_h);
    match of.metric.and_then(MetricCode::metric) {
        Some(Metric { code, name, .. }) => {
            json!({"coding": [{"system": PRIVATE, "code": code.0.to_string(), "display": name}], "text": text})
        }
        None => json!({"text": text}),
    }
}

fn prediction(of: &Assessment, (probability, low, high, class): (f32, f32, f32, &str)) -> Json {
    let end = of.at.saturating_add((of.horizon_h * HOUR as f64) as i64);
    let mut json = json!({
        "outcome": {"text": of.outcome},
        "probabilityDecimal": decimal(probability),
        "_probabilityDecimal": {"extension": [{
            "url": INTERVAL,
            "valueRange": {"low": {"value": decimal(low)}, "high": {"value": decimal(high)}},
        }]},
        "qualitativeRisk": {"coding": [{"system": CLASS, "code": class}], "text": in_words(class)},
        "whenPeriod": {"start": time::format(of.at), "end": time::format(end)},
    });
    if !of.because.is_empty() {
        json["rationale"] = of.because.join("; ").into();
    }
    json
}

fn in_words(class: &str) -> &'static str {
    match class {
        "high" => "Raised: a look is proposed",
        "low" => "Not raised",
        _ => "The model can't tell",
    }
}

/// The inputs that are there, by name.
fn inputs(all: &[(String, f32)]) -> Vec<Json> {
    let there = all.iter().filter(|(_, value)| value.is_finite());
    there.map(|(name, value)| json!({"url": name, "valueDecimal": decimal(*value)})).collect()
}

/// The shortest decimal that is read back as the same 32-bit number.
fn decimal(value: f32) -> Json {
    serde_json::from_str(&value.to_string()).unwrap_or(Json::Null)
}

/// The inputs of a resource, by name: what a model needs to judge again.
#[must_use]
pub fn inputs_of(resource: &Json) -> Map<String, Json> {
    let extensions = resource["extension"].as_array().map_or(&[][..], Vec::as_slice);
    let own = extensions.iter().find(|one| one["url"] == INPUTS);
    let each = own.and_then(|own| own["extension"].as_array()).map_or(&[][..], Vec::as_slice);
    each.iter().filter_map(|one| Some((one["url"].as_str()?.to_owned(), one["valueDecimal"].clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::SeriesId;
    use vitals::metric::code::RISK_SEPSIS;

    fn assessment() -> Assessment {
        Assessment {
            id: "p12-0".into(),
            patient: "p-1".into(),
            model: "sepsis".into(),
            version: "1.0.0+0123456789ab".into(),
            title: "Sepsis within 12 h".into(),
            outcome: "sepsis".into(),
            metric: Some(RISK_SEPSIS),
            horizon_h: 12.0,
            role: "champion",
            at: 0,
            made: 1_000_000,
            said: Ok((0.1, 0.05, 0.3, "high")),
            because: vec!["respiratory rate rising 18→26 over 5 h".into(), "lactate missing".into()],
            warnings: vec!["age is not known".into()],
            basis: vec![ReadingRef { series: SeriesId(3), offset: 9, index: 1 }],
            inputs: vec![("HR now".into(), 0.1), ("Lactate now".into(), f32::NAN)],
        }
    }

    #[test]
    fn a_prediction_becomes_a_resource_and_its_inputs_come_back() {
        let json = resource(&assessment());
        assert_eq!(json["method"]["coding"][0]["version"], "1.0.0+0123456789ab");
        assert_eq!(json["prediction"][0]["probabilityDecimal"].to_string(), "0.1");
        assert_eq!(json["prediction"][0]["whenPeriod"]["end"], "1970-01-01T12:00:00Z");
        assert_eq!(json["basis"][0]["reference"], "Observation/r3-9-1");
        let inputs = inputs_of(&json);
        assert_eq!(inputs.len(), 1, "what was missing is not listed");
        let back = inputs["HR now"].as_f64().map(|value| value as f32);
        assert_eq!(back.map(f32::to_bits), Some(0.1_f32.to_bits()));
    }

    #[test]
    fn a_model_that_does_not_judge_gives_no_probability() {
        let silent = Assessment { said: Err(vec!["age is not known".into()]), ..assessment() };
        let json = resource(&silent);
        assert_eq!((json["status"].as_str(), json.get("prediction")), (Some("cancelled"), None));
        assert_eq!(json["note"][1]["text"], "The model does not judge: age is not known");
    }
}
