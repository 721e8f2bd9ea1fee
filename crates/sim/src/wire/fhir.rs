//! FHIR R4 resources as home devices and charting nurses send them.

use jiff::Timestamp;
use serde_json::{Value, json};
use vitals::metric::MetricKind;
use vitals::{Metric, Sex};

/// One Observation with a single value, or with components when there are several.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    /// Patient id.
    pub patient: &'a str,
    /// Device id; empty when a person observed.
    pub device: &'a str,
    /// When, µs since 1970.
    pub time_us: i64,
    /// What; several values make components of the first metric's panel.
    pub metric: &'a Metric,
    /// The value.
    pub value: Components<'a>,
}

/// What an Observation says.
#[derive(Debug, Clone)]
pub enum Components<'a> {
    /// One number in the metric's unit.
    One(f64),
    /// Parts, such as systolic and diastolic pressure.
    Parts(Vec<(&'a Metric, f64)>),
}

impl Observation<'_> {
    /// The resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut resource = json!({
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "vital-signs"
            }]}],
            "code": code(self.metric),
            "subject": {"reference": format!("Patient/{}", self.patient)},
            "effectiveDateTime": instant(self.time_us),
        });
        if !self.device.is_empty() {
            resource["device"] = json!({"reference": format!("Device/{}", self.device)});
        }
        match &self.value {
            // A state has a number but no unit.
            Components::One(value) if self.metric.kind == MetricKind::Enumeration => {
                resource["valueInteger"] = json!(value.round() as i64);
            }
            Components::One(value) => resource["valueQuantity"] = quantity(self.metric, *value),
            Components::Parts(parts) => {
                resource["component"] = parts
                    .iter()
                    .map(|(m, v)| json!({"code": code(m), "valueQuantity": quantity(m, *v)}))
                    .collect();
            }
        }
        resource
    }
}

/// Who a Patient resource describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person<'a> {
    /// Logical id.
    pub id: &'a str,
    /// Identifier system and value.
    pub identifier: (&'a str, &'a str),
    /// Family and given name.
    pub name: (&'a str, &'a str),
    /// ISO date of birth.
    pub birth_date: &'a str,
    /// Sex.
    pub sex: Sex,
}

impl Person<'_> {
    /// The resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "resourceType": "Patient",
            "id": self.id,
            "identifier": [{"system": self.identifier.0, "value": self.identifier.1}],
            "name": [{"family": self.name.0, "given": [self.name.1]}],
            "gender": gender(self.sex),
            "birthDate": self.birth_date,
        })
    }
}

/// A transaction bundle that puts each resource under its own id.
#[must_use]
pub fn transaction(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| {
            let kind = resource["resourceType"].as_str().unwrap_or_default();
            let id = resource["id"].as_str().unwrap_or_default();
            json!({
                "fullUrl": format!("urn:vitalwire:{kind}:{id}"),
                "resource": resource,
                "request": {"method": "PUT", "url": format!("{kind}/{id}")},
            })
        })
        .collect();
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// Administrative gender.
#[must_use]
pub const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
    }
}

fn code(metric: &Metric) -> Value {
    let mut codings = Vec::new();
    if let Some(loinc) = metric.loinc {
        codings.push(json!({"system": "http://loinc.org", "code": loinc}));
    }
    codings.push(json!({
        "system": "urn:iso:std:iso:11073:10101",
        "code": metric.code.0.to_string(),
        "display": metric.refid,
    }));
    json!({"coding": codings, "text": metric.name})
}

fn quantity(metric: &Metric, value: f64) -> Value {
    let mut quantity = json!({
        "value": value,
        "system": "http://unitsofmeasure.org",
        "code": metric.unit.ucum(),
    });
    // FHIR knows no empty text.
    if !metric.unit.display().is_empty() {
        quantity["unit"] = json!(metric.unit.display());
    }
    quantity
}

fn instant(time_us: i64) -> String {
    let ms = time_us.div_euclid(1_000);
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |t| format!("{t:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_has_code_value_time_and_subject() {
        let metric = Metric::by_refid("MDC_ECG_HEART_RATE").expect("in the table");
        let observation = Observation {
            patient: "p-1",
            device: "home-1",
            time_us: 1_700_000_000_123_000,
            metric,
            value: Components::One(72.0),
        };
        let json = observation.to_json();
        assert_eq!(json["effectiveDateTime"], "2023-11-14T22:13:20.123Z");
        assert_eq!(json["code"]["coding"][0]["code"], "8867-4");
        assert_eq!(json["valueQuantity"]["code"], "/min");
        assert_eq!(json["device"]["reference"], "Device/home-1");
    }
}
