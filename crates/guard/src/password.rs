//! Passwords that people choose: Argon2id, and never more of it at once than the machine can bear.

use argon2::password_hash::{Error as HashError, PasswordHash, SaltString};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use parking_lot::{Condvar, Mutex};

use crate::{GuardError, LoginError, secret};

/// Hashes computed at once: each takes one core and 19 MiB.
const AT_ONCE: usize = 2;
/// Logins that may wait for their turn.
const WAITING_MAX: usize = 64;

/// A hash to keep, with its salt and parameters (PHC string). Argon2id with 19 MiB, 2 passes, 1
/// lane: the first choice of OWASP's Password Storage Cheat Sheet, and the library's default.
pub(crate) fn hash(password: &str) -> Result<String, GuardError> {
    let salt = SaltString::encode_b64(&secret::random::<16>()?).map_err(GuardError::Hashing)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(GuardError::Hashing)?.to_string())
}

/// Checks a new password: long enough to resist guessing through our slow-down, and not the name.
pub(crate) fn check_new(name: &str, password: &str) -> Result<(), GuardError> {
    let distinct = password.chars().collect::<std::collections::BTreeSet<_>>().len();
    let why = if password.chars().count() < 12 {
        "at least 12 characters; four random words are easy to remember"
    } else if password.len() > 256 {
        "at most 256 bytes"
    } else if distinct < 5 {
        "at least 5 different characters"
    } else if password.to_lowercase().contains(&name.to_lowercase()) && name.len() > 2 {
        "it must not contain the account name"
    } else {
        return Ok(());
    };
    Err(GuardError::WeakPassword(why))
}

/// Verifies passwords, a bounded number at once.
pub(crate) struct Verifier {
    /// The hash of something that nobody knows: what unknown names are checked against, so that
    /// they take as long as known ones.
    nobody: String,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: usize,
}

impl Verifier {
    pub(crate) fn new() -> Result<Self, GuardError> {
        let nobody = hash(&secret::token()?)?;
        Ok(Self { nobody, state: Mutex::default(), freed: Condvar::new() })
    }

    /// Whether this is the password of a kept hash. Without one (nobody has that name) the answer
    /// is no, after the same work.
    pub(crate) fn verify(&self, kept: Option<&str>, password: &str) -> Result<bool, LoginError> {
        self.enter()?;
        let verdict = PasswordHash::new(kept.unwrap_or(&self.nobody))
            .and_then(|hash| Argon2::default().verify_password(password.as_bytes(), &hash));
        self.leave();
        match verdict {
            Ok(()) => Ok(kept.is_some()),
            Err(HashError::Password) => Ok(false),
            Err(error) => Err(GuardError::Hashing(error).into()),
        }
    }

    fn enter(&self) -> Result<(), LoginError> {
        let mut state = self.state.lock();
        if state.waiting >= WAITING_MAX {
            return Err(LoginError::Busy);
        }
        state.waiting += 1;
        while state.running >= AT_ONCE {
            self.freed.wait(&mut state);
        }
        state.waiting -= 1;
        state.running += 1;
        Ok(())
    }

    fn leave(&self) {
        self.state.lock().running -= 1;
        self.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for (password, good) in [
            ("correct horse battery", true),
            ("pässwörter-üben", true),
            ("short-one-1", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("my-ADA-password", false),
            (&"long words ".repeat(30), false),
        ] {
            assert_eq!(check_new("ada", password).is_ok(), good, "{password:?}");
        }
    }

    /// The work is in the parameters; time itself would say more about the machine's other load.
    #[test]
    fn an_unknown_name_costs_the_same_work_as_a_known_one() {
        let verifier = Verifier::new().expect("random");
        let kept = hash("correct horse").expect("hash");
        let work = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(work(&verifier.nobody), work(&kept));
        assert!(PasswordHash::new(&verifier.nobody).is_ok_and(|hash| hash.hash.is_some()));
    }

    #[test]
    fn only_the_password_verifies_and_hashes_are_salted() {
        let verifier = Verifier::new().expect("random");
        let kept = hash("correct horse").expect("hash");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, hash("correct horse").expect("hash"));
        assert!(verifier.verify(Some(&kept), "correct horse").expect("verify"));
        assert!(!verifier.verify(Some(&kept), "wrong horse").expect("verify"));
        assert!(!verifier.verify(None, "correct horse").expect("verify"));
    }
}
