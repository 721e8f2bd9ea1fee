//! How long to wait before trying again: longer each time, within bounds.

use std::time::Duration;

/// Counts failures since the last success.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Pace {
    /// Waits `first` after one failure, twice as long after each further one, `most` at most.
    pub(crate) const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// It worked.
    pub(crate) const fn worked(&mut self) {
        self.failures = 0;
    }

    /// It failed; how long to wait.
    pub(crate) fn failed(&mut self) -> Duration {
        let wait = self.first.saturating_mul(1 << self.failures.min(16)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// How often it failed since it last worked.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_bounds() {
        let mut pace = Pace::new(Duration::from_secs(5), Duration::from_secs(60));
        let waits: Vec<u64> = (0..6).map(|_| pace.failed().as_secs()).collect();
        assert_eq!((waits, pace.failures()), (vec![5, 10, 20, 40, 60, 60], 6));
        pace.worked();
        assert_eq!(pace.failed().as_secs(), 5);
    }
}
