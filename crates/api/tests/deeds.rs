//! SE-1: what is done leaves a record under a name of its own, with who did it, by which session and
//! factor, for what purpose; and the purpose and the network zone of a request reach the access policy.

mod waves_support;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use api::laboratory::Review;
use api::origin::Peer;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use guard::{Account, Kind, Network, TrustSettings, Zone, Zones};
use serde_json::{Value as Json, json};
use vitals::{DeviceId, PatientId, Role};
use waves_support::{House, LONG, frames, house, house_with, now};

const PASSWORD: &str = "a-good-long-one";

/// A monitor on a patient, and heard.
async fn monitored(house: &House) -> PatientId {
    let patient = house.admit("7", "monitor-7").await;
    for frame in frames("monitor-7", "MDC_ECG_ELEC_POTL_II", 500, 2, now().0 - 1_000_000) {
        house.send(&frame).await;
    }
    let device = DeviceId::sanitised("monitor-7");
    let end = Instant::now() + LONG;
    while house.api.live.device(&device).is_none_or(|line| line.patient.is_none()) {
        assert!(Instant::now() < end, "the monitor is on the patient");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    patient
}

fn from(address: [u8; 4]) -> Peer {
    Peer { address: Some(IpAddr::from(address)), encrypted: false }
}

/// Logs somebody in: the cookie of the session.
async fn log_in(house: &House, name: &str, role: Role) -> String {
    house.guard.add_user(name, role, PASSWORD).expect("added");
    let body = json!({"name": name, "password": PASSWORD}).to_string();
    let request = Request::post("/api/v1/login").header("content-type", "application/json").extension(from([127, 0, 0, 1]));
    let answer = house.answer(request, "", body).await;
    assert_eq!(answer.status(), 200, "{name}");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    cookie.split(';').next().expect("a cookie").to_owned()
}

fn records(house: &House) -> Vec<Json> {
    house.audit().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The last record of a deed.
fn last(house: &House, action: &str) -> Json {
    let found = records(house).into_iter().rev().find(|record| record["action"] == action);
    found.unwrap_or_else(|| panic!("no record of {action}"))
}

fn with(cookie: &str, request: Builder) -> Builder {
    let json = request.header("content-type", "application/json").header("cookie", cookie);
    json.extension(from([127, 0, 0, 1]))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_says_by_which_session_factor_and_purpose() {
    let house = house().await;
    let patient = monitored(&house).await;
    let cookie = log_in(&house, "paul", Role::Physician).await;
    let began = last(&house, "login");
    assert_eq!((&began["factor"], &began["role"]), (&json!("password"), &json!("physician")));
    let session = began["session"].as_str().expect("a session").to_owned();
    assert!(session.len() == 16 && !cookie.contains(&session), "a fingerprint, not the token");

    let path = format!("/api/v1/patients/{patient}/limits");
    let body = json!({"metric": "MDC_PULS_OXIM_SAT_O2", "low": 85.0, "high": null, "reason": "Mr Grünwald asked"});
    let request = with(&cookie, Request::put(&path)).header("x-purpose-of-use", "urn:oid:2.16.840.1.113883.5.8#TREAT");
    let (status, answer) = house.ask(request, "", body.to_string()).await;
    assert_eq!(status, 200, "{answer:?}");
    let (let_in, done) = (last(&house, "set-limits"), last(&house, "set-limits-of-patient"));
    for record in [&let_in, &done] {
        for (member, expected) in [
            ("actor", "paul"), ("role", "physician"), ("session", &session), ("factor", "password"),
            ("purpose", "TREAT"), ("source", "127.0.0.1"), ("subject", patient.as_str()), ("outcome", "allowed"),
        ] {
            assert_eq!(record[member], expected, "{member} of {record}");
        }
    }
    assert_eq!((&done["object"], &done["request"]), (&json!("MDC_PULS_OXIM_SAT_O2"), &let_in["request"]));
    assert!(!house.audit().contains("Grünwald"), "people's own words stay in the journal");

    let token = house.token(Role::Service);
    let (status, _) = house.ask(Request::get("/fhir/Device/monitor-7"), &token, Body::empty()).await;
    assert_eq!(status, 200);
    let read = last(&house, "read-fhir");
    assert_eq!((&read["factor"], &read["object"]), (&json!("token"), &json!("Device/monitor-7")));
    assert!(read["session"].as_str().is_some_and(|id| id.len() == 16 && !token.contains(id)));
    house.ask(Request::get("/fhir/Device/Ada-Lovelace"), &token, Body::empty()).await;
    assert!(!house.audit().contains("Lovelace"), "what is typed as an id may be a name");
}

#[tokio::test(flavor = "multi_thread")]
async fn device_commands_and_changes_of_settings_have_records_of_their_own() {
    let house = house_with(Review::OnePerson).await;
    let patient = monitored(&house).await;
    let token = house.token(Role::Administrator);
    let engineer = house.token(Role::Engineer);
    let policy: Json = house.json("/api/v1/policy", &token).await;
    let campaign = "/api/v1/fleet/campaigns/7/pause";
    let calls = [
        ("DELETE", "/api/v1/devices/monitor-7/association", json!(null), &token),
        ("POST", "/api/v1/devices/monitor-7/association", json!({"patient": patient}), &token),
        ("POST", "/api/v1/devices/monitor-7/mount", json!({"location": null}), &token),
        ("PUT", "/api/v1/policy", policy.clone(), &token),
        ("PUT", "/api/v1/retention", json!({"kind": "numerics", "days": 400}), &token),
        ("PUT", "/api/v1/fleet/minimums", json!([{"manufacturer": "a", "model": "b", "version": "2"}]), &engineer),
        ("PUT", "/api/v1/fleet/inventory/monitor-7", json!({"model": "b"}), &engineer),
        ("DELETE", "/api/v1/fleet/inventory/monitor-7", json!(null), &engineer),
        ("POST", campaign, json!({"why": "told so"}), &engineer),
        ("POST", "/api/v1/trust/devices/monitor-9/announcement", json!({"why": "it comes on Monday"}), &token),
        ("POST", "/api/v1/trust/devices/monitor-9/claim", json!({"zone": "", "kind": "", "metrics": [], "why": "ours"}), &token),
    ];
    for (method, path, body, token) in &calls {
        let request = Request::builder().method(*method).uri(*path).header("content-type", "application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = house.ask(request, token, body).await;
        assert!(status < 300 || *path == campaign, "{method} {path}: {status} {answer:?}");
    }
    for (deed, object, about) in [
        ("disassociate-device", "monitor-7", Some(&patient)),
        ("associate-device", "monitor-7", Some(&patient)),
        ("unmount-device", "monitor-7", None),
        ("change-alert-policy", "", None),
        ("set-retention", "numerics", None),
        ("set-minimum-versions", "", None),
        ("put-inventory-item", "monitor-7", None),
        ("remove-inventory-item", "monitor-7", None),
        ("pause-campaign", "7", None),
        ("announce-device", "monitor-9", None),
        ("claim-device", "monitor-9", None),
    ] {
        let record = last(&house, deed);
        assert_eq!(record["object"].as_str().unwrap_or_default(), object, "{record}");
        assert_eq!(record["subject"].as_str(), about.map(|id| id.as_str()), "{record}");
        assert_eq!((&record["factor"], &record["outcome"]), (&json!("token"), &json!("allowed")), "{record}");
        assert!(record["session"].is_string() && record["role"].is_string() && record["request"].is_string());
    }
    let change = last(&house, "change-alert-policy")["detail"].as_str().expect("a text").to_owned();
    assert!(change.starts_with("now ") && change.contains("SHA-256"), "{change}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_purpose_must_be_the_roles_and_the_zone_reaches_the_policy() {
    let house = house().await;
    let cookie = log_in(&house, "nora", Role::Nurse).await;
    let ward = |purpose: &'static str| {
        let request = with(&cookie, Request::get("/api/v1/ward"));
        let request = if purpose.is_empty() { request } else { request.header("x-purpose-of-use", purpose) };
        house.ask(request, "", Body::empty())
    };
    for (purpose, expected) in [
        ("", 200), ("HOPERAT", 200), ("http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT", 200),
        ("HRESCH", 403), ("ETREAT", 403), ("BTG", 403), ("curiosity", 400),
    ] {
        assert_eq!(ward(purpose).await.0, expected, "{purpose}");
        let record = last(&house, "see-patients");
        match expected {
            403 => {
                assert_eq!((&record["outcome"], &record["policies"]), (&json!("denied"), &json!(["purpose-of-the-role"])));
            }
            200 => assert_eq!(record["purpose"], if purpose == "HOPERAT" { "HOPERAT" } else { "TREAT" }),
            _ => {}
        }
    }

    // Research only from the wards' own network: a rule of the site sees the zone of the request.
    let zone = |name: &str, network: &str| Zone {
        name: name.to_owned(),
        networks: Network::parse(network).into_iter().collect(),
        listeners: Vec::new(),
        roles: Vec::new(),
    };
    let zones = Zones(vec![zone("wards", "10.1.0.0/16"), zone("offices", "10.2.0.0/16")]);
    house.guard.set_trust(TrustSettings { zones, ..(*house.guard.trust()).clone() });
    let rules = house.folder.path().join("policy");
    std::fs::create_dir(&rules).expect("a folder");
    let rule = "@id(\"from-the-wards\") forbid (principal in Role::\"nurse\", action == Action::\"see-patients\", resource) unless { context.zone == \"wards\" };";
    std::fs::write(rules.join("site.cedar"), rule).expect("written");
    house.guard.load_policies(&rules).expect("taken");
    let account = Account::new("zoe", Role::Nurse, Kind::Service);
    let token = house.guard.add_service(&account).expect("added");
    for (address, expected) in [([10, 1, 0, 9], 200), ([10, 2, 0, 9], 403), ([192, 0, 2, 1], 403)] {
        let request = Request::get("/api/v1/ward").extension(from(address));
        assert_eq!(house.ask(request, &token, Body::empty()).await.0, expected, "{address:?}");
    }
    assert_eq!(last(&house, "see-patients")["policies"], json!(["from-the-wards"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_from_a_network_that_is_not_the_roles_is_refused_and_leaves_no_session() {
    let house = house().await;
    let networks = Network::parse("10.1.0.0/16").into_iter().collect();
    let zone = Zone { name: "workshop".to_owned(), networks, listeners: Vec::new(), roles: vec![Role::Engineer] };
    house.guard.set_trust(TrustSettings { zones: Zones(vec![zone]), ..(*house.guard.trust()).clone() });
    for (name, role, address, expected) in [
        ("nora", Role::Nurse, [10, 1, 0, 9], 403),
        ("eve", Role::Engineer, [10, 1, 0, 9], 200),
        ("emil", Role::Engineer, [192, 0, 2, 1], 403),
    ] {
        house.guard.add_user(name, role, PASSWORD).expect("added");
        let body = json!({"name": name, "password": PASSWORD}).to_string();
        let request = Request::post("/api/v1/login").header("content-type", "application/json").extension(from(address));
        let answer = house.answer(request, "", body).await;
        assert_eq!(answer.status(), expected, "{name}");
        assert_eq!(answer.headers().contains_key("set-cookie"), expected == 200, "{name}");
        let sessions = house.guard.sessions(name, now()).expect("read").len();
        assert_eq!(sessions, usize::from(expected == 200), "{name}");
        if expected == 403 {
            let (what, end) = ("wrong-zone", Instant::now() + LONG);
            let told = |record: &Json| record["action"] == what && record["actor"] == name && record["outcome"] == "denied";
            while !records(&house).iter().any(told) {
                assert!(Instant::now() < end, "the refusal of {name} is in the log");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}
