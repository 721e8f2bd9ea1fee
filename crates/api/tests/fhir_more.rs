//! The FHIR routes over a backend in memory: names, panels, versions, patches and deletions.

#[path = "fhir_support/mod.rs"]
mod support;

use std::io::Write as _;

use futures_util::future::join_all;
use serde_json::{Value as Json, json};
use support::server::{Answer, Server, heart_rate, patient};

const KIND: (&str, &str) = ("content-type", "application/fhir+json");

fn entries(answer: &Answer) -> Vec<&Json> {
    answer.json["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]).collect()
}

fn pressure(time: &str, systolic: f64, parts: &[(&str, f64)]) -> Json {
    let component = |code: &str, value: f64| {
        json!({
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        })
    };
    let mut json = heart_rate("p1", time, 0.0);
    json.as_object_mut().expect("an object").remove("valueQuantity");
    json["code"]["coding"][0]["code"] = "85354-9".into();
    let parts = parts.iter().map(|(code, value)| component(code, *value));
    json["component"] = std::iter::once(component("8480-6", systolic)).chain(parts).collect();
    json
}

#[tokio::test]
async fn a_blood_pressure_is_one_panel_and_its_parts() {
    let server = Server::new();
    let sent = pressure("2026-11-21T11:00:00Z", 120.0, &[("8462-4", 80.0), ("8478-0", 93.0)]);
    let created = server.post("/fhir/Observation", &sent).await;
    assert_eq!(created.status, 201, "{}", created.json);
    assert_eq!(created.json["code"]["coding"][0]["code"], "85354-9");
    let location = created.header("location").replace("http://fhir.example", "");
    assert_eq!(location, "/fhir/Observation/p0-0-0");
    let read = server.get(&location).await;
    assert_eq!(read.json["meta"]["profile"][0], "http://hl7.org/fhir/StructureDefinition/bp");
    let values: Vec<(&str, f64)> = read.json["component"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| Some((c["code"]["coding"][0]["code"].as_str()?, c["valueQuantity"]["value"].as_f64()?)))
        .collect();
    assert_eq!(values, [("8480-6", 120.0), ("8462-4", 80.0), ("8478-0", 93.0)]);
    assert_eq!(read.json["derivedFrom"][1]["reference"], "Observation/r1-0-1");
    server.post("/fhir/Observation", &pressure("2026-11-21T11:05:00Z", 130.0, &[])).await;
    for (query, total) in [
        ("code=85354-9", 2),
        ("code=http://loinc.org|85354-9", 2),
        ("code=8480-6", 2),
        ("code=8462-4", 1),
        ("code=8480-6,8462-4", 3),
        ("code=85354-9,8480-6", 4),
        ("code=85354-9&category=vital-signs", 2),
        ("code=85354-9&category=laboratory", 0),
        ("code=85354-9&date=ge2026-11-21T11:05:00Z", 1),
        ("category=vital-signs", 4),
        ("_id=p0-0-0", 1),
        ("_id=p0-0-0,r0-0-0", 2),
        ("_id=p0-0-0&code=8480-6", 0),
        ("_id=p1-0-1", 0),
    ] {
        let path = format!("/fhir/Observation?patient=p1&{query}");
        assert_eq!(server.total(&path).await, total, "{query}");
        let found = server.get(&path).await;
        assert_eq!(entries(&found).len() as u64, total, "{query}");
    }
    // The profile asks for a diastolic pressure: one that is not there is said to be absent.
    let lonely = server.get("/fhir/Observation?code=85354-9&_sort=-date&_count=1").await;
    let lonely = entries(&lonely)[0]["component"].clone();
    assert_eq!(lonely[1]["dataAbsentReason"]["coding"][0]["code"], "unknown");
    assert_eq!(server.get("/fhir/Observation/p1-0-1").await.status, 404, "a diastolic has no panel");
    let both = server.get("/fhir/Observation?code=85354-9,8480-6&_count=2&_sort=date").await;
    assert_eq!(entries(&both).len(), 2);
    let next = both.json["link"].as_array().into_iter().flatten().find(|l| l["relation"] == "next");
    let next = next.and_then(|link| link["url"].as_str()).expect("a next page");
    let rest = server.get(&next.replace("http://fhir.example", "")).await;
    assert_eq!(entries(&rest).len(), 2);
}

#[tokio::test]
async fn observations_are_found_by_the_names_they_were_given() {
    let server = Server::new();
    let mut sent = heart_rate("p1", "2026-11-21T11:00:00Z", 70.0);
    sent["id"] = "mine".into();
    sent["identifier"] = json!([{"system": "urn:x", "value": "A1"}]);
    let put = |json: &Json| server.send("PUT", "/fhir/Observation/mine", &[KIND], json.to_string());
    let first = put(&sent).await;
    assert_eq!((first.status, first.header("location")), (201, "http://fhir.example/fhir/Observation/mine"));
    assert_eq!(put(&sent).await.status, 200, "the same again is the same");
    let read = server.get("/fhir/Observation/mine").await;
    assert_eq!((&read.json["id"], &read.json["identifier"][0]["value"]), (&json!("mine"), &json!("A1")));
    for query in ["_id=mine", "identifier=urn:x|A1", "identifier=A1", "identifier=B,A1"] {
        let found = server.get(&format!("/fhir/Observation?{query}")).await;
        assert_eq!(found.json["total"], 1, "{query}");
        assert_eq!(entries(&found)[0]["id"], "mine", "{query}");
    }
    for query in ["_id=other", "identifier=urn:y|A1", "identifier=|A1", "identifier=A1&patient=p2"] {
        assert_eq!(server.total(&format!("/fhir/Observation?{query}")).await, 0, "{query}");
    }
    // A correction takes the id over; what was measured stays, under its own.
    sent["status"] = "corrected".into();
    sent["valueQuantity"]["value"] = json!(71);
    let stale = [KIND, ("if-match", "W/\"99\"")];
    let refused = server.send("PUT", "/fhir/Observation/mine", &stale, sent.to_string()).await;
    assert_eq!(refused.status, 412);
    assert_eq!(put(&sent).await.status, 200);
    let now = server.get("/fhir/Observation/mine").await;
    assert_eq!((&now.json["valueQuantity"]["value"], &now.json["status"]), (&json!(71.0), &json!("amended")));
    assert_eq!(server.total("/fhir/Observation?_id=mine").await, 1);
    assert_eq!(server.total("/fhir/Observation?identifier=A1").await, 2);
    let history = server.get("/fhir/Observation/mine/_history").await;
    let values: Vec<&Json> = entries(&history).iter().map(|o| &o["valueQuantity"]["value"]).collect();
    assert_eq!((&history.json["total"], values), (&json!(2), vec![&json!(71.0), &json!(70.0)]));
    let version = entries(&history)[1]["meta"]["versionId"].as_str().expect("a version").to_owned();
    let old = server.get(&format!("/fhir/Observation/mine/_history/{version}")).await;
    assert_eq!((old.status, &old.json["valueQuantity"]["value"]), (200, &json!(70.0)));
    let earlier = server.get("/fhir/Observation/r0-0-0").await;
    assert_eq!(earlier.json["id"], "r0-0-0");
}

#[tokio::test]
async fn a_search_by_id_answers_under_the_ids_that_are_asked_for() {
    let server = Server::new();
    let mut sent = heart_rate("p1", "2026-11-21T11:00:00Z", 70.0);
    for id in ["mine", "theirs"] {
        sent["id"] = id.into();
        let answer = server.send("PUT", &format!("/fhir/Observation/{id}"), &[KIND], sent.to_string()).await;
        assert!(answer.status < 300, "{}", answer.json);
    }
    for ids in [&["mine"][..], &["theirs"], &["r0-0-0"], &["mine", "theirs"], &["mine", "r0-0-0", "theirs"]] {
        let found = server.get(&format!("/fhir/Observation?_id={}", ids.join(","))).await;
        let mut told: Vec<&str> = entries(&found).iter().filter_map(|one| one["id"].as_str()).collect();
        told.sort_by_key(|id| ids.iter().position(|asked| asked == id));
        assert_eq!((&found.json["total"], &told[..]), (&json!(ids.len()), ids));
        assert!(entries(&found).iter().all(|one| one["valueQuantity"]["value"] == json!(70.0)));
    }
    for id in ["mine", "theirs", "r0-0-0"] {
        assert_eq!(server.get(&format!("/fhir/Observation/{id}")).await.json["id"], id);
    }
}

#[tokio::test]
async fn a_create_changes_nobody_who_is_known() {
    let server = Server::new();
    let ada = json!({
        "resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "9"}],
        "name": [{"family": "Byron", "given": ["Ada"]}], "gender": "female", "birthDate": "1815-12-10",
    });
    let created = server.post("/fhir/Patient", &ada).await;
    assert_eq!(created.status, 201, "{}", created.json);
    let id = created.json["id"].as_str().expect("an id").to_owned();
    // The same again, and less: the one who is there.
    let number = json!({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "9"}]});
    for again in [&ada, &number] {
        let answer = server.post("/fhir/Patient", again).await;
        assert_eq!((answer.status, &answer.json["id"]), (200, &json!(id)), "{}", answer.json);
        assert_eq!(answer.json["name"][0]["given"][0], "Ada");
    }
    // Somebody else, by any of the three: refused, alone and in a transaction, without a word of theirs.
    for (name, value) in [("gender", json!("male")), ("birthDate", json!("1815-12-11")), ("name", json!([{"family": "Lovelace", "given": ["Ada"]}]))] {
        let mut other = ada.clone();
        other[name] = value;
        let answer = server.post("/fhir/Patient", &other).await;
        assert_eq!((answer.status, answer.expressions()), (409, vec!["Patient.identifier"]), "{name}");
        assert!(!answer.json.to_string().contains("1815") && !answer.json.to_string().contains("Byron"));
        let request = json!({"method": "POST", "url": "Patient"});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": other, "request": request}]});
        let answer = server.post("/fhir", &bundle).await;
        assert_eq!((answer.status, answer.expressions()), (409, vec!["Bundle.entry[0].resource.identifier"]), "{name}");
    }
    let now = server.get(&format!("/fhir/Patient/{id}")).await;
    assert_eq!((&now.json["gender"], &now.json["birthDate"], &now.json["meta"]["versionId"]), (&json!("female"), &json!("1815-12-10"), &json!("1")));
    // A second number of theirs leads to them; the numbers of two people make nobody.
    assert_eq!(server.post("/fhir/Patient", &patient("10", "Turing")).await.status, 201);
    let mut two = ada.clone();
    two["identifier"] = json!([{"system": "urn:mrn", "value": "10"}, {"system": "urn:mrn", "value": "9"}]);
    assert_eq!(server.post("/fhir/Patient", &two).await.status, 409);
    two["identifier"] = json!([{"system": "urn:card", "value": "77"}, {"system": "urn:mrn", "value": "9"}]);
    let answer = server.post("/fhir/Patient", &two).await;
    assert_eq!((answer.status, &answer.json["id"]), (200, &json!(id)));
}

#[tokio::test]
async fn of_conditional_creates_alike_one_creates() {
    let server = Server::new();
    let headers = [KIND, ("if-none-exist", "identifier=urn:x|7")];
    let bodies = (0..20).map(|n| {
        let mut json = heart_rate("p1", "2026-11-21T11:00:00Z", 60.0 + f64::from(n));
        json["identifier"] = json!([{"system": "urn:x", "value": "7"}]);
        json.to_string()
    });
    let answers =
        join_all(bodies.map(|body| server.send("POST", "/fhir/Observation", &headers, body))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((created, server.total("/fhir/Observation").await), (1, 1));
    let people = (0..20).map(|_| {
        let headers = [KIND, ("if-none-exist", "identifier=urn:mrn|5")];
        let body = patient("5", "Byron").to_string();
        let server = &server;
        async move { server.send("POST", "/fhir/Patient", &headers, body).await.status }
    });
    let created = join_all(people).await.into_iter().filter(|status| *status == 201).count();
    assert_eq!(created, 1);
    // In a transaction it is the same one too.
    let mut reading = heart_rate("p1", "2026-11-21T11:00:09Z", 99.0);
    reading["identifier"] = json!([{"system": "urn:x", "value": "7"}]);
    let request = json!({"method": "POST", "url": "Observation", "ifNoneExist": "identifier=urn:x|7"});
    let mut bundle = json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [{"resource": reading, "request": request}],
    });
    let answer = server.post("/fhir", &bundle).await;
    assert_eq!(answer.json["entry"][0]["response"]["status"], "200 OK", "{}", answer.json);
    bundle["entry"][0]["request"]["ifNoneExist"] = "patient=p1&code=8867-4&date=2026-11-22".into();
    let answer = server.post("/fhir", &bundle).await;
    assert_eq!(answer.json["entry"][0]["response"]["status"], "201 Created", "{}", answer.json);
    bundle["entry"][0]["request"]["ifNoneExist"] = "patient=p1".into();
    let answer = server.post("/fhir", &bundle).await;
    assert_eq!((answer.status, answer.expressions()), (412, vec!["Bundle.entry[0].request.ifNoneExist"]));
}

#[tokio::test]
async fn records_keep_every_version_and_take_patches() {
    let server = Server::new();
    let created = server.post("/fhir/Patient", &patient("1", "Byron")).await;
    let id = created.json["id"].as_str().expect("an id").to_owned();
    let path = format!("/fhir/Patient/{id}");
    let patch_kind = ("content-type", "application/json-patch+json");
    let patch = json!([
        {"op": "test", "path": "/gender", "value": "female"},
        {"op": "replace", "path": "/name/0/family", "value": "Lovelace"},
        {"op": "add", "path": "/active", "value": false},
    ]);
    let patched = server.send("PATCH", &path, &[patch_kind], patch.to_string()).await;
    assert_eq!((patched.status, &patched.json["name"][0]["family"]), (200, &json!("Lovelace")));
    for (patch, headers, status) in [
        (json!([{"op": "test", "path": "/gender", "value": "male"}]), &[patch_kind][..], 422),
        (json!([{"op": "replace", "path": "/gender", "value": "x"}]), &[patch_kind], 422),
        (json!([{"op": "replace", "path": "/id", "value": "x"}]), &[patch_kind], 422),
        (json!({"op": "add"}), &[patch_kind], 400),
        (json!([]), &[patch_kind, ("if-match", "W/\"1\"")], 412),
        (json!([]), &[KIND], 415),
    ] {
        let answer = server.send("PATCH", &path, headers, patch.to_string()).await;
        assert_eq!(answer.status, status, "{patch} {}", answer.json);
    }
    let history = server.get(&format!("{path}/_history")).await;
    let families: Vec<&Json> = entries(&history).iter().map(|p| &p["name"][0]["family"]).collect();
    assert_eq!(families, [&json!("Lovelace"), &json!("Byron")]);
    assert_eq!(history.json["entry"][1]["request"]["method"], "POST");
    let first = server.get(&format!("{path}/_history/1")).await;
    assert_eq!((first.status, &first.json["name"][0]["family"]), (200, &json!("Byron")));
    assert_eq!(server.get(&format!("{path}/_history/7")).await.status, 404);
    let summary = server.get(&format!("{path}?_summary=text")).await;
    assert!(summary.json["name"].is_null() && summary.json["meta"]["tag"].is_array());
    let part = server.get("/fhir/Patient?_elements=gender").await;
    assert!(entries(&part)[0]["name"].is_null() && entries(&part)[0]["gender"] == "female");
}

#[tokio::test]
async fn nothing_is_deleted_and_the_answer_says_what_to_do() {
    let server = Server::new();
    let created = server.post("/fhir/Patient", &patient("1", "Byron")).await;
    let id = created.json["id"].as_str().expect("an id").to_owned();
    server.post("/fhir/Observation", &heart_rate(&id, "2026-11-21T11:00:00Z", 60.0)).await;
    for (path, status) in [
        (format!("Patient/{id}"), 405),
        ("Patient?identifier=urn:mrn|1".to_owned(), 405),
        ("Patient/none".to_owned(), 204),
        ("Patient?identifier=urn:mrn|2".to_owned(), 204),
        ("Observation/r0-1-0".to_owned(), 405),
        ("Observation?code=8867-4".to_owned(), 405),
        ("Observation/none".to_owned(), 204),
        ("Patient".to_owned(), 405),
    ] {
        let answer = server.send("DELETE", &format!("/fhir/{path}"), &[], "").await;
        assert_eq!(answer.status, status, "{path} {}", answer.json);
        let bundle = |kind: &str| json!({
            "resourceType": "Bundle", "type": kind,
            "entry": [{"request": {"method": "DELETE", "url": path}}],
        });
        let batch = server.post("/fhir", &bundle("batch")).await;
        let line = batch.json["entry"][0]["response"]["status"].as_str().expect("a status");
        assert_eq!(&line[..3], status.to_string(), "{path}");
        let transaction = server.post("/fhir", &bundle("transaction")).await;
        assert_eq!(transaction.status, if status == 204 { 200 } else { 400 }, "{path}");
    }
}

#[tokio::test]
async fn what_refers_to_a_match_is_included() {
    let server = Server::new();
    let encounter = json!({
        "resourceType": "Encounter", "id": "e1", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": "Patient/p1"}, "location": [{"location": {"reference": "Location/l1"}}],
    });
    let location = json!({"resourceType": "Location", "id": "l1", "name": "Bed 1"});
    let mut person = patient("1", "Byron");
    person["id"] = "p1".into();
    for json in [&location, &person, &encounter] {
        let path = format!("/fhir/{}/{}", json["resourceType"].as_str().expect("a type"), json["id"].as_str().expect("an id"));
        assert_eq!(server.send("PUT", &path, &[KIND], json.to_string()).await.status, 201, "{path}");
    }
    for (query, types) in [
        ("Patient?_revinclude=Encounter:patient", "Patient Encounter"),
        ("Patient?_revinclude=Encounter:*", "Patient Encounter"),
        ("Patient?family=none&_revinclude=Encounter:patient", ""),
        ("Location?_revinclude=Encounter:location", "Location Encounter"),
        ("Encounter?_include=Encounter:patient&_include=Encounter:location", "Encounter Patient Location"),
        ("Patient?_revinclude=Observation:patient", "Patient OperationOutcome"),
    ] {
        let found = server.get(&format!("/fhir/{query}")).await;
        let found: Vec<&str> = entries(&found).iter().filter_map(|r| r["resourceType"].as_str()).collect();
        assert_eq!(found.join(" "), types, "{query}");
    }
}

#[tokio::test]
async fn records_page_on_where_they_stopped_whatever_comes_in_between() {
    let server = Server::new();
    for number in 0..9 {
        let mut person = patient(&number.to_string(), "Byron");
        person["id"] = format!("m{number}").into();
        server.send("PUT", &format!("/fhir/Patient/m{number}"), &[KIND], person.to_string()).await;
    }
    let (mut url, mut seen, mut pages) = ("/fhir/Patient?_sort=_id&_count=4".to_owned(), Vec::new(), 0);
    loop {
        let page = server.get(&url).await;
        seen.extend(entries(&page).iter().filter_map(|p| p["id"].as_str().map(str::to_owned)));
        let mut early = patient(&format!("x{pages}"), "Byron");
        early["id"] = format!("a{pages}").into();
        server.send("PUT", &format!("/fhir/Patient/a{pages}"), &[KIND], early.to_string()).await;
        pages += 1;
        let links = page.json["link"].as_array().into_iter().flatten();
        let next = links.filter(|l| l["relation"] == "next").filter_map(|l| l["url"].as_str()).next();
        let Some(next) = next else { break };
        url = next.replace("http://fhir.example", "");
    }
    assert_eq!(seen, (0..9).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn bodies_may_be_packed() {
    let server = Server::new();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(patient("1", "Byron").to_string().as_bytes()).expect("it packs");
    let packed = packer.finish().expect("it packs");
    let headers = [KIND, ("content-encoding", "gzip")];
    assert_eq!(server.send("POST", "/fhir/Patient", &headers, packed).await.status, 201);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..40 {
        bomb.write_all(&vec![b' '; 1 << 20]).expect("it packs");
    }
    let bomb = bomb.finish().expect("it packs");
    assert_eq!(server.send("POST", "/fhir/Patient", &headers, bomb).await.status, 413);
    let marked = format!("\u{feff}{}", patient("2", "Byron"));
    assert_eq!(server.send("POST", "/fhir/Patient", &[KIND], marked).await.status, 201);
}
