//! Readings of a device that shows its certificate: what it would publish on its own MQTT topic,
//! posted over HTTPS and acknowledged when it is durable.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use guard::{Note, Outcome, Presented, Refusal, SecurityEvent};
use journal::{Draft, Lane};
use mapping::RawMessage;
use serde::Serialize;
use utoipa::ToSchema;
use vitals::{Content, DeviceId, Event, Message, Origin as MessageOrigin, Problem, ProblemKind, Protocol, TimeBase};

use crate::access::source;
use crate::dto;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

const ROUTE: &str = "/api/v1/device/measurements";

/// What became of a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Values that were taken.
    pub values: usize,
    /// What was not, and stands in quarantine: `kind: why`.
    pub quarantined: Vec<String>,
}

/// Takes measurements of the device whose certificate is shown (mutual TLS): SenML as on its MQTT topic.
#[utoipa::path(post, path = "/api/v1/device/measurements", tag = "devices",
    request_body(content = Vec<u8>, content_type = "application/senml+json"),
    responses((status = 200, body = Taken), (status = 401, body = dto::ErrorBody), (status = 403, body = dto::ErrorBody)))]
pub(crate) async fn post_measurements(
    State(api): State<Api>,
    shown: Option<Extension<Arc<Presented>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Taken>, ApiError> {
    let Some(Extension(shown)) = shown else { return Err(ApiError::Unauthorised) };
    let device = admitted(&api, &shown)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let (message, dedup, lane) = mapped(&api, &device, kind, &body);
    let values = message.readings().count();
    let quarantined = message.problems.iter().map(|p| format!("{}: {}", p.kind.name(), p.detail)).collect();
    // The same habits as on its MQTT topic, whichever way it takes.
    api.depot.hear_message(&message, "measurements", source());
    let draft = Draft { event: Event::Message(message), dedup, lane };
    match api.appender.append(draft).await {
        Ok(journal::Outcome::Committed(_) | journal::Outcome::Duplicate(_)) => {}
        Ok(journal::Outcome::Failed(error)) => return Err(ApiError::unavailable(&error.to_string())),
        Err(closed) => return Err(ApiError::unavailable(&closed.to_string())),
    }
    Ok(Json(Taken { values, quarantined }))
}

/// The device of a certificate, asked about at this moment.
pub(crate) fn admitted(api: &Api, shown: &Presented) -> Result<DeviceId, ApiError> {
    let now = api.now();
    let judged = api.guard.judge(shown, now).and_then(|device| device.ok_or(Refusal::Unknown));
    let judged = judged.and_then(|id| {
        let own = api.guard.admit_device(&id)?.zone;
        api.guard.heard_in_zone(&own, source(), "http").map(|_| id)
    });
    let (actor, outcome, why) = match &judged {
        Ok(id) => (id.to_string(), Outcome::Allowed, ""),
        Err(refusal) => ("unknown".to_owned(), Outcome::Denied, refusal.name()),
    };
    let action = "post-measurements";
    let (object, factor) = (String::new(), "certificate");
    let note = Note { action, route: ROUTE, actor, source: source(), outcome, object, factor };
    api.guard.note_because(note, why, now);
    judged.map_err(|refusal| {
        if refusal == Refusal::WrongZone {
            api.guard.security_event(SecurityEvent {
                kind: "wrong-zone",
                device: shown.names.iter().find_map(|name| DeviceId::new(name).ok()),
                zone: api.guard.trust().zones.at(source(), "http").unwrap_or_default().to_owned(),
                evidence: format!("refused at http, certificate {}", shown.serial),
                at: now,
            });
        }
        ApiError::Refused("this certificate is not let in now")
    })
}

/// The message as its device may say it.
fn mapped(api: &Api, device: &DeviceId, kind: Option<&str>, body: &[u8]) -> (Message, Option<u128>, Lane) {
    let topic = format!("vitalwire/{device}/measurements");
    let received = api.now();
    let profiles = api.library.profiles();
    let mapped = profiles.map(&RawMessage { topic: &topic, payload: body, content_type: kind, received });
    let lane = if mapped.lane_is_waveform { Lane::Waveform } else { Lane::Numeric };
    let mut message = Message {
        origin: MessageOrigin {
            protocol: Protocol::Http,
            address: ROUTE.to_owned(),
            sender: device.to_string(),
            message_id: String::new(),
            profile: mapped.profile,
        },
        received,
        time_base: TimeBase::Live,
        payload: body.to_vec(),
        content: mapped.content,
        problems: mapped.problems,
    };
    message.time_base = mapped.time_base;
    let before = message.content.len();
    message.content.retain(|content| match content {
        Content::Reading(reading) => reading.device == *device,
        Content::Alarm(alarm) => alarm.device == *device,
        Content::Directory(_) => true,
    });
    if message.content.len() < before {
        message.problems.push(Problem {
            kind: ProblemKind::Forbidden,
            path: String::new(),
            detail: "readings of another device than the certificate's own".to_owned(),
        });
    }
    for violation in api.guard.restrictions().keep_within(&mut message) {
        api.violated(violation);
    }
    (message, mapped.dedup, lane)
}

impl Api {
    /// Notes that a device said what it may not.
    pub(crate) fn violated(&self, violation: guard::Violation) {
        self.guard.security_event(SecurityEvent {
            kind: violation.kind,
            device: Some(violation.device),
            zone: String::new(),
            evidence: violation.what,
            at: self.now(),
        });
    }
}
