//! Coming in: passwords, sessions, service tokens, and the very first administrator.

use std::net::IpAddr;

use vitals::{ReceiveTime, Role};

use crate::account::check_name;
use crate::{Account, Guard, GuardError, Kind, LoginError, attempts, password, secret};

impl Guard {
    /// Logs a person in. See [`Guard::login_from`], which is better where the caller's address is
    /// known.
    ///
    /// # Errors
    /// [`LoginError`], the same for unknown names and wrong passwords.
    pub fn login(
        &self,
        name: &str,
        password: &str,
        now: ReceiveTime,
    ) -> Result<(Account, String), LoginError> {
        self.login_from(name, password, None, now)
    }

    /// Logs a person in from an address and begins a session: the account, and the session's token
    /// (256 random bits, of which only a fingerprint is kept).
    ///
    /// An unknown name takes as long as a wrong password. After three failures for one name from
    /// one address the next attempt has to wait, at most 8 s; other addresses don't.
    ///
    /// # Errors
    /// [`LoginError`], the same for unknown names and wrong passwords.
    pub fn login_from(
        &self,
        name: &str,
        password: &str,
        source: Option<IpAddr>,
        now: ReceiveTime,
    ) -> Result<(Account, String), LoginError> {
        let Some(people) = &self.inner.people else {
            return Ok((Account::trial(), "trial".to_owned()));
        };
        let key = attempts::key(name, source);
        people.attempts.lock().begin(key, now).map_err(|wait_us| LoginError::SlowDown {
            wait_ms: u64::try_from(wait_us).unwrap_or(0).div_ceil(1_000),
        })?;
        let known = people.database.person(name)?;
        let kept = known.as_ref().map(|(_, hash)| hash.as_str());
        let right = people.verifier.verify(kept, password)?;
        let (Some((account, _)), true) = (known, right) else {
            return Err(LoginError::Refused);
        };
        people.attempts.lock().succeeded(&key);
        let token = secret::token()?;
        people.database.begin_session(
            &secret::fingerprint(token.as_bytes()),
            &account.name,
            now,
        )?;
        Ok((account, token))
    }

    /// Whose session this is: none when it is unknown or over. Counts as use of the session, so
    /// call it again from time to time for an answer that goes on for long.
    #[must_use]
    pub fn session(&self, token: &str, now: ReceiveTime) -> Option<Account> {
        let Some(people) = &self.inner.people else {
            return Some(Account::trial());
        };
        let found = people.database.session(&secret::fingerprint(token.as_bytes()), now);
        found.unwrap_or_else(refused)
    }

    /// Ends a session.
    pub fn logout(&self, token: &str) {
        if let Some(people) = &self.inner.people
            && let Err(error) = people.database.end_session(&secret::fingerprint(token.as_bytes()))
        {
            tracing::error!(%error, "session not ended");
        }
    }

    /// Which service has this token (`vw_…`).
    #[must_use]
    pub fn bearer(&self, token: &str) -> Option<Account> {
        let Some(people) = &self.inner.people else {
            return Some(Account::trial());
        };
        if !token.starts_with(secret::SERVICE_PREFIX) {
            return None;
        }
        let found = people.database.service(&secret::fingerprint(token.as_bytes()));
        found.unwrap_or_else(refused)
    }

    /// The name to put into the audit log for what somebody typed as theirs: the account's if
    /// there is one, else `unknown`, for people type passwords there.
    #[must_use]
    pub fn audit_name(&self, typed: &str) -> String {
        let Some(people) = &self.inner.people else {
            return Account::trial().name;
        };
        match people.database.written(typed) {
            Ok(Some(name)) => name,
            Ok(None) | Err(_) => "unknown".to_owned(),
        }
    }

    /// Whether the first administrator is still to be made.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn needs_setup(&self) -> Result<bool, GuardError> {
        match &self.inner.people {
            Some(people) => people.database.needs_setup(),
            None => Ok(false),
        }
    }

    /// While there is no administrator: a new one-time setup code for [`Guard::redeem`], which
    /// replaces any before. To be shown once, to whoever started the program; only a fingerprint
    /// is kept.
    #[must_use]
    pub fn first_start(&self) -> Option<String> {
        let people = self.inner.people.as_ref()?;
        let made = secret::setup_code().and_then(|code| {
            let key = secret::fingerprint(secret::typed_code(&code).as_bytes());
            Ok(people.database.put_code(&key)?.then_some(code))
        });
        made.unwrap_or_else(refused)
    }

    /// Makes the first administrator with the setup code, which is then used up.
    ///
    /// # Errors
    /// [`GuardError::BadCode`] for any other code; [`GuardError::BadName`],
    /// [`GuardError::WeakPassword`] (the code remains valid).
    pub fn redeem(&self, code: &str, name: &str, password: &str) -> Result<Account, GuardError> {
        let people = self.people()?;
        let key = secret::fingerprint(secret::typed_code(code).as_bytes());
        if !people.database.is_code(&key)? {
            return Err(GuardError::BadCode);
        }
        check_name(name)?;
        password::check_new(name, password)?;
        let role = Role::Administrator;
        let account = Account::new(name, role, Kind::Person);
        people.database.redeem(&key, &account, &password::hash(password)?)?;
        Ok(account)
    }
}

/// What failed lets nobody in.
fn refused<T>(error: GuardError) -> Option<T> {
    tracing::error!(%error, "refused, for the account database failed");
    None
}
