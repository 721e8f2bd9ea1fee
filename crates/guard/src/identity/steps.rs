//! Coming in, step by step: a password or the site's provider, then a second factor where the
//! account has one or the site asks for one. A passkey is both steps at once.

use std::net::IpAddr;

use vitals::{ReceiveTime, Role};

use super::passkeys::Site;
use super::{Factor, LoginRules, Means, Session};
use crate::attempts::Keys;
use crate::identity::half::Half;
use crate::identity::sessions::session_id;
use crate::{Account, Guard, GuardError, Kind, LoginError, People, secret};

/// Where somebody comes in, and over what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrance {
    /// The address at the other end.
    pub address: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// What the browser calls itself.
    pub agent: String,
}

/// What a step of a login leads to.
#[derive(Debug)]
pub enum Step {
    /// In: the session, and its token (256 random bits, of which only a fingerprint is kept).
    In(Session, String),
    /// Half in: a token for the next step, good for five minutes, and what may be shown.
    More(String, Vec<Factor>),
}

impl Guard {
    /// Says how people log in here; without, no role must show a second factor. Once, at the start.
    pub fn set_login_rules(&self, rules: LoginRules) {
        if let Some(people) = &self.inner.people {
            *people.rules.write() = rules;
        }
    }

    /// How people log in here.
    #[must_use]
    pub fn login_rules(&self) -> LoginRules {
        self.inner.people.as_ref().map(|people| people.rules.read().clone()).unwrap_or_default()
    }

    /// Logs a person in by name and password, or half in where a second factor is theirs to show.
    ///
    /// An unknown name takes as long as a wrong password. How attempts are slowed down: see
    /// `attempts`.
    ///
    /// # Errors
    /// [`LoginError`], the same for unknown names and wrong passwords.
    pub fn begin_login(
        &self,
        name: &str,
        password: &str,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        let Some(people) = &self.inner.people else {
            return Ok(trial(now));
        };
        let keys = people.begin_attempt("password", name, entrance, now)?;
        let known = people.database.person(name)?;
        let kept = known.as_ref().map(|(_, hash)| hash.as_str());
        let right = people.verifier.verify(kept, password)?;
        let (Some((account, _)), true) = (known, right) else {
            return Err(LoginError::Refused);
        };
        people.attempts.lock().succeeded(&keys);
        people.after_first(account, Means::Password, entrance, now)
    }

    /// Completes a login with a code of an authenticator app. Each code counts once.
    ///
    /// # Errors
    /// [`LoginError::Refused`] for a wrong or used code; [`LoginError::Begin`] when the first step
    /// is too long ago, or after five wrong codes.
    pub fn login_totp(
        &self,
        half: &str,
        code: &str,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        self.login_code(half, entrance, now, |people, half| {
            let right = people.database.take_totp(&half.name, code, now)?;
            let means = match half.means {
                Means::Password => Means::Totp,
                _ => Means::ProviderTotp,
            };
            Ok(right.then_some(means))
        })
    }

    /// Completes a login with a recovery code, which is then used up.
    ///
    /// # Errors
    /// As [`Guard::login_totp`].
    pub fn login_recovery(
        &self,
        half: &str,
        code: &str,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        self.login_code(half, entrance, now, |people, half| {
            let key = secret::fingerprint(secret::typed_code(code).as_bytes());
            Ok(people.database.take_recovery(&half.name, &key)?.then_some(Means::Recovery))
        })
    }

    fn login_code(
        &self,
        token: &str,
        entrance: &Entrance,
        now: ReceiveTime,
        check: impl FnOnce(&People, &Half) -> Result<Option<Means>, LoginError>,
    ) -> Result<Step, LoginError> {
        let Some(people) = &self.inner.people else {
            return Ok(trial(now));
        };
        let key = secret::fingerprint(token.as_bytes());
        let half = people.halves.lock().get(&key, now).ok_or(LoginError::Begin)?;
        let keys = people.begin_attempt("code", &half.name, entrance, now)?;
        let half = people.halves.lock().attempt(&key, now).ok_or(LoginError::Begin)?;
        let means = check(people, &half)?.ok_or(LoginError::Refused)?;
        people.attempts.lock().succeeded(&keys);
        people.halves.lock().end(&key);
        // The account may have been taken away in between.
        let account = people.database.person_named(&half.name)?.ok_or(LoginError::Refused)?;
        people.enter(account, means, entrance, now)
    }

    /// Whose login is half done: for the audit, and for enrolling a first factor.
    #[must_use]
    pub fn half_login(&self, token: &str, now: ReceiveTime) -> Option<String> {
        let people = self.inner.people.as_ref()?;
        let key = secret::fingerprint(token.as_bytes());
        people.halves.lock().get(&key, now).map(|half| half.name)
    }

    /// Whose login is half done and waits for a first authenticator app.
    pub(crate) fn enrolling(&self, token: &str, now: ReceiveTime) -> Result<String, LoginError> {
        let people = self.people()?;
        let key = secret::fingerprint(token.as_bytes());
        let half = people.halves.lock().get(&key, now);
        half.filter(|half| half.enrols).map(|half| half.name).ok_or(LoginError::Begin)
    }

    /// Completes a login by making a first authenticator app: its first code.
    ///
    /// # Errors
    /// As [`Guard::login_totp`].
    pub fn login_enrolled(
        &self,
        half: &str,
        code: &str,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<(Step, Vec<String>), LoginError> {
        let name = self.enrolling(half, now)?;
        let mut codes = Vec::new();
        let step = self.login_code(half, entrance, now, |people, half| {
            if !half.enrols || !people.confirm_totp(&name, code, now)? {
                return Ok(None);
            }
            codes = people.new_recovery_codes(&name)?;
            Ok(Some(if half.means == Means::Password { Means::Totp } else { Means::ProviderTotp }))
        })?;
        Ok((step, codes))
    }

    /// Logs in with a passkey: `answer` is what the browser made of [`Guard::begin_passkey_login`].
    ///
    /// # Errors
    /// [`LoginError::Refused`] when it is not a passkey of an account here, or the ceremony is over.
    pub fn login_passkey(
        &self,
        answer: &str,
        site: &Site,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        let Some(people) = &self.inner.people else {
            return Ok(trial(now));
        };
        let name = people.verify_passkey(answer, site, now)?.ok_or(LoginError::Refused)?;
        // Whom the provider vouches for, it has to vouch for today: a passkey is the second step
        // for them, never the only one.
        if people.database.is_provided(&name)? && !people.halves.lock().waits(&name, now) {
            return Err(LoginError::Refused);
        }
        let account = people.database.person_named(&name)?.ok_or(LoginError::Refused)?;
        people.enter(account, Means::Passkey, entrance, now)
    }
}

impl People {
    /// Counts an attempt, or says how long to wait.
    pub(super) fn begin_attempt(
        &self,
        what: &str,
        name: &str,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Keys, LoginError> {
        let known = match entrance.address {
            Some(address) => self.database.knows_address(address, now)?,
            None => true,
        };
        let keys = Keys::of(what, name, entrance.address, known);
        self.attempts.lock().begin(&keys, now).map_err(|wait_us| LoginError::SlowDown {
            wait_ms: u64::try_from(wait_us).unwrap_or(0).div_ceil(1_000),
        })?;
        Ok(keys)
    }

    /// After the first factor: in, or what else is needed.
    pub(super) fn after_first(
        &self,
        account: Account,
        means: Means,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        if means.strong() {
            return self.enter(account, means, entrance, now);
        }
        let factors = self.database.factors(&account.name)?;
        let mut needs = Vec::new();
        needs.extend(factors.totp.then_some(Factor::Totp));
        needs.extend((!factors.passkeys.is_empty()).then_some(Factor::Passkey));
        let has = !needs.is_empty();
        needs.extend((has && factors.recovery > 0).then_some(Factor::Recovery));
        let must = self.must_show(account.role);
        if !has && !must {
            return self.enter(account, means, entrance, now);
        }
        if !has {
            needs.push(Factor::EnrolTotp);
        }
        let token = secret::token()?;
        let key = secret::fingerprint(token.as_bytes());
        self.halves.lock().put(key, &account.name, means, !has, now);
        Ok(Step::More(token, needs))
    }

    /// Whether a role must show a second factor.
    pub(super) fn must_show(&self, role: Role) -> bool {
        self.rules.read().second_factor.contains(&role)
    }

    fn enter(
        &self,
        account: Account,
        means: Means,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        if account.kind != Kind::Person {
            return Err(LoginError::Refused);
        }
        let token = secret::token()?;
        let key = secret::fingerprint(token.as_bytes());
        self.database.begin_session(&key, &account.name, means, entrance, now)?;
        if let Some(address) = entrance.address {
            self.database.note_address(address, now)?;
        }
        Ok(Step::In(Session { account, id: session_id(&key), means, began: now }, token))
    }
}

fn trial(now: ReceiveTime) -> Step {
    let (account, id) = (Account::trial(), String::new());
    Step::In(Session { account, id, means: Means::Password, began: now }, "trial".to_owned())
}

impl Guard {
    /// Logs a person in who has no second factor. See [`Guard::begin_login`] for all others.
    ///
    /// # Errors
    /// [`LoginError`], the same for unknown names and wrong passwords; [`LoginError::Begin`] when
    /// a second factor is needed.
    pub fn login(
        &self,
        name: &str,
        password: &str,
        now: ReceiveTime,
    ) -> Result<(Account, String), LoginError> {
        self.login_from(name, password, None, now)
    }

    /// [`Guard::login`] from an address.
    ///
    /// # Errors
    /// As [`Guard::login`].
    pub fn login_from(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
        now: ReceiveTime,
    ) -> Result<(Account, String), LoginError> {
        let entrance = Entrance { address, ..Entrance::default() };
        match self.begin_login(name, password, &entrance, now)? {
            Step::In(session, token) => Ok((session.account, token)),
            Step::More(..) => Err(LoginError::Begin),
        }
    }

    /// [`GuardError`] as a refusal of whoever asks.
    pub(crate) fn or_none<T>(found: Result<Option<T>, GuardError>) -> Option<T> {
        found.unwrap_or_else(|error| {
            tracing::error!(%error, "refused, for the account database failed");
            None
        })
    }
}
