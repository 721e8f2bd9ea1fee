//! Sensors that have come in: each with its LwM2M conversation, wherever it speaks from. What they say
//! goes to the journal, and they are answered when it is kept (DU-1).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use journal::{AckQueue, Outcome};
use vitals::{DeviceId, LinkState};
use wire_coap::{ContentError, Output, Record, Session};

use super::count_refused;
use super::config::CoapLimits;
use super::ingest::{Said, draft, ingest, link, topic};
use crate::quota::{Quotas, tell};
use crate::{Allowance, ClientIdentity, Doors};

/// Who a sensor is: its device's id, or, where nobody proves anything, its address.
pub(super) type Name = Arc<str>;

/// Messages to a sensor.
pub(super) type Replies = Vec<(Name, Vec<u8>)>;

/// A token of the journal that stands for nothing that waits.
const NOBODY: u64 = 0;

pub(super) struct Sensor {
    session: Session,
    pub(super) identity: ClientIdentity,
    /// None as long as a sensor that proves nothing has not said what it is.
    device: Option<DeviceId>,
    /// Where it speaks from; none while it is not connected.
    pub(super) peer: Option<SocketAddr>,
    /// Tells this conversation from others of the same sensor.
    generation: u64,
    /// Whether its link was told as up.
    up: bool,
    heard_ms: u64,
    /// How much it may send, and until when nothing is taken because it sent more.
    allowance: Option<Allowance>,
    deaf_until_ms: u64,
}

/// All of them.
pub(super) struct Sensors {
    doors: Doors,
    limits: CoapLimits,
    pub(super) acks: Arc<AckQueue>,
    all: HashMap<Name, Sensor>,
    /// What the journal is asked to keep: whose, of which conversation, which exchange of it.
    waiting: HashMap<u64, (Name, u64, u64)>,
    next_token: u64,
    next_generation: u64,
    quotas: Quotas,
    messages: metrics::Counter,
    quarantined: metrics::Counter,
    connections: metrics::Gauge,
}

impl Sensors {
    pub(super) fn new(doors: Doors, limits: CoapLimits) -> Self {
        Self {
            doors,
            limits,
            acks: AckQueue::new(),
            all: HashMap::new(),
            waiting: HashMap::new(),
            next_token: NOBODY + 1,
            next_generation: 0,
            quotas: Quotas::new("coap"),
            messages: metrics::counter!("vitalwire_gateway_messages_total", "protocol" => "coap"),
            quarantined: metrics::counter!("vitalwire_gateway_quarantined_total", "protocol" => "coap"),
            connections: metrics::gauge!("vitalwire_gateway_connections", "protocol" => "coap"),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Sensor> {
        self.all.get(name)
    }

    /// Lets a sensor in that speaks from `peer`, and may call itself one of `endpoints` (anything, if
    /// there are none). The registration of one that was here before stands. Gives the address that it
    /// spoke from before, if it did; an error when there are too many.
    pub(super) fn admit(
        &mut self,
        name: &Name,
        identity: ClientIdentity,
        endpoints: &[String],
        peer: SocketAddr,
        now_ms: u64,
    ) -> Result<Option<SocketAddr>, ()> {
        if let Some(sensor) = self.all.get_mut(name) {
            sensor.session.reconnected();
            sensor.identity = identity;
            sensor.heard_ms = now_ms;
            return Ok(sensor.peer.replace(peer).filter(|former| *former != peer));
        }
        if self.all.len() >= self.limits.sensors {
            return Err(());
        }
        let mut first = [0; 2];
        // Without randomness numbers begin at nought: they need only be unlike those of before.
        let _ = getrandom::fill(&mut first);
        self.next_generation += 1;
        let sensor = Sensor {
            session: Session::new(endpoints, self.limits.session, u16::from_be_bytes(first)),
            device: identity.device.clone(),
            allowance: self.doors.identify.allowance(&identity),
            identity,
            peer: Some(peer),
            generation: self.next_generation,
            up: false,
            heard_ms: now_ms,
            deaf_until_ms: 0,
        };
        self.all.insert(Arc::clone(name), sensor);
        self.connections.set(self.all.len() as f64);
        Ok(None)
    }

    /// Takes a datagram of a sensor, and gives what it is answered at once.
    pub(super) async fn datagram(&mut self, name: &Name, datagram: &[u8], now_ms: u64) -> Replies {
        let Some(sensor) = self.all.get_mut(name) else { return Vec::new() };
        sensor.heard_ms = now_ms;
        if now_ms < sensor.deaf_until_ms {
            // What wants an answer is sent again; it is slowed so.
            count_refused("too-fast");
            return Vec::new();
        }
        if let Some(allowance) = sensor.allowance
            && let Some(wait) = self.quotas.charge(&sensor.identity, allowance, 1, datagram.len())
        {
            sensor.deaf_until_ms = now_ms + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 2);
        }
        let outputs = sensor.session.step(datagram, now_ms);
        self.act(name, outputs).await
    }

    /// Does what conversations say is to be done.
    async fn act(&mut self, name: &Name, outputs: Vec<Output>) -> Replies {
        let mut replies = Vec::new();
        for output in outputs {
            match output {
                Output::Send(message) => replies.push((Arc::clone(name), message)),
                Output::Refused(refusal) => count_refused(refusal.name()),
                Output::Registered { endpoint, .. } => self.registered(name, endpoint).await,
                Output::Gone { goodbye: true } => self.gone(name, LinkState::Offline, "said goodbye").await,
                Output::Gone { goodbye: false } => self.gone(name, LinkState::Lost, "not heard for its lifetime").await,
                Output::Deliver { exchange, records, raw, fault } => {
                    self.deliver(name, exchange, &records, raw.1, fault).await;
                }
            }
        }
        replies
    }

    async fn registered(&mut self, name: &Name, endpoint: Option<String>) {
        let Some(sensor) = self.all.get_mut(name) else { return };
        if sensor.identity.open
            && let Some(endpoint) = endpoint
        {
            sensor.device = Some(DeviceId::sanitised(&endpoint));
        }
        if let Some(device) = sensor.device.clone().filter(|_| !sensor.up) {
            sensor.up = true;
            self.note(link(device, LinkState::Online, "registered")).await;
        }
    }

    async fn gone(&mut self, name: &Name, state: LinkState, reason: &str) {
        let Some(sensor) = self.all.get_mut(name) else { return };
        if let Some(device) = sensor.device.clone().filter(|_| sensor.up) {
            sensor.up = false;
            self.note(link(device, state, reason)).await;
        }
    }

    /// Writes something down that nobody waits for.
    async fn note(&self, draft: journal::Draft) {
        // A journal that takes nothing more means that the program stops.
        let _ = self.doors.appender.enqueue(draft, NOBODY, &self.acks).await;
    }

    async fn deliver(
        &mut self,
        name: &Name,
        exchange: u64,
        records: &[Record],
        raw: Vec<u8>,
        fault: Option<ContentError>,
    ) {
        let Some(sensor) = self.all.get(name) else { return };
        let Some(device) = sensor.device.clone() else { return };
        let said = Said {
            device: &device,
            own: !sensor.identity.open,
            records,
            raw,
            fault,
            received: (self.doors.clock)(),
        };
        let identify = &self.doors.identify;
        let profiles = (self.doors.profiles)();
        let ingested = ingest(said, &profiles, identify.restrictions().as_deref());
        for violation in &ingested.violations {
            identify.violated(&sensor.identity, violation);
        }
        self.messages.increment(1);
        if !ingested.message.problems.is_empty() {
            self.quarantined.increment(1);
        }
        let address = sensor.peer.map(|peer| peer.ip().to_canonical());
        tell(identify.as_ref(), &ingested.message, &topic(&device), address);
        let token = self.next_token;
        self.next_token += 1;
        self.waiting.insert(token, (Arc::clone(name), sensor.generation, exchange));
        let draft = draft(ingested.message, ingested.dedup);
        if self.doors.appender.enqueue(draft, token, &self.acks).await.is_err() {
            // The program stops; the sensor gets no answer, and says it again.
            self.waiting.remove(&token);
        }
    }

    /// Whether something is still on its way into the journal.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Answers what the journal has kept, or could not keep.
    pub(super) fn settle(&mut self, outcomes: Vec<(u64, Outcome)>) -> Replies {
        let mut replies = Vec::new();
        for (token, outcome) in outcomes {
            let kept = match outcome {
                Outcome::Committed(_) | Outcome::Duplicate(_) => true,
                Outcome::Failed(error) => {
                    count_refused("not-stored");
                    tracing::error!("coap: a message could not be stored: {error}");
                    false
                }
            };
            let Some((name, generation, exchange)) = self.waiting.remove(&token) else { continue };
            let Some(sensor) = self.all.get_mut(&name).filter(|sensor| sensor.generation == generation) else { continue };
            for output in sensor.session.settled(exchange, kept) {
                if let Output::Send(message) = output {
                    replies.push((Arc::clone(&name), message));
                }
            }
        }
        replies
    }

    /// Time has passed. Gives what is to be sent, and the addresses of those that are no longer here.
    pub(super) async fn tick(&mut self, now_ms: u64) -> (Replies, Vec<SocketAddr>) {
        let mut replies = Vec::new();
        let names: Vec<Name> = self.all.keys().map(Arc::clone).collect();
        for name in &names {
            let Some(sensor) = self.all.get_mut(name) else { continue };
            let outputs = sensor.session.tick(now_ms);
            if !outputs.is_empty() {
                replies.extend(self.act(name, outputs).await);
            }
        }
        let idle_ms = u64::try_from(self.limits.idle.as_millis()).unwrap_or(u64::MAX);
        let over = |sensor: &Sensor| {
            let silent = now_ms.saturating_sub(sensor.heard_ms) > idle_ms;
            sensor.session.registered_until_ms().is_none() && (silent || sensor.peer.is_none())
        };
        let addresses = self.all.values().filter(|sensor| over(sensor)).filter_map(|sensor| sensor.peer).collect();
        self.all.retain(|_, sensor| !over(sensor));
        self.connections.set(self.all.len() as f64);
        (replies, addresses)
    }

    /// A sensor's connection from this address is over; its registration stands.
    pub(super) fn parted(&mut self, name: &str, peer: SocketAddr) {
        if let Some(sensor) = self.all.get_mut(name).filter(|sensor| sensor.peer == Some(peer)) {
            sensor.peer = None;
            sensor.session.disconnected();
        }
    }

    /// Puts out those that may not come in any more; gives the addresses that they spoke from.
    pub(super) async fn look_again(&mut self) -> Vec<SocketAddr> {
        let identify = Arc::clone(&self.doors.identify);
        let fallen: Vec<Name> =
            self.all.iter().filter(|(_, one)| !identify.still_stands(&one.identity)).map(|(name, _)| Arc::clone(name)).collect();
        let mut addresses = Vec::new();
        for name in fallen {
            count_refused("revoked");
            self.gone(&name, LinkState::Lost, "closed because its account was taken away").await;
            addresses.extend(self.all.remove(&name).and_then(|sensor| sensor.peer));
        }
        self.connections.set(self.all.len() as f64);
        addresses
    }

    /// The program stops: links end, behind everything that was said.
    pub(super) async fn stop(&mut self) {
        let names: Vec<Name> = self.all.keys().map(Arc::clone).collect();
        for name in names {
            self.gone(&name, LinkState::Offline, "the server stopped").await;
        }
    }
}
