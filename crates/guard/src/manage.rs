//! Adding and removing accounts. Whoever calls these has asked [`Guard::allows`] and writes the
//! audit record: only the caller knows who does it.

use vitals::Role;

use crate::account::check_name;
use crate::{Account, Guard, GuardError, Kind, password, secret};

impl Guard {
    /// Adds a person.
    ///
    /// # Errors
    /// [`GuardError::BadName`], [`GuardError::WeakPassword`], [`GuardError::Exists`].
    pub fn add_user(&self, name: &str, role: Role, password: &str) -> Result<Account, GuardError> {
        let people = self.people()?;
        check_name(name)?;
        password::check_new(name, password)?;
        let account = Account { name: name.to_owned(), role, kind: Kind::Person };
        people.database.add_account(&account, &password::hash(password)?)?;
        Ok(account)
    }

    /// Removes a person or a service. Their sessions and tokens end at once.
    ///
    /// # Errors
    /// [`GuardError::Unknown`]; [`GuardError::LastAdministrator`].
    pub fn remove_user(&self, name: &str) -> Result<(), GuardError> {
        self.people()?.database.remove_account(name)
    }

    /// Every person and service, by name.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn list_users(&self) -> Result<Vec<Account>, GuardError> {
        self.people()?.database.accounts()
    }

    /// Gives a person another password and ends all their sessions.
    ///
    /// # Errors
    /// [`GuardError::WeakPassword`]; [`GuardError::Unknown`], also for a service.
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), GuardError> {
        let people = self.people()?;
        password::check_new(name, password)?;
        people.database.set_password(name, &password::hash(password)?)
    }

    /// Adds a service and returns its token (`vw_` and 64 hexadecimal digits), to be shown once.
    ///
    /// # Errors
    /// [`GuardError::BadName`], [`GuardError::Exists`].
    pub fn add_service_token(&self, name: &str, role: Role) -> Result<String, GuardError> {
        let people = self.people()?;
        check_name(name)?;
        let token = format!("{}{}", secret::SERVICE_PREFIX, secret::token()?);
        let account = Account { name: name.to_owned(), role, kind: Kind::Service };
        let key = secret::fingerprint(token.as_bytes()).to_hex();
        people.database.add_account(&account, &key)?;
        Ok(token)
    }
}
