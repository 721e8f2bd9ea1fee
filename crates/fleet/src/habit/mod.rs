//! What is usual for one device, and what is not.
//!
//! A device's habits are learned from its messages: how many, of what, by which clock, from
//! where, how its values move. After half an hour and a hundred messages whatever lies far outside becomes a
//! finding with evidence: what is usual, what was seen. One break is one finding: it must last or repeat to
//! count, and be over for ten minutes before it counts again. What lasts becomes the new habit.
//!
//! A habit takes at most 1 kB and no heap; a message costs a look-up and a few additions, and values are
//! looked at twice a second at most. No value is kept beyond the comparison with the next ones: what remains are means
//! of differences and hashes.
//!
//! What is absent: any judgement of a patient (alerts do that), and silence (links tell that).

mod copy;
mod device;
mod state;
mod track;

use std::collections::{HashMap, HashSet};
use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use vitals::{DeviceId, Measurement};

use copy::Copies;
pub use device::Habit;

/// A finding's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    /// Far more messages than usual.
    Rate,
    /// A topic or metric that neither it nor its model ever sent.
    Kind,
    /// Its clock is elsewhere than usual.
    Clock,
    /// A value stands still that never did.
    Stuck,
    /// Values jump as they never did, again and again.
    Jumps,
    /// It says what another device has just said.
    Copy,
    /// It speaks from another network address.
    Address,
}

impl Break {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Rate, Self::Kind, Self::Clock, Self::Stuck, Self::Jumps, Self::Copy, Self::Address];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Kind => "kind",
            Self::Clock => "clock",
            Self::Stuck => "stuck",
            Self::Jumps => "jumps",
            Self::Copy => "copy",
            Self::Address => "address",
        }
    }
}

/// A habit that a device broke. No vital sign is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which device.
    pub device: DeviceId,
    /// What kind.
    pub kind: Break,
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// What is usual for it.
    pub usual: String,
    /// What was seen.
    pub seen: String,
}

/// A message as habits see it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Who speaks.
    pub device: &'a DeviceId,
    /// On what: the topic without the device's id, the kind of HL7 message.
    pub topic: &'a str,
    /// From where, if that is known.
    pub address: Option<IpAddr>,
    /// When it came, microseconds since 1970.
    pub received_us: i64,
    /// What was measured.
    pub measurements: &'a [Measurement],
}

/// Most devices followed; further ones are not.
pub const DEVICES_MAX: usize = 100_000;
/// Most models whose topics and metrics are known together, and of each.
const MODELS_MAX: usize = 4_096;
const KINDS_MAX: usize = 512;
/// Most findings that wait to be taken; further ones are counted.
const WAITING_MAX: usize = 4_096;

/// The habits of all devices.
#[derive(Debug, Default)]
pub struct Habits {
    index: HashMap<DeviceId, usize>,
    names: Vec<DeviceId>,
    habits: Vec<Habit>,
    /// What devices of a model send, by the hash of the model's name.
    models: HashMap<u32, HashSet<u32>>,
    copies: Copies,
    waiting: Vec<Finding>,
    dropped: u64,
}

impl Habits {
    /// Takes a message in. Cheap: see `cargo run --release -p fleet --example habit_cost`.
    pub fn hear(&mut self, heard: &Heard<'_>) {
        let at = match self.index.get(heard.device) {
            Some(at) => *at,
            None if self.habits.len() >= DEVICES_MAX => return,
            None => self.add(heard.device.clone(), Habit::new(heard.received_us)),
        };
        let habit = &mut self.habits[at];
        let found = &mut self.waiting;
        let mut report = Report { device: heard.device, found, dropped: &mut self.dropped };
        let model = if habit.model == 0 { None } else { self.models.get_mut(&habit.model) };
        habit.hear(heard, model, &mut report);
        if habit.values_due {
            let copied = self.copies.look(u32::try_from(at).unwrap_or(u32::MAX), habit, heard);
            if let Some(other) = copied.and_then(|other| self.names.get(other as usize)) {
                let seen = format!("the same values in the same order as {other}, a moment later");
                report.tell(Break::Copy, heard.received_us, "values of its own".to_owned(), seen);
            }
        }
    }

    /// Says of which model a device is: what others of it send is nothing new for this one.
    pub fn of_model(&mut self, device: &DeviceId, manufacturer: &str, model: &str) {
        if model.is_empty() {
            return;
        }
        let key = hash(format!("{manufacturer}\n{model}").to_lowercase().as_bytes()).max(1);
        let Some(at) = self.index.get(device) else { return };
        if self.models.len() < MODELS_MAX || self.models.contains_key(&key) {
            self.habits[*at].model = key;
            let known = self.models.entry(key).or_default();
            let own = self.habits[*at].kinds();
            known.extend(own.take(KINDS_MAX.saturating_sub(known.len())));
        }
    }

    /// A device came onto another patient, or to another place: how its values move is learned
    /// anew, and where it speaks from.
    pub fn moved(&mut self, device: &DeviceId, now_us: i64) {
        if let Some(at) = self.index.get(device) {
            self.habits[*at].moved(now_us);
        }
    }

    /// The findings since this was last asked, and how many there were no room for.
    pub fn take(&mut self) -> (Vec<Finding>, u64) {
        (std::mem::take(&mut self.waiting), std::mem::take(&mut self.dropped))
    }

    /// One device's habits.
    #[must_use]
    pub fn of(&self, device: &DeviceId) -> Option<&Habit> {
        self.index.get(device).map(|at| &self.habits[*at])
    }

    /// Every device's habits, to be kept across restarts.
    pub fn all(&self) -> impl Iterator<Item = (&DeviceId, &Habit)> {
        self.names.iter().zip(&self.habits)
    }

    /// Puts back what was kept.
    pub fn restore(&mut self, device: DeviceId, habit: Habit) {
        match self.index.get(&device) {
            Some(at) => self.habits[*at] = habit,
            None if self.habits.len() >= DEVICES_MAX => {}
            None => drop(self.add(device, habit)),
        }
    }

    fn add(&mut self, device: DeviceId, habit: Habit) -> usize {
        let at = self.habits.len();
        self.index.insert(device.clone(), at);
        self.names.push(device);
        self.habits.push(habit);
        at
    }
}

/// Where findings about one device go.
struct Report<'a> {
    device: &'a DeviceId,
    found: &'a mut Vec<Finding>,
    dropped: &'a mut u64,
}

impl Report<'_> {
    fn tell(&mut self, kind: Break, at_us: i64, usual: String, seen: String) {
        if self.found.len() >= WAITING_MAX {
            *self.dropped += 1;
            return;
        }
        self.found.push(Finding { device: self.device.clone(), kind, at_us, usual, seen });
    }
}

/// FNV-1a, 32 bits.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
