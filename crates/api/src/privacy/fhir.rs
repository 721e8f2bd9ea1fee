//! `/fhir/Consent`, `/fhir/CareTeam` and `/fhir/DeviceRequest`: read, search, create and update. What
//! the first two say is enforced from the moment of the answer, so what could not be enforced is
//! refused, with the place; the third is what a scan at the bedside names.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use axum::routing::any;
use axum::Router;
use guard::{ConsentRow, Document, DocumentKind, GuardError, Member, Permission, Span};
use serde_json::{Value, json};
use vitals::PatientId;
use wire_fhir::search::decode;
use wire_fhir::{Issue, IssueCode, care_team, consent, device_request, outcome, time};

use super::{form, guarded, shown_anew};
use crate::access::recorded;
use crate::app::patients::known;
use crate::error::ApiError;
use crate::fhir_access;
use crate::state::Api;

/// Largest document, in bytes.
const BODY_MAX: usize = 1 << 20;
/// Most documents of one search.
const FOUND_MAX: usize = 1_000;
/// Rules of one consent, and how deep.
const RULES: (usize, usize) = (guard::CONSENT_RULES_MAX, guard::CONSENT_DEPTH_MAX);

/// The routes, to be put before those of the other resource types.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/fhir/Consent", any(of_type))
        .route("/fhir/Consent/_search", any(of_type))
        .route("/fhir/Consent/{id}", any(instance))
        .route("/fhir/CareTeam", any(of_type))
        .route("/fhir/CareTeam/_search", any(of_type))
        .route("/fhir/CareTeam/{id}", any(instance))
        .route("/fhir/DeviceRequest", any(of_type))
        .route("/fhir/DeviceRequest/_search", any(of_type))
        .route("/fhir/DeviceRequest/{id}", any(instance))
        .with_state(api)
}

/// Why not: a status and what is wrong.
struct Refused(StatusCode, Vec<Issue>);

impl Refused {
    fn one(status: StatusCode, code: IssueCode, path: &str, detail: &str) -> Self {
        Self(status, vec![Issue::error(code, path, detail)])
    }

    fn missing() -> Self {
        Self::one(StatusCode::NOT_FOUND, IssueCode::NotFound, "", "There is no such document.")
    }

    fn wrong(issues: Vec<Issue>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, issues)
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        let text = error.to_string();
        let (status, code) = match error {
            ApiError::Forbidden => (StatusCode::FORBIDDEN, IssueCode::Forbidden),
            ApiError::Unauthorised => (StatusCode::UNAUTHORIZED, IssueCode::Login),
            ApiError::NotFound(_) => (StatusCode::NOT_FOUND, IssueCode::NotFound),
            ApiError::Conflict(_) => (StatusCode::CONFLICT, IssueCode::Conflict),
            ApiError::BadRequest(_) => (StatusCode::BAD_REQUEST, IssueCode::Value),
            ApiError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, IssueCode::Transient),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Transient),
        };
        Self::one(status, code, "", &text)
    }
}

type Answer = Result<(StatusCode, Value), Refused>;

fn kind_of(path: &str) -> (DocumentKind, &'static str) {
    if path.starts_with("/fhir/CareTeam") {
        (DocumentKind::CareTeam, "CareTeam")
    } else if path.starts_with("/fhir/DeviceRequest") {
        (DocumentKind::DeviceRequest, "DeviceRequest")
    } else {
        (DocumentKind::Consent, "Consent")
    }
}

async fn of_type(State(api): State<Api>, request: Request) -> Response<Body> {
    let (kind, name) = kind_of(request.uri().path());
    let query = decode(request.uri().query().unwrap_or_default());
    let (parts, body) = request.into_parts();
    let searches = parts.uri.path().ends_with("/_search");
    let done = match parts.method {
        Method::GET | Method::HEAD if !searches => search(&api, &parts.headers, kind, query).await,
        Method::POST if searches => match bytes(body).await {
            Ok(form) => {
                let mut query = query;
                query.extend(decode(&String::from_utf8_lossy(&form)));
                search(&api, &parts.headers, kind, query).await
            }
            Err(refused) => Err(refused),
        },
        Method::POST => match bytes(body).await {
            Ok(body) => keep(&api, &parts.headers, kind, name, None, &body).await,
            Err(refused) => Err(refused),
        },
        _ => Err(not_here("GET (search) and POST (create) are possible here.")),
    };
    respond(done, name)
}

async fn instance(State(api): State<Api>, Path(id): Path<String>, request: Request) -> Response<Body> {
    let (kind, name) = kind_of(request.uri().path());
    let (parts, body) = request.into_parts();
    let done = match parts.method {
        Method::GET | Method::HEAD => read(&api, &parts.headers, kind, &id).await,
        Method::PUT => match bytes(body).await {
            Ok(body) => keep(&api, &parts.headers, kind, name, Some(id), &body).await,
            Err(refused) => Err(refused),
        },
        _ => Err(not_here("GET (read) and PUT (update) are possible here; end a consent with status inactive.")),
    };
    respond(done, name)
}

fn not_here(detail: &str) -> Refused {
    Refused::one(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, "", detail)
}

async fn bytes(body: Body) -> Result<Vec<u8>, Refused> {
    let read = axum::body::to_bytes(body, BODY_MAX).await;
    let too_large = "A document has 1 MB at most.";
    read.map(Vec::from)
        .map_err(|_| Refused::one(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooCostly, "", too_large))
}

/// Whether the caller may have this patient's documents; the record of it is kept.
async fn admitted(api: &Api, headers: &HeaderMap, patient: &PatientId) -> Result<(), ApiError> {
    api.enter(headers, Permission::ReadFhir, "/fhir/{type}/{id}", Some(patient)).await.map(drop)
}

async fn read(api: &Api, headers: &HeaderMap, kind: DocumentKind, id: &str) -> Answer {
    let id = id.to_owned();
    let found = guarded(api, move |guard| guard.document(kind, &id)).await?;
    let row = found.ok_or_else(Refused::missing)?;
    admitted(api, headers, &row.patient).await?;
    Ok((StatusCode::OK, shown(&row)))
}

async fn search(
    api: &Api,
    headers: &HeaderMap,
    kind: DocumentKind,
    query: Vec<(String, String)>,
) -> Answer {
    let value = |wanted: &[&str]| {
        query.iter().find(|(name, _)| wanted.contains(&name.as_str())).map(|(_, value)| value.clone())
    };
    for (name, _) in &query {
        if !["patient", "subject", "status", "_id", "_count", "_format", "_summary"].contains(&name.as_str()) {
            let detail = "Search by patient, status and _id here.";
            return Err(Refused::one(StatusCode::BAD_REQUEST, IssueCode::NotSupported, "", detail));
        }
    }
    let patient = value(&["patient", "subject"]).map(|text| {
        PatientId::new(text.strip_prefix("Patient/").unwrap_or(&text)).map_err(|_| Refused::missing())
    });
    let patient = patient.transpose()?;
    let wanted = patient.clone();
    let mut rows = guarded(api, move |guard| guard.documents(kind, wanted.as_ref(), FOUND_MAX)).await?;
    if let Some(status) = value(&["status"]) {
        rows.retain(|row| status.split(',').any(|one| one == row.status));
    }
    if let Some(id) = value(&["_id"]) {
        rows.retain(|row| id.split(',').any(|one| one == row.id));
    }
    // Of every patient the policy is asked; who asks for one gets an answer about that one.
    let mut allowed: Vec<(PatientId, bool)> = Vec::new();
    if let Some(patient) = &patient {
        admitted(api, headers, patient).await?;
        allowed.push((patient.clone(), true));
    }
    for row in &rows {
        if !allowed.iter().any(|(id, _)| *id == row.patient) {
            let may = admitted(api, headers, &row.patient).await.is_ok();
            allowed.push((row.patient.clone(), may));
        }
    }
    if allowed.is_empty() {
        api.enter(headers, Permission::ReadFhir, "/fhir/{type}", None).await?;
    }
    rows.retain(|row| allowed.iter().any(|(id, may)| *may && *id == row.patient));
    let total = rows.len();
    let count = value(&["_count"]).and_then(|text| text.parse().ok()).unwrap_or(FOUND_MAX);
    let entries: Vec<Value> = rows
        .iter()
        .take(count)
        .map(|row| {
            let resource = shown(row);
            let address = format!("{}/{}", resource["resourceType"].as_str().unwrap_or_default(), row.id);
            json!({"fullUrl": address, "resource": resource, "search": {"mode": "match"}})
        })
        .collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": total});
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    Ok((StatusCode::OK, bundle))
}

/// A kept document as its resource.
fn shown(row: &ConsentRow) -> Value {
    let mut json: Value = serde_json::from_str(&row.json).unwrap_or_default();
    json["id"] = row.id.clone().into();
    json["meta"]["versionId"] = row.version.to_string().into();
    json["meta"]["lastUpdated"] = time::format(row.updated.micros()).into();
    json
}

async fn keep(
    api: &Api,
    headers: &HeaderMap,
    kind: DocumentKind,
    name: &'static str,
    id: Option<String>,
    body: &[u8],
) -> Answer {
    let json = wire_fhir::parse(body).map_err(|issues| Refused(StatusCode::BAD_REQUEST, issues))?;
    if json["resourceType"] != name {
        let detail = format!("A resource of type {name} is expected here.");
        return Err(Refused::one(StatusCode::BAD_REQUEST, IssueCode::Value, "Resource.resourceType", &detail));
    }
    if let Some(id) = &id
        && json["id"].as_str() != Some(id)
    {
        let detail = "An update has the id of its address.";
        return Err(Refused::one(StatusCode::BAD_REQUEST, IssueCode::Value, &format!("{name}.id"), detail));
    }
    let created = id.is_none();
    let id = match id {
        Some(id) if vitals::id::is_logical_id(&id) => id,
        Some(_) => return Err(Refused::missing()),
        None => guarded(api, |guard| guard.new_document_id()).await?,
    };
    let row = match kind {
        // Each keeps its record once it is known whose it is.
        DocumentKind::Consent => keep_consent(api, headers, id, &json).await?,
        DocumentKind::CareTeam => keep_care_team(api, headers, id, &json).await?,
        DocumentKind::DeviceRequest => keep_order(api, headers, id, &json).await?,
    };
    shown_anew(api, &row.patient);
    let status = if created || row.version == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, shown(&row)))
}

/// The patient who lives on, whom the caller may write about.
async fn written_about(
    api: &Api,
    headers: &HeaderMap,
    patient: &str,
    path: &str,
) -> Result<(PatientId, String), Refused> {
    let seen = known(api, patient).map_err(|_| {
        Refused::wrong(vec![Issue::error(IssueCode::NotFound, path, "There is no such patient here.")])
    })?;
    let id = seen.patient.id.clone();
    let actor = api.enter(headers, Permission::WriteFhir, "/fhir/{type}", Some(&id)).await?;
    Ok((id, actor.name))
}

async fn keep_consent(
    api: &Api,
    headers: &HeaderMap,
    id: String,
    json: &Value,
) -> Result<ConsentRow, Refused> {
    let said = consent::read(json).map_err(Refused::wrong)?;
    let (patient, by) = written_about(api, headers, &said.patient, "Consent.patient").await?;
    let provision = form::provision(api, &said.rule, "Consent.provision").map_err(|(path, detail)| {
        Refused::wrong(vec![Issue::error(IssueCode::NotSupported, path, detail)])
    })?;
    let (rules, depth) = provision.size();
    if rules > RULES.0 || depth > RULES.1 {
        let detail = "200 rules, nested 8 deep, at most.";
        return Err(Refused::wrong(vec![Issue::error(IssueCode::TooCostly, "Consent.provision", detail)]));
    }
    let document = Document {
        kind: DocumentKind::Consent,
        id,
        patient,
        status: said.status,
        json: json.to_string(),
        rules: Some(provision),
    };
    let now = api.now();
    api.deed("put-consent", &recorded(&document.id, false), &document.status).await?;
    Ok(guarded(api, move |guard| {
        let version = guard.put_consent(&document, &by, now)?;
        Ok(row(document, version, by, now))
    })
    .await?)
}

async fn keep_care_team(
    api: &Api,
    headers: &HeaderMap,
    id: String,
    json: &Value,
) -> Result<ConsentRow, Refused> {
    let team = care_team::read(json).map_err(Refused::wrong)?;
    let (patient, by) = written_about(api, headers, &team.patient, "CareTeam.subject").await?;
    let mut members = Vec::new();
    for one in team.members.iter().filter(|_| team.status == "active") {
        let account = one.names.iter().find_map(|name| form::account_named(api, name)).ok_or_else(|| {
            let detail = "No account has this name: give its name as identifier, reference or display.";
            Refused::wrong(vec![Issue::error(IssueCode::NotFound, &one.path, detail)])
        })?;
        let period = Span { from_us: one.period.0, until_us: one.period.1 };
        members.push(Member { account, role: one.role.clone(), team: id.clone(), period });
    }
    let document = Document {
        kind: DocumentKind::CareTeam,
        id,
        patient,
        status: team.status,
        json: json.to_string(),
        rules: None,
    };
    let now = api.now();
    api.deed("put-care-team", &recorded(&document.id, false), &document.status).await?;
    Ok(guarded(api, move |guard| {
        let version = guard.put_care_team(&document, &members, &by, now)?;
        Ok::<_, GuardError>(row(document, version, by, now))
    })
    .await?)
}

async fn keep_order(api: &Api, headers: &HeaderMap, id: String, json: &Value) -> Result<ConsentRow, Refused> {
    let order = device_request::read(json).map_err(Refused::wrong)?;
    let (patient, by) = written_about(api, headers, &order.patient, "DeviceRequest.subject").await?;
    let (kind, json) = (DocumentKind::DeviceRequest, json.to_string());
    let document = Document { kind, id, patient, status: order.status, json, rules: None };
    let now = api.now();
    api.deed("put-device-request", &recorded(&document.id, false), &document.status).await?;
    Ok(guarded(api, move |guard| {
        let version = guard.put_order(&document, &by, now)?;
        Ok::<_, GuardError>(row(document, version, by, now))
    })
    .await?)
}

fn row(document: Document, version: i64, by: String, updated: vitals::ReceiveTime) -> ConsentRow {
    let Document { id, patient, status, json, .. } = document;
    ConsentRow { id, version, patient, status, json, by, updated }
}

fn respond(done: Answer, name: &str) -> Response<Body> {
    let (status, json) = match done {
        Ok((status, json)) => (status, json),
        Err(Refused(status, issues)) => (status, outcome(&issues)),
    };
    let mut answer = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/fhir+json; charset=utf-8");
    if let Some(version) = json["meta"]["versionId"].as_str() {
        answer = answer.header(header::ETAG, format!("W/\"{version}\""));
        if status == StatusCode::CREATED {
            let id = json["id"].as_str().unwrap_or_default();
            answer = answer.header(header::LOCATION, format!("/fhir/{name}/{id}/_history/{version}"));
        }
    }
    answer
        .body(Body::from(json.to_string()))
        .unwrap_or_else(|_| fhir_access::outcome(ApiError::Internal))
}
