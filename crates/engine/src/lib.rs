//! The engine: journal entries in, conclusions out, and nothing else.
//!
//! [`Engine::step`] takes one entry and pushes [`Effect`]s. It reads no clock (time comes with the
//! entries), does no I/O and draws no lots: the same entries under the same policy conclude the
//! same, on any machine (EN-1). Restarts, audits, tests and what-if runs all rest on that.
//!
//! Inside, each device and each patient is a state of its own ([`DeviceState`], [`PatientState`]);
//! the [`Directory`] says who is who and where. [`Engine::snapshot`] writes what changed since the
//! last call as named parts, [`Engine::restore`] reads them back.

mod action;
mod alarm;
mod care;
mod age;
mod clock;
mod commanding;
mod device;
mod directory;
mod effect;
mod erase;
mod foresight;
mod message;
mod judge;
mod normal;
mod learn;
mod past;
mod patient;
mod place;
mod relay;
mod scoring;
mod shared;
mod snapshot;
mod telling;
mod timers;
mod value;
mod view;
mod wave;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use alert::Policy;
use vitals::{DeviceId, EpisodeId, Event, Offset, PatientId, ReceiveTime, SeriesId};

pub use alarm::Alarm;
pub use care::{Care, Seen};
pub use clock::{ClockState, DeviceClock};
pub use commanding::OPEN_MAX as COMMANDS_MAX;
pub use device::DeviceState;
pub use directory::Directory;
pub use learn::Known;
pub use effect::{AlertRecord, PathwayRecord, Effect};
pub use erase::Erased;
pub use foresight::{
    Cause, Foresight, Foretold, LastSaid, Models, PredictionRecord, RISK_STANDS, RiskClass, risk_metric,
};
pub use normal::{CHANGES_MAX, LimitChange, LimitEvent, NormalLine, NormalState, Normals, Own, Decision};
pub use patient::{PatientState, Silence};
pub use shared::Part;
pub use scoring::{Scores, Trend, sources};
pub use snapshot::{STATE_VERSION, SnapshotError};
pub use value::{Believed, Current, Values};
pub use view::{AssociationLine, DeviceLine, PatientView, RiskLine, WaveLine};
pub use wave::{Timeline, WaveChannel, Waves};
pub use words::word;

use shared::Shared;
use timers::{Timer, Timers};

/// No entry for this long: we ourselves were away.
const DEAF_AFTER: i64 = 10 * vitals::time::SECOND;

/// The device id under which derived values stand.
pub const SELF_DEVICE: &str = "vitalwire";

/// Everything that is known, and the rules by which it is judged.
pub struct Engine {
    policy: Arc<Policy>,
    policy_by: Option<(String, ReceiveTime)>,
    judges: foresight::Judges,
    directory: Directory,
    devices: HashMap<DeviceId, Shared<DeviceState>>,
    patients: BTreeMap<PatientId, Shared<PatientState>>,
    /// What is usual for each patient, and the limits that follow it.
    normals: BTreeMap<PatientId, Shared<Normals>>,
    unsaved_normals: BTreeSet<PatientId>,
    waves: BTreeMap<wave::Owner, Shared<Waves>>,
    unsaved_waves: BTreeSet<wave::Owner>,
    /// Samples of the reading at hand that were not analysed yet; empty between steps.
    waiting: Vec<wave::Waiting>,
    /// What the analysis of waveforms found and was not taken up yet; empty between steps.
    findings: Vec<signal::bedside::Finding>,
    /// Samples on their way to the analysis, kept for its room.
    wave_values: Vec<f32>,
    next_series: u32,
    /// Series of derived values of patients that have not appeared yet.
    derived_before: BTreeMap<PatientId, Vec<(vitals::MetricCode, u32, SeriesId)>>,
    timers: Timers,
    commands: commanding::Commands,
    relays: relay::Relays,
    /// Holds that last, and of whom.
    holds: BTreeMap<Offset, PatientId>,
    unsaved_holds: bool,
    now: ReceiveTime,
    /// Since when entries have come without a break.
    awake_since: ReceiveTime,
    self_device: DeviceId,
    changed: Changed,
    unsaved: Changed,
}

/// What changed since somebody last asked.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// Patients.
    pub patients: BTreeSet<PatientId>,
    /// Devices.
    pub devices: BTreeSet<DeviceId>,
    /// Commands.
    pub commands: BTreeSet<vitals::CommandId>,
    /// Patients whose line in the worklist changed.
    pub worklist: BTreeSet<PatientId>,
    /// Names, places, encounters, policy.
    pub directory: bool,
}

impl Engine {
    /// An engine that knows nothing yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::judging_by(Arc::new(policy))
    }

    /// The same under a policy that others judge by as well.
    #[must_use]
    pub fn judging_by(policy: Arc<Policy>) -> Self {
        Self {
            policy,
            policy_by: None,
            judges: foresight::Judges::default(),
            directory: Directory::default(),
            devices: HashMap::new(),
            patients: BTreeMap::new(),
            normals: BTreeMap::new(),
            unsaved_normals: BTreeSet::new(),
            waves: BTreeMap::new(),
            unsaved_waves: BTreeSet::new(),
            waiting: Vec::new(),
            findings: Vec::new(),
            wave_values: Vec::new(),
            next_series: 0,
            derived_before: BTreeMap::new(),
            timers: Timers::default(),
            commands: commanding::Commands::default(),
            relays: relay::Relays::default(),
            holds: BTreeMap::new(),
            unsaved_holds: false,
            now: ReceiveTime(0),
            awake_since: ReceiveTime(0),
            self_device: DeviceId::new(SELF_DEVICE).expect("a constant that is a valid id"),
            changed: Changed::default(),
            unsaved: Changed { directory: true, ..Changed::default() },
        }
    }

    /// Takes in one journal entry: its offset, the journal's time for it, and the event. Effects
    /// are pushed to `out` in a fixed order.
    pub fn step(&mut self, offset: Offset, at: ReceiveTime, event: &Event, out: &mut Vec<Effect>) {
        // Time goes into the journal twice a second: a break means that nobody was listening.
        if at.0.saturating_sub(self.now.0) > DEAF_AFTER {
            self.awake_since = at;
        }
        self.now = self.now.max(at);
        let mut cx = Step { offset, next_episode: 0, next_derived: 0x8000, next_prediction: 0, released: false };
        self.run_timers(&mut cx, out);
        match event {
            Event::Message(message) => self.message(message, &mut cx, out),
            Event::Action(actor, action) => self.action(actor, action, &mut cx, out),
            Event::Link { device, state, .. } => self.link(device, *state, out),
            Event::Tick => {
                self.pass_time(&mut cx, out);
                self.tick_commands(out);
                self.lose_edges(out);
            }
            Event::Relayed(relayed) => self.relayed(relayed, &mut cx, out),
            Event::Erased => out.push(Effect::Counted("entry-erased")),
            Event::Policy(actor, text) => match Policy::parse(text) {
                Ok(policy) => self.adopt(policy, Some((actor.name.clone(), at))),
                // It was verified before it was journaled; a later program may judge otherwise.
                Err(_) => out.push(Effect::Counted("policy-refused")),
            },
        }
    }

    /// Puts a policy in force from here on.
    pub fn adopt(&mut self, policy: Policy, by: Option<(String, ReceiveTime)>) {
        self.policy = Arc::new(policy);
        self.policy_by = by;
        let ids: Vec<PatientId> = self.patients.keys().cloned().collect();
        for id in ids {
            self.configure(&id);
        }
        self.changed.directory = true;
        self.unsaved.directory = true;
    }

    /// The policy in force, and who put it there when.
    #[must_use]
    pub fn policy(&self) -> (&Arc<Policy>, Option<&(String, ReceiveTime)>) {
        (&self.policy, self.policy_by.as_ref())
    }

    /// Who is who and where.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A device.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<&DeviceState> {
        self.devices.get(id).map(|device| &**device)
    }

    /// A patient.
    #[must_use]
    pub fn patient(&self, id: &PatientId) -> Option<&PatientState> {
        self.patients.get(self.directory.resolve(id)).map(|patient| &**patient)
    }

    /// The time of the last entry.
    #[must_use]
    pub fn now(&self) -> ReceiveTime {
        self.now
    }

    /// What changed since the last call.
    pub fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    fn new_series(&mut self) -> SeriesId {
        self.next_series += 1;
        SeriesId(self.next_series)
    }

    fn touch_patient(&mut self, id: &PatientId) {
        if !self.changed.patients.contains(id) {
            self.changed.patients.insert(id.clone());
        }
        if !self.unsaved.patients.contains(id) {
            self.unsaved.patients.insert(id.clone());
        }
    }

    fn touch_waves(&mut self, owner: &wave::Owner) {
        if !self.unsaved_waves.contains(owner) {
            self.unsaved_waves.insert(owner.clone());
        }
    }

    fn touch_device(&mut self, id: &DeviceId) {
        if !self.changed.devices.contains(id) {
            self.changed.devices.insert(id.clone());
        }
        if !self.unsaved.devices.contains(id) {
            self.unsaved.devices.insert(id.clone());
        }
    }

    fn touch_directory(&mut self) {
        self.changed.directory = true;
        self.unsaved.directory = true;
    }

    fn set_patient_timer(&mut self, id: &PatientId) {
        let Some(patient) = self.patients.get_mut(id) else { return };
        let Some(due) = patient.due().map(|due| due.max(self.relays.until(id))) else { return };
        if patient.timer_at.is_none_or(|at| due < at) {
            patient.timer_at = Some(due);
            self.timers.set(due, Timer::Patient(id.clone()));
        }
    }

    fn set_device_timer(&mut self, id: &DeviceId) {
        let Some(device) = self.devices.get_mut(id).filter(|device| !device.silent) else { return };
        let Some(due) = device.silence_at(&self.policy.gap, self.awake_since) else { return };
        if device.timer_at.is_none_or(|at| due < at) {
            device.timer_at = Some(due);
            self.timers.set(due, Timer::Device(id.clone()));
        }
    }
}

/// What one step hands out numbers from.
struct Step {
    offset: Offset,
    next_episode: u16,
    next_derived: u16,
    next_prediction: u16,
    /// Whether the message at hand was released from quarantine, not sent now.
    released: bool,
}

impl Step {
    /// A name for an alert or the like that begins in this step.
    fn next_id(&mut self) -> EpisodeId {
        self.next_episode += 1;
        EpisodeId { offset: self.offset, index: self.next_episode - 1 }
    }
}
