//! After a connection: link events, the will with its delay, the end of the session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use vitals::{DeviceId, LinkState};

use super::broker::{Broker, RouteCache};
use super::connection::End;
use super::handshake::{Peer, Will};
use super::ingest::{self, Raw, Rules};
use super::registry::Client;
use crate::ClientIdentity;

/// Carries out what a connection that ended leaves behind.
pub(super) async fn afterlife(broker: Arc<Broker>, mut peer: Peer, end: &End) {
    let will = match end {
        End::Normal | End::Shutdown => None,
        _ => peer.will.take(),
    };
    let Some(left) = leave(&peer) else {
        // Another connection has the session, or has ended it. A delayed will is void when the
        // session goes on (3.1.3.2.2).
        let goes_on = !peer.client.state.lock().ended;
        if let Some(will) = will.filter(|w| w.delay_s == 0 || !goes_on) {
            publish_will(&broker, &peer.client, &peer.identity, will).await;
        }
        return;
    };
    tell_links(&broker, left.devices, end, will.is_some()).await;
    if matches!(end, End::Shutdown) {
        return;
    }
    let expiry = Duration::from_secs(u64::from(left.expiry_s));
    let delay = will.as_ref().map_or(0, |w| w.delay_s).min(left.expiry_s);
    let started = Instant::now();
    if let Some(will) = will {
        if delay > 0 && returned(&peer.client, left.epoch, &left.wake, started + Duration::from_secs(u64::from(delay))).await {
            return;
        }
        publish_will(&broker, &peer.client, &peer.identity, will).await;
    }
    let client = Arc::clone(&peer.client);
    drop(peer);
    if left.expiry_s > 0 && returned(&client, left.epoch, &left.wake, started + expiry).await {
        return;
    }
    let mut state = client.state.lock();
    if state.epoch != left.epoch {
        return;
    }
    state.end();
    drop(state);
    broker.bury(&client);
}

struct Left {
    epoch: u64,
    wake: Arc<Notify>,
    expiry_s: u32,
    devices: Vec<DeviceId>,
}

/// Takes the session from its connection, unless somebody else has it already.
fn leave(peer: &Peer) -> Option<Left> {
    let mut state = peer.client.state.lock();
    if state.epoch != peer.epoch {
        return None;
    }
    state.epoch += 1;
    state.connected = false;
    state.wake = Arc::default();
    let devices = state.devices.drain().collect();
    Some(Left { epoch: state.epoch, wake: Arc::clone(&state.wake), expiry_s: state.expiry_s, devices })
}

/// Waits until `deadline`; true when the client came back before.
async fn returned(client: &Client, epoch: u64, wake: &Notify, deadline: Instant) -> bool {
    loop {
        if client.state.lock().epoch != epoch {
            return true;
        }
        if tokio::time::timeout_at(deadline, wake.notified()).await.is_err() {
            return client.state.lock().epoch != epoch;
        }
    }
}

/// Writes down that devices are not heard any more, behind everything that they said.
async fn tell_links(broker: &Broker, devices: Vec<DeviceId>, end: &End, will: bool) {
    let (state, reason) = match end {
        End::Normal => (LinkState::Offline, "disconnected"),
        End::WithWill => (LinkState::Lost, "will message"),
        End::Shutdown => (LinkState::Offline, "the server stopped"),
        End::Lost(why) => (LinkState::Lost, *why),
        End::Refused(_) => (LinkState::Lost, "closed for a protocol error"),
        End::TakenOver => (LinkState::Lost, "session ended by another connection"),
        End::Revoked => (LinkState::Lost, "closed because its account was taken away"),
        End::NoRecord => (LinkState::Lost, "closed because no audit record could be kept"),
        End::NotKept(_) => (LinkState::Lost, "closed because the journal failed"),
    };
    let reason = if will && state == LinkState::Lost && reason != "will message" {
        format!("{reason}; will message")
    } else {
        reason.to_owned()
    };
    let acks = journal::AckQueue::new();
    let mut waiting = devices.len();
    for device in devices {
        if broker.doors.appender.enqueue(ingest::link(device, state, &reason), 0, &acks).await.is_err() {
            return;
        }
    }
    while waiting > 0 {
        waiting = waiting.saturating_sub(acks.wait().await.len());
    }
}

/// Publishes a will as if the client had sent it now.
async fn publish_will(broker: &Broker, client: &Client, identity: &ClientIdentity, will: Will) {
    let mut publication = will.publication;
    publication.expires_ms = will.expiry_s.map(|s| broker.now_ms() + u64::from(s) * 1_000);
    let clears = publication.retain && publication.payload.is_empty();
    if ingest::is_ingested(&publication.topic) && !clears {
        let raw = Raw {
            client_id: &client.id,
            topic: &publication.topic,
            payload: &publication.payload,
            content_type: will.content_type.as_deref(),
            received: (broker.doors.clock)(),
        };
        let profiles = (broker.doors.profiles)();
        let restrictions = broker.doors.identify.restrictions();
        let rules = Rules { profiles: &profiles, restrictions: restrictions.as_deref() };
        let ingested = ingest::ingest(&raw, &rules, identity, None);
        for violation in &ingested.violations {
            broker.doors.identify.violated(identity, violation);
        }
        let forbidden = ingested.forbidden;
        if ingested.quarantined.is_some() {
            broker.counters.quarantined.increment(1);
        }
        broker.counters.messages.increment(1);
        match broker.doors.appender.append(ingested.draft).await {
            Ok(journal::Outcome::Failed(error)) => {
                tracing::error!(client = %client.id, "mqtt: will not kept: {error}");
                return;
            }
            Ok(_) => {}
            Err(_) => return,
        }
        if forbidden {
            return;
        }
    }
    broker.deliver(&Arc::new(publication), &mut RouteCache::default());
}
