//! Tokens for codes, refresh tokens and proofs (RFC 6749 § 3.2), what is behind one (RFC 7662), and
//! taking one back (RFC 7009).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard::{GrantError, Kind, Outcome, Record, Redeem, Tokens};
use oauth::form::Form;
use oauth::{Client, Code, Credentials, OauthError, Proof, Scope, TokenRequest};
use serde_json::{Value, json};
use vitals::time::SECOND;
use vitals::Role;

use super::{blocking, people};
use crate::access::signed;
use crate::state::Api;

const TOKEN: &str = "/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn token(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    answer(give(&api, &headers, &body).await, &headers)
}

async fn give(api: &Api, headers: &HeaderMap, body: &[u8]) -> Result<Value, GrantError> {
    let form = read(headers, body)?;
    let client = proven(api, headers, &form, TOKEN).await?;
    let request = match TokenRequest::read(&form, &client) {
        Ok(request) => request,
        Err(error) => {
            refused(api, &client, TOKEN, error.code).await?;
            return Err(error.into());
        }
    };
    let (guard, now, acting) = (api.guard.clone(), api.now(), client.clone());
    let tokens = blocking(move || match request {
        TokenRequest::Code { code, redirect_uri, verifier } => {
            let shown = Redeem { code: &code, redirect_uri: &redirect_uri, verifier: &verifier };
            guard.redeem_code(&acting, &shown, now)
        }
        TokenRequest::Refresh { token, scopes } => guard.refresh(&acting, &token, scopes.as_ref(), now),
        TokenRequest::Service { scopes } => guard.give_service(&acting, &scopes, now),
    })
    .await;
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(error) => {
            if let GrantError::Refused(refusal) = &error {
                refused(api, &client, TOKEN, refusal.code).await?;
            }
            return Err(error);
        }
    };
    record(api, &client, TOKEN, Some(&tokens), Outcome::Allowed, "").await?;
    described(api, headers, tokens).await
}

/// What the application gets (SMART App Launch 2.2 § 2.0.10).
async fn described(api: &Api, headers: &HeaderMap, tokens: Tokens) -> Result<Value, GrantError> {
    let own = api.address(headers);
    let mut all = json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "scope": tokens.grant.scopes.to_string(),
    });
    if let Some(refresh) = &tokens.refresh {
        all["refresh_token"] = json!(refresh);
    }
    let scopes = &tokens.grant.scopes;
    if let Some(patient) = &tokens.grant.patient {
        all["patient"] = json!(patient.as_str());
    }
    if let Some(encounter) = &tokens.grant.encounter {
        all["encounter"] = json!(encounter);
    }
    if tokens.account.kind == Kind::Person {
        // An application that was opened from here stands beside the patient's name.
        all["need_patient_banner"] = json!(!scopes.has(&Scope::Launch));
        all["smart_style_url"] = json!(format!("{own}/oauth/style"));
    }
    if scopes.has(&Scope::OpenId) {
        let (ty, id) = people::resource_of(&tokens.account);
        let user = format!("{own}/fhir/{ty}/{id}");
        let mut claims = json!({
            "iss": own, "sub": guard::person_id(&tokens.account.name), "aud": tokens.grant.client,
        });
        for (scope, claim) in [(Scope::FhirUser, "fhirUser"), (Scope::Profile, "profile")] {
            if scopes.has(&scope) {
                claims[claim] = json!(user);
            }
        }
        if let Some(nonce) = &tokens.nonce {
            claims["nonce"] = json!(nonce);
        }
        let (guard, now) = (api.guard.clone(), api.now());
        all["id_token"] = json!(blocking(move || guard.sign_id_token(claims, now)).await?);
    }
    Ok(all)
}

pub(super) async fn introspect(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    answer(looked_up(&api, &headers, &body).await, &headers)
}

/// A confidential application asks about its own tokens; a service account, such as a record
/// system's gateway, about any.
async fn looked_up(api: &Api, headers: &HeaderMap, body: &[u8]) -> Result<Value, GrantError> {
    const ROUTE: &str = "/oauth/introspect";
    let form = read(headers, body)?;
    let token = form.need("token", "token is missing")?.to_owned();
    let own = match service(api, headers) {
        true => None,
        false => {
            let client = proven(api, headers, &form, ROUTE).await?;
            if client.authentication == oauth::Authentication::Public {
                let detail = "introspection takes a confidential client or a service account";
                return Err(OauthError::new(Code::InvalidClient, detail).into());
            }
            Some(client.id)
        }
    };
    let (guard, now) = (api.guard.clone(), api.now());
    let found = blocking(move || guard.find_token(&token, now)).await?;
    let found = found.filter(|found| own.as_ref().is_none_or(|own| *own == found.grant.client));
    let Some(found) = found else { return Ok(json!({ "active": false })) };
    let (ty, id) = people::resource_of(&found.account);
    let address = api.address(headers);
    let mut all = json!({
        "active": true,
        "scope": found.grant.scopes.to_string(),
        "client_id": found.grant.client,
        "token_type": "Bearer",
        "iat": found.made.micros().div_euclid(SECOND),
        "exp": found.expires.micros().div_euclid(SECOND),
        "iss": address,
        "sub": guard::person_id(&found.account.name),
    });
    if let Some(patient) = &found.grant.patient {
        all["patient"] = json!(patient.as_str());
    }
    if let Some(encounter) = &found.grant.encounter {
        all["encounter"] = json!(encounter);
    }
    if found.grant.scopes.has(&Scope::FhirUser) {
        all["fhirUser"] = json!(format!("{address}/fhir/{ty}/{id}"));
    }
    Ok(all)
}

fn service(api: &Api, headers: &HeaderMap) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_bearer = bearer.is_some_and(|value| value.get(..7).is_some_and(|w| w.eq_ignore_ascii_case("bearer ")));
    is_bearer && api.caller(headers).is_ok_and(|caller| caller.role == Role::Service)
}

pub(super) async fn revoke(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    const ROUTE: &str = "/oauth/revoke";
    let done = async {
        let form = read(&headers, &body)?;
        let client = proven(&api, &headers, &form, ROUTE).await?;
        let token = form.need("token", "token is missing")?.to_owned();
        record(&api, &client, ROUTE, None, Outcome::Allowed, "").await?;
        let guard = api.guard.clone();
        // Whether there was such a token is not said (RFC 7009 § 2.2).
        blocking(move || guard.revoke(&client, &token)).await
    };
    match done.await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => answer(Err(error), &headers),
    }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Form, OauthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(FORM) {
        return Err(OauthError::request("the body is application/x-www-form-urlencoded"));
    }
    Form::read(body)
}

/// The client that sends this, if it proves that it is itself.
async fn proven(api: &Api, headers: &HeaderMap, form: &Form, route: &'static str) -> Result<Client, GrantError> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let tried = async {
        let shown = match (Credentials::read(authorization, form), form.get("refresh_token")) {
            // A public client need not name itself to refresh (RFC 6749, 6): its token does.
            (Err(error), Some(token)) if names_nobody(authorization, form) => {
                let client = api.guard.client_of_refresh(token).ok_or(error)?;
                Credentials { client, proof: Proof::Nothing }
            }
            (read, _) => read?,
        };
        let keys = match &shown.proof {
            Proof::Assertion(jwt) => super::keys::of(api, &shown.client, jwt).await,
            Proof::Nothing | Proof::Secret(_) => None,
        };
        let audience = format!("{}{TOKEN}", api.address(headers));
        let (guard, now) = (api.guard.clone(), api.now());
        blocking(move || guard.prove_client(&shown, keys.as_deref(), &[&audience], now)).await
    };
    let found = tried.await;
    if found.is_err() {
        api.note("unknown-client", route);
    }
    found
}

/// Whether a request says nothing of which client it is.
fn names_nobody(authorization: Option<&str>, form: &Form) -> bool {
    let said = ["client_id", "client_secret", "client_assertion"];
    authorization.is_none() && said.iter().all(|name| form.get(name).is_none())
}

/// Records that a client was refused.
async fn refused(api: &Api, client: &Client, route: &str, code: Code) -> Result<(), GrantError> {
    record(api, client, route, None, Outcome::Denied, code.name()).await
}

async fn record(
    api: &Api,
    client: &Client,
    route: &str,
    tokens: Option<&Tokens>,
    outcome: Outcome,
    detail: &str,
) -> Result<(), GrantError> {
    let of_client = || client.account.clone().unwrap_or_else(|| "unknown".to_owned());
    let record = Record {
        at: api.now(),
        actor: tokens.map_or_else(of_client, |tokens| tokens.account.name.clone()),
        role: tokens.map(|tokens| tokens.account.role),
        action: if route == TOKEN { "give-token".into() } else { "revoke-token".into() },
        route: route.to_owned(),
        subject: tokens.and_then(|tokens| tokens.grant.patient.clone()),
        outcome,
        detail: tokens.map_or_else(|| detail.to_owned(), |tokens| tokens.grant.scopes.to_string()),
        object: client.id.clone(),
        client: client.id.clone(),
        factor: client.authentication.name().to_owned(),
        ..Record::default()
    };
    Ok(api.guard.audit(signed(record)).await?)
}

/// An answer of these endpoints: never kept by anybody in between (RFC 6749 § 5.1).
fn answer(done: Result<Value, GrantError>, headers: &HeaderMap) -> Response {
    let mut answer = match done {
        Ok(body) => Json(body).into_response(),
        Err(error) => {
            let told = match &error {
                GrantError::Refused(told) => *told,
                GrantError::Guard(guard::GuardError::Trial) => {
                    OauthError::new(Code::TemporarilyUnavailable, "applications are off under --open")
                }
                other => {
                    tracing::error!("a token request failed: {other}");
                    OauthError::new(Code::ServerError, "something failed inside; it is in the log")
                }
            };
            let status = StatusCode::from_u16(told.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let body = json!({"error": told.code.name(), "error_description": told.detail});
            let mut answer = (status, Json(body)).into_response();
            if status == StatusCode::UNAUTHORIZED && headers.contains_key(header::AUTHORIZATION) {
                let basic = HeaderValue::from_static("Basic realm=\"vitalwire\"");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
            }
            answer
        }
    };
    let kept = answer.headers_mut();
    kept.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    kept.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}
