//! What each packet of a client does.

use std::sync::Arc;

use guard::Restrictions;
use journal::Lane;
use mapping::Profiles;
use tokio::io::{AsyncRead, AsyncWrite};
use vitals::{LinkState, Problem, ReceiveTime};
use wire_mqtt::codec::encode::{self, AckKind, Block};
use wire_mqtt::codec::{Ack, Packet, Publish, Subscribe, SubscribeEntry, Unsubscribe, decode};
use wire_mqtt::session::{Incoming, Offer};
use wire_mqtt::topic::{check_filter, check_name, split_shared};
use wire_mqtt::tree::{Entry, Options};
use wire_mqtt::{Delivery, MqttError, Publication, Qos, Reason, Version};

use super::broker::count_refused;
use super::connection::{Connection, End};
use super::ingest::{
    self, Raw, downlink, firmware_of, forbidden, is_ingested, live_devices, may_publish, may_subscribe, topic_limit,
};
use super::window::Answer;
use crate::Receipt;
use crate::quota::tell;

/// What is the same for all packets read at once.
pub(super) struct Burst {
    profiles: Arc<Profiles>,
    restrictions: Option<Arc<Restrictions>>,
    received: ReceiveTime,
    now_ms: u64,
}

/// What a SUBSCRIBE asks for, for the record: filters of our own topics as they are; what a site
/// calls its topics is counted, for a name may be in it.
pub(super) fn followed(header: u8, body: &[u8], version: Version) -> String {
    let Ok(Packet::Subscribe(subscribe)) = decode(header, body, version) else {
        return String::new();
    };
    let filters = subscribe.entries.iter().map(|entry| split_shared(entry.filter).1);
    let (own, other): (Vec<_>, Vec<_>) =
        filters.partition(|filter| *filter == "#" || filter.starts_with("vitalwire/"));
    let mut what = own.join(" ");
    if !other.is_empty() {
        what.push_str(&format!(" and {} other filters", other.len()));
    }
    what.trim_start().to_owned()
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Looks at the clock and the profiles once for many packets.
    pub(super) fn begin_burst(&self) -> Burst {
        Burst {
            profiles: (self.broker.doors.profiles)(),
            restrictions: self.broker.doors.identify.restrictions(),
            received: (self.broker.doors.clock)(),
            now_ms: self.broker.now_ms(),
        }
    }

    /// Counts what came in.
    pub(super) fn end_burst(&self) {
        self.broker.counters.messages.increment(self.burst.len() as u64);
    }

    /// Acts on one packet.
    pub(super) fn packet(&mut self, burst: &Burst, header: u8, body: &[u8]) -> Result<(), End> {
        let version = self.peer.version;
        match decode(header, body, version).map_err(End::Refused)? {
            Packet::Publish(publish) => self.publish(burst, &publish),
            Packet::PubAck(ack) => {
                self.session()?.session.on_puback(ack.packet_id);
                self.outgoing = true;
                Ok(())
            }
            Packet::PubRec(ack) => self.pub_rec(ack),
            Packet::PubRel(ack) => self.pub_rel(ack),
            Packet::PubComp(ack) => {
                self.session()?.session.on_pubcomp(ack.packet_id);
                self.outgoing = true;
                Ok(())
            }
            Packet::Subscribe(subscribe) => self.subscribe(&subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(&unsubscribe),
            Packet::PingReq => {
                encode::ping_resp(&mut self.out);
                Ok(())
            }
            Packet::Disconnect(reason, expiry_s) => Err(self.disconnect(reason, expiry_s)),
            Packet::Connect(_) => Err(End::Refused(MqttError::Protocol("a second CONNECT"))),
            Packet::Auth => Err(End::Refused(MqttError::Protocol("AUTH was not agreed on"))),
        }
    }

    fn publish(&mut self, burst: &Burst, publish: &Publish<'_>) -> Result<(), End> {
        let by_alias = self.resolve(publish)?;
        let topic = by_alias.as_deref().unwrap_or(publish.topic);
        let mut answer =
            Answer { qos: publish.qos, packet_id: publish.packet_id, ..Answer::default() };
        if publish.qos != Qos::AtMostOnce && self.known(publish, &mut answer)? {
            return Ok(());
        }
        let refusal = self.refusal(topic)?;
        if let Some((device, what)) = downlink(topic) {
            let (identify, allowed) = (&self.broker.doors.identify, refusal.is_none());
            identify.commanded(&self.peer.identity, device, what, allowed);
        }
        if let Some((reason, problem)) = &refusal {
            answer.reason = Some(*reason);
            count_refused(problem.kind.name());
        } else {
            let key = self.peer.client.key;
            let wanted =
                publish.retain || self.routes.find(&self.broker, topic, key).is_some();
            answer.publication =
                wanted.then(|| Arc::new(Publication::new(publish, topic, key, burst.now_ms)));
        }
        let clears = publish.retain && publish.payload.is_empty();
        if refusal.is_none() && (clears || !is_ingested(topic)) {
            self.window.done(answer);
            return Ok(());
        }
        if refusal.is_none()
            && let Some(device) = firmware_of(topic)
        {
            let receipt = Receipt::new(&self.acks, self.window.journal(answer));
            self.broker.doors.identify.firmware(&device, publish.payload, receipt);
            return Ok(());
        }
        let raw = Raw {
            client_id: &self.peer.client.id,
            topic,
            payload: publish.payload,
            content_type: publish.properties.content_type,
            received: burst.received,
        };
        let refusal = refusal.map(|(_, problem)| problem);
        let rules = ingest::Rules { profiles: &burst.profiles, restrictions: burst.restrictions.as_deref() };
        let ingested = ingest::ingest(&raw, &rules, &self.peer.identity, refusal);
        for violation in &ingested.violations {
            self.broker.doors.identify.violated(&self.peer.identity, violation);
        }
        if ingested.quarantined.is_some() {
            self.broker.counters.quarantined.increment(1);
            answer.quarantined = ingested.quarantined;
        }
        if ingested.forbidden {
            // What the journal keeps apart does not reach whoever follows this topic, either.
            answer.publication = None;
        }
        if let vitals::Event::Message(message) = &ingested.draft.event {
            tell(self.broker.doors.identify.as_ref(), message, topic, self.peer.address);
        }
        self.announce(&ingested.draft)?;
        let (token, mut draft) = (self.window.journal(answer), ingested.draft);
        if draft.lane == Lane::Numeric {
            draft.lane = self.pace.lane(token, self.window.first());
        }
        self.burst.push((draft, token));
        Ok(())
    }

    /// The topic that an alias stands for; none when the packet names it itself.
    fn resolve(&mut self, publish: &Publish<'_>) -> Result<Option<Arc<str>>, End> {
        let Some(alias) = publish.properties.alias else { return Ok(None) };
        if alias > self.broker.limits.topic_aliases {
            return Err(End::Refused(MqttError::Alias("above the maximum in CONNACK")));
        }
        if publish.topic.is_empty() {
            let topic = self.aliases.get(&alias).cloned();
            return topic.map(Some).ok_or(End::Refused(MqttError::Alias("not set before")));
        }
        self.aliases.insert(alias, publish.topic.into());
        Ok(None)
    }

    /// Handles a publish with QoS 2 that was sent before, and checks the receive maximum.
    fn known(&mut self, publish: &Publish<'_>, answer: &mut Answer) -> Result<bool, End> {
        let max = usize::from(self.broker.limits.receive_maximum);
        if self.peer.version == Version::V5 && self.window.unacknowledged() >= max {
            return Err(End::Refused(MqttError::ReceiveMaximum));
        }
        if publish.qos != Qos::ExactlyOnce {
            return Ok(false);
        }
        let earlier = self.session()?.session.receive(publish.packet_id);
        match earlier {
            None => return Ok(false),
            Some(Incoming::Done) => self.window.done(std::mem::take(answer)),
            Some(Incoming::Pending) => self.window.earlier(std::mem::take(answer)),
        }
        Ok(true)
    }

    /// Why a publish on this topic is kept in quarantine and goes no further, if so. A wildcard
    /// in the name ends the connection, as both versions demand (3.3.2-2).
    fn refusal(&self, topic: &str) -> Result<Option<(Reason, Problem)>, End> {
        if topic.contains(['+', '#']) {
            return Err(End::Refused(MqttError::Topic("wildcard in a topic name")));
        }
        if check_name(topic, self.broker.limits.topic).is_err() {
            return Ok(Some((Reason::BAD_TOPIC, topic_limit())));
        }
        if !may_publish(&self.peer.identity, topic) {
            return Ok(Some((Reason::NOT_AUTHORISED, forbidden("this topic"))));
        }
        Ok(None)
    }

    /// Tells the journal of devices that are heard on this connection for the first time, ahead
    /// of what they say.
    fn announce(&mut self, draft: &journal::Draft) -> Result<(), End> {
        for device in live_devices(&draft.event) {
            if self.last_device.as_ref() == Some(device) {
                continue;
            }
            self.last_device = Some(device.clone());
            let mut state = self.session()?;
            let room = state.devices.len() < self.broker.limits.devices;
            if room && state.devices.insert(device.clone()) {
                drop(state);
                let token = self.window.journal(Answer::default());
                let link = ingest::link(device.clone(), LinkState::Online, "");
                self.burst.push((link, token));
            }
        }
        Ok(())
    }

    fn pub_rec(&mut self, ack: Ack) -> Result<(), End> {
        let reason = self.session()?.session.on_pubrec(ack.packet_id, ack.reason);
        match reason {
            Some(reason) => self.ack(AckKind::PubRel, ack.packet_id, reason),
            None => self.outgoing = true,
        }
        Ok(())
    }

    fn pub_rel(&mut self, ack: Ack) -> Result<(), End> {
        let known = self.session()?.session.release(ack.packet_id);
        let reason = if known { Reason::SUCCESS } else { Reason::PACKET_ID_UNKNOWN };
        self.ack(AckKind::PubComp, ack.packet_id, reason);
        Ok(())
    }

    fn ack(&mut self, kind: AckKind, packet_id: u16, reason: Reason) {
        encode::ack(&mut self.out, self.peer.version, kind, packet_id, reason, &Block::new());
    }

    fn subscribe(&mut self, subscribe: &Subscribe<'_>) -> Result<(), End> {
        // The next one needs a record of its own.
        self.recorded = false;
        let mut reasons = Vec::with_capacity(subscribe.entries.len());
        let mut retained = Vec::new();
        for entry in &subscribe.entries {
            let (group, plain) = split_shared(entry.filter);
            if group.is_some() && entry.no_local {
                let error = MqttError::Protocol("no-local on a shared subscription");
                return Err(End::Refused(error));
            }
            if check_filter(entry.filter, self.broker.limits.topic).is_err() {
                reasons.push(Reason::BAD_FILTER);
                continue;
            }
            if !may_subscribe(&self.peer.identity, plain) {
                count_refused("forbidden-subscription");
                reasons.push(Reason::NOT_AUTHORISED);
                continue;
            }
            match self.add_subscription(entry, subscribe.identifier)? {
                None => reasons.push(Reason::QUOTA),
                Some(new) => {
                    reasons.push(Reason(entry.qos.bits()));
                    let wanted = entry.retain_handling == 0 || (entry.retain_handling == 1 && new);
                    if group.is_none() && wanted {
                        retained.push(entry);
                    }
                }
            }
        }
        encode::sub_ack(&mut self.out, self.peer.version, subscribe.packet_id, &reasons);
        for entry in retained {
            self.send_retained(entry, subscribe.identifier)?;
        }
        Ok(())
    }

    /// Adds or replaces a subscription; whether it is new, or none when there are too many.
    fn add_subscription(
        &mut self,
        entry: &SubscribeEntry<'_>,
        identifier: Option<u32>,
    ) -> Result<Option<bool>, End> {
        let options = Options {
            qos: entry.qos,
            no_local: entry.no_local,
            retain_as_published: entry.retain_as_published,
            identifier,
        };
        let mut state = self.session()?;
        let subscriptions = &mut state.session.subscriptions;
        if subscriptions.len() >= self.broker.limits.subscriptions
            && !subscriptions.contains_key(entry.filter)
        {
            count_refused("too-many-subscriptions");
            return Ok(None);
        }
        subscriptions.insert(entry.filter.into(), options);
        drop(state);
        let client = &self.peer.client;
        let handle = Arc::clone(client);
        let new = self.broker.subscribe(entry.filter, Entry { client: client.key, handle, options });
        if client.state.lock().ended {
            self.broker.unsubscribe(std::iter::once(entry.filter), client.key);
        }
        Ok(Some(new))
    }

    fn send_retained(
        &mut self,
        entry: &SubscribeEntry<'_>,
        identifier: Option<u32>,
    ) -> Result<(), End> {
        for publication in self.broker.retained(entry.filter) {
            let delivery = Delivery {
                qos: entry.qos.min(publication.qos),
                retain: true,
                identifiers: identifier.into_iter().collect(),
                publication,
            };
            let limits = self.broker.limits.queue;
            if self.session()?.session.offer(delivery, true, limits) == Offer::Full {
                self.broker.count_dropped("subscriber-queue-full");
            }
        }
        self.outgoing = true;
        Ok(())
    }

    fn unsubscribe(&mut self, unsubscribe: &Unsubscribe<'_>) -> Result<(), End> {
        let mut reasons = Vec::with_capacity(unsubscribe.filters.len());
        for filter in &unsubscribe.filters {
            let known = self.session()?.session.subscriptions.remove(*filter).is_some();
            if known {
                self.broker.unsubscribe(std::iter::once(*filter), self.peer.client.key);
            }
            reasons.push(if known { Reason::SUCCESS } else { Reason::NO_SUBSCRIPTION });
        }
        encode::unsub_ack(&mut self.out, self.peer.version, unsubscribe.packet_id, &reasons);
        Ok(())
    }

    /// DISCONNECT: the session's expiry may be changed, but not from none (3.14.2.2.2).
    fn disconnect(&mut self, reason: Reason, expiry_s: Option<u32>) -> End {
        if let Some(expiry_s) = expiry_s {
            if self.peer.expiry_asked_s == 0 && expiry_s > 0 {
                let error = MqttError::Protocol("session expiry was 0 in CONNECT");
                return End::Refused(error);
            }
            let max = self.broker.limits.session_expiry_max_s;
            match self.session() {
                Ok(mut state) => state.expiry_s = expiry_s.min(max),
                Err(end) => return end,
            }
        }
        if reason == Reason::SUCCESS { End::Normal } else { End::WithWill }
    }
}
