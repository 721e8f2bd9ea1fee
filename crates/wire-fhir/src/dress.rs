//! What a sender's own observation said beyond the reading, laid over the projection.
//!
//! A stored reading holds value, time, unit, subject and device. The device guides' observations
//! say more: the gateway, a coincident time stamp, limits, accuracy, private codes, supplemental
//! types. That stays in the journal with the message, and is read from there when such an
//! observation is asked for. What the platform knows itself always comes from the store.

use std::ops::Range;

use serde_json::{Map, Value as Json};
use vitals::{Measurement, MetricCode, Quality, Value};

use crate::code::{codings, metric_of};
use crate::guide::{self, CLOCK_OFFSET, STATEMENT};
use crate::project::{self, Stored};
use crate::directory::{self, Kind};
use crate::{bits, bundle, observation, panel, reference};

/// Elements that the platform does not hold and takes over as they were.
const OVER: [&str; 15] = [
    "language", "basedOn", "partOf", "focus", "encounter", "performer", "interpretation", "note", "bodySite",
    "method", "specimen", "referenceRange", "hasMember", "derivedFrom", "modifierExtension",
];

/// Where the reading of an observation came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The observation as it was sent.
    pub told: Json,
    /// The indices of its readings in the message.
    pub indices: Range<u16>,
    /// What its references to entries of the same bundle stand for.
    pub links: Vec<(String, Link)>,
}

/// What an entry of a bundle became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// A reading, by its index in the message; true: its panel.
    Reading(u16, bool),
    /// A record of the directory.
    Record(Kind, String),
}

/// The observation in a payload, itself one or a bundle with some, whose reading has this index.
#[must_use]
pub fn source(payload: &Json, index: u16) -> Option<Source> {
    if payload["resourceType"] != "Bundle" {
        let told = (payload["resourceType"] == "Observation").then(|| payload.clone())?;
        return Some(Source { told, indices: 0..u16::MAX, links: Vec::new() });
    }
    let (mut next, mut found, mut addresses) = (0_u16, None, Vec::new());
    for entry in payload["entry"].as_array()? {
        let resource = &entry["resource"];
        let ty = resource["resourceType"].as_str().unwrap_or_default();
        let address = entry["fullUrl"].as_str().unwrap_or_default();
        if let Some(kind) = Kind::from_name(ty) {
            let put = entry["request"]["url"].as_str().and_then(|url| url.strip_prefix(ty)?.strip_prefix('/'));
            let id = put.map_or_else(|| directory::assigned_id(kind, resource, ""), str::to_owned);
            addresses.push((address.to_owned(), Link::Record(kind, id)));
        }
        if ty != "Observation" {
            continue;
        }
        let Some(reading) = observation::read(resource, "").reading else { continue };
        let width: usize = reading.measurements.iter().map(width).sum();
        let end = next.saturating_add(u16::try_from(width).unwrap_or(u16::MAX));
        let (lead, panel) = panel::lead(&reading);
        addresses.push((address.to_owned(), Link::Reading(next.saturating_add(lead), panel)));
        if (next..end).contains(&index) {
            found = Some((resource.clone(), next..end));
        }
        next = end;
    }
    let (told, indices) = found?;
    let mut named = Vec::new();
    bundle::references(&told, "", &mut |text, _| named.push(text.to_owned()));
    addresses.retain(|(address, _)| named.contains(address));
    Some(Source { told, indices, links: addresses })
}

/// How many indices a measurement takes, as [`vitals::Message::readings`] counts.
fn width(measurement: &Measurement) -> usize {
    match &measurement.value {
        Value::Compound(parts) => parts.len().max(1),
        _ => 1,
    }
}

/// Lays what `told` says beyond the reading over `json`, the projection of `lead`. `beside` are
/// the readings of the same message, the lead among them: values of components come from them.
#[must_use]
pub fn dressed(mut json: Json, told: &Json, lead: &Stored, beside: &[Stored]) -> Json {
    let profiles = merged(&json["meta"]["profile"], &told["meta"]["profile"]);
    if !profiles.is_empty() {
        json["meta"]["profile"] = profiles.into();
    }
    let extensions = told["extension"].as_array().into_iter().flatten().filter(|extension| {
        !extension["url"].as_str().is_some_and(|url| url.starts_with("urn:vitalwire:"))
    });
    let ours = json["extension"].as_array().cloned().unwrap_or_default();
    json["extension"] = ours.into_iter().chain(extensions.cloned()).collect();
    json["category"] = merged(&json["category"], &told["category"]).into();
    for name in OVER {
        if let Some(value) = told.get(name) {
            json[name] = value.clone();
        }
    }
    coded(&mut json, told, lead);
    circumstances(&mut json, told, lead);
    values(&mut json, told, lead, beside);
    // That there is no value may be final; only a value that is called invalid is not.
    if absent(told) && (lead.point.quality - Quality::INVALID).usable() && json["status"] == "preliminary" {
        json["status"] = told["status"].clone();
    }
    tidy(&mut json);
    json
}

fn absent(told: &Json) -> bool {
    let parts = told["component"].as_array().into_iter().flatten();
    std::iter::once(told).chain(parts).any(|part| part.get("dataAbsentReason").is_some())
}

/// The code: what was told first, and ours beside it; a code that has no metric stands alone.
fn coded(json: &mut Json, told: &Json, lead: &Stored) {
    let plain = metric_of(&told["code"]).is_some() && lead.key.metric != CLOCK_OFFSET;
    let mut code = told["code"].clone();
    if plain {
        code["coding"] = union(&told["code"]["coding"], &json["code"]["coding"]).into();
    }
    json["code"] = code;
}

/// Subject, device and time, where the reading's own are less than was told.
fn circumstances(json: &mut Json, told: &Json, lead: &Stored) {
    let is = |name: &str, ty: &str| told[name]["reference"].as_str().is_some_and(|text| {
        reference::parse(text).is_some_and(|target| target.resource_type() == Some(ty))
    });
    if is("device", "DeviceMetric") || lead.key.metric == CLOCK_OFFSET {
        json["device"] = told["device"].clone();
    }
    if lead.key.subject.is_none() && told.get("subject").is_some() && !is("subject", "Patient") {
        json["subject"] = told["subject"].clone();
    }
    if let (Some(period), Some(object)) = (told.get("effectivePeriod"), json.as_object_mut()) {
        object.shift_remove("effectiveDateTime");
        object.insert("effectivePeriod".into(), period.clone());
        if lead.attachment.is_some() {
            guide::period(json, lead);
        }
    }
}

/// Values and components: from the store where it has them, else as told.
fn values(json: &mut Json, told: &Json, lead: &Stored, beside: &[Stored]) {
    let parts = told["component"].as_array().cloned().unwrap_or_default();
    let own = value_name(told);
    if lead.key.metric == CLOCK_OFFSET || lead.key.metric == STATEMENT && own.is_some() {
        clear(json);
        let name = own.unwrap_or("dataAbsentReason");
        if let (Some(value), Some(object)) = (told.get(name), json.as_object_mut()) {
            object.insert(name.to_owned(), value.clone());
        }
    } else if own.is_none() && !parts.is_empty() && told.get("dataAbsentReason").is_none() {
        clear(json);
        if let Some(object) = json.as_object_mut() {
            object.shift_remove("dataAbsentReason");
        }
    } else {
        refine(json, told, lead.key.metric);
    }
    if parts.is_empty() {
        return;
    }
    let mut seen: Vec<MetricCode> = Vec::new();
    let whole = metric_of(&told["code"]);
    let components = parts.into_iter().map(|mut part| {
        let Some(metric) = observation::component_metric(&part, whole).map(|row| row.code) else { return part };
        let nth = seen.iter().filter(|known| **known == metric).count();
        seen.push(metric);
        let Some(stored) = beside.iter().filter(|stored| stored.key.metric == metric).nth(nth) else { return part };
        put(&mut part, stored);
        part
    });
    json["component"] = components.collect();
    if bits::has(lead.key.metric) {
        let set = bits::components(lead.key.metric, lead.point.value as i32);
        let off = told["component"].as_array().into_iter().flatten().filter(|part| part["valueBoolean"] == false);
        json["component"] = set.into_iter().chain(off.cloned()).collect();
    }
}

/// A stored value in place of a component's.
fn put(part: &mut Json, stored: &Stored) {
    let told = part.clone();
    clear(part);
    let (name, value) = project::value_or_absent(stored);
    part[name] = value;
    guide::states(part);
    refine(part, &told, stored.key.metric);
}

/// The reason for no value, and the words of a code, as told.
fn refine(json: &mut Json, told: &Json, metric: MetricCode) {
    if json.get("dataAbsentReason").is_some() && let Some(reason) = told.get("dataAbsentReason") {
        json["dataAbsentReason"] = reason.clone();
    }
    guide::states(json);
    if metric != STATEMENT && json.get("valueCodeableConcept").is_some() {
        let mut concept = told["valueCodeableConcept"].clone();
        if concept.is_object() {
            concept["coding"] =
                union(&concept["coding"], &json["valueCodeableConcept"]["coding"]).into();
            json["valueCodeableConcept"] = concept;
        }
    }
}

fn value_name(json: &Json) -> Option<&str> {
    let object = json.as_object()?;
    object.keys().map(String::as_str).find(|key| {
        key.strip_prefix("value").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

fn clear(json: &mut Json) {
    let names: Vec<String> = value_name(json).into_iter().map(str::to_owned).collect();
    if let Some(object) = json.as_object_mut() {
        names.iter().for_each(|name| { object.shift_remove(name); });
        object.shift_remove("dataAbsentReason");
    }
}

/// All of both lists, what is equal or equally coded once.
fn merged(ours: &Json, told: &Json) -> Vec<Json> {
    let mut all = ours.as_array().cloned().unwrap_or_default();
    for item in told.as_array().into_iter().flatten() {
        let same = |known: &Json| {
            let code = |json: &Json| codings(json).map(|(s, c)| (s.to_owned(), c.to_owned())).next();
            known == item || code(known).is_some() && code(known) == code(item)
        };
        // Of what is equally coded the one with words says more.
        match all.iter_mut().find(|known| same(known)) {
            Some(known) => *known = item.clone(),
            None => all.push(item.clone()),
        }
    }
    all
}

/// Codings of both lists, each system and code once, those of the first as they are.
fn union(first: &Json, second: &Json) -> Vec<Json> {
    let mut all = first.as_array().cloned().unwrap_or_default();
    for coding in second.as_array().into_iter().flatten() {
        let same = |known: &Json| known["system"] == coding["system"] && known["code"] == coding["code"];
        if !all.iter().any(same) {
            all.push(coding.clone());
        }
    }
    all
}

fn tidy(json: &mut Json) {
    let empty = |value: &Json| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if let Some(object) = json.as_object_mut() {
        let kept: Map<String, Json> = std::mem::take(object).into_iter().filter(|(_, value)| !empty(value)).collect();
        *object = kept;
    }
}
