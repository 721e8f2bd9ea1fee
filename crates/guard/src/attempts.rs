//! Slows guessing down without locking a ward out. The rule:
//!
//! - Failures count per account name and address together: three are free, then each next attempt
//!   waits 1, 2, 4, at most 8 s. Somebody who guesses from elsewhere does not slow the ward down.
//! - Failures from addresses where nobody has logged in of late count per account name, whatever
//!   the address: ten are free, then 1, 2, 4, at most 300 s. Many addresses gain a guesser nothing.
//!   An address where somebody did log in is never slowed by this, so however long an attack lasts,
//!   the ward's own computers take the right password at once.
//!
//! The right password clears the count of its own key. Passkeys guess nothing and wait for nothing.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use vitals::ReceiveTime;
use vitals::time::{HOUR, SECOND};

/// How attempts of one kind of key are slowed down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Failures that cost nothing: people mistype.
    free: u32,
    /// The longest wait, in microseconds.
    wait_max: i64,
}

/// For a name from one address.
const NEAR: Pace = Pace { free: 3, wait_max: 8 * SECOND };
/// For a name from all addresses that nobody knows.
const FAR: Pace = Pace { free: 10, wait_max: 300 * SECOND };

/// A failure is forgotten after this, in microseconds.
const FORGET: i64 = HOUR;
/// Names and addresses remembered; the oldest is forgotten for a new one.
const KEYS_MAX: usize = 10_000;

/// Who tries: hashed, for people type passwords where names belong.
type Key = blake3::Hash;

/// What one attempt counts against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    near: Key,
    far: Option<Key>,
}

impl Keys {
    /// The keys of an attempt at `what` (password, code) of a name, without regard to its case.
    /// `known`: whether somebody has logged in from the address of late. Without an address all
    /// attempts at a name count together.
    pub(crate) fn of(what: &str, name: &str, source: Option<IpAddr>, known: bool) -> Self {
        let name = name.to_lowercase();
        let key = |place: &str| blake3::hash(format!("{what}\n{place}\n{name}").as_bytes());
        match source {
            None => Self { near: key(""), far: None },
            Some(address) => Self {
                near: key(&address.to_canonical().to_string()),
                far: (!known).then(|| key("far")),
            },
        }
    }

    fn paced(&self) -> impl Iterator<Item = (Key, Pace)> {
        [(self.near, NEAR)].into_iter().chain(self.far.map(|key| (key, FAR)))
    }
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
    pub(crate) fn begin(&mut self, keys: &Keys, now: ReceiveTime) -> Result<(), i64> {
        let now = now.micros();
        let wait = keys.paced().map(|(key, pace)| self.wait(&key, pace, now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        for (key, _) in keys.paced() {
            self.count(key, now);
        }
        Ok(())
    }

    /// Forgets the failures of an attempt that was none.
    pub(crate) fn succeeded(&mut self, keys: &Keys) {
        for (key, _) in keys.paced() {
            self.clear(&key);
        }
    }

    fn wait(&self, key: &Key, pace: Pace, now: i64) -> i64 {
        let Some(failures) = self.failures.get(key).filter(|f| now < f.last + FORGET) else {
            return 0;
        };
        // A clock that was set back must not make the wait longer than it ever is.
        (failures.last + wait_after(failures.count, pace) - now).min(pace.wait_max)
    }

    fn count(&mut self, key: Key, now: i64) {
        let before = self.failures.get(&key).copied().filter(|f| now < f.last + FORGET);
        self.clear(&key);
        if self.failures.len() >= KEYS_MAX
            && let Some((_, oldest)) = self.oldest.pop_first()
        {
            self.failures.remove(&Key::from_bytes(oldest));
        }
        let count = before.map_or(0, |f| f.count).saturating_add(1);
        self.failures.insert(key, Failures { count, last: now });
        self.oldest.insert((now, *key.as_bytes()));
    }

    fn clear(&mut self, key: &Key) {
        if let Some(failures) = self.failures.remove(key) {
            self.oldest.remove(&(failures.last, *key.as_bytes()));
        }
    }
}

/// The wait after so many failures, in microseconds.
fn wait_after(count: u32, pace: Pace) -> i64 {
    match count.checked_sub(pace.free) {
        None => 0,
        Some(over) => (SECOND << over.min(10)).min(pace.wait_max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, source: Option<IpAddr>) -> Keys {
        Keys::of("password", name, source, true)
    }

    #[test]
    fn waits_grow_to_a_limit_and_end() {
        let waits = |pace| (1..9).map(|n| wait_after(n, pace) / SECOND).collect::<Vec<i64>>();
        assert_eq!(waits(NEAR), [0, 0, 1, 2, 4, 8, 8, 8]);
        assert_eq!(wait_after(10_000, FAR), 300 * SECOND);
        let mut attempts = Attempts::default();
        let (ada, mut now) = (key("Ada", None), ReceiveTime(0));
        for _ in 0..3 {
            assert_eq!(attempts.begin(&ada, now), Ok(()));
        }
        assert_eq!(attempts.begin(&key("ada", None), now), Err(SECOND), "case does not matter");
        assert_eq!(attempts.begin(&key("bob", None), now), Ok(()), "others are not slowed");
        let elsewhere = Some(IpAddr::from([10, 0, 0, 1]));
        assert_eq!(attempts.begin(&key("ada", elsewhere), now), Ok(()), "nor from elsewhere");
        now = now.plus(SECOND);
        assert_eq!(attempts.begin(&ada, now), Ok(()));
        assert_eq!(attempts.begin(&ada, now), Err(2 * SECOND));
        attempts.succeeded(&ada);
        assert_eq!(attempts.begin(&ada, now), Ok(()), "a success clears the count");
    }

    #[test]
    fn many_addresses_gain_a_guesser_nothing_and_the_ward_never_waits() {
        let mut attempts = Attempts::default();
        let from = |n: u32, known| {
            let address = IpAddr::from(n.to_be_bytes());
            Keys::of("password", "ada", Some(address), known)
        };
        let (mut tried, hours) = (0, 2 * 3_600);
        for second in 0..hours {
            let now = ReceiveTime(i64::from(second) * SECOND);
            // Twenty new addresses every second.
            let fresh = (0..20).map(|n| from(second * 20 + n, false));
            tried += fresh.filter(|keys| attempts.begin(keys, now).is_ok()).count();
            if second % 600 == 0 {
                let ward = from(u32::MAX, true);
                assert_eq!(attempts.begin(&ward, now), Ok(()), "the ward, {second} s into it");
                attempts.succeeded(&ward);
            }
        }
        assert!(tried < 50, "one try in 300 s, and a few at the start: {tried}");
    }

    #[test]
    fn memory_is_bounded() {
        let mut attempts = Attempts::default();
        for n in 0..(KEYS_MAX as i64 + 100) {
            assert!(attempts.begin(&key(&n.to_string(), None), ReceiveTime(n)).is_ok());
        }
        assert_eq!(attempts.failures.len(), KEYS_MAX);
        assert_eq!(attempts.oldest.len(), KEYS_MAX);
    }
}
