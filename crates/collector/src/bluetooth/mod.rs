//! Collects from Bluetooth devices through BlueZ, over D-Bus: devices that the configuration names are
//! connected to when they are there, subscribed to, and asked for records that were not had yet. A value
//! goes to the decoder that gateways' values go to.
//!
//! BlueZ itself confirms an indication to the device, before anybody here has heard of it: what was not
//! kept then is lost with the power. Records are asked for again until they are kept.
//!
//! What is absent: pairing, which a person does (`bluetoothctl pair`), and commands to devices.

mod bus;
mod hub;
mod objects;
mod settings;
mod told;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vitals::{LinkState, Protocol};

pub use settings::{Peer, Settings, SettingsError};

use crate::keep::Fetched;
use crate::memory::Memory;
use crate::pace::Pace;
use crate::{Fate, MemoryError, NotKept, Parts};
use bus::{Bus, BusError};
use hub::{Hub, Todo};
use told::{Teller, Told};

/// How often the time is looked at.
const TICK: Duration = Duration::from_secs(1);

/// How far the records of one device were had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Had {
    /// The next record's number, or a CGM session's minute.
    next: Option<u16>,
    /// The start of the session that it counts in.
    session: Vec<u8>,
}

/// Collects.
pub struct Collector {
    settings: Settings,
    parts: Parts,
    memories: Vec<Memory>,
    had: Vec<Had>,
    tellers: Vec<Teller>,
}

/// Why collecting ended for now.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Bus(#[from] BusError),
    #[error("{0}")]
    NotKept(#[from] NotKept),
    #[error("{0}")]
    Memory(#[from] MemoryError),
}

impl Collector {
    /// Prepares to collect; `folder` keeps which records were had.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn new(settings: Settings, folder: &Path, parts: Parts) -> Result<Self, MemoryError> {
        let memory = |peer: &Peer| Memory::new(folder, &format!("bluetooth-{}", peer.id));
        let memories: Vec<Memory> = settings.peers.iter().map(memory).collect::<Result<_, _>>()?;
        let had = memories.iter().map(|memory| Ok(memory.read()?.unwrap_or_default())).collect::<Result<_, MemoryError>>()?;
        let tellers = settings.peers.iter().cloned().map(Teller::new).collect();
        Ok(Self { settings, parts, memories, had, tellers })
    }

    /// Collects until the program stops. Without a bus, or without BlueZ on it, it tries again, ever more
    /// seldom, up to once in a minute.
    pub async fn run(mut self) {
        let mut pace = Pace::new(Duration::from_secs(1), Duration::from_secs(60));
        let mut stopping = self.parts.stopping.clone();
        loop {
            let ended = tokio::select! {
                ended = self.collect(&mut pace) => ended,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            if let Err(error) = ended {
                tracing::warn!(%error, "Bluetooth devices are not collected for now");
                counted("ended");
            }
            for at in 0..self.settings.peers.len() {
                if let Err(error) = self.link(at, false).await {
                    tracing::error!(%error, "the state of a Bluetooth device");
                }
            }
            if self.parts.rest(pace.failed()).await {
                return;
            }
        }
    }

    /// One connection to the bus, until it ends.
    async fn collect(&mut self, pace: &mut Pace) -> Result<(), Ended> {
        let mut bus = Bus::open(&self.settings.bus).await?;
        let records: Vec<Option<u16>> = self.had.iter().map(|had| had.next).collect();
        let mut hub = Hub::new(self.settings.clone(), &records);
        let mut tick = tokio::time::interval(TICK);
        let begun = hub.begin();
        self.perform(&mut bus, &mut hub, begun).await?;
        loop {
            let message = tokio::select! {
                message = bus.next() => Some(message?),
                _ = tick.tick() => None,
            };
            let now = (self.parts.clock)().micros();
            let todo = match &message {
                Some(message) => hub.take(message, now),
                None => {
                    let admit = |peer: &Peer| (self.parts.admit)(&peer.id);
                    hub.admit(self.settings.peers.iter().map(admit).collect());
                    self.late(&mut hub, now).await?;
                    hub.tick(now)
                }
            };
            if message.is_some() {
                pace.worked();
            }
            self.perform(&mut bus, &mut hub, todo).await?;
        }
    }

    async fn perform(&mut self, bus: &mut Bus, hub: &mut Hub, todo: Vec<Todo>) -> Result<(), Ended> {
        let mut todo = std::collections::VecDeque::from(todo);
        while let Some(next) = todo.pop_front() {
            match next {
                Todo::Send(message) => bus.send(&message).await?,
                Todo::Link(at, there) => {
                    counted(if there { "connected" } else { "lost" });
                    self.link(at, there).await?;
                }
                Todo::Note(note) => {
                    counted(note);
                    tracing::info!(note, "Bluetooth");
                }
                Todo::Value(at, number, bytes) => {
                    let now = (self.parts.clock)().micros();
                    for told in self.tellers[at].take(number, &bytes, now) {
                        self.keep(hub, at, told).await?;
                    }
                    todo.extend(self.begun_anew(hub, at)?);
                }
            }
        }
        Ok(())
    }

    /// Asks for all records where a CGM sensor's session is not the one that records were had of.
    fn begun_anew(&mut self, hub: &mut Hub, at: usize) -> Result<Vec<Todo>, Ended> {
        let Some(session) = self.tellers[at].session() else { return Ok(Vec::new()) };
        if self.had[at].session == session {
            return Ok(Vec::new());
        }
        let before = std::mem::replace(&mut self.had[at], Had { next: None, session: session.to_vec() });
        self.memories[at].write(&self.had[at])?;
        Ok(if before.next.is_some() { hub.all_records(at) } else { Vec::new() })
    }

    async fn late(&mut self, hub: &mut Hub, now: i64) -> Result<(), Ended> {
        for at in 0..self.tellers.len() {
            if let Some(told) = self.tellers[at].overdue(now) {
                self.keep(hub, at, told).await?;
            }
        }
        Ok(())
    }

    /// Keeps a message, and after that which record is the next.
    async fn keep(&mut self, hub: &mut Hub, at: usize, told: Told) -> Result<(), Ended> {
        let device = &self.settings.peers[at].id;
        let fetched = Fetched {
            device,
            topic: format!("vitalwire/{device}/gatt"),
            sender: device.as_str(),
            protocol: Protocol::Bluetooth,
            payload: told.payload,
        };
        let fate: Fate = self.parts.keep(fetched).await?;
        metrics::counter!("vitalwire_collector_documents_total", "collector" => "bluetooth", "outcome" => fate.name()).increment(1);
        if let Some(next) = told.next_record.filter(|next| self.had[at].next.is_none_or(|before| *next > before)) {
            self.had[at].next = Some(next);
            self.memories[at].write(&self.had[at])?;
            hub.had_record(at, next);
        }
        Ok(())
    }

    async fn link(&self, at: usize, there: bool) -> Result<(), NotKept> {
        let (state, why) = if there { (LinkState::Online, "") } else { (LinkState::Lost, "the Bluetooth connection ended") };
        self.parts.link(&self.settings.peers[at].id, state, why).await
    }
}

fn counted(what: &'static str) {
    metrics::counter!("vitalwire_bluetooth_events_total", "event" => what).increment(1);
}
