//! The FHIR routes without a socket, and resources to send.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::{Value as Json, json};
use tower::ServiceExt;
use wire_fhir::validate;

use super::Memory;

/// The routes over a backend that forgets.
pub struct Server {
    router: Router,
    /// What is behind the routes.
    pub memory: Arc<Memory>,
}

/// An answer taken apart.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Json,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn expressions(&self) -> Vec<&str> {
        let issues = self.json["issue"].as_array().into_iter().flatten();
        issues.filter_map(|issue| issue["expression"][0].as_str()).collect()
    }
}

impl Server {
    pub fn new() -> Self {
        let memory = Arc::new(Memory::default());
        Self { router: api::fhir::router(memory.clone()), memory }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "fhir.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        let json: Json = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
        for entry in json["entry"].as_array().into_iter().flatten() {
            assert_valid(&entry["resource"]);
        }
        assert_valid(&json);
        Answer { status: parts.status.as_u16(), headers: parts.headers, json }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&self, path: &str, json: &Json) -> Answer {
        self.send("POST", path, &[("content-type", "application/fhir+json")], json.to_string()).await
    }

    pub async fn total(&self, path: &str) -> u64 {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json);
        answer.json["total"].as_u64().expect("a total")
    }
}

/// Everything that goes out is valid by our own tables; the Python client asks others.
fn assert_valid(json: &Json) {
    if json.is_object() {
        let issues = validate(json, json["resourceType"].as_str().unwrap_or("?"));
        assert!(issues.is_empty(), "{issues:#?}\n{json:#}");
    }
}

pub fn heart_rate(patient: &str, time: &str, value: f64) -> Json {
    json!({
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": format!("Patient/{patient}")}, "device": {"reference": "Device/m1"},
        "effectiveDateTime": time,
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "/min"},
    })
}

pub fn patient(mrn: &str, family: &str) -> Json {
    json!({
        "resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": mrn}],
        "name": [{"family": family, "given": ["Ada", "B"]}], "gender": "female", "birthDate": "1950-02-01",
    })
}
