//! The two device guides of HL7: point-of-care devices (PoCD) and personal health devices (PHD).
//! Which of their profiles a resource claims, and a stored reading in the form that they ask for.

use serde_json::{Value as Json, json};
use vitals::metric::MetricKind;
use vitals::{MetricCode, Value};

use crate::code::{ABSENT, MDC};
use crate::project::Stored;
use crate::{bits, time};

/// What the point-of-care guide's profiles begin with.
pub const POCD: &str = "http://hl7.org/fhir/uv/pocd/StructureDefinition/";
/// What the personal health guide's profiles begin with.
pub const PHD: &str = "http://hl7.org/fhir/uv/phd/StructureDefinition/";
/// Names the device that passed an observation on.
pub const GATEWAY: &str = "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice";
/// Id of the `Device` that the platform itself is, as a gateway of personal health devices.
pub const OURSELVES: &str = "vitalwire-gateway";

const PHD_CATEGORY: &str = "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories";
/// System of numbered bits and of flags of the nomenclature's bit strings.
pub(crate) const BITS: &str = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7";
/// `MDC_ATTR_TIME_ABS`, what a coincident time stamp is coded as.
const ABSOLUTE_TIME: &str = "67975";
/// How far a device's clock is ahead, in seconds.
pub(crate) const CLOCK_OFFSET: MetricCode = MetricCode(67_109_090);
/// What a device says that has no metric.
pub(crate) const STATEMENT: MetricCode = MetricCode(67_109_091);

/// A guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guide {
    /// Point-of-care devices.
    Pocd,
    /// Personal health devices.
    Phd,
}

/// The guide of a profile's address, and the profile's own name.
#[must_use]
pub fn of_profile(address: &str) -> Option<(Guide, &str)> {
    let pocd = address.strip_prefix(POCD).map(|name| (Guide::Pocd, name));
    let (guide, name) = pocd.or_else(|| Some((Guide::Phd, address.strip_prefix(PHD)?)))?;
    let name = name.split('|').next().unwrap_or(name);
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain.then_some((guide, name))
}

/// The profiles of the guides that a resource claims.
pub fn claimed(resource: &Json) -> impl Iterator<Item = (Guide, &str)> {
    let profiles = resource["meta"]["profile"].as_array().into_iter().flatten();
    profiles.filter_map(|profile| of_profile(profile.as_str()?))
}

/// Whether a metric's stored readings can be shown as the profile of this name.
#[must_use]
pub fn takes(profile: &str, metric: MetricCode) -> bool {
    let Some(row) = metric.metric() else { return false };
    let kind = row.kind;
    if metric == CLOCK_OFFSET {
        return profile == "PhdCoincidentTimeStampObservation";
    }
    match profile {
        "NumericObservation" | "PhdNumericObservation" => kind == MetricKind::Numeric,
        "SampleArrayObservation" | "PhdRtsaObservation" => kind == MetricKind::SampleArray,
        "EnumerationObservation" => matches!(kind, MetricKind::Enumeration | MetricKind::Text),
        "PhdBitsEnumerationObservation" => bits::has(metric),
        "PhdCodedEnumerationObservation" => kind == MetricKind::Enumeration && !bits::has(metric),
        "PhdStringObservation" => kind == MetricKind::Text,
        "CompoundNumericObservation" | "PhdCompoundNumericObservation" => kind == MetricKind::Compound,
        "PhdBaseObservation" => true,
        _ => false,
    }
}

/// An observation as [`crate::project`] or [`crate::panel`] made it, in the form of a guide.
/// `metric` is the id of the `DeviceMetric` that it was measured as (PoCD).
#[must_use]
pub fn shown(mut json: Json, guide: Guide, stored: &Stored, metric: &str) -> Json {
    states(&mut json);
    let profile = match guide {
        Guide::Pocd => {
            json["device"] = json!({"reference": format!("DeviceMetric/{metric}")});
            period(&mut json, stored);
            format!("{POCD}{}", pocd(&json))
        }
        Guide::Phd => {
            personal(&mut json, stored);
            format!("{PHD}{}", phd(&json, stored.key.metric))
        }
    };
    let others = json["meta"]["profile"].as_array().cloned().unwrap_or_default();
    json["meta"]["profile"] = others.into_iter().chain([profile.into()]).collect();
    json
}

fn pocd(json: &Json) -> &'static str {
    if json.get("component").is_some() {
        "CompoundNumericObservation"
    } else if json.get("valueSampledData").is_some() {
        "SampleArrayObservation"
    } else if json.get("valueCodeableConcept").is_some() || json.get("valueString").is_some() {
        "EnumerationObservation"
    } else {
        "NumericObservation"
    }
}

fn phd(json: &Json, metric: MetricCode) -> &'static str {
    if metric == CLOCK_OFFSET {
        "PhdCoincidentTimeStampObservation"
    } else if bits::has(metric) {
        "PhdBitsEnumerationObservation"
    } else if json.get("component").is_some() {
        "PhdCompoundNumericObservation"
    } else if json.get("valueSampledData").is_some() {
        "PhdRtsaObservation"
    } else if json.get("valueCodeableConcept").is_some() {
        "PhdCodedEnumerationObservation"
    } else if json.get("valueString").is_some() {
        "PhdStringObservation"
    } else {
        "PhdNumericObservation"
    }
}

/// A state that is a term of the nomenclature is coded as one.
pub(crate) fn states(json: &mut Json) {
    let Some(list) = json["valueCodeableConcept"]["coding"].as_array() else { return };
    let ours = list.iter().find(|coding| coding["system"] == crate::code::STATE);
    let number = ours.and_then(|coding| coding["code"].as_str()?.parse::<u32>().ok());
    // A term has a partition above its 16 bits; a small number is one of a metric's own states.
    let Some(term) = number.filter(|number| *number > 0xffff) else { return };
    let mut list = list.clone();
    list.insert(0, json!({"system": MDC, "code": term.to_string()}));
    json["valueCodeableConcept"]["coding"] = list.into();
}

/// Samples are true for a period, from the first to the end of the last.
pub(crate) fn period(json: &mut Json, stored: &Stored) {
    let Some(Value::SampleArray(array)) = &stored.attachment else { return };
    let start = stored.point.time.micros();
    let end = start.saturating_add(array.rate.micros(array.len() as u64));
    if let Some(object) = json.as_object_mut() {
        object.shift_remove("effectiveDateTime");
        object.insert("effectivePeriod".into(), json!({"start": time::format(start), "end": time::format(end)}));
    }
}

/// What the personal health guide asks of every observation.
fn personal(json: &mut Json, stored: &Stored) {
    if stored.key.metric == CLOCK_OFFSET {
        return clock(json, stored);
    }
    let mut categories = json["category"].as_array().cloned().unwrap_or_default();
    categories.push(json!({"coding": [{"system": PHD_CATEGORY, "code": "phd"}]}));
    json["category"] = categories.into();
    gateway(json);
    if bits::has(stored.key.metric) && !stored.point.value.is_nan() {
        bits::show(json, stored.key.metric, stored.point.value);
    }
    let holders = json["component"].as_array().map_or(0, Vec::len);
    not_a_number(&mut json["dataAbsentReason"]);
    for at in 0..holders {
        not_a_number(&mut json["component"][at]["dataAbsentReason"]);
    }
    if json["dataAbsentReason"].is_null() && let Some(object) = json.as_object_mut() {
        object.shift_remove("dataAbsentReason");
    }
    for component in json["component"].as_array_mut().into_iter().flatten() {
        if component["dataAbsentReason"].is_null() && let Some(object) = component.as_object_mut() {
            object.shift_remove("dataAbsentReason");
        }
    }
    if holders == 0 && json["component"].is_null() && let Some(object) = json.as_object_mut() {
        object.shift_remove("component");
    }
}

/// What a device sends in place of a number is no number.
fn not_a_number(reason: &mut Json) {
    if reason["coding"][0]["code"] == "error" {
        *reason = json!({"coding": [{"system": ABSENT, "code": "not-a-number", "display": "Not a Number (NaN)"}]});
    }
}

fn gateway(json: &mut Json) {
    let mut list = json["extension"].as_array().cloned().unwrap_or_default();
    list.push(json!({"url": GATEWAY, "valueReference": {"reference": format!("Device/{OURSELVES}")}}));
    json["extension"] = list.into();
}

/// A clock's offset as the coincident time stamp that it was told as: what the device's clock
/// said when it was so late by ours.
fn clock(json: &mut Json, stored: &Stored) {
    let Some(object) = json.as_object_mut() else { return };
    for name in ["valueQuantity", "category"] {
        object.shift_remove(name);
    }
    object.insert("code".into(), clock_code());
    object.insert("subject".into(), json!({"reference": format!("Device/{}", stored.key.device)}));
    object.insert("device".into(), json!({"reference": format!("Device/{OURSELVES}")}));
    if stored.point.value.is_finite() {
        let micros = (stored.point.value * 1e6).round() as i64;
        let at = stored.point.time.micros().saturating_add(micros);
        object.insert("valueDateTime".into(), time::format(at).into());
    }
}

fn clock_code() -> Json {
    json!({"coding": [{"system": MDC, "code": ABSOLUTE_TIME, "display": "MDC_ATTR_TIME_ABS"}], "text": "Absolute time"})
}

/// Whether an observation tells what a device's clock said.
pub(crate) fn is_clock(resource: &Json) -> bool {
    let absolute = crate::code::codings(&resource["code"]).any(|(system, code)| system == MDC && code == ABSOLUTE_TIME);
    absolute && resource["subject"]["reference"].as_str().is_some_and(|text| text.contains("Device/"))
}

/// The platform itself as a personal health gateway (profile `PhgDevice`), of this version.
#[must_use]
pub fn ourselves(version: &str) -> Json {
    let mdc = |code: &str, name: &str| json!({"coding": [{"system": MDC, "code": code, "display": name}]});
    json!({
        "resourceType": "Device",
        "id": OURSELVES,
        "meta": {"profile": [format!("{PHD}PhgDevice")]},
        "status": "active",
        "deviceName": [{"name": "Vitalwire", "type": "user-friendly-name"}],
        "type": mdc("531981", "MDC_MOC_VMS_MDS_AHD"),
        "version": [{"type": mdc("531975", "MDC_ID_PROD_SPEC_SW"), "value": version}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_told_by_their_address() {
        assert_eq!(of_profile(&format!("{POCD}NumericObservation|1.0")), Some((Guide::Pocd, "NumericObservation")));
        assert_eq!(of_profile(&format!("{PHD}PhdRtsaObservation")), Some((Guide::Phd, "PhdRtsaObservation")));
        assert_eq!(of_profile("http://hl7.org/fhir/StructureDefinition/bp"), None);
        assert_eq!(of_profile(&format!("{PHD}a b")), None);
        let json = json!({"meta": {"profile": ["urn:x", format!("{PHD}PhdBaseObservation")]}});
        assert_eq!(claimed(&json).count(), 1);
    }

    #[test]
    fn we_are_a_gateway() {
        assert!(crate::validate(&ourselves("1.2.3"), "Device").is_empty());
    }
}
