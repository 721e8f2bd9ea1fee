//! Brings commands to devices: the one place from which they are sent. That one is about to be sent
//! is in audit log and journal before its first byte leaves; after that nothing sends it again (CO-1).
//! What became of each is put into the audit log step by step.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use command::{Command, Handed, Handing, Line, State, Transport, message};
use gateway::mqtt::MqttServer;
use guard::{Guard, Outcome, Record};
use journal::{Appender, Draft, Lane};
use live::{Change, Live};
use store::{KvRow, Reader, Side};
use tokio::sync::watch;
use vitals::{Action, Actor, CommandId, CommandOrder, CommandStep, DeviceId, Event, Role};

use crate::clock::clock;

/// How often devices are looked for that were away; changes of commands are seen at once.
const EVERY: Duration = Duration::from_millis(500);
/// How long the engine may take to judge what was appended.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many steps of which commands are in the audit log.
const AUDITED: &str = "command-audited";

/// What the courier works with.
#[derive(Clone)]
pub(crate) struct Courier {
    pub(crate) appender: Appender,
    pub(crate) live: Live,
    pub(crate) guard: Guard,
    pub(crate) reader: Reader,
    pub(crate) side: Arc<dyn Side>,
    pub(crate) transports: Arc<[Arc<dyn Transport>]>,
}

impl Courier {
    /// Runs until the program stops.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut changes = self.live.changes().subscribe(None).receiver;
        self.settle_lost().await;
        let mut audited = self.audited();
        // Whatever was tried once is never tried again while this program runs, and whatever was
        // being sent when another one ended was settled above.
        let mut tried: HashSet<CommandId> = HashSet::new();
        loop {
            let commands = self.live.commands();
            self.audit(&commands, &mut audited).await;
            for command in &commands {
                let order = &command.order;
                if command.state != State::Requested || tried.contains(&order.id) {
                    continue;
                }
                let Some(transport) = self.transports.iter().find(|way| way.reaches(&order.device)) else { continue };
                tried.insert(order.id.clone());
                let (courier, transport, order) = (self.clone(), Arc::clone(transport), order.clone());
                tokio::spawn(async move { courier.bring(transport.as_ref(), &order).await });
            }
            tried.retain(|id| self.live.command(id).is_some());
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                () = until_command(&mut changes) => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Sends one command, once.
    async fn bring(&self, way: &dyn Transport, order: &CommandOrder) {
        let record = Record {
            subject: Some(order.patient.clone()),
            object: named(order),
            detail: format!("{} ({}) over {}", order.name, order.class.name(), way.name()),
            ..Record::new(clock(), "system", "send-command")
        };
        // No audit, no command: it expires, visibly.
        if let Err(error) = self.guard.audit(record).await {
            tracing::error!("a command is not sent: its record cannot be kept: {error}");
            return;
        }
        if !self.say(order, CommandStep::Sending).await {
            return;
        }
        // The engine looked at time and patient once more when it took that in.
        let sending = self.live.command(&order.id).is_some_and(|command| command.state == State::Sending);
        if !sending {
            return;
        }
        let left_ms = order.expires.millis() - clock().millis();
        let handed = match left_ms {
            1.. => way.send(order, left_ms).await,
            _ => Handed::Kept("its time ran out in the moment of sending".to_owned()),
        };
        self.say(order, match handed {
            Handed::Away => CommandStep::Sent,
            Handed::Kept(reason) => CommandStep::NotSent { reason },
        })
        .await;
    }

    /// Nobody knows what became of those that were being sent when the program ended.
    async fn settle_lost(&self) {
        for command in self.live.commands().iter().filter(|command| command.state == State::Sending) {
            tracing::warn!(command = %command.order.id, "a command was being sent when the program ended");
            self.say(&command.order, CommandStep::Lost).await;
        }
    }

    /// Puts a step into the journal and waits until the engine has taken it in; whether it has.
    async fn say(&self, order: &CommandOrder, step: CommandStep) -> bool {
        let actor = Actor { name: "system".to_owned(), role: Role::Service };
        let action =
            Action::CommandStep { command: order.id.clone(), device: order.device.clone(), step };
        let draft = Draft { event: Event::Action(actor, action), dedup: None, lane: Lane::Urgent };
        match self.appender.append(draft).await {
            Ok(journal::Outcome::Committed(offset) | journal::Outcome::Duplicate(offset)) => {
                self.live.progress().judge(offset, PATIENCE).await;
                true
            }
            Ok(journal::Outcome::Failed(error)) => {
                tracing::error!(command = %order.id, "a step of a command could not be kept: {error}");
                false
            }
            Err(_) => false,
        }
    }

    /// How far the audit log has come, as kept.
    fn audited(&self) -> HashMap<CommandId, usize> {
        let rows = self.reader.kv_all(AUDITED).unwrap_or_else(|error| {
            tracing::error!("what was audited of commands cannot be read, it is audited again: {error}");
            Vec::new()
        });
        let row = |(id, count): (String, Vec<u8>)| Some((CommandId::new(&id).ok()?, usize::from(*count.first()?)));
        rows.into_iter().filter_map(row).collect()
    }

    /// Puts every step that is not in the audit log yet into it, singly. After a crash a step may be
    /// there twice, and is never missing.
    async fn audit(&self, commands: &[Arc<Command>], audited: &mut HashMap<CommandId, usize>) {
        let mut rows = Vec::new();
        for command in commands {
            let done = audited.entry(command.order.id.clone()).or_default();
            let before = *done;
            for (at, line) in command.history.iter().enumerate().skip(before) {
                if let Some(record) = record(command, at, line)
                    && let Err(error) = self.guard.audit(record).await
                {
                    tracing::error!("a step of a command could not be audited, tried again: {error}");
                    break;
                }
                *done = at + 1;
            }
            if *done > before {
                rows.push(row(&command.order.id, Some(*done)));
            }
        }
        let gone = |id: &CommandId| commands.iter().all(|command| command.order.id != *id);
        if audited.len() > commands.len() {
            let old: Vec<CommandId> = audited.keys().filter(|id| gone(id)).cloned().collect();
            for id in old {
                rows.push(row(&id, None));
                audited.remove(&id);
            }
        }
        if rows.is_empty() {
            return;
        }
        let side = Arc::clone(&self.side);
        let put = tokio::task::spawn_blocking(move || side.put(&rows)).await;
        if let Ok(Err(error)) = put {
            tracing::error!("what was audited of commands could not be noted: {error}");
        }
    }
}

fn row(id: &CommandId, count: Option<usize>) -> KvRow {
    let value = count.map(|count| vec![u8::try_from(count).unwrap_or(u8::MAX)]);
    KvRow { bucket: AUDITED.to_owned(), key: id.to_string(), value }
}

fn named(order: &CommandOrder) -> String {
    format!("{} of {}", order.id, order.device)
}

/// How a step is recorded; what people do is recorded where they do it.
fn record(command: &Command, at: usize, line: &Line) -> Option<Record> {
    let (deed, outcome) = match line.state {
        State::Sending => ("command-sending", Outcome::Allowed),
        State::Sent => ("command-sent", Outcome::Allowed),
        State::Accepted => ("command-accepted", Outcome::Allowed),
        State::Done => ("command-done", Outcome::Allowed),
        State::Failed => ("command-failed", Outcome::Failed),
        State::Expired => ("command-expired", Outcome::Failed),
        State::Unknown => ("command-unknown", Outcome::Failed),
        State::Refused => ("command-refused", Outcome::Denied),
        State::Awaiting | State::Requested | State::Cancelled => return None,
    };
    Some(Record {
        subject: Some(command.order.patient.clone()),
        object: named(&command.order),
        detail: format!("step {at}: {}", line.detail),
        outcome,
        ..Record::new(line.at, &line.by, deed)
    })
}

/// Waits until a command changed.
async fn until_command(changes: &mut tokio::sync::broadcast::Receiver<(u64, Change)>) {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match changes.recv().await {
            Ok((_, Change::Command(_))) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Devices on MQTT: `vitalwire/<id>/command`.
pub(crate) struct OverMqtt(pub(crate) Arc<MqttServer>);

impl Transport for OverMqtt {
    fn name(&self) -> &'static str {
        "mqtt"
    }

    fn reaches(&self, device: &DeviceId) -> bool {
        self.0.takes_commands(device)
    }

    fn send<'a>(&'a self, order: &'a CommandOrder, left_ms: i64) -> Handing<'a> {
        Box::pin(async move {
            let payload = message(order).to_string();
            let left_ms = u64::try_from(left_ms).unwrap_or(0);
            if self.0.command(&order.device, payload.as_bytes(), left_ms) {
                return Handed::Away;
            }
            Handed::Kept("the device's connection ended in the moment of sending".to_owned())
        })
    }
}
