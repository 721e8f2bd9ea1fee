//! `/fhir/RiskAssessment`: read and search. Nobody creates one: models do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use engine::{Foretold, PredictionRecord, risk_metric};
use guard::{Category, Permission};
use serde_json::{Value, json};
use store::{Page, PredictionQuery, Span};
use vitals::{PatientId, PredictionId};
use wire_fhir::risk_assessment::{Assessment, CLASS, MODEL, resource};
use wire_fhir::search::{DateFilter, RiskSearch, Token, decode, encode};
use wire_fhir::{Issue, IssueCode, outcome};

use super::predictions::survivor;
use super::{OnShelf, Shelf, names, record_of, shelf};
use crate::error::ApiError;
use crate::fhir_access;
use crate::state::Api;

/// Largest form of a search, in bytes.
const FORM_MAX: usize = 64 * 1024;
/// Classes that there are.
const CLASSES: [&str; 3] = ["low", "unsure", "high"];

/// The routes, to be put before those of the other resource types.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/fhir/RiskAssessment", any(of_type))
        .route("/fhir/RiskAssessment/_search", any(by_form))
        .route("/fhir/RiskAssessment/{id}", any(instance))
        .with_state(api)
}

type Answer = Result<Value, Response>;

async fn of_type(State(api): State<Api>, on_shelf: OnShelf, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return fhir_access::outcome(ApiError::NoSuchMethod);
    }
    let (parts, _) = request.into_parts();
    let query = decode(parts.uri.query().unwrap_or_default());
    respond(search(&api, &shelf(on_shelf), &parts.headers, query).await)
}

async fn by_form(State(api): State<Api>, on_shelf: OnShelf, request: Request) -> Response {
    if *request.method() != Method::POST {
        return fhir_access::outcome(ApiError::NoSuchMethod);
    }
    let (parts, body) = request.into_parts();
    let Ok(form) = axum::body::to_bytes(body, FORM_MAX).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, vec![Issue::error(IssueCode::TooCostly, "", "A form of 64 KB at most.")]);
    };
    let mut query = decode(parts.uri.query().unwrap_or_default());
    query.extend(decode(&String::from_utf8_lossy(&form)));
    respond(search(&api, &shelf(on_shelf), &parts.headers, query).await)
}

async fn instance(State(api): State<Api>, Path(id): Path<String>, on_shelf: OnShelf, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return fhir_access::outcome(ApiError::NoSuchMethod);
    }
    let (parts, _) = request.into_parts();
    respond(read(&api, &shelf(on_shelf), &parts.headers, &id).await)
}

fn respond(answer: Answer) -> Response {
    match answer {
        Ok(json) => {
            fhir_access::shown_in(&json);
            let kind = [(header::CONTENT_TYPE, "application/fhir+json")];
            (StatusCode::OK, kind, json.to_string()).into_response()
        }
        Err(refused) => refused,
    }
}

fn refused(status: StatusCode, issues: Vec<Issue>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/fhir+json")];
    (status, kind, outcome::outcome(&issues).to_string()).into_response()
}

fn failed(error: ApiError) -> Response {
    fhir_access::outcome(error)
}

/// What the caller may see: which kinds of whom, and whether what is only compared.
struct Sight {
    viewer: crate::viewer::Viewer,
}

impl Sight {
    fn new(api: &Api, headers: &HeaderMap) -> Result<Self, Response> {
        Ok(Self { viewer: api.viewer(headers).map_err(failed)? })
    }

    fn owner(&self) -> bool {
        self.viewer.at_all(Permission::ManagePolicy)
    }

    fn sees(&self, patient: &PatientId) -> bool {
        self.viewer.kinds(Permission::ReadFhir, patient).has(Category::VitalSigns)
    }
}

async fn read(api: &Api, shelf: &Arc<Shelf>, headers: &HeaderMap, id: &str) -> Answer {
    let missing = || {
        let issue = Issue::error(IssueCode::NotFound, "", "There is no resource with this id.");
        refused(StatusCode::NOT_FOUND, vec![issue])
    };
    let name: PredictionId = id.parse().map_err(|_| missing())?;
    let query = PredictionQuery { ids: vec![name], ..PredictionQuery::default() };
    let row = api.ask_settled(move |store| Ok(store.predictions(&query)?.rows.pop())).await.map_err(failed)?;
    let row = row.ok_or_else(missing)?;
    let sight = Sight::new(api, headers)?;
    let patient = survivor(api, &row.patient);
    if !sight.sees(&patient) || (row.role != "champion" && !sight.owner()) {
        return Err(missing());
    }
    let record = record_of(&row).ok_or_else(missing)?;
    Ok(resource(&assessment(shelf, &record, &patient)))
}

async fn search(api: &Api, shelf: &Arc<Shelf>, headers: &HeaderMap, parameters: Vec<(String, String)>) -> Answer {
    let wanted = RiskSearch::read(&parameters).map_err(|issues| refused(StatusCode::BAD_REQUEST, issues))?;
    let sight = Sight::new(api, headers)?;
    let Some(query) = query(api, &sight, &wanted) else { return Ok(bundle(&[], 0, &parameters, None)) };
    let found = api.ask_settled(move |store| store.predictions(&query)).await.map_err(failed)?;
    let reached = wanted.skip + found.rows.len() as u64;
    let records = found.rows.iter().filter_map(|row| {
        let patient = survivor(api, &row.patient);
        let record = record_of(row).filter(|_| sight.sees(&patient))?;
        Some(resource(&assessment(shelf, &record, &patient)))
    });
    let resources: Vec<Value> = records.collect();
    let next = (!wanted.count_only && reached < found.total && !found.rows.is_empty()).then_some(reached);
    Ok(bundle(&resources, found.total, &parameters, next))
}

/// What the store is asked; none where nothing can match.
fn query(api: &Api, sight: &Sight, wanted: &RiskSearch) -> Option<PredictionQuery> {
    let mut ids = Vec::new();
    if let Some(named) = &wanted.ids {
        ids.extend(named.iter().filter_map(|id| id.parse::<PredictionId>().ok()));
        if ids.is_empty() {
            return None;
        }
    }
    // Whom the caller may see: of those asked for, or of all who are here.
    let here = api.live.patients();
    let asked: Option<Vec<PatientId>> = wanted.patients.as_ref().map(|all| {
        all.iter().filter_map(|id| PatientId::new(id).ok()).map(|id| survivor(api, &id)).collect()
    });
    let seen = here.iter().filter(|seen| asked.as_ref().is_none_or(|asked| asked.contains(&seen.patient.id)));
    let seen = seen.filter(|seen| sight.sees(&seen.patient.id));
    let patients: Vec<PatientId> =
        seen.flat_map(|seen| std::iter::once(&seen.patient.id).chain(&seen.merged)).cloned().collect();
    let models = coded(&wanted.methods, MODEL, |code| code.to_owned());
    let known = |code: &str| CLASSES.contains(&code).then(|| code.to_owned());
    let classes = coded(&wanted.risks, CLASS, |code| known(code).unwrap_or_default());
    let (at, made) = (span(&wanted.dates)?, span(&wanted.updated)?);
    if patients.is_empty() || models.as_ref().is_some_and(Vec::is_empty) || classes.as_ref().is_some_and(Vec::is_empty) {
        return None;
    }
    Some(PredictionQuery {
        ids,
        patients,
        models: models.unwrap_or_default(),
        role: (!sight.owner()).then(|| "champion".to_owned()),
        classes: classes.unwrap_or_default(),
        at,
        made,
        oldest_first: wanted.oldest_first,
        page: Page { skip: wanted.skip, limit: if wanted.count_only { 0 } else { wanted.count as u64 } },
    })
}

/// Codes of tokens of a system; none: nothing was asked.
fn coded(tokens: &[Token], system: &str, code: impl Fn(&str) -> String) -> Option<Vec<String>> {
    let ours = tokens.iter().filter(|token| token.matches(system, &token.code));
    (!tokens.is_empty()).then(|| ours.map(|token| code(&token.code)).filter(|code| !code.is_empty()).collect())
}

/// What all dates together leave; none: nothing. Several stretches are taken as the one around them.
fn span(all: &[Vec<DateFilter>]) -> Option<Span> {
    let mut span = Span::ALL;
    for alternatives in all {
        let ranges: Vec<_> = alternatives.iter().flat_map(|one| one.ranges(0)).collect();
        let (from, to) = (ranges.iter().map(|r| r.start).min()?, ranges.iter().map(|r| r.end).max()?);
        span.from = span.from.max((from != i64::MIN).then_some(from));
        if to != i64::MAX {
            span.to = Some(span.to.map_or(to, |old: i64| old.min(to)));
        }
    }
    Some(span)
}

fn bundle(resources: &[Value], total: u64, parameters: &[(String, String)], next: Option<u64>) -> Value {
    let address = |parameters: &[(String, String)]| {
        let query = encode(parameters);
        format!("RiskAssessment{}{query}", if query.is_empty() { "" } else { "?" })
    };
    let mut links = vec![json!({"relation": "self", "url": address(parameters)})];
    if let Some(next) = next {
        let mut on: Vec<(String, String)> = parameters.iter().filter(|(name, _)| name != "_page").cloned().collect();
        on.push(("_page".to_owned(), next.to_string()));
        links.push(json!({"relation": "next", "url": address(&on)}));
    }
    let mut json = json!({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links});
    if !resources.is_empty() {
        let entry = |one: &Value| {
            let address = format!("RiskAssessment/{}", one["id"].as_str().unwrap_or_default());
            json!({"fullUrl": address, "resource": one, "search": {"mode": "match"}})
        };
        json["entry"] = resources.iter().map(entry).collect();
    }
    json
}

fn assessment(shelf: &Shelf, record: &PredictionRecord, patient: &PatientId) -> Assessment {
    Assessment {
        id: record.id.to_string(),
        patient: patient.to_string(),
        model: record.model.clone(),
        version: record.version.clone(),
        title: record.title.clone(),
        outcome: record.outcome.clone(),
        metric: risk_metric(&record.model),
        horizon_h: record.horizon_h,
        role: record.role.name(),
        at: record.at.0,
        made: record.made.0,
        said: match &record.said {
            Foretold::Risk { probability, low, high, .. } => Ok((*probability, *low, *high, record.said.class())),
            Foretold::Abstained(reasons) => Err(reasons.clone()),
        },
        because: record.because.iter().map(|cause| cause.text.clone()).collect(),
        warnings: record.warnings.clone(),
        basis: record.basis.iter().map(|(_, reading)| *reading).collect(),
        inputs: names(shelf, record).into_iter().zip(record.inputs.iter().copied()).collect(),
    }
}
