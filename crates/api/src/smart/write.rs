//! Writing through a grant: what is written, and what is written over, have to be of what a scope
//! speaks of.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use oauth::{Action, Rule, matches};
use serde_json::Value as Json;

use super::enforce::{Doing, Reach, doing, insufficient, is_whole, look};
use crate::error::ApiError;
use crate::fhir_access::outcome;

/// Largest body that is looked through.
const BODY_MAX: usize = 32 * 1024 * 1024;

const CONDITIONAL: &str = "conditional requests and patches need a scope without a patient or criteria";
const OTHERS: &str = "no scope of this token allows this for this resource";

/// The body as JSON, and the request with it again. What can't be read is refused: whoever is not
/// looked at could be anybody's.
async fn read(request: Request) -> Result<(Json, Request), Response> {
    let (parts, body) = request.into_parts();
    if parts.headers.get(header::CONTENT_ENCODING).is_some_and(|how| how != "identity") {
        return Err(outcome(ApiError::Refused("with this token, send the body unpacked")));
    }
    let bytes = to_bytes(body, BODY_MAX).await;
    let bytes = bytes.map_err(|_| outcome(ApiError::Refused("the body is too long")))?;
    let json = serde_json::from_slice(&bytes).map_err(|_| outcome(ApiError::bad("the body is no JSON")))?;
    Ok((json, Request::from_parts(parts, Body::from(bytes))))
}

pub(super) async fn create(reach: &Reach<'_>, ty: &str, request: Request, next: Next) -> Response {
    let rules = reach.rules(Action::Create, ty);
    if rules.is_empty() {
        return insufficient();
    }
    if is_whole(&rules) {
        return shown(reach, next.run(request).await).await;
    }
    if request.headers().contains_key("if-none-exist") {
        return outcome(ApiError::Refused(CONDITIONAL));
    }
    match read(request).await {
        Ok((json, request)) if matches(&rules, &json, &reach.ids()) => {
            shown(reach, next.run(request).await).await
        }
        Ok(_) => outcome(ApiError::Refused(OTHERS)),
        Err(refusal) => refusal,
    }
}

/// An update or deletion. `named`: of one resource by its id.
pub(super) async fn change(
    reach: &Reach<'_>,
    action: Action,
    ty: &str,
    named: bool,
    request: Request,
    next: Next,
) -> Response {
    let rules = reach.rules(action, ty);
    if rules.is_empty() {
        return insufficient();
    }
    if is_whole(&rules) {
        return shown(reach, next.run(request).await).await;
    }
    let put = *request.method() == Method::PUT;
    if !named || !(put || *request.method() == Method::DELETE) {
        return outcome(ApiError::Refused(CONDITIONAL));
    }
    let (request, new) = if put {
        match read(request).await {
            Ok((json, request)) => (request, Some(json)),
            Err(refusal) => return refusal,
        }
    } else {
        (request, None)
    };
    if new.is_some_and(|json| !matches(&rules, &json, &reach.ids())) {
        return outcome(ApiError::Refused(OTHERS));
    }
    // Without its body, which can't be looked at from two sides.
    let mut look_up = Request::new(Body::empty());
    *look_up.uri_mut() = request.uri().clone();
    *look_up.extensions_mut() = request.extensions().clone();
    match may_replace(reach, &rules, look_up, next.clone()).await {
        None => shown(reach, next.run(request).await).await,
        Some(refusal) => refusal,
    }
}

/// Why what is there now may not be changed, if it may not: it is read as it would be for anybody.
async fn may_replace(reach: &Reach<'_>, rules: &[Rule<'_>], look_up: Request, next: Next) -> Option<Response> {
    let there = next.run(look_up).await;
    if !there.status().is_success() {
        return None;
    }
    let (patient, mut fine) = (reach.ids(), false);
    look(there, |json| {
        fine = matches(rules, json, &patient);
        Some(())
    })
    .await;
    (!fine).then(|| outcome(ApiError::Refused(OTHERS)))
}

/// What was written comes back only to whoever may read it.
async fn shown(reach: &Reach<'_>, answer: Response) -> Response {
    if !answer.status().is_success() {
        return answer;
    }
    let mut seen = true;
    let answer = look(answer, |json| {
        seen = json["resourceType"] == "OperationOutcome" || reach.shows(json);
        Some(())
    })
    .await;
    if seen {
        return answer;
    }
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// A batch or transaction: every entry by its own scope.
pub(super) async fn bundle(reach: &Reach<'_>, request: Request, next: Next) -> Response {
    let (json, request) = match read(request).await {
        Ok(read) => read,
        Err(refusal) => return refusal,
    };
    let entries = json["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !entries.iter().all(|entry| allows(reach, entry)) {
        return outcome(ApiError::Refused(
            "a scope is missing for an entry; entries other than creations need scopes without a patient or criteria",
        ));
    }
    next.run(request).await
}

fn allows(reach: &Reach<'_>, entry: &Json) -> bool {
    let asked = &entry["request"];
    let (Some(method), Some(url)) = (asked["method"].as_str(), asked["url"].as_str()) else { return false };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return false };
    let path = format!("/fhir/{}", url.split('?').next().unwrap_or_default().trim_start_matches('/'));
    let (doing, ty) = doing(&method, &path);
    let action = match doing {
        Doing::Search => Action::Search,
        Doing::Read => Action::Read,
        Doing::Create => Action::Create,
        Doing::Update { .. } => Action::Update,
        Doing::Delete { .. } => Action::Delete,
        Doing::Bundle | Doing::Nothing => return false,
    };
    let rules = reach.rules(action, ty);
    // An answer to an entry can hold what is there: so it has to be readable, too.
    let readable = is_whole(&reach.rules(Action::Read, ty));
    let found_or_made = action == Action::Create && asked["ifNoneExist"].is_null();
    match (is_whole(&rules), found_or_made) {
        (true, true) => true,
        (true, false) => readable || matches!(action, Action::Read | Action::Search),
        (false, true) => matches(&rules, &entry["resource"], &reach.ids()),
        (false, false) => false,
    }
}
