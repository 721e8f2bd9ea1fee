//! Valid resources with one thing broken: refused at the element that is wrong, and the outcome
//! never repeats the value.

use serde_json::{Value as Json, json};
use wire_fhir::{outcome, validate};

/// Stands for something private that must not come back.
const SECRET: &str = "Kowalczyk";

fn observation() -> Json {
    json!({
        "resourceType": "Observation", "id": "o1", "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2024-02-29T10:00:00Z",
        "valueQuantity": {"value": 72, "system": "http://unitsofmeasure.org", "code": "/min"},
        "component": [{"code": {"text": "x"}}],
    })
}

fn patient() -> Json {
    json!({
        "resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}],
        "name": [{"family": "A", "given": ["B", "C"]}], "gender": "female", "birthDate": "1950-01",
        "contact": [{"name": {"text": "D"}}],
    })
}

fn check(mut resource: Json, pointer: &str, value: Json, expected: &str) {
    let ty = resource["resourceType"].as_str().expect("a type").to_owned();
    assert_eq!(validate(&resource, &ty), []);
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let parent = resource.pointer_mut(parent).expect("a parent");
    match (parent, last.parse::<usize>()) {
        (Json::Array(list), Ok(at)) => list[at] = value,
        (parent, _) if value.is_null() => {
            parent.as_object_mut().expect("an object").remove(last);
        }
        (parent, _) => parent[last] = value,
    }
    let issues = validate(&resource, &ty);
    assert!(issues.iter().any(|issue| issue.path == expected), "{pointer}: {issues:#?}");
    assert!(!outcome(&issues).to_string().contains(SECRET), "{pointer}");
}

#[test]
fn broken_observations() {
    for (pointer, value, expected) in [
        ("/status", json!(SECRET), "Observation.status"),
        ("/status", Json::Null, "Observation.status"),
        ("/status", json!(["final"]), "Observation.status"),
        ("/code", Json::Null, "Observation.code"),
        ("/code", json!(SECRET), "Observation.code"),
        ("/code/coding", json!({"code": SECRET}), "Observation.code.coding"),
        ("/code/coding", json!([]), "Observation.code.coding"),
        ("/code/coding/0", json!({}), "Observation.code.coding[0]"),
        ("/code/coding/0/code", json!(7), "Observation.code.coding[0].code"),
        ("/effectiveDateTime", json!("29.02.2024"), "Observation.effective.ofType(dateTime)"),
        ("/effectiveDateTime", json!("2024-02-30"), "Observation.effective.ofType(dateTime)"),
        ("/effectiveInstant", json!("2024-02-29T10:00:00Z"), "Observation.effective"),
        ("/effectivePeriod", json!({"start": "2024-02", "end": "2023"}), "Observation.effective.ofType(Period)"),
        ("/valueQuantity/value", json!(SECRET), "Observation.value.ofType(Quantity).value"),
        ("/valueQuantity/system", Json::Null, "Observation.value.ofType(Quantity).system"),
        ("/valueQuantity/comparator", json!("~"), "Observation.value.ofType(Quantity).comparator"),
        ("/valueMoney", json!({"value": 1}), "Observation.valueMoney"),
        ("/valueString", json!("x"), "Observation.value"),
        ("/dataAbsentReason", json!({"text": "x"}), "Observation.dataAbsentReason"),
        ("/subject/reference", json!("Kowalczyk 7"), "Observation.subject.reference"),
        ("/subject/reference", json!("Practitioner/1"), "Observation.subject.reference"),
        ("/subject", json!({}), "Observation.subject"),
        ("/component/0/code", Json::Null, "Observation.component[0].code"),
        ("/colour", json!(SECRET), "Observation.colour"),
        ("/component/0/colour", json!(1), "Observation.component[0].colour"),
        ("/Kowalczyk born 1950", json!(1), "Observation"),
        ("/id", json!("a_b"), "Observation.id"),
        ("/issued", json!("2024-02-29"), "Observation.issued"),
        ("/extension", json!([{"url": "http://x"}]), "Observation.extension[0]"),
        ("/extension", json!([{"valueCode": "x"}]), "Observation.extension[0].url"),
        ("/resourceType", json!("Kowalczyk"), "Observation.resourceType"),
        ("/contained", json!([{"resourceType": "Patient", "gender": "x"}]), "Observation.contained[0].gender"),
    ] {
        check(observation(), pointer, value, expected);
    }
}

#[test]
fn broken_patients() {
    for (pointer, value, expected) in [
        ("/gender", json!(SECRET), "Patient.gender"),
        ("/birthDate", json!("1950-1"), "Patient.birthDate"),
        ("/birthDate", json!("1950-02-01T00:00:00Z"), "Patient.birthDate"),
        ("/name", json!({"family": SECRET}), "Patient.name"),
        ("/name/0/family", json!([SECRET]), "Patient.name[0].family"),
        ("/name/0/given", json!(SECRET), "Patient.name[0].given"),
        ("/name/0/given/1", json!(5), "Patient.name[0].given[1]"),
        ("/active", json!("true"), "Patient.active"),
        ("/contact/0", json!({"gender": "male"}), "Patient.contact[0]"),
        ("/telecom", json!([{"value": SECRET}]), "Patient.telecom[0].system"),
        ("/multipleBirthInteger", json!(1.5), "Patient.multipleBirth.ofType(integer)"),
        ("/photo", json!([{"data": "a?"}]), "Patient.photo[0].data"),
    ] {
        check(patient(), pointer, value, expected);
    }
}

#[test]
fn broken_json_says_where() {
    for text in ["", "{", "[1,]", "nul", "{\"resourceType\":\"Patient\"", "\u{0}", "{\"a\":Kowalczyk}"] {
        let issues = wire_fhir::parse(text.as_bytes()).expect_err("not a resource");
        assert!(!outcome(&issues).to_string().contains(SECRET));
    }
    assert!(wire_fhir::parse(b"[]").is_err() && wire_fhir::parse(b"{}").is_err());
    assert!(wire_fhir::parse("[".repeat(100_000).as_bytes()).is_err());
}
