//! The audit log for the security officer: search, proofs, a table to take away. Each look at it
//! is itself in it.

mod csv;
pub mod event;
pub(crate) mod fhir;
mod row;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use guard::{AuditLog, AuditPage, AuditQuery, Permission};
use ledger::to_base64;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::{PatientId, ReceiveTime};

use crate::error::ApiError;
use crate::extract::{Json, Query};
use crate::state::Api;

pub use row::{AuditAnswer, AuditHead, AuditProof, AuditRow};

/// Records of a page, if nothing else is asked for.
const PAGE: usize = 50;
/// Records of a table to take away.
const EXPORT_MAX: usize = 10_000;

/// The routes of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(head))
        .routes(routes!(proof))
        .routes(routes!(export))
}

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Wanted {
    actor: Option<String>,
    patient: Option<String>,
    action: Option<String>,
    outcome: Option<String>,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    before: Option<u64>,
    limit: Option<usize>,
}

impl Wanted {
    fn query(&self) -> Result<AuditQuery, ApiError> {
        let text = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        let patient = text(&self.patient).map(|id| PatientId::new(&id));
        let patient = patient.transpose().map_err(|error| ApiError::bad(error.to_string()))?;
        let outcome = text(&self.outcome);
        if outcome.as_deref().is_some_and(|one| !matches!(one, "allowed" | "denied" | "failed")) {
            return Err(ApiError::bad("outcome: allowed, denied or failed"));
        }
        let time = |ms: Option<i64>| ms.map(|ms| ReceiveTime(ms.saturating_mul(1_000)));
        let actions = text(&self.action).map_or_else(Vec::new, |list| {
            list.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).take(50).collect()
        });
        Ok(AuditQuery {
            actor: text(&self.actor),
            patient,
            actions,
            outcome,
            from: time(self.from_ms),
            until: time(self.until_ms),
            before: self.before,
            limit: self.limit.unwrap_or(PAGE),
        })
    }
}

impl Api {
    /// Works with the audit log on a thread that may block.
    pub(crate) async fn audit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&guard::Guard) -> Result<T, guard::GuardError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let guard = self.guard.clone();
        let done = tokio::task::spawn_blocking(move || work(&guard)).await;
        done.map_err(|error| ApiError::internal(&error))?.map_err(|error| ApiError::internal(&error))
    }
}

/// Records of the audit log, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(
        ("actor" = Option<String>, Query, description = "Account or device"),
        ("patient" = Option<String>, Query, description = "Whose data"),
        ("action" = Option<String>, Query, description = "What was done; several with commas"),
        ("outcome" = Option<String>, Query, description = "allowed, denied or failed"),
        ("from_ms" = Option<i64>, Query, description = "From then on"),
        ("until_ms" = Option<i64>, Query, description = "Until before then"),
        ("before" = Option<u64>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "1 to 500, 50 if not said"),
    ),
    responses((status = 200, body = AuditAnswer)))]
pub(crate) async fn search(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Json<AuditAnswer>, ApiError> {
    api.enter(&headers, Permission::SeeAudit, "/api/v1/audit", None).await?;
    let query = wanted.query()?;
    let (page, signed) = api.audit(move |guard| Ok((guard.search_audit(&query)?, signed(&guard.audit_log())?))).await?;
    let AuditPage { records, total, next } = page;
    let rows = records.iter().filter_map(|(n, line)| AuditRow::read(*n, line)).collect();
    Ok(Json(AuditAnswer { rows, total, next, signed }))
}

/// How many records the signed head covers.
fn signed(log: &AuditLog) -> Result<u64, guard::GuardError> {
    Ok(log.head()?.map_or(0, |head| head.checkpoint.size))
}

/// The signed head of the audit log, and the public key to check it with.
#[utoipa::path(get, path = "/api/v1/audit/head", tag = "audit",
    responses((status = 200, body = AuditHead)))]
pub(crate) async fn head(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<AuditHead>, ApiError> {
    api.enter(&headers, Permission::SeeAudit, "/api/v1/audit/head", None).await?;
    let (head, key) = api.audit(|guard| Ok((guard.audit_log().head()?, guard.audit_log().verifier()?))).await?;
    let head = head.ok_or(ApiError::NotFound("signed head"))?;
    Ok(Json(AuditHead {
        size: head.checkpoint.size,
        root: to_base64(&head.checkpoint.root),
        note: head.note(),
        key: key.to_string(),
    }))
}

/// A record with the proof that it is in the log.
#[utoipa::path(get, path = "/api/v1/audit/proof/{record}", tag = "audit",
    params(("record" = u64, Path, description = "The record's number")),
    responses((status = 200, body = AuditProof)))]
pub(crate) async fn proof(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(record): Path<u64>,
) -> Result<Json<AuditProof>, ApiError> {
    api.enter(&headers, Permission::SeeAudit, "/api/v1/audit/proof/{record}", None).await?;
    let (proof, key) = api.audit(move |guard| Ok((guard.audit_log().prove(record)?, guard.audit_log().verifier()?))).await?;
    let proof = proof.ok_or(ApiError::NotFound("record, or none that is signed yet"))?;
    let holds = proof.verify(&key).is_ok();
    Ok(Json(AuditProof {
        record: proof.record,
        index: proof.index,
        path: proof.path,
        head: proof.head,
        key: key.to_string(),
        holds,
    }))
}

/// The records that a search finds as a table (CSV, RFC 4180), newest first, at most 10,000.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    params(
        ("actor" = Option<String>, Query, description = "As in the search"),
        ("patient" = Option<String>, Query, description = "As in the search"),
        ("action" = Option<String>, Query, description = "As in the search"),
        ("outcome" = Option<String>, Query, description = "As in the search"),
        ("from_ms" = Option<i64>, Query, description = "As in the search"),
        ("until_ms" = Option<i64>, Query, description = "As in the search"),
    ),
    responses((status = 200, content_type = "text/csv", body = String)))]
pub(crate) async fn export(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    api.enter(&headers, Permission::SeeAudit, "/api/v1/audit/export", None).await?;
    let mut query = AuditQuery { limit: 500, before: None, ..wanted.query()? };
    let table = api
        .audit(move |guard| {
            let (mut table, mut count) = (csv::head(), 0);
            loop {
                let page = guard.search_audit(&query)?;
                for (n, line) in &page.records {
                    if let Some(row) = AuditRow::read(*n, line) {
                        csv::row(&mut table, &row);
                        count += 1;
                    }
                }
                query.before = page.next;
                if page.next.is_none() || count >= EXPORT_MAX {
                    return Ok(table);
                }
            }
        })
        .await?;
    let kind = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((kind, table).into_response())
}
