//! `/fhir/AuditEvent`: read and search. Nobody creates one: they are the audit log itself.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use guard::AuditQuery;
use serde_json::{Value, json};
use vitals::{PatientId, ReceiveTime};
use wire_fhir::search::decode;

use super::{AuditRow, event};
use crate::error::ApiError;
use crate::fhir_access::outcome;
use crate::state::Api;

/// Records of a page at most, and if nothing else is asked for.
const PAGE_MAX: usize = 500;
const PAGE: usize = 50;
/// Records that one search looks at for what the index does not know.
const LOOKED_AT_MAX: usize = 20_000;

/// The routes, to be put before those of the other resource types.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/fhir/AuditEvent", any(of_type))
        .route("/fhir/AuditEvent/{id}", any(instance))
        .with_state(api)
}

/// What is looked for, and what is to be filtered behind the index.
#[derive(Default)]
struct Wanted {
    query: AuditQuery,
    count: usize,
    letters: Vec<String>,
    entities: Vec<String>,
    /// The parameters that were understood, for the link to the next page.
    asked: Vec<(String, String)>,
}

async fn of_type(State(api): State<Api>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return outcome(ApiError::NoSuchMethod);
    }
    let site = site(&request);
    let wanted = match understood(decode(request.uri().query().unwrap_or_default())) {
        Ok(wanted) => wanted,
        Err(error) => return outcome(error),
    };
    match search(&api, wanted, &site).await {
        Ok(bundle) => json_of(&bundle),
        Err(error) => outcome(error),
    }
}

async fn instance(State(api): State<Api>, Path(id): Path<String>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return outcome(ApiError::NoSuchMethod);
    }
    let site = site(&request);
    let number = id.strip_prefix("record-").and_then(|n| n.parse::<u64>().ok()).filter(|n| event::id(*n) == id);
    let Some(number) = number else { return outcome(ApiError::NotFound("audit event")) };
    let line = api.audit(move |guard| guard.audit_log().line(number)).await;
    match line.map(|line| line.and_then(|line| AuditRow::read(number, &line))) {
        Ok(Some(row)) => json_of(&event::resource(&row, &site)),
        Ok(None) => outcome(ApiError::NotFound("audit event")),
        Err(error) => outcome(error),
    }
}

/// How this server is called: by the name it was asked by.
fn site(request: &Request) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or("vitalwire").to_owned()
}

fn json_of(body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/fhir+json")];
    (StatusCode::OK, kind, body.to_string()).into_response()
}

fn understood(parameters: Vec<(String, String)>) -> Result<Wanted, ApiError> {
    let mut wanted = Wanted { count: PAGE, ..Wanted::default() };
    for (name, value) in parameters {
        let bad = |what: &str| ApiError::bad(format!("{name}: {what}"));
        match name.as_str() {
            "patient" | "patient.identifier" => {
                let id = value.strip_prefix("Patient/").unwrap_or(&value);
                wanted.query.patient = Some(PatientId::new(id).map_err(|_| bad("a patient's id"))?);
            }
            "agent" | "agent-name" | "agent:identifier" => {
                let name = value.rsplit_once('|').map_or(value.as_str(), |(_, name)| name);
                wanted.query.actor = Some(name.to_owned());
            }
            "outcome" => {
                let code = value.rsplit_once('|').map_or(value.as_str(), |(_, code)| code);
                let name = match code {
                    "0" => "allowed",
                    "4" => "denied",
                    "8" => "failed",
                    _ => return Err(bad("0, 4 or 8")),
                };
                wanted.query.outcome = Some(name.to_owned());
            }
            "action" => wanted.letters.extend(value.split(',').map(str::to_owned)),
            "entity" => wanted.entities.extend(value.split(',').map(str::to_owned)),
            "date" => date(&mut wanted.query, &value).ok_or_else(|| bad("a date, with eq, ge, gt, le or lt in front"))?,
            "_count" => wanted.count = value.parse().map_err(|_| bad("a number"))?,
            "_before" => wanted.query.before = Some(value.parse().map_err(|_| bad("from the link of the page before"))?),
            "_id" => {
                let n: u64 = value.strip_prefix("record-").and_then(|n| n.parse().ok()).ok_or_else(|| bad("record-…"))?;
                (wanted.query.before, wanted.count) = (Some(n + 1), 1);
                wanted.query.limit = 1;
            }
            "_format" | "_sort" => {}
            _ => return Err(bad("search by date, agent, patient, action, outcome, entity and _id here")),
        }
        if !matches!(name.as_str(), "_before") {
            wanted.asked.push((name, value));
        }
    }
    wanted.count = wanted.count.clamp(1, PAGE_MAX);
    Ok(wanted)
}

/// Narrows the time; none when it is no date.
fn date(query: &mut AuditQuery, value: &str) -> Option<()> {
    let prefix = value.get(..2).filter(|p| p.bytes().all(|b| b.is_ascii_lowercase())).unwrap_or("eq");
    let interval = wire_fhir::time::interval(value.strip_prefix(prefix).unwrap_or(value))?;
    let (start, end) = (ReceiveTime(interval.start), ReceiveTime(interval.end));
    match prefix {
        "eq" => (query.from, query.until) = (Some(start), Some(end)),
        "ge" => query.from = Some(start),
        "gt" | "sa" => query.from = Some(end),
        "le" => query.until = Some(end),
        "lt" | "eb" => query.until = Some(start),
        _ => return None,
    }
    Some(())
}

async fn search(api: &Api, wanted: Wanted, site: &str) -> Result<Value, ApiError> {
    let (mut query, mut found, mut looked_at) = (wanted.query.clone(), Vec::new(), 0);
    let filtered = !wanted.letters.is_empty() || !wanted.entities.is_empty();
    let (total, next) = loop {
        query.limit = if filtered { PAGE_MAX } else { wanted.count };
        let asked = query.clone();
        let page = api.audit(move |guard| guard.search_audit(&asked)).await?;
        looked_at += page.records.len();
        let rows = page.records.iter().filter_map(|(n, line)| AuditRow::read(*n, line));
        found.extend(rows.filter(|row| fits(row, &wanted)));
        if found.len() > wanted.count {
            found.truncate(wanted.count);
            break (page.total, found.last().map(|row| row.n));
        }
        if page.next.is_none() || found.len() == wanted.count || looked_at >= LOOKED_AT_MAX {
            break (page.total, page.next);
        }
        query.before = page.next;
    };
    let entries: Vec<Value> = found
        .iter()
        .map(|row| {
            let url = format!("AuditEvent/{}", event::id(row.n));
            json!({"fullUrl": url, "resource": event::resource(row, site), "search": {"mode": "match"}})
        })
        .collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "link": links(&wanted, next)});
    if !filtered {
        bundle["total"] = json!(total);
    }
    if !entries.is_empty() {
        bundle["entry"] = json!(entries);
    }
    Ok(bundle)
}

fn fits(row: &AuditRow, wanted: &Wanted) -> bool {
    let letter = event::letter(event::kind(row));
    let by_letter = wanted.letters.is_empty() || wanted.letters.iter().any(|one| one == letter);
    let is = |one: &String| {
        let id = one.strip_prefix("Patient/").unwrap_or(one);
        row.object == *one || row.subject.as_deref() == Some(id) || row.patients.iter().any(|p| p == id)
    };
    by_letter && (wanted.entities.is_empty() || wanted.entities.iter().any(is))
}

fn links(wanted: &Wanted, next: Option<u64>) -> Value {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |mut done, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => done.push(byte as char),
                _ => done.push_str(&format!("%{byte:02X}")),
            }
            done
        })
    };
    let pairs: Vec<String> =
        wanted.asked.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let mut links = vec![json!({"relation": "self", "url": format!("AuditEvent?{}", pairs.join("&"))})];
    if let Some(before) = next {
        let pairs = [pairs, vec![format!("_before={before}")]].concat();
        links.push(json!({"relation": "next", "url": format!("AuditEvent?{}", pairs.join("&"))}));
    }
    json!(links)
}
