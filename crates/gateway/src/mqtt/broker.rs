//! From a publication to its subscribers, and what is retained.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use metrics::{Counter, Gauge};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;
use wire_mqtt::retained::{Kept, Retained};
use wire_mqtt::session::Offer;
use wire_mqtt::tree::{Entry, Route, Routes, Tree};
use wire_mqtt::{Delivery, Publication, Qos};

use super::config::MqttLimits;
use super::ingest::{downlink, is_downlink};
use super::pace;
use super::registry::{Client, Registry};
use crate::Doors;
use crate::quota::Quotas;

/// A retained message as it is kept across restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedRecord {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Encoded MQTT 5 properties.
    pub properties: Vec<u8>,
    /// QoS, 0 to 2.
    pub qos: u8,
}

/// Keeps retained configuration across restarts. Measurements that a device marks as retained are
/// not kept here: the journal has them; commands are never retained.
pub trait RetainedMemory: Send + Sync {
    /// Everything kept, read once at start.
    fn load(&self) -> Vec<RetainedRecord>;

    /// Keeps a topic's last message; with an empty payload, forgets the topic. Durable on
    /// return; called before the publisher is acknowledged.
    fn set(&self, record: &RetainedRecord);
}

/// What all connections share.
pub(super) struct Broker {
    pub(super) doors: Doors,
    pub(super) limits: MqttLimits,
    pub(super) registry: Registry,
    pub(super) counters: Counters,
    tree: RwLock<Tree<Arc<Client>>>,
    /// Moves on with every change of the tree, so that connections may remember routes.
    generation: AtomicU64,
    retained: Mutex<Retained>,
    memory: Option<Arc<dyn RetainedMemory>>,
    /// What is left of each identity's allowance.
    pub(super) quotas: Quotas,
    /// Shared by the senders that exceed a monitor's rhythm.
    pub(super) turns: Arc<Semaphore>,
    started: Instant,
    closing: AtomicBool,
    /// Moves on when accounts may have changed.
    standing: AtomicU64,
    made_up: AtomicU64,
}

/// Handles of what is counted for each message.
pub(super) struct Counters {
    pub(super) messages: Counter,
    pub(super) quarantined: Counter,
    pub(super) connections: Gauge,
    queue_full: Counter,
    away: Counter,
    retained_full: Counter,
}

impl Counters {
    fn new() -> Self {
        let dropped = |reason: &'static str| {
            metrics::counter!("vitalwire_gateway_dropped_total", "protocol" => "mqtt", "reason" => reason)
        };
        Self {
            messages: metrics::counter!("vitalwire_gateway_messages_total", "protocol" => "mqtt"),
            quarantined: metrics::counter!("vitalwire_gateway_quarantined_total", "protocol" => "mqtt"),
            connections: metrics::gauge!("vitalwire_gateway_connections", "protocol" => "mqtt"),
            queue_full: dropped("subscriber-queue-full"),
            away: dropped("subscriber-away-qos0"),
            retained_full: dropped("retained-full"),
        }
    }
}

/// Counts what was refused, by reason.
pub(super) fn count_refused(reason: &'static str) {
    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => "mqtt", "reason" => reason)
        .increment(1);
}

impl Broker {
    pub(super) fn new(
        limits: MqttLimits,
        doors: Doors,
        memory: Option<Arc<dyn RetainedMemory>>,
    ) -> Self {
        let mut retained = Retained::new(limits.retained);
        for record in memory.iter().flat_map(|m| m.load()) {
            // Commands are never kept: one that an earlier release let somebody retain is forgotten.
            if downlink(&record.topic).is_some_and(|(_, what)| what == "command") {
                let forgotten = RetainedRecord { payload: Vec::new(), ..record };
                memory.iter().for_each(|m| m.set(&forgotten));
                continue;
            }
            retained.set(Arc::new(Publication {
                topic: record.topic.into(),
                payload: record.payload.into(),
                properties: record.properties.into(),
                qos: Qos::from_bits(record.qos).unwrap_or(Qos::AtLeastOnce),
                retain: true,
                expires_ms: None,
                publisher: 0,
            }));
        }
        Self {
            doors,
            limits,
            registry: Registry::default(),
            counters: Counters::new(),
            tree: RwLock::default(),
            generation: AtomicU64::new(1),
            retained: Mutex::new(retained),
            memory,
            quotas: Quotas::new("mqtt"),
            turns: pace::turns(),
            started: Instant::now(),
            closing: AtomicBool::new(false),
            standing: AtomicU64::new(0),
            made_up: AtomicU64::new(1),
        }
    }

    /// A client id for a client that has none: unique in this run.
    pub(super) fn made_up_id(&self) -> String {
        let number = self.made_up.fetch_add(1, Ordering::Relaxed);
        format!("auto-{:x}-{number:x}", (self.doors.clock)().micros())
    }

    /// Counts a delivery that was dropped.
    pub(super) fn count_dropped(&self, reason: &'static str) {
        metrics::counter!("vitalwire_gateway_dropped_total", "protocol" => "mqtt", "reason" => reason)
            .increment(1);
    }

    /// Milliseconds on the clock by which messages expire.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the program stops.
    pub(super) fn closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Number of the last change of accounts that connections were told of.
    pub(super) fn standing(&self) -> u64 {
        self.standing.load(Ordering::Acquire)
    }

    /// Lets every connection ask again whether it may go on.
    pub(super) fn look_at_accounts(&self) {
        self.standing.fetch_add(1, Ordering::AcqRel);
        self.registry.wake_all();
    }

    /// Lets every connection end.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.registry.wake_all();
    }

    /// Adds a subscription; true when it is new.
    pub(super) fn subscribe(&self, filter: &str, entry: Entry<Arc<Client>>) -> bool {
        let new = self.tree.write().insert(filter, entry);
        self.generation.fetch_add(1, Ordering::Release);
        new
    }

    /// Removes subscriptions of a client.
    pub(super) fn unsubscribe<'a>(&self, filters: impl Iterator<Item = &'a str>, client: u64) {
        let mut tree = self.tree.write();
        for filter in filters {
            tree.remove(filter, client);
        }
        drop(tree);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Removes what a session that has ended leaves behind.
    pub(super) fn bury(&self, client: &Client) {
        let subscriptions = std::mem::take(&mut client.state.lock().session.subscriptions);
        if !subscriptions.is_empty() {
            self.unsubscribe(subscriptions.keys().map(|f| &**f), client.key);
        }
        self.registry.forget(client);
    }

    /// The unexpired retained messages that match a filter.
    pub(super) fn retained(&self, filter: &str) -> Vec<Arc<Publication>> {
        self.retained.lock().matching(filter, self.now_ms())
    }

    /// Retains a publication if it asks for that, and delivers it. To be called once it is durable.
    pub(super) fn deliver(&self, publication: &Arc<Publication>, routes: &mut RouteCache) {
        if publication.retain {
            self.retain(publication);
        }
        let Some(routes) = routes.find(self, &publication.topic, publication.publisher) else {
            return;
        };
        for route in &routes.direct {
            let delivery = Delivery {
                publication: Arc::clone(publication),
                qos: route.qos.min(publication.qos),
                retain: route.retain_as_published && publication.retain,
                identifiers: route.identifiers.as_slice().into(),
            };
            self.offer(&route.handle, delivery);
        }
        for group in &routes.groups {
            let there = |e: &&Entry<Arc<Client>>| e.handle.state.lock().connected;
            let kept = |e: &&Entry<Arc<Client>>| !e.handle.state.lock().ended;
            let chosen = group.in_turn().find(there).or_else(|| group.in_turn().find(kept));
            if let Some(entry) = chosen {
                let delivery = Delivery {
                    publication: Arc::clone(publication),
                    qos: entry.options.qos.min(publication.qos),
                    retain: entry.options.retain_as_published && publication.retain,
                    identifiers: entry.options.identifier.into_iter().collect(),
                };
                self.offer(&entry.handle, delivery);
            }
        }
    }

    /// The connection that a command to a device goes to: the one client that subscribed to this
    /// device's own topics and is there. None when there is none, or when two could act on it.
    pub(super) fn taker(&self, device: &str, topic: &str) -> Option<Route<Arc<Client>>> {
        let routes = self.tree.read().routes(topic, 0);
        let own = ["command", "+", "#"].map(|last| format!("vitalwire/{device}/{last}"));
        let mut takers = routes.direct.into_iter().filter(|route| {
            let state = route.handle.state.lock();
            state.connected && !state.ended && own.iter().any(|filter| state.session.subscriptions.contains_key(filter.as_str()))
        });
        let first = takers.next()?;
        takers.next().is_none().then_some(first)
    }

    /// Queues a delivery for a client and wakes its connection.
    pub(super) fn offer(&self, client: &Client, delivery: Delivery) {
        let mut state = client.state.lock();
        if state.ended {
            return;
        }
        let connected = state.connected;
        match state.session.offer(delivery, connected, self.limits.queue) {
            Offer::Queued if connected => state.wake.notify_one(),
            Offer::Queued => {}
            Offer::Full => self.counters.queue_full.increment(1),
            Offer::Away => self.counters.away.increment(1),
        }
    }

    /// Queues a delivery for a client that is there; nothing for one that is not. Whether it was.
    pub(super) fn offer_now(&self, client: &Client, delivery: Delivery) -> bool {
        let mut state = client.state.lock();
        let there = state.connected && !state.ended;
        let taken = there && state.session.offer(delivery, true, self.limits.queue) == Offer::Queued;
        if taken {
            state.wake.notify_one();
        }
        taken
    }

    fn retain(&self, publication: &Arc<Publication>) {
        if self.retained.lock().set(Arc::clone(publication)) == Kept::Full {
            self.counters.retained_full.increment(1);
            return;
        }
        if let Some(memory) = &self.memory
            && is_downlink(&publication.topic)
        {
            memory.set(&RetainedRecord {
                topic: publication.topic.to_string(),
                payload: publication.payload.to_vec(),
                properties: publication.properties.to_vec(),
                qos: publication.qos.bits(),
            });
        }
    }
}

/// Whether a publication is a command of the program's own to a device.
pub(super) fn is_command(publication: &Publication) -> bool {
    publication.publisher == 0 && downlink(&publication.topic).is_some_and(|(_, what)| what == "command")
}

/// Topics whose routes one connection remembers.
const CACHED_TOPICS: usize = 256;

/// A connection's memory of who gets what: as long as nobody subscribes or unsubscribes, a
/// publish looks at nothing that other connections write to.
#[derive(Default)]
pub(super) struct RouteCache {
    generation: u64,
    routes: HashMap<Box<str>, Option<Arc<Routes<Arc<Client>>>>>,
}

impl RouteCache {
    /// Who gets a publication on this topic; none when nobody does.
    pub(super) fn find(
        &mut self,
        broker: &Broker,
        topic: &str,
        publisher: u64,
    ) -> Option<Arc<Routes<Arc<Client>>>> {
        let generation = broker.generation.load(Ordering::Acquire);
        if generation != self.generation || self.routes.len() > CACHED_TOPICS {
            self.routes.clear();
            self.generation = generation;
        }
        if let Some(known) = self.routes.get(topic) {
            return known.clone();
        }
        let routes = broker.tree.read().routes(topic, publisher);
        let found = if routes.is_empty() { None } else { Some(Arc::new(routes)) };
        self.routes.insert(topic.into(), found.clone());
        found
    }
}
