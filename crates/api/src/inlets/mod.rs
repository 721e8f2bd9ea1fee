//! What apps, clouds and network servers send over HTTP, each in its own form: Nightscout documents,
//! uplinks of LoRaWAN network servers, data points of Open mHealth and its kin. All go the same way:
//! who sends, whose device is it, map, restrict, journal, and only then the answer (DU-1).
//!
//! What is absent: what a form means (`mapping`), and commands to devices.

pub(crate) mod health;
pub(crate) mod lorawan;
pub(crate) mod nightscout;
mod sender;

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use journal::{Draft, Lane};
use mapping::RawMessage;
use vitals::{
    DeviceId, Event, Message, Origin as MessageOrigin, Problem, ProblemKind, Protocol, TimeBase,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::source;
use crate::error::ApiError;
use crate::state::Api;

use nightscout::third;
pub(crate) use sender::{Sender, Shown};

/// The routes of the Nightscout API, which no account opens by itself: each handler asks for what its
/// senders can show. The form is described by its own project.
pub(crate) fn routes() -> Router<Api> {
    let entries = || get(nightscout::get_entries).post(nightscout::post_entries);
    let treatments = || get(nightscout::get_treatments).post(nightscout::post_treatments).put(nightscout::post_treatments);
    let status = || get(nightscout::get_nothing).post(nightscout::post_device_status);
    let profile = || get(nightscout::get_nothing).post(nightscout::post_profile).put(nightscout::post_profile);
    Router::new()
        .route("/api/v1/entries", entries())
        .route("/api/v1/entries.json", entries())
        .route("/api/v1/entries/{kind}", get(nightscout::get_entries_of))
        .route("/api/v1/treatments", treatments())
        .route("/api/v1/treatments.json", treatments())
        .route("/api/v1/devicestatus", status())
        .route("/api/v1/devicestatus.json", status())
        .route("/api/v1/profile", profile())
        .route("/api/v1/profile.json", profile())
        .route("/api/v1/status", get(nightscout::get_status))
        .route("/api/v1/status.json", get(nightscout::get_status))
        .route("/api/v1/verifyauth", get(nightscout::get_verified))
        .route("/api/v1/experiments/test", get(nightscout::get_verified))
        .route("/api/v2/authorization/request/{token}", get(third::get_pass))
        .route("/api/v3/version", get(third::get_version))
        .route("/api/v3/status", get(third::get_status))
        .route("/api/v3/lastModified", get(third::get_last_modified))
        .route("/api/v3/{collection}", get(third::get_documents).post(third::post_document))
        .route("/api/v3/{collection}/{identifier}", axum::routing::put(third::put_document))
        .route("/api/v3/{collection}/history/{since}", get(third::get_history))
}

/// Those whose form is ours to describe.
pub(crate) fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(health::post_health)).routes(routes!(lorawan::post_uplink))
}

/// One message of a request, ready to be mapped.
pub(crate) struct Piece {
    /// Where a profile finds it, as if it came over MQTT.
    pub(crate) topic: String,
    /// What is kept of it.
    pub(crate) payload: Vec<u8>,
}

/// What became of one.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// Values that were taken.
    pub(crate) values: usize,
    /// What was not, and stands in quarantine.
    pub(crate) problems: Vec<Problem>,
    /// It had come before.
    pub(crate) again: bool,
}

/// Maps the pieces of one request and waits until all are durable.
///
/// # Errors
/// [`ApiError::Unavailable`] when one of them could not be kept: the sender sends all again, and what
/// was kept is known by then.
pub(crate) async fn take(api: &Api, sender: &Sender, pieces: Vec<Piece>) -> Result<Vec<Fate>, ApiError> {
    let mut drafts = Vec::with_capacity(pieces.len());
    let mut fates = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (message, dedup, lane) = mapped(api, sender, piece);
        fates.push(Fate { values: message.readings().count(), problems: message.problems.clone(), again: false });
        api.depot.hear_message(&message, "measurements", source());
        drafts.push(Draft { event: Event::Message(message), dedup, lane });
    }
    let outcomes = join_all(drafts.into_iter().map(|draft| api.appender.append(draft))).await;
    for (fate, outcome) in fates.iter_mut().zip(outcomes) {
        match outcome {
            Ok(journal::Outcome::Committed(_)) => {}
            Ok(journal::Outcome::Duplicate(_)) => fate.again = true,
            Ok(journal::Outcome::Failed(error)) => return Err(ApiError::unavailable(&error.to_string())),
            Err(closed) => return Err(ApiError::unavailable(&closed.to_string())),
        }
    }
    Ok(fates)
}

fn mapped(api: &Api, sender: &Sender, piece: Piece) -> (Message, Option<u128>, Lane) {
    let received = api.now();
    let raw = RawMessage { topic: &piece.topic, payload: &piece.payload, content_type: None, received };
    let mapped = api.library.profiles().map(&raw);
    let lane = if mapped.lane_is_waveform { Lane::Waveform } else { Lane::Numeric };
    let mut message = Message {
        origin: MessageOrigin {
            protocol: Protocol::Http,
            address: piece.topic,
            sender: sender.name(),
            message_id: String::new(),
            profile: mapped.profile,
        },
        received,
        time_base: mapped.time_base,
        payload: piece.payload,
        content: mapped.content,
        problems: mapped.problems,
    };
    if let Sender::Device(own) = sender {
        keep_to(own, &mut message);
    }
    for violation in api.guard.restrictions().keep_within(&mut message) {
        api.violated(violation);
    }
    (message, mapped.dedup, lane)
}

/// Takes out what a device says of others.
fn keep_to(own: &DeviceId, message: &mut Message) {
    let live = message.time_base == TimeBase::Live;
    if message.keep_to(own, live) {
        message.problems.push(Problem {
            kind: ProblemKind::Forbidden,
            path: String::new(),
            detail: "readings of another device than the sender's own".to_owned(),
        });
    }
}
