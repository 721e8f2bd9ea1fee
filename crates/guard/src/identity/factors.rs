//! Second factors of an account: the authenticator app and the recovery codes.

use rusqlite::{OptionalExtension, params};
use vitals::ReceiveTime;

use super::totp;
use crate::database::{Database, IMMEDIATE};
use crate::{Guard, GuardError, LoginError, Passkey, People, secret};

/// Recovery codes of an account.
const RECOVERY_CODES: usize = 10;
/// Who the codes are for, as the app shows it.
const ISSUER: &str = "Vitalwire";

/// What an account can show beside its password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Factors {
    /// Whether an authenticator app is enrolled.
    pub totp: bool,
    /// Its passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// Recovery codes that are left.
    pub recovery: usize,
    /// Whether the account's role must have one of the first two.
    pub required: bool,
}

/// A new authenticator app, before its first code: shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpEnrolment {
    /// The secret as apps take it by hand: base 32.
    pub secret: String,
    /// The same for a QR code: an `otpauth` URI.
    pub uri: String,
}

impl Guard {
    /// What an account can show beside its password.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn factors(&self, name: &str) -> Result<Factors, GuardError> {
        let people = self.people()?;
        let account = people.database.person_named(name)?;
        let required = account.is_some_and(|account| people.must_show(account.role));
        Ok(Factors { required, ..people.database.factors(name)? })
    }

    /// Begins to enrol an authenticator app for an account: holds once
    /// [`Guard::confirm_totp`] has seen a code of it. One that is enrolled stays until then.
    ///
    /// # Errors
    /// [`GuardError::Unknown`] when there is no such person.
    pub fn begin_totp(&self, name: &str) -> Result<TotpEnrolment, GuardError> {
        let people = self.people()?;
        let account = people.database.person_named(name)?;
        let account = account.ok_or_else(|| GuardError::Unknown(name.to_owned()))?;
        let bytes = secret::random::<{ totp::SECRET_LEN }>()?;
        people.pending_totp.lock().put(&account.name, bytes);
        Ok(TotpEnrolment {
            secret: totp::base32(&bytes),
            uri: totp::uri(ISSUER, &account.name, &bytes),
        })
    }

    /// [`Guard::begin_totp`] for whoever is half in because the site asks for a second factor.
    ///
    /// # Errors
    /// [`LoginError::Begin`] when the login is not at that step.
    pub fn begin_totp_at_login(&self, half: &str, now: ReceiveTime) -> Result<TotpEnrolment, LoginError> {
        let name = self.enrolling(half, now)?;
        Ok(self.begin_totp(&name)?)
    }

    /// Completes the enrolment with a first code: new recovery codes where there were none, to be
    /// shown once. None when the code is wrong, or no enrolment was begun.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn confirm_totp(
        &self,
        name: &str,
        code: &str,
        now: ReceiveTime,
    ) -> Result<Option<Vec<String>>, GuardError> {
        let people = self.people()?;
        if !people.confirm_totp(name, code, now)? {
            return Ok(None);
        }
        let factors = people.database.factors(name)?;
        if factors.recovery > 0 {
            return Ok(Some(Vec::new()));
        }
        people.new_recovery_codes(name).map(Some)
    }

    /// Takes the authenticator app away.
    ///
    /// # Errors
    /// [`GuardError::FactorRequired`] when the role must have a factor and this is the last.
    pub fn remove_totp(&self, name: &str) -> Result<(), GuardError> {
        let people = self.people()?;
        let factors = self.factors(name)?;
        if factors.required && factors.passkeys.is_empty() {
            return Err(GuardError::FactorRequired);
        }
        people.database.remove_totp(name)
    }

    /// Ten new recovery codes in place of those before, to be shown once.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn new_recovery_codes(&self, name: &str) -> Result<Vec<String>, GuardError> {
        self.people()?.new_recovery_codes(name)
    }

    /// Takes all factors away: for an administrator, when somebody has lost them. Their sessions
    /// end.
    ///
    /// # Errors
    /// [`GuardError::Unknown`].
    pub fn reset_factors(&self, name: &str) -> Result<(), GuardError> {
        let people = self.people()?;
        let account = people.database.person_named(name)?;
        let account = account.ok_or_else(|| GuardError::Unknown(name.to_owned()))?;
        people.database.reset_factors(&account.name)?;
        self.end_sessions(&account.name, None).map(|_| ())
    }
}

impl People {
    /// Keeps the secret that was begun, if this is a code of it. The code is then used up.
    pub(super) fn confirm_totp(
        &self,
        name: &str,
        code: &str,
        now: ReceiveTime,
    ) -> Result<bool, GuardError> {
        let Some(bytes) = self.pending_totp.lock().get(name) else { return Ok(false) };
        let seconds = now.micros().div_euclid(1_000_000);
        let Some(step) = totp::step_of(&bytes, code, seconds, i64::MIN) else { return Ok(false) };
        self.pending_totp.lock().end(name);
        self.database.put_totp(name, &bytes, step)?;
        Ok(true)
    }

    pub(super) fn new_recovery_codes(&self, name: &str) -> Result<Vec<String>, GuardError> {
        let codes: Vec<String> =
            (0..RECOVERY_CODES).map(|_| secret::recovery_code()).collect::<Result<_, _>>()?;
        let keys: Vec<blake3::Hash> = codes
            .iter()
            .map(|code| secret::fingerprint(secret::typed_code(code).as_bytes()))
            .collect();
        self.database.put_recovery(name, &keys)?;
        Ok(codes)
    }
}

/// Secrets that wait for their first code: in memory, a few at once.
#[derive(Default)]
pub(crate) struct PendingTotp {
    kept: std::collections::VecDeque<(String, [u8; totp::SECRET_LEN])>,
}

impl PendingTotp {
    /// Enrolments begun at once; the oldest is forgotten for a new one.
    const MAX: usize = 1_024;

    fn put(&mut self, name: &str, secret: [u8; totp::SECRET_LEN]) {
        self.end(name);
        if self.kept.len() >= Self::MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((name.to_lowercase(), secret));
    }

    fn get(&self, name: &str) -> Option<[u8; totp::SECRET_LEN]> {
        let name = name.to_lowercase();
        self.kept.iter().find(|(other, _)| *other == name).map(|(_, secret)| *secret)
    }

    fn end(&mut self, name: &str) {
        let name = name.to_lowercase();
        self.kept.retain(|(other, _)| *other != name);
    }
}

impl Database {
    /// What an account can show; whether it must is not known here.
    pub(super) fn factors(&self, name: &str) -> Result<Factors, GuardError> {
        let passkeys = self.passkeys(name)?;
        let connection = self.lock();
        let count = |sql: &str| connection.query_row(sql, [name], |row| row.get::<_, i64>(0));
        let totp = count("SELECT count(*) FROM totp WHERE account = ?1")? > 0;
        let recovery = count("SELECT count(*) FROM recovery WHERE account = ?1")?;
        Ok(Factors { totp, passkeys, recovery: usize::try_from(recovery).unwrap_or(0), required: false })
    }

    fn put_totp(&self, name: &str, bytes: &[u8], step: i64) -> Result<(), GuardError> {
        let sql = "INSERT OR REPLACE INTO totp (account, secret, last_step) VALUES (?1, ?2, ?3)";
        self.lock().execute(sql, params![name, bytes, step])?;
        Ok(())
    }

    /// Whether this is a code of the account's app that was not taken before; takes it.
    pub(super) fn take_totp(
        &self,
        name: &str,
        code: &str,
        now: ReceiveTime,
    ) -> Result<bool, GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let sql = "SELECT secret, last_step FROM totp WHERE account = ?1";
            let kept = change.query_row(sql, [name], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?))
            });
            let Some((bytes, last)) = kept.optional()? else { return Ok(false) };
            let seconds = now.micros().div_euclid(1_000_000);
            let Some(step) = totp::step_of(&bytes, code, seconds, last) else { return Ok(false) };
            change.execute("UPDATE totp SET last_step = ?1 WHERE account = ?2", params![step, name])?;
            change.commit()?;
            Ok(true)
        })
    }

    fn remove_totp(&self, name: &str) -> Result<(), GuardError> {
        self.lock().execute("DELETE FROM totp WHERE account = ?1", [name])?;
        Ok(())
    }

    fn put_recovery(&self, name: &str, keys: &[blake3::Hash]) -> Result<(), GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            change.execute("DELETE FROM recovery WHERE account = ?1", [name])?;
            for key in keys {
                let sql = "INSERT INTO recovery (code, account) VALUES (?1, ?2)";
                change.execute(sql, params![key.to_hex().as_str(), name])?;
            }
            Ok(change.commit()?)
        })
    }

    /// Uses a recovery code up: whether it was one.
    pub(super) fn take_recovery(&self, name: &str, key: &blake3::Hash) -> Result<bool, GuardError> {
        let sql = "DELETE FROM recovery WHERE account = ?1 AND code = ?2";
        Ok(self.lock().execute(sql, params![name, key.to_hex().as_str()])? > 0)
    }

    fn reset_factors(&self, name: &str) -> Result<(), GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            for table in ["totp", "recovery", "passkey", "handle"] {
                change.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [name])?;
            }
            Ok(change.commit()?)
        })
    }
}
