//! Erasing one person, and proving it: asked for once, proved as often as somebody asks.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use serde::{Deserialize, Serialize};
use store::{DirectoryQuery, ErasureRow};
use utoipa::ToSchema;
use vitals::{Action, PatientId};

use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// How long an answer waits for the erasure to be done; it goes on without.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// Why somebody is erased.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ErasureRequest {
    /// The request or the rule that it follows; it is kept, so it names nobody.
    pub reason: String,
}

/// What was erased, what became of it, and what is left now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErasureProof {
    /// The patient's opaque id.
    pub patient: String,
    /// Records that were of this person.
    pub records: Vec<String>,
    /// Devices that were this person's alone and went, too.
    pub devices: Vec<String>,
    /// When it was said.
    pub at_ms: i64,
    /// Who said it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Rows deleted, by table.
    pub deleted: BTreeMap<String, u64>,
    /// Rows of accounts, consents and grants deleted, by table.
    pub accounts_deleted: BTreeMap<String, u64>,
    /// Numbers of the keys that were destroyed.
    pub keys_destroyed: Vec<u32>,
    /// When all was done; none: it is not done yet.
    pub finished_ms: Option<i64>,
    /// The copy of the keyring that the keys were taken out of, if there is one.
    pub keyring_copy: Option<String>,
    /// Entries that the journal still has and nobody can read.
    pub journal_unreadable: u64,
    /// The journal is removed up to this entry, for some before were about the patient and not
    /// sealed with the patient's key.
    pub journal_cut_behind: Option<u64>,
    /// The first entry that the journal still has.
    pub journal_first: u64,
    /// Rows left, by table: looked for just now.
    pub left: BTreeMap<String, u64>,
    /// Whether all of it is done and nothing is left.
    pub proved: bool,
}

impl ErasureProof {
    /// What an erasure's row says, with what was looked for just now: rows left in store and
    /// accounts, and the journal's first entry and how many there nobody can read.
    #[must_use]
    pub fn new(row: &ErasureRow, left: Vec<(String, u64)>, journal: (u64, u64)) -> Self {
        let proof: Option<serde_json::Value> =
            row.proof.as_ref().and_then(|proof| serde_json::from_slice(proof).ok());
        let done = proof.clone().unwrap_or_default();
        let read = |name: &str| done.get(name).cloned().unwrap_or_default();
        let left: BTreeMap<String, u64> = left.into_iter().filter(|(_, rows)| *rows > 0).collect();
        let cut = read("journal_cut_behind").as_u64();
        let erasure = &row.erasure;
        let (journal_first, journal_unreadable) = journal;
        Self {
            patient: erasure.patient.to_string(),
            records: erasure.records.iter().map(ToString::to_string).collect(),
            devices: erasure.devices.iter().map(ToString::to_string).collect(),
            at_ms: erasure.at.millis(),
            by: erasure.by.clone(),
            reason: erasure.reason.clone(),
            deleted: row.deleted.iter().cloned().collect(),
            accounts_deleted: serde_json::from_value(read("accounts")).unwrap_or_default(),
            keys_destroyed: serde_json::from_value(read("keys_destroyed")).unwrap_or_default(),
            finished_ms: read("finished_ms").as_i64(),
            keyring_copy: read("keyring_copy").as_str().map(str::to_owned),
            journal_unreadable,
            journal_cut_behind: cut,
            journal_first,
            proved: proof.is_some() && left.is_empty() && cut.is_none_or(|cut| journal_first > cut),
            left,
        }
    }
}

/// Erases a patient: everything kept of them is deleted and their key destroyed. A hold that lasts
/// forbids it.
#[utoipa::path(post, path = "/api/v1/patients/{id}/erasure", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")), request_body = ErasureRequest,
    responses((status = 200, body = ErasureProof), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn erase(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<ErasureRequest>,
) -> Result<Json<ErasureProof>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/erasure";
    let actor = api.enter(&headers, Permission::ErasePerson, route, subject.as_ref()).await?;
    let patient = subject.ok_or(ApiError::NotFound("patient"))?;
    let reason = wanted.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(ApiError::bad("reason: say why, in 500 characters at most"));
    }
    let query = DirectoryQuery { ids: vec![id], ..DirectoryQuery::default() };
    let known = api.ask_settled(move |store| store.patients(&query)).await?.total > 0;
    if !known && api.live.patient(&patient).is_none() {
        return Err(ApiError::NotFound("patient"));
    }
    not_held(&api, &patient).await?;
    let offset = api.act(actor, Action::Erase { patient: patient.clone(), reason }).await?;
    let begun = tokio::time::Instant::now();
    loop {
        let Some(row) = row(&api, &patient, Some(offset)).await? else {
            return Err(held());
        };
        let proof = proof(&api, row).await?;
        if proof.proved || begun.elapsed() > PATIENCE {
            return Ok(Json(proof));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Proves an erasure again: what was done, and what is left just now.
#[utoipa::path(get, path = "/api/v1/patients/{id}/erasure", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = ErasureProof), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn erased(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<ErasureProof>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/erasure";
    api.enter(&headers, Permission::ErasePerson, route, subject.as_ref()).await?;
    let patient = subject.ok_or(ApiError::NotFound("patient"))?;
    let row = row(&api, &patient, None).await?.ok_or(ApiError::NotFound("erasure"))?;
    Ok(Json(proof(&api, row).await?))
}

fn held() -> ApiError {
    ApiError::Conflict("a hold keeps this patient's data; it must be released first".to_owned())
}

async fn not_held(api: &Api, patient: &PatientId) -> Result<(), ApiError> {
    let subject = vec![patient.clone()];
    let holds = api.ask_settled(move |store| store.holds(&subject)).await?;
    let (guard, patient) = (api.guard.clone(), patient.clone());
    // A trial has no legal holds.
    let legal = tokio::task::spawn_blocking(move || match guard.is_open() {
        true => Ok(Vec::new()),
        false => guard.legal_holds(Some(&patient)),
    });
    let legal = legal.await.map_err(|error| ApiError::internal(&error))?;
    let legal = legal.map_err(|error| ApiError::internal(&error))?;
    if holds.iter().any(|hold| hold.released.is_none())
        || legal.iter().any(|hold| hold.released.is_none())
    {
        return Err(held());
    }
    Ok(())
}

async fn row(
    api: &Api,
    patient: &PatientId,
    offset: Option<u64>,
) -> Result<Option<ErasureRow>, ApiError> {
    let patient = patient.clone();
    let rows = api.ask_settled(move |store| store.erasures(Some(&patient))).await?;
    Ok(rows.into_iter().rev().find(|row| offset.is_none_or(|offset| row.erasure.offset == offset)))
}

async fn proof(api: &Api, row: ErasureRow) -> Result<ErasureProof, ApiError> {
    let (reader, appender, guard) =
        (api.reader.clone(), api.appender.clone(), api.guard.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut left = reader.left_of(&row.erasure.records).map_err(|e| e.to_string())?;
        let accounts = guard.left_of_patients(&row.erasure.records).map_err(|e| e.to_string())?;
        left.extend(accounts);
        let mut proof = ErasureProof::new(&row, left, (appender.first_offset(), 0));
        if proof.proved {
            let unreadable = appender.sealed_with(&proof.keys_destroyed);
            proof.journal_unreadable = unreadable.map_err(|e| e.to_string())?;
        }
        Ok::<_, String>(proof)
    });
    let looked = looked.await.map_err(|error| ApiError::internal(&error))?;
    looked.map_err(|error| ApiError::internal(&error))
}
