//! Records of the directory as `Patient`, `Device`, `Encounter` and `Location`: the document that
//! a record came in, if it came in one, overlaid with what the platform knows.

use serde_json::{Value as Json, json};
use vitals::{
    Device, DirectoryEvent, Encounter, EncounterStatus, Identifier, Location, LocationKind, Offset,
    Patient, PatientId, ReceiveTime, Sex,
};

use crate::code::MDC;
use crate::device_property::{self, CONTINUA_KINDS};
use crate::directory::Kind;
use crate::project::meta;
use crate::time;

const PHYSICAL: &str = "http://terminology.hl7.org/CodeSystem/location-physical-type";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ABSENT_EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
/// A record of the directory with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What is known; a movement or merge is no record.
    pub event: DirectoryEvent,
    /// 1, 2, 3 …: how often it changed.
    pub version: u64,
    /// When it last changed.
    pub updated: ReceiveTime,
    /// The journal entry that changed it last.
    pub offset: Offset,
    /// For a device: the patient it is on now.
    pub patient: Option<PatientId>,
    /// For a metric of a device: the metric; the event is then the device's.
    pub metric: Option<Json>,
    /// For a device: what it says of itself beyond its record.
    pub said: Vec<(vitals::MetricCode, vitals::Value)>,
}

impl Record {
    /// Kind and id; none for an event that is no record.
    #[must_use]
    pub fn name(&self) -> Option<(Kind, &str)> {
        if let Some(metric) = &self.metric {
            return Some((Kind::DeviceMetric, metric["id"].as_str()?));
        }
        match &self.event {
            DirectoryEvent::Patient(patient) => Some((Kind::Patient, patient.id.as_str())),
            DirectoryEvent::Device(device) => Some((Kind::Device, device.id.as_str())),
            DirectoryEvent::Encounter(encounter) => Some((Kind::Encounter, encounter.id.as_str())),
            DirectoryEvent::Location(location) => Some((Kind::Location, location.id.as_str())),
            DirectoryEvent::Merge { .. } | DirectoryEvent::Movement(_) => None,
        }
    }

    /// The record's business identifiers.
    #[must_use]
    pub fn identifiers(&self) -> Vec<Identifier> {
        if let Some(metric) = &self.metric {
            return crate::directory::identifiers(metric);
        }
        match &self.event {
            DirectoryEvent::Patient(patient) => patient.identifiers.clone(),
            DirectoryEvent::Device(device) => device.identifiers.clone(),
            DirectoryEvent::Encounter(Encounter { document, .. })
            | DirectoryEvent::Location(Location { document, .. }) => {
                crate::directory::identifiers(&kept(document.as_deref()))
            }
            DirectoryEvent::Merge { .. } | DirectoryEvent::Movement(_) => Vec::new(),
        }
    }
}

/// A record as its resource; none for an event that is no record.
#[must_use]
pub fn resource(record: &Record) -> Option<Json> {
    let mut json = match &record.event {
        _ if record.metric.is_some() => record.metric.clone()?,
        DirectoryEvent::Patient(patient) => self::patient(patient),
        DirectoryEvent::Device(device) => self::device(device, record),
        DirectoryEvent::Encounter(encounter) => self::encounter(encounter),
        DirectoryEvent::Location(location) => self::location(location),
        DirectoryEvent::Merge { .. } | DirectoryEvent::Movement(_) => return None,
    };
    let (kind, id) = record.name()?;
    json["resourceType"] = kind.name().into();
    json["id"] = id.into();
    let fresh = meta(record.version, record.updated, record.offset);
    match json.get_mut("meta").and_then(Json::as_object_mut) {
        Some(meta) => meta.extend(fresh.as_object().cloned().unwrap_or_default()),
        None => json["meta"] = fresh,
    }
    Some(json)
}

fn kept(document: Option<&[u8]>) -> Json {
    let stub = || json!({"resourceType": "", "id": "", "meta": {}});
    document
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .filter(Json::is_object)
        .unwrap_or_else(stub)
}

fn patient(patient: &Patient) -> Json {
    let mut json = kept(patient.document.as_deref());
    add_identifiers(&mut json, &patient.identifiers);
    let name = &patient.name;
    let named = !name.family.is_empty() || !name.given.is_empty();
    if named && crate::directory::human_name(&json) != *name {
        let mut human = json!({});
        if !name.family.is_empty() {
            human["family"] = name.family.as_str().into();
        }
        let given: Vec<&str> = name.given.split_whitespace().collect();
        if !given.is_empty() {
            human["given"] = json!(given);
        }
        json["name"] = json!([human]);
    }
    let gender = match patient.sex {
        Sex::Male => Some("male"),
        Sex::Female => Some("female"),
        Sex::Other => Some("other"),
        Sex::Unknown => None,
    };
    if let Some(gender) = gender {
        json["gender"] = gender.into();
    }
    if let Some(date) = patient.birth_date.as_deref().filter(|date| time::is_date(date)) {
        json["birthDate"] = date.into();
    }
    if patient.deceased && json.get("deceasedDateTime").is_none() {
        json["deceasedBoolean"] = true.into();
    }
    json
}

fn device(device: &Device, record: &Record) -> Json {
    let mut json = kept(device.document.as_deref());
    crate::device_metric::strip(&mut json);
    add_identifiers(&mut json, &device.identifiers);
    let mut text = |name: &str, value: &str| {
        if !value.is_empty() {
            json[name] = value.into();
        }
    };
    text("manufacturer", &device.manufacturer);
    text("modelNumber", &device.model);
    text("serialNumber", &device.serial);
    if json.get("deviceName").is_none() && !device.name.trim().is_empty() {
        json["deviceName"] = json!([{"name": device.name, "type": "user-friendly-name"}]);
    }
    if let (Some(kind), None) = (device.kind, json.get("type")) {
        json["type"] = json!({"coding": [{"system": MDC, "code": kind.0.to_string()}]});
    }
    if !device.version.is_empty() && json.get("version").is_none() {
        json["version"] = json!([{"value": device.version}]);
    }
    if json.get("status").is_none() {
        json["status"] = "active".into();
    }
    if let Some(place) = &device.location {
        json["location"] = json!({"reference": format!("Location/{place}")});
    }
    json["id"] = device.id.as_str().into();
    device_property::show(&mut json, &record.said);
    device_property::carrier(&mut json, &device.identifiers);
    device_property::claim(&mut json, device);
    if let Some(patient) = &record.patient {
        json["patient"] = json!({"reference": format!("Patient/{patient}")});
    }
    json
}

fn encounter(encounter: &Encounter) -> Json {
    let mut json = kept(encounter.document.as_deref());
    let status = match encounter.status {
        EncounterStatus::Planned => "planned",
        EncounterStatus::InProgress => "in-progress",
        EncounterStatus::Finished => "finished",
        EncounterStatus::Cancelled => "cancelled",
    };
    // The document may say it more finely (`arrived`, `onleave`); then it stands.
    let finer = json["status"].as_str().is_some_and(|text| match encounter.status {
        EncounterStatus::InProgress => matches!(text, "arrived" | "triaged" | "onleave" | "unknown"),
        EncounterStatus::Cancelled => text == "entered-in-error",
        EncounterStatus::Finished => text == "unknown",
        EncounterStatus::Planned => false,
    });
    if !finer {
        json["status"] = status.into();
    }
    if !encounter.class.is_empty() && json["class"]["code"] != encounter.class.as_str() {
        json["class"] = json!({"system": ACT_CODE, "code": encounter.class});
    } else if json.get("class").is_none() {
        json["class"] = json!({"extension": [{"url": ABSENT_EXTENSION, "valueCode": "unknown"}]});
    }
    let subject = format!("Patient/{}", encounter.patient);
    if json["subject"]["reference"] != subject.as_str() {
        json["subject"] = json!({"reference": subject});
    }
    for (name, bound) in [("start", encounter.start), ("end", encounter.end)] {
        let told = json["period"][name].as_str().and_then(time::interval).map(|i| i.start);
        if let Some(bound) = bound.filter(|bound| told != Some(bound.micros())) {
            if !json["period"].is_object() {
                json["period"] = json!({});
            }
            json["period"][name] = time::format(bound.micros()).into();
        }
    }
    if let Some(place) = &encounter.location {
        let reference = format!("Location/{place}");
        let there = json["location"].as_array().is_some_and(|list| {
            list.iter().any(|entry| entry["location"]["reference"] == reference.as_str())
        });
        if !there {
            json["location"] = json!([{"location": {"reference": reference}, "status": "active"}]);
        }
    }
    json
}

fn location(location: &Location) -> Json {
    let mut json = kept(location.document.as_deref());
    if !location.name.trim().is_empty() {
        json["name"] = location.name.as_str().into();
    }
    for (name, value) in [("status", "active"), ("mode", "instance")] {
        if json.get(name).is_none() {
            json[name] = value.into();
        }
    }
    let physical = match location.kind {
        LocationKind::Bed => Some(("bd", "Bed")),
        LocationKind::Room => Some(("ro", "Room")),
        LocationKind::Unit => Some(("wa", "Ward")),
        LocationKind::Home => Some(("ho", "House")),
        LocationKind::Other => None,
    };
    if let (Some((code, display)), None) = (physical, json.get("physicalType")) {
        json["physicalType"] =
            json!({"coding": [{"system": PHYSICAL, "code": code, "display": display}]});
    }
    if json.get("description").is_none() && !location.bed.unit.trim().is_empty() {
        json["description"] = location.bed.unit.as_str().into();
    }
    json
}

fn add_identifiers(json: &mut Json, identifiers: &[Identifier]) {
    let mut list = json["identifier"].as_array().cloned().unwrap_or_default();
    for identifier in identifiers.iter().filter(|identifier| !identifier.value.trim().is_empty()) {
        let same = |known: &Json| {
            known["value"] == identifier.value.as_str()
                && known["system"].as_str().unwrap_or_default() == identifier.system
        };
        if list.iter().any(same) {
            continue;
        }
        let mut entry = json!({"value": identifier.value});
        if !identifier.system.is_empty() && !identifier.system.contains(char::is_whitespace) {
            entry["system"] = identifier.system.as_str().into();
        }
        if !identifier.kind.trim().is_empty() {
            let personal = matches!(identifier.kind.trim(), "SYSID" | "BTMAC");
            let system = if personal { CONTINUA_KINDS } else { "http://terminology.hl7.org/CodeSystem/v2-0203" };
            entry["type"] = json!({"coding": [{"system": system, "code": identifier.kind.trim()}]});
        }
        list.push(entry);
    }
    let Some(object) = json.as_object_mut() else { return };
    if list.is_empty() {
        object.shift_remove("identifier");
    } else {
        object.insert("identifier".into(), list.into());
    }
}
