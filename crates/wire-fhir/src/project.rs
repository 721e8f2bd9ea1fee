//! Stored readings as `Observation`s. An observation is made from its series whenever it is asked
//! for, never kept; its id is the reading's name and so never changes.

use serde_json::{Value as Json, json};
use vitals::metric::MetricKind;
use vitals::{Metric, Offset, Point, Quality, ReadingRef, ReceiveTime, SeriesId, SeriesKey, Value};

use crate::code::{self, UCUM};
use crate::observation::{CHANNEL, QUALITY};
use crate::names::Name;
use crate::{names, panel, samples, time};

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
    /// Names that its sender gave it ([`crate::names`]); an id only while it is this reading's.
    pub names: Vec<String>,
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
    let row = stored.key.metric.metric();
    let mut json = head(stored, false);
    json["status"] = status(stored.point.quality).into();
    if let Some(row) = row {
        let category = code::category(row);
        json["category"] = json!([{"coding": [{"system": code::CATEGORY, "code": category}]}]);
    }
    json["code"] = code::concept(stored.key.metric);
    circumstances(stored, &mut json);
    let (name, value) = value_or_absent(stored);
    json[name] = value;
    json
}

/// The logical id of a reading's own observation, or of the panel anchored at it.
#[must_use]
pub fn id(stored: &Stored, panel: bool) -> String {
    let derived = || {
        if panel { panel::id(stored.reference()) } else { stored.reference().to_string() }
    };
    given_id(stored, panel).map_or_else(derived, str::to_owned)
}

/// The id that the sender chose, if it chose one.
fn given_id(stored: &Stored, panel: bool) -> Option<&str> {
    stored.names.iter().find_map(|name| match names::read(name) {
        Some((of_panel, Name::Id(id))) if of_panel == panel => Some(id),
        _ => None,
    })
}

/// The version of a reading's observation: a stored reading never changes, but an id that its
/// sender chose may pass on to a correction.
#[must_use]
pub fn version(stored: &Stored, panel: bool) -> u64 {
    if given_id(stored, panel).is_some() { stored.point.offset + 1 } else { 1 }
}

/// The beginning of an observation: id, meta, extensions, identifiers.
pub(crate) fn head(stored: &Stored, panel: bool) -> Json {
    let point = &stored.point;
    let mut json = json!({
        "resourceType": "Observation",
        "id": id(stored, panel),
        "meta": meta(version(stored, panel), point.received, point.offset),
    });
    if point.quality.contains(Quality::TEST) {
        json["meta"]["security"] = json!([{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST",
        }]);
    }
    json["extension"] = Json::Array(extensions(stored));
    let identifiers = stored.names.iter().filter_map(|name| match names::read(name) {
        Some((of_panel, Name::Identifier(system, value))) if of_panel == panel => {
            let plain = json!({"value": value});
            let full = json!({"system": system, "value": value});
            Some(if system.is_empty() { plain } else { full })
        }
        _ => None,
    });
    let identifiers: Vec<Json> = identifiers.collect();
    if !identifiers.is_empty() {
        json["identifier"] = identifiers.into();
    }
    json
}

/// Whose, when and by what.
pub(crate) fn circumstances(stored: &Stored, json: &mut Json) {
    let (key, point) = (&stored.key, &stored.point);
    if let Some(patient) = &key.subject {
        json["subject"] = json!({"reference": format!("Patient/{patient}")});
    }
    json["effectiveDateTime"] = time::format(point.time.micros()).into();
    json["issued"] = time::format(point.received.micros()).into();
    json["device"] = json!({"reference": format!("Device/{}", key.device)});
}

/// The element that holds the value, or why there is none.
pub(crate) fn value_or_absent(stored: &Stored) -> (&'static str, Json) {
    let row = stored.key.metric.metric();
    value(stored, row).unwrap_or_else(|| ("dataAbsentReason", absent(stored.point.quality)))
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

