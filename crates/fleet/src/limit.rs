//! How much one identity may send: token buckets, a bounded number of them.

use std::collections::HashMap;
use std::hash::Hash;

/// So much a second, and so much at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// A second.
    pub per_s: f64,
    /// At once.
    pub burst: f64,
}

/// What is left of a [`Rate`].
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    left: f64,
    filled_us: i64,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn full(rate: Rate, now_us: i64) -> Self {
        Self { left: rate.burst, filled_us: now_us }
    }

    /// Takes `cost` out, now. What does not fit is taken all the same and has to be waited for:
    /// microseconds until the bucket is not in debt, 0 if it is not.
    pub fn charge(&mut self, rate: Rate, cost: f64, now_us: i64) -> u64 {
        self.fill(rate, now_us);
        self.left -= cost;
        self.wait(rate)
    }

    /// Takes `cost` out if it is there. If not, nothing is taken.
    ///
    /// # Errors
    /// How many microseconds until it is there.
    pub fn take(&mut self, rate: Rate, cost: f64, now_us: i64) -> Result<(), u64> {
        self.fill(rate, now_us);
        let cost = cost.min(rate.burst);
        if self.left >= cost {
            self.left -= cost;
            return Ok(());
        }
        Err(microseconds(cost - self.left, rate))
    }

    fn wait(&self, rate: Rate) -> u64 {
        if self.left >= 0.0 { 0 } else { microseconds(-self.left, rate) }
    }

    fn fill(&mut self, rate: Rate, now_us: i64) {
        // A clock that goes back gives nothing and takes nothing.
        let passed_s = now_us.saturating_sub(self.filled_us).max(0) as f64 / 1e6;
        self.left = (self.left + passed_s * rate.per_s).min(rate.burst);
        self.filled_us = now_us;
    }
}

fn microseconds(missing: f64, rate: Rate) -> u64 {
    (missing / rate.per_s.max(1e-6) * 1e6).ceil().clamp(1.0, 3.6e9) as u64
}

/// Buckets by identity: at most so many, the ones used longest ago go first. A forgotten one is full
/// again, which a flood of made-up identities can't use: each of those gets its own.
#[derive(Debug)]
pub struct Buckets<K> {
    most: usize,
    of: HashMap<K, Bucket>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// At most `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), of: HashMap::new() }
    }

    /// [`Bucket::take`] of one identity.
    ///
    /// # Errors
    /// How many microseconds to wait.
    pub fn take(&mut self, key: &K, rate: Rate, cost: f64, now_us: i64) -> Result<(), u64> {
        self.bucket(key, rate, now_us).take(rate, cost, now_us)
    }

    /// [`Bucket::charge`] of one identity.
    pub fn charge(&mut self, key: &K, rate: Rate, cost: f64, now_us: i64) -> u64 {
        self.bucket(key, rate, now_us).charge(rate, cost, now_us)
    }

    fn bucket(&mut self, key: &K, rate: Rate, now_us: i64) -> &mut Bucket {
        if !self.of.contains_key(key) && self.of.len() >= self.most {
            self.forget();
        }
        self.of.entry(key.clone()).or_insert_with(|| Bucket::full(rate, now_us))
    }

    /// Forgets the older half.
    fn forget(&mut self) {
        let mut times: Vec<i64> = self.of.values().map(|bucket| bucket.filled_us).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.of.retain(|_, bucket| bucket.filled_us > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_s: 10.0, burst: 20.0 };

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::full(RATE, 0);
        for _ in 0..20 {
            assert_eq!(bucket.take(RATE, 1.0, 0), Ok(()));
        }
        assert_eq!(bucket.take(RATE, 1.0, 0), Err(100_000));
        assert_eq!(bucket.take(RATE, 1.0, 100_000), Ok(()));
        assert!(bucket.take(RATE, 1.0, 50_000).is_err(), "a clock that goes back gives nothing");
        // Over any time no more than burst + rate × time.
        let taken = (0..100_000).filter(|i| bucket.take(RATE, 1.0, 150_000 + i * 100).is_ok()).count();
        assert!((99..=121).contains(&taken), "{taken}");
    }

    #[test]
    fn a_debt_is_waited_for() {
        let mut bucket = Bucket::full(RATE, 0);
        assert_eq!(bucket.charge(RATE, 20.0, 0), 0);
        assert_eq!(bucket.charge(RATE, 10.0, 0), 1_000_000);
        assert_eq!(bucket.charge(RATE, 0.0, 1_000_000), 0);
    }

    #[test]
    fn one_identity_does_not_spend_for_another_and_memory_is_bounded() {
        let mut buckets = Buckets::new(100);
        for _ in 0..1_000 {
            let _ = buckets.take(&0, RATE, 1.0, 1);
        }
        assert!(buckets.take(&0, RATE, 1.0, 1).is_err());
        for other in 1..10_000 {
            assert_eq!(buckets.take(&other, RATE, 1.0, 2 + other), Ok(()));
            assert!(buckets.of.len() <= 100);
        }
    }
}
