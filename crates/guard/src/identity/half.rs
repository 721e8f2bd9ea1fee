//! Between the password and the second factor: who has shown the first, for a few minutes, and
//! with few tries. Kept in memory: after a restart one begins again.

use std::collections::HashMap;

use vitals::ReceiveTime;
use vitals::time::MINUTE;

/// How long somebody may take for the second factor, in microseconds.
const LASTS: i64 = 5 * MINUTE;
/// Wrong codes until the password is asked for again.
const TRIES: u32 = 5;
/// Half-done logins at once; the oldest ends for a new one.
const HALVES_MAX: usize = 4_096;

/// What a login can be completed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// A code from an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
    /// One of the codes that were printed for the day when the others are lost.
    Recovery,
    /// None exists yet, and the site asks for one: enrol an authenticator app now.
    EnrolTotp,
}

impl Factor {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Recovery => "recovery",
            Self::EnrolTotp => "enrol-totp",
        }
    }
}

/// The half-done logins, by the fingerprint of their token.
#[derive(Default)]
pub(crate) struct Halves {
    kept: HashMap<blake3::Hash, Half>,
}

/// A login whose first step is done.
#[derive(Debug, Clone)]
pub(crate) struct Half {
    /// Whose.
    pub(crate) name: String,
    /// What was shown so far.
    pub(crate) means: super::Means,
    /// Whether a second factor has to be made first.
    pub(crate) enrols: bool,
    began: ReceiveTime,
    tries: u32,
}

impl Halves {
    /// Keeps a half-done login.
    pub(crate) fn put(
        &mut self,
        key: blake3::Hash,
        name: &str,
        means: super::Means,
        enrols: bool,
        now: ReceiveTime,
    ) {
        self.forget(now);
        if self.kept.len() >= HALVES_MAX {
            let oldest = self.kept.iter().min_by_key(|(_, half)| half.began).map(|(key, _)| *key);
            oldest.and_then(|key| self.kept.remove(&key));
        }
        let half = Half { name: name.to_owned(), means, enrols, began: now, tries: 0 };
        self.kept.insert(key, half);
    }

    /// The half-done login, one try less: none when it is over, or has none left.
    pub(crate) fn attempt(&mut self, key: &blake3::Hash, now: ReceiveTime) -> Option<Half> {
        self.forget(now);
        let half = self.kept.get_mut(key)?;
        half.tries += 1;
        if half.tries > TRIES {
            self.kept.remove(key);
            return None;
        }
        Some(half.clone())
    }

    /// The half-done login, without costing a try.
    pub(crate) fn get(&mut self, key: &blake3::Hash, now: ReceiveTime) -> Option<Half> {
        self.forget(now);
        self.kept.get(key).cloned()
    }

    /// Whether somebody of that name has shown the first factor of late.
    pub(crate) fn waits(&mut self, name: &str, now: ReceiveTime) -> bool {
        self.forget(now);
        self.kept.values().any(|half| half.name.eq_ignore_ascii_case(name))
    }

    /// Ends a half-done login.
    pub(crate) fn end(&mut self, key: &blake3::Hash) {
        self.kept.remove(key);
    }

    fn forget(&mut self, now: ReceiveTime) {
        let age = |half: &Half| now.micros() - half.began.micros();
        // A clock that was set back must not keep them longer.
        self.kept.retain(|_, half| (0..LASTS).contains(&age(half)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Means;

    #[test]
    fn a_half_login_has_five_tries_and_five_minutes() {
        let mut halves = Halves::default();
        let (key, start) = (blake3::hash(b"a"), ReceiveTime(0));
        halves.put(key, "ada", Means::Password, false, start);
        for _ in 0..TRIES {
            assert!(halves.attempt(&key, start).is_some());
        }
        assert!(halves.attempt(&key, start).is_none());
        assert!(halves.get(&key, start).is_none(), "it is over");
        halves.put(key, "ada", Means::Password, false, start);
        assert!(halves.get(&key, start.plus(LASTS - 1)).is_some());
        assert!(halves.attempt(&key, start.plus(LASTS)).is_none());
        for n in 0..HALVES_MAX + 10 {
            let key = blake3::hash(&n.to_le_bytes());
            halves.put(key, "ada", Means::Password, false, start.plus(n as i64));
        }
        assert_eq!(halves.kept.len(), HALVES_MAX);
    }
}
