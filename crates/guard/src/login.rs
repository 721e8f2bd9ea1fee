//! Service tokens, and the very first administrator. How people come in is in `identity`.

use vitals::{ReceiveTime, Role};

use crate::account::check_name;
use crate::{Account, Guard, GuardError, Kind, password, secret};

impl Guard {
    /// Which service has this token (`vw_…`), if the token has not ended. Notes its use, to a
    /// minute.
    #[must_use]
    pub fn bearer(&self, token: &str, now: ReceiveTime) -> Option<Account> {
        let Some(people) = &self.inner.people else {
            return Some(Account::trial());
        };
        if !token.starts_with(secret::SERVICE_PREFIX) {
            return None;
        }
        Self::or_none(people.database.service(&secret::fingerprint(token.as_bytes()), now))
    }

    /// What names a token in the audit log: the beginning of its fingerprint, of no use to take it
    /// over.
    #[must_use]
    pub fn credential_id(token: &str) -> String {
        crate::identity::session_id(&secret::fingerprint(token.as_bytes()))
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
        Self::or_none(made)
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
