//! MQTT load: single-value SenML at QoS 1. A packet is encoded once per connection; only its id,
//! value and time are written over. A whole window goes out in one write.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::{LoadProgress, LoadReport, Shared, Tally, collect, put_digits};
use crate::error::SimError;
use crate::link::closed;
use crate::random::Random;
use crate::wire::mqtt::{self, Answer, Connect};

/// A load to put on the MQTT listener.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttLoad {
    /// `host:port`.
    pub address: String,
    /// Account and password, if authentication is on.
    pub credentials: Option<(String, String)>,
    /// Connections; each is a device of its own, `load-0`, `load-1`, ….
    pub connections: usize,
    /// Unacknowledged messages on each connection, 1 to 1,000.
    pub window: usize,
    /// Messages a second over all connections; none: as fast as they are acknowledged.
    pub rate_per_s: Option<f64>,
    /// How long to send, s.
    pub seconds: f64,
    /// Metric to send.
    pub metric: &'static str,
    /// Device names begin with this.
    pub prefix: String,
}

impl Default for MqttLoad {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:1883".to_owned(),
            credentials: None,
            connections: 10_000,
            window: 16,
            rate_per_s: None,
            seconds: 10.0,
            metric: "MDC_ECG_HEART_RATE",
            prefix: "load".to_owned(),
        }
    }
}

/// Connections that are opened at the same time.
const OPENING: usize = 256;
/// How long acknowledgements may take after the last message.
const LINGER: Duration = Duration::from_secs(20);

/// Opens all connections, then sends from all of them at once.
///
/// # Errors
/// [`SimError`] when the configuration makes no sense or a connection can't be opened.
pub async fn run(
    load: MqttLoad,
    progress: impl FnMut(LoadProgress),
) -> Result<LoadReport, SimError> {
    if load.connections == 0 || !(1..=1_000).contains(&load.window) {
        return Err(SimError::Config {
            key: "connections, window",
            problem: "at least one connection, and a window of 1 to 1,000".to_owned(),
        });
    }
    let load = Arc::new(load);
    let shared = Arc::new(Shared::default());
    let streams = open_all(&load, &shared).await?;
    let connections = streams.len();
    let barrier = Arc::new(Barrier::new(connections));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (index, (stream, window)) in streams.into_iter().enumerate() {
        let (load, shared) = (Arc::clone(&load), Arc::clone(&shared));
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            let mut connection = Connection::new(&load, index, stream, window);
            let outcome = connection.run(&load, &shared, index).await;
            if outcome.is_err() {
                connection.tally.broken += 1;
            }
            connection.tally
        });
    }
    let total = collect(tasks, &shared, progress).await?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(total.report(&shared, "mqtt", (connections, load.window), 1, seconds))
}

async fn open_all(
    load: &Arc<MqttLoad>,
    shared: &Arc<Shared>,
) -> Result<Vec<(TcpStream, usize)>, SimError> {
    let gate = Arc::new(Semaphore::new(OPENING));
    let mut tasks = JoinSet::new();
    for index in 0..load.connections {
        let (load, shared, gate) = (Arc::clone(load), Arc::clone(shared), Arc::clone(&gate));
        tasks.spawn(async move {
            let _permit = gate.acquire().await;
            let opened = open(&load, index).await;
            if opened.is_ok() {
                shared.connections.fetch_add(1, Ordering::Relaxed);
            }
            opened.map(|stream| (index, stream))
        });
    }
    let mut streams = Vec::with_capacity(load.connections);
    while let Some(joined) = tasks.join_next().await {
        if let Ok(opened) = joined {
            streams.push(opened?);
        }
    }
    streams.sort_by_key(|(index, _)| *index);
    Ok(streams.into_iter().map(|(_, stream)| stream).collect())
}

/// One connection and how many unacknowledged messages the server takes on it.
async fn open(load: &MqttLoad, index: usize) -> Result<(TcpStream, usize), SimError> {
    let failed = || SimError::network("MQTT connect", &load.address);
    let mut stream = TcpStream::connect(&load.address).await.map_err(failed())?;
    let _ = stream.set_nodelay(true);
    let client_id = format!("{}-{index}", load.prefix);
    let connect = Connect {
        client_id: &client_id,
        user: load.credentials.as_ref().map(|(user, _)| user.as_str()),
        password: load.credentials.as_ref().map(|(_, password)| password.as_str()),
        will: None,
        keep_alive_s: 0,
    };
    stream.write_all(&connect.encode()).await.map_err(failed())?;
    let mut bytes = Vec::with_capacity(128);
    loop {
        let read = timeout(LINGER, stream.read_buf(&mut bytes)).await;
        match read {
            Ok(Ok(0)) | Err(_) => return Err(failed()(closed("no CONNACK"))),
            Ok(Err(error)) => return Err(failed()(error)),
            Ok(Ok(_)) => {}
        }
        match mqtt::parse(&bytes) {
            None => {}
            Some((Answer::Connected { reason: 0, receive_maximum }, _)) => {
                return Ok((stream, load.window.min(usize::from(receive_maximum)).max(1)));
            }
            Some((answer, _)) => {
                return Err(SimError::Refused {
                    what: "the MQTT connection".to_owned(),
                    reason: format!("{answer:?}"),
                });
            }
        }
    }
}

/// One sending device.
struct Connection {
    stream: TcpStream,
    packet: Vec<u8>,
    id_at: usize,
    time_at: usize,
    value_at: usize,
    window: usize,
    /// When the message of packet id − 1 was sent (or due), µs since the connection began.
    sent_at: Vec<u64>,
    free: Vec<u16>,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    began: Instant,
    epoch_us: u64,
    last_us: u64,
    serial: u64,
    latencies_us: Vec<u64>,
    /// One timer for the connection's life: setting one up for each read would cost more than
    /// the read.
    timer: Pin<Box<Sleep>>,
    tally: Tally,
}

const TIME: &[u8] = b"0000000000.000000";

impl Connection {
    fn new(load: &MqttLoad, index: usize, stream: TcpStream, window: usize) -> Self {
        let topic = format!("vitalwire/{}-{index}/measurements", load.prefix);
        let payload =
            format!("[{{\"n\":\"{}\",\"t\":0000000000.000000,\"v\":000}}]", load.metric);
        let packet = mqtt::publish(&topic, 1, "", payload.as_bytes());
        let payload_at = packet.len() - payload.len();
        let time_at = payload.find("0000000000.").unwrap_or_default() + payload_at;
        Self {
            id_at: mqtt::packet_id_at(&packet, &topic),
            time_at,
            value_at: packet.len() - 5,
            packet,
            stream,
            window,
            sent_at: vec![0; window],
            free: (1..=window as u16).rev().collect(),
            outgoing: Vec::new(),
            incoming: Vec::with_capacity(8_192),
            began: Instant::now(),
            epoch_us: crate::ward::now_us() as u64,
            last_us: 0,
            serial: 0,
            latencies_us: Vec::new(),
            timer: Box::pin(sleep_until(Instant::now())),
            tally: Tally::default(),
        }
    }

    async fn run(&mut self, load: &MqttLoad, shared: &Shared, index: usize) -> std::io::Result<()> {
        let until = self.began + Duration::from_secs_f64(load.seconds);
        // At a fixed rate each connection has its own beat and its own place in it.
        let interval = load.rate_per_s.map(|rate| {
            Duration::from_secs_f64(load.connections as f64 / rate.max(1e-6))
        });
        let mut due = self.began;
        if let Some(interval) = interval {
            due += interval.mul_f64(Random::new(index as u64).uniform());
        }
        loop {
            let now = Instant::now();
            if now >= until {
                break;
            }
            match interval {
                None => {
                    while let Some(id) = self.free.pop() {
                        self.put(id, self.micros(now));
                    }
                }
                Some(interval) => {
                    while due <= now
                        && let Some(id) = self.free.pop()
                    {
                        self.put(id, self.micros(due));
                        due += interval;
                    }
                }
            }
            self.write().await?;
            let wake = if interval.is_some() && !self.free.is_empty() { due.min(until) } else { until };
            self.read_some(shared, wake).await?;
        }
        let last = Instant::now() + LINGER;
        while self.free.len() < self.window && Instant::now() < last {
            self.read_some(shared, last).await?;
        }
        let _ = self.stream.write_all(&mqtt::DISCONNECT).await;
        Ok(())
    }

    fn micros(&self, at: Instant) -> u64 {
        at.duration_since(self.began).as_micros() as u64
    }

    /// Appends one message with this packet id, counted as sent at `at_us`.
    fn put(&mut self, id: u16, at_us: u64) {
        self.sent_at[usize::from(id) - 1] = at_us;
        self.serial += 1;
        self.packet[self.id_at..self.id_at + 2].copy_from_slice(&id.to_be_bytes());
        // At least one microsecond apart, so that every message is a reading of its own.
        self.last_us = (self.epoch_us + at_us).max(self.last_us + 1);
        let time_us = self.last_us;
        let time = &mut self.packet[self.time_at..self.time_at + TIME.len()];
        put_digits(&mut time[..10], time_us / 1_000_000);
        put_digits(&mut time[11..], time_us % 1_000_000);
        put_digits(&mut self.packet[self.value_at..self.value_at + 3], 160 + self.serial % 40);
        // JSON has no leading zeros: values stay between 160 and 199.
        self.outgoing.extend_from_slice(&self.packet);
        self.tally.sent += 1;
    }

    async fn write(&mut self) -> std::io::Result<()> {
        if !self.outgoing.is_empty() {
            self.stream.write_all(&self.outgoing).await?;
            self.outgoing.clear();
        }
        Ok(())
    }

    /// Reads what is there, waiting until `wake` at most.
    async fn read_some(&mut self, shared: &Shared, wake: Instant) -> std::io::Result<()> {
        if self.timer.deadline() != wake {
            self.timer.as_mut().reset(wake);
        }
        tokio::select! {
            biased;
            read = self.stream.read_buf(&mut self.incoming) => {
                if read? == 0 {
                    return Err(closed("closed by the server"));
                }
            }
            () = self.timer.as_mut() => return Ok(()),
        }
        let now = self.micros(Instant::now());
        let (mut at, mut taken, mut refused) = (0, 0, 0);
        while let Some((answer, length)) = mqtt::parse(&self.incoming[at..]) {
            at += length;
            match answer {
                Answer::Acknowledged { packet_id, reason } => {
                    let sent = self.sent_at.get(usize::from(packet_id).wrapping_sub(1));
                    if let Some(sent) = sent {
                        self.latencies_us.push(now.saturating_sub(*sent));
                        self.free.push(packet_id);
                    }
                    if reason < 0x80 { taken += 1 } else { refused += 1 }
                }
                Answer::Disconnected(_) => return Err(closed("disconnected by the server")),
                _ => {}
            }
        }
        self.incoming.drain(..at);
        self.tally.acknowledged += taken;
        self.tally.refused += refused;
        shared.batch(taken, refused, &mut self.latencies_us);
        Ok(())
    }
}
