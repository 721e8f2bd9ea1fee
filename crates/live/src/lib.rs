//! What is true now: the present view of patients and devices, the values not yet in the store,
//! and the stream of changes. Written by whoever runs the engine, read by everybody who shows or
//! asks. Reading never waits for writing for longer than it takes to copy a pointer.
//!
//! What is absent: any conclusion of its own, and any HTTP.

mod changes;
mod progress;
mod tail;
mod waves;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use command::Command;
use engine::{DeviceLine, PatientView};
use parking_lot::{Mutex, RwLock};
use vitals::{CommandId, DeviceId, Location, PatientId, ReceiveTime};

pub use changes::{Change, Changes, Resumed, Subscription};
pub use progress::{Progress, Waited};
pub use tail::Tail;
pub use waves::{LiveBeat, Viewing, Waves};

/// The present, shared; cheap to clone.
#[derive(Clone)]
pub struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    patients: RwLock<HashMap<PatientId, Arc<PatientView>>>,
    devices: RwLock<HashMap<DeviceId, Arc<DeviceLine>>>,
    /// On whom each device is, at once when that changes.
    on: RwLock<HashMap<DeviceId, PatientId>>,
    commands: RwLock<BTreeMap<CommandId, Arc<Command>>>,
    locations: RwLock<Arc<Vec<Location>>>,
    policy: RwLock<PolicyInForce>,
    rates: Mutex<Rates>,
    counted: Mutex<BTreeMap<String, u64>>,
    notices: Mutex<Vec<String>>,
    quarantined: AtomicI64,
    tail: Tail,
    waves: Waves,
    changes: Changes,
    progress: Progress,
}

/// The policy in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyInForce {
    /// TOML.
    pub text: String,
    /// Who put it in force; empty for the built-in one.
    pub by: String,
    /// Since when.
    pub since: Option<ReceiveTime>,
}

/// Messages taken in over the last seconds.
#[derive(Debug, Default)]
struct Rates {
    seconds: [(i64, u64); 11],
}

impl Live {
    /// Nothing known yet. `start` is where stream positions begin: it must be larger than any
    /// position handed out before a restart, such as the present time in microseconds.
    #[must_use]
    pub fn new(start: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                patients: RwLock::default(),
                devices: RwLock::default(),
                on: RwLock::default(),
                commands: RwLock::default(),
                locations: RwLock::default(),
                policy: RwLock::default(),
                rates: Mutex::default(),
                counted: Mutex::default(),
                notices: Mutex::default(),
                quarantined: AtomicI64::new(0),
                tail: Tail::default(),
                waves: Waves::default(),
                changes: Changes::new(start),
                progress: Progress::default(),
            }),
        }
    }

    /// A patient as of now.
    #[must_use]
    pub fn patient(&self, id: &PatientId) -> Option<Arc<PatientView>> {
        self.inner.patients.read().get(id).cloned()
    }

    /// Every patient of whom something was heard, in no order.
    #[must_use]
    pub fn patients(&self) -> Vec<Arc<PatientView>> {
        self.inner.patients.read().values().cloned().collect()
    }

    /// A device as of now.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<Arc<DeviceLine>> {
        self.inner.devices.read().get(id).cloned()
    }

    /// On whom a device is.
    #[must_use]
    pub fn on(&self, id: &DeviceId) -> Option<PatientId> {
        self.inner.on.read().get(id).cloned()
    }

    /// Notes on whom a device is.
    pub fn set_on(&self, id: &DeviceId, patient: Option<PatientId>) {
        let mut on = self.inner.on.write();
        match patient {
            Some(patient) => on.insert(id.clone(), patient),
            None => on.remove(id),
        };
    }

    /// Every device, in no order.
    #[must_use]
    pub fn devices(&self) -> Vec<Arc<DeviceLine>> {
        self.inner.devices.read().values().cloned().collect()
    }

    /// A command as of now.
    #[must_use]
    pub fn command(&self, id: &CommandId) -> Option<Arc<Command>> {
        self.inner.commands.read().get(id).cloned()
    }

    /// Every command that is kept, by id.
    #[must_use]
    pub fn commands(&self) -> Vec<Arc<Command>> {
        self.inner.commands.read().values().cloned().collect()
    }

    /// Puts a command in place; none takes it away.
    pub fn set_command(&self, id: &CommandId, command: Option<Command>) {
        let mut commands = self.inner.commands.write();
        match command {
            Some(command) => commands.insert(id.clone(), Arc::new(command)),
            None => commands.remove(id),
        };
    }

    /// Every place.
    #[must_use]
    pub fn locations(&self) -> Arc<Vec<Location>> {
        self.inner.locations.read().clone()
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> PolicyInForce {
        self.inner.policy.read().clone()
    }

    /// Values not yet in the store.
    #[must_use]
    pub fn tail(&self) -> &Tail {
        &self.inner.tail
    }

    /// The newest samples of waveforms.
    #[must_use]
    pub fn waves(&self) -> &Waves {
        &self.inner.waves
    }

    /// The stream of changes.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.inner.changes
    }

    /// How far engine and store have come.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.inner.progress
    }

    /// Messages in a second, over the last ten whole seconds.
    #[must_use]
    pub fn messages_per_s(&self, now: ReceiveTime) -> f64 {
        let second = now.0.div_euclid(1_000_000);
        let rates = self.inner.rates.lock();
        let recent = rates.seconds.iter().filter(|(at, _)| (second - 10..second).contains(at));
        recent.map(|(_, count)| *count).sum::<u64>() as f64 / 10.0
    }

    /// Counts messages taken in.
    pub fn count_messages(&self, now: ReceiveTime, count: u64) {
        let second = now.0.div_euclid(1_000_000);
        let slot = &mut self.inner.rates.lock().seconds[second.rem_euclid(11) as usize];
        if slot.0 == second { slot.1 += count } else { *slot = (second, count) }
    }

    /// Counts something by reason (DU-2).
    pub fn count(&self, reason: &str, number: u64) {
        let mut counted = self.inner.counted.lock();
        match counted.get_mut(reason) {
            Some(count) => *count += number,
            None => drop(counted.insert(reason.to_owned(), number)),
        }
    }

    /// Messages in quarantine that nobody has dealt with.
    #[must_use]
    pub fn quarantined(&self) -> u64 {
        u64::try_from(self.inner.quarantined.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Messages came into quarantine, or (negative) were dealt with.
    pub fn add_quarantined(&self, change: i64) {
        self.inner.quarantined.fetch_add(change, Ordering::Relaxed);
    }

    /// Everything counted, by reason.
    #[must_use]
    pub fn counted(&self) -> BTreeMap<String, u64> {
        self.inner.counted.lock().clone()
    }

    /// Notes something that whoever runs the program must know until the next start.
    pub fn notice(&self, text: String) {
        self.inner.notices.lock().push(text);
    }

    /// What whoever runs the program must know.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.inner.notices.lock().clone()
    }

    /// Puts a patient's view in place; none takes it away.
    pub fn set_patient(&self, id: &PatientId, view: Option<PatientView>) {
        let mut patients = self.inner.patients.write();
        match view {
            Some(view) => patients.insert(id.clone(), Arc::new(view)),
            None => patients.remove(id),
        };
    }

    /// Puts a device's line in place.
    pub fn set_device(&self, line: DeviceLine) {
        if self.on(&line.device.id) != line.patient {
            self.set_on(&line.device.id, line.patient.clone());
        }
        self.inner.devices.write().insert(line.device.id.clone(), Arc::new(line));
    }

    /// Takes a device away.
    pub fn remove_device(&self, id: &DeviceId) {
        self.set_on(id, None);
        self.inner.devices.write().remove(id);
    }

    /// Puts the list of places in place.
    pub fn set_locations(&self, locations: Vec<Location>) {
        *self.inner.locations.write() = Arc::new(locations);
    }

    /// Puts the policy in place.
    pub fn set_policy(&self, policy: PolicyInForce) {
        *self.inner.policy.write() = policy;
    }
}
