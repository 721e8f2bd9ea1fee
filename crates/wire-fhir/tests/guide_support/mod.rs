//! The device guides' examples as JSON, in an order in which what is referred to comes first, and
//! whether two resources mean the same.

#![allow(dead_code, reason = "each test uses a part of it")]

pub mod meaning;

use std::path::{Path, PathBuf};
use std::process::Command;

use markup::{Element, Limits};
use serde_json::{Map, Value as Json};

/// Every example, with its file's name: patients and places, then devices, their metrics,
/// observations, bundles. None, and says so, when the archive is not there.
pub fn examples() -> Option<Vec<(String, Json)>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("VITALWIRE_DATA").map_or_else(beside, PathBuf::from);
    let archive = data.join("fhir/device-ig-examples.tar.zst");
    let folder = tempfile::tempdir().expect("a folder");
    let unpacked = Command::new("tar").arg("--zstd").arg("-xf").arg(&archive).arg("-C").arg(folder.path()).output();
    if !unpacked.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {} is not there, or tar can't unpack it", archive.display());
        return None;
    }
    let mut found = Vec::new();
    gather(folder.path(), &mut found);
    const ORDER: [&str; 5] = ["Location", "Patient", "Device", "DeviceMetric", "Observation"];
    found.sort_by_key(|(name, json)| {
        let ty = json["resourceType"].as_str().unwrap_or_default();
        (ORDER.iter().position(|known| *known == ty).unwrap_or(ORDER.len()), name.clone())
    });
    Some(found)
}

fn gather(folder: &Path, found: &mut Vec<(String, Json)>) {
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            gather(&path, found);
            continue;
        }
        if path.parent().and_then(Path::file_name).is_none_or(|name| name != "examples") {
            continue;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let json = if name.ends_with(".xml") {
            markup::read(&bytes, &Limits::default()).ok().map(|root| resource(&root))
        } else {
            serde_json::from_slice(&bytes).ok()
        };
        found.extend(json.filter(|json| json["resourceType"].is_string()).map(|json| (name, json)));
    }
}

/// Elements of the examples that repeat.
const MANY: [&str; 13] = [
    "profile", "extension", "identifier", "coding", "component", "udiCarrier", "deviceName", "given", "prefix",
    "calibration", "property", "specialization", "version",
];

fn resource(root: &Element) -> Json {
    let mut json = object(root, &root.name, &root.name);
    json["resourceType"] = (*root.name).into();
    json
}

fn object(element: &Element, name: &str, ty: &str) -> Json {
    let mut map = Map::new();
    if let Some(url) = element.attribute("url") {
        map.insert("url".into(), url.into());
    }
    let top = name == ty;
    for child in element.children.iter().filter(|child| *child.name != *"text" || !top) {
        let value = match child.attribute("value") {
            Some(text) => primitive(text, &child.name, name),
            None => object(child, &child.name, ty),
        };
        let repeats = MANY.contains(&&*child.name)
            || top && matches!((ty, &*child.name), ("Observation", "category") | ("Location", "type") | ("Patient" | "Practitioner", "name"));
        if repeats {
            match map.entry(&*child.name).or_insert_with(|| Json::Array(Vec::new())) {
                Json::Array(list) => list.push(value),
                _ => unreachable!("only lists are put there"),
            }
        } else {
            map.insert(child.name.to_string(), value);
        }
    }
    Json::Object(map)
}

fn primitive(text: &str, name: &str, parent: &str) -> Json {
    let number = match name {
        "valueUnsignedInt" | "valueDecimal" | "frequency" | "factor" | "dimensions" => true,
        "period" => matches!(parent, "repeat" | "valueSampledData"),
        "value" => matches!(parent, "valueQuantity" | "origin" | "low" | "high"),
        _ => false,
    };
    if number {
        return serde_json::from_str(text).expect("a number");
    }
    match name {
        "active" | "valueBoolean" => (text == "true").into(),
        _ => text.into(),
    }
}
