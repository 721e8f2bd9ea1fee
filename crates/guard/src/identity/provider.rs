//! People whom the site's identity provider vouches for (OpenID Connect): their accounts are made
//! at their first login and follow what the provider says of them. The conversation with the
//! provider is the API's.

use rusqlite::{OptionalExtension, params};
use vitals::{ReceiveTime, Role};

use super::{Entrance, Means, Step};
use crate::account::{check_name, check_units};
use crate::database::{Database, IMMEDIATE, account, has_administrator, units_text};
use crate::{Account, Guard, GuardError, Kind, LoginError, Units};

/// What the provider says of somebody who logged in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPerson {
    /// Issuer and subject, as one text: what never changes about the person.
    pub subject: String,
    /// What they are called there; becomes the account's name if it is free.
    pub name: String,
    /// Their role here; none when the provider gives them none.
    pub role: Option<Role>,
    /// Their units here.
    pub units: Units,
    /// Whether the provider says that it asked for more than one factor.
    pub strong: bool,
}

impl Guard {
    /// Logs somebody in whom the provider vouches for. An account is made at the first login; its
    /// role and units are what the provider says today. Without a role the account is disabled,
    /// and its sessions end.
    ///
    /// # Errors
    /// [`LoginError::Refused`] without a role, or when an administrator disabled the account;
    /// [`GuardError::BadName`], [`GuardError::BadUnit`], [`GuardError::Exists`] when the account
    /// can't be made; [`GuardError::LastAdministrator`].
    pub fn login_provider(
        &self,
        person: &ProviderPerson,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<Step, LoginError> {
        let people = self.people()?;
        check_units(&person.units)?;
        let known = people.database.provided(&person.subject)?;
        let Some(role) = person.role else {
            if let Some((name, _)) = known {
                people.database.withdraw(&name)?;
                people.database.changed();
            }
            return Err(LoginError::Refused);
        };
        let account = match known {
            // Withdrawn by the provider comes back with it; disabled here stays so.
            Some((_, Standing::Disabled)) => return Err(LoginError::Refused),
            Some((name, _)) => {
                let units = person.units.clone();
                people.database.follow(&Account { units, ..Account::new(&name, role, Kind::Person) })?
            }
            None => {
                check_name(&person.name)?;
                let account = Account {
                    units: person.units.clone(),
                    ..Account::new(&person.name, role, Kind::Person)
                };
                people.database.add_provided(&account, &person.subject, now)?;
                account
            }
        };
        people.database.changed();
        let means = if person.strong { Means::ProviderStrong } else { Means::Provider };
        people.after_first(account, means, entrance, now)
    }

    /// The account of a person whom the provider knows, if there is one: for the audit.
    #[must_use]
    pub fn provider_name(&self, subject: &str) -> Option<String> {
        let people = self.inner.people.as_ref()?;
        Self::or_none(people.database.provided(subject)).map(|(name, _)| name)
    }
}

/// Whether an account may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    /// By an administrator.
    Disabled,
    /// Because the provider gives it no role any more.
    Withdrawn,
}

impl Database {
    /// The account of a subject, and whether it may come in.
    fn provided(&self, subject: &str) -> Result<Option<(String, Standing)>, GuardError> {
        let sql = "SELECT name, disabled FROM account WHERE provider = ?1";
        let found = self.lock().query_row(sql, [subject], |row| {
            let standing = match row.get::<_, i64>(1)? {
                0 => Standing::Active,
                2 => Standing::Withdrawn,
                _ => Standing::Disabled,
            };
            Ok((row.get::<_, String>(0)?, standing))
        });
        Ok(found.optional()?)
    }

    fn add_provided(&self, new: &Account, subject: &str, now: ReceiveTime) -> Result<(), GuardError> {
        let sql = "INSERT INTO account
                   (name, kind, role, secret, units, provider, added_us)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING";
        // No text is the Argon2id hash of a password that this could be.
        let none = format!("provider {}", blake3::hash(subject.as_bytes()).to_hex());
        let values = params![
            new.name, new.kind.name(), new.role.name(), none, units_text(&new.units), subject,
            now.micros()
        ];
        match self.lock().execute(sql, values)? {
            0 => Err(GuardError::Exists(new.name.clone())),
            _ => Ok(()),
        }
    }

    /// Gives an account the role and units that the provider says; a role that changed ends its
    /// sessions.
    fn follow(&self, said: &Account) -> Result<Account, GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let had = has_administrator(&change)?;
            let role = "SELECT role FROM account WHERE name = ?1";
            let before: String = change.query_row(role, [&said.name], |row| row.get(0))?;
            change.execute(
                "UPDATE account SET role = ?1, units = ?2, disabled = 0 WHERE name = ?3",
                params![said.role.name(), units_text(&said.units), said.name],
            )?;
            if before != said.role.name() {
                change.execute("DELETE FROM session WHERE account = ?1", [&said.name])?;
            }
            if had && !has_administrator(&change)? {
                return Err(GuardError::LastAdministrator);
            }
            let sql = "SELECT name, kind, role, units, patient FROM account WHERE name = ?1";
            let account = change.query_row(sql, [&said.name], account)?;
            change.commit()?;
            Ok(account)
        })
    }

    /// Disables an account to which the provider gives no role any more, and ends its sessions.
    fn withdraw(&self, name: &str) -> Result<(), GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            change.execute("UPDATE account SET disabled = 2 WHERE name = ?1 AND disabled = 0", [name])?;
            change.execute("DELETE FROM session WHERE account = ?1", [name])?;
            Ok(change.commit()?)
        })
    }
}
