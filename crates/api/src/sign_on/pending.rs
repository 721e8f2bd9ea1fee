//! Who has gone to the provider and is to come back: kept in memory for some minutes, each good for
//! one return, and bound to the browser that went.

use std::collections::HashMap;

use vitals::time::MINUTE;

/// How long somebody may take at the provider, in microseconds.
const LASTS: i64 = 10 * MINUTE;
/// Sign-ons under way at once; the oldest ends for a new one.
const PENDING_MAX: usize = 4_096;

/// A sign-on that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// What the ID token has to repeat.
    pub(crate) nonce: String,
    /// What proves that the code is for us (PKCE).
    pub(crate) verifier: String,
    /// Fingerprint of the cookie of the browser that went.
    pub(crate) browser: [u8; 32],
    /// Where the provider sends the browser back to.
    pub(crate) back: String,
    /// The page that the person wanted.
    pub(crate) next: String,
    /// When it began, in microseconds since 1970.
    pub(crate) began: i64,
}

/// What is kept of a random text, so that memory holds nothing to come back with.
pub(crate) fn fingerprint(text: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).into()
}

/// Sign-ons under way, by the fingerprint of their state.
#[derive(Debug, Default)]
pub(super) struct Pending {
    kept: HashMap<[u8; 32], Waiting>,
}

impl Pending {
    pub(super) fn put(&mut self, state: &str, waiting: Waiting) {
        self.forget(waiting.began);
        if self.kept.len() >= PENDING_MAX {
            let oldest = self.kept.iter().min_by_key(|(_, one)| one.began).map(|(key, _)| *key);
            oldest.and_then(|key| self.kept.remove(&key));
        }
        self.kept.insert(fingerprint(state), waiting);
    }

    pub(super) fn take(&mut self, state: &str, now: i64) -> Option<Waiting> {
        self.forget(now);
        self.kept.remove(&fingerprint(state))
    }

    fn forget(&mut self, now: i64) {
        // A clock that was set back must not keep them longer.
        self.kept.retain(|_, one| (0..LASTS).contains(&(now - one.began)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(began: i64) -> Waiting {
        let (text, browser) = (String::new, [0; 32]);
        Waiting { nonce: text(), verifier: text(), browser, back: text(), next: text(), began }
    }

    #[test]
    fn a_state_is_good_once_and_for_ten_minutes() {
        let mut pending = Pending::default();
        pending.put("a", waiting(0));
        assert!(pending.take("b", 1).is_none());
        assert!(pending.take("a", 1).is_some());
        assert!(pending.take("a", 1).is_none(), "once");
        pending.put("a", waiting(0));
        assert!(pending.take("a", LASTS).is_none(), "too late");
        for n in 0..PENDING_MAX + 10 {
            pending.put(&n.to_string(), waiting(n as i64));
        }
        assert_eq!(pending.kept.len(), PENDING_MAX);
        assert!(pending.take("0", 5_000).is_none() && pending.take("4000", 5_000).is_some());
    }
}
