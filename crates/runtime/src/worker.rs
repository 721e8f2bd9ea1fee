//! The thread that owns the engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use engine::{Effect, Engine};
use journal::{Appender, Entry};
use live::{Change, Live, PolicyInForce};
use store::{Reader, StatePart};
use vitals::{Action, DeviceId, Event, Offset, PatientId, ReceiveTime};

use crate::Options;
use crate::keeper::Keeper;
use crate::pending::Pending;

/// How long to wait for a commit before looking whether anything else is to be done.
const PATIENCE: Duration = Duration::from_millis(10);
/// The same while a commit is under way or wanted.
const SHORT_PATIENCE: Duration = Duration::from_millis(1);
/// Patients' views are renewed at most this often; alerts go out at once.
const PATIENTS_EVERY: Duration = Duration::from_millis(100);
/// Devices' lines are renewed at most this often.
const DEVICES_EVERY: Duration = Duration::from_secs(2);
/// Devices' lines that are renewed between two batches: about a millisecond of work.
const DEVICES_AT_ONCE: usize = 256;
/// Readers who want the newest may make the store catch up at most this often, and never so often
/// that the store is busy with it for more than a quarter of the time.
const SETTLE_EVERY: Duration = Duration::from_millis(5);
const SETTLE_SHARE: u32 = 4;

/// What the worker works with.
pub(crate) struct Setting {
    pub(crate) appender: Appender,
    pub(crate) reader: Reader,
    pub(crate) live: Live,
    pub(crate) clock: fn() -> ReceiveTime,
    pub(crate) options: Options,
    pub(crate) stop: Arc<AtomicBool>,
}

pub(crate) struct Worker {
    setting: Setting,
    keeper: Keeper,
    engine: Engine,
    pending: Pending,
    effects: Vec<Effect>,
    next: Offset,
    stored_next: Offset,
    patients: BTreeSet<PatientId>,
    devices: BTreeSet<DeviceId>,
    devices_due: BTreeSet<DeviceId>,
    directory: bool,
    /// Patients whose line in the worklist changed.
    worklist: BTreeSet<PatientId>,
    quarantine: bool,
    published_at: Instant,
    devices_at: Instant,
    stored_at: Instant,
    /// How long the last commit took.
    stored_in: Duration,
    wanted: Arc<AtomicBool>,
}

impl Worker {
    pub(crate) fn new(setting: Setting, keeper: Keeper, engine: Engine, next: Offset) -> Self {
        let now = Instant::now();
        Self {
            pending: Pending::new(
                (setting.options.webhooks.clone(), setting.options.managers.clone()),
                setting.options.relay_alerts,
                setting.reader.clone(),
            ),
            setting,
            keeper,
            engine,
            effects: Vec::new(),
            next,
            stored_next: next,
            patients: BTreeSet::new(),
            devices: BTreeSet::new(),
            devices_due: BTreeSet::new(),
            directory: true,
            worklist: BTreeSet::new(),
            quarantine: false,
            published_at: now,
            devices_at: now,
            stored_at: now,
            stored_in: Duration::ZERO,
            wanted: Arc::new(AtomicBool::new(false)),
        }
    }

    /// What waits for the store.
    pub(crate) fn pending(&mut self) -> &mut Pending {
        &mut self.pending
    }

    /// Works until the feed ends, then puts everything into the store.
    pub(crate) fn run(mut self, feed: &Receiver<Arc<[Entry]>>) {
        loop {
            let pressing = self.keeper.busy() || self.wanted.load(Ordering::Acquire);
            match feed.recv_timeout(if pressing { SHORT_PATIENCE } else { PATIENCE }) {
                Ok(batch) => self.take(&batch),
                Err(RecvTimeoutError::Timeout) => {
                    if self.setting.stop.load(Ordering::Acquire) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.publish(false);
            self.store_if_due();
        }
        self.publish(true);
        self.settle();
    }

    /// Takes in committed entries, in order. Entries already taken in are passed over.
    pub(crate) fn take(&mut self, batch: &[Entry]) {
        let (mut alerts, mut erased) = (false, false);
        let mut messages = 0;
        let next = self.next;
        for entry in batch.iter().filter(|entry| entry.offset >= next) {
            self.next = entry.offset + 1;
            self.engine.step(entry.offset, entry.at, &entry.event, &mut self.effects);
            if let Some(message) = entry.event.message() {
                messages += 1;
                if !message.problems.is_empty() {
                    self.pending.quarantine(entry.offset, message, &self.setting.live);
                    self.quarantine = true;
                }
            }
            for effect in self.effects.drain(..) {
                if let Effect::Alert(record) = &effect {
                    alerts = true;
                    let place = record.location.as_ref();
                    let place = place.and_then(|id| self.engine.directory().location(id));
                    self.pending.unit = place.map(|l| l.bed.unit.clone()).unwrap_or_default();
                    self.patients.insert(record.patient.clone());
                }
                // Whoever looked after somebody, or decided, sees at once what came of it.
                if let Effect::Pathway(record) = &effect {
                    alerts = true;
                    self.patients.insert(record.patient.clone());
                }
                self.quarantine |= matches!(effect, Effect::QuarantineEnded { .. });
                erased |= matches!(effect, Effect::Erased(_));
                self.pending.take(entry, effect, &self.setting.live);
            }
            alerts |= seen_at_once(&entry.event);
            if let Some(message) = entry.event.message() {
                self.pending.names(entry, message);
            }
            if std::mem::take(&mut erased) {
                // Before anything that follows: whoever comes back afterwards is another person.
                self.setting.live.tail().extend(&self.pending.points);
                self.pending.points.clear();
                self.publish(true);
                self.settle();
            }
        }
        self.setting.live.tail().extend(&self.pending.points);
        self.pending.points.clear();
        self.setting.live.count_messages((self.setting.clock)(), messages);
        metrics::counter!("vitalwire_engine_entries_total").increment(batch.len() as u64);
        if alerts {
            self.publish_alerts();
        }
        // Whoever waited for the entry to be judged sees what became of it.
        self.publish_commands();
        self.setting.live.progress().set_judged(self.next);
        self.hold_back();
    }

    /// Alerts go out at once, after the views that they belong to.
    fn publish_alerts(&mut self) {
        self.gather_changes();
        self.publish_patients();
        for record in std::mem::take(&mut self.pending.fresh_alerts) {
            self.setting.live.changes().push(Change::Alert(record));
        }
    }

    /// Commands are seen as they are at once: who sends one waits for that.
    fn publish_commands(&mut self) {
        for id in self.engine.take_changed_commands() {
            self.setting.live.set_command(&id, self.engine.command(&id).cloned());
            self.setting.live.changes().push(Change::Command(id));
        }
    }

    fn gather_changes(&mut self) {
        self.publish_commands();
        let mut changed = self.engine.take_changed();
        self.patients.append(&mut changed.patients);
        self.devices.append(&mut changed.devices);
        self.directory |= changed.directory;
        self.worklist.append(&mut changed.worklist);
    }

    /// Renews what is seen from outside, as often as that is useful.
    pub(crate) fn publish(&mut self, all: bool) {
        if all || self.published_at.elapsed() >= PATIENTS_EVERY {
            self.published_at = Instant::now();
            self.gather_changes();
            self.publish_directory();
            self.publish_patients();
            if std::mem::take(&mut self.quarantine) {
                self.setting.live.changes().push(Change::Quarantine);
            }
        }
        if all || self.devices_at.elapsed() >= DEVICES_EVERY {
            self.devices_at = Instant::now();
            if all || self.devices_due.is_empty() {
                self.devices_due.append(&mut self.devices);
            }
            self.gauges();
        }
        self.publish_devices(if all { usize::MAX } else { DEVICES_AT_ONCE });
    }

    /// Renews some lines at a time: alerts do not wait for ten thousand of them.
    fn publish_devices(&mut self, most: usize) {
        if self.devices_due.is_empty() {
            return;
        }
        for _ in 0..most {
            let Some(id) = self.devices_due.pop_first() else { break };
            match self.engine.device_line(&id) {
                Some(line) => self.setting.live.set_device(line),
                None => self.setting.live.remove_device(&id),
            }
        }
        if self.devices_due.is_empty() {
            self.setting.live.changes().push(Change::Devices);
        }
    }

    fn publish_patients(&mut self) {
        for id in std::mem::take(&mut self.patients) {
            let view = self.engine.patient_view(&id);
            let gone = view.is_none();
            self.setting.live.set_patient(&id, view);
            let change = if gone { Change::Gone(id) } else { Change::Patient(id) };
            self.setting.live.changes().push(change);
        }
        // Behind the views that they are looked up in.
        for id in std::mem::take(&mut self.worklist) {
            self.setting.live.changes().push(Change::Worklist(id));
        }
    }

    fn publish_directory(&mut self) {
        if !std::mem::take(&mut self.directory) {
            return;
        }
        let locations = self.engine.directory().locations().cloned().collect();
        self.setting.live.set_locations(locations);
        let (policy, by) = self.engine.policy();
        self.setting.live.set_policy(PolicyInForce {
            text: policy.text.clone(),
            by: by.map(|(name, _)| name.clone()).unwrap_or_default(),
            since: by.map(|(_, at)| *at),
        });
    }

    fn gauges(&self) {
        let live = &self.setting.live;
        let behind = self.setting.appender.next_offset().saturating_sub(self.next);
        metrics::gauge!("vitalwire_engine_behind_entries").set(behind as f64);
        metrics::gauge!("vitalwire_store_waiting_values").set(live.tail().len() as f64);
        metrics::gauge!("vitalwire_store_waiting_samples").set(live.waves().waiting() as f64);
        let stats = self.setting.appender.stats();
        for (lane, bytes) in journal::Lane::ALL.into_iter().zip(stats.queued_bytes) {
            metrics::gauge!("vitalwire_journal_queued_bytes", "lane" => lane.name()).set(bytes as f64);
        }
        metrics::gauge!("vitalwire_journal_disk_bytes").set(stats.disk_bytes as f64);
        metrics::counter!("vitalwire_journal_entries_total").absolute(stats.entries);
        metrics::counter!("vitalwire_journal_commits_total").absolute(stats.commits);
        metrics::counter!("vitalwire_journal_duplicates_total").absolute(stats.duplicates);
        for (reason, count) in live.counted() {
            metrics::counter!("vitalwire_counted_total", "reason" => reason).absolute(count);
        }
    }

    /// Puts conclusions into the store when it is time, or when a reader asks for it.
    fn store_if_due(&mut self) {
        if self.keeper.ended() {
            self.stored_in = self.stored_at.elapsed();
            self.note_stored();
        }
        if self.keeper.busy() {
            return;
        }
        let since = self.stored_at.elapsed();
        let options = &self.setting.options;
        let settle_every = SETTLE_EVERY.max(self.stored_in * SETTLE_SHARE);
        let wanted = since >= settle_every && self.wanted.swap(false, Ordering::AcqRel);
        let live = &self.setting.live;
        let many = live.tail().len() >= options.store_points
            || live.waves().waiting() >= options.store_samples;
        if since >= options.store_every || many || wanted {
            self.store();
        }
    }

    fn store(&mut self) {
        if self.keeper.busy() {
            return;
        }
        self.stored_at = Instant::now();
        if self.next == self.setting.live.progress().stored() && self.pending.is_empty() {
            return;
        }
        self.stored_next = self.next;
        self.setting.live.waves().leave();
        let parts = self.engine.snapshot().into_iter();
        let parts = parts.map(|(name, part)| (name, StatePart::later(move || part.bytes()))).collect();
        let counters = self.setting.live.counted().into_iter().collect();
        let pending = &mut self.pending;
        let next = self.next;
        let commit = self
            .setting
            .live
            .tail()
            .leave(|points| Arc::new(pending.commit(next, parts, points, counters)));
        self.keeper.begin(commit);
    }

    fn note_stored(&mut self) {
        self.setting.live.tail().left();
        self.setting.live.waves().left(self.stored_next, (self.setting.clock)());
        self.setting.live.progress().set_stored(self.stored_next);
        self.setting.appender.processed(self.stored_next);
    }

    /// Stops taking in more while too much waits for the store (DU-3).
    fn hold_back(&mut self) {
        let (live, options) = (&self.setting.live, &self.setting.options);
        if live.tail().len() < options.points_max && live.waves().waiting() < options.samples_max {
            return;
        }
        if self.keeper.wait() {
            self.note_stored();
        }
        self.store();
    }

    /// Puts everything into the store and waits for it.
    pub(crate) fn settle(&mut self) {
        if self.keeper.wait() {
            self.note_stored();
        }
        self.store();
        if self.keeper.wait() {
            self.note_stored();
        }
    }

    /// Raised when a reader asks for the store to catch up.
    pub(crate) fn wanted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wanted)
    }
}

/// Whether somebody did something whose outcome they are shown in the very answer.
fn seen_at_once(event: &Event) -> bool {
    matches!(event, Event::Action(_, Action::Seen { .. } | Action::Baseline { .. }))
}
