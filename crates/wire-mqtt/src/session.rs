//! What one client must still get, and what it has sent in two steps: the session of 4.1.
//!
//! It outlives connections. The connection hands in what it learnt at CONNECT as a [`Link`].

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::codec::encode::{self, AckKind, Block, PublishHead};
use crate::tree::Options;
use crate::{Delivery, Publication, Qos, Reason, Version};

/// How much a session may hold for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages waiting.
    pub messages: usize,
    /// Their bytes; what several clients wait for counts for each.
    pub bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { messages: 10_000, bytes: 16 << 20 }
    }
}

/// What a connection allows a server to send.
#[derive(Debug, Clone)]
pub struct Link {
    version: Version,
    receive_maximum: usize,
    maximum_packet: usize,
    alias_maximum: u16,
    aliases: HashMap<Box<str>, u16>,
}

impl Link {
    /// From what the client said in CONNECT.
    #[must_use]
    pub fn new(
        version: Version,
        receive_maximum: u16,
        maximum_packet: Option<u32>,
        alias_maximum: u16,
    ) -> Self {
        Self {
            version,
            receive_maximum: usize::from(receive_maximum),
            maximum_packet: maximum_packet.map_or(usize::MAX, |b| b as usize),
            alias_maximum,
            aliases: HashMap::new(),
        }
    }

    /// The alias to send for a topic, and whether the topic's name may be left out.
    fn alias(&mut self, topic: &str) -> (Option<u16>, bool) {
        if let Some(alias) = self.aliases.get(topic) {
            return (Some(*alias), true);
        }
        let next = self.aliases.len() + 1;
        if next > usize::from(self.alias_maximum) || topic.len() < 4 {
            return (None, false);
        }
        let alias = u16::try_from(next).unwrap_or(u16::MAX);
        self.aliases.insert(topic.into(), alias);
        (Some(alias), false)
    }
}

/// What became of a delivery offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It waits for its turn.
    Queued,
    /// The queue is full; this one is dropped.
    Full,
    /// The client is away and this one is not kept for it (QoS 0).
    Away,
}

/// What [`Session::send_next`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Wrote one PUBLISH.
    One,
    /// Nothing waits, or the client's receive maximum is used up.
    Idle,
    /// Dropped one that had expired.
    Expired,
    /// Dropped one that is larger than the client takes.
    TooLarge,
}

/// Where a publish that the client sent with QoS 2 stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// Taken in, but not durable yet: PUBREC must wait.
    Pending,
    /// Durable: PUBREC may be sent, as often as asked for.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    AwaitAck,
    AwaitRec,
    AwaitComp,
}

#[derive(Debug)]
struct InFlight {
    packet_id: u16,
    step: Step,
    delivery: Delivery,
}

/// The state of one client.
#[derive(Debug, Default)]
pub struct Session {
    /// Subscriptions by filter as sent.
    pub subscriptions: HashMap<Box<str>, Options>,
    queue: VecDeque<Delivery>,
    queue_bytes: usize,
    in_flight: VecDeque<InFlight>,
    last_packet_id: u16,
    incoming: HashMap<u16, Incoming>,
}

impl Session {
    /// Messages waiting, not counting those in flight.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Offers a delivery; `connected` says whether the client is there now.
    pub fn offer(&mut self, delivery: Delivery, connected: bool, limits: QueueLimits) -> Offer {
        if !connected && delivery.qos == Qos::AtMostOnce {
            return Offer::Away;
        }
        let weight = delivery.publication.weight();
        if self.queue.len() >= limits.messages || self.queue_bytes + weight > limits.bytes {
            return Offer::Full;
        }
        self.queue_bytes += weight;
        self.queue.push_back(delivery);
        Offer::Queued
    }

    /// Writes the next waiting message, if the client may get one.
    pub fn send_next(&mut self, link: &mut Link, now_ms: u64, out: &mut Vec<u8>) -> Sent {
        let room = self.in_flight.len() < link.receive_maximum;
        if !self.queue.front().is_some_and(|next| room || next.qos == Qos::AtMostOnce) {
            return Sent::Idle;
        }
        let Some(delivery) = self.queue.pop_front() else { return Sent::Idle };
        self.queue_bytes -= delivery.publication.weight();
        if delivery.publication.expired(now_ms) {
            return Sent::Expired;
        }
        let packet_id = match delivery.qos {
            Qos::AtMostOnce => 0,
            _ => self.free_packet_id(),
        };
        if !write(link, &delivery, packet_id, false, now_ms, out) {
            return Sent::TooLarge;
        }
        let step = match delivery.qos {
            Qos::AtMostOnce => return Sent::One,
            Qos::AtLeastOnce => Step::AwaitAck,
            Qos::ExactlyOnce => Step::AwaitRec,
        };
        self.in_flight.push_back(InFlight { packet_id, step, delivery });
        Sent::One
    }

    /// Takes back what waits or is in flight and must not be sent (again).
    pub fn withdraw(&mut self, which: impl Fn(&Publication) -> bool) {
        self.queue.retain(|delivery| !which(&delivery.publication));
        self.queue_bytes = self.queue.iter().map(|delivery| delivery.publication.weight()).sum();
        self.in_flight.retain(|flight| !which(&flight.delivery.publication));
    }

    /// Writes again what was in flight when the last connection broke, in the original order
    /// (4.4). To be called once, right after CONNACK.
    pub fn resend(&mut self, link: &mut Link, now_ms: u64, out: &mut Vec<u8>) {
        self.in_flight.retain(|flight| match flight.step {
            Step::AwaitComp => {
                let kind = AckKind::PubRel;
                encode::ack(out, link.version, kind, flight.packet_id, Reason::SUCCESS, &Block::new());
                true
            }
            _ => write(link, &flight.delivery, flight.packet_id, true, now_ms, out),
        });
    }

    /// PUBACK arrived. Returns whether it was awaited.
    pub fn on_puback(&mut self, packet_id: u16) -> bool {
        self.finish(packet_id, Step::AwaitAck)
    }

    /// PUBREC arrived. Returns the reason to send in PUBREL, or none when nothing is to be sent
    /// because the client refused the message.
    pub fn on_pubrec(&mut self, packet_id: u16, reason: Reason) -> Option<Reason> {
        if reason.is_error() {
            self.finish(packet_id, Step::AwaitRec);
            return None;
        }
        match self.in_flight.iter_mut().find(|f| f.packet_id == packet_id) {
            Some(flight) if flight.step != Step::AwaitAck => {
                flight.step = Step::AwaitComp;
                Some(Reason::SUCCESS)
            }
            _ => Some(Reason::PACKET_ID_UNKNOWN),
        }
    }

    /// PUBCOMP arrived. Returns whether it was awaited.
    pub fn on_pubcomp(&mut self, packet_id: u16) -> bool {
        self.finish(packet_id, Step::AwaitComp)
    }

    fn finish(&mut self, packet_id: u16, step: Step) -> bool {
        let found = |f: &InFlight| f.packet_id == packet_id && f.step == step;
        let at = self.in_flight.iter().position(found);
        at.and_then(|at| self.in_flight.remove(at)).is_some()
    }

    /// A publish with QoS 2 arrived. Returns where an earlier one with this packet id stands; if
    /// there is none, this one is new and pending from now on.
    pub fn receive(&mut self, packet_id: u16) -> Option<Incoming> {
        let earlier = self.incoming.get(&packet_id).copied();
        if earlier.is_none() {
            self.incoming.insert(packet_id, Incoming::Pending);
        }
        earlier
    }

    /// Where the publish with this packet id stands.
    #[must_use]
    pub fn incoming(&self, packet_id: u16) -> Option<Incoming> {
        self.incoming.get(&packet_id).copied()
    }

    /// A pending publish became durable.
    pub fn committed(&mut self, packet_id: u16) {
        if let Some(incoming) = self.incoming.get_mut(&packet_id) {
            *incoming = Incoming::Done;
        }
    }

    /// A pending publish could not be kept: the client must send it again.
    pub fn forget(&mut self, packet_id: u16) {
        self.incoming.remove(&packet_id);
    }

    /// PUBREL arrived: the packet id is free again. Returns whether it was in use.
    pub fn release(&mut self, packet_id: u16) -> bool {
        self.incoming.remove(&packet_id).is_some()
    }

    /// The next packet id that is not in flight. There is always one: receive maximum is at most
    /// 65,535 and the caller has checked that there is room.
    fn free_packet_id(&mut self) -> u16 {
        loop {
            self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
            let id = self.last_packet_id;
            if !self.in_flight.iter().any(|f| f.packet_id == id) {
                return id;
            }
        }
    }
}

fn write(
    link: &mut Link,
    delivery: &Delivery,
    packet_id: u16,
    dup: bool,
    now_ms: u64,
    out: &mut Vec<u8>,
) -> bool {
    let publication: &Arc<Publication> = &delivery.publication;
    let max = link.maximum_packet;
    let (alias, known) = match link.version {
        // An alias is only handed out for what will fit for certain: topic, alias and all.
        Version::V5 if publication.weight() < max => link.alias(&publication.topic),
        _ => (None, false),
    };
    let left = |at: u64| u32::try_from(at.saturating_sub(now_ms).div_ceil(1_000)).unwrap_or(u32::MAX);
    let head = PublishHead {
        dup,
        qos: delivery.qos,
        retain: delivery.retain,
        packet_id,
        alias,
        expiry_s: publication.expires_ms.map(left),
        identifiers: &delivery.identifiers,
        properties: &publication.properties,
    };
    let topic = if known { "" } else { &*publication.topic };
    encode::publish(out, link.version, &head, topic, &publication.payload, max).is_some()
}
