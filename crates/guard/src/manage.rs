//! Adding and removing accounts. Whoever calls these has asked [`Guard::allows`] and writes the
//! audit record: only the caller knows who does it.

use vitals::{ReceiveTime, Role};

use crate::account::{check_name, check_units};
use crate::{Account, Deed, Guard, GuardError, Kind, Outcome, Record, password, secret};

impl Guard {
    /// Adds a person of the whole house.
    ///
    /// # Errors
    /// [`GuardError::BadName`], [`GuardError::WeakPassword`], [`GuardError::Exists`].
    pub fn add_user(&self, name: &str, role: Role, password: &str) -> Result<Account, GuardError> {
        let account = Account::new(name, role, Kind::Person);
        self.add_person(&account, password)?;
        Ok(account)
    }

    /// Adds a person as described: role, units, and for a patient's own account who that is.
    ///
    /// # Errors
    /// As [`Guard::add_user`]; [`GuardError::BadUnit`].
    pub fn add_person(&self, account: &Account, password: &str) -> Result<(), GuardError> {
        let people = self.people()?;
        check_name(&account.name)?;
        check_units(&account.units)?;
        password::check_new(&account.name, password)?;
        people.database.add_account(account, &password::hash(password)?)
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
        people.database.set_password(name, &password::hash(password)?, "")
    }

    /// Adds a service and returns its token (`vw_` and 64 hexadecimal digits), to be shown once.
    ///
    /// # Errors
    /// [`GuardError::BadName`], [`GuardError::Exists`].
    pub fn add_service_token(&self, name: &str, role: Role) -> Result<String, GuardError> {
        self.add_service(&Account::new(name, role, Kind::Service))
    }

    /// [`Guard::add_service_token`] for an account as described.
    ///
    /// # Errors
    /// As [`Guard::add_service_token`]; [`GuardError::BadUnit`].
    pub fn add_service(&self, account: &Account) -> Result<String, GuardError> {
        let people = self.people()?;
        check_name(&account.name)?;
        check_units(&account.units)?;
        let token = format!("{}{}", secret::SERVICE_PREFIX, secret::token()?);
        let key = secret::fingerprint(token.as_bytes()).to_hex();
        people.database.add_account(account, &key)?;
        Ok(token)
    }
}

impl Guard {
    /// Does something on the command line, with its record: written before it is done, and once
    /// more when it fails. Who did it is the operating system's account.
    ///
    /// # Errors
    /// [`GuardError::AuditFailed`], and then it is not done; whatever the deed itself gives.
    pub fn locally<T, E: From<GuardError>>(
        &self,
        action: &'static str,
        detail: &str,
        now: ReceiveTime,
        deed: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let record = |outcome| Record {
            at: now,
            actor: local_name(),
            role: None,
            action: Deed::Named(action),
            route: "command line".to_owned(),
            subject: None,
            outcome,
            detail: detail.to_owned(),
            ..Record::default()
        };
        self.audit_blocking(record(Outcome::Allowed))?;
        let done = deed();
        if done.is_err() {
            self.audit_blocking(record(Outcome::Failed))?;
        }
        done
    }
}

/// Under which name the audit log knows whoever works on the command line: `local-uid-` and the number of the operating system's account.
#[must_use]
pub fn local_name() -> String {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // The folder of our own process belongs to whoever started it.
        if let Ok(own) = std::fs::metadata("/proc/self") {
            return format!("{}uid-{}", crate::account::LOCAL, own.uid());
        }
    }
    format!("{}unknown", crate::account::LOCAL)
}
