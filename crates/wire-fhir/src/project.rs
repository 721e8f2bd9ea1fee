//! Stored readings as `Observation`s. An observation is made from its series whenever it is asked
//! for, never kept; its id is the reading's name and so never changes.

use serde_json::{Value as Json, json};
use vitals::metric::MetricKind;
use vitals::{Metric, Offset, Point, Quality, ReadingRef, ReceiveTime, SeriesId, SeriesKey, Value};

use crate::code::{self, UCUM};
use crate::observation::{CHANNEL, QUALITY};
use crate::{samples, time};

/// Extension that leads to the message that a value came from (PR-1).
pub const MESSAGE: &str = "urn:vitalwire:message";

/// A stored reading with all that an `Observation` needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its series.
    pub series: SeriesId,
    /// Whose, by what, of what.
    pub key: SeriesKey,
    /// The value and its times.
    pub point: Point,
    /// What a number can't hold: text, samples, the text of an enumeration.
    pub attachment: Option<Value>,
}

impl Stored {
    /// The reading's stable name, which is the observation's id.
    #[must_use]
    pub fn reference(&self) -> ReadingRef {
        ReadingRef { series: self.series, offset: self.point.offset, index: self.point.index }
    }
}

/// The R4 status of an observation with these flags: doubtful values are never `final`.
#[must_use]
pub fn status(quality: Quality) -> &'static str {
    if quality.contains(Quality::AMENDED | Quality::INVALID) {
        "entered-in-error"
    } else if !quality.usable() {
        "preliminary"
    } else if quality.contains(Quality::AMENDED) {
        "amended"
    } else {
        "final"
    }
}

/// A stored reading as an `Observation`. A value that the device calls invalid is left out, with
/// `dataAbsentReason` in its place; what else is known against it stands in extensions.
#[must_use]
pub fn observation(stored: &Stored) -> Json {
    let (key, point) = (&stored.key, &stored.point);
    let row = key.metric.metric();
    let mut json = json!({
        "resourceType": "Observation",
        "id": stored.reference().to_string(),
        "meta": meta(1, point.received, point.offset),
    });
    if point.quality.contains(Quality::TEST) {
        json["meta"]["security"] = json!([{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST",
        }]);
    }
    json["extension"] = Json::Array(extensions(stored));
    json["status"] = status(point.quality).into();
    if let Some(row) = row {
        let category = code::category(row);
        json["category"] = json!([{"coding": [{"system": code::CATEGORY, "code": category}]}]);
    }
    json["code"] = code::concept(key.metric);
    if let Some(patient) = &key.subject {
        json["subject"] = json!({"reference": format!("Patient/{patient}")});
    }
    json["effectiveDateTime"] = time::format(point.time.micros()).into();
    json["issued"] = time::format(point.received.micros()).into();
    match value(stored, row) {
        Some((name, value)) => json[name] = value,
        None => json["dataAbsentReason"] = absent(point.quality),
    }
    json["device"] = json!({"reference": format!("Device/{}", key.device)});
    json
}

fn value(stored: &Stored, row: Option<&Metric>) -> Option<(&'static str, Json)> {
    let point = &stored.point;
    if point.quality.contains(Quality::INVALID) {
        return None;
    }
    let unit = row.map_or(vitals::Unit::NONE, |row| row.unit);
    match &stored.attachment {
        Some(Value::Text(text)) if !text.is_empty() => Some(("valueString", json!(text))),
        Some(Value::SampleArray(array)) => Some(("valueSampledData", samples::write(array, unit))),
        _ if !point.value.is_finite() => None,
        Some(Value::Enumeration(number, text)) => Some(state(stored, *number, text)),
        _ if row.is_some_and(|row| row.kind == MetricKind::Enumeration) => {
            Some(state(stored, point.value as i32, ""))
        }
        _ => {
            let shown = if unit.display().is_empty() { unit.ucum() } else { unit.display() };
            let quantity =
                json!({"value": point.value, "unit": shown, "system": UCUM, "code": unit.ucum()});
            Some(("valueQuantity", quantity))
        }
    }
}

fn state(stored: &Stored, number: i32, text: &str) -> (&'static str, Json) {
    let mut codings = vec![json!({"system": code::STATE, "code": number.to_string()})];
    if let Some((system, code)) = code::standard_state(stored.key.metric, number) {
        codings.push(json!({"system": system, "code": code}));
    }
    let mut concept = json!({"coding": codings});
    if !text.trim().is_empty() {
        concept["text"] = text.into();
    }
    ("valueCodeableConcept", concept)
}

fn absent(quality: Quality) -> Json {
    let code = if quality.contains(Quality::INVALID) { "error" } else { "unknown" };
    json!({"coding": [{"system": code::ABSENT, "code": code}]})
}

fn extensions(stored: &Stored) -> Vec<Json> {
    let point = &stored.point;
    let mut list = vec![json!({
        "url": MESSAGE,
        "valueUri": format!("urn:vitalwire:journal:{}#{}", point.offset, point.index),
    })];
    if stored.key.channel != 0 {
        list.push(json!({"url": CHANNEL, "valueUnsignedInt": stored.key.channel}));
    }
    let flags = point.quality.names();
    list.extend(flags.into_iter().map(|flag| json!({"url": QUALITY, "valueCode": flag})));
    list
}

pub(crate) fn meta(version: u64, updated: ReceiveTime, offset: Offset) -> Json {
    json!({
        "versionId": version.to_string(),
        "lastUpdated": time::format(updated.micros()),
        "source": format!("urn:vitalwire:journal:{offset}"),
    })
}

