//! Where a number comes from (PR-1): from a reading to its device, its message and its time.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use store::{Attachment, SeriesFilter, SeriesInfo, Span};
use vitals::{Event, Message, Offset, Passed, Point, ReadingRef, Relayed, SeriesId};

use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::view;

/// Most bytes of a payload that are shown.
const SHOWN_MAX: usize = 64 * 1024;

/// Names the last reading of a series within `from .. to` (microseconds): what a point of a trend
/// stands for. Looked up only when somebody asks.
pub(crate) fn span_name(series: SeriesId, from: i64, to: i64) -> String {
    format!("s{}-{from}-{to}", series.0)
}

/// What a path names: one reading, or the last of a span.
enum Named {
    Reading(ReadingRef),
    LastOf(SeriesId, Span),
}

fn named(text: &str) -> Option<Named> {
    if let Ok(reading) = text.parse() {
        return Some(Named::Reading(reading));
    }
    let mut parts = text.strip_prefix('s')?.splitn(3, '-');
    let series = SeriesId(parts.next()?.parse().ok()?);
    let span = Span { from: parts.next()?.parse().ok(), to: parts.next()?.parse().ok() };
    Some(Named::LastOf(series, span))
}

/// Where a number comes from.
#[utoipa::path(get, path = "/api/v1/readings/{reading}", tag = "patients",
    params(("reading" = String, Path, description = "Name of a reading or of a trend's point")),
    responses((status = 200, body = dto::ReadingSource), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_reading(
    State(api): State<Api>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::ReadingSource>, ApiError> {
    let named = named(&text)
        .ok_or_else(|| ApiError::bad("a reading is named r<series>-<offset>-<index>"))?;
    let found = api
        .ask_settled(move |store| {
            let (series, point) = match named {
                Named::Reading(name) => (name.series, store.reading(name)?),
                Named::LastOf(series, span) => (series, store.points(series, span)?.pop()),
            };
            let filter = SeriesFilter { ids: vec![series], ..SeriesFilter::default() };
            let info = store.series(&filter)?.pop();
            let Some((point, info)) = point.zip(info) else { return Ok(None) };
            let name = ReadingRef { series, offset: point.offset, index: point.index };
            Ok(Some((name, point, info, store.attachment(name)?)))
        })
        .await?;
    let route = "/api/v1/readings/{reading}";
    let whose = found.as_ref().and_then(|(_, _, info, _)| info.key.subject.clone());
    api.enter_found(&headers, Permission::SeePatients, route, whose.as_ref(), "reading").await?;
    let (name, point, info, attachment) = found.ok_or(ApiError::NotFound("reading"))?;
    if whose.is_none() && !api.viewer(&headers)?.whole_house() {
        return Err(ApiError::NotFound("reading"));
    }
    Ok(Json(describe(&api, name, point, &info, attachment)))
}

fn describe(
    api: &Api,
    name: ReadingRef,
    point: Point,
    info: &SeriesInfo,
    attachment: Option<Attachment>,
) -> dto::ReadingSource {
    let row = info.key.metric.metric();
    let message = message_at(api, point.offset);
    let sent = message.as_ref().and_then(|message| {
        message.readings().find(|(index, ..)| *index <= point.index).and_then(|_| {
            let mut best = None;
            for (index, _, measurement) in message.readings() {
                if index <= point.index {
                    best = measurement.device_time;
                }
            }
            best
        })
    });
    let refid = info.key.metric.refid();
    let device = api.live.device(&info.key.device);
    let patient = info.key.subject.as_ref().and_then(|id| api.live.patient(id));
    let derived = point.quality.contains(vitals::Quality::DERIVED);
    dto::ReadingSource {
        reading: name.to_string(),
        name: row.map_or_else(|| refid.clone(), |row| row.name.to_owned()),
        value: (!point.value.is_nan()).then_some(point.value),
        text: match attachment {
            Some(Attachment::Text(text)) => view::text(info.key.metric, point.value, Some(&text)),
            Some(Attachment::Samples(samples)) => {
                Some(format!("{} samples at {} Hz", samples.len(), samples.rate.hz()))
            }
            None => view::text(info.key.metric, point.value, None),
        },
        unit: row.map_or("", |row| row.unit.display()).to_owned(),
        patient: patient.map(|seen| view::patient(&seen.patient, seen.age_years)),
        device_name: device
            .map_or_else(|| info.key.device.to_string(), |line| line.device.name.clone()),
        device: info.key.device.to_string(),
        time_ms: point.time.millis(),
        device_time_ms: sent.filter(|_| !derived).map(vitals::DeviceTime::millis),
        received_ms: point.received.millis(),
        flags: point.quality.names(),
        offset: point.offset,
        index: point.index,
        message: message.map(|message| message_view(&message)),
        metric: refid,
    }
}

/// The message that a journal entry holds, while the journal still has it.
pub(crate) fn message_at(api: &Api, offset: Offset) -> Option<Message> {
    let entry = api.appender.read(offset, 1).ok()?.into_iter().find(|e| e.offset == offset)?;
    match entry.event {
        Event::Message(message) => Some(message),
        Event::Relayed(Relayed { what: Passed::Message(message), .. }) => Some(*message),
        Event::Action(_, vitals::Action::Release { message, .. }) => Some(*message),
        _ => None,
    }
}

/// A message as received.
pub(crate) fn message_view(message: &Message) -> dto::MessageView {
    let shown = &message.payload[..message.payload.len().min(SHOWN_MAX)];
    let (payload, format) = match printable(shown) {
        Some(text) => (text, "text"),
        None => (shown.iter().map(|byte| format!("{byte:02x}")).collect(), "hex"),
    };
    let origin = &message.origin;
    dto::MessageView {
        protocol: origin.protocol.name().to_owned(),
        address: origin.address.clone(),
        sender: origin.sender.clone(),
        message_id: origin.message_id.clone(),
        profile: origin.profile.clone(),
        received_ms: message.received.millis(),
        size: message.payload.len(),
        payload,
        payload_format: format.to_owned(),
    }
}

/// The text of bytes that are text; the line ends of HL7 become ones that screens show.
fn printable(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A cut may have gone through the last character.
        Err(error) if bytes.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let odd = text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t'));
    (!odd).then(|| text.replace("\r\n", "\n").replace('\r', "\n"))
}
