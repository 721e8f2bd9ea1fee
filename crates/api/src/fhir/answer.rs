//! From what was done to an HTTP response, and what a request may ask of it: media types,
//! `Prefer`, conditional headers.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::Value as Json;
use wire_fhir::bundle::EntryResponse;
use wire_fhir::{Issue, IssueCode, outcome, time};

use super::backend::BackendError;

/// Media type of every response.
const MEDIA_TYPE: &str = "application/fhir+json; charset=utf-8";

/// What became of a request, before it is HTTP or a bundle's entry.
pub(super) type Done = EntryResponse;

/// A refusal with one issue.
pub(super) fn refusal(status: u16, code: IssueCode, path: &str, detail: &str) -> Done {
    Done { status, issues: vec![Issue::error(code, path, detail)], ..Done::default() }
}

/// A refusal with several.
pub(super) fn refusals(status: u16, issues: Vec<Issue>) -> Done {
    Done { status, issues, ..Done::default() }
}

/// The platform could not do it. The cause is for the log; the sender may try again.
pub(super) fn unavailable(error: &BackendError) -> Done {
    if let BackendError::Refused(why) = error {
        return refusal(403, IssueCode::Forbidden, "", why);
    }
    tracing::warn!(%error, "a FHIR request could not be served");
    let (status, detail) = match error {
        BackendError::Unavailable(_) => (503, "Not possible at the moment: nothing was kept. Send it again."),
        BackendError::Refused(_) | BackendError::Failed(_) => (500, "Something failed inside: nothing was acknowledged. Send it again."),
    };
    refusal(status, IssueCode::Transient, "", detail)
}

/// What a client asked for beside the request itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    /// `Prefer: handling=strict`.
    pub strict: bool,
    /// `Prefer: return=…`.
    pub back: Back,
}

/// What a create or update answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Back {
    #[default]
    Representation,
    Minimal,
    Outcome,
}

impl Wishes {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut wishes = Self::default();
        let values = headers.get_all("prefer").into_iter().filter_map(|v| v.to_str().ok());
        for part in values.flat_map(|value| value.split([',', ';'])).map(str::trim) {
            match part {
                "handling=strict" => wishes.strict = true,
                "return=minimal" => wishes.back = Back::Minimal,
                "return=OperationOutcome" => wishes.back = Back::Outcome,
                _ => {}
            }
        }
        wishes
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Refuses a request that wants another format than JSON.
pub(super) fn acceptable(headers: &HeaderMap, query: &[(String, String)]) -> Result<(), Done> {
    let is_json = |media: &str| {
        let media = media.split(';').next().unwrap_or_default().trim().replace(' ', "+");
        matches!(
            media.as_str(),
            "" | "*/*" | "json" | "application/*" | "application/json" | "application/fhir+json"
                | "application/json+fhir" | "text/json"
        )
    };
    let wanted = query.iter().find(|(name, _)| name == "_format").map(|(_, value)| value.as_str());
    let fine = match wanted {
        Some(format) => is_json(format),
        None => text(headers, "accept").is_none_or(|accept| accept.split(',').any(is_json)),
    };
    let detail = "Only application/fhir+json is served.";
    if fine { Ok(()) } else { Err(refusal(406, IssueCode::NotSupported, "", detail)) }
}

/// Refuses a body of another format than JSON.
pub(super) fn readable(headers: &HeaderMap) -> Result<(), Done> {
    let media = text(headers, "content-type").unwrap_or("application/fhir+json");
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fine = matches!(
        media.as_str(),
        "application/fhir+json" | "application/json" | "application/json+fhir" | "text/json"
    );
    let detail = "Only application/fhir+json is understood.";
    if fine { Ok(()) } else { Err(refusal(415, IssueCode::NotSupported, "", detail)) }
}

/// The address that ids are below, as the client sees it.
pub(crate) fn base(headers: &HeaderMap) -> String {
    let plain = |text: &&str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b))
    };
    let path = |text: &&str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/".contains(&b));
    // Of a chain of proxies the first one spoke to the client.
    let first = |name: &str| text(headers, name).and_then(|list| list.split(',').next()).map(str::trim);
    let forwarded = |name: &str| {
        let pairs = first("forwarded")?.split(';').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim().trim_matches('"'))
    };
    let host = first("x-forwarded-host")
        .or(forwarded("host"))
        .filter(plain)
        .or(text(headers, "host").filter(plain));
    let scheme = match first("x-forwarded-proto").or(forwarded("proto")) {
        Some("https") => "https",
        _ => "http",
    };
    let prefix = first("x-forwarded-prefix").filter(path).unwrap_or_default().trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    format!("{scheme}://{}{slash}{prefix}/fhir", host.unwrap_or("localhost"))
}

/// The version in `If-Match` or `If-None-Match`: `W/"3"` or `"3"`.
pub(super) fn version(value: &str) -> Option<u64> {
    value.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// The HTTP response to a request.
pub(super) fn respond(done: Done, base: &str, back: Back) -> Response<Body> {
    let status = StatusCode::from_u16(done.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let failed = !status.is_success();
    let body: Option<Json> = match (failed, back, &done.resource) {
        _ if status == StatusCode::NO_CONTENT => None,
        (true, ..) | (_, Back::Outcome, _) | (_, Back::Representation, None) => {
            Some(outcome(&done.issues))
        }
        (_, Back::Minimal, _) if done.location.is_some() => None,
        (_, _, resource) => resource.clone(),
    };
    let not_modified = status == StatusCode::NOT_MODIFIED;
    let bytes = body.filter(|_| !not_modified).map(|json| json.to_string().into_bytes());
    let mut response = Response::new(Body::from(bytes.unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    let mut set = |name, value: Option<String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    };
    set(header::LOCATION, done.location.map(|location| format!("{base}/{location}")));
    set(header::ETAG, done.etag);
    let modified = done.last_modified.as_deref().and_then(time::interval);
    set(header::LAST_MODIFIED, modified.map(|interval| http_date(interval.start)));
    if failed && matches!(done.status, 503) {
        set(header::RETRY_AFTER, Some("1".to_owned()));
    }
    response
}

/// A time as HTTP writes it (RFC 9110 § 5.6.7).
fn http_date(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(time).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_negotiated() {
        for (accept, format, fine) in [
            (None, None, true),
            (Some("application/fhir+json"), None, true),
            (Some("text/html, */*;q=0.1"), None, true),
            (Some("application/fhir+xml"), None, false),
            (Some("application/fhir+xml"), Some("json"), true),
            (None, Some("xml"), false),
            (None, Some("application/fhir json"), true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert("accept", HeaderValue::from_static(accept));
            }
            let query: Vec<_> = format.map(|f| ("_format".to_owned(), f.to_owned())).into_iter().collect();
            assert_eq!(acceptable(&headers, &query).is_ok(), fine, "{accept:?} {format:?}");
        }
    }

    #[test]
    fn addresses_are_those_that_the_client_sees() {
        for (given, expected) in [
            (&[("host", "h:8080")][..], "http://h:8080/fhir"),
            (&[("host", "h"), ("x-forwarded-host", "ehr.example, inner"), ("x-forwarded-proto", "https")],
                "https://ehr.example/fhir"),
            (&[("host", "h"), ("x-forwarded-host", "e"), ("x-forwarded-prefix", "/vw/")], "http://e/vw/fhir"),
            (&[("host", "h"), ("forwarded", "for=1.2.3.4;host=\"e:8443\";proto=https, for=2")],
                "https://e:8443/fhir"),
            (&[("host", "h"), ("x-forwarded-host", "a\"<b>")], "http://h/fhir"),
            (&[], "http://localhost/fhir"),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(base(&headers), expected);
        }
    }

    #[test]
    fn versions_and_dates() {
        assert_eq!(version("W/\"3\""), Some(3));
        assert_eq!(version("\"x\""), None);
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
