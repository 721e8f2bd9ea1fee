//! Whether a resource is one that a scope speaks of: its patient, and the search parameters that
//! scopes may be narrowed by.

use serde_json::Value as Json;

use super::{Criterion, Level, Rule};

/// Search parameters of FHIR R4 by which scopes can be narrowed: type of resource (empty: every),
/// name, and the element that it looks at. All are tokens.
const PARAMETERS: [(&str, &str, &str); 34] = [
    ("", "_id", "id"),
    ("", "_tag", "meta.tag"),
    ("", "_security", "meta.security"),
    ("AllergyIntolerance", "category", "category"),
    ("AllergyIntolerance", "clinical-status", "clinicalStatus"),
    ("AuditEvent", "type", "type"),
    ("CarePlan", "category", "category"),
    ("CarePlan", "status", "status"),
    ("CareTeam", "category", "category"),
    ("CareTeam", "status", "status"),
    ("Condition", "category", "category"),
    ("Condition", "clinical-status", "clinicalStatus"),
    ("Condition", "code", "code"),
    ("Consent", "category", "category"),
    ("Consent", "status", "status"),
    ("Device", "status", "status"),
    ("Device", "type", "type"),
    ("DiagnosticReport", "category", "category"),
    ("DiagnosticReport", "code", "code"),
    ("DiagnosticReport", "status", "status"),
    ("DocumentReference", "category", "category"),
    ("DocumentReference", "status", "status"),
    ("DocumentReference", "type", "type"),
    ("Encounter", "class", "class"),
    ("Encounter", "status", "status"),
    ("Encounter", "type", "type"),
    ("Location", "status", "status"),
    ("MedicationRequest", "intent", "intent"),
    ("MedicationRequest", "status", "status"),
    ("Observation", "category", "category"),
    ("Observation", "code", "code"),
    ("Observation", "status", "status"),
    ("Procedure", "status", "status"),
    ("ServiceRequest", "category", "category"),
];

/// Types of resource that say nothing of a patient by themselves: an application that may read
/// them gets them whichever patient it works with.
const OF_NO_PATIENT: [&str; 5] =
    ["Location", "Organization", "Practitioner", "PractitionerRole", "Medication"];

/// Elements in which resources name their patient.
const PATIENT_ELEMENTS: [&str; 4] = ["subject", "patient", "beneficiary", "individual"];

fn element(resource: Option<&str>, parameter: &str) -> Option<&'static str> {
    let of_type = |ty: &str| ty.is_empty() || resource == Some(ty);
    let found = PARAMETERS.iter().find(|(ty, name, _)| of_type(ty) && *name == parameter);
    found.map(|(_, _, element)| *element)
}

/// Whether scopes of this type can be narrowed by a parameter.
pub(super) fn is_parameter(resource: Option<&str>, parameter: &str) -> bool {
    element(resource, parameter).is_some()
}

/// Whether a resource is one of a patient, who is known under one or several ids.
#[must_use]
pub fn of_patient(resource: &Json, patient: &[&str]) -> bool {
    let ty = resource["resourceType"].as_str().unwrap_or_default();
    if OF_NO_PATIENT.contains(&ty) {
        return true;
    }
    if ty == "Patient" {
        return resource["id"].as_str().is_some_and(|id| patient.contains(&id));
    }
    let named = |element: &&str| {
        let reference = resource[*element]["reference"].as_str()?;
        let (path, id) = reference.rsplit_once('/')?;
        (path == "Patient" || path.ends_with("/Patient")).then_some(id)
    };
    let mut named = PATIENT_ELEMENTS.iter().filter_map(named).peekable();
    named.peek().is_some() && named.all(|id| patient.contains(&id))
}

/// Whether one of the rules speaks of a resource. `patient`: the ids of the patient of the launch,
/// none when there is no patient, and then no rule for a patient holds.
#[must_use]
pub fn matches(rules: &[Rule<'_>], resource: &Json, patient: &[&str]) -> bool {
    rules.iter().any(|rule| {
        let whose = rule.level != Level::Patient || of_patient(resource, patient);
        whose && rule.criteria.iter().all(|criterion| holds(criterion, resource))
    })
}

fn holds(criterion: &Criterion, resource: &Json) -> bool {
    let ty = resource["resourceType"].as_str();
    let Some(path) = element(ty, &criterion.parameter) else { return false };
    let mut found = resource;
    for step in path.split('.') {
        found = &found[step];
    }
    criterion.value.split(',').any(|wanted| has(found, wanted))
}

/// Whether an element has a token: a code, a Coding, a CodeableConcept, or a list of such.
fn has(element: &Json, wanted: &str) -> bool {
    match element {
        Json::Array(all) => all.iter().any(|one| has(one, wanted)),
        Json::Object(fields) => match fields.get("coding") {
            Some(coding) => has(coding, wanted),
            None => {
                let text = |name: &str| fields.get(name).and_then(Json::as_str);
                token(text("system"), text("code"), wanted)
            }
        },
        // The system of a code is that of its element; it may be named, and there is no other.
        Json::String(code) => match wanted.split_once('|') {
            Some((_, wanted)) => wanted == code,
            None => wanted == code,
        },
        _ => false,
    }
}

fn token(system: Option<&str>, code: Option<&str>, wanted: &str) -> bool {
    match wanted.split_once('|') {
        None => code == Some(wanted),
        Some(("", wanted)) => system.is_none() && code == Some(wanted),
        Some((wanted, "")) => system == Some(wanted),
        Some((of, wanted)) => system == Some(of) && code == Some(wanted),
    }
}
