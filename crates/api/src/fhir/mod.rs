//! FHIR R4 over HTTP: `/fhir`.
//!
//! Routes and conditions; the shapes are `wire-fhir`'s, the data the backend's. A created
//! resource is answered only after the journal has it (DU-1); every failure is an
//! `OperationOutcome` that never repeats a value. Who may do what is decided before a request
//! comes here.

pub mod backend;

mod answer;
mod batch;
mod body;
mod change;
mod find;
mod guided;
mod known;
mod matching;
mod observations;
mod resolve;
mod transact;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, Response};
use axum::routing::{any, get};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use wire_fhir::search::{Subject, decode};
use wire_fhir::{Issue, IssueCode, capability, time};

use answer::{Back, Done, Wishes, refusal, refusals};
pub(crate) use answer::base;
pub use backend::FhirBackend;
use write::Write;

/// Conditional creates of observations share this many locks.
const STRIPES: usize = 64;

/// The account that a request was authenticated as; put among the request's extensions by
/// whoever did that. Without it the sender is left empty.
#[derive(Debug, Clone)]
pub struct Sender(pub String);

/// How to get in, for the capability statement (`rest.security`); put among the request's extensions
/// by whoever knows.
#[derive(Debug, Clone)]
pub(crate) struct Security(pub(crate) Json);

/// The routes' common state.
pub(crate) struct Fhir {
    backend: Arc<dyn FhirBackend>,
    /// Held from looking whether something is there to its being there.
    gate: Mutex<()>,
    /// The same for observations, by what is looked for: alike ones wait for each other.
    stripes: Vec<Mutex<()>>,
    /// When the server began, for the capability statement.
    since: String,
}

/// What is known of one request.
pub(crate) struct Call {
    sender: String,
    base: String,
    wishes: Wishes,
}

/// The routes below `/fhir`, on a backend.
pub fn router(backend: Arc<dyn FhirBackend>) -> Router {
    let since = time::format(backend.now().micros());
    let stripes = (0..STRIPES).map(|_| Mutex::new(())).collect();
    let fhir = Arc::new(Fhir { backend, gate: Mutex::new(()), stripes, since });
    let below = Router::new()
        .route("/metadata", get(metadata))
        .route("/{type}", any(of_type))
        .route("/{type}/_search", any(search_by_post))
        .route("/{type}/{id}", any(instance))
        .route("/{type}/{id}/_history", any(history))
        .route("/{type}/{id}/_history/{version}", any(version))
        .fallback(nowhere);
    Router::new()
        .route("/fhir", any(system))
        .route("/fhir/", any(system))
        .nest("/fhir/", below)
        .with_state(fhir)
}

/// A request taken apart.
struct Asked {
    call: Call,
    method: Method,
    query: Vec<(String, String)>,
    raw_query: String,
    headers: HeaderMap,
    body: Body,
}

impl Asked {
    fn new(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let sender = parts.extensions.get::<Sender>().map(|s| s.0.clone()).unwrap_or_default();
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        let call = Call {
            sender,
            base: answer::base(&parts.headers),
            wishes: Wishes::read(&parts.headers),
        };
        Self { call, method: parts.method, query: decode(&raw_query), raw_query, headers: parts.headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    async fn bytes(&mut self) -> Result<Vec<u8>, Done> {
        body::read(std::mem::take(&mut self.body), self.header("content-encoding")).await
    }

    fn respond(self, done: Done) -> Response<Body> {
        if let Some(resource) = &done.resource {
            crate::fhir_access::shown_in(resource);
        }
        let back = match self.method {
            Method::POST | Method::PUT => self.call.wishes.back,
            _ => Back::Representation,
        };
        let mut done = done;
        let unchanged = self.method == Method::GET
            && done.status == 200
            && done.etag.is_some()
            && self.header("if-none-match").and_then(answer::version)
                == done.etag.as_deref().and_then(answer::version);
        if unchanged {
            done.status = 304;
        }
        answer::respond(done, &self.call.base, back)
    }
}

async fn metadata(State(fhir): State<Arc<Fhir>>, request: Request) -> Response<Body> {
    let security = request.extensions().get::<Security>().cloned();
    let asked = Asked::new(request);
    let done = match answer::acceptable(&asked.headers, &asked.query) {
        Err(done) => done,
        Ok(()) => {
            let version = env!("CARGO_PKG_VERSION");
            let mut statement = capability::statement(version, &asked.call.base, &fhir.since);
            if let Some(Security(security)) = security {
                statement["rest"][0]["security"] = security;
            }
            Done { status: 200, resource: Some(statement), ..Done::default() }
        }
    };
    asked.respond(done)
}

async fn system(State(fhir): State<Arc<Fhir>>, request: Request) -> Response<Body> {
    let mut asked = Asked::new(request);
    let done = if asked.method == Method::POST {
        match incoming(&mut asked, "Bundle", &fhir).await {
            Ok((json, payload)) => fhir.bundle(&asked.call, json, payload).await,
            Err(done) => done,
        }
    } else {
        wrong_method("POST a Bundle of type batch or transaction here.")
    };
    asked.respond(done)
}

async fn of_type(
    State(fhir): State<Arc<Fhir>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let mut asked = Asked::new(request);
    let Ok(Path(ty)) = path else { return asked.respond(unreadable_path()) };
    let done = match (supported(&ty, &asked), asked.method.clone()) {
        (Err(done), _) => done,
        (Ok(subject), Method::GET | Method::HEAD) => {
            fhir.search(&asked.call, subject, &asked.query).await
        }
        (Ok(subject), Method::POST) => create(&fhir, &mut asked, subject).await,
        (Ok(subject @ Subject::Directory(kind)), Method::PUT) if !asked.query.is_empty() => {
            let query = asked.raw_query.clone();
            conditional_update(&fhir, &mut asked, subject, kind, &query).await
        }
        (Ok(subject), Method::DELETE) if !asked.query.is_empty() => {
            fhir.delete_matching(subject, &asked.raw_query).await
        }
        _ => wrong_method("Only GET (search) and POST (create) are possible here."),
    };
    asked.respond(done)
}

async fn search_by_post(
    State(fhir): State<Arc<Fhir>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let mut asked = Asked::new(request);
    let Ok(Path(ty)) = path else { return asked.respond(unreadable_path()) };
    // A search is no write: nothing of it is sent back but its result.
    asked.call.wishes.back = Back::Representation;
    let done = match (supported(&ty, &asked), asked.method == Method::POST) {
        (Err(done), _) => done,
        (Ok(_), false) => wrong_method("POST a form with search parameters here."),
        (Ok(_), true) if !body::is_form(&asked.headers) => {
            let detail = "Only application/x-www-form-urlencoded is understood here.";
            refusal(415, IssueCode::NotSupported, "", detail)
        }
        (Ok(subject), true) => match asked.bytes().await {
            Ok(bytes) => {
                let mut parameters = asked.query.clone();
                parameters.extend(decode(&String::from_utf8_lossy(&bytes)));
                fhir.search(&asked.call, subject, &parameters).await
            }
            Err(done) => done,
        },
    };
    asked.respond(done)
}

async fn instance(
    State(fhir): State<Arc<Fhir>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let mut asked = Asked::new(request);
    let Ok(Path((ty, id))) = path else { return asked.respond(unreadable_path()) };
    let done = match (supported(&ty, &asked), asked.method.clone()) {
        (Err(done), _) => done,
        (Ok(_), _) if id.starts_with('$') => {
            refusal(404, IssueCode::NotSupported, "", "The server has no operations.")
        }
        (Ok(subject), Method::GET | Method::HEAD) => {
            fhir.read_part(subject, &id, &asked.query).await
        }
        (Ok(subject), Method::PUT) => update(&fhir, &mut asked, subject, &id).await,
        (Ok(subject), Method::PATCH) => patch(&fhir, &mut asked, subject, &id).await,
        (Ok(subject), Method::DELETE) => fhir.delete(subject, &id).await,
        _ => wrong_method("GET (read), PUT (update) and PATCH are possible here."),
    };
    asked.respond(done)
}

async fn history(
    State(fhir): State<Arc<Fhir>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let asked = Asked::new(request);
    let Ok(Path((ty, id))) = path else { return asked.respond(unreadable_path()) };
    let done = match (supported(&ty, &asked), asked.method.clone()) {
        (Err(done), _) => done,
        (Ok(subject), Method::GET | Method::HEAD) => fhir.history(&asked.call, subject, &id).await,
        _ => wrong_method("Only GET is possible here."),
    };
    asked.respond(done)
}

async fn version(
    State(fhir): State<Arc<Fhir>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let asked = Asked::new(request);
    let Ok(Path((ty, id, version))) = path else { return asked.respond(unreadable_path()) };
    let done = match (supported(&ty, &asked), asked.method.clone()) {
        (Err(done), _) => done,
        (Ok(subject), Method::GET | Method::HEAD) => fhir.read(subject, &id, Some(&version)).await,
        _ => wrong_method("Only GET is possible here."),
    };
    asked.respond(done)
}

async fn nowhere(request: Request) -> Response<Body> {
    let asked = Asked::new(request);
    asked.respond(refusal(404, IssueCode::NotFound, "", "There is nothing at this address."))
}

async fn create(fhir: &Fhir, asked: &mut Asked, subject: Subject) -> Done {
    let (resource, payload) = match incoming(asked, subject.name(), fhir).await {
        Ok(found) => found,
        Err(done) => return done,
    };
    let criteria = asked.header("if-none-exist").map(str::to_owned);
    let write = Write {
        resource,
        path: subject.name(),
        payload,
        if_none_exist: criteria.as_deref(),
        if_match: None,
    };
    match subject {
        Subject::Observation => fhir.create_observation(&asked.call, write, None).await,
        Subject::Directory(kind) => fhir.create_record(&asked.call, kind, write).await,
    }
}

async fn update(fhir: &Fhir, asked: &mut Asked, subject: Subject, id: &str) -> Done {
    let (resource, payload) = match incoming(asked, subject.name(), fhir).await {
        Ok(found) => found,
        Err(done) => return done,
    };
    let at = format!("{}.id", subject.name());
    let issue = match resource["id"].as_str() {
        None => Some((IssueCode::Required, "An update has the id of its address.")),
        Some(own) if own != id => {
            Some((IssueCode::Value, "The id in the resource is another one than in the address."))
        }
        Some(_) => None,
    };
    if let Some((code, detail)) = issue {
        let done = refusal(400, code, &at, detail);
        return fhir.quarantine(&asked.call, subject.name(), payload, done).await;
    }
    let if_match = asked.header("if-match").map(str::to_owned);
    let write = Write {
        resource,
        path: subject.name(),
        payload,
        if_none_exist: None,
        if_match: if_match.as_deref(),
    };
    match subject {
        Subject::Observation => fhir.create_observation(&asked.call, write, Some(id)).await,
        Subject::Directory(kind) => fhir.update_record(&asked.call, kind, id, write).await,
    }
}

async fn patch(fhir: &Fhir, asked: &mut Asked, subject: Subject, id: &str) -> Done {
    if !body::is_patch(&asked.headers) {
        let detail = "Only application/json-patch+json is understood here.";
        return refusal(415, IssueCode::NotSupported, "", detail);
    }
    let body = match asked.bytes().await {
        Ok(body) => body,
        Err(done) => return done,
    };
    let if_match = asked.header("if-match").map(str::to_owned);
    fhir.patch(&asked.call, subject, id, &body, if_match.as_deref()).await
}

async fn conditional_update(
    fhir: &Fhir,
    asked: &mut Asked,
    subject: Subject,
    kind: wire_fhir::Kind,
    query: &str,
) -> Done {
    let (resource, payload) = match incoming(asked, subject.name(), fhir).await {
        Ok(found) => found,
        Err(done) => return done,
    };
    let id = match fhir.conditional_id(kind, query, &resource).await {
        Ok(id) => id,
        Err(done) => return done,
    };
    let write =
        Write { resource, path: subject.name(), payload, if_none_exist: None, if_match: None };
    fhir.update_record(&asked.call, kind, &id, write).await
}

/// The body as a valid resource of the type `wanted`, and its bytes. What is not valid goes to
/// quarantine before it is refused.
async fn incoming(asked: &mut Asked, wanted: &str, fhir: &Fhir) -> Result<(Json, Vec<u8>), Done> {
    answer::acceptable(&asked.headers, &asked.query)?;
    answer::readable(&asked.headers)?;
    let payload = body::unmarked(asked.bytes().await?);
    // A bundle's entries are judged one by one; here only that it is one.
    let parsed = if wanted == "Bundle" { plain(&payload) } else { wire_fhir::parse(&payload) };
    let issues = match parsed {
        Ok(json) if json["resourceType"] == wanted => return Ok((json, payload)),
        Ok(_) => {
            let at = "Resource.resourceType";
            let detail = format!("A resource of type {wanted} is expected here.");
            vec![Issue::error(IssueCode::Value, at, detail)]
        }
        Err(issues) => issues,
    };
    Err(fhir.quarantine(&asked.call, wanted, payload, refusals(400, issues)).await)
}

fn plain(payload: &[u8]) -> Result<Json, Vec<Issue>> {
    match serde_json::from_slice::<Json>(payload) {
        Ok(json) if json["resourceType"] == "Bundle" => Ok(json),
        // Not a bundle: the usual check says what is wrong with it.
        _ => wire_fhir::parse(payload),
    }
}

fn supported(ty: &str, asked: &Asked) -> Result<Subject, Done> {
    answer::acceptable(&asked.headers, &asked.query)?;
    Subject::from_name(ty).ok_or_else(|| {
        let detail = if wire_fhir::is_resource_type(ty) {
            "The platform has no resources of this type."
        } else {
            "FHIR R4 has no resource type of this name."
        };
        refusal(404, IssueCode::NotSupported, "", detail)
    })
}

fn unreadable_path() -> Done {
    refusal(400, IssueCode::Value, "", "The address is not valid UTF-8 text.")
}

fn wrong_method(detail: &str) -> Done {
    refusal(405, IssueCode::NotSupported, "", detail)
}
