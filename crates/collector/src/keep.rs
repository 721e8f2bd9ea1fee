//! One message on its way into the journal, in the name of the device that it is of.

use std::sync::Arc;

use journal::{Appender, Draft, Lane};
use mapping::{Profiles, RawMessage};
use tokio::sync::watch;
use vitals::{DeviceId, Event, LinkState, Message, Origin, Problem, ProblemKind, Protocol, ReceiveTime, TimeBase};

/// What collectors need of the rest of the program.
#[derive(Clone)]
pub struct Parts {
    /// Where messages go.
    pub appender: Appender,
    /// The device profiles of the moment.
    pub profiles: Arc<dyn Fn() -> Arc<Profiles> + Send + Sync>,
    /// Our own clock.
    pub clock: fn() -> ReceiveTime,
    /// Takes out of a message what its device may not say.
    pub within: Arc<dyn Fn(&mut Message) + Send + Sync>,
    /// Whether a device is registered and in service.
    pub admit: Arc<dyn Fn(&DeviceId) -> bool + Send + Sync>,
    /// Becomes true when the program stops.
    pub stopping: watch::Receiver<bool>,
}

/// The journal has not taken something: it is fetched again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not kept: {0}")]
pub struct NotKept(pub String);

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its values were taken.
    Taken,
    /// It had come before.
    Again,
    /// It, or a part of it, stands in quarantine.
    Quarantined,
}

impl Fate {
    /// As `/metrics` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Again => "again",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Where a message is from, and what is in it.
pub(crate) struct Fetched<'a> {
    /// Whose it is; it speaks of no other device.
    pub(crate) device: &'a DeviceId,
    /// The native topic that it would have come by over MQTT.
    pub(crate) topic: String,
    /// What fetched it.
    pub(crate) sender: &'a str,
    /// The way that it came.
    pub(crate) protocol: Protocol,
    /// What is kept of it.
    pub(crate) payload: Vec<u8>,
}

impl Parts {
    /// Maps what was fetched and waits until it is durable.
    ///
    /// # Errors
    /// [`NotKept`]: it is not, and must be fetched again.
    pub(crate) async fn keep(&self, fetched: Fetched<'_>) -> Result<Fate, NotKept> {
        let received = (self.clock)();
        let raw = RawMessage { topic: &fetched.topic, payload: &fetched.payload, content_type: None, received };
        let mapped = (self.profiles)().map(&raw);
        let mut message = Message {
            origin: Origin {
                protocol: fetched.protocol,
                address: fetched.topic,
                sender: fetched.sender.to_owned(),
                message_id: String::new(),
                profile: mapped.profile,
            },
            received,
            time_base: mapped.time_base,
            payload: fetched.payload,
            content: mapped.content,
            problems: mapped.problems,
        };
        keep_to(fetched.device, &mut message);
        (self.within)(&mut message);
        let refused = !message.problems.is_empty();
        let draft = Draft { event: Event::Message(message), dedup: mapped.dedup, lane: Lane::Numeric };
        Ok(match self.append(draft).await? {
            true if refused => Fate::Quarantined,
            true => Fate::Taken,
            false => Fate::Again,
        })
    }

    /// Tells that a device's line is there, or is not any more.
    ///
    /// # Errors
    /// [`NotKept`].
    pub(crate) async fn link(&self, device: &DeviceId, state: LinkState, reason: &str) -> Result<(), NotKept> {
        let event = Event::Link { device: device.clone(), state, reason: reason.to_owned() };
        self.append(Draft { event, dedup: None, lane: Lane::Urgent }).await.map(|_| ())
    }

    /// Whether it is new to the journal.
    async fn append(&self, draft: Draft) -> Result<bool, NotKept> {
        match self.appender.append(draft).await {
            Ok(journal::Outcome::Committed(_)) => Ok(true),
            Ok(journal::Outcome::Duplicate(_)) => Ok(false),
            Ok(journal::Outcome::Failed(error)) => Err(NotKept(error.to_string())),
            Err(closed) => Err(NotKept(closed.to_string())),
        }
    }

    /// Waits that long; true when the program stops before.
    pub(crate) async fn rest(&self, long: std::time::Duration) -> bool {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(long) => false,
            _ = stopping.wait_for(|stop| *stop) => true,
        }
    }
}

/// Takes out what is said of other devices.
fn keep_to(own: &DeviceId, message: &mut Message) {
    let live = message.time_base == TimeBase::Live;
    if message.keep_to(own, live) {
        message.problems.push(Problem {
            kind: ProblemKind::Forbidden,
            path: String::new(),
            detail: "readings of another device than the one that this is fetched for".to_owned(),
        });
    }
}
