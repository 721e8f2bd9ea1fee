//! What a device says of itself beyond its record, as `Device.version`, `.property`,
//! `.specialization` and `.udiCarrier`: the elements that HL7's guide for personal health devices
//! asks for (profile `PhdDevice`).

use serde_json::{Value as Json, json};
use vitals::{Device, Identifier, MetricCode, Value, property};

use crate::code::{MDC, UCUM, codings};
use crate::guide::{BITS, PHD, POCD};

const YES_NO: &str = "http://terminology.hl7.org/CodeSystem/v2-0136";
const INTERFACES: &str = "http://hl7.org/fhir/uv/phd/CodeSystem/ContinuaPHDInterfaceIDs";
/// `MDC_MOC_VMS_MDS_SIMP`, what a personal health device is.
const SIMPLE: &str = "65573";
const GS1: &str = "http://hl7.org/fhir/NamingSystem/gs1-di";
/// System of the kinds of identifier that personal health devices have.
pub(crate) const CONTINUA_KINDS: &str = "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers";

/// Adds properties to a `Device`; what the device says itself stands in place of what was written
/// about the same property.
pub(crate) fn show(json: &mut Json, said: &[(MetricCode, Value)]) {
    for (metric, value) in said {
        match (*metric, value) {
            (property::SPECIALISATIONS, Value::Text(text)) => specialisations(json, text),
            (
                property::PART | property::HARDWARE | property::SOFTWARE | property::FIRMWARE | property::PROTOCOL
                | property::CERTIFIED_FOR,
                Value::Text(text),
            ) if !text.trim().is_empty() => {
                if *metric == property::PART {
                    json["partNumber"] = text.trim().into();
                } else {
                    put(json, "version", &mdc(metric.0), json!({"type": term(metric.0), "value": text.trim()}));
                }
            }
            (property::REGULATION, Value::Enumeration(state, _)) => regulation(json, *state),
            (property::CERTIFIED, Value::Text(text)) => {
                let codes: Vec<Json> = text.split_whitespace().map(|code| coded(INTERFACES, code)).collect();
                if !codes.is_empty() {
                    put(json, "property", &mdc(metric.0), json!({"type": term(metric.0), "valueCode": codes}));
                }
            }
            (property::TIME_SYNC, Value::Enumeration(code, _)) => {
                let mut way = coded(MDC, &code.to_string());
                if let Some(name) = u32::try_from(*code).ok().and_then(property::sync_name) {
                    way["coding"][0]["display"] = name.into();
                }
                put(json, "property", &mdc(metric.0), json!({"type": term(metric.0), "valueCode": [way]}));
            }
            (property::TIME_CAPABILITIES, Value::Enumeration(bits, _)) => capabilities(json, *bits),
            (property::CALIBRATED, Value::Text(text)) => calibrated(json, text.trim()),
            (_, Value::Numeric(number)) if number.is_finite() && metric.metric().is_some() => {
                let quantity = json!({"value": number, "unit": "us", "system": UCUM, "code": "us"});
                put(json, "property", &mdc(metric.0), json!({"type": term(metric.0), "valueQuantity": [quantity]}));
            }
            _ => {}
        }
    }
}

/// When the device was calibrated, in the form of FHIR's extension for it.
fn calibrated(json: &mut Json, at: &str) {
    const URL: &str = "http://hl7.org/fhir/StructureDefinition/device-calibration";
    let told = json["extension"].as_array().is_some_and(|all| all.iter().any(|one| one["url"] == URL));
    let instant = crate::time::interval(at).filter(|_| at.len() >= 20);
    let (false, Some(instant), Some(id)) = (told, instant, json["id"].as_str().map(str::to_owned)) else { return };
    let mut all = json["extension"].as_array().cloned().unwrap_or_default();
    all.push(json!({"url": URL, "extension": [
        {"url": "type", "valueCode": "unspecified"},
        {"url": "state", "valueCode": "calibrated"},
        {"url": "time", "valueInstant": crate::time::format(instant.start)},
        {"url": "device", "valueReference": {"reference": format!("Device/{id}")}},
    ]}));
    json["extension"] = all.into();
}

/// Claims the profile of a guide for a device that no sender described, where it has what that asks
/// for: of personal health an EUI-64 and a specialisation, at the point of care an identifier and
/// a kind that is a medical device system's (1 modulo 4).
pub(crate) fn claim(json: &mut Json, device: &Device) {
    if json["meta"]["profile"].is_array() || device.document.is_some() {
        return;
    }
    let personal = device.identifiers.iter().any(|one| one.kind == "SYSID") && json.get("specialization").is_some();
    let system = device.kind.is_some_and(|kind| kind.0 % 4 == 1) && !device.identifiers.is_empty();
    let profile = if personal {
        if json.get("type").is_none() {
            json["type"] = coded(MDC, SIMPLE);
        }
        format!("{PHD}PhdDevice")
    } else if system {
        format!("{POCD}MdsDevice")
    } else {
        return;
    };
    json["meta"]["profile"] = json!([profile]);
}

/// The label of a device as its carrier, where it is one of GS1 with the part that names the model.
pub(crate) fn carrier(json: &mut Json, identifiers: &[Identifier]) {
    if json.get("udiCarrier").is_some() {
        return;
    }
    let labels = identifiers.iter().filter(|one| one.kind == "UDI");
    let carriers: Vec<Json> = labels
        .filter_map(|one| {
            let rest = one.value.strip_prefix("(01)")?;
            let model = rest.get(..14).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
            Some(json!({"deviceIdentifier": model, "issuer": GS1, "carrierHRF": one.value}))
        })
        .collect();
    if !carriers.is_empty() {
        json["udiCarrier"] = carriers.into();
    }
}

fn coded(system: &str, code: &str) -> Json {
    json!({"coding": [{"system": system, "code": code}]})
}

fn term(code: u32) -> Json {
    let mut concept = coded(MDC, &code.to_string());
    if let Some(row) = MetricCode(code).metric() {
        concept["coding"][0]["display"] = row.refid.into();
    }
    concept
}

fn mdc(code: u32) -> (&'static str, String) {
    (MDC, code.to_string())
}

/// Puts an item into a list in place of those of the same type.
fn put(json: &mut Json, list: &str, (system, code): &(&str, String), item: Json) {
    let mut all = json[list].as_array().cloned().unwrap_or_default();
    all.retain(|known| !codings(&known["type"]).any(|(s, c)| s == *system && c == code));
    // A version without a type is the firmware's as an earlier word has it.
    if list == "version" && *code == property::FIRMWARE.0.to_string() {
        all.retain(|known| known.get("type").is_some() || known["value"] != item["value"]);
    }
    all.push(item);
    json[list] = all.into();
}

/// `code:version` pairs.
fn specialisations(json: &mut Json, text: &str) {
    let all: Vec<Json> = text
        .split_whitespace()
        .filter_map(|pair| {
            let (code, version) = pair.split_once(':')?;
            Some(json!({"systemType": coded(MDC, code), "version": version}))
        })
        .collect();
    if !all.is_empty() {
        json["specialization"] = all.into();
    }
}

/// The guide's way with flags: bit 0 of the status is "unregulated", yes or no.
fn regulation(json: &mut Json, state: i32) {
    let (code, text) = if state == 2 { ("Y", "unregulated") } else { ("N", "regulated") };
    let bit = format!("{}.0", property::REGULATION.0);
    let mut answer = coded(YES_NO, code);
    answer["text"] = text.into();
    let mut kind = coded(BITS, &bit);
    kind["text"] = "regulation-status".into();
    put(json, "property", &(BITS, bit), json!({"type": kind, "valueCode": [answer]}));
}

/// Bits that are set, each a property of its own; bit 0 is the highest of sixteen.
fn capabilities(json: &mut Json, bits: i32) {
    for bit in (0..16).filter(|bit| bits & (0x8000 >> bit) != 0) {
        let code = format!("{}.{bit}", property::TIME_CAPABILITIES.0);
        let item = json!({"type": coded(BITS, &code), "valueCode": [coded(YES_NO, "Y")]});
        put(json, "property", &(BITS, code), item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_says_is_in_its_resource() {
        let mut device = json!({
            "resourceType": "Device", "id": "ox-1", "status": "active", "version": [{"value": "1.2"}],
            "property": [{"type": term(property::TIME_SYNC.0), "valueCode": [coded(MDC, "532224")]}],
        });
        let text = |text: &str| Value::Text(text.into());
        show(&mut device, &[
            (property::FIRMWARE, text("1.2")),
            (property::HARDWARE, text("B")),
            (property::PART, text("P-7")),
            (property::SPECIALISATIONS, text("528388:2")),
            (property::CERTIFIED, text("32772 16401")),
            (property::REGULATION, Value::Enumeration(1, String::new())),
            (property::TIME_SYNC, Value::Enumeration(532_234, String::new())),
            (property::TIME_CAPABILITIES, Value::Enumeration(0x8100, String::new())),
            (property::TIME_ACCURACY, Value::Numeric(1_000.0)),
            (property::CALIBRATED, text("2026-01-02T03:04:05Z")),
        ]);
        let label = Identifier { system: String::new(), value: "(01)00643169001763(21)21A".into(), kind: "UDI".into() };
        carrier(&mut device, &[label]);
        assert_eq!(crate::validate(&device, "Device"), []);
        let versions: Vec<&Json> = device["version"].as_array().into_iter().flatten().map(|v| &v["value"]).collect();
        assert_eq!(versions, ["1.2", "B"]);
        assert_eq!(device["specialization"][0]["systemType"]["coding"][0]["code"], "528388");
        assert_eq!(device["property"].as_array().map(Vec::len), Some(6));
        let sync = |one: &&Json| one["type"]["coding"][0]["code"] == "68220";
        let ways: Vec<&Json> = device["property"].as_array().into_iter().flatten().filter(sync).collect();
        assert_eq!((ways.len(), &ways[0]["valueCode"][0]["coding"][0]["code"]), (1, &json!("532234")));
        assert_eq!(device["udiCarrier"][0]["deviceIdentifier"], "00643169001763");
        assert_eq!(device["partNumber"], "P-7");
        assert_eq!(device["extension"][0]["extension"][2]["valueInstant"], "2026-01-02T03:04:05Z");
    }
}
