//! The alarm laboratory over HTTP: a run on the journal of the running platform, alerts for whoever may see
//! the patients, and versions of the policy that take two people.

mod waves_support;

use std::time::{Duration, Instant};

use axum::http::Request;
use axum::http::request::Builder;
use serde_json::{Value as Json, json};
use vitals::{
    Actor, Content, DeviceId, Event, Measurement, Message, Metric, Origin, PatientId, Protocol, Quality, Reading,
    ReceiveTime, Role, TimeBase, Value,
};
use waves_support::{House, LONG, house, now};

const PASSWORD: &str = "a-good-long-one";
const POLICY: &str = r#"
name = "Test"
[[chain]]
name = "ward"
repeat_s = 60
step = [{ role = "nurse", after_s = 0 }]
[gap]
after_s = 600
intervals = 4
priority = "low"
[[rule]]
id = "fast"
title = "Heart fast"
group = "heart"
level = [{ priority = "high", when = "HR >= 120" }]
clear_s = 0
"#;

fn pulse(at: ReceiveTime, value: f64) -> Event {
    let metric = Metric::by_refid("MDC_ECG_HEART_RATE").expect("known");
    let measurement = Measurement {
        metric: metric.code,
        value: Value::Numeric(value),
        unit: metric.unit,
        device_time: None,
        quality: Quality::empty(),
        channel: 0,
    };
    let device = DeviceId::sanitised("monitor-7");
    Event::Message(Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: String::new(),
            sender: String::new(),
            message_id: String::new(),
            profile: String::new(),
        },
        received: at,
        time_base: TimeBase::Live,
        payload: Vec::new(),
        content: vec![Content::Reading(Reading { device, patient: None, measurements: vec![measurement] })],
        problems: Vec::new(),
    })
}

/// Somebody's requests: a token of a program, or the cookie of a person's session.
struct As<'a> {
    house: &'a House,
    token: String,
    cookie: String,
}

impl<'a> As<'a> {
    fn program(house: &'a House, role: Role) -> Self {
        Self { house, token: house.token(role), cookie: String::new() }
    }

    async fn person(house: &'a House, name: &str, role: Role) -> Self {
        house.guard.add_user(name, role, PASSWORD).expect("added");
        let body = json!({"name": name, "password": PASSWORD}).to_string();
        let request = Request::post("/api/v1/login").header("content-type", "application/json");
        let answer = house.answer(request, "", body).await;
        assert_eq!(answer.status(), 200, "{name}");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        Self { house, token: String::new(), cookie }
    }

    async fn ask(&self, request: Builder, body: Option<Json>) -> (u16, Json) {
        let mut request = request.header("content-type", "application/json");
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let (status, bytes) = self.house.ask(request, &self.token, body).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
    }

    async fn get(&self, path: &str) -> (u16, Json) {
        self.ask(Request::get(path), None).await
    }

    async fn post(&self, path: &str, body: Json) -> (u16, Json) {
        self.ask(Request::post(path), Some(body)).await
    }

    /// A run, to its end.
    async fn run(&self, asked: Json) -> Json {
        let (status, run) = self.post("/api/v1/laboratory/runs", asked).await;
        assert_eq!(status, 202, "{run}");
        let path = format!("/api/v1/laboratory/runs/{}", run["id"]);
        let end = Instant::now() + LONG;
        loop {
            let (_, run) = self.get(&path).await;
            if run["state"] != "running" {
                assert_eq!(run["state"], "done", "{run}");
                return run;
            }
            assert!(Instant::now() < end, "{run}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A patient whose heart was fast twice: 130, and 150.
async fn lived() -> (House, PatientId) {
    let house = house().await;
    let patient = house.admit("7", "monitor-7").await;
    let somebody = Actor { name: "kim".into(), role: Role::Physician };
    house.api.append(Event::Policy(somebody, POLICY.to_owned()), None).await.expect("taken");
    let end = Instant::now() + LONG;
    while house.api.live.policy().text != POLICY {
        assert!(Instant::now() < end, "the policy is in force");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A value that jumps is believed when it stays.
    for value in [80.0, 130.0, 80.0, 150.0, 80.0] {
        for _ in 0..6 {
            house.api.append(pulse(now(), value), None).await.expect("taken");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    (house, patient)
}

fn set(value: f64) -> Json {
    json!({"set": [{"path": "rule.fast.high.when", "value": value}], "events": [{"name": "very-fast", "when": "HR >= 145"}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_what_another_policy_would_have_done() {
    let (house, patient) = lived().await;
    let physician = As::program(&house, Role::Physician);
    let (_, there) = physician.get("/api/v1/laboratory").await;
    assert!(there["from_ms"].as_i64() <= there["to_ms"].as_i64() && there["running"].is_null(), "{there}");
    let number = there["numbers"].as_array().into_iter().flatten().find(|one| one["path"] == "rule.fast.high.when");
    assert_eq!(number.map(|one| &one["value"]), Some(&json!(120.0)), "{there}");

    let run = physician.run(set(140.0)).await;
    let result = &run["result"];
    let (present, changed) = (&result["report"]["policies"][0], &result["report"]["policies"][1]);
    assert_eq!((&present["alerts"], &changed["alerts"]), (&json!(2), &json!(1)), "{result}");
    assert_eq!(present["events"][0]["events"], 1, "{present}");
    let difference = &result["report"]["differences"][0]["alerts"];
    assert_eq!((&difference["kept"], &difference["gone"], &difference["new"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(difference.get("gone_list"), None, "alerts one by one are asked for by themselves");
    assert_eq!(result["candidates"][1]["changed"][0]["to"], 140.0);
    assert_eq!(result["titles"]["rule.fast"], "Heart fast");

    let path = format!("/api/v1/laboratory/runs/{}/alerts?candidate=1", run["id"]);
    let (status, alerts) = physician.get(&path).await;
    assert_eq!((status, &alerts["hidden"]), (200, &json!(0)), "{alerts}");
    assert_eq!(alerts["gone"][0]["patient"]["id"], patient.to_string());
    let (_, live) = physician.get("/api/v1/alerts?state=all").await;
    let raised: Vec<&Json> = live["alerts"].as_array().into_iter().flatten().map(|alert| &alert["episode"]).collect();
    assert!(raised.contains(&&alerts["gone"][0]["episode"]), "it is the alert that was raised: {alerts} {live}");

    // A nurse of another unit sees that there were some, and no more.
    let mut other = guard::Account::new("unit-nurse", Role::Nurse, guard::Kind::Service);
    other.units = [String::from("Elsewhere")].iter().collect();
    let token = house.guard.add_service(&other).expect("a token");
    let nurse = As { house: &house, token, cookie: String::new() };
    let (status, alerts) = nurse.get(&path).await;
    assert_eq!((status, &alerts["hidden"], &alerts["gone"]), (200, &json!(1), &json!([])), "{alerts}");
    let log = house.audit();
    assert!(log.contains("simulate-alert-policy"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_has_a_frontier_and_a_proposal_within_the_budget() {
    let (house, _) = lived().await;
    let physician = As::program(&house, Role::Physician);
    let mut asked = set(0.0);
    asked["set"] = json!([]);
    asked["sweep"] = json!([{"path": "rule.fast.high.when", "from": 120, "to": 160, "step": 20}]);
    asked["budget"] = json!(1e12);
    let run = physician.run(asked).await;
    let result = &run["result"];
    assert_eq!(result["points"].as_array().map(Vec::len), Some(4), "{result}");
    // 140 sees the event with one alert, 120 with two, 160 does not.
    assert_eq!(result["proposed"], 2, "{result}");
    assert_eq!(result["points"][2]["on_frontier"], true);
    assert_eq!(result["points"][1]["on_frontier"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_and_what_is_wrong() {
    let (house, _) = lived().await;
    let (nurse, engineer) = (As::program(&house, Role::Nurse), As::program(&house, Role::Engineer));
    assert_eq!(nurse.post("/api/v1/laboratory/runs", set(140.0)).await.0, 403);
    assert_eq!(nurse.get("/api/v1/laboratory/runs").await.0, 200);
    assert_eq!(engineer.get("/api/v1/laboratory/runs/1/alerts?candidate=1").await.0, 403);
    let proposal = json!({"run": 1, "candidate": 1, "title": "t", "reason": "r"});
    assert_eq!(nurse.post("/api/v1/policy/versions", proposal.clone()).await.0, 403);
    assert_eq!(nurse.post("/api/v1/policy/versions/1/approval", json!({"note": ""})).await.0, 403);
    let physician = As::program(&house, Role::Physician);
    assert_eq!(physician.post("/api/v1/policy/versions", proposal).await.0, 404);
    for (wrong, word) in [
        (json!({}), "nothing to try"),
        (json!({"set": [{"path": "rule.fast.high.whem", "value": 1.0}]}), "rule.fast.high.when"),
        (json!({"sweep": [{"path": "rule.fast.high.when", "from": 1, "to": 90, "step": 1}]}), "36"),
        (json!({"policies": [{"name": "x", "text": "name = 3"}]}), "policy `x`"),
        (json!({"set": [{"path": "rule.fast.high.when", "value": 1.0}], "events": [{"name": "a b", "when": "HR > 1"}]}), "letters"),
        (json!({"set": [{"path": "rule.fast.high.when", "value": 1.0}], "from_ms": 9, "to_ms": 9}), "from_ms"),
        (json!({"set": [{"path": "rule.fast.high.when", "value": 1.0}], "horizon_h": 0}), "horizon_h"),
    ] {
        let (status, answer) = physician.post("/api/v1/laboratory/runs", wrong.clone()).await;
        let text = answer["message"].as_str().unwrap_or_default();
        assert!(status == 400 && text.contains(word), "{wrong}: {status} {answer}");
    }
    assert_eq!(physician.get("/api/v1/laboratory/runs/9").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_takes_two_people_and_replaces_what_it_was_made_for() {
    let (house, _) = lived().await;
    let anna = As::person(&house, "anna", Role::Physician).await;
    let bert = As::person(&house, "bert", Role::Physician).await;
    let run = anna.run(set(140.0)).await;
    let proposal = json!({"run": run["id"], "candidate": 1, "title": "Later", "reason": "Mr Grünwald sounded all night"});
    let (status, first) = anna.post("/api/v1/policy/versions", proposal.clone()).await;
    assert_eq!((status, &first["state"], &first["may"]["approve"]), (201, &json!("proposed"), &json!(false)), "{first}");
    assert!(first["why_not"].as_str().is_some_and(|why| why.contains("second person")), "{first}");
    let second = anna.post("/api/v1/policy/versions", proposal).await.1;
    let at = |number: i64, step: &str| format!("/api/v1/policy/versions/{number}/{step}");

    assert_eq!(anna.post(&at(1, "approval"), json!({"note": "mine"})).await.0, 403);
    let program = As::program(&house, Role::Administrator);
    assert_eq!(program.post(&at(1, "approval"), json!({})).await.0, 403, "a program is no second person");
    assert_eq!(bert.post(&at(1, "in-force"), json!({})).await.0, 409, "not before it is approved");
    assert_eq!(bert.get(&at(1, "signed")).await.0, 404);
    let (status, approved) = bert.post(&at(1, "approval"), json!({"note": "fine"})).await;
    assert_eq!((status, &approved["state"]), (200, &json!("approved")), "{approved}");
    assert_eq!(bert.post(&at(1, "approval"), json!({"note": "again"})).await.0, 409);
    let (_, signed) = bert.get(&at(1, "signed")).await;
    let key = house.guard.audit_log().verifier().expect("a key");
    let read = laboratory::versions::Version::read(signed.as_str().expect("text"), &key).expect("it holds");
    assert_eq!((read.proposed_by.as_str(), read.approved_by.as_deref()), ("anna", Some("bert")));

    let (status, in_force) = anna.post(&at(1, "in-force"), json!({})).await;
    assert_eq!((status, &in_force["state"]), (200, &json!("in-force")), "{in_force}");
    assert_eq!(anna.get("/api/v1/policy").await.1["text"], json!(read.policy));
    assert_eq!(anna.post(&at(1, "rejection"), json!({"reason": "no"})).await.0, 409, "what is in force is not rejected");
    // The other one was made for the policy of before.
    assert_eq!(second["state"], "proposed");
    let (_, second) = bert.get("/api/v1/policy/versions/2").await;
    assert_eq!((&second["state"], &second["may"]["approve"]), (&json!("outdated"), &json!(false)));
    assert_eq!(bert.post(&at(2, "approval"), json!({})).await.0, 409);
    assert_eq!(bert.post(&at(2, "rejection"), json!({"reason": "too late"})).await.1["state"], "rejected");
    let (_, all) = anna.get("/api/v1/policy/versions").await;
    let states: Vec<&Json> = all["versions"].as_array().into_iter().flatten().map(|one| &one["state"]).collect();
    assert_eq!(states, [&json!("rejected"), &json!("in-force")]);

    let log = house.audit();
    for deed in ["propose-alert-policy", "approve-alert-policy", "change-alert-policy", "reject-alert-policy"] {
        assert!(log.contains(deed), "{deed}");
    }
    assert!(!log.contains("Grünwald"), "reasons stay out of the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_alone_changes_the_policy_only_in_an_emergency_and_is_reviewed_later() {
    let (house, _) = lived().await;
    let anna = As::person(&house, "anna", Role::Physician).await;
    let bert = As::person(&house, "bert", Role::Physician).await;
    let other = POLICY.replace("HR >= 120", "HR >= 110");
    let put = json!({"text": other, "by": ""});
    for who in [&anna, &As::program(&house, Role::Administrator)] {
        let (status, answer) = who.ask(Request::put("/api/v1/policy"), Some(put.clone())).await;
        let text = answer["message"].as_str().unwrap_or_default();
        assert!(status == 403 && text.contains("second person") && text.contains("/api/v1/policy/versions"), "{status} {answer}");
    }
    assert_eq!(anna.get("/api/v1/policy").await.1["text"], POLICY, "nothing changed");

    // A whole policy, without a run.
    let proposal = json!({"policy": other, "title": "Hearts sooner", "reason": "one was missed"});
    assert_eq!(anna.post("/api/v1/policy/versions", json!({"policy": "name = 3", "title": "t", "reason": "r"})).await.0, 400);
    assert_eq!(anna.post("/api/v1/policy/versions", json!({"policy": other, "run": 1, "title": "t", "reason": "r"})).await.0, 400);
    let (status, first) = anna.post("/api/v1/policy/versions", proposal.clone()).await;
    assert_eq!((status, &first["may"]["emergency"]), (201, &json!(true)), "{first}");
    let at = |number: i64, step: &str| format!("/api/v1/policy/versions/{number}/{step}");
    let why = json!({"reason": "Mr Grünwald, at 3 a.m."});
    assert_eq!(anna.post(&at(1, "emergency"), json!({"reason": " "})).await.0, 400, "it takes a reason");
    let nurse = As::person(&house, "nora", Role::Nurse).await;
    assert_eq!(nurse.post(&at(1, "emergency"), why.clone()).await.0, 403);
    let program = As::program(&house, Role::Administrator);
    assert_eq!(program.post(&at(1, "emergency"), why.clone()).await.0, 403, "a program has no emergencies");
    let (status, forced) = anna.post(&at(1, "emergency"), why.clone()).await;
    assert_eq!((status, &forced["state"], &forced["may"]["approve"]), (200, &json!("unreviewed"), &json!(false)), "{forced}");
    assert_eq!(anna.get("/api/v1/policy").await.1["text"], json!(other), "at once");
    assert_eq!(anna.post(&at(1, "emergency"), why.clone()).await.0, 409, "once");
    assert_eq!(anna.post(&at(1, "approval"), json!({"note": "mine"})).await.0, 403, "reviewed by somebody else");

    // Somebody else takes it back: what was in force before is again.
    let (_, back) = bert.post(&at(1, "rejection"), json!({"reason": "not needed"})).await;
    assert_eq!(back["state"], "rejected", "{back}");
    assert_eq!(anna.get("/api/v1/policy").await.1["text"], POLICY);

    // The next one is approved where it stands.
    anna.post("/api/v1/policy/versions", proposal).await;
    assert_eq!(anna.post(&at(2, "emergency"), why).await.0, 200);
    let (_, seen) = bert.get("/api/v1/policy/versions/2").await;
    assert_eq!((&seen["state"], &seen["may"]["approve"], &seen["may"]["reject"]), (&json!("unreviewed"), &json!(true), &json!(true)));
    let (_, approved) = bert.post(&at(2, "approval"), json!({"note": "right so"})).await;
    assert_eq!(approved["state"], "in-force", "{approved}");
    assert_eq!(bert.post(&at(2, "rejection"), json!({"reason": "no"})).await.0, 409, "agreed is agreed");
    let (_, signed) = bert.get(&at(2, "signed")).await;
    let key = house.guard.audit_log().verifier().expect("a key");
    let read = laboratory::versions::Version::read(signed.as_str().expect("text"), &key).expect("it holds");
    assert_eq!(read.emergency.map(|one| one.by).as_deref(), Some("anna"));

    let log = house.audit();
    for deed in ["change-alert-policy-unreviewed", "take-back-alert-policy"] {
        assert!(log.contains(deed), "{deed}");
    }
    assert!(!log.contains("Grünwald"), "reasons stay out of the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_may_say_that_one_person_is_enough() {
    let house = waves_support::house_with(api::laboratory::Review::OnePerson).await;
    let anna = As::person(&house, "anna", Role::Physician).await;
    let (status, answer) = anna.ask(Request::put("/api/v1/policy"), Some(json!({"text": POLICY, "by": ""}))).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_beside_its_signature_is_not_put_in_force() {
    let (house, _) = lived().await;
    let anna = As::person(&house, "anna", Role::Physician).await;
    let bert = As::person(&house, "bert", Role::Physician).await;
    let run = anna.run(set(140.0)).await;
    anna.post("/api/v1/policy/versions", json!({"run": run["id"], "candidate": 1, "title": "t", "reason": "r"})).await;
    assert_eq!(bert.post("/api/v1/policy/versions/1/approval", json!({})).await.0, 200);
    let file = house.folder.path().join("alarm-policies/1.policy");
    let signed = std::fs::read_to_string(&file).expect("signed");
    std::fs::write(&file, signed.replace("HR >= 140", "HR >= 240")).expect("written");
    let (status, answer) = bert.post("/api/v1/policy/versions/1/in-force", json!({})).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(bert.get("/api/v1/policy").await.1["text"], POLICY, "nothing changed");
}
