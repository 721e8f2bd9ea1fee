//! Accounts as an administrator sees and changes them, and as their owner changes their own.
//! Whoever calls these has asked the policy and writes the audit record.

use rusqlite::params;
use vitals::{PatientId, ReceiveTime, Role};

use crate::account::check_units;
use crate::database::{Database, IMMEDIATE, account, has_administrator, units_text};
use crate::{Account, Guard, GuardError, Kind, LoginError, Units, password, secret};

/// An account with what an administrator wants to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Who.
    pub account: Account,
    /// Whether it is kept out.
    pub disabled: bool,
    /// Whether the site's identity provider vouches for it, in place of a password.
    pub provided: bool,
    /// When it was added; none: before this was kept.
    pub added: Option<ReceiveTime>,
    /// Last login, or last use of its token.
    pub used: Option<ReceiveTime>,
    /// When a service's token ends.
    pub expires: Option<ReceiveTime>,
    /// Whether it has an authenticator app.
    pub totp: bool,
    /// How many passkeys it has.
    pub passkeys: usize,
    /// How many sessions are open, or were not looked for since they ended.
    pub sessions: usize,
}

/// What changes about an account; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Another role: all sessions end.
    pub role: Option<Role>,
    /// Other units: hold from the next request on.
    pub units: Option<Units>,
    /// Another patient of whom it is the own account; the inner none takes it away.
    pub patient: Option<Option<PatientId>>,
    /// Kept out, or let in again: all sessions end.
    pub disabled: Option<bool>,
}

impl Guard {
    /// Every account, by name, with what an administrator wants to know.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn account_facts(&self) -> Result<Vec<AccountFacts>, GuardError> {
        self.people()?.database.account_facts()
    }

    /// One account of that name, with what an administrator wants to know.
    ///
    /// # Errors
    /// [`GuardError::Unknown`].
    pub fn account_fact(&self, name: &str) -> Result<AccountFacts, GuardError> {
        let facts = self.account_facts()?;
        let found = facts.into_iter().find(|facts| facts.account.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| GuardError::Unknown(name.to_owned()))
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`GuardError::Unknown`]; [`GuardError::BadUnit`]; [`GuardError::Provided`] for role and
    /// units of whom the provider vouches for; [`GuardError::LastAdministrator`].
    pub fn change_account(&self, name: &str, change: &Change) -> Result<Account, GuardError> {
        let people = self.people()?;
        if let Some(units) = &change.units {
            check_units(units)?;
        }
        let account = people.database.change_account(name, change)?;
        people.database.changed();
        Ok(account)
    }

    /// Gives a person another password, who knows the present one; all their sessions end but
    /// the one named.
    ///
    /// # Errors
    /// [`LoginError::Refused`] when the present one is wrong; [`GuardError::WeakPassword`].
    pub fn change_own_password(
        &self,
        name: &str,
        present: &str,
        next: &str,
        session: &str,
        address: Option<std::net::IpAddr>,
        now: ReceiveTime,
    ) -> Result<(), LoginError> {
        let people = self.people()?;
        // Whoever found a screen open guesses no faster than at the door.
        let entrance = crate::Entrance { address, ..crate::Entrance::default() };
        let keys = people.begin_attempt("password", name, &entrance, now)?;
        let known = people.database.person(name)?;
        let kept = known.as_ref().map(|(_, hash)| hash.as_str());
        if !people.verifier.verify(kept, present)? {
            return Err(LoginError::Refused);
        }
        people.attempts.lock().succeeded(&keys);
        password::check_new(name, next)?;
        Ok(people.database.set_password(name, &password::hash(next)?, session)?)
    }

    /// Adds a service whose token ends, and returns the token, to be shown once.
    ///
    /// # Errors
    /// As [`Guard::add_service`].
    pub fn add_service_until(
        &self,
        account: &Account,
        expires: Option<ReceiveTime>,
        now: ReceiveTime,
    ) -> Result<String, GuardError> {
        let token = self.add_service(account)?;
        self.people()?.database.note_service(&account.name, expires, now)?;
        Ok(token)
    }

    /// Gives a service another token in place of the one it has, which ends at once.
    ///
    /// # Errors
    /// [`GuardError::Unknown`], also for a person.
    pub fn rotate_token(
        &self,
        name: &str,
        expires: Option<ReceiveTime>,
    ) -> Result<String, GuardError> {
        let people = self.people()?;
        let token = format!("{}{}", secret::SERVICE_PREFIX, secret::token()?);
        let key = secret::fingerprint(token.as_bytes());
        people.database.rotate_service(name, &key, expires)?;
        people.database.changed();
        Ok(token)
    }
}

/// A time that 0 stands for none in.
fn time(micros: i64) -> Option<ReceiveTime> {
    (micros != 0).then_some(ReceiveTime(micros))
}

impl Database {
    /// The person of that name who may come in, whatever opens for them.
    pub(super) fn person_named(&self, name: &str) -> Result<Option<Account>, GuardError> {
        self.named(name, Kind::Person)
    }

    fn account_facts(&self) -> Result<Vec<AccountFacts>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare(
            "SELECT name, kind, role, units, patient, disabled <> 0, provider IS NOT NULL,
             added_us, used_us, expires_us,
             EXISTS (SELECT 1 FROM totp WHERE totp.account = name),
             (SELECT count(*) FROM passkey WHERE passkey.account = account.name),
             (SELECT count(*) FROM session WHERE session.account = account.name)
             FROM account ORDER BY name",
        )?;
        let rows = query.query_map([], |row| {
            let count = |value: i64| usize::try_from(value).unwrap_or(0);
            Ok(AccountFacts {
                account: account(row)?,
                disabled: row.get(5)?,
                provided: row.get(6)?,
                added: time(row.get(7)?),
                used: time(row.get(8)?),
                expires: row.get::<_, Option<i64>>(9)?.map(ReceiveTime),
                totp: row.get(10)?,
                passkeys: count(row.get(11)?),
                sessions: count(row.get(12)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn change_account(&self, name: &str, wanted: &Change) -> Result<Account, GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let had = has_administrator(&change)?;
            let provided = "SELECT provider IS NOT NULL FROM account WHERE name = ?1";
            let provided: bool = change.query_row(provided, [name], |row| row.get(0)).map_err(
                |error| match error {
                    rusqlite::Error::QueryReturnedNoRows => GuardError::Unknown(name.to_owned()),
                    error => error.into(),
                },
            )?;
            if provided && (wanted.role.is_some() || wanted.units.is_some()) {
                return Err(GuardError::Provided);
            }
            if let Some(role) = wanted.role {
                let sql = "UPDATE account SET role = ?1 WHERE name = ?2";
                change.execute(sql, params![role.name(), name])?;
            }
            if let Some(units) = &wanted.units {
                let sql = "UPDATE account SET units = ?1 WHERE name = ?2";
                change.execute(sql, params![units_text(units), name])?;
            }
            if let Some(patient) = &wanted.patient {
                let patient = patient.as_ref().map(PatientId::as_str);
                change.execute("UPDATE account SET patient = ?1 WHERE name = ?2", params![patient, name])?;
            }
            if let Some(disabled) = wanted.disabled {
                let sql = "UPDATE account SET disabled = ?1 WHERE name = ?2";
                change.execute(sql, params![disabled, name])?;
            }
            if wanted.role.is_some() || wanted.disabled.is_some() {
                change.execute("DELETE FROM session WHERE account = ?1 COLLATE NOCASE", [name])?;
            }
            if had && !has_administrator(&change)? {
                return Err(GuardError::LastAdministrator);
            }
            let sql = "SELECT name, kind, role, units, patient FROM account WHERE name = ?1";
            let account = change.query_row(sql, [name], account)?;
            change.commit()?;
            Ok(account)
        })
    }

    fn note_service(
        &self,
        name: &str,
        expires: Option<ReceiveTime>,
        now: ReceiveTime,
    ) -> Result<(), GuardError> {
        let sql = "UPDATE account SET expires_us = ?1, added_us = ?2 WHERE name = ?3";
        self.lock().execute(sql, params![expires.map(|at| at.micros()), now.micros(), name])?;
        Ok(())
    }

    fn rotate_service(
        &self,
        name: &str,
        key: &blake3::Hash,
        expires: Option<ReceiveTime>,
    ) -> Result<(), GuardError> {
        let sql = "UPDATE account SET secret = ?1, expires_us = ?2 WHERE name = ?3 AND kind = ?4";
        let key = key.to_hex();
        let values = params![
            key.as_str(), expires.map(|at| at.micros()), name, Kind::Service.name()
        ];
        match self.lock().execute(sql, values)? {
            0 => Err(GuardError::Unknown(name.to_owned())),
            _ => Ok(()),
        }
    }
}
