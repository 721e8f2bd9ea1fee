//! Slows guessing down without locking anybody out.
//!
//! Failures are counted per account name and source address together, so that somebody who guesses
//! from elsewhere does not keep a nurse from logging in at the ward's own computer. After a few
//! failures the next attempt has to wait, longer each time, up to a limit; the right password after
//! the wait clears the count.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use vitals::ReceiveTime;
use vitals::time::{HOUR, SECOND};

/// Failures that cost nothing: people mistype.
const FREE: u32 = 3;
/// The longest wait, in microseconds.
const WAIT_MAX: i64 = 8 * SECOND;
/// A failure is forgotten after this, in microseconds.
const FORGET: i64 = HOUR;
/// Names and addresses remembered; the oldest is forgotten for a new one.
const KEYS_MAX: usize = 10_000;

/// Who tries: a name as typed (hashed without regard to case) from an address.
pub(crate) type Key = blake3::Hash;

/// The key of an attempt. Without an address all of them count together.
pub(crate) fn key(name: &str, source: Option<IpAddr>) -> Key {
    let source = source.map_or_else(String::new, |address| address.to_string());
    blake3::hash(format!("{source}\n{}", name.to_lowercase()).as_bytes())
}

/// The failures of late.
#[derive(Default)]
pub(crate) struct Attempts {
    failures: HashMap<Key, Failures>,
    oldest: BTreeSet<(i64, [u8; 32])>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

impl Attempts {
    /// Begins an attempt, counted as failed until [`Self::succeeded`] is called: so that many at
    /// once gain nothing.
    ///
    /// # Errors
    /// How long to wait, in microseconds; then the attempt is not counted.
    pub(crate) fn begin(&mut self, key: Key, now: ReceiveTime) -> Result<(), i64> {
        let now = now.micros();
        let before = self.failures.get(&key).copied().filter(|f| now < f.last + FORGET);
        if let Some(failures) = before {
            // A clock that was set back must not make the wait longer than it ever is.
            let wait = (failures.last + wait_after(failures.count) - now).min(WAIT_MAX);
            if wait > 0 {
                return Err(wait);
            }
        }
        self.succeeded(&key);
        if self.failures.len() >= KEYS_MAX
            && let Some((_, oldest)) = self.oldest.pop_first()
        {
            self.failures.remove(&Key::from_bytes(oldest));
        }
        let count = before.map_or(0, |f| f.count).saturating_add(1);
        self.failures.insert(key, Failures { count, last: now });
        self.oldest.insert((now, *key.as_bytes()));
        Ok(())
    }

    /// Forgets the failures of a key.
    pub(crate) fn succeeded(&mut self, key: &Key) {
        if let Some(failures) = self.failures.remove(key) {
            self.oldest.remove(&(failures.last, *key.as_bytes()));
        }
    }
}

/// The wait after so many failures, in microseconds.
fn wait_after(count: u32) -> i64 {
    match count.checked_sub(FREE) {
        None => 0,
        Some(over) => (SECOND << over.min(10)).min(WAIT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_end() {
        let waits: Vec<i64> = (1..9).map(|n| wait_after(n) / SECOND).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 8, 8]);
        let mut attempts = Attempts::default();
        let (ada, mut now) = (key("Ada", None), ReceiveTime(0));
        for _ in 0..3 {
            assert_eq!(attempts.begin(ada, now), Ok(()));
        }
        assert_eq!(attempts.begin(key("ada", None), now), Err(SECOND), "case does not matter");
        assert_eq!(attempts.begin(key("bob", None), now), Ok(()), "others are not slowed");
        let elsewhere = Some(IpAddr::from([10, 0, 0, 1]));
        assert_eq!(attempts.begin(key("ada", elsewhere), now), Ok(()), "nor from elsewhere");
        now = now.plus(SECOND);
        assert_eq!(attempts.begin(ada, now), Ok(()));
        assert_eq!(attempts.begin(ada, now), Err(2 * SECOND));
        attempts.succeeded(&ada);
        assert_eq!(attempts.begin(ada, now), Ok(()), "a success clears the count");
    }

    #[test]
    fn memory_is_bounded() {
        let mut attempts = Attempts::default();
        for n in 0..(KEYS_MAX as i64 + 100) {
            assert!(attempts.begin(key(&n.to_string(), None), ReceiveTime(n)).is_ok());
        }
        assert_eq!(attempts.failures.len(), KEYS_MAX);
        assert_eq!(attempts.oldest.len(), KEYS_MAX);
    }
}
