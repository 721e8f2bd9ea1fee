//! Version 3 of the Nightscout API, as apps upload by it (AndroidAPS, xDrip+): a token is shown once for a
//! pass, a document comes in a request of its own, and is answered with its identifier. What is kept and
//! what it means is the same as by version 1.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::super::sender::{self, with_token};
use super::pass::{self, Credential};
use super::read::{self, Asked};
use super::{Answer, Sender, Shown, keep, unpacked, without_id};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

const ROUTE: &str = "/api/v3/{collection}";
const REQUEST: &str = "/api/v2/authorization/request/{token}";
/// Collections that are taken, with what an app may do there.
const COLLECTIONS: [(&str, &str); 4] = [("entries", "cr"), ("treatments", "cr"), ("devicestatus", "c"), ("profile", "c")];
/// Longest identifier that an app may give a document.
const IDENTIFIER_MAX: usize = 128;

/// Gives a pass for a token: that of a program, or a device's password.
pub(crate) async fn get_pass(State(api): State<Api>, shown: Shown, Path(token): Path<String>) -> Answer {
    let digest: String = Sha1::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let now_s = api.now().millis().div_euclid(1_000);
    let headers = |name: &'static str, text: &str| {
        let value = HeaderValue::from_str(text).map_err(|_| ApiError::Unauthorised)?;
        Ok::<_, ApiError>(HeaderMap::from_iter([(header::HeaderName::from_static(name), value)]))
    };
    let (name, credential) = if token.starts_with("vw_") || api.guard.is_open() {
        let caller = api.caller(&headers("authorization", &format!("Bearer {token}"))?)?;
        (caller.account.name.clone(), Credential::Token(token))
    } else {
        let device = sender::device(&api, shown, &headers("api-secret", &digest)?, REQUEST)?;
        (device.ok_or(ApiError::Unauthorised)?.to_string(), Credential::Digest(digest))
    };
    let pass = pass::issue(&name, credential, now_s)?;
    Ok(Json(json!({"token": pass, "sub": name, "permissionGroups": [["api:*:create,read"]], "iat": now_s, "exp": now_s + pass::GOOD_S})))
}

/// Which version this is.
pub(crate) async fn get_version(State(api): State<Api>) -> Answer {
    Ok(Json(json!({"status": 200, "result": about(&api)})))
}

/// The same, and what whoever asks may do.
pub(crate) async fn get_status(State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let writes = super::known(&api, shown, &opened(&api, &headers, query.as_deref())).await?;
    let may = |(name, rights): (&str, &'static str)| {
        (name.to_owned(), Value::from(if writes { rights } else { rights.trim_start_matches('c') }))
    };
    let mut result = about(&api);
    result["apiPermissions"] = Value::Object(COLLECTIONS.into_iter().map(may).collect());
    Ok(Json(json!({"status": 200, "result": result})))
}

fn about(api: &Api) -> Value {
    json!({"version": "15.0.0", "apiVersion": "3.0.4", "srvDate": api.now().millis(), "storage": {"storage": "vitalwire", "version": "1"}})
}

/// When a collection last changed, as far as whoever asks may see.
pub(crate) async fn get_last_modified(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let headers = opened(&api, &headers, query.as_deref());
    let asked = Asked::third(query.as_deref())?;
    let mut collections = serde_json::Map::new();
    for name in ["entries", "treatments"] {
        let documents = read::changes(&api, shown.clone(), &headers, (name, &asked), 0).await?;
        if let Some(last) = documents.last() {
            collections.insert(name.to_owned(), last["srvModified"].clone());
        }
    }
    Ok(Json(json!({"status": 200, "result": {"srvDate": api.now().millis(), "collections": collections}})))
}

/// Documents of a collection, newest first.
pub(crate) async fn get_documents(
    State(api): State<Api>, Path(collection): Path<String>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let headers = opened(&api, &headers, query.as_deref());
    let asked = Asked::third(query.as_deref())?;
    let Json(documents) = match collection.as_str() {
        "entries" => read::entries(&api, shown, &headers, asked).await?,
        "treatments" => read::treatments(&api, shown, &headers, asked).await?,
        other => return nothing(&api, shown, &headers, other).await,
    };
    Ok(Json(json!({"status": 200, "result": documents})))
}

/// Documents that came after a time (milliseconds since 1970), in the order in which they came.
pub(crate) async fn get_history(
    State(api): State<Api>,
    Path((collection, since)): Path<(String, i64)>,
    shown: Shown,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let headers = opened(&api, &headers, query.as_deref());
    if !["entries", "treatments"].contains(&collection.as_str()) {
        return nothing(&api, shown, &headers, &collection).await;
    }
    let asked = Asked::third(query.as_deref())?;
    let documents = read::changes(&api, shown, &headers, (&collection, &asked), since).await?;
    let some: Vec<Value> = documents.into_iter().take(asked.count()).collect();
    Ok(Json(json!({"status": 200, "result": some})))
}

/// What is not kept as documents is an empty list, to whoever may ask; what there is not, is not found.
async fn nothing(api: &Api, shown: Shown, headers: &HeaderMap, collection: &str) -> Answer {
    super::known(api, shown, headers).await?;
    if !COLLECTIONS.iter().any(|(name, _)| *name == collection) {
        return Err(ApiError::NotFound("collection"));
    }
    Ok(Json(json!({"status": 200, "result": []})))
}

/// Takes a document.
pub(crate) async fn post_document(
    State(api): State<Api>,
    Path(collection): Path<String>,
    shown: Shown,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    take(&api, shown, (&collection, None), query.as_deref(), &headers, &body).await
}

/// Takes a document under its identifier. One with other values is another document: nothing is undone.
pub(crate) async fn put_document(
    State(api): State<Api>,
    Path((collection, identifier)): Path<(String, String)>,
    shown: Shown,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    take(&api, shown, (&collection, Some(identifier)), query.as_deref(), &headers, &body).await
}

async fn take(
    api: &Api,
    shown: Shown,
    (collection, identifier): (&str, Option<String>),
    query: Option<&str>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, ApiError> {
    let opened = opened(api, headers, query);
    let sender = Sender::of(api, shown, &opened, ROUTE).await?;
    if !COLLECTIONS.iter().any(|(name, _)| *name == collection) {
        return Err(ApiError::NotFound("collection"));
    }
    let Ok(document @ Value::Object(_)) = serde_json::from_slice(&unpacked(headers, body)?) else {
        return Err(ApiError::bad("send one JSON document"));
    };
    let said = identifier.or_else(|| document["identifier"].as_str().map(str::to_owned));
    let said = said.filter(|text| !text.is_empty() && text.len() <= IDENTIFIER_MAX && text.bytes().all(|b| b.is_ascii_graphic()));
    let identifier = said.unwrap_or_else(|| read::document_id(&without_id(&document)));
    let fate = keep(api, &sender, query, &[document]).await?.into_iter().next().unwrap_or_default();
    let status = if fate.again { StatusCode::OK } else { StatusCode::CREATED };
    let mut answer = json!({"status": status.as_u16(), "identifier": identifier, "lastModified": api.now().millis()});
    if fate.again {
        answer["isDeduplication"] = Value::from(true);
        answer["deduplicatedIdentifier"] = Value::from(identifier.clone());
    }
    if let Some(problem) = fate.problems.first() {
        answer["quarantined"] = Value::from(format!("{}: {}", problem.kind.name(), problem.detail));
    }
    let mut answer = (status, Json(answer)).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v3/{collection}/{identifier}")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    Ok(answer)
}

/// The headers with what the sender's pass or token stands for.
fn opened(api: &Api, headers: &HeaderMap, query: Option<&str>) -> HeaderMap {
    pass::opened(&with_token(headers, query), api.now().millis().div_euclid(1_000))
}
