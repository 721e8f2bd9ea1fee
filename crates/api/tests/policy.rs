//! SE-1: every route with every role and with none; no audit, no access. A route that nobody has
//! put into the table is refused, and the OpenAPI document may name no other.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use api::rules::{ROUTES, Rule};
use api::{Api, fhir_backend::Backend, live_stream::Broadcast};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use guard::{Guard, Permission};
use journal::{Appender, EmbeddedJournal};
use store::Store;
use tempfile::TempDir;
use tower::ServiceExt;
use vitals::{ReceiveTime, Role};

const NOW: ReceiveTime = ReceiveTime(1_795_262_400_000_000);

/// What FHIR has, with the permission that each needs.
const FHIR: [(&str, &str, Permission); 14] = [
    ("GET", "/fhir/Patient", Permission::ReadFhir),
    ("GET", "/fhir/Observation?patient=p-1", Permission::ReadFhir),
    ("GET", "/fhir/Patient/p-1", Permission::ReadFhir),
    ("GET", "/fhir/Patient/metadata", Permission::ReadFhir),
    ("GET", "/fhir/Patient/p-1/_history/1", Permission::ReadFhir),
    ("POST", "/fhir/Patient/_search", Permission::ReadFhir),
    ("GET", "/fhir/a/b/c/d/e", Permission::ReadFhir),
    ("POST", "/fhir", Permission::WriteFhir),
    ("POST", "/fhir/", Permission::WriteFhir),
    ("POST", "/fhir/Observation", Permission::WriteFhir),
    ("PUT", "/fhir/Patient/p-1", Permission::WriteFhir),
    ("PUT", "/fhir/Patient/metadata", Permission::WriteFhir),
    ("PUT", "/fhir/Patient/_search", Permission::WriteFhir),
    ("DELETE", "/fhir/Patient/p-1", Permission::WriteFhir),
];

struct House {
    folder: TempDir,
    router: Router,
    tokens: Vec<(Role, String)>,
    guard: Guard,
}

fn house() -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let guard = Guard::open(&at("guard")).expect("a guard");
    let journal = EmbeddedJournal::open(&at("journal")).expect("a journal");
    let (sink, feed) = sync_channel(64);
    // No engine: whatever is committed counts as taken in.
    let live = live::Live::new(0);
    let seen = live.clone();
    std::thread::spawn(move || {
        for entry in feed.iter().flat_map(|batch: Arc<[journal::Entry]>| batch.to_vec()) {
            seen.progress().set_judged(entry.offset + 1);
            seen.progress().set_stored(entry.offset + 1);
        }
    });
    let appender = Appender::start(journal, Box::new(|| NOW), journal::Limits::default(), sink)
        .expect("an appender");
    let store = store::SqliteStore::open(&at("store.db")).expect("a store");
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let api = Api {
        commands: std::sync::Arc::new(command::Catalogue::built_in().into()),
        appender,
        live,
        reader: store.reader(),
        library: library::Library::load(&at("profiles")),
        guard: guard.clone(),
        clock: || NOW,
        metrics: recorder.handle(),
        trusted_proxies: Arc::default(),
        public_url: None,
        depot: depot::Depot::open(&at("fleet"), None).expect("a depot"),
        limiter: api::fleet::Limiter::default(),
        broadcast: Arc::new(Broadcast::default()),
        outside: Arc::default(),
    };
    let tokens = Role::ALL
        .map(|role| (role, guard.add_service_token(role.name(), role).expect("a token")))
        .to_vec();
    let router = api::router(api.clone(), Arc::new(Backend(api)));
    let edges = edge::Registry::open(&at("edges.db"), None).expect("a list of edges");
    let router = router
        .layer(axum::Extension(api::edges::Edges::new(edges)))
        .layer(axum::Extension(api::edges::ThisEdge::default()));
    House { folder, router, tokens, guard }
}

impl House {
    async fn ask(&self, method: &str, path: &str, token: Option<&str>) -> StatusCode {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        // The head is enough: a live stream has no end.
        self.router.clone().oneshot(request).await.expect("infallible").status()
    }

    fn log(&self) -> String {
        let path = self.folder.path().join("guard").join(guard::AUDIT_FILE);
        std::fs::read_to_string(path).expect("the log")
    }
}

/// A path that the template leads to.
fn path_of(template: &str) -> String {
    template.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}

/// Whether a path says whom it is about.
fn names_a_patient(path: &str) -> bool {
    ["/patients/1", "/Patient/", "patient=p-1"].iter().any(|sign| path.contains(sign))
        && !path.ends_with("/_search")
}

/// Every route that needs a permission.
fn guarded() -> Vec<(&'static str, String, Permission)> {
    let app = ROUTES.iter().filter_map(|(method, template, rule)| match rule {
        Rule::Needs(permission) => Some((*method, path_of(template), *permission)),
        _ => None,
    });
    app.chain(FHIR.map(|(method, path, permission)| (method, path.to_owned(), permission))).collect()
}

#[tokio::test]
async fn every_route_with_every_role_and_none() {
    let house = house();
    for (method, path, permission) in guarded() {
        for token in [None, Some("vw_0000"), Some("")] {
            let status = house.ask(method, &path, token).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} with {token:?}");
        }
        for (role, token) in &house.tokens {
            let status = house.ask(method, &path, Some(token)).await;
            // Of patients and caregivers nobody is p-1, or 1, or invited by them: see `relations.rs`.
            let outsider = matches!(role, Role::Patient | Role::Caregiver);
            let of_another = outsider && permission.about_patients() && names_a_patient(&path);
            let allowed = permission.granted_to(*role) && !of_another;
            let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            assert_eq!(!refused, allowed, "{method} {path} as {role:?}: {status}");
            assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path} as {role:?}");
        }
    }
    let log = house.log();
    for role in Role::ALL {
        let denied = |line: &&str| {
            line.contains(&format!("\"actor\":\"{}\"", role.name())) && line.contains("\"denied\"")
        };
        assert!(log.lines().any(|line| denied(&line)), "{role:?}: what it may not do is recorded");
    }
    assert!(log.contains("\"action\":\"unknown-caller\""));
    let verified = Guard::verify_audit(&house.folder.path().join("guard")).expect("an intact log");
    assert!(verified.records > 200, "{verified:?}");
}

#[tokio::test]
async fn no_audit_no_access() {
    let house = house();
    let log = house.folder.path().join("guard").join(guard::AUDIT_FILE);
    std::fs::remove_file(&log).expect("removed");
    std::fs::create_dir(&log).expect("a folder in its place");
    for (method, path, permission) in guarded() {
        let able = house.tokens.iter().find(|(role, _)| permission.granted_to(*role));
        let (_, token) = able.expect("somebody may");
        let status = house.ask(method, &path, Some(token)).await;
        let failed = status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE;
        assert!(failed, "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn whoever_is_not_in_the_table_stays_out() {
    let house = house();
    let document = serde_json::to_value(api::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys() {
            let method = method.to_uppercase();
            let known = ROUTES.iter().any(|(m, p, _)| *m == method && p.replace('*', "") == *path);
            assert!(known, "{method} {path}: put it into ROUTES and say who may use it");
        }
    }
    // Nothing in the table leads nowhere.
    for (method, template, rule) in ROUTES {
        let token = &house.tokens[4].1;
        let status = house.ask(method, &path_of(template), Some(token)).await;
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {template} {rule:?}");
    }
    for (method, path, expected) in [
        ("DELETE", "/api/v1/ward", StatusCode::METHOD_NOT_ALLOWED),
        ("PATCH", "/api/v1/policy", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/api/v1/nothing", StatusCode::NOT_FOUND),
        ("GET", "/fhir/metadata", StatusCode::OK),
        ("GET", "/healthz", StatusCode::OK),
        ("GET", "/api/v1/session", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(house.ask(method, path, None).await, expected, "{method} {path}");
    }
}

async fn post(house: &House, path: &str, json: serde_json::Value, pairs: &[(&str, &str)]) -> axum::response::Response {
    let mut request = Request::builder().method(Method::POST).uri(path);
    request = request.header("content-type", "application/json");
    for (name, value) in pairs {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(json.to_string())).expect("a request");
    house.router.clone().oneshot(request).await.expect("infallible")
}

#[tokio::test]
async fn the_first_administrator_comes_with_the_code() {
    let house = house();
    // The tokens above are programs: none of them can log in and administer.
    let code = house.guard.first_start().expect("nobody administers yet");
    let body = |code: &str| serde_json::json!({"code": code, "name": "ada", "password": "correct-horse-9"});
    let wrong = post(&house, "/api/v1/setup", body("aaaa-aaaa"), &[]).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let weak = serde_json::json!({"code": code, "name": "ada", "password": "short"});
    assert_eq!(post(&house, "/api/v1/setup", weak, &[]).await.status(), StatusCode::BAD_REQUEST);
    let made = post(&house, "/api/v1/setup", body(&code.to_uppercase()), &[]).await;
    assert_eq!(made.status(), StatusCode::OK);
    let cookie = made.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let again = post(&house, "/api/v1/setup", body(&code), &[]).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "the code is used up");

    // The session works, another site's page can't use it, logout ends it.
    let session = cookie.split(';').next().expect("a pair").to_owned();
    let own = [("cookie", session.as_str()), ("host", "ward.example"), ("origin", "https://ward.example")];
    let other = [("cookie", session.as_str()), ("host", "ward.example"), ("origin", "https://evil.example")];
    let nothing = serde_json::json!([]);
    let refused = post(&house, "/api/v1/associations", nothing.clone(), &other).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let done = post(&house, "/api/v1/associations", nothing.clone(), &own).await;
    assert!(done.status().is_success(), "{}", done.status());
    assert_eq!(post(&house, "/api/v1/logout", nothing.clone(), &own).await.status(), StatusCode::NO_CONTENT);
    let after = post(&house, "/api/v1/associations", nothing, &own).await;
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED);
    let log = house.log();
    for action in ["setup", "logout", "associate", "foreign-page"] {
        assert!(log.contains(&format!("\"action\":\"{action}\"")), "{action} is recorded");
    }
    assert!(!log.contains("correct-horse") && !log.contains(&code));
}

#[tokio::test]
async fn guessing_is_told_to_wait() {
    let house = house();
    house.guard.add_user("ben", Role::Nurse, "a-good-long-one").expect("added");
    let guess = serde_json::json!({"name": "ben", "password": "wrong-and-wrong"});
    let mut seen = Vec::new();
    for _ in 0..5 {
        let answer = post(&house, "/api/v1/login", guess.clone(), &[]).await;
        let wait = answer.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
        seen.push((answer.status().as_u16(), wait));
        let text = to_bytes(answer.into_body(), 10_000).await.expect("a body");
        assert!(!String::from_utf8_lossy(&text).contains("wrong-and"), "no echo");
    }
    let one = Some("1".to_owned());
    assert_eq!(seen, [(401, None), (401, None), (401, None), (429, one.clone()), (429, one)]);
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let house = house();
    for path in ["/", "/api/v1/ward", "/fhir/metadata", "/healthz", "/nothing.js"] {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let answer = house.router.clone().oneshot(request).await.expect("infallible");
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
    }
}
