//! `/api/v1/live`: server-sent events. Each change is written as JSON once and handed to all
//! viewers; a viewer that can't keep up begins anew with the whole ward and slows nobody down.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use guard::{Categories, Category, Outcome, Permission, Record};
use live::{Change, Resumed};
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use vitals::PatientId;

use crate::access::{self, Acting};
use crate::app::ward::{load, ward};
use crate::dto::{self, LiveEvent};
use crate::error::ApiError;
use crate::state::Api;
use crate::view;
use crate::viewer::Viewer;
use crate::worklist;

/// How often the time is told. A page that hears nothing for three of these is not live.
const TIME_EVERY: Duration = Duration::from_secs(2);

/// One change, ready to be sent.
#[derive(Debug)]
pub struct Ready {
    position: u64,
    name: &'static str,
    json: String,
    unit: Option<String>,
    /// Whom it is about, if it is about one.
    patient: Option<PatientId>,
}

/// Turns changes into ready events, once for all viewers.
pub struct Broadcast {
    sender: broadcast::Sender<Arc<Ready>>,
}

impl Default for Broadcast {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(2_048) }
    }
}

impl Broadcast {
    /// How many are looking.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.sender.receiver_count()
    }

    /// Runs until the task is ended.
    pub async fn run(self: Arc<Self>, api: Api) {
        let mut changes = api.live.changes().subscribe(None).receiver;
        loop {
            match changes.recv().await {
                Ok((position, change)) => {
                    if self.sender.receiver_count() == 0 {
                        continue;
                    }
                    if let Some(ready) = ready(&api, position, &change) {
                        // A viewer who left in between is no failure.
                        let _ = self.sender.send(Arc::new(ready));
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

fn ready(api: &Api, position: u64, change: &Change) -> Option<Ready> {
    let (name, event, unit, patient) = match change {
        Change::Patient(id) => {
            let seen = api.live.patient(id)?;
            let unit = seen.location.as_ref().map(|location| location.bed.unit.clone());
            let patient = Some(id.clone());
            if view::on_ward(&seen) {
                let tile = view::tile(&seen, api.now().0);
                ("tile", LiveEvent::Tile(Box::new(tile)), unit, patient)
            } else {
                ("gone", LiveEvent::Gone { patient: id.to_string() }, None, patient)
            }
        }
        Change::Gone(id) => {
            ("gone", LiveEvent::Gone { patient: id.to_string() }, None, Some(id.clone()))
        }
        Change::Alert(record) => {
            let alert = view::alert(record, &api.live);
            let unit = alert.location.as_ref().map(|location| location.unit.clone());
            let patient = Some(record.patient.clone());
            ("alert", LiveEvent::Alert(Box::new(alert)), unit, patient)
        }
        Change::Devices => ("devices", LiveEvent::Devices(load(api)), None, None),
        Change::Quarantine => {
            ("quarantine", LiveEvent::Quarantine { new: api.live.quarantined() }, None, None)
        }
        Change::Worklist(id) => {
            let seen = api.live.patient(id).filter(|seen| view::on_ward(seen))?;
            let unit = seen.location.as_ref().map(|location| location.bed.unit.clone());
            let line = worklist::whole(&seen, api.now().0);
            ("worklist", LiveEvent::Worklist(Box::new(line)), unit, Some(id.clone()))
        }
        Change::Command(id) => {
            let command = api.live.command(id)?;
            let order = &command.order;
            let told = LiveEvent::Command {
                command: id.to_string(),
                device: order.device.to_string(),
                state: command.state.name().to_owned(),
            };
            ("command", told, None, Some(order.patient.clone()))
        }
    };
    Some(Ready { position, name, json: serde_json::to_string(&event).ok()?, unit, patient })
}

/// What a viewer wants to see.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Wanted {
    unit: Option<String>,
    patient: Option<String>,
}

impl Wanted {
    fn takes(&self, ready: &Ready) -> bool {
        // Who is gone is gone from every unit.
        let unit = match (&self.unit, &ready.unit) {
            (Some(wanted), Some(unit)) => wanted == unit,
            _ => true,
        };
        let patient = match (&self.patient, &ready.patient) {
            (Some(wanted), Some(patient)) => wanted == patient.as_str(),
            _ => true,
        };
        unit && patient
    }
}

/// Whoever looks, and which patients they were shown: those alone are said to be gone.
struct Looking {
    viewer: Viewer,
    wanted: Wanted,
    shown: HashSet<PatientId>,
    /// Of whom it is in the audit log that they are shown.
    recorded: HashSet<PatientId>,
    /// Everybody was shown anew: any of them may be others than before.
    anew: bool,
    /// What a record of this stream says beside that.
    record: Record,
}

impl Looking {
    /// A change as this viewer is told of it; none when it is none of theirs.
    fn told(&mut self, api: &Api, ready: &Ready) -> Option<Event> {
        if !self.wanted.takes(ready) {
            return None;
        }
        let Some(id) = &ready.patient else { return Some(event(ready)) };
        if ready.name == "gone" {
            return self.shown.remove(id).then(|| event(ready));
        }
        let kinds = self.viewer.kinds(Permission::SeePatients, id);
        if !kinds.has(Category::Demographics) {
            // Theirs no longer: moved to another unit, for one.
            return self.shown.remove(id).then(|| gone(ready.position, id));
        }
        if ready.name == "command" {
            return kinds.has(Category::DeviceData).then(|| event(ready));
        }
        if ready.name == "worklist" {
            return worklist::may_see(kinds).then(|| event(ready));
        }
        if ready.name == "alert" {
            return kinds.has(Category::Alerts).then(|| event(ready));
        }
        if !self.shown.contains(id) {
            self.shown.insert(id.clone());
        }
        if kinds == Categories::ALL {
            return Some(event(ready));
        }
        let tile = self.viewer.tile(&*api.live.patient(id)?, api.now().0)?;
        Some(written("tile", ready.position, &LiveEvent::Tile(Box::new(tile))))
    }

    /// Records who came into the stream and who left it, before anything of them goes out; false
    /// when that cannot be done, which ends the stream (SE-1).
    async fn keep_record(&mut self, api: &Api) -> bool {
        // Between two calls one patient comes or goes, or all are shown anew.
        if self.shown.len() == self.recorded.len() && !std::mem::take(&mut self.anew) {
            return true;
        }
        let came: Vec<PatientId> = self.shown.difference(&self.recorded).cloned().collect();
        let left: Vec<PatientId> = self.recorded.difference(&self.shown).cloned().collect();
        for (patients, detail) in [(came, "came into the stream"), (left, "left the stream")] {
            if patients.is_empty() {
                continue;
            }
            let (at, detail) = (api.now(), detail.to_owned());
            let record = Record { at, patients, detail, ..self.record.clone() };
            if let Err(error) = api.keep(record).await {
                tracing::error!(%error, "a live stream ends: its record was not kept");
                return false;
            }
        }
        if self.recorded != self.shown {
            self.recorded.clone_from(&self.shown);
        }
        true
    }

    fn whole_ward(&mut self, api: &Api, position: u64) -> Event {
        let mut ward = ward(api, &self.viewer, self.wanted.unit.as_deref());
        if let Some(patient) = &self.wanted.patient {
            ward.tiles.retain(|tile| tile.patient.id == *patient);
        }
        ward.position = position;
        let ids = ward.tiles.iter().filter_map(|tile| PatientId::new(&tile.patient.id).ok());
        self.shown = ids.collect();
        self.anew = true;
        written("ward", position, &LiveEvent::Ward(ward))
    }
}

/// Changes as they happen: server-sent events, named as in `LiveEvent`, each with its position.
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    params(
        ("unit" = Option<String>, Query, description = "Only this unit's patients"),
        ("patient" = Option<String>, Query, description = "Only this patient"),
        ("last-event-id" = Option<u64>, Header, description = "Resume behind this event"),
    ),
    responses((status = 200, body = dto::LiveEvent, content_type = "text/event-stream")))]
pub(crate) async fn live(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let viewer = api.viewer(&headers)?;
    let record = access::signed(Record {
        actor: viewer.caller().account.name.clone(),
        role: Some(viewer.caller().account.role),
        action: Permission::SeePatients.into(),
        route: "/api/v1/live".to_owned(),
        outcome: Outcome::Allowed,
        ..Record::default()
    });
    let (shown, recorded) = (HashSet::new(), HashSet::new());
    let looking = Looking { viewer, wanted, shown, recorded, anew: false, record };
    let subject = looking.wanted.patient.as_deref().and_then(|id| PatientId::new(id).ok());
    api.enter_as(&looking.viewer, Permission::SeePatients, "/api/v1/live", subject.as_ref()).await?;
    let since = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    Ok(Sse::new(stream_of(api, (headers, Acting::now()), looking, since)).keep_alive(KeepAlive::default()))
}

fn stream_of(
    api: Api,
    (headers, acting): (HeaderMap, Acting),
    mut looking: Looking,
    since: Option<u64>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream! {
        let mut events = api.broadcast.sender.subscribe();
        let joined = api.live.changes().subscribe(since);
        let mut position = joined.position;
        let mut waiting: VecDeque<Event> = VecDeque::new();
        match joined.resumed {
            Resumed::Anew => waiting.push_back(looking.whole_ward(&api, position)),
            Resumed::Since(missed) => {
                // What was shown before is not known: whoever may be seen counts as shown.
                looking.shown = seen_now(&api, &looking.viewer);
                for (at, change) in missed {
                    let ready = ready(&api, at, &change);
                    waiting.extend(ready.and_then(|ready| looking.told(&api, &ready)));
                }
            }
        }
        // Changes up to `position` may still be on their way to `events`: they were seen already.
        let mut time = tokio::time::interval(TIME_EVERY);
        loop {
            if !waiting.is_empty() && !looking.keep_record(&api).await {
                return;
            }
            while let Some(next) = waiting.pop_front() {
                yield Ok(next);
            }
            tokio::select! {
                next = events.recv() => match next {
                    Ok(ready) if ready.position <= position => {}
                    Ok(ready) => {
                        position = ready.position;
                        waiting.extend(looking.told(&api, &ready));
                    }
                    Err(RecvError::Lagged(_)) => {
                        metrics_lagged();
                        position = api.live.changes().position();
                        waiting.push_back(looking.whole_ward(&api, position));
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = time.tick() => {
                    // An account, session or token that was taken away takes the stream with it.
                    let Some(viewer) = acting.within(|| still(&api, &headers)) else { return };
                    looking.viewer = viewer;
                    let now = LiveEvent::Time { now_ms: api.now().millis() };
                    let json = serde_json::to_string(&now).unwrap_or_default();
                    waiting.push_back(Event::default().event("time").data(json));
                }
            }
        }
    }
}

/// Who looks, as of now: none when the account, its session or its right is gone.
fn still(api: &Api, headers: &HeaderMap) -> Option<Viewer> {
    let viewer = api.viewer(headers).ok()?;
    viewer.at_all(Permission::SeePatients).then_some(viewer)
}

fn seen_now(api: &Api, viewer: &Viewer) -> HashSet<PatientId> {
    let ids = api.live.patients().into_iter().map(|seen| seen.patient.id.clone());
    ids.filter(|id| viewer.may_see(id)).collect()
}

fn event(ready: &Ready) -> Event {
    Event::default().event(ready.name).id(ready.position.to_string()).data(&ready.json)
}

fn written(name: &'static str, position: u64, event: &LiveEvent) -> Event {
    let json = serde_json::to_string(event).unwrap_or_default();
    Event::default().event(name).id(position.to_string()).data(json)
}

fn gone(position: u64, id: &PatientId) -> Event {
    written("gone", position, &LiveEvent::Gone { patient: id.to_string() })
}

fn metrics_lagged() {
    metrics::counter!("vitalwire_live_viewers_lagged_total").increment(1);
}
