//! The window within which a message sent again is recognised (DU-1: once, however often sent).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use vitals::Offset;

/// Keys are hashes already: their two halves mixed are hash enough.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    fn write_u128(&mut self, key: u128) {
        // A full-width product folded, so that every bit of the key reaches the low bits, which
        // choose the place, and the high ones, which tell keys of one place apart.
        let half = (key >> 64) as u64 ^ (key as u64).rotate_left(32);
        let product = u128::from(half ^ key as u64 ^ 0x9e37_79b9_7f4a_7c15)
            .wrapping_mul(0xd6e8_feb8_6659_fd93_a076_1d64_78bd_642f);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

/// The last keys, first in first out.
pub(crate) struct Window {
    seen: HashMap<u128, Offset, BuildHasherDefault<KeyHasher>>,
    order: VecDeque<u128>,
    capacity: usize,
}

impl Window {
    /// A window of `capacity` keys, filled with the most recent ones, oldest first.
    pub(crate) fn new(capacity: usize, recent: Vec<(u128, Offset)>) -> Self {
        let mut window = Self {
            seen: HashMap::default(),
            order: VecDeque::new(),
            capacity,
        };
        for (key, offset) in recent {
            window.insert(key, offset);
        }
        window
    }

    /// Where the key was seen, if within the window.
    pub(crate) fn get(&self, key: u128) -> Option<Offset> {
        self.seen.get(&key).copied()
    }

    /// Remembers a key; the oldest is forgotten when the window is full.
    pub(crate) fn insert(&mut self, key: u128, offset: Offset) {
        if self.capacity == 0 || self.seen.insert(key, offset).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }

    /// Forgets keys that were inserted for a batch that then could not be written.
    pub(crate) fn forget_from(&mut self, offset: Offset) {
        while let Some(key) = self.order.back()
            && self.seen.get(key).is_some_and(|at| *at >= offset)
        {
            self.seen.remove(key);
            self.order.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_forgets_the_oldest_and_what_failed() {
        let mut window = Window::new(2, vec![(1, 0), (2, 1)]);
        window.insert(3, 2);
        assert_eq!(
            [window.get(1), window.get(2), window.get(3)],
            [None, Some(1), Some(2)]
        );
        window.forget_from(2);
        assert_eq!([window.get(2), window.get(3)], [Some(1), None]);
    }
}
