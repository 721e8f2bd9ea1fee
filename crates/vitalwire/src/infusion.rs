//! Infusion orders to pumps over HL7 v2 (IHE PCD-03): a command becomes an RGV^O15 to the pump server that
//! the configuration names for the pump, on a connection of its own, once.
//!
//! `CA` says that the server has it and moves nothing; `AA` that the order was taken; `AE`, `AR`, `CE`, `CR`
//! that it was not. That the pump runs with it only its own events say (PCD-10), which come in like all that
//! devices say. Without any answer it is unknown when its time is over, whatever became of the connection.

use std::time::Duration;

use command::{Handed, Handing, Transport};
use journal::{Appender, Draft, Lane};
use live::Live;
use outgoing::{Client, Line, Peer};
use tokio::time::{Instant, timeout_at};
use vitals::{Action, Actor, CommandId, CommandOrder, CommandStep, DeviceId, DeviceTime, Event, Role};
use wire_hl7::build::Envelope;
use wire_hl7::order::{OrderAnswer, answer};
use wire_hl7::program::{self, OURSELVES};

use crate::clock::clock;

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// MSH-10 has room for this much in all versions of HL7.
const CONTROL_MAX: usize = 20;

/// Who programs pumps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PumpServer {
    /// What people call it.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) peer: Peer,
    /// Which pumps, by the ids under which they are heard; a star at the end stands for anything.
    pub(crate) devices: Vec<String>,
}

/// Pumps behind pump servers.
pub(crate) struct OverPcd03 {
    pub(crate) servers: Vec<PumpServer>,
    pub(crate) client: Client,
    pub(crate) live: Live,
    pub(crate) appender: Appender,
}

impl OverPcd03 {
    fn server(&self, device: &DeviceId) -> Option<&PumpServer> {
        self.servers.iter().find(|server| command::fits(&server.devices, device.as_str()))
    }

    /// The message and its control id; a text says why there is none.
    fn message(&self, order: &CommandOrder) -> Result<(String, String), String> {
        // Records that became one are one.
        let known = self.live.patient(&order.patient);
        let survivor = || self.live.patients().into_iter().find(|view| view.merged.contains(&order.patient));
        let view = known.or_else(survivor).ok_or("the patient's record is not there any more: ask again")?;
        let bed = view.location.as_ref().map(|place| place.bed.clone());
        let by = self.live.command(&order.id).map(|command| command.by.clone()).unwrap_or_default();
        let control: String = order.id.as_str().chars().take(CONTROL_MAX).collect();
        let envelope = Envelope::new(OURSELVES, &control, DeviceTime(clock().0));
        let written = program::order(order, view.patient.clone(), bed, &by).and_then(|order| order.message(&envelope));
        Ok((written.map_err(|error| error.to_string())?, control))
    }
}

impl Transport for OverPcd03 {
    fn name(&self) -> &'static str {
        "hl7-pcd-03"
    }

    /// A server is asked when there is something to send: whether it is there is known then.
    fn reaches(&self, device: &DeviceId) -> bool {
        self.server(device).is_some()
    }

    fn send<'a>(&'a self, order: &'a CommandOrder, left_ms: i64) -> Handing<'a> {
        Box::pin(async move {
            let Some(server) = self.server(&order.device) else {
                return Handed::Kept("no pump server is configured for it".to_owned());
            };
            let (message, control) = match self.message(order) {
                Ok(written) => written,
                Err(why) => return Handed::Kept(why),
            };
            let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).min(PATIENCE);
            let mut line = match self.client.line(&server.peer, left).await {
                Ok(line) => line,
                Err(error) => return Handed::Kept(format!("the pump server {} cannot be reached: {error}", server.name)),
            };
            // From here on nobody knows what arrived, unless an answer says so.
            match tokio::time::timeout(PATIENCE, line.say(message.as_bytes())).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(command = %order.id, "an order broke off on its way: {error}"),
                Err(_) => tracing::warn!(command = %order.id, "an order is taken too slowly"),
            }
            let answers = Answers {
                appender: self.appender.clone(),
                command: order.id.clone(),
                device: order.device.clone(),
                control,
            };
            let until = Instant::now() + Duration::from_micros(u64::try_from(order.answer_us).unwrap_or(0));
            tokio::spawn(answers.listen(line, until));
            Handed::Away
        })
    }
}

/// What is waited for after an order was sent.
struct Answers {
    appender: Appender,
    command: CommandId,
    device: DeviceId,
    control: String,
}

impl Answers {
    async fn listen(self, mut line: Line, until: Instant) {
        loop {
            let bytes = match timeout_at(until, line.hear()).await {
                Ok(Ok(bytes)) => bytes,
                Ok(Err(error)) => {
                    return tracing::warn!(command = %self.command, "no answer to an order any more: {error}");
                }
                Err(_) => return,
            };
            match answer(&bytes, &self.control) {
                Some(OrderAnswer::Received) => {}
                Some(OrderAnswer::Accepted) => return self.say(CommandStep::Accepted).await,
                Some(OrderAnswer::Refused(why)) => {
                    let reason = if why.is_empty() { "the pump server refused it without a reason".to_owned() } else { why };
                    return self.say(CommandStep::Failed { reason }).await;
                }
                None => {
                    let reason = "answer-to-something-else";
                    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => "mllp", "reason" => reason).increment(1);
                }
            }
        }
    }

    /// In the pump's name: the server speaks for it.
    async fn say(self, step: CommandStep) {
        let actor = Actor { name: self.device.to_string(), role: Role::Service };
        let action = Action::CommandStep { command: self.command.clone(), device: self.device, step };
        let draft = Draft { event: Event::Action(actor, action), dedup: None, lane: Lane::Urgent };
        match self.appender.append(draft).await {
            Ok(journal::Outcome::Committed(_) | journal::Outcome::Duplicate(_)) => {}
            Ok(journal::Outcome::Failed(error)) => {
                tracing::error!(command = %self.command, "an answer could not be kept: {error}");
            }
            Err(_) => {}
        }
    }
}
