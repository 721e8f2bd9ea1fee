//! Who repeats what another has just said.
//!
//! The last sixteen changes of a device's values have a rolling hash. One in eight hashes, chosen by the hash itself
//! and so the same ones for whoever says the same, is kept in a table of fixed size with who said
//! it first. Every match with the same other device is a point, every hash that nobody else has said takes one
//! away; at six points it is told. That takes some sixty changes in a row: two monitors of two people do not agree for
//! so long. What alternates between two values does, but its hashes come again and again, and one counts once.

use super::Heard;
use super::device::Habit;

/// Entries of the table: 16 bytes each.
const SLOTS: usize = 1 << 16;
/// Multiplier of the rolling hash, odd, and to the power of 16.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const OLDEST: u64 = {
    let mut power = 1_u64;
    let mut at = 0;
    while at < 16 {
        power = power.wrapping_mul(BASE);
        at += 1;
    }
    power
};
/// A copy comes within this time, seconds.
const WITHIN_S: i64 = 900;
/// Points at which a copy is told.
const POINTS: u16 = 6;
/// Different values among sixteen, below which nothing is concluded.
const DIFFERENT_MIN: usize = 3;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    by: u32,
    at_s: u32,
}

/// Who said what first, lately.
#[derive(Debug)]
pub(super) struct Copies {
    slots: Vec<Slot>,
}

impl Default for Copies {
    fn default() -> Self {
        Self { slots: vec![Slot::default(); SLOTS] }
    }
}

/// Takes a change into a device's rolling hash.
pub(super) fn push(habit: &mut Habit, change: u32) {
    let at = habit.change_count as usize % habit.changes.len();
    let oldest = u64::from(habit.changes[at]);
    habit.rolling = habit
        .rolling
        .wrapping_mul(BASE)
        .wrapping_add(u64::from(change))
        .wrapping_sub(oldest.wrapping_mul(OLDEST));
    habit.changes[at] = change;
    habit.change_count = habit.change_count.wrapping_add(1);
}

impl Copies {
    /// The device whose values this one repeats, when that has gone on for long enough to be told.
    pub(super) fn look(&mut self, own: u32, habit: &mut Habit, heard: &Heard<'_>) -> Option<u32> {
        let mixed = (habit.rolling ^ (habit.rolling >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let full = habit.change_count as usize >= habit.changes.len();
        if !full || mixed >> 61 != 0 {
            return None;
        }
        let now_s = u32::try_from(heard.received_us / 1_000_000).unwrap_or(0);
        let slot = &mut self.slots[(mixed >> 32) as usize % SLOTS];
        let fresh = i64::from(now_s) - i64::from(slot.at_s) <= WITHIN_S;
        if slot.hash != habit.rolling || !fresh {
            *slot = Slot { hash: habit.rolling, by: own, at_s: now_s };
            habit.copies = habit.copies.saturating_sub(1);
            return None;
        }
        let other = slot.by;
        let name = (mixed >> 16) as u32;
        if other == own || habit.copied.contains(&name) || different(&habit.changes) < DIFFERENT_MIN {
            return None;
        }
        if habit.copy_of != other {
            (habit.copy_of, habit.copies) = (other, 0);
        }
        habit.copied[usize::from(habit.copied_at) % habit.copied.len()] = name;
        habit.copied_at = habit.copied_at.wrapping_add(1);
        habit.copies = (habit.copies + 1).min(POINTS + 2);
        (habit.copies >= POINTS && habit.copy_sign(heard.received_us)).then_some(other)
    }
}

fn different(changes: &[u32; 16]) -> usize {
    let mut sorted = *changes;
    sorted.sort_unstable();
    1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count()
}
