//! MLLP load: PCD-01 reports with twelve numerics, several in flight on each connection. The
//! message is built once per connection; control id and times are written over.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use vitals::Metric;

use super::{LoadProgress, LoadReport, Shared, Tally, collect, put_digits};
use crate::error::SimError;
use crate::link::{closed, mllp};
use crate::wire::hl7;

/// A load to put on the MLLP listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MllpLoad {
    /// `host:port`.
    pub address: String,
    /// Connections; each is a device of its own.
    pub connections: usize,
    /// Messages in flight on each connection, 1 to 1,000.
    pub window: usize,
    /// How long to send, s.
    pub seconds: u64,
    /// Device names begin with this.
    pub prefix: String,
}

impl Default for MllpLoad {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:2575".to_owned(),
            connections: 64,
            window: 8,
            seconds: 10,
            prefix: "hl7load".to_owned(),
        }
    }
}

/// The twelve numerics of a report, with believable values.
pub const NUMERICS: [(&str, f64); 12] = [
    ("MDC_ECG_HEART_RATE", 78.0),
    ("MDC_PULS_OXIM_PULS_RATE", 77.0),
    ("MDC_PULS_OXIM_SAT_O2", 97.0),
    ("MDC_RESP_RATE", 16.0),
    ("MDC_TEMP_BODY", 36.8),
    ("MDC_PRESS_BLD_ART_ABP_SYS", 118.0),
    ("MDC_PRESS_BLD_ART_ABP_DIA", 71.0),
    ("MDC_PRESS_BLD_ART_ABP_MEAN", 87.0),
    ("MDC_PRESS_BLD_NONINV_SYS", 121.0),
    ("MDC_PRESS_BLD_NONINV_DIA", 73.0),
    ("MDC_PRESS_BLD_NONINV_MEAN", 89.0),
    ("MDC_AWAY_CO2_ET", 38.0),
];

/// Opens all connections, then sends from all of them at once.
///
/// # Errors
/// [`SimError`] when the configuration makes no sense or a connection can't be opened.
pub async fn run(
    load: MllpLoad,
    progress: impl FnMut(LoadProgress),
) -> Result<LoadReport, SimError> {
    if load.connections == 0 || !(1..=1_000).contains(&load.window) {
        return Err(SimError::Config {
            key: "connections, window",
            problem: "at least one connection, and a window of 1 to 1,000".to_owned(),
        });
    }
    let shared = Arc::new(Shared::default());
    let barrier = Arc::new(Barrier::new(load.connections));
    let mut tasks = JoinSet::new();
    let mut streams = Vec::new();
    for _ in 0..load.connections {
        let failed = SimError::network("MLLP connect", &load.address);
        let stream = TcpStream::connect(&load.address).await.map_err(failed)?;
        let _ = stream.set_nodelay(true);
        shared.connections.fetch_add(1, Ordering::Relaxed);
        streams.push(stream);
    }
    let began = Instant::now();
    for (index, stream) in streams.into_iter().enumerate() {
        let (shared, barrier) = (Arc::clone(&shared), Arc::clone(&barrier));
        let mut connection = Connection::new(&load, index, stream);
        let duration = Duration::from_secs(load.seconds);
        tasks.spawn(async move {
            barrier.wait().await;
            if connection.run(duration, &shared).await.is_err() {
                connection.tally.broken += 1;
            }
            connection.tally
        });
    }
    let total = collect(tasks, &shared, progress).await?;
    let seconds = began.elapsed().as_secs_f64();
    let values = NUMERICS.len() as u64;
    Ok(total.report(&shared, "mllp", (load.connections, load.window), values, seconds))
}

/// One sending device.
struct Connection {
    stream: TcpStream,
    frame: Vec<u8>,
    control_at: usize,
    /// Where the times stand.
    times_at: Vec<usize>,
    epoch_us: i64,
    window: usize,
    sent_at: VecDeque<Instant>,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    serial: u64,
    latencies_us: Vec<u64>,
    tally: Tally,
}

/// Digits of the running number within the control id.
const DIGITS: usize = 10;

impl Connection {
    fn new(load: &MllpLoad, index: usize, stream: TcpStream) -> Self {
        let device = format!("{}-{index}", load.prefix);
        let now_us = crate::ward::now_us();
        let control_id = format!("{device}-{}-0000000000", now_us / 1_000);
        let header = hl7::Header {
            application: "VWSIM-LOAD",
            control_id: &control_id,
            time_us: now_us,
            recorded: false,
        };
        let values: Vec<hl7::Observation<'_>> = NUMERICS
            .iter()
            .filter_map(|(refid, value)| {
                Some(hl7::Observation { metric: Metric::by_refid(refid)?, value: Some(*value) })
            })
            .collect();
        let text = hl7::pcd01(&header, None, None, &device, &values);
        let frame = mllp::frame(text.as_bytes());
        let find = |needle: &str| frame.windows(needle.len()).position(|w| w == needle.as_bytes());
        let control_at = find(&control_id).unwrap_or_default() + control_id.len() - DIGITS;
        let time = hl7::timestamp(now_us);
        let times_at = frame
            .windows(time.len())
            .enumerate()
            .filter_map(|(at, window)| (window == time.as_bytes()).then_some(at))
            .collect();
        Self {
            stream,
            frame,
            control_at,
            times_at,
            epoch_us: now_us,
            window: load.window,
            sent_at: VecDeque::new(),
            outgoing: Vec::new(),
            incoming: Vec::with_capacity(16_384),
            serial: 0,
            latencies_us: Vec::new(),
            tally: Tally::default(),
        }
    }

    async fn run(&mut self, duration: Duration, shared: &Shared) -> std::io::Result<()> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            let now = Instant::now();
            while self.sent_at.len() < self.window {
                self.put(now);
            }
            self.stream.write_all(&self.outgoing).await?;
            self.outgoing.clear();
            self.read_some(shared, until + Duration::from_secs(20)).await?;
        }
        while !self.sent_at.is_empty() {
            self.read_some(shared, until + Duration::from_secs(20)).await?;
        }
        Ok(())
    }

    fn put(&mut self, now: Instant) {
        self.serial += 1;
        let control = &mut self.frame[self.control_at..self.control_at + DIGITS];
        put_digits(control, self.serial);
        // One millisecond on with each message, so that each is a reading of its own.
        let time_us = self.epoch_us + self.serial as i64 * 1_000;
        let milliseconds = (time_us.div_euclid(1_000) % 1_000) as u64;
        let whole = (self.serial == 1 || milliseconds == 0).then(|| hl7::timestamp(time_us));
        for at in &self.times_at {
            match &whole {
                Some(text) => self.frame[*at..at + text.len()].copy_from_slice(text.as_bytes()),
                None => put_digits(&mut self.frame[at + 15..at + 18], milliseconds),
            }
        }
        self.outgoing.extend_from_slice(&self.frame);
        self.sent_at.push_back(now);
        self.tally.sent += 1;
    }

    async fn read_some(&mut self, shared: &Shared, deadline: Instant) -> std::io::Result<()> {
        let read = timeout_at(deadline, self.stream.read_buf(&mut self.incoming)).await;
        if read.map_err(|_| closed("no acknowledgement within 20 s"))?? == 0 {
            return Err(closed("closed by the server"));
        }
        let now = Instant::now();
        let (mut at, mut taken, mut refused) = (0, 0, 0);
        while let Some(length) = self.incoming[at..].iter().position(|byte| *byte == mllp::END[0]) {
            let accepted = is_accepted(&self.incoming[at..at + length]);
            if accepted { taken += 1 } else { refused += 1 }
            if let Some(sent) = self.sent_at.pop_front() {
                self.latencies_us.push(now.duration_since(sent).as_micros() as u64);
            }
            at = (at + length + 2).min(self.incoming.len());
        }
        self.incoming.drain(..at);
        self.tally.acknowledged += taken;
        self.tally.refused += refused;
        shared.batch(taken, refused, &mut self.latencies_us);
        Ok(())
    }
}

fn is_accepted(frame: &[u8]) -> bool {
    frame.windows(7).any(|w| w == b"MSA|AA|" || w == b"MSA|CA|")
}
