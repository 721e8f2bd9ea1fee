//! The last events of a kind with their times, kept small: each time as the distance from the one
//! before.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The last `N` events, newest last. Times never fall: an event earlier than the newest is taken as of
/// the newest's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trail<T, const N: usize> {
    newest_us: i64,
    /// Microseconds since the event before, and the event.
    events: VecDeque<(u32, T)>,
}

impl<T, const N: usize> Default for Trail<T, N> {
    fn default() -> Self {
        Self { newest_us: 0, events: VecDeque::new() }
    }
}

impl<T, const N: usize> Trail<T, N> {
    /// Adds an event; the oldest is forgotten if there are too many.
    pub fn push(&mut self, time_us: i64, event: T) {
        if self.events.len() == N {
            self.events.pop_front();
        }
        let since_us = if self.events.is_empty() { 0 } else { (time_us - self.newest_us).max(0) };
        self.newest_us = if self.events.is_empty() { time_us } else { self.newest_us.max(time_us) };
        self.events.push_back((u32::try_from(since_us).unwrap_or(u32::MAX), event));
    }

    /// The events with their times, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (i64, &T)> + Clone {
        let mut time_us = self.newest_us;
        self.events.iter().rev().map(move |(since_us, event)| {
            let at_us = time_us;
            time_us -= i64::from(*since_us);
            (at_us, event)
        })
    }

    /// The newest event.
    pub fn newest_mut(&mut self) -> Option<&mut T> {
        self.events.back_mut().map(|event| &mut event.1)
    }

    /// When the newest event was.
    pub fn newest_us(&self) -> Option<i64> {
        (!self.events.is_empty()).then_some(self.newest_us)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.events.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_keep_their_times() {
        let mut trail = Trail::<u8, 3>::default();
        for (time_us, event) in [(10, 1), (25, 2), (20, 3), (5_000_000_000, 4)] {
            trail.push(time_us, event);
        }
        let kept: Vec<_> = trail.newest_first().map(|(time_us, event)| (time_us, *event)).collect();
        assert_eq!(kept[0], (5_000_000_000, 4));
        assert_eq!(kept.iter().map(|event| event.1).collect::<Vec<_>>(), [4, 3, 2]);
        assert_eq!(trail.newest_us(), Some(5_000_000_000));
    }
}
