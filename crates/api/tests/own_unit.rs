//! Programs of single units over FHIR: they admit to their own unit and write its places, and nothing
//! of others; what a device may not say is refused aloud; a device in use says so without saying on whom.

mod waves_support;

use std::time::{Duration, Instant};

use axum::http::Request;
use guard::{Account, Claim, Kind};
use serde_json::{Value as Json, json};
use vitals::Role;
use waves_support::{House, LONG, frames, house, now};

async fn fhir(house: &House, method: &str, path: &str, token: &str, body: &Json) -> (u16, Json) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/fhir+json");
    let (status, bytes) = house.ask(request, token, body.to_string()).await;
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn place(id: &str, unit: &str) -> Json {
    json!({"resourceType": "Location", "id": id, "status": "active", "name": id,
        "physicalType": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "bd"}]},
        "partOf": {"display": unit}})
}

fn transaction(mrn: &str, location: &str) -> Json {
    let put = |url: String, resource: Json| {
        json!({"fullUrl": format!("http://x/{url}"), "resource": resource, "request": {"method": "PUT", "url": url}})
    };
    let patient = json!({"resourceType": "Patient", "id": mrn, "identifier": [{"system": "urn:mrn", "value": mrn}],
        "name": [{"family": "Neu"}]});
    let stay = json!({"resourceType": "Encounter", "id": format!("stay-{mrn}"), "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": format!("Patient/{mrn}")},
        "period": {"start": "2026-11-21T08:00:00Z"},
        "location": [{"location": {"reference": format!("Location/{location}")}, "status": "active"}]});
    json!({"resourceType": "Bundle", "type": "transaction",
        "entry": [put(format!("Patient/{mrn}"), patient), put(format!("Encounter/stay-{mrn}"), stay)]})
}

/// The id of a bed of a unit, written by whoever works with the whole house.
async fn bed(house: &House, token: &str, unit: &str) -> String {
    let id = format!("bed-{}", unit.to_lowercase());
    let (status, answer) = fhir(house, "PUT", &format!("/fhir/Location/{id}"), token, &place(&id, unit)).await;
    assert!(matches!(status, 200 | 201), "{status}: {answer}");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_works_with_a_unit_admits_to_it_and_writes_its_places() {
    let house = house().await;
    let all = house.token(Role::Administrator);
    let mut account = Account::new("adt-icu", Role::Service, Kind::Service);
    account.units = ["ICU"].into_iter().collect();
    let token = house.guard.add_service(&account).expect("added");
    let (icu, er) = (bed(&house, &all, "ICU").await, bed(&house, &all, "ER").await);
    let unit_of = |id: &str| house.api.live.locations().iter().find(|one| one.id.as_str() == id).map(|one| one.bed.unit.clone());
    let end = Instant::now() + LONG;
    while (unit_of(&icu).as_deref(), unit_of(&er).as_deref()) != (Some("ICU"), Some("ER")) {
        assert!(Instant::now() < end, "the beds are where the test means them to be");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // Alone, a new patient is nobody's: said clearly.
    let patient = json!({"resourceType": "Patient", "id": "new-1", "identifier": [{"system": "urn:mrn", "value": "new-1"}]});
    let (status, answer) = fhir(&house, "PUT", "/fhir/Patient/new-1", &token, &patient).await;
    let said = answer["issue"][0]["diagnostics"].as_str().unwrap_or_default().to_owned();
    assert!(status == 403 && said.contains("Encounter in progress"), "{status}: {answer}");
    assert_eq!(fhir(&house, "PUT", "/fhir/Patient/new-1", &all, &patient).await.0, 201, "nothing had been kept");

    let (status, answer) = fhir(&house, "POST", "/fhir", &token, &transaction("new-2", &er)).await;
    assert_eq!(status, 403, "into another unit: {answer}");
    let (status, answer) = fhir(&house, "POST", "/fhir", &token, &transaction("new-2", &icu)).await;
    assert_eq!(status, 200, "into their own: {answer}");
    let (status, seen) = fhir(&house, "GET", "/fhir/Patient/new-2", &token, &Json::Null).await;
    assert_eq!((status, &seen["name"][0]["family"]), (200, &json!("Neu")), "and they see whom they admitted");
    // Somebody who is known is not fetched that way.
    assert_eq!(fhir(&house, "POST", "/fhir", &token, &transaction("new-1", &icu)).await.0, 403);

    for (id, unit, expected) in [("bed-new", "ICU", 201), ("bed-far", "ER", 403), (er.as_str(), "ICU", 403), (icu.as_str(), "ER", 403)] {
        let (status, answer) = fhir(&house, "PUT", &format!("/fhir/Location/{id}"), &token, &place(id, unit)).await;
        assert_eq!(status, expected, "{id} in {unit}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_may_not_say_is_refused_aloud_and_kept() {
    let house = house().await;
    let patient = house.admit("7", "monitor-7").await;
    let token = house.token(Role::Administrator);
    let claim = Claim { zone: String::new(), kind: "pump".into(), metrics: Vec::new(), activates: true, why: "ours".into() };
    house.guard.claim_device(&vitals::DeviceId::sanitised("pump-7"), &claim, "kim", now()).expect("claimed");
    house.guard.look_for_changes();
    let observation = json!({"resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": format!("Patient/{patient}")}, "device": {"reference": "Device/pump-7"},
        "effectiveDateTime": "2026-11-21T08:00:00Z",
        "valueQuantity": {"value": 71, "system": "http://unitsofmeasure.org", "code": "/min"}});
    let entry = json!({"resource": observation, "request": {"method": "POST", "url": "Observation"}});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    for (path, body) in [("/fhir/Observation", &observation), ("/fhir/Observation", &observation), ("/fhir", &bundle)] {
        let (status, answer) = fhir(&house, "POST", path, &token, body).await;
        let said = answer["issue"][0]["diagnostics"].as_str().unwrap_or_default();
        assert_eq!((status, &answer["issue"][0]["code"]), (403, &json!("forbidden")), "{path}: {answer}");
        assert!(said.contains("pump-7 may not send this") && said.contains("quarantine"), "{said}");
    }
    let end = Instant::now() + LONG;
    while house.json("/api/v1/quarantine", &token).await.to_string().matches("pump-7").count() < 3 {
        assert!(Instant::now() < end, "kept in quarantine");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, found) = fhir(&house, "GET", &format!("/fhir/Observation?patient={patient}"), &token, &Json::Null).await;
    assert_eq!(found["total"], 0, "nothing of it was charted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_in_use_says_so_and_not_on_whom() {
    let house = house().await;
    let patient = house.admit("7", "monitor-7").await;
    for frame in frames("monitor-7", "MDC_ECG_ELEC_POTL_II", 500, 2, now().0 - 1_000_000) {
        house.send(&frame).await;
    }
    let (engineer, admin) = (house.token(Role::Engineer), house.token(Role::Administrator));
    let end = Instant::now() + LONG;
    loop {
        let (_, bytes) = house.ask(Request::get("/api/v1/devices/monitor-7"), &engineer, "").await;
        let seen: Json = serde_json::from_slice(&bytes).expect("JSON");
        if seen["device"]["on_patient"] == true {
            assert!(seen["device"]["patient"].is_null() && !seen.to_string().contains(patient.as_str()), "{seen}");
            break;
        }
        assert!(Instant::now() < end, "{seen}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let list = house.json("/api/v1/devices", &engineer).await;
    assert_eq!((&list["devices"][0]["on_patient"], &list["devices"][0]["patient"]), (&json!(true), &Json::Null));
    let (status, _) = house.ask(Request::delete("/api/v1/devices/monitor-7/association"), &admin, "").await;
    assert_eq!(status, 204);
    while house.json("/api/v1/devices/monitor-7", &engineer).await["device"]["on_patient"] != false {
        assert!(Instant::now() < end, "free again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
