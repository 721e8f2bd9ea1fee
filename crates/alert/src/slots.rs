//! The recent past of one value as means of equal stretches of time, in a ring of fixed length.

use serde::{Deserialize, Serialize};

/// Sum and count of one stretch.
pub type Sum = (f32, u16);

/// Means by the number of their stretch, counted from 1970; `A` is an array of [`Sum`], as long as what
/// is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slots<A> {
    /// Number of the newest stretch.
    newest: i64,
    /// By number modulo their length.
    slots: A,
}

impl<A: Default + AsRef<[Sum]> + AsMut<[Sum]>> Slots<A> {
    /// Nothing is known yet; `slot` is the newest stretch.
    #[must_use]
    pub fn new(slot: i64) -> Self {
        Self { newest: slot, slots: A::default() }
    }

    /// How many stretches are kept.
    fn length(&self) -> i64 {
        self.slots.as_ref().len() as i64
    }

    fn place(&self, slot: i64) -> usize {
        slot.rem_euclid(self.length()) as usize
    }

    /// Takes in a value of a stretch; one older than what is kept is left out.
    pub fn add(&mut self, slot: i64, value: f64) {
        if slot <= self.newest - self.length() {
            return;
        }
        // What lies between was not measured.
        let gone = (slot - self.newest).clamp(0, self.length());
        for new in 0..gone {
            let at = self.place(slot - new);
            self.slots.as_mut()[at] = (0.0, 0);
        }
        self.newest = self.newest.max(slot);
        let at = self.place(slot);
        let (sum, count) = &mut self.slots.as_mut()[at];
        if *count < u16::MAX {
            *sum += value as f32;
            *count += 1;
        }
    }

    /// The mean of a stretch; none where nothing was measured, or it is not kept.
    #[must_use]
    pub fn mean(&self, slot: i64) -> Option<f64> {
        let kept = slot <= self.newest && slot > self.newest - self.length();
        let (sum, count) = self.slots.as_ref()[self.place(slot)];
        (kept && count > 0).then(|| f64::from(sum) / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_forgets_what_is_old_and_what_was_not_measured() {
        let mut slots = Slots::<[Sum; 3]>::new(10);
        slots.add(10, 4.0);
        slots.add(10, 6.0);
        slots.add(12, 1.0);
        assert_eq!([10, 11, 12, 13].map(|slot| slots.mean(slot)), [Some(5.0), None, Some(1.0), None]);
        slots.add(13, 2.0);
        slots.add(10, 9.0);
        assert_eq!([10, 11, 12, 13].map(|slot| slots.mean(slot)), [None, None, Some(1.0), Some(2.0)]);
    }
}
