//! People whom the site's identity provider vouches for (OpenID Connect): which account is theirs,
//! and that it follows what the provider says of them. The conversation with the provider is the
//! API's.
//!
//! An account that was made here never becomes a provider's by itself: an administrator says that
//! it is somebody's there ([`Guard::link_provider`]), or the site configured a claim by which the
//! provider names accounts here.

use rusqlite::{OptionalExtension, params};
use vitals::{ReceiveTime, Role};

use super::{Entrance, Means, Step};
use crate::account::{check_name, check_units};
use crate::attempts::Keys;
use crate::database::{Database, IMMEDIATE, account, has_administrator, units_text};
use crate::{Account, Guard, GuardError, Kind, LoginError, People, Units, secret};

/// What the provider says of somebody who logged in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPerson {
    /// Issuer and subject, as one text: what never changes about the person.
    pub subject: String,
    /// What they are called there; becomes the account's name if it is free.
    pub name: String,
    /// The account here that a claim names which the site trusts for this; none: no such claim.
    pub linked: Option<String>,
    /// Whether an account may be made for somebody who has none.
    pub may_be_new: bool,
    /// Their role here; none when the provider gives them none.
    pub role: Option<Role>,
    /// Their units here.
    pub units: Units,
    /// Whether the provider says that it asked for more than one factor.
    pub strong: bool,
}

/// How the account of a provider's person came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It was theirs before.
    Known,
    /// It was here, and is theirs from now on.
    Linked,
    /// It was made.
    Made,
}

/// Why the provider's word does not let somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderRefusal {
    /// The provider gives them no role here.
    #[error("the provider gives this person no role here")]
    NoRole,
    /// An administrator keeps the account out.
    #[error("the account is disabled here")]
    Disabled,
    /// No account is theirs, and none is made by itself.
    #[error("no account here is this person's")]
    Unknown,
    /// An account of that name is somebody else's.
    #[error("an account of that name is here already, and not this person's")]
    Taken,
    /// The name or a unit cannot be an account's.
    #[error("the provider's name for this person, or a unit, cannot be an account's")]
    Unfit,
    /// Nobody could administer any more.
    #[error("the last administrator would have another role")]
    LastAdministrator,
}

impl ProviderRefusal {
    /// Kebab-case name, for the audit log and pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRole => "no-role",
            Self::Disabled => "disabled",
            Self::Unknown => "unknown-person",
            Self::Taken => "name-taken",
            Self::Unfit => "name-unfit",
            Self::LastAdministrator => "last-administrator",
        }
    }
}

/// Why nobody was logged in by the provider's word.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Refused, for this reason.
    #[error(transparent)]
    Refused(#[from] ProviderRefusal),
    /// The guard itself failed, or says to go slower.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<GuardError> for ProviderError {
    fn from(error: GuardError) -> Self {
        match error {
            GuardError::Exists(_) => ProviderRefusal::Taken.into(),
            GuardError::BadName | GuardError::BadUnit => ProviderRefusal::Unfit.into(),
            GuardError::LastAdministrator => ProviderRefusal::LastAdministrator.into(),
            error => Self::Login(error.into()),
        }
    }
}

impl Guard {
    /// 256 random bits as 64 hexadecimal digits: for what goes to a provider and has to come back.
    ///
    /// # Errors
    /// [`GuardError::Random`].
    pub fn random_token() -> Result<String, GuardError> {
        secret::token()
    }

    /// Counts that somebody comes back from the provider, as failed until [`Guard::login_provider`]
    /// lets them in: nobody has us ask the provider again and again.
    ///
    /// # Errors
    /// [`LoginError::SlowDown`].
    pub fn begin_provider(&self, entrance: &Entrance, now: ReceiveTime) -> Result<(), LoginError> {
        let people = self.people()?;
        let begun = people.attempts.lock().begin(&provider_keys(entrance), now);
        begun.map_err(|wait_us| LoginError::SlowDown {
            wait_ms: u64::try_from(wait_us).unwrap_or(0).div_ceil(1_000),
        })
    }

    /// Logs somebody in whom the provider vouches for. Role and units are what the provider says
    /// today. Without a role the account is disabled, and its sessions end.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with the reason.
    pub fn login_provider(
        &self,
        person: &ProviderPerson,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<(Step, Became), ProviderError> {
        let people = self.people()?;
        check_units(&person.units)?;
        let known = people.database.provided(&person.subject)?;
        let Some(role) = person.role else {
            if let Some((name, _)) = known {
                people.database.withdraw(&name)?;
                people.database.changed();
            }
            return Err(ProviderRefusal::NoRole.into());
        };
        let said = |name: &str| Account {
            units: person.units.clone(),
            ..Account::new(name, role, Kind::Person)
        };
        let (account, became) = match known {
            // Withdrawn by the provider comes back with it; disabled here stays so.
            Some((_, Standing::Disabled)) => return Err(ProviderRefusal::Disabled.into()),
            Some((name, _)) => (people.database.follow(&said(&name))?, Became::Known),
            None => match people.linkable(person)? {
                Some(name) => {
                    people.database.link(&name, Some(&person.subject))?;
                    (people.database.follow(&said(&name))?, Became::Linked)
                }
                None if !person.may_be_new => return Err(ProviderRefusal::Unknown.into()),
                None => {
                    check_name(&person.name)?;
                    let account = said(&person.name);
                    people.database.add_provided(&account, &person.subject, now)?;
                    (account, Became::Made)
                }
            },
        };
        people.database.changed();
        people.attempts.lock().succeeded(&provider_keys(entrance));
        let means = if person.strong { Means::ProviderStrong } else { Means::Provider };
        Ok((people.after_first(account, means, entrance, now)?, became))
    }

    /// Says that an account is somebody's at the provider (issuer and subject as one text), or
    /// nobody's there any more. Its password opens nothing from then on, and its sessions end.
    ///
    /// # Errors
    /// [`GuardError::Unknown`], also for a program; [`GuardError::Exists`] when another account is
    /// that person's; [`GuardError::BadName`] for a subject that is none;
    /// [`GuardError::LastAdministrator`].
    pub fn link_provider(&self, name: &str, subject: Option<&str>) -> Result<(), GuardError> {
        let people = self.people()?;
        if subject.is_some_and(|subject| subject.len() > 600 || !subject.bytes().all(|b| (b' '..=b'~').contains(&b))) {
            return Err(GuardError::BadName);
        }
        people.database.link(name, subject)?;
        people.database.changed();
        Ok(())
    }

    /// The account of a person whom the provider knows, if there is one: for the audit.
    #[must_use]
    pub fn provider_name(&self, subject: &str) -> Option<String> {
        let people = self.inner.people.as_ref()?;
        Self::or_none(people.database.provided(subject)).map(|(name, _)| name)
    }
}

/// What coming back from the provider counts against: the address alone, for nobody is named yet.
fn provider_keys(entrance: &Entrance) -> Keys {
    Keys::of("provider", "", entrance.address, true)
}

impl People {
    /// The account here that the site's claim names, if it may become this person's.
    fn linkable(&self, person: &ProviderPerson) -> Result<Option<String>, ProviderError> {
        let Some(wanted) = &person.linked else { return Ok(None) };
        match self.database.standing(wanted)? {
            None => Ok(None),
            Some((_, Kind::Person, Standing::Active, false)) => Ok(Some(wanted.clone())),
            Some((_, Kind::Person, Standing::Disabled, _)) => Err(ProviderRefusal::Disabled.into()),
            Some(_) => Err(ProviderRefusal::Taken.into()),
        }
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

impl Standing {
    const fn of(disabled: i64) -> Self {
        match disabled {
            0 => Self::Active,
            2 => Self::Withdrawn,
            _ => Self::Disabled,
        }
    }
}

/// A secret that no text is the Argon2id hash of: no password opens the account.
fn no_password(subject: &str) -> String {
    format!("provider {}", blake3::hash(subject.as_bytes()).to_hex())
}

impl Database {
    /// The account of a subject, and whether it may come in.
    fn provided(&self, subject: &str) -> Result<Option<(String, Standing)>, GuardError> {
        let sql = "SELECT name, disabled FROM account WHERE provider = ?1";
        let found = self.lock().query_row(sql, [subject], |row| {
            Ok((row.get::<_, String>(0)?, Standing::of(row.get(1)?)))
        });
        Ok(found.optional()?)
    }

    /// Whether the account of that name is a provider's person's.
    pub(super) fn is_provided(&self, name: &str) -> Result<bool, GuardError> {
        Ok(self.standing(name)?.is_some_and(|(_, _, _, provided)| provided))
    }

    /// An account by name: what it is, whether it may come in, whether it is a provider's person's.
    fn standing(&self, name: &str) -> Result<Option<(Account, Kind, Standing, bool)>, GuardError> {
        let sql = "SELECT name, kind, role, units, patient, disabled, provider IS NOT NULL
                   FROM account WHERE name = ?1";
        let found = self.lock().query_row(sql, [name], |row| {
            let account = account(row)?;
            Ok((account.clone(), account.kind, Standing::of(row.get(5)?), row.get(6)?))
        });
        Ok(found.optional()?)
    }

    fn add_provided(&self, new: &Account, subject: &str, now: ReceiveTime) -> Result<(), GuardError> {
        let sql = "INSERT INTO account
                   (name, kind, role, secret, units, provider, added_us)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING";
        let values = params![
            new.name, new.kind.name(), new.role.name(), no_password(subject), units_text(&new.units),
            subject, now.micros()
        ];
        match self.lock().execute(sql, values)? {
            0 => Err(GuardError::Exists(new.name.clone())),
            _ => Ok(()),
        }
    }

    /// Makes an account a subject's, or nobody's; ends its sessions.
    fn link(&self, name: &str, subject: Option<&str>) -> Result<(), GuardError> {
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            if let Some(subject) = subject {
                let sql = "SELECT name FROM account WHERE provider = ?1 AND name <> ?2";
                let other = change.query_row(sql, [subject, name], |row| row.get::<_, String>(0));
                if let Some(other) = other.optional()? {
                    return Err(GuardError::Exists(other));
                }
            }
            // Whoever knew the password is not vouched for.
            let none = no_password(subject.unwrap_or_default());
            let sql = "UPDATE account SET provider = ?1, secret = ?2 WHERE name = ?3 AND kind = ?4";
            if change.execute(sql, params![subject, none, name, Kind::Person.name()])? == 0 {
                return Err(GuardError::Unknown(name.to_owned()));
            }
            change.execute("DELETE FROM session WHERE account = ?1 COLLATE NOCASE", [name])?;
            Ok(change.commit()?)
        })
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
                change.execute("DELETE FROM session WHERE account = ?1 COLLATE NOCASE", [&said.name])?;
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
            change.execute("DELETE FROM session WHERE account = ?1 COLLATE NOCASE", [name])?;
            Ok(change.commit()?)
        })
    }
}
