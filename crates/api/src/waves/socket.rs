//! `/api/v1/waveforms/live`: a WebSocket for each viewer. One task takes in what the viewer says and
//! makes messages of what is new; another sends them. The queue between them is bounded, so a viewer
//! that does not read costs a little memory and nothing else.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use guard::{Category, Permission};
use live::Viewing;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use vitals::{PatientId, SeriesId};

use super::flow::{Flow, Pace};
use super::viewer::{Heard, Out, Told, Viewer, Wanted};
use crate::access::{self, Acting};
use crate::app::patients::known;
use crate::error::ApiError;
use crate::origin::{Strange, strange};
use crate::state::Api;

const ROUTE: &str = "/api/v1/waveforms/live";
/// Most viewers at once.
const VIEWERS_MAX: usize = 512;
/// Most channels of one viewer.
const CHANNELS_MAX: usize = 256;
/// Largest message of a viewer, in bytes.
const HEARD_MAX: usize = 64 << 10;
/// Messages and bytes that may wait to be sent to one viewer.
const QUEUE_MESSAGES: usize = 1_024;
const QUEUE_BYTES: usize = 512 << 10;
/// How often what is new is looked for.
const TICK: Duration = Duration::from_millis(100);
/// How often the time is told, and the right to look is asked for anew.
const TIME_EVERY: Duration = Duration::from_secs(1);
/// How long the last words may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// WebSocket close codes (RFC 6455, 7.4.1): what the viewer may not do; what it sent wrongly.
const POLICY: u16 = 1008;

/// Waveforms as they come: a WebSocket of JSON and binary messages (docs/interfaces/waveforms.md).
#[utoipa::path(get, path = "/api/v1/waveforms/live", tag = "live",
    params(
        ("upgrade" = String, Header, description = "`websocket`"),
        ("sec-websocket-key" = String, Header, description = "As in RFC 6455"),
    ),
    responses((status = 101, description = "The WebSocket is open."),
        (status = 204, description = "Never: the route answers to WebSockets only.")))]
pub(crate) async fn waves_live(
    State(api): State<Api>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    api.enter(&headers, Permission::SeePatients, ROUTE, None).await?;
    // A WebSocket is opened with GET by any page: the page is asked for as with what changes things.
    if strange(&Method::POST, &headers, api.guard.is_open()) == Some(Strange::OtherSite) {
        api.note("foreign-page", ROUTE);
        return Err(ApiError::Refused("sent by another site's page"));
    }
    let upgrade = upgrade
        .map_err(|_| ApiError::Malformed(StatusCode::UPGRADE_REQUIRED, "this address speaks WebSocket only".to_owned()))?;
    let viewing = api
        .live
        .view_waves(VIEWERS_MAX)
        .ok_or_else(|| ApiError::unavailable("too many look at waveforms"))?;
    let acting = Acting::now();
    let upgrade = upgrade.max_message_size(HEARD_MAX).write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| {
        let session = Session::new(api, headers, viewing);
        access::on_behalf(acting, session.run(socket))
    }))
}

/// One viewer.
struct Session {
    api: Api,
    headers: HeaderMap,
    viewer: Viewer,
    flow: Flow,
    /// Patients whose waveforms this viewer was let in to see, and for whom a record was kept.
    entered: HashSet<PatientId>,
    ticks: u32,
    _viewing: Viewing,
}

/// Messages on their way to the socket.
struct Outbox {
    queue: mpsc::Sender<Message>,
    bytes: Arc<AtomicUsize>,
}

/// Why a session ends.
struct Over(&'static str);

impl Outbox {
    fn full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > QUEUE_BYTES || self.queue.capacity() < QUEUE_MESSAGES / 4
    }

    fn send(&self, out: Out) {
        let message = match out {
            Out::Wave(bytes) => Message::Binary(bytes.into()),
            Out::Text(told) => Message::Text(serde_json::to_string(&told).unwrap_or_default().into()),
        };
        let bytes = size(&message);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Room is looked for before messages are made; a quarter of the queue is left for texts.
        if self.queue.try_send(message).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            metrics::counter!("vitalwire_waves_messages_lost_total").increment(1);
        }
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Binary(bytes) => bytes.len(),
        Message::Text(text) => text.len(),
        _ => 0,
    }
}

/// Sends what is queued until there is no more, or the peer is gone.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Message>,
    bytes: Arc<AtomicUsize>,
) {
    while let Some(message) = queue.recv().await {
        let size = size(&message);
        let mut sent = sink.feed(message).await;
        bytes.fetch_sub(size, Ordering::Relaxed);
        if sent.is_ok() && queue.is_empty() {
            sent = sink.flush().await;
        }
        if sent.is_err() {
            return;
        }
    }
    let _ = sink.close().await;
}

impl Session {
    fn new(api: Api, headers: HeaderMap, viewing: Viewing) -> Self {
        let flow = Flow::new(api.now().millis());
        let viewer = Viewer::new();
        Self { api, headers, viewer, flow, entered: HashSet::new(), ticks: 0, _viewing: viewing }
    }

    async fn run(mut self, socket: WebSocket) {
        let (sink, mut incoming) = socket.split();
        let (queue, waiting) = mpsc::channel(QUEUE_MESSAGES);
        let bytes = Arc::new(AtomicUsize::new(0));
        let mut writer = tokio::spawn(write(sink, waiting, Arc::clone(&bytes)));
        let outbox = Outbox { queue, bytes };
        let (mut tick, mut second) = (interval(TICK), interval(TIME_EVERY));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let over = loop {
            tokio::select! {
                _ = &mut writer => return,
                heard = incoming.next() => match heard {
                    Some(Ok(Message::Text(text))) => {
                        if let Err(over) = self.hear(&text, &outbox).await {
                            break Some(over);
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break None,
                    // Pings are answered below us; nothing else is spoken here.
                    Some(Ok(_)) => {}
                },
                _ = tick.tick() => self.push(&outbox),
                _ = second.tick() => match self.tell_time(&outbox) {
                    Ok(()) => {}
                    Err(over) => break Some(over),
                },
            }
        };
        if let Some(Over(reason)) = over {
            let frame = CloseFrame { code: POLICY, reason: reason.into() };
            let _ = outbox.queue.try_send(Message::Close(Some(frame)));
        }
        drop(outbox);
        if tokio::time::timeout(GOODBYE, &mut writer).await.is_err() {
            writer.abort();
        }
    }

    /// Tells the time. An account, session or token that was taken away takes the stream with it.
    fn tell_time(&mut self, outbox: &Outbox) -> Result<(), Over> {
        let viewer = self.api.viewer(&self.headers).map_err(|_| Over("the session has ended"))?;
        if !viewer.at_all(Permission::SeePatients) {
            return Err(Over("the session has ended"));
        }
        let may = |id: &PatientId| viewer.kinds(Permission::SeePatients, id).has(Category::Waveforms);
        if !self.entered.iter().all(may) {
            // What is watched is asked for anew, and then without them.
            return Err(Over("a patient may no longer be seen"));
        }
        let now_ms = self.api.now().millis();
        if !outbox.full() {
            self.flow.told(now_ms);
            outbox.send(Out::Text(Told::Time { now_ms }));
        }
        Ok(())
    }

    /// Sends what is new, as far as the link carries it.
    fn push(&mut self, outbox: &Outbox) {
        let now = self.api.now();
        match self.flow.judge(now.millis(), outbox.full()) {
            Pace::Hold => return,
            Pace::SkipAhead => {
                self.viewer.skip_ahead(&self.api.live);
                metrics::counter!("vitalwire_waves_skipped_ahead_total").increment(1);
            }
            Pace::Send => {}
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks % self.flow.ticks() != 0 {
            return;
        }
        for at in 0..self.viewer.patients() {
            self.viewer.patient(at, &self.api.live).into_iter().for_each(|out| outbox.send(out));
        }
        for at in 0..self.viewer.channels() {
            if outbox.full() {
                return;
            }
            let new = self.viewer.channel(at, &self.api.live, now, self.flow.level());
            new.into_iter().for_each(|out| outbox.send(out));
        }
    }

    async fn hear(&mut self, text: &str, outbox: &Outbox) -> Result<(), Over> {
        match serde_json::from_str(text) {
            Ok(Heard::Seen { ms }) => self.flow.seen(ms),
            Ok(Heard::Watch { channels, columns_per_s }) => {
                if channels.len() > CHANNELS_MAX {
                    return Err(Over("too many channels"));
                }
                let allowed = self.admit(channels, outbox).await?;
                self.viewer.watch(allowed, columns_per_s);
                self.push(outbox);
            }
            Err(_) => {
                let message = "not understood: send watch or seen, as in docs/interfaces/waveforms.md";
                outbox.send(Out::Text(Told::Error { message: message.to_owned() }));
            }
        }
        Ok(())
    }

    /// Which of the channels this viewer may see: those of a patient whom it names, once a record
    /// is kept that it looked at that patient (SE-1).
    async fn admit(&mut self, wanted: Vec<Wanted>, outbox: &Outbox) -> Result<Vec<(Wanted, PatientId)>, Over> {
        let mut allowed = Vec::new();
        for wanted in wanted {
            let Ok(seen) = known(&self.api, &wanted.patient) else {
                self.refuse(wanted.view, outbox);
                continue;
            };
            let id = seen.patient.id.clone();
            if !self.entered.contains(&id) {
                match self.api.enter(&self.headers, Permission::SeePatients, ROUTE, Some(&id)).await {
                    Ok(_) => self.entered.insert(id.clone()),
                    // As if there were no such channel.
                    Err(ApiError::Forbidden | ApiError::BreakGlass) => {
                        self.refuse(wanted.view, outbox);
                        continue;
                    }
                    Err(_) => return Err(Over("no record can be kept: no access")),
                };
            }
            let series = SeriesId(wanted.series);
            if seen.waves.iter().any(|line| line.series == series) {
                allowed.push((wanted, id));
            } else {
                self.refuse(wanted.view, outbox);
            }
        }
        Ok(allowed)
    }

    fn refuse(&self, view: u32, outbox: &Outbox) {
        outbox.send(Out::Text(Told::Channel(super::viewer::ChannelState::gone(view))));
    }
}
