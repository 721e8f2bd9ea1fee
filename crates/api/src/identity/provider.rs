//! Signing on at the site's identity provider (OpenID Connect, authorization code flow with PKCE).
//!
//! The browser goes to the provider and comes back with a code, which this machine turns into an ID
//! token. On the way out it gets a cookie that only this flow reads: whoever comes back without it
//! was sent by somebody else. The page hears behind `#` how it went, which no server's log has.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use guard::{
    Became, Guard, LoginError, Note, Outcome, ProviderError, ProviderPerson, ProviderRefusal, Session, Step,
};
use oauth::form::Form;
use serde::Deserialize;

use super::login::entrance;
use super::shapes::{LoggedOut, ProviderLink};
use super::users::{doing, enter};
use super::{Did, blocking, cookies};
use crate::access::source;
use crate::error::ApiError;
use crate::extract;
use crate::origin::Origin;
use crate::sign_on::{AskError, SignOn, Waiting, fingerprint, person};
use crate::state::Api;

const START: &str = "/api/v1/oidc/start";
const CALLBACK: &str = "/api/v1/oidc/callback";
const LINK: &str = "/api/v1/users/{name}/provider";

/// Longest path that a person is brought back to, in bytes: an application's request is long.
const NEXT_MAX: usize = 4_096;

/// Where to go after signing on.
#[derive(Debug, Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

/// Why nobody came in.
enum Refusal {
    /// Nothing waits for this: the request proves nothing, and anybody can send it.
    Stray(&'static str),
    /// The provider says no, or nothing that can be relied on; whose account it would be.
    Of(&'static str, Option<ProviderPerson>),
    /// Something is broken here.
    Broken(ApiError),
}

/// Sends the browser to the site's identity provider.
#[utoipa::path(get, path = "/api/v1/oidc/start", tag = "session",
    params(("next" = Option<String>, Query, description = "Path of the page to come back to")),
    responses((status = 303, description = "To the provider; or back to the page, with `#sign-on=` and the reason, when it can't be reached"),
        (status = 404, body = crate::dto::ErrorBody, description = "No provider is configured")))]
pub(crate) async fn start(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    extract::Query(wanted): extract::Query<Next>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sign_on = configured(&api)?;
    let next = wanted.next.filter(|next| is_own_path(next)).unwrap_or_else(|| "/".to_owned());
    let provider = match sign_on.provider(api.now()).await {
        Ok(provider) => provider,
        Err(error) => {
            tracing::error!("the identity provider can't be relied on: {error}");
            note(&api, START, error.name());
            return go(&told(&next, "unavailable"), Vec::new());
        }
    };
    let token = || Guard::random_token().map_err(|error| ApiError::internal(&error));
    let (state, browser) = (token()?, token()?);
    let waiting = Waiting {
        nonce: token()?,
        verifier: token()?,
        browser: fingerprint(&browser),
        back: format!("{}{CALLBACK}", api.address(&headers)),
        next,
        began: api.now().micros(),
    };
    let address = sign_on.address(&provider, &state, &waiting);
    sign_on.wait(&state, waiting);
    go(&address, vec![cookies::away(&browser, origin)?])
}

/// Where the provider sends the browser back to.
#[utoipa::path(get, path = "/api/v1/oidc/callback", tag = "session",
    responses((status = 303, description = "To the page that was wanted: logged in, or with `#sign-on=` and what is needed or wrong"),
        (status = 404, body = crate::dto::ErrorBody, description = "No provider is configured")))]
pub(crate) async fn callback(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sign_on = configured(&api)?;
    let away = vec![cookies::away("", origin)?];
    let form = Form::read(query.unwrap_or_default().as_bytes());
    let waiting = form.ok().and_then(|form| Some((waiting(&api, sign_on, &form, &headers)?, form)));
    let Some((waiting, form)) = waiting else {
        refuse(&api, Refusal::Stray("state")).await?;
        return go(&told("/", "begin-again"), away);
    };
    let next = waiting.next.clone();
    match come_in(&api, sign_on, &form, &waiting, &headers, origin).await {
        Ok((Step::In(session, token), became)) => {
            let detail = match became {
                Became::Known => "",
                Became::Linked => "linked to the provider's person by the configured claim",
                Became::Made => "account made",
            };
            Did { detail, ..Did::by(&session, "login", CALLBACK) }.record(&api).await?;
            let own = vec![cookies::session(&token, origin)?, cookies::half("", origin)?];
            go(&next, [away, own].concat())
        }
        Ok((Step::More(token, needs), _)) => {
            let actor = api.guard.half_login(&token, api.now()).unwrap_or_default();
            let (action, outcome, detail) = ("login-first-step", Outcome::Allowed, "");
            let object = actor.as_str();
            Did { session: None, actor: &actor, action, route: CALLBACK, object, detail, outcome }.record(&api).await?;
            let needs: Vec<&str> = needs.iter().map(|factor| factor.name()).collect();
            go(&told(&next, &format!("more:{}", needs.join(","))), [away, vec![cookies::half(&token, origin)?]].concat())
        }
        Err(why) => {
            let shown = refuse(&api, why).await?;
            go(&told(&next, shown), away)
        }
    }
}

/// What waits for this return: of this state, and of this very browser.
fn waiting(api: &Api, sign_on: &SignOn, form: &Form, headers: &HeaderMap) -> Option<Waiting> {
    let found = sign_on.take(form.get("state")?, api.now().micros())?;
    let browser = cookies::away_of(headers)?;
    (found.browser == fingerprint(browser)).then_some(found)
}

async fn come_in(
    api: &Api,
    sign_on: &SignOn,
    form: &Form,
    waiting: &Waiting,
    headers: &HeaderMap,
    origin: Origin,
) -> Result<(Step, Became), Refusal> {
    let (now, entrance) = (api.now(), entrance(headers, origin));
    api.guard.begin_provider(&entrance, now).map_err(|error| match error {
        LoginError::SlowDown { .. } => Refusal::Stray("slow-down"),
        error => Refusal::Broken(ApiError::internal(&error)),
    })?;
    let provider = sign_on.provider(now).await.map_err(unreliable)?;
    // Another server's answer must not be taken for this one's (RFC 9207).
    match form.get("iss") {
        Some(issuer) if issuer != provider.issuer => return Err(Refusal::Of("issuer", None)),
        None if provider.names_itself => return Err(Refusal::Of("issuer", None)),
        _ => {}
    }
    if form.get("error").is_some() {
        return Err(Refusal::Of("refused-there", None));
    }
    let code = form.get("code").ok_or(Refusal::Of("code-missing", None))?;
    let claims = sign_on.claims(&api.outside, code, waiting, now).await.map_err(unreliable)?;
    let person = person(&claims, &sign_on.settings);
    let (guard, asked) = (api.guard.clone(), person.clone());
    let tried = blocking(move || guard.login_provider(&asked, &entrance, now)).await.map_err(Refusal::Broken)?;
    tried.map_err(|error| match error {
        ProviderError::Refused(why) => Refusal::Of(why.name(), Some(person)),
        ProviderError::Login(error) => Refusal::Broken(ApiError::internal(&error)),
    })
}

fn unreliable(error: AskError) -> Refusal {
    tracing::warn!("a sign-on at the identity provider failed: {error}");
    Refusal::Of(error.name(), None)
}

/// Records a refusal; what the page is told of it.
async fn refuse(api: &Api, why: Refusal) -> Result<&'static str, ApiError> {
    let (why, person) = match why {
        Refusal::Stray(why) => {
            note(api, CALLBACK, why);
            return Ok(why);
        }
        Refusal::Broken(error) => return Err(error),
        Refusal::Of(why, person) => (why, person),
    };
    // Whoever administers links an account by this name, so the record has to hold it.
    let subject = person.map(|person| person.subject).unwrap_or_default();
    let known = (!subject.is_empty()).then(|| api.guard.provider_name(&subject)).flatten();
    let actor = known.unwrap_or_else(|| "unknown".to_owned());
    let detail = if subject.is_empty() { why.to_owned() } else { format!("{why}: {subject}") };
    let (action, object, outcome) = ("login", actor.as_str(), Outcome::Denied);
    Did { session: None, actor: &actor, action, route: CALLBACK, object, detail: &detail, outcome }.record(api).await?;
    // A page says what the person can do something about; the rest is in the log.
    let person = [
        ProviderRefusal::NoRole, ProviderRefusal::Disabled, ProviderRefusal::Unknown, ProviderRefusal::Taken,
        ProviderRefusal::Unfit, ProviderRefusal::LastAdministrator,
    ];
    let told = person.into_iter().map(ProviderRefusal::name).find(|name| *name == why);
    Ok(told.unwrap_or(if why == "refused-there" { why } else { "unreliable" }))
}

/// Counts what anybody can send as often as they like.
fn note(api: &Api, route: &'static str, why: &'static str) {
    let (actor, object) = ("unknown".to_owned(), String::new());
    let (source, outcome) = (source(), Outcome::Denied);
    let note = Note { action: "login", route, actor, source, outcome, object, factor: "" };
    api.guard.note_because(note, why, api.now());
}

fn configured(api: &Api) -> Result<&SignOn, ApiError> {
    let found = api.outside.sign_on.as_ref().filter(|_| !api.guard.is_open());
    found.ok_or(ApiError::NotFound("identity provider"))
}

/// Whether a text is a path of ours: nobody is sent on to another site.
fn is_own_path(next: &str) -> bool {
    let bytes = next.as_bytes();
    bytes.len() <= NEXT_MAX
        && bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && !next.contains('#')
        && bytes.iter().all(u8::is_ascii_graphic)
}

/// A page of ours that is told how the sign-on went.
fn told(next: &str, how: &str) -> String {
    format!("{next}#sign-on={how}")
}

fn go(address: &str, cookies: Vec<HeaderValue>) -> Result<Response, ApiError> {
    let address = HeaderValue::from_str(address).map_err(|error| ApiError::internal(&error))?;
    let headers = [(header::LOCATION, address), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok(cookies::with((StatusCode::SEE_OTHER, headers).into_response(), cookies))
}

/// The answer to whoever logged out: where to go on, if the provider knows a log-out too.
pub(super) fn logged_out(api: &Api, headers: &HeaderMap, session: &Session) -> Response {
    use guard::Means::{Provider, ProviderStrong, ProviderTotp};
    let theirs = matches!(session.means, Provider | ProviderStrong | ProviderTotp);
    let sign_on = api.outside.sign_on.as_ref().filter(|_| theirs);
    let provider = sign_on.and_then(|sign_on| sign_on.log_out(&format!("{}/", api.address(headers))));
    match provider {
        Some(provider) => Json(LoggedOut { provider }).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Says that an account is a person's at the site's provider: who signs on there comes in as this
/// account from now on, and its password opens nothing any more.
#[utoipa::path(put, path = "/api/v1/users/{name}/provider", tag = "users", request_body = ProviderLink,
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = 404, body = crate::dto::ErrorBody), (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn link(
    State(api): State<Api>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<ProviderLink>,
) -> Result<StatusCode, ApiError> {
    let by = enter(&api, &headers, LINK).await?;
    let subject = format!("{} {}", configured(&api)?.settings.issuer, body.subject);
    let (whom, theirs) = (name.clone(), subject.clone());
    let deed = move |guard: &Guard| guard.link_provider(&whom, Some(&theirs));
    doing(&api, &by, ("link-provider", LINK), (&name, &subject), deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an account away from the person at the site's provider. It needs a password of its own then.
#[utoipa::path(delete, path = "/api/v1/users/{name}/provider", tag = "users",
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = 404, body = crate::dto::ErrorBody)))]
pub(crate) async fn unlink(
    State(api): State<Api>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let by = enter(&api, &headers, LINK).await?;
    let whom = name.clone();
    let deed = move |guard: &Guard| guard.link_provider(&whom, None);
    doing(&api, &by, ("unlink-provider", LINK), (&name, ""), deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_on_to_another_site() {
        for (next, own) in [
            ("/", true),
            ("/patients/p-1?range=24h", true),
            ("/authorize?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fcb", true),
            ("//evil.example/", false),
            ("/\\evil.example", false),
            ("https://evil.example/", false),
            ("/a#sign-on=x", false),
            ("/a\r\nSet-Cookie: x", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(next), own, "{next}");
        }
        assert!(!is_own_path(&format!("/{}", "a".repeat(NEXT_MAX))));
    }
}
