//! Everybody's accounts, for whoever manages users. Each deed is in the audit log with the account
//! that it was done to.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::{Account, Change, Deed, GuardError, Kind, Outcome, Permission, Record};
use vitals::time::HOUR;
use vitals::{Actor, PatientId, ReceiveTime, Role};

use super::shapes::{AddedUser, NewPassword, NewToken, NewUser, Token, UserChange, UserView};
use super::{blocking, refused};
use crate::dto;
use crate::error::ApiError;
use crate::extract;
use crate::state::Api;

const USERS: &str = "/api/v1/users";
const USER: &str = "/api/v1/users/{name}";

/// Lets whoever manages users in.
pub(super) async fn enter(api: &Api, headers: &HeaderMap, route: &'static str) -> Result<Actor, ApiError> {
    api.enter(headers, Permission::ManageUsers, route, None).await
}

/// Does something to an account, with its record: before it is done, and once more when it fails.
pub(super) async fn doing<T: Send + 'static>(
    api: &Api,
    by: &Actor,
    (action, route): (&'static str, &'static str),
    (object, detail): (&str, &str),
    deed: impl FnOnce(&guard::Guard) -> Result<T, GuardError> + Send + 'static,
) -> Result<T, ApiError> {
    let record = |outcome| Record {
        at: api.now(),
        actor: by.name.clone(),
        role: Some(by.role),
        action: Deed::Named(action),
        route: route.to_owned(),
        outcome,
        object: api.guard.audit_name(object),
        detail: detail.to_owned(),
        ..Record::default()
    };
    let kept = |record| api.keep(record);
    kept(record(Outcome::Allowed)).await?;
    let guard = api.guard.clone();
    let done = blocking(move || deed(&guard)).await?;
    if done.is_err() {
        kept(record(Outcome::Failed)).await?;
    }
    done.map_err(refused)
}

/// Every account, by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, body = Vec<UserView>), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn get_users(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<UserView>>, ApiError> {
    enter(&api, &headers, USERS).await?;
    let facts = api.guard.account_facts().map_err(refused)?;
    Ok(Json(facts.iter().map(UserView::from).collect()))
}

fn role(name: &str) -> Result<Role, ApiError> {
    Role::from_name(name).ok_or_else(|| ApiError::bad("role: unknown"))
}

fn patient(id: Option<String>) -> Result<Option<PatientId>, ApiError> {
    id.map(|id| PatientId::new(&id)).transpose().map_err(|_| ApiError::bad("patient: not an id"))
}

/// When a token ends that holds for so many days.
fn end(days: Option<u32>, now: ReceiveTime) -> Result<Option<ReceiveTime>, ApiError> {
    match days {
        None => Ok(None),
        Some(days @ 1..=DAYS_MAX) => Ok(Some(now.plus(i64::from(days) * 24 * HOUR))),
        Some(_) => Err(ApiError::BadRequest(format!("expires_days: 1 to {DAYS_MAX}"))),
    }
}

/// Longest life of a token, in days: ten years.
const DAYS_MAX: u32 = 3_650;

/// Adds a person with a password, or without one a program, whose token is in the answer once.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 200, body = AddedUser), (status = 400, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn add_user(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Json(new): extract::Json<NewUser>,
) -> Result<Json<AddedUser>, ApiError> {
    let by = enter(&api, &headers, USERS).await?;
    let role = role(&new.role)?;
    let patient = patient(new.patient)?;
    if (role == Role::Patient) != patient.is_some() {
        return Err(ApiError::bad("role patient and patient go together"));
    }
    let kind = if new.password.is_some() { Kind::Person } else { Kind::Service };
    if kind == Kind::Service && patient.is_some() {
        return Err(ApiError::bad("a patient's own account has a password"));
    }
    let units = new.units.into_iter().collect();
    let account = Account { units, patient, ..Account::new(&new.name, role, kind) };
    let (now, expires, password) = (api.now(), end(new.expires_days, api.now())?, new.password);
    let detail = format!("as {}", role.name());
    let name = account.name.clone();
    let token = doing(&api, &by, ("add-user", USERS), (&name, &detail), move |guard| {
        match password {
            Some(password) => guard.add_person(&account, &password).map(|()| None),
            None => guard.add_service_until(&account, expires, now).map(Some),
        }
    });
    let token = token.await?;
    Ok(Json(AddedUser { user: view(&api, &name)?, token }))
}

fn view(api: &Api, name: &str) -> Result<UserView, ApiError> {
    Ok(UserView::from(&api.guard.account_fact(name).map_err(refused)?))
}

/// Changes role, units or whether an account is kept out.
#[utoipa::path(put, path = "/api/v1/users/{name}", tag = "users", request_body = UserChange,
    params(("name" = String, Path, description = "Account name")),
    responses((status = 200, body = UserView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn change_user(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Path(name): extract::Path<String>,
    extract::Json(wanted): extract::Json<UserChange>,
) -> Result<Json<UserView>, ApiError> {
    let by = enter(&api, &headers, USER).await?;
    let patient = patient(wanted.patient)?;
    let role = wanted.role.as_deref().map(role).transpose()?;
    if patient.is_some() && role != Some(Role::Patient) {
        return Err(ApiError::bad("patient goes with role patient"));
    }
    let mut detail = role.map_or_else(String::new, |role| format!("role {}", role.name()));
    if let Some(disabled) = wanted.disabled {
        detail.push_str(if disabled { " kept out" } else { " let in" });
    }
    if wanted.units.is_some() {
        detail.push_str(" other units");
    }
    let change = Change {
        role,
        units: wanted.units.map(|units| units.into_iter().collect()),
        patient: role.map(|_| patient),
        disabled: wanted.disabled,
    };
    let whom = name.clone();
    doing(&api, &by, ("change-user", USER), (&name, detail.trim()), move |guard| {
        guard.change_account(&whom, &change)
    })
    .await?;
    Ok(Json(view(&api, &name)?))
}

/// Removes an account; its sessions and tokens end.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "users",
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn remove_user(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Path(name): extract::Path<String>,
) -> Result<StatusCode, ApiError> {
    let by = enter(&api, &headers, USER).await?;
    let whom = name.clone();
    doing(&api, &by, ("remove-user", USER), (&name, ""), move |guard| guard.remove_user(&whom)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a person another password; all their sessions end.
#[utoipa::path(post, path = "/api/v1/users/{name}/password", tag = "users", request_body = NewPassword,
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn set_password(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Path(name): extract::Path<String>,
    extract::Json(new): extract::Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/users/{name}/password";
    let by = enter(&api, &headers, route).await?;
    let whom = name.clone();
    doing(&api, &by, ("set-password", route), (&name, ""), move |guard| {
        guard.set_password(&whom, &new.password)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes all second factors away from somebody who has lost them; their sessions end.
#[utoipa::path(delete, path = "/api/v1/users/{name}/factors", tag = "users",
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn reset_factors(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Path(name): extract::Path<String>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/users/{name}/factors";
    let by = enter(&api, &headers, route).await?;
    let whom = name.clone();
    doing(&api, &by, ("reset-factors", route), (&name, ""), move |guard| guard.reset_factors(&whom))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a program another token; the one it has ends at once.
#[utoipa::path(post, path = "/api/v1/users/{name}/token", tag = "users", request_body = NewToken,
    params(("name" = String, Path, description = "Account name")),
    responses((status = 200, body = Token), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn rotate_token(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Path(name): extract::Path<String>,
    extract::Json(new): extract::Json<NewToken>,
) -> Result<Json<Token>, ApiError> {
    let route = "/api/v1/users/{name}/token";
    let by = enter(&api, &headers, route).await?;
    let (whom, expires) = (name.clone(), end(new.expires_days, api.now())?);
    let token = doing(&api, &by, ("rotate-token", route), (&name, ""), move |guard| {
        guard.rotate_token(&whom, expires)
    });
    Ok(Json(Token { token: token.await? }))
}

/// Ends all sessions of somebody.
#[utoipa::path(delete, path = "/api/v1/users/{name}/sessions", tag = "users",
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn end_user_sessions(
    State(api): State<Api>,
    headers: HeaderMap,
    extract::Path(name): extract::Path<String>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/users/{name}/sessions";
    let by = enter(&api, &headers, route).await?;
    let whom = name.clone();
    doing(&api, &by, ("end-sessions", route), (&name, ""), move |guard| {
        guard.account_fact(&whom)?;
        guard.end_sessions(&whom, None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
