//! Sends recordings: waves of patients, shared out to connections, each in order of time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use vitals::PatientId;

use super::archive::{self, Folder};
use super::recording::{LimitChange, Recording, What};
use super::report::{ReplayProgress, ReplayReport};
use super::{EPOCH, ReplayConfig, Source, Speed, cinc2012, cinc2019, hl7files, mimic3, wfdb};
use crate::error::SimError;
use crate::link::{Http, MllpLink, MqttLink, MqttOptions, persuade};
use crate::wire::{fhir, senml};

/// Patients in memory at a time at full speed.
const WAVE: usize = 2_000;
/// Associations in one request.
const ASSOCIATIONS: usize = 500;
/// A recorded gap of more than a day is waited for as if it were an hour.
const DAY_US: i64 = 86_400_000_000;
/// How often a broken connection is tried again before the replay gives up.
const ATTEMPTS: u32 = 100;

/// Counters that all connections share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) patients: AtomicU64,
    pub(super) total: AtomicU64,
    messages: AtomicU64,
    hl7: AtomicU64,
    limits: AtomicU64,
    values: AtomicU64,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    reconnects: AtomicU64,
}

/// Replays everything and reports what was sent.
///
/// # Errors
/// [`SimError`] when a file can't be read or is malformed, or the platform can't be reached.
pub async fn run(
    config: ReplayConfig,
    mut progress: impl FnMut(ReplayProgress),
) -> Result<ReplayReport, SimError> {
    config.validate()?;
    let began = Instant::now();
    let shared = Arc::new(Shared::default());
    let mut report = ReplayReport::default();
    if let Source::Hl7(path) = &config.source {
        let messages = hl7files::read(path)?;
        shared.total.store(1, Ordering::Relaxed);
        let play = send_hl7(&config, &messages, &shared);
        watch(play, &shared, began, &mut progress).await?;
    } else if let Source::Wfdb(source) = &config.source {
        let shown = Arc::new(config.clone());
        let play = wfdb::play(&shown, source, &shared, &mut report);
        watch(play, &shared, began, &mut progress).await?;
    } else {
        let config = Arc::new(config);
        let (waves, mut ready) = mpsc::channel(1);
        let (source, counters) = (Arc::clone(&config), Arc::clone(&shared));
        let reader = tokio::task::spawn_blocking(move || read(&source, &counters, &waves));
        while let Some(wave) = ready.recv().await {
            for recording in &wave {
                report.count(recording);
            }
            let play = play_wave(&config, wave, &shared);
            watch(play, &shared, began, &mut progress).await?;
        }
        reader.await.map_err(|error| SimError::Refused {
            what: "reading the recordings".to_owned(),
            reason: error.to_string(),
        })??;
    }
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    report.messages = get(&shared.messages);
    report.hl7_messages = get(&shared.hl7);
    report.limits = get(&shared.limits);
    report.acknowledged = get(&shared.acknowledged);
    report.refused = get(&shared.refused);
    report.reconnects = get(&shared.reconnects);
    report.seconds = began.elapsed().as_secs_f64();
    report.values_per_s = report.values as f64 / report.seconds.max(1e-9);
    Ok(report)
}

/// Drives `work` and tells progress twice a second.
async fn watch<T>(
    work: impl Future<Output = Result<T, SimError>>,
    shared: &Shared,
    began: Instant,
    progress: &mut impl FnMut(ReplayProgress),
) -> Result<T, SimError> {
    let mut beat = tokio::time::interval(Duration::from_millis(500));
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = beat.tick() => progress(shared.progress(began)),
        }
    };
    progress(shared.progress(began));
    done
}

impl Shared {
    fn progress(&self, began: Instant) -> ReplayProgress {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReplayProgress {
            patients: get(&self.patients),
            patients_total: get(&self.total),
            messages: get(&self.messages) + get(&self.hl7),
            values: get(&self.values),
            seconds: began.elapsed().as_secs(),
        }
    }
}

/// Reads recordings on a thread of its own, wave by wave, one wave ahead of the player.
fn read(
    config: &ReplayConfig,
    shared: &Shared,
    waves: &mpsc::Sender<Vec<Recording>>,
) -> Result<(), SimError> {
    // Paced playback shows all patients at the same time: they are one wave.
    let size = if config.speed == Speed::Max { WAVE } else { usize::MAX };
    let (folders, ending): (Vec<Folder>, _) = match &config.source {
        Source::Cinc2019(paths) => (open(paths)?, ".psv"),
        Source::Cinc2012(path) => (open(std::slice::from_ref(path))?, ".txt"),
        Source::Mimic3(path) => {
            let recordings = mimic3::read(&Folder::open(path)?, config.patients)?;
            shared.total.store(recordings.len() as u64, Ordering::Relaxed);
            let _ = waves.blocking_send(recordings);
            return Ok(());
        }
        Source::Hl7(_) | Source::Wfdb(_) => return Ok(()),
    };
    let mut files = Vec::new();
    for folder in &folders {
        files.extend(folder.files(ending)?);
    }
    files.retain(|path| !path.to_string_lossy().ends_with("Outcomes-a.txt"));
    files.truncate(config.patients.unwrap_or(usize::MAX));
    if files.is_empty() {
        let path = folders.first().map(|folder| folder.path.clone()).unwrap_or_default();
        let problem = format!("has no {ending} files");
        return Err(SimError::Format { path, line: 0, problem });
    }
    shared.total.store(files.len() as u64, Ordering::Relaxed);
    for chunk in files.chunks(size.min(files.len())) {
        let mut wave = Vec::with_capacity(chunk.len());
        for path in chunk {
            let text = archive::read(path)?;
            wave.push(match ending {
                ".psv" => cinc2019::parse(path, &text)?,
                _ => cinc2012::parse(path, &text)?,
            });
        }
        if waves.blocking_send(wave).is_err() {
            break;
        }
    }
    Ok(())
}

fn open(paths: &[PathBuf]) -> Result<Vec<Folder>, SimError> {
    paths.iter().map(|path| Folder::open(path)).collect()
}

/// Puts the devices of a wave on their patients, then plays it.
async fn play_wave(
    config: &Arc<ReplayConfig>,
    wave: Vec<Recording>,
    shared: &Arc<Shared>,
) -> Result<(), SimError> {
    let http = Http::new(&config.http, config.token.clone());
    for chunk in wave.chunks(ASSOCIATIONS) {
        let body: Vec<Value> = chunk.iter().map(association).collect();
        http.post("/api/v1/associations", &Value::Array(body)).await?;
    }
    let connections = config.connections.min(wave.len().max(1));
    let mut shares: Vec<Vec<Recording>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, recording) in wave.into_iter().enumerate() {
        shares[index % connections].push(recording);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (index, share) in shares.into_iter().enumerate() {
        let mut player = Player::new(Arc::clone(config), Arc::clone(shared), http.clone(), index);
        tasks.spawn(async move { player.play(share, start).await });
    }
    while let Some(done) = tasks.join_next().await {
        joined(done)?;
    }
    Ok(())
}

/// What a task came to; a task that broke down is a refusal.
pub(super) fn joined<T>(
    done: Result<Result<T, SimError>, tokio::task::JoinError>,
) -> Result<T, SimError> {
    done.map_err(|error| SimError::Refused {
        what: "the replay task".to_owned(),
        reason: error.to_string(),
    })?
}

fn association(recording: &Recording) -> Value {
    json!({
        "device": recording.device,
        "identifier": format!("{}|{}", recording.system, recording.patient),
        // From a year before: a recording may begin before its own hour 1.
        "since_ms": (EPOCH - 365 * DAY_US) / 1_000,
        "name": "",
        "birth_date": recording.birth_date,
        "sex": fhir::gender(recording.sex),
    })
}

/// One connection's share of a wave.
pub(super) struct Player {
    config: Arc<ReplayConfig>,
    shared: Arc<Shared>,
    http: Http,
    options: MqttOptions,
    mqtt: Option<MqttLink>,
    mllp: Option<MllpLink>,
}

impl Player {
    pub(super) fn new(config: Arc<ReplayConfig>, shared: Arc<Shared>, http: Http, index: usize) -> Self {
        let options = MqttOptions {
            address: config.mqtt.clone(),
            client_id: format!("replay-{}-{index}", std::process::id()),
            credentials: config.mqtt_credentials.clone(),
            will: None,
            window: config.window,
        };
        Self { config, shared, http, options, mqtt: None, mllp: None }
    }

    async fn play(&mut self, share: Vec<Recording>, start: Instant) -> Result<(), SimError> {
        // A patient is done when the last beat is sent.
        let mut left: Vec<usize> = share.iter().map(|recording| recording.beats.len()).collect();
        let without = left.iter().filter(|beats| **beats == 0).count() as u64;
        self.shared.patients.fetch_add(without, Ordering::Relaxed);
        let topics: Vec<String> =
            share.iter().map(|r| format!("vitalwire/{}/recording", r.device)).collect();
        let mut order: Vec<(i64, u32, u32)> = share
            .iter()
            .zip(0_u32..)
            .flat_map(|(r, at)| r.beats.iter().zip(0_u32..).map(move |(b, i)| (b.time_us, at, i)))
            .collect();
        order.sort_unstable();
        let mut clock = Pace::new(self.config.speed, start);
        for (time_us, at, beat) in order {
            if let Some(due) = clock.due(time_us) {
                self.settle().await?;
                sleep_until(due).await;
            }
            let recording = &share[at as usize];
            match &recording.beats[beat as usize].what {
                What::Values(values) => {
                    self.values(&topics[at as usize], time_us, values).await?;
                }
                What::Text { name, text } => {
                    let payload = senml::text_json(time_us, name, text);
                    self.publish(&topics[at as usize], &payload, 1).await?;
                }
                What::Movement(text) => self.movement(text).await?,
                What::Limit(change) => self.limit(recording, change).await?,
            }
            left[at as usize] -= 1;
            if left[at as usize] == 0 {
                self.shared.patients.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.finish().await
    }

    /// Waits for what is not yet acknowledged, counts it and says goodbye.
    pub(super) async fn finish(&mut self) -> Result<(), SimError> {
        self.settle().await?;
        if let Some(link) = self.mqtt.take() {
            self.shared.acknowledged.fetch_add(link.acknowledged, Ordering::Relaxed);
            self.shared.refused.fetch_add(link.refused, Ordering::Relaxed);
            link.goodbye().await;
        }
        Ok(())
    }

    async fn values(
        &mut self,
        topic: &str,
        time_us: i64,
        values: &[(&'static super::Column, f64)],
    ) -> Result<(), SimError> {
        let pack: Vec<senml::Value<'_>> = values
            .iter()
            .map(|(column, value)| senml::Value {
                name: column.metric,
                unit: column.unit,
                value: *value,
            })
            .collect();
        self.publish(topic, &senml::json(time_us, &pack), values.len()).await
    }

    pub(super) async fn publish(&mut self, topic: &str, payload: &[u8], values: usize) -> Result<(), SimError> {
        let link = match &mut self.mqtt {
            Some(link) => link,
            none => none.insert(MqttLink::connect(self.options.clone()).await?),
        };
        if let Err(error) = link.publish(topic, "", payload).await {
            recover(link, &self.shared, error).await?;
        }
        self.shared.messages.fetch_add(1, Ordering::Relaxed);
        self.shared.values.fetch_add(values as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until everything sent is acknowledged: what comes next must come after it.
    pub(super) async fn settle(&mut self) -> Result<(), SimError> {
        let Some(link) = &mut self.mqtt else { return Ok(()) };
        while let Err(error) = link.drain().await {
            recover(link, &self.shared, error).await?;
        }
        Ok(())
    }

    async fn movement(&mut self, text: &str) -> Result<(), SimError> {
        self.settle().await?;
        let link = match &mut self.mllp {
            Some(link) => link,
            none => none.insert(MllpLink::connect(&self.config.mllp).await?),
        };
        exchange(link, text, &self.shared).await
    }

    async fn limit(&mut self, recording: &Recording, change: &LimitChange) -> Result<(), SimError> {
        self.settle().await?;
        let patient = PatientId::from_identifier(recording.system, &recording.patient);
        let body = json!({
            "metric": change.metric,
            "low": change.low,
            "high": change.high,
            "reason": "charted alarm limit",
        });
        self.shared.limits.fetch_add(1, Ordering::Relaxed);
        let path = format!("/api/v1/patients/{patient}/limits");
        match persuade(|| self.http.put(&path, &body)).await {
            Ok(_) => Ok(()),
            Err(SimError::Refused { .. }) => {
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// When the next beat of a paced replay is due.
struct Pace {
    times: Option<f64>,
    due: Instant,
    last_us: i64,
}

impl Pace {
    const fn new(speed: Speed, start: Instant) -> Self {
        let times = match speed {
            Speed::Max => None,
            Speed::Times(times) => Some(times),
        };
        Self { times, due: start, last_us: EPOCH }
    }

    /// The moment to wait for; none when there is nothing to wait for.
    fn due(&mut self, time_us: i64) -> Option<Instant> {
        let times = self.times?;
        let gap = (time_us - self.last_us).max(0);
        let gap = if gap > DAY_US { DAY_US / 24 } else { gap };
        self.last_us = time_us;
        if gap == 0 {
            return None;
        }
        self.due += Duration::from_secs_f64(gap as f64 / 1e6 / times);
        Some(self.due)
    }
}

/// Opens a broken connection again, with everything unacknowledged sent once more.
async fn recover(link: &mut MqttLink, shared: &Shared, first: SimError) -> Result<(), SimError> {
    let mut last = first;
    for _ in 0..ATTEMPTS {
        shared.reconnects.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(300)).await;
        match link.reconnect().await {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Sends one HL7 message and waits for its answer, over a new connection if need be.
async fn exchange(link: &mut MllpLink, text: &str, shared: &Shared) -> Result<(), SimError> {
    shared.hl7.fetch_add(1, Ordering::Relaxed);
    let mut answer = match link.send(text.as_bytes()).await {
        Ok(()) => link.acknowledgement().await,
        Err(error) => Err(error),
    };
    for _ in 0..ATTEMPTS {
        if answer.is_ok() {
            break;
        }
        shared.reconnects.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(300)).await;
        answer = match link.reconnect().await {
            Ok(()) => link.acknowledgement().await,
            Err(error) => Err(error),
        };
    }
    let counter = if answer?.accepted() { &shared.acknowledged } else { &shared.refused };
    counter.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

async fn send_hl7(
    config: &ReplayConfig,
    messages: &[String],
    shared: &Shared,
) -> Result<(), SimError> {
    let mut link = MllpLink::connect(&config.mllp).await?;
    for message in messages {
        exchange(&mut link, message, shared).await?;
    }
    shared.patients.store(1, Ordering::Relaxed);
    Ok(())
}
