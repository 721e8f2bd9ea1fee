//! A person is asked what an application may do, and answers. Seen and taken back here, too.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use guard::{Account, Context, Giving, Outcome, Record};
use oauth::form::with_parameters;
use oauth::{Authorization, Client, Refusal, Scope, Scopes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::{PatientId, Role};

use super::{authorize, blocking, told};
use crate::access::Caller;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

const ROUTE: &str = "/api/v1/authorization";
const LET_IN: &str = "let-application-in";

/// What an application asks for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskedAccess {
    /// Names this question in the answer; empty when there is nothing to decide.
    ticket: String,
    /// The application's name.
    application: String,
    /// Where the browser goes afterwards: scheme and host, or a native application's scheme.
    goes_to: String,
    /// Who is asked.
    account: String,
    /// What it wants.
    scopes: Vec<AskedScope>,
    /// The patient it was opened for, or whose account this is.
    patient: Option<dto::PatientBrief>,
    /// Whether the person has to choose one.
    choose_patient: bool,
    /// Nothing is new and nobody has to be asked: the page answers yes by itself.
    settled: bool,
    /// Where to go with a refusal, when there is nothing to decide.
    redirect: Option<String>,
}

/// One thing that an application wants.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskedScope {
    /// As the application wrote it.
    scope: String,
    /// In plain words.
    words: String,
    /// Whether the person can leave it out: data, and going on without them.
    optional: bool,
}

/// The answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Decision {
    /// From the question.
    ticket: String,
    /// Yes or no.
    allow: bool,
    /// What is given, of what was asked; all of it when this is left out.
    scopes: Option<Vec<String>>,
    /// The patient that the person chose.
    patient: Option<String>,
}

/// Where the browser goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Onward {
    /// The application's address, with a code or a refusal.
    redirect: String,
}

/// An application that this account let in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LetIn {
    /// Its id.
    client: String,
    /// Its name.
    name: String,
    /// What it may do, in plain words.
    scopes: Vec<String>,
    /// When it was let in last.
    at_ms: i64,
    /// Whether it can use it now.
    active: bool,
}

/// Only a person in a browser gives anything: no token of any kind does.
pub(super) fn in_person(api: &Api, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let caller = api.caller(headers)?;
    let wanted = "applications are let in from a browser that is logged in";
    if caller.session.is_empty() { Err(ApiError::bad(wanted)) } else { Ok(caller) }
}

/// What an application asks for: the query is that of `/oauth/authorize`.
#[utoipa::path(get, path = "/api/v1/authorization", tag = "applications",
    responses((status = 200, body = AskedAccess), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn asked(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<AskedAccess>, ApiError> {
    let session = in_person(&api, &headers)?;
    let (own, query) = (api.address(&headers), query.unwrap_or_default());
    let (wanted, client) = match authorize::judge(&api, &own, query.as_bytes()) {
        Ok(found) => found,
        Err(Refusal::Here(problem)) => return Err(ApiError::bad(problem)),
        Err(Refusal::Back { redirect_uri, state, error }) => {
            let redirect = authorize::refused(&redirect_uri, state.as_deref(), error, &own);
            return Ok(Json(nothing(&session.account, redirect)));
        }
    };
    let refuse = |error| {
        let back = authorize::refused(&wanted.redirect_uri, Some(&wanted.state), error, &own);
        Ok(Json(nothing(&session.account, back)))
    };
    let Some(context) = context(&api, &session.account, &wanted, false)? else {
        return refuse(oauth::OauthError::request("launch is unknown, used or too old"));
    };
    let choose = context.patient.is_none() && needs_patient(&wanted.scopes);
    let remembered = api.guard.remembered(&session.account, &client.id).map_err(told)?;
    let nothing_new = client.trusted || wanted.scopes.within(&remembered) == wanted.scopes;
    let settled = nothing_new && !choose && !wanted.ask_again;
    if wanted.ask_nobody && !settled {
        let detail = "the person would have to be asked";
        return refuse(oauth::OauthError::new(oauth::Code::InteractionRequired, detail));
    }
    let patient = context.patient.as_ref().and_then(|id| api.live.patient(id));
    let ticket = api.guard.put_pending(&session.account, &query, api.now()).map_err(told)?;
    Ok(Json(AskedAccess {
        ticket,
        application: client.name.clone(),
        goes_to: goes_to(&wanted.redirect_uri),
        account: session.account.name.clone(),
        scopes: wanted.scopes.all().iter().map(shown).collect(),
        patient: patient.map(|view| crate::view::patient(&view.patient, view.age_years)),
        choose_patient: choose,
        settled,
        redirect: None,
    }))
}

fn nothing(account: &Account, redirect: String) -> AskedAccess {
    AskedAccess {
        ticket: String::new(),
        application: String::new(),
        goes_to: goes_to(&redirect),
        account: account.name.clone(),
        scopes: Vec::new(),
        patient: None,
        choose_patient: false,
        settled: false,
        redirect: Some(redirect),
    }
}

fn goes_to(address: &str) -> String {
    oauth::origin(address).unwrap_or_else(|| address.split(':').next().unwrap_or_default().to_owned())
}

fn shown(scope: &Scope) -> AskedScope {
    AskedScope { scope: scope.to_string(), words: scope.words(), optional: is_optional(scope) }
}

fn is_optional(scope: &Scope) -> bool {
    matches!(scope, Scope::Resource(_) | Scope::Offline | Scope::Online)
}

/// Whether scopes speak of one patient, who has to be known then.
fn needs_patient(scopes: &Scopes) -> bool {
    let of_patient = scopes.resources().any(|scope| scope.level == oauth::Level::Patient);
    of_patient || scopes.has(&Scope::LaunchPatient)
}

/// Which patient it is about: the launch's, or whose account this is. None: the launch is not one.
fn context(
    api: &Api,
    account: &Account,
    wanted: &Authorization,
    take: bool,
) -> Result<Option<Context>, ApiError> {
    if let Some(handle) = &wanted.launch {
        return api.guard.launch(handle, &wanted.client, account, take, api.now()).map_err(told);
    }
    let own = account.patient.clone().filter(|_| account.role == Role::Patient);
    Ok(Some(Context { patient: own, encounter: None }))
}

/// Takes a person's answer; the browser then goes on to the application.
#[utoipa::path(post, path = "/api/v1/authorization", tag = "applications", request_body = Decision,
    responses((status = 200, body = Onward), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn decide(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(decision): Json<Decision>,
) -> Result<Json<Onward>, ApiError> {
    let session = in_person(&api, &headers)?;
    let own = api.address(&headers);
    let pending = api.guard.take_pending(&session.account, &decision.ticket, api.now()).map_err(told)?;
    let pending = pending.ok_or_else(|| ApiError::bad("too late, or answered before: open the application again"))?;
    let judged = authorize::judge(&api, &own, pending.query.as_bytes());
    let Ok((wanted, client)) = judged else {
        return Err(ApiError::bad("the application has changed since: open it again"));
    };
    if !decision.allow {
        record(&api, &session, &client, None, (LET_IN, Outcome::Denied), "").await?;
        let redirect = authorize::refused(&wanted.redirect_uri, Some(&wanted.state), authorize::DENIED, &own);
        return Ok(Json(Onward { redirect }));
    }
    let scopes = chosen(&wanted, decision.scopes.as_deref());
    let context = context(&api, &session.account, &wanted, true)?
        .ok_or_else(|| ApiError::bad("the launch is over: open the application again"))?;
    let context = with_patient(&api, &headers, context, decision.patient.as_deref(), &wanted.scopes).await?;
    let detail = scopes.to_string();
    record(&api, &session, &client, context.patient.as_ref(), (LET_IN, Outcome::Allowed), &detail).await?;
    let (guard, now, redirect, state) =
        (api.guard.clone(), api.now(), wanted.redirect_uri.clone(), wanted.state.clone());
    let code = blocking(move || {
        let giving = Giving {
            account: &session.account,
            session: &session.session,
            strong: session.strong,
            asked: &wanted,
            scopes: &scopes,
            context,
        };
        guard.give(&giving, now)
    })
    .await
    .map_err(told)?;
    let parameters = [("code", code.as_str()), ("state", state.as_str()), ("iss", own.as_str())];
    Ok(Json(Onward { redirect: with_parameters(&redirect, &parameters) }))
}

/// What is given: everything that can't be left out, and of the rest what was chosen.
fn chosen(wanted: &Authorization, picked: Option<&[String]>) -> Scopes {
    wanted.scopes.only(|scope| {
        let picked = picked.is_none_or(|all| all.contains(&scope.to_string()));
        picked || !is_optional(scope)
    })
}

/// The patient that was chosen, if one had to be: someone whom the person may see themselves.
async fn with_patient(
    api: &Api,
    headers: &HeaderMap,
    context: Context,
    chosen: Option<&str>,
    scopes: &Scopes,
) -> Result<Context, ApiError> {
    if context.patient.is_some() || !needs_patient(scopes) {
        return Ok(context);
    }
    let chosen = chosen.ok_or_else(|| ApiError::bad("choose a patient"))?;
    let id = PatientId::new(chosen).map_err(|error| ApiError::bad(error.to_string()))?;
    api.enter(headers, guard::Permission::SeePatients, ROUTE, Some(&id)).await?;
    let seen = api.live.patient(&id).ok_or(ApiError::NotFound("patient"))?;
    Ok(Context { patient: Some(seen.patient.id.clone()), encounter: None })
}

async fn record(
    api: &Api,
    session: &Caller,
    client: &Client,
    patient: Option<&PatientId>,
    (action, outcome): (&'static str, Outcome),
    scopes: &str,
) -> Result<(), ApiError> {
    let record = Record {
        at: api.now(),
        actor: session.account.name.clone(),
        role: Some(session.account.role),
        action: action.into(),
        route: ROUTE.to_owned(),
        subject: patient.cloned(),
        outcome,
        detail: scopes.to_owned(),
        object: client.id.clone(),
        client: client.id.clone(),
        session: session.session.clone(),
        ..Record::default()
    };
    api.keep(record).await
}

/// The applications that this account let in.
#[utoipa::path(get, path = "/api/v1/applications", tag = "applications",
    responses((status = 200, body = Vec<LetIn>)))]
pub(crate) async fn applications(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<LetIn>>, ApiError> {
    let session = in_person(&api, &headers)?;
    let given = api.guard.given(&session.account, api.now()).map_err(told)?;
    let line = |given: guard::Given| LetIn {
        client: given.client,
        name: given.name,
        scopes: given.scopes.all().iter().map(Scope::words).collect(),
        at_ms: given.at.millis(),
        active: given.active,
    };
    Ok(Json(given.into_iter().map(line).collect()))
}

/// Takes back everything that this account gave to an application.
#[utoipa::path(delete, path = "/api/v1/applications/{client}", tag = "applications",
    params(("client" = String, Path, description = "Application id")),
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn take_back(
    State(api): State<Api>,
    Path(client): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let session = in_person(&api, &headers)?;
    let found = api.guard.client(&client).map_err(told)?.ok_or(ApiError::NotFound("application"))?;
    record(&api, &session, &found, None, ("take-back-application", Outcome::Allowed), "").await?;
    if api.guard.take_back(&session.account, &client).map_err(told)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("application"))
    }
}
