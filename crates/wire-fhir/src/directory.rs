//! `Patient`, `Device`, `Encounter` and `Location` into directory events. The document itself
//! travels along, so that what the platform does not need is not lost.

use serde_json::Value as Json;
use vitals::{
    Bed, ClockMethod, Device, DeviceId, DirectoryEvent, EffectiveTime, Encounter, EncounterId,
    EncounterStatus, HumanName, Identifier, Location, LocationId, LocationKind, MetricCode,
    Patient, PatientId, Sex,
};

use crate::code::{MDC, codings, mdc_metric};
use crate::outcome::{Issue, IssueCode};
use crate::reference::{self, Target};
use crate::{device_metric, time};

/// The resources about who and what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `Patient`
    Patient,
    /// `Device`
    Device,
    /// `DeviceMetric`; kept with its device
    DeviceMetric,
    /// `Encounter`
    Encounter,
    /// `Location`
    Location,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Patient, Self::Device, Self::DeviceMetric, Self::Encounter, Self::Location];

    /// The resource type's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Device => "Device",
            Self::DeviceMetric => "DeviceMetric",
            Self::Encounter => "Encounter",
            Self::Location => "Location",
        }
    }

    /// The kind with this resource type.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The id that a new resource gets when its sender leaves it to the platform. A patient with an
/// identifier gets the one that every other wire derives from it; a device or place the one that
/// its identifier or name spells; anything else `fresh`.
#[must_use]
pub fn assigned_id(kind: Kind, resource: &Json, fresh: &str) -> String {
    let first = identifiers(resource).into_iter().next();
    match (kind, first) {
        (Kind::Patient, Some(found)) => {
            PatientId::from_identifier(&found.system, &found.value).to_string()
        }
        (Kind::Device, Some(found)) => DeviceId::sanitised(&found.value).to_string(),
        (Kind::Location, Some(found)) => LocationId::sanitised(&found.value).to_string(),
        (Kind::Location, None) => resource["name"]
            .as_str()
            .map_or_else(|| fresh.to_owned(), |name| LocationId::sanitised(name).to_string()),
        _ => fresh.to_owned(),
    }
}

/// Reads a valid resource whose references are literal as a directory event under `id`.
///
/// # Errors
/// The issues, each at an element below `path`, when the platform needs what the specification
/// leaves optional, or when `id` is no logical id.
pub fn read(kind: Kind, resource: &Json, id: &str, path: &str) -> Result<DirectoryEvent, Vec<Issue>> {
    let bad_id = || {
        let detail = "Not an id: 1 to 64 characters of A-Z a-z 0-9 - .";
        vec![Issue::error(IssueCode::Value, format!("{path}.id"), detail)]
    };
    let document = Some(document(resource, id));
    Ok(match kind {
        Kind::Patient => {
            let id = PatientId::new(id).map_err(|_| bad_id())?;
            DirectoryEvent::Patient(Patient { document, ..patient(resource, id) })
        }
        Kind::Device => {
            let id = DeviceId::new(id).map_err(|_| bad_id())?;
            DirectoryEvent::Device(Device { document, ..device(resource, id) })
        }
        Kind::DeviceMetric => {
            // Whoever knows the device reads it with that: device_metric::within.
            let device = device_metric::source(resource).ok_or_else(|| {
                let detail = "Say which device it is of: source, or a parent.";
                vec![Issue::error(IssueCode::Required, format!("{path}.source"), detail)]
            })?;
            let device = device_metric::within(&Device::announced(device), resource, id, path);
            DirectoryEvent::Device(device.map_err(|issue| vec![issue])?)
        }
        Kind::Encounter => {
            let id = EncounterId::new(id).map_err(|_| bad_id())?;
            let encounter = encounter(resource, id, path).map_err(|issue| vec![issue])?;
            DirectoryEvent::Encounter(Encounter { document, ..encounter })
        }
        Kind::Location => {
            let id = LocationId::new(id).map_err(|_| bad_id())?;
            DirectoryEvent::Location(Location { document, ..location(resource, id) })
        }
    })
}

/// The document as kept: under its id, without the version that its sender gave it.
fn document(resource: &Json, id: &str) -> Vec<u8> {
    let mut kept = resource.clone();
    kept["id"] = Json::from(id);
    let emptied = kept.get_mut("meta").and_then(Json::as_object_mut).is_some_and(|meta| {
        for name in ["versionId", "lastUpdated", "source"] {
            meta.shift_remove(name);
        }
        meta.is_empty()
    });
    if let (true, Some(object)) = (emptied, kept.as_object_mut()) {
        object.shift_remove("meta");
    }
    kept.to_string().into_bytes()
}

fn patient(resource: &Json, id: PatientId) -> Patient {
    let sex = match resource["gender"].as_str() {
        Some("male") => Sex::Male,
        Some("female") => Sex::Female,
        Some("other") => Sex::Other,
        _ => Sex::Unknown,
    };
    let died = resource["deceasedBoolean"] == true || resource.get("deceasedDateTime").is_some();
    Patient {
        id,
        identifiers: identifiers(resource),
        name: human_name(resource),
        birth_date: resource["birthDate"].as_str().map(str::to_owned),
        sex,
        deceased: died,
        document: None,
    }
}

fn device(resource: &Json, id: DeviceId) -> Device {
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let names = resource["deviceName"].as_array().map_or(&[][..], Vec::as_slice);
    let name = names
        .iter()
        .find(|name| name["type"] == "user-friendly-name")
        .or(names.first())
        .and_then(|name| name["name"].as_str())
        .or(resource["type"]["text"].as_str())
        .or(resource["modelNumber"].as_str())
        .map_or_else(|| id.to_string(), str::to_owned);
    Device {
        identifiers: identifiers(resource),
        name,
        kind: mdc_code(&resource["type"]),
        manufacturer: text("manufacturer"),
        model: text("modelNumber"),
        serial: text("serialNumber"),
        version: resource["version"][0]["value"].as_str().unwrap_or_default().to_owned(),
        location: target(&resource["location"], "Location").and_then(|id| LocationId::new(id).ok()),
        clock: clock(resource),
        ..Device::announced(id)
    }
}

/// How the clock is set: IEEE 11073-10101 `MDC_TIME_SYNC_PROTOCOL` (68220).
fn clock(resource: &Json) -> ClockMethod {
    resource["property"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|property| codings(&property["type"]).any(|(_, code)| code == "68220"))
        .flat_map(|property| property["valueCode"].as_array().into_iter().flatten())
        .find_map(mdc_code)
        .and_then(|way| vitals::property::clock_method(way.0))
        .unwrap_or_default()
}

fn mdc_code(concept: &Json) -> Option<MetricCode> {
    codings(concept).filter(|(system, _)| *system == MDC).find_map(|(_, code)| {
        code.parse().ok().map(MetricCode).or_else(|| mdc_metric(code).map(|metric| metric.code))
    })
}

fn encounter(resource: &Json, id: EncounterId, path: &str) -> Result<Encounter, Issue> {
    let at = format!("{path}.subject");
    let patient = target(&resource["subject"], "Patient")
        .and_then(|id| PatientId::new(id).ok())
        .or_else(|| {
            let found = identifier(&resource["subject"]["identifier"])?;
            Some(PatientId::from_identifier(&found.system, &found.value))
        })
        .ok_or_else(|| {
            let detail = "The platform keeps encounters of patients: refer to a Patient.";
            Issue::error(IssueCode::Required, at, detail)
        })?;
    let bound = |name: &str| resource["period"][name].as_str().and_then(time::interval);
    let end = bound("end");
    let status = match resource["status"].as_str() {
        Some("planned") => EncounterStatus::Planned,
        Some("finished") => EncounterStatus::Finished,
        Some("cancelled" | "entered-in-error") => EncounterStatus::Cancelled,
        Some("unknown") if end.is_some() => EncounterStatus::Finished,
        _ => EncounterStatus::InProgress,
    };
    let places = resource["location"].as_array().map_or(&[][..], Vec::as_slice);
    let place = places
        .iter()
        .rev()
        .find(|place| place["status"] == "active")
        .or_else(|| places.iter().rev().find(|place| place["period"].get("end").is_none()));
    Ok(Encounter {
        id,
        patient,
        status,
        class: resource["class"]["code"].as_str().unwrap_or_default().to_owned(),
        location: place
            .and_then(|place| target(&place["location"], "Location"))
            .and_then(|id| LocationId::new(id).ok()),
        start: bound("start").map(|i| EffectiveTime(i.start)),
        end: end.map(|i| EffectiveTime(i.start)),
        document: None,
    })
}

fn location(resource: &Json, id: LocationId) -> Location {
    let name = resource["name"].as_str().map_or_else(|| id.to_string(), str::to_owned);
    let physical = codings(&resource["physicalType"]).map(|(_, code)| code).next();
    // R4 value set location-physical-type.
    let kind = match physical {
        Some("bd") => LocationKind::Bed,
        Some("ro") => LocationKind::Room,
        Some("wa" | "wi" | "lvl") => LocationKind::Unit,
        Some("ho") => LocationKind::Home,
        _ => LocationKind::Other,
    };
    let parent = target(&resource["partOf"], "Location")
        .or(resource["partOf"]["display"].as_str())
        .unwrap_or_default()
        .to_owned();
    let bed = match kind {
        LocationKind::Bed => Bed { unit: parent, room: String::new(), bed: name.clone() },
        LocationKind::Room => Bed { unit: parent, room: name.clone(), bed: String::new() },
        _ => Bed { unit: name.clone(), room: String::new(), bed: String::new() },
    };
    Location { id, kind, name, bed, document: None }
}

/// The id that a reference names, if it is a literal one to this type.
pub(crate) fn target<'a>(reference: &'a Json, wanted: &str) -> Option<&'a str> {
    match reference::parse(reference["reference"].as_str()?)? {
        Target::Literal { resource_type, id, .. } if resource_type == wanted => Some(id),
        _ => None,
    }
}

/// The business identifiers of a resource that have a value, medical record numbers first.
#[must_use]
pub fn identifiers(resource: &Json) -> Vec<Identifier> {
    let list = resource["identifier"].as_array().into_iter().flatten();
    let mut found: Vec<Identifier> = list.filter_map(identifier).collect();
    found.sort_by_key(|identifier| identifier.kind != "MR");
    found
}

pub(crate) fn identifier(json: &Json) -> Option<Identifier> {
    Some(Identifier {
        value: json["value"].as_str()?.to_owned(),
        system: json["system"].as_str().unwrap_or_default().to_owned(),
        kind: codings(&json["type"]).next().map_or_else(String::new, |(_, code)| code.to_owned()),
    })
}

/// The name to use: the official one, else the usual one, else the first.
pub(crate) fn human_name(resource: &Json) -> HumanName {
    let names = resource["name"].as_array().map_or(&[][..], Vec::as_slice);
    let by_use = |wanted: &str| names.iter().find(|name| name["use"] == wanted);
    let Some(name) = by_use("official").or_else(|| by_use("usual")).or(names.first()) else {
        return HumanName::default();
    };
    let given = name["given"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let family = name["family"].as_str().unwrap_or_default();
    let given = given.collect::<Vec<_>>().join(" ");
    if family.is_empty() && given.is_empty() {
        // Only the text is there: keep it where people look first.
        let text = name["text"].as_str().unwrap_or_default().to_owned();
        return HumanName { family: text, given };
    }
    HumanName { family: family.to_owned(), given }
}
