//! One connection: APDUs in, what was learned to the journal, answers out behind it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Buf, BytesMut};
use journal::{AckQueue, Draft, Lane, Outcome};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use vitals::{Content, DeviceId, Event, LinkState, Measurement, Message, MetricCode};
use wire_phd::Apdu;
use wire_phd::apdu::Protocol;
use wire_phd::device::{Described, described};
use wire_phd::manager::{Input, Manager, Output, State};
use wire_phd::measure::Meaning;

use super::message::{Said, together, user_of};
use super::server::Shared;
use super::count_refused;
use crate::stream::stopped;
use crate::quota::tell;
use crate::{Allowance, ClientIdentity, told};

/// How much is read at a time, bytes.
const READ: usize = 16 * 1024;
/// What stands before an APDU's body: its choice and its length.
const HEAD: usize = 4;
/// How often time passes for the manager.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);
/// Configurations of one device that are remembered.
const KNOWN_OF_ONE: usize = 8;
/// How far the clock is ahead: said once an association.
const CLOCK_OFFSET: MetricCode = MetricCode(67_109_090);

/// Why a connection ended, other than by its peer.
enum End {
    /// Its peer closed it, or it broke.
    Peer,
    /// The program stops.
    Shutdown,
    /// It was cut off, for this reason.
    Cut(&'static str),
    /// Its device came by another connection.
    TakenOver,
}

pub(super) struct Connection<S> {
    shared: Arc<Shared>,
    identity: ClientIdentity,
    address: Option<IpAddr>,
    allowance: Option<Allowance>,
    slowed: Option<Instant>,
    io: S,
    buffer: BytesMut,
    manager: Manager,
    number: u64,
    system_id: Vec<u8>,
    /// The device that is associated, and its users that were heard.
    devices: Vec<DeviceId>,
    /// What it said of itself, so that it is not written again.
    about: Option<Described>,
    battery: Option<Vec<Measurement>>,
    heard: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(shared: Arc<Shared>, identity: ClientIdentity, address: Option<IpAddr>, io: S) -> Self {
        let manager = Manager::with(shared.manager.clone());
        let number = shared.next_connection.fetch_add(1, Ordering::Relaxed);
        Self {
            allowance: shared.doors.identify.allowance(&identity),
            slowed: None,
            shared,
            identity,
            address,
            io,
            buffer: BytesMut::new(),
            manager,
            number,
            system_id: Vec::new(),
            devices: Vec::new(),
            about: None,
            battery: None,
            heard: Instant::now(),
        }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(mut self) {
        self.manager.step(Input::Connected, self.now());
        let end = self.talk().await;
        if !self.buffer.is_empty() {
            count_refused("half-frame");
        }
        let reason = match &end {
            End::Peer => "the connection ended without a goodbye",
            End::Shutdown => "the server stopped",
            End::Cut(reason) => {
                let reason = *reason;
                count_refused(reason);
                tracing::warn!("phd: {}: connection cut off: {reason}", self.identity.name);
                reason
            }
            End::TakenOver => "",
        };
        let outputs = self.manager.step(Input::Disconnected, self.now());
        if !outputs.is_empty() {
            let state = if matches!(end, End::Shutdown) { LinkState::Offline } else { LinkState::Lost };
            let _ = self.leave(state, reason).await;
        }
        let _ = timeout(self.shared.limits.patience, self.io.shutdown()).await;
    }

    fn now(&self) -> i64 {
        (self.shared.doors.clock)().0
    }

    async fn talk(&mut self) -> End {
        let mut shutdown = self.shared.doors.shutdown.clone();
        let mut moved = self.shared.doors.identify.moved();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.buffer.reserve(READ);
            let done = tokio::select! {
                () = stopped(&mut shutdown) => Err(End::Shutdown),
                () = told(&mut moved) => match self.shared.doors.identify.still_stands(&self.identity) {
                    true => Ok(()),
                    false => Err(End::Cut("revoked")),
                },
                _ = ticks.tick() => self.tick().await,
                () = until(self.slowed), if self.slowed.is_some() => {
                    self.slowed = None;
                    Ok(())
                }
                read = self.io.read_buf(&mut self.buffer), if self.slowed.is_none() => match read {
                    Ok(0) | Err(_) => Err(End::Peer),
                    Ok(_) => {
                        self.heard = Instant::now();
                        self.take_apdus().await
                    }
                },
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Time passes: what is awaited too long, who is silent too long.
    async fn tick(&mut self) -> Result<(), End> {
        let limits = &self.shared.limits;
        let silent = self.heard.elapsed();
        if !self.buffer.is_empty() && silent > limits.frame_timeout {
            return Err(End::Cut("frame-timeout"));
        }
        let operating = self.manager.state() == State::Operating;
        if self.manager.state() == State::Unassociated && silent > limits.idle_timeout {
            return Err(End::Cut("idle-timeout"));
        }
        if operating && !self.is_present() {
            return Err(End::TakenOver);
        }
        if operating && silent > limits.probe_after {
            // Asked again only when another such time has passed; no answer in three seconds is the end.
            self.heard = Instant::now();
            let outputs = self.manager.step(Input::AskDevice, self.now());
            self.carry_out(outputs, &[]).await?;
        }
        let outputs = self.manager.step(Input::Tick, self.now());
        let over = !outputs.is_empty();
        self.carry_out(outputs, &[]).await?;
        if over { Err(End::Cut("response-timeout")) } else { Ok(()) }
    }

    fn is_present(&self) -> bool {
        let Some(device) = self.devices.first() else { return true };
        self.shared.present.lock().get(device) == Some(&self.number)
    }

    /// Hands every complete APDU to the manager.
    async fn take_apdus(&mut self) -> Result<(), End> {
        while self.buffer.len() >= HEAD {
            let choice = u16::from_be_bytes([self.buffer[0], self.buffer[1]]);
            if !(0xe200..=0xe700).contains(&choice) || choice & 0xff != 0 {
                return Err(End::Cut("not-20601"));
            }
            let length = HEAD + usize::from(u16::from_be_bytes([self.buffer[2], self.buffer[3]]));
            if self.buffer.len() < length {
                return Ok(());
            }
            let apdu = self.buffer.copy_to_bytes(length);
            if let Some(allowance) = self.allowance {
                let wait = self.shared.quotas.charge(&self.identity, allowance, 1, length);
                self.slowed = wait.map(|wait| Instant::now() + wait).or(self.slowed);
            }
            if self.manager.state() == State::Unassociated {
                self.recall(&apdu);
            }
            let outputs = self.manager.step(Input::Apdu(&apdu), self.now());
            self.carry_out(outputs, &apdu).await?;
        }
        Ok(())
    }

    /// Tells the manager which configurations the device that asks to associate has sent before.
    fn recall(&mut self, apdu: &[u8]) {
        let Ok(Apdu::AssociationRequest { protocols, .. }) = Apdu::decode(apdu) else { return };
        let known = self.shared.known.lock();
        for protocol in protocols {
            let Protocol::Phd(association) = protocol else { continue };
            for configuration in known.get(&association.system_id).into_iter().flatten() {
                self.manager.remember(association.system_id.clone(), configuration.clone());
            }
        }
    }

    /// Carries out what the manager says, in its order: what stands before something to send is
    /// durable when it is sent (DU-1).
    async fn carry_out(&mut self, outputs: Vec<Output>, apdu: &[u8]) -> Result<(), End> {
        let mut drafts = Vec::new();
        let mut meanings: Vec<Meaning> = Vec::new();
        for output in outputs {
            match output {
                Output::Observed(meaning) => meanings.push(meaning),
                other => {
                    self.observed(std::mem::take(&mut meanings), apdu, &mut drafts);
                    self.one(other, apdu, &mut drafts).await?;
                }
            }
        }
        self.observed(meanings, apdu, &mut drafts);
        self.keep(&mut drafts).await
    }

    async fn one(&mut self, output: Output, apdu: &[u8], drafts: &mut Vec<Draft>) -> Result<(), End> {
        match output {
            Output::Send(bytes) => {
                self.keep(drafts).await?;
                self.send(&bytes).await?;
            }
            Output::Associated(system_id) => self.associated(system_id)?,
            Output::Configured(configuration) => {
                if configuration.id >= 0x4000 {
                    self.remember(configuration);
                }
                self.arrive(drafts);
            }
            Output::Device(attributes) => self.device(&attributes, apdu, drafts),
            Output::Condition(measurements) => self.condition(measurements, apdu, drafts),
            Output::Problem(error) => {
                if apdu.is_empty() {
                    count_refused("unreadable");
                } else {
                    let device = self.devices.first().cloned().unwrap_or_else(|| DeviceId::sanitised(&self.identity.name));
                    drafts.push(self.said(&device, apdu).unread(&error));
                }
            }
            Output::Ended { orderly } => {
                self.keep(drafts).await?;
                let (state, why) = match orderly {
                    true => (LinkState::Offline, "released"),
                    false => (LinkState::Lost, "the association was aborted"),
                };
                self.leave(state, why).await?;
            }
            Output::Rejected(result) => {
                tracing::info!("phd: {}: association rejected: {result:?}", self.identity.name);
                count_refused("association-rejected");
            }
            Output::Declined(what) => {
                tracing::info!("phd: {}: the device declined {what}", self.identity.name);
                count_refused("device-declined");
            }
            Output::ClockSet => tracing::info!("phd: {}: clock set", self.identity.name),
            Output::Collected(store, segment) | Output::Cleared(store, segment) => {
                tracing::debug!("phd: {}: store {store}, segment {segment}", self.identity.name);
            }
            Output::Observed(_) => {}
        }
        Ok(())
    }

    fn said<'a>(&'a self, device: &'a DeviceId, apdu: &'a [u8]) -> Said<'a> {
        Said { device, system_id: &self.system_id, apdu, received: (self.shared.doors.clock)() }
    }

    /// A device said who it is.
    fn associated(&mut self, system_id: Vec<u8>) -> Result<(), End> {
        if system_id.is_empty() {
            return Err(End::Cut("no-system-id"));
        }
        let hex: String = system_id.iter().map(|byte| format!("{byte:02x}")).collect();
        // A device's own certificate says which device it is; a gateway's device by its identifier.
        let own = self.identity.device.clone();
        self.devices = vec![own.unwrap_or_else(|| DeviceId::sanitised(&hex))];
        self.system_id = system_id;
        (self.about, self.battery) = (None, None);
        Ok(())
    }

    fn remember(&self, configuration: wire_phd::config::Configuration) {
        let mut known = self.shared.known.lock();
        if known.len() >= self.shared.limits.known_devices && !known.contains_key(&self.system_id) {
            return;
        }
        let own = known.entry(self.system_id.clone()).or_default();
        own.retain(|other| other.id != configuration.id);
        own.push(configuration);
        if own.len() > KNOWN_OF_ONE {
            own.remove(0);
        }
    }

    /// The device is in operation: from now on it is on this connection.
    fn arrive(&mut self, drafts: &mut Vec<Draft>) {
        let Some(device) = self.devices.first().cloned() else { return };
        self.shared.present.lock().insert(device.clone(), self.number);
        drafts.push(link(device, LinkState::Online, "associated"));
    }

    /// The device is not heard any more, unless it is by another connection.
    async fn leave(&mut self, state: LinkState, reason: &str) -> Result<(), End> {
        let devices = std::mem::take(&mut self.devices);
        let Some(first) = devices.first() else { return Ok(()) };
        {
            let mut present = self.shared.present.lock();
            if present.get(first) != Some(&self.number) {
                return Ok(());
            }
            present.remove(first);
        }
        let mut drafts = devices.into_iter().map(|device| link(device, state, reason)).collect();
        self.keep(&mut drafts).await
    }

    fn observed(&mut self, meanings: Vec<Meaning>, apdu: &[u8], drafts: &mut Vec<Draft>) {
        let Some(device) = self.devices.first().cloned() else { return };
        let groups = together(meanings);
        let count = groups.len();
        for (place, group) in groups.into_iter().enumerate() {
            let person = group[0].person;
            let user = user_of(&device, person);
            if person.is_some() && !self.devices.contains(&user) {
                drafts.push(link(user.clone(), LinkState::Online, "measured"));
                self.devices.push(user);
            }
            drafts.push(self.said(&device, apdu).observed(group, place, count));
        }
    }

    fn device(&mut self, attributes: &[(u16, Vec<u8>)], apdu: &[u8], drafts: &mut Vec<Draft>) {
        let Some(device) = self.devices.first().cloned() else { return };
        let (about, wrong) = described(attributes);
        let said = self.said(&device, apdu);
        drafts.extend(wrong.iter().map(|error| said.unread(error)));
        let changed = self.about.as_ref() != Some(&about) && about != Described::default();
        if changed {
            drafts.push(said.described(about.clone()));
            self.about = Some(about);
        }
    }

    /// The battery when it changes; how far the clock is off once an association.
    fn condition(&mut self, mut measurements: Vec<Measurement>, apdu: &[u8], drafts: &mut Vec<Draft>) {
        let Some(device) = self.devices.first().cloned() else { return };
        let battery: Vec<_> = measurements.iter().filter(|one| one.metric != CLOCK_OFFSET).cloned().collect();
        match &self.battery {
            None => {}
            Some(before) if *before == battery => return,
            Some(_) => measurements.clone_from(&battery),
        }
        self.battery = Some(battery);
        drafts.push(self.said(&device, apdu).condition(measurements));
    }

    /// Writes what was learned; waits until all of it is durable.
    async fn keep(&mut self, drafts: &mut Vec<Draft>) -> Result<(), End> {
        let acks = AckQueue::new();
        let mut waiting = drafts.len();
        for mut draft in drafts.drain(..) {
            self.inspect(&mut draft);
            if self.shared.doors.appender.enqueue(draft, 0, &acks).await.is_err() {
                return Err(End::Shutdown);
            }
        }
        while waiting > 0 {
            for (_, outcome) in acks.wait().await {
                waiting = waiting.saturating_sub(1);
                if let Outcome::Failed(error) = outcome {
                    tracing::error!("phd: a message could not be stored: {error}");
                    return Err(End::Cut("not-stored"));
                }
            }
        }
        Ok(())
    }

    /// Takes out what its devices may not say, and tells who watches habits.
    fn inspect(&self, draft: &mut Draft) {
        let Event::Message(message) = &mut draft.event else { return };
        let identify = &self.shared.doors.identify;
        if let Some(restrictions) = identify.restrictions() {
            // What holds for a device holds for each of its users.
            let user = self.devices.first().and_then(|own| rename(message, own));
            let violations = restrictions.keep_within(message);
            violations.iter().for_each(|violation| identify.violated(&self.identity, violation));
            if let Some(user) = user {
                rename(message, &user);
            }
        }
        metrics::counter!("vitalwire_gateway_messages_total", "protocol" => "phd").increment(1);
        if !message.problems.is_empty() {
            metrics::counter!("vitalwire_gateway_quarantined_total", "protocol" => "phd").increment(1);
        }
        tell(identify.as_ref(), message, "phd", self.address);
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        let write = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        match timeout(self.shared.limits.patience, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Peer),
            Err(_) => Err(End::Cut("write-timeout")),
        }
    }
}

/// Waits until a time; forever without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Lets a message's readings be those of `device`; gives whose they were, if of another.
fn rename(message: &mut Message, device: &DeviceId) -> Option<DeviceId> {
    let mut before = None;
    for content in &mut message.content {
        if let Content::Reading(reading) = content
            && reading.device != *device
        {
            before = Some(std::mem::replace(&mut reading.device, device.clone()));
        }
    }
    before
}

fn link(device: DeviceId, state: LinkState, reason: &str) -> Draft {
    let event = Event::Link { device, state, reason: reason.to_owned() };
    Draft { event, dedup: None, lane: Lane::Urgent }
}
