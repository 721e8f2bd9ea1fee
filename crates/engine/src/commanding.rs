//! Commands to devices: each goes its way through [`command::Command`], which is told here on whom
//! the device is in this moment, what it measures, and that time passes.

use std::collections::{BTreeMap, BTreeSet};

use command::{Command, Event, Outcome};
use vitals::{
    Actor, CommandId, CommandOrder, CommandStep, DeviceId, EffectiveTime, MetricCode, PatientId, ReadBack,
};

use crate::Engine;
use crate::effect::Effect;
use crate::shared::Shared;

/// Settled commands that are kept to be looked at; older ones are in journal and audit log.
const SETTLED_MAX: usize = 2_000;
/// Commands that may be open at a time: more are refused.
pub const OPEN_MAX: usize = 1_000;

/// Every command that is open, and the last that are not.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    all: BTreeMap<CommandId, Shared<Command>>,
    /// Those that time, a movement or a measurement may change.
    open: BTreeSet<CommandId>,
    /// Those that are settled, oldest first.
    settled: BTreeSet<(i64, CommandId)>,
    unsaved: BTreeSet<CommandId>,
}

impl Commands {
    /// Names of the parts that changed since the last call, with what is left of each.
    pub(crate) fn take_unsaved(&mut self) -> Vec<(CommandId, Option<&Shared<Command>>)> {
        let ids = std::mem::take(&mut self.unsaved);
        ids.into_iter().map(|id| { let kept = self.all.get(&id); (id, kept) }).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&CommandId, &Command)> {
        self.all.iter().map(|(id, command)| (id, &**command))
    }

    /// Puts a command in place, as after a restart.
    pub(crate) fn restore(&mut self, command: Command) {
        let id = command.order.id.clone();
        self.all.insert(id.clone(), Shared::new(command));
        self.sort(&id);
    }

    /// Notes whether it is open.
    fn sort(&mut self, id: &CommandId) {
        let Some(command) = self.all.get(id) else { return };
        if command.state.is_settled() {
            self.open.remove(id);
            let at = command.history.first().map_or(0, |line| line.at.0);
            self.settled.insert((at, id.clone()));
        } else {
            self.open.insert(id.clone());
        }
    }

    /// Lets the oldest go that are settled; gives them.
    fn trim(&mut self) -> Vec<CommandId> {
        let mut gone = Vec::new();
        while self.settled.len() > SETTLED_MAX {
            let Some((_, id)) = self.settled.pop_first() else { break };
            self.forget(&id);
            gone.push(id);
        }
        gone
    }

    fn forget(&mut self, id: &CommandId) {
        self.all.remove(id);
        self.open.remove(id);
        self.unsaved.insert(id.clone());
    }
}

impl Engine {
    /// A command.
    #[must_use]
    pub fn command(&self, id: &CommandId) -> Option<&Command> {
        self.commands.all.get(id).map(|command| &**command)
    }

    /// Commands that changed since the last call.
    pub fn take_changed_commands(&mut self) -> BTreeSet<CommandId> {
        std::mem::take(&mut self.changed.commands)
    }

    /// Every command that is kept.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().map(|(_, command)| command)
    }

    /// Somebody asks a device to do something. The same request again is the same command.
    pub(crate) fn request(&mut self, actor: &Actor, order: &CommandOrder, out: &mut Vec<Effect>) {
        if self.commands.all.contains_key(&order.id) {
            out.push(Effect::Counted("command-duplicate"));
            return;
        }
        if self.commands.open.len() >= OPEN_MAX {
            out.push(Effect::Counted("command-refused-limit"));
            return;
        }
        let command = Command::new(order.clone(), &actor.name, self.now);
        self.commands.all.insert(order.id.clone(), Shared::new(command));
        self.moved(&order.id);
        // Whether it may be sent at all is known at once.
        self.tick_command(&order.id, out);
    }

    /// Something happened to a command. What a device may say it says in its own name; what the
    /// platform does only the platform says.
    pub(crate) fn command_step(
        &mut self,
        actor: &Actor,
        (id, device): (&CommandId, &DeviceId),
        step: &CommandStep,
        out: &mut Vec<Effect>,
    ) {
        let Some(command) = self.commands.all.get(id).filter(|command| command.order.device == *device) else {
            out.push(Effect::Counted("command-unknown"));
            return;
        };
        let theirs = match step {
            CommandStep::Confirm | CommandStep::Cancel { .. } => true,
            step if step.is_answer() => actor.name == device.as_str(),
            _ => actor.name == "system",
        };
        if !theirs {
            out.push(Effect::Counted("command-step-of-another"));
            return;
        }
        let on = self.command_on(&command.order);
        let event = match step {
            CommandStep::Confirm => Event::Confirm(&actor.name),
            CommandStep::Cancel { reason } => Event::Cancel(&actor.name, reason),
            CommandStep::Sending => Event::Sending(on.as_ref()),
            CommandStep::Sent => Event::Sent,
            CommandStep::NotSent { reason } => Event::NotSent(reason),
            CommandStep::Lost => Event::Lost,
            CommandStep::Accepted => Event::Accepted,
            CommandStep::Done { read_back } => Event::Done(read_back),
            CommandStep::Failed { reason } => Event::Failed(reason),
        };
        self.take_event(id, &event, out);
    }

    /// Time passes for commands: what may not be sent any more is so at once.
    pub(crate) fn tick_commands(&mut self, out: &mut Vec<Effect>) {
        let open: Vec<CommandId> = self.commands.open.iter().cloned().collect();
        for id in open {
            self.tick_command(&id, out);
        }
    }

    /// A device measured: perhaps what a command of it asked for.
    pub(crate) fn read_back(
        &mut self,
        device: &DeviceId,
        (metric, value): (MetricCode, f64),
        time: EffectiveTime,
        out: &mut Vec<Effect>,
    ) {
        let awaits = |command: &Command| {
            let asked = matches!(&command.order.read_back, ReadBack::Metric(code, _) if *code == metric);
            let after = command.sending.is_some_and(|sent| time.0 > sent.0);
            asked && after && command.order.device == *device
        };
        let open = self.commands.open.iter();
        let of: Vec<CommandId> =
            open.filter(|id| self.commands.all.get(id).is_some_and(|c| awaits(c))).cloned().collect();
        for id in of {
            self.take_event(&id, &Event::Measured(value), out);
        }
    }

    /// Whether any command is open: asked for every value.
    pub(crate) fn commands_open(&self) -> bool {
        !self.commands.open.is_empty()
    }

    /// Forgets the commands for these patients.
    pub(crate) fn forget_commands(&mut self, records: &[PatientId]) {
        let theirs: Vec<CommandId> = self
            .commands
            .iter()
            .filter(|(_, command)| records.contains(&command.order.patient))
            .map(|(id, _)| id.clone())
            .collect();
        for id in theirs {
            self.commands.settled.retain(|(_, other)| *other != id);
            self.commands.forget(&id);
            self.changed.commands.insert(id);
        }
    }

    fn tick_command(&mut self, id: &CommandId, out: &mut Vec<Effect>) {
        let Some(command) = self.commands.all.get(id) else { return };
        let on = self.command_on(&command.order);
        self.take_event(id, &Event::Tick(on.as_ref()), out);
    }

    fn take_event(&mut self, id: &CommandId, event: &Event<'_>, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some(command) = self.commands.all.get_mut(id) else { return };
        // A tick that moves nothing must not copy what is being written to the disk.
        let mut next = (**command).clone();
        match next.step(event, now) {
            Outcome::Unmoved if next == **command => {}
            Outcome::Ignored(why) => out.push(Effect::Counted(why)),
            _ => {
                **command = next;
                self.moved(id);
            }
        }
    }

    fn moved(&mut self, id: &CommandId) {
        self.commands.sort(id);
        self.commands.unsaved.insert(id.clone());
        self.changed.commands.insert(id.clone());
        let gone = self.commands.trim();
        self.changed.commands.extend(gone);
    }

    /// On whom the device is, as the order would name them: records that became one are one.
    fn command_on(&self, order: &CommandOrder) -> Option<PatientId> {
        let on = &self.devices.get(&order.device)?.current()?.patient;
        let same = self.directory.resolve(on) == self.directory.resolve(&order.patient);
        Some(if same { order.patient.clone() } else { on.clone() })
    }
}
