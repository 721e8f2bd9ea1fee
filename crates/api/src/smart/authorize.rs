//! Where an application sends the browser of whoever it wants to act for (RFC 6749 § 3.1).
//!
//! The session cookie does not come along from another site, so nothing is decided here: what is
//! right is passed on to our own page, which asks the person and then [`super::consent`].

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use oauth::form::{Form, with_parameters};
use oauth::{Authorization, Client, Code, OauthError, Refusal};

use crate::state::Api;

/// The page that asks.
const PAGE: &str = "/authorize";

pub(super) async fn by_query(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    pass_on(&api, &headers, query.unwrap_or_default().as_bytes())
}

pub(super) async fn by_form(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    pass_on(&api, &headers, &body)
}

fn pass_on(api: &Api, headers: &HeaderMap, query: &[u8]) -> Response {
    let own = api.address(headers);
    match judge(api, &own, query) {
        Ok(_) => {
            // Written anew: what a form's body holds may not be fit for an address.
            let query = std::str::from_utf8(query).unwrap_or_default();
            let pairs = oauth::form::pairs(query);
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            go(&with_parameters(&format!("{own}{PAGE}"), &pairs))
        }
        Err(Refusal::Here(problem)) => {
            let text = format!("This can't go on: {problem}. Tell whoever runs the application.\n");
            (StatusCode::BAD_REQUEST, text).into_response()
        }
        Err(Refusal::Back { redirect_uri, state, error }) => {
            go(&refused(&redirect_uri, state.as_deref(), error, &own))
        }
    }
}

/// Judges a request by everything that needs no person.
pub(super) fn judge(api: &Api, own: &str, query: &[u8]) -> Result<(Authorization, Client), Refusal> {
    let form = Form::read(query).map_err(|error| Refusal::Here(error.detail))?;
    if api.guard.is_open() {
        return Err(Refusal::Here("applications are off under --open"));
    }
    let find = |id: &str| match api.guard.client(id) {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(%error, "an application could not be looked up");
            None
        }
    };
    oauth::check(&form, find, &format!("{own}/fhir"))
}

/// The application's address with a refusal (RFC 6749 § 4.1.2.1), and who refuses (RFC 9207).
pub(super) fn refused(address: &str, state: Option<&str>, error: OauthError, own: &str) -> String {
    let mut parameters = vec![("error", error.code.name()), ("error_description", error.detail)];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", own));
    with_parameters(address, &parameters)
}

/// A person's no.
pub(super) const DENIED: OauthError =
    OauthError::new(Code::AccessDenied, "the person does not want to give access");

/// Goes on at an address; 303, so that a form is not sent again.
fn go(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => {
            let headers = [(header::LOCATION, address), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
