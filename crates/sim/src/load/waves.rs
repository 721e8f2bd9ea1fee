//! Waveform load: beds that send one frame of four waveforms and twelve numerics a second, at
//! QoS 1, each at its own moment of the second. What is not acknowledged is kept and sent again after
//! a reconnection, as monitors do; at the end a manifest says what must be in the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::bed::{self, BedManifest, WaveBed};
use super::{LoadProgress, LoadReport, Shared, Tally, collect};
use crate::error::SimError;
use crate::link::closed;
use crate::wire::mqtt::{self, Answer, Connect};

/// A waveform load to put on the MQTT listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveLoad {
    /// `host:port`.
    pub address: String,
    /// Account and password, if authentication is on.
    pub credentials: Option<(String, String)>,
    /// Beds; each is a connection and a device, `wave-0`, `wave-1`, ….
    pub beds: usize,
    /// Frames that each bed sends: seconds.
    pub seconds: u64,
    /// Whether each bed also sends twelve numerics a second.
    pub numerics: bool,
    /// One seed, one set of patients.
    pub seed: u64,
    /// Device names begin with this.
    pub prefix: String,
}

impl Default for WaveLoad {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:1883".to_owned(),
            credentials: None,
            beds: 1_000,
            seconds: 60,
            numerics: true,
            seed: 1,
            prefix: "wave".to_owned(),
        }
    }
}

/// What must be in the store after a load.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaveManifest {
    /// The beds, in order.
    pub beds: Vec<BedManifest>,
    /// Bytes of all frames sent, without those sent again.
    pub frame_bytes: u64,
    /// Bytes of all packs of numerics sent, without those sent again.
    pub numeric_bytes: u64,
    /// Connections that were opened again.
    pub reconnects: u64,
}

impl WaveManifest {
    /// Samples in acknowledged frames.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.beds.iter().flat_map(|bed| &bed.channels).map(|channel| channel.samples).sum()
    }
}

/// How long acknowledgements may take after the last frame.
const LINGER: Duration = Duration::from_secs(90);
/// How long to wait before a connection is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// Connections are opened over this time.
const OPENING: Duration = Duration::from_secs(2);

/// Opens all connections and sends.
///
/// # Errors
/// [`SimError`] when the configuration makes no sense.
pub async fn run(
    load: WaveLoad,
    progress: impl FnMut(LoadProgress),
) -> Result<(LoadReport, WaveManifest), SimError> {
    if load.beds == 0 || load.seconds == 0 {
        return Err(SimError::Config {
            key: "beds, seconds",
            problem: "at least one bed, for at least one second".to_owned(),
        });
    }
    let laps = bed::laps(load.seed, load.beds);
    let load = Arc::new(load);
    let shared = Arc::new(Shared::default());
    let manifest = Arc::new(std::sync::Mutex::new(WaveManifest::default()));
    let first = Instant::now() + OPENING + Duration::from_secs(1);
    let first_us = crate::ward::now_us() + 1_000_000 + OPENING.as_micros() as i64;
    let mut tasks = JoinSet::new();
    for index in 0..load.beds {
        // Each bed has its own moment of the second.
        let phase_us = index as u64 * 1_000_000 / load.beds as u64;
        let bed = WaveBed::new(&load.prefix, &laps, index, first_us + phase_us as i64);
        let mut sender = Sender::new(Arc::clone(&load), bed, first + Duration::from_micros(phase_us));
        let (shared, manifest) = (Arc::clone(&shared), Arc::clone(&manifest));
        tasks.spawn(async move {
            sleep(OPENING * index as u32 / sender.load.beds as u32).await;
            let tally = sender.run(&shared).await;
            let bed = sender.bed.manifest(sender.second, sender.frames_taken(), sender.packs_taken);
            let mut manifest = manifest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            manifest.beds.push(bed);
            manifest.frame_bytes += sender.frame_bytes;
            manifest.numeric_bytes += sender.numeric_bytes;
            manifest.reconnects += sender.reconnects;
            tally
        });
    }
    let total = collect(tasks, &shared, progress).await?;
    let seconds = first.elapsed().as_secs_f64();
    let mut manifest =
        std::mem::take(&mut *manifest.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    manifest.beds.sort_by_key(|bed| bed.device.rsplit('-').next().and_then(|n| n.parse::<usize>().ok()));
    let values = manifest.samples() / total.acknowledged.max(1);
    Ok((total.report(&shared, "waves", (load.beds, 0), values, seconds), manifest))
}

/// A message on its way.
struct Message {
    /// The frame's number; none for numerics.
    frame: Option<u64>,
    payload: Vec<u8>,
    due: Instant,
}

/// One bed.
struct Sender {
    load: Arc<WaveLoad>,
    bed: WaveBed,
    begin: Instant,
    /// The next frame.
    second: u64,
    /// What is yet to be sent, oldest first.
    waiting: VecDeque<Message>,
    /// What is sent and not acknowledged.
    flying: VecDeque<(u16, Message)>,
    taken: Vec<bool>,
    packs_taken: u64,
    next_id: u16,
    frame_bytes: u64,
    numeric_bytes: u64,
    reconnects: u64,
    tally: Tally,
    latencies_us: Vec<u64>,
}

impl Sender {
    fn new(load: Arc<WaveLoad>, bed: WaveBed, begin: Instant) -> Self {
        Self {
            taken: vec![false; load.seconds as usize],
            load,
            bed,
            begin,
            second: 0,
            waiting: VecDeque::new(),
            flying: VecDeque::new(),
            packs_taken: 0,
            next_id: 0,
            frame_bytes: 0,
            numeric_bytes: 0,
            reconnects: 0,
            tally: Tally::default(),
            latencies_us: Vec::new(),
        }
    }

    /// Frames acknowledged from the first on without a gap.
    fn frames_taken(&self) -> u64 {
        self.taken.iter().take_while(|taken| **taken).count() as u64
    }

    async fn run(&mut self, shared: &Shared) -> Tally {
        let last = self.begin + Duration::from_secs(self.load.seconds) + LINGER;
        let mut first = true;
        while !self.is_done() && Instant::now() < last {
            self.sample();
            if let Ok((mut stream, window)) = self.open().await {
                if first {
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                } else {
                    self.reconnects += 1;
                }
                first = false;
                if self.talk(&mut stream, window, last, shared).await.is_ok() {
                    let _ = stream.write_all(&mqtt::DISCONNECT).await;
                    break;
                }
            }
            // A new session: what was on its way goes first.
            while let Some((_, message)) = self.flying.pop_back() {
                self.waiting.push_front(message);
            }
            sleep(AGAIN).await;
        }
        if !self.is_done() {
            self.tally.broken += 1;
        }
        std::mem::take(&mut self.tally)
    }

    fn is_done(&self) -> bool {
        self.second == self.load.seconds && self.waiting.is_empty() && self.flying.is_empty()
    }

    /// When the next frame is complete.
    fn due(&self) -> Instant {
        self.begin + Duration::from_secs(self.second + 1)
    }

    /// Takes all samples that are due.
    fn sample(&mut self) {
        while self.second < self.load.seconds && self.due() <= Instant::now() {
            let due = self.due();
            let mut payload = Vec::with_capacity(1_000);
            self.bed.frame(self.second, &mut payload);
            self.frame_bytes += payload.len() as u64;
            self.waiting.push_back(Message { frame: Some(self.second), payload, due });
            if self.load.numerics {
                let payload = self.bed.numerics(self.second);
                self.numeric_bytes += payload.len() as u64;
                self.waiting.push_back(Message { frame: None, payload, due });
            }
            self.second += 1;
        }
    }

    /// Sends and reads until all is acknowledged.
    async fn talk(
        &mut self,
        stream: &mut TcpStream,
        window: usize,
        last: Instant,
        shared: &Shared,
    ) -> std::io::Result<()> {
        let mut incoming = Vec::with_capacity(1_024);
        let mut outgoing = Vec::with_capacity(2_048);
        while !self.is_done() {
            self.sample();
            while self.flying.len() < window
                && let Some(message) = self.waiting.pop_front()
            {
                self.next_id = self.next_id.checked_add(1).unwrap_or(1);
                let kind = if message.frame.is_some() { "waveform" } else { "measurements" };
                let topic = format!("vitalwire/{}/{kind}", self.bed.device);
                outgoing.extend(mqtt::publish(&topic, self.next_id, "", &message.payload));
                self.flying.push_back((self.next_id, message));
                self.tally.sent += 1;
            }
            if !outgoing.is_empty() {
                stream.write_all(&outgoing).await?;
                outgoing.clear();
            }
            let wake = if self.second < self.load.seconds { self.due() } else { last };
            tokio::select! {
                biased;
                read = stream.read_buf(&mut incoming) => {
                    if read? == 0 {
                        return Err(closed("closed by the server"));
                    }
                    self.settle(&mut incoming, shared)?;
                }
                () = sleep_until(wake) => {
                    if Instant::now() >= last {
                        return Err(closed("not acknowledged in time"));
                    }
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, incoming: &mut Vec<u8>, shared: &Shared) -> std::io::Result<()> {
        let (mut at, mut taken, mut refused) = (0, 0, 0);
        while let Some((answer, length)) = mqtt::parse(&incoming[at..]) {
            at += length;
            match answer {
                Answer::Acknowledged { packet_id, reason } => {
                    let found = self.flying.iter().position(|(id, _)| *id == packet_id);
                    let Some((_, message)) = found.and_then(|found| self.flying.remove(found)) else { continue };
                    self.latencies_us.push(message.due.elapsed().as_micros() as u64);
                    if reason >= 0x80 {
                        refused += 1;
                        continue;
                    }
                    taken += 1;
                    match message.frame {
                        Some(frame) => self.taken[frame as usize] = true,
                        None => self.packs_taken += 1,
                    }
                }
                Answer::Disconnected(_) => return Err(closed("disconnected by the server")),
                _ => {}
            }
        }
        incoming.drain(..at);
        self.tally.acknowledged += taken;
        self.tally.refused += refused;
        shared.batch(taken, refused, &mut self.latencies_us);
        Ok(())
    }

    async fn open(&self) -> std::io::Result<(TcpStream, usize)> {
        let mut stream = TcpStream::connect(&self.load.address).await?;
        stream.set_nodelay(true)?;
        let credentials = self.load.credentials.as_ref();
        let connect = Connect {
            client_id: &self.bed.device,
            user: credentials.map(|(user, _)| user.as_str()),
            password: credentials.map(|(_, password)| password.as_str()),
            will: None,
            keep_alive_s: 0,
        };
        stream.write_all(&connect.encode()).await?;
        let mut bytes = Vec::with_capacity(128);
        loop {
            let read = timeout(Duration::from_secs(20), stream.read_buf(&mut bytes)).await;
            if read.map_err(|_| closed("no CONNACK"))?? == 0 {
                return Err(closed("no CONNACK"));
            }
            match mqtt::parse(&bytes) {
                None => {}
                Some((Answer::Connected { reason: 0, receive_maximum }, _)) => {
                    return Ok((stream, usize::from(receive_maximum).clamp(1, 64)));
                }
                Some(_) => return Err(closed("refused")),
            }
        }
    }
}
