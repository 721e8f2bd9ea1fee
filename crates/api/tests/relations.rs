//! SE-1: role × route × relation. Every route of the OpenAPI document that names a patient, and what
//! FHIR has of them, asked by every role in every relation to the patient; and the ids of what
//! belongs to another patient, which open nothing and tell nothing.

mod waves_support;

use std::collections::BTreeMap;
use std::time::Instant;

use api::rules::{ROUTES, Rule};
use axum::body::Body;
use axum::http::Request;
use guard::{Account, Categories, Invitation, Kind, Member, Opening, Permission, Reason, Span, Units};
use serde_json::{Value as Json, json};
use vitals::{
    Action, Actor, Bed, DirectoryEvent, Encounter, EncounterId, EncounterStatus, HumanName, Location, Patient,
    PatientId, Role,
};
use waves_support::{House, LONG, house, now};

/// Names that no answer to a stranger may hold.
const SECRETS: [&str; 2] = ["Grünwald", "urn:mrn|B"];
const NOBODY: &str = "p-00000000000000aa";

/// How accounts stand to the patient, who lies in ICU.
const RELATIONS: [&str; 7] = ["house", "own-unit", "other-unit", "care-team", "opened", "self-or-invited", "none"];

struct Place {
    house: House,
    patient: PatientId,
    admin: String,
}

async fn place() -> Place {
    let house = house().await;
    let patient = PatientId::from_identifier("urn:mrn", "B");
    let actor = || Actor { name: "kim".into(), role: Role::Nurse };
    let bed = Location::from_bed(Bed { unit: "ICU".into(), room: "1".into(), bed: "A".into() });
    let person = Patient {
        name: HumanName { family: "Grünwald".into(), given: "Ada".into() },
        ..Patient::unknown(patient.clone())
    };
    let stay = Encounter {
        id: EncounterId::new("e-1").expect("an id"),
        patient: patient.clone(),
        status: EncounterStatus::InProgress,
        class: "IMP".into(),
        location: Some(bed.id.clone()),
        start: Some(vitals::EffectiveTime(now().0 - 3_600_000_000)),
        end: None,
        document: None,
    };
    for event in [DirectoryEvent::Location(bed), DirectoryEvent::Patient(person), DirectoryEvent::Encounter(stay)] {
        house.api.act(actor(), Action::Directory(event)).await.expect("taken");
    }
    let device = vitals::DeviceId::sanitised("monitor-b");
    let on = Action::Associate { device, patient: patient.clone(), since: None };
    house.api.act(actor(), on).await.expect("taken");
    let admin = house.token(Role::Administrator);
    let place = Place { house, patient, admin };
    place.observe("59408-5", 71.0, "%").await;
    place.observe("8867-4", 44.0, "/min").await;
    let end = Instant::now() + LONG;
    while !place.json("/api/v1/devices").await.to_string().contains(place.patient.as_str()) {
        assert!(Instant::now() < end, "the monitor is on the patient");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    while place.json("/api/v1/alerts?state=all").await["alerts"][0].is_null() {
        assert!(Instant::now() < end, "a saturation of 71 % raises an alert");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    place
}

impl Place {
    async fn ask(&self, method: &str, path: &str, token: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path);
        let (status, bytes) = self.house.ask(request, token, Body::empty()).await;
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn json(&self, path: &str) -> Json {
        self.house.json(path, &self.admin).await
    }

    async fn observe(&self, code: &str, value: f64, unit: &str) {
        let time = written_time(now().0);
        let body = json!({
            "resourceType": "Observation", "status": "final",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": format!("Patient/{}", self.patient)},
            "device": {"reference": "Device/monitor-b"},
            "effectiveDateTime": time,
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        });
        let request = Request::post("/fhir/Observation").header("content-type", "application/fhir+json");
        let (status, bytes) = self.house.ask(request, &self.admin, body.to_string()).await;
        assert!(matches!(status, 200 | 201), "{status}: {}", String::from_utf8_lossy(&bytes));
    }

    /// A token of an account that stands so to the patient.
    fn token(&self, role: Role, relation: &str) -> String {
        let guard = &self.house.guard;
        let name = format!("{}.{relation}", role.name());
        let mut account = Account::new(&name, role, Kind::Service);
        account.units = match relation {
            "house" => Units::All,
            "own-unit" => ["ICU"].into_iter().collect(),
            _ => ["ER"].into_iter().collect(),
        };
        if relation == "self-or-invited" && role == Role::Patient {
            account.patient = Some(self.patient.clone());
        }
        let token = guard.add_service(&account).expect("added");
        match relation {
            "care-team" => {
                let (role, team) = ("primary nurse".to_owned(), String::new());
                let member = Member { account: name, role, team, period: Span::default() };
                guard.put_team_member(&self.patient, &member).expect("put in");
            }
            "opened" => {
                let opening = Opening {
                    patient: self.patient.clone(),
                    unit: "ICU".into(),
                    reason: Reason::Emergency,
                    words: "collapsed in the corridor".into(),
                    minutes: 30,
                };
                guard.open_patient(&account, &opening, now()).expect("opened");
            }
            "self-or-invited" if role == Role::Caregiver => {
                let label = "daughter".to_owned();
                let all = Invitation { label, categories: Categories::ALL, period: Span::default() };
                let (_, code) = guard.invite_caregiver(&self.patient, &all, now()).expect("invited");
                guard.accept_invitation(&account, &code, now()).expect("accepted");
            }
            _ => {}
        }
        token
    }
}

fn written_time(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days since 1970 (H. Hinnant, chrono-compatible low-level date algorithms).
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// Whether the role stands so to the patient that it is theirs.
///
/// The audit trail is the house's: who may search it sees all of it.
fn theirs(role: Role, relation: &str) -> bool {
    match role {
        Role::Patient | Role::Caregiver => relation == "self-or-invited",
        _ => matches!(relation, "house" | "own-unit" | "care-team" | "opened"),
    }
}

/// Every route of the document that names a patient, and FHIR's, with the permission it needs.
fn routes() -> Vec<(String, String, Permission)> {
    let document = serde_json::to_value(api::openapi()).expect("JSON");
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let method = method.to_uppercase();
            let own = |m: &str, p: &str| m == method && p.replace('*', "") == *path;
            let rule = ROUTES.iter().find(|(m, p, _)| own(m, p)).map(|(_, _, rule)| *rule);
            let rule = rule.unwrap_or_else(|| panic!("{method} {path}: say in ROUTES who may use it"));
            if let (Rule::Needs(permission), true) = (rule, path.starts_with("/api/v1/patients/{id}")) {
                found.push((method, path.clone(), permission));
            }
        }
    }
    assert!(found.len() > 8, "the document names patients");
    for path in ["/fhir/Patient/{id}", "/fhir/Patient/{id}/_history", "/fhir/Observation?patient={id}", "/fhir/Encounter?patient={id}"] {
        found.push(("GET".to_owned(), path.to_owned(), Permission::ReadFhir));
    }
    found
}

fn path_of(template: &str, id: &str) -> String {
    let path = template.replace("{id}", id);
    let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
    let path = parts.collect::<Vec<_>>().join("/");
    // Routes that take no interval refuse one.
    if path.starts_with("/fhir") || path.ends_with("/accesses") || path.ends_with("/predictions") {
        return path;
    }
    // Enough to be understood by every route that asks for an interval.
    format!("{path}?from_ms=0&to_ms=60000&from=0&to=60000&metrics=MDC_ECG_HEART_RATE&format=csv")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_every_route_every_relation() {
    let place = place().await;
    let routes = routes();
    let (mut asked, mut allowed) = (0, 0);
    for role in Role::ALL {
        for relation in RELATIONS {
            let token = place.token(role, relation);
            for (method, template, permission) in &routes {
                let (status, body) = place.ask(method, &path_of(template, place.patient.as_str()), &token).await;
                let what = format!("{method} {template} as {} in relation {relation}: {status}", role.name());
                assert_ne!(status, 500, "{what}: {body}");
                asked += 1;
                if permission.granted_to(role) && (theirs(role, relation) || *permission == Permission::SeeAudit) {
                    allowed += 1;
                    if method == "GET" && matches!(permission, Permission::SeePatients | Permission::ReadFhir) {
                        assert!(!matches!(status, 401 | 403), "{what}: {body}");
                    }
                    continue;
                }
                assert!(matches!(status, 400..=499), "{what}: refused, or nothing there: {body}");
                if method == "GET" {
                    assert!(matches!(status, 403 | 404), "{what}: {body}");
                }
                for secret in SECRETS {
                    assert!(!body.contains(secret), "{what}: {body}");
                }
                // Somebody who is not there looks the same.
                let (other, nothing) = place.ask(method, &path_of(template, NOBODY), &token).await;
                assert_eq!((other, nothing), (status, body), "{what}: an oracle");
            }
        }
    }
    println!("{asked} questions, {allowed} of them of those who may");
    place.house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_searches_hold_only_ones_own() {
    let place = place().await;
    let lists = [
        ("/api/v1/ward", Permission::SeePatients),
        ("/api/v1/patients", Permission::SeePatients),
        ("/api/v1/alerts?state=all", Permission::SeePatients),
        ("/api/v1/locations", Permission::SeePatients),
        ("/api/v1/devices", Permission::SeeDevices),
        ("/api/v1/devices/monitor-b", Permission::SeeDevices),
        ("/fhir/Patient", Permission::ReadFhir),
        ("/fhir/Observation", Permission::ReadFhir),
        ("/fhir/Encounter", Permission::ReadFhir),
        ("/fhir/Encounter?_include=Encounter:patient", Permission::ReadFhir),
        ("/fhir/Location?_revinclude=Encounter:location", Permission::ReadFhir),
        ("/fhir/Patient?_revinclude=Encounter:patient", Permission::ReadFhir),
        ("/fhir/Patient?name=Gr%C3%BCnwald", Permission::ReadFhir),
        ("/fhir/Device", Permission::ReadFhir),
    ];
    let id = place.patient.as_str();
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for role in Role::ALL {
        for relation in RELATIONS {
            let token = place.token(role, relation);
            for (path, permission) in lists {
                let (status, body) = place.ask("GET", path, &token).await;
                let what = format!("{path} as {} in relation {relation}: {status}", role.name());
                let may = permission.granted_to(role);
                if !may {
                    assert_eq!(status, 403, "{what}");
                }
                // Devices are seen by others than patients are.
                let sees = may && theirs(role, relation) && (permission != Permission::SeeDevices || Permission::SeePatients.granted_to(role));
                if sees {
                    assert_eq!(status, 200, "{what}: {body}");
                    *shown.entry(path).or_default() += usize::from(body.contains(id));
                } else {
                    assert!(!body.contains(id) && SECRETS.iter().all(|s| !body.contains(s)), "{what}: {body}");
                }
            }
        }
    }
    for (path, _) in lists {
        assert!(shown[path] > 3 || path == "/fhir/Device", "{path} shows it to those who may: {shown:?}");
    }
    place.house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_anothers_things_open_nothing() {
    let place = place().await;
    let id = place.patient.as_str();
    // The thing's own ids, as somebody sees them who may.
    let search = place.json(&format!("/fhir/Observation?patient={id}")).await;
    let reading = search["entry"][0]["resource"]["id"].as_str().expect("an id").to_owned();
    let alerts = place.json("/api/v1/alerts?state=all").await;
    let episode = alerts["alerts"][0]["episode"].as_str().expect("an alert").to_owned();
    let series = place.json(&format!("/api/v1/patients/{id}")).await["series"][0]["id"].clone();
    let things = [
        ("GET", format!("/api/v1/readings/{reading}")),
        ("GET", format!("/api/v1/readings/s{series}-0-9999999999999999")),
        ("GET", format!("/api/v1/alerts/{episode}")),
        ("GET", format!("/fhir/Observation/{reading}")),
        ("GET", format!("/fhir/Observation/{reading}/_history")),
        ("GET", "/fhir/Encounter/e-1".to_owned()),
        ("GET", "/fhir/Encounter/e-1/_history".to_owned()),
    ];
    for (method, path) in &things {
        let (status, body) = place.ask(method, path, &place.admin).await;
        assert_eq!(status, 200, "{path}: {body}");
        for (role, relation) in [(Role::Nurse, "other-unit"), (Role::Physician, "none"), (Role::Patient, "none"), (Role::Caregiver, "none"), (Role::Service, "other-unit")] {
            let account = Account {
                units: ["ER"].into_iter().collect(),
                ..Account::new(&format!("x{}", now().0), role, Kind::Service)
            };
            let token = place.house.guard.add_service(&account).expect("added");
            let (status, body) = place.ask(method, path, &token).await;
            assert!(matches!(status, 403 | 404), "{path} as {role:?} {relation}: {status} {body}");
            assert!(SECRETS.iter().all(|s| !body.contains(s)) && !body.contains(id), "{path}: {body}");
        }
    }
    // Acts on another unit's alert do nothing.
    let nurse = place.token(Role::Nurse, "other-unit");
    let request = Request::post(format!("/api/v1/alerts/{episode}/acknowledge")).header("content-type", "application/json");
    let (status, _) = place.house.ask(request, &nurse, r#"{"reason":""}"#).await;
    assert_eq!(status, 404);
    let after = place.json(&format!("/api/v1/alerts/{episode}")).await;
    assert_eq!(after["alert"]["taken_by"], "", "nobody took it");
    // Writes about another unit's patient are refused, whatever the program.
    let account = Account { units: ["ER"].into_iter().collect(), ..Account::new("ris", Role::Service, Kind::Service) };
    let ris = place.house.guard.add_service(&account).expect("added");
    let body = json!({
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": format!("Patient/{id}")}, "device": {"reference": "Device/ris-1"},
        "effectiveDateTime": written_time(now().0),
        "valueQuantity": {"value": 60, "system": "http://unitsofmeasure.org", "code": "/min"},
    });
    let request = Request::post("/fhir/Observation").header("content-type", "application/fhir+json");
    let (status, bytes) = place.house.ask(request, &ris, body.to_string()).await;
    assert_eq!(status, 403, "{}", String::from_utf8_lossy(&bytes));
    place.house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_offers_an_emergency_access_to_those_who_may() {
    let place = place().await;
    for (role, offered) in [(Role::Nurse, true), (Role::Pharmacist, true), (Role::Administrator, false), (Role::Engineer, false)] {
        let token = place.token(role, "other-unit");
        for id in [place.patient.as_str(), NOBODY] {
            let (status, body) = place.ask("GET", &format!("/api/v1/patients/{id}"), &token).await;
            let body: Json = serde_json::from_str(&body).expect("JSON");
            assert_eq!(status, 403);
            assert_eq!(body["break_glass"].as_bool().unwrap_or(false), offered, "{role:?} {id}");
        }
    }
    // Any decision can be asked for its reasons.
    let path = format!("/api/v1/policy/decisions?role=nurse&unit=ER&route=GET%20/api/v1/patients/{}&patient={}", place.patient, place.patient);
    let told = place.json(&path).await;
    assert_eq!((told["allowed"].as_bool(), told["unit"].as_str()), (Some(false), Some("ICU")));
    assert_eq!(told["rules"][0]["id"], "own-patients-only");
    let needs = told["would_need"].to_string();
    assert!(needs.contains("the unit ICU") && needs.contains("emergency"), "{needs}");
    place.house.stop().await;
}
