//! People's answers to alerts that nobody has seen: an assumption, the same for every policy.
//!
//! Under a changed policy alerts sound that never did, and nobody took them. So that escalation
//! means something, each is taken after a time drawn for it: exponentially distributed with a stated
//! median, by a hash of patient and moment, so that a run repeated gives the same.

use vitals::time::SECOND;
use vitals::{Action, Actor, EpisodeId, Role};

/// Who answers in a simulation.
pub(crate) fn actor() -> Actor {
    Actor { name: "simulated".to_owned(), role: Role::Nurse }
}

pub(crate) fn acknowledge(episode: EpisodeId) -> Action {
    Action::Acknowledge { episode, until: None, note: String::new() }
}

/// When somebody takes an alert that sounds at `at` (microseconds): whole seconds later, one at
/// least. `median_s` 0: nobody does.
pub(crate) fn answered_at(median_s: f64, patient: &str, at: i64) -> Option<i64> {
    if median_s <= 0.0 {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(patient.as_bytes()).update(&at.to_le_bytes());
    let hash = hasher.finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    // 53 bits, never 0.
    let share = ((u64::from_le_bytes(bytes) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let seconds = (median_s * -share.log2()).round().clamp(1.0, 86_400.0);
    Some(at + seconds as i64 * SECOND)
}

/// Alerts that are to be taken.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    waiting: Vec<(i64, EpisodeId)>,
}

impl Answers {
    /// Notes that an alert sounds; somebody who is on the way already stays so.
    pub(crate) fn expect(&mut self, at: Option<i64>, episode: EpisodeId) {
        let known = self.waiting.iter().any(|(_, other)| *other == episode);
        self.waiting.extend(at.filter(|_| !known).map(|at| (at, episode)));
    }

    /// Forgets one that nobody need answer any more.
    pub(crate) fn drop(&mut self, episode: EpisodeId) {
        self.waiting.retain(|(_, other)| *other != episode);
    }

    /// When the next one is taken.
    pub(crate) fn due(&self) -> Option<i64> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }

    /// Takes out those that are due by `now`, in order.
    pub(crate) fn take(&mut self, now: i64) -> Vec<EpisodeId> {
        let mut due: Vec<_> = self.waiting.iter().filter(|(at, _)| *at <= now).copied().collect();
        self.waiting.retain(|(at, _)| *at > now);
        due.sort_unstable();
        due.into_iter().map(|(_, episode)| episode).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_answered_by_the_median() {
        let times: Vec<i64> = (0..4_000)
            .filter_map(|n| answered_at(60.0, "patient", n).map(|at| (at - n) / SECOND))
            .collect();
        let share = |limit: i64| times.iter().filter(|t| **t <= limit).count() as f64 / 4_000.0;
        for (limit, expected) in [(60, 0.5), (120, 0.75), (180, 0.875)] {
            assert!((share(limit) - expected).abs() < 0.03, "{limit}: {}", share(limit));
        }
        assert_eq!(answered_at(60.0, "patient", 7), answered_at(60.0, "patient", 7));
        assert_eq!(answered_at(0.0, "patient", 7), None);
    }
}
