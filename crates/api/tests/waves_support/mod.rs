//! A whole platform behind a real socket: journal, engine, store, live view and the API, with a
//! device that sends waveforms and viewers that look at them. Not every test uses all of it.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use axum::http::request::Builder;
use tower::ServiceExt;
use api::laboratory::{Laboratory, Review};
use api::{Api, fhir_backend::Backend, live_stream::Broadcast};
use futures_util::{SinkExt, StreamExt};
use guard::Guard;
use laboratory::versions::Versions;
use journal::{Appender, Draft, EmbeddedJournal, Lane};
use runtime::{Options, Runtime};
use serde_json::{Value as Json, json};
use store::Store;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message as WsMessage};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use vitals::time::SECOND;
use vitals::{
    Action, Actor, Content, DeviceId, DeviceTime, DirectoryEvent, Event, Measurement, Message, Metric,
    Origin, Patient, PatientId, Protocol, Quality, Rate, Reading, ReceiveTime, Role, SampleArray,
    Samples, Scale, TimeBase, Value,
};

/// How long a test waits for what must come: long, for a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

pub fn now() -> ReceiveTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    ReceiveTime(since.map_or(0, |since| since.as_micros() as i64))
}

/// The platform.
pub struct House {
    pub api: Api,
    pub guard: Guard,
    pub address: SocketAddr,
    pub folder: TempDir,
    router: Router,
    runtime: Option<Runtime>,
}

pub async fn house() -> House {
    house_with(Review::TwoPerson).await
}

/// A house whose alarm policy is changed by so many people.
pub async fn house_with(review: Review) -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let guard = Guard::open(&at("guard")).expect("a guard");
    let journal = EmbeddedJournal::open(&at("journal")).expect("a journal");
    let (sink, feed) = sync_channel(64);
    let appender =
        Appender::start(journal, Box::new(now), journal::Limits::default(), sink).expect("an appender");
    let store = store::SqliteStore::open(&at("store.db")).expect("a store");
    let (reader, side) = (store.reader(), store.side());
    let live = live::Live::new(1);
    let options = Options { store_every: Duration::from_secs(2), ..Options::default() };
    let runtime =
        Runtime::start(appender.clone(), feed, Box::new(store), live.clone(), now, options).expect("started");
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let api = Api {
        commands: std::sync::Arc::new(command::Catalogue::built_in().into()),
        appender,
        live,
        reader,
        library: library::Library::load(&at("profiles")),
        guard: guard.clone(),
        clock: now,
        metrics: recorder.handle(),
        trusted_proxies: Arc::default(),
        public_url: None,
        depot: depot::Depot::open(&at("fleet"), None).expect("a depot"),
        limiter: api::fleet::Limiter::default(),
        broadcast: Arc::new(Broadcast::default()),
        outside: Arc::default(),
    };
    let whole = |_: &dyn journal::ReadJournal| Err("the journal is whole".to_owned());
    let laboratory = Laboratory::new(Versions::at(&at("alarm-policies"), None), Arc::new(whole)).with_review(review);
    let laboratory = laboratory.kept_in(api.reader.clone(), side);
    let router = api::router(api.clone(), Arc::new(Backend(api.clone()))).layer(axum::Extension(laboratory));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = router.clone();
    tokio::spawn(async move { axum::serve(listener, served).await });
    House { api, guard, address, folder, router, runtime: Some(runtime) }
}

impl House {
    pub fn token(&self, role: Role) -> String {
        let name = format!("{}-{}", role.name(), now().0);
        self.guard.add_service_token(&name, role).expect("a token")
    }

    pub fn audit(&self) -> String {
        let path = self.folder.path().join("guard").join(guard::AUDIT_FILE);
        std::fs::read_to_string(path).expect("the log")
    }

    /// A patient with a monitor on.
    pub async fn admit(&self, mrn: &str, device: &str) -> PatientId {
        let actor = || Actor { name: "kim".into(), role: Role::Nurse };
        let id = PatientId::from_identifier("urn:mrn", mrn);
        let patient = Action::Directory(DirectoryEvent::Patient(Patient::unknown(id.clone())));
        self.api.act(actor(), patient).await.expect("taken");
        let since = Some(vitals::EffectiveTime(now().0 - 60 * SECOND));
        let on = Action::Associate { device: DeviceId::sanitised(device), patient: id.clone(), since };
        self.api.act(actor(), on).await.expect("taken");
        id
    }

    /// Sends a frame, and waits until the engine has taken it in.
    pub async fn send(&self, frame: &Frame) {
        let draft = Draft { event: Event::Message(frame.message()), dedup: None, lane: Lane::Waveform };
        let offset = match self.api.appender.append(draft).await.expect("open") {
            journal::Outcome::Committed(offset) => offset,
            other => panic!("{other:?}"),
        };
        self.api.live.progress().judge(offset, LONG).await;
    }

    /// The series of a patient's waveform.
    pub async fn series(&self, patient: &PatientId, metric: &str) -> u32 {
        let code = Metric::by_refid(metric).expect("known").code;
        let end = Instant::now() + LONG;
        loop {
            let seen = self.api.live.patient(patient);
            let line = seen.and_then(|seen| seen.waves.iter().find(|line| line.metric == code).cloned());
            if let Some(line) = line {
                return line.series.0;
            }
            assert!(Instant::now() < end, "no waveform of {metric}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks over HTTP: status and body.
    pub async fn ask(&self, request: Builder, token: &str, body: impl Into<Body>) -> (u16, Bytes) {
        let answer = self.answer(request, token, body).await;
        let status = answer.status().as_u16();
        (status, to_bytes(answer.into_body(), usize::MAX).await.expect("a body"))
    }

    /// Asks over HTTP, without a token by what else the request carries.
    pub async fn answer(&self, mut request: Builder, token: &str, body: impl Into<Body>) -> axum::response::Response {
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body.into()).expect("a request");
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    pub async fn json(&self, path: &str, token: &str) -> Json {
        let request = Request::get(path).header("accept", "application/json");
        let (status, bytes) = self.ask(request, token, "").await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The wave messages of an interval.
    pub async fn messages(&self, path: &str, token: &str) -> Vec<Wave> {
        let (status, bytes) = self.ask(Request::get(path), token, "").await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        let mut rest = &bytes[..];
        let mut messages = Vec::new();
        while let Some((length, more)) = rest.split_first_chunk::<4>() {
            let (message, more) = more.split_at(u32::from_le_bytes(*length) as usize);
            messages.push(Wave::read(message));
            rest = more;
        }
        messages
    }

    pub async fn viewer(&self, headers: &[(&str, &str)]) -> Result<Viewer, u16> {
        let url = format!("ws://{}/api/v1/waveforms/live", self.address);
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Viewer { socket, waves: Vec::new(), texts: VecDeque::new(), acknowledges: true }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn stop(mut self) {
        self.api.appender.close();
        let runtime = self.runtime.take().expect("not stopped yet");
        tokio::task::spawn_blocking(move || runtime.stop()).await.expect("stopped");
    }
}

/// What a monitor sends of one channel.
#[derive(Debug, Clone)]
pub struct Frame {
    pub device: &'static str,
    pub metric: &'static str,
    pub rate: (u32, u32),
    pub scale: Scale,
    pub at_us: i64,
    pub sequence: u32,
    pub recorded: bool,
    pub counts: Vec<i32>,
}

impl Frame {
    fn message(&self) -> Message {
        let metric = Metric::by_refid(self.metric).expect("known");
        let measurement = Measurement {
            metric: metric.code,
            value: Value::SampleArray(SampleArray {
                rate: Rate::new(self.rate.0, self.rate.1).expect("not zero"),
                scale: self.scale,
                sequence: Some(self.sequence),
                samples: Samples::Counts(self.counts.clone()),
            }),
            unit: metric.unit,
            device_time: Some(DeviceTime(self.at_us)),
            quality: Quality::empty(),
            channel: 0,
        };
        let device = DeviceId::sanitised(self.device);
        let reading = Reading { device, patient: None, measurements: vec![measurement] };
        Message {
            origin: Origin {
                protocol: Protocol::Mqtt,
                address: format!("vitalwire/{}/waveform", self.device),
                sender: self.device.into(),
                message_id: String::new(),
                profile: "native".into(),
            },
            received: now(),
            time_base: if self.recorded { TimeBase::Recorded } else { TimeBase::Live },
            payload: Vec::new(),
            content: vec![Content::Reading(reading)],
            problems: Vec::new(),
        }
    }
}

/// Frames of `each_ms` of a channel at 250 Hz that ended just now: `count` of them, from `from` on.
pub fn frames(device: &'static str, metric: &'static str, each_ms: i64, count: u32, begin_us: i64) -> Vec<Frame> {
    let samples = (each_ms / 4) as i32;
    (0..count)
        .map(|at| Frame {
            device,
            metric,
            rate: (250, 1),
            scale: Scale { factor: 1.0, divisor: 200.0, offset: 0.0 },
            at_us: begin_us + i64::from(at) * each_ms * SECOND / 1_000,
            sequence: at,
            recorded: false,
            counts: (0..samples).map(|i| (at as i32 * samples + i) * 7 % 2_000 - 1_000).collect(),
        })
        .collect()
}

/// A heart that beats 75 times a minute, as an ECG of a second each at 250 Hz: spikes of 1 mV, 40 ms
/// wide at their feet, in a little noise.
pub fn heart(device: &'static str, seconds: u32, begin_us: i64) -> Vec<Frame> {
    let mut all = frames(device, "MDC_ECG_ELEC_POTL_II", 1_000, seconds, begin_us);
    let mut noise = 1_u32;
    for (at, frame) in all.iter_mut().enumerate() {
        frame.recorded = true;
        for (i, count) in frame.counts.iter_mut().enumerate() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let into = ((at * 250 + i) % 200) as i32;
            let spike = 200 - (into - 100).abs() * 40;
            *count = spike.max(0) + (noise >> 30) as i32;
        }
    }
    all
}

/// One who looks.
pub struct Viewer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Wave messages so far.
    pub waves: Vec<Wave>,
    /// Texts not asked for yet, but for the time.
    pub texts: VecDeque<Json>,
    /// Whether it tells what it has seen.
    pub acknowledges: bool,
}

/// A wave message, read.
#[derive(Debug, Clone)]
pub struct Wave {
    pub pairs: bool,
    pub flags: u16,
    pub view: u32,
    pub start_ms: f64,
    pub rate: (u32, u32),
    pub scale: f32,
    pub offset: f32,
    pub raw: Vec<i16>,
}

impl Wave {
    pub fn read(bytes: &[u8]) -> Self {
        let four = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).expect("four");
        let number = |at: usize| u32::from_le_bytes(four(at));
        assert_eq!(bytes[0], 1, "version");
        let raw: Vec<i16> = bytes[36..].chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        let pairs = bytes[1] == 2;
        assert_eq!(raw.len(), number(32) as usize * if pairs { 2 } else { 1 });
        Self {
            pairs,
            flags: u16::from_le_bytes([bytes[2], bytes[3]]),
            view: number(4),
            start_ms: f64::from_le_bytes(bytes[8..16].try_into().expect("eight")),
            rate: (number(16), number(20)),
            scale: f32::from_le_bytes(four(24)),
            offset: f32::from_le_bytes(four(28)),
            raw,
        }
    }
}

impl Viewer {
    pub async fn say(&mut self, json: Json) {
        self.socket.send(WsMessage::text(json.to_string())).await.expect("sent");
    }

    /// Asks for channels: view, patient, series.
    pub async fn watch(&mut self, channels: &[(u32, &PatientId, u32)], columns_per_s: f64) {
        let channels: Vec<Json> = channels
            .iter()
            .map(|(view, patient, series)| json!({"view": view, "patient": patient, "series": series}))
            .collect();
        self.say(json!({"type": "watch", "channels": channels, "columns_per_s": columns_per_s})).await;
    }

    /// Takes in one message; the close code when it was the last.
    pub async fn next(&mut self) -> Option<u16> {
        let message = tokio::time::timeout(LONG, self.socket.next()).await.expect("in time");
        match message {
            Some(Ok(WsMessage::Binary(bytes))) => self.waves.push(Wave::read(&bytes)),
            Some(Ok(WsMessage::Text(text))) => {
                let json: Json = serde_json::from_str(&text).expect("JSON");
                if json["type"] != "time" {
                    self.texts.push_back(json);
                } else if self.acknowledges {
                    self.say(json!({"type": "seen", "ms": json["now_ms"]})).await;
                }
            }
            Some(Ok(WsMessage::Close(frame))) => return Some(frame.map_or(0, |frame| frame.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Some(0),
        }
        None
    }

    /// Takes messages in until something holds.
    pub async fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + LONG;
        while !holds(self) {
            assert!(Instant::now() < end, "in vain: {what}; {:?}", self.texts);
            assert_eq!(self.next().await, None, "closed while waiting for: {what}");
        }
    }

    /// The samples of a view, in order of arrival.
    pub fn samples(&self, view: u32) -> Vec<i32> {
        let waves = self.waves.iter().filter(|wave| wave.view == view && !wave.pairs);
        waves.flat_map(|wave| wave.raw.iter().map(|raw| i32::from(*raw))).collect()
    }

    /// The newest text of a kind.
    pub fn told(&self, kind: &str) -> Option<&Json> {
        self.texts.iter().rev().find(|json| json["type"] == kind)
    }
}
