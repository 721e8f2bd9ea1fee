//! Who sends: a device by its certificate, its name and password, or the digest of that; or a program
//! by its token. What is allowed to whom is the guard's to say, and each sender is noted.

use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use guard::{Note, Outcome, Permission, Presented, Refusal};
use vitals::DeviceId;

use crate::access::source;
use crate::error::ApiError;
use crate::state::Api;
use crate::trust::readings::admitted;

/// The certificate that a device shows, if it does.
pub(crate) type Shown = Option<Extension<Arc<Presented>>>;

/// Who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A device, of itself alone.
    Device(DeviceId),
    /// A program or person that may send readings of any device, by its name.
    Program(String),
}

impl Sender {
    /// As the journal names it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Device(id) => id.to_string(),
            Self::Program(name) => name.clone(),
        }
    }

    /// Who sends this request.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`], [`ApiError::Refused`] for a device that is not let in now;
    /// [`ApiError::Forbidden`] for an account that may not send readings.
    pub(crate) async fn of(
        api: &Api,
        shown: Shown,
        headers: &HeaderMap,
        route: &'static str,
    ) -> Result<Self, ApiError> {
        if let Some(device) = device(api, shown, headers, route)? {
            return Ok(Self::Device(device));
        }
        let actor = api.enter(headers, Permission::SendReadings, route, None).await?;
        Ok(Self::Program(actor.name))
    }
}

/// The device that shows itself to be one; none when the request carries something else, or nothing.
pub(crate) fn device(
    api: &Api,
    shown: Shown,
    headers: &HeaderMap,
    route: &'static str,
) -> Result<Option<DeviceId>, ApiError> {
    if let Some(Extension(shown)) = shown {
        return admitted(api, &shown).map(Some);
    }
    let (found, factor) = if let Some(digest) = headers.get("api-secret").and_then(|value| value.to_str().ok()) {
        if api.guard.is_open() {
            return Ok(None);
        }
        (api.guard.device_by_digest(digest.trim()), "digest")
    } else if let Some((user, password)) = basic(headers) {
        (api.guard.device(&user, password.as_bytes()), "password")
    } else {
        return Ok(None);
    };
    let Some(id) = found else {
        api.note("unknown-device", route);
        return Err(ApiError::Unauthorised);
    };
    let judged = api.guard.admit_device(&id);
    let judged = judged.and_then(|own| api.guard.heard_in_zone(&own.zone, source(), "http").map(|_| ()));
    note(api, &id, route, factor, judged.err());
    judged.map_err(|_| ApiError::Refused("this device is not let in now"))?;
    Ok(Some(id))
}

fn note(api: &Api, id: &DeviceId, route: &'static str, factor: &'static str, refusal: Option<Refusal>) {
    let outcome = if refusal.is_none() { Outcome::Allowed } else { Outcome::Denied };
    let (action, actor, object) = ("post-measurements", id.to_string(), String::new());
    let note = Note { action, route, actor, source: source(), outcome, object, factor };
    api.guard.note_because(note, refusal.map_or("", Refusal::name), api.now());
}

/// Name and password of HTTP Basic.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let bytes = scheme.eq_ignore_ascii_case("basic").then(|| base64::engine::general_purpose::STANDARD.decode(text.trim()));
    let text = String::from_utf8(bytes?.ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// The same headers with a token as the bearer's, for apps that can only put it into the address or
/// into `api-secret: token=…`.
pub(crate) fn with_token(headers: &HeaderMap, query: Option<&str>) -> HeaderMap {
    let mut headers = headers.clone();
    let in_header = headers.get("api-secret").and_then(|value| value.to_str().ok());
    let in_header = in_header.and_then(|text| text.trim().strip_prefix("token=")).map(str::to_owned);
    let pairs = query.unwrap_or_default().as_bytes();
    let in_query = form_urlencoded::parse(pairs).find(|(key, _)| key == "token").map(|(_, value)| value.into_owned());
    let Some(token) = in_header.or(in_query) else { return headers };
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}")) {
        headers.remove("api-secret");
        headers.insert(header::AUTHORIZATION, value);
    }
    headers
}
