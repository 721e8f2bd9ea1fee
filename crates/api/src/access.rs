//! Who asks, whether they may, and the record of it: before any answer leaves (SE-1).

use axum::http::{HeaderMap, header};
use guard::{Account, Deed, Outcome, Permission, Record};
use vitals::{Actor, PatientId};

use crate::error::ApiError;
use crate::state::Api;

/// Name of the session cookie.
pub const COOKIE: &str = "vitalwire-session";

impl Api {
    /// Who asks.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`] when nobody known does.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Account, ApiError> {
        if self.guard.is_open() {
            return Ok(Account::trial());
        }
        if let Some(token) = bearer(headers) {
            return self.guard.bearer(token).ok_or(ApiError::Unauthorised);
        }
        session_token(headers)
            .and_then(|token| self.guard.session(token, self.now()))
            .ok_or(ApiError::Unauthorised)
    }

    /// Lets a caller in to do one thing, and keeps a record of that, allowed or not.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`], [`ApiError::Forbidden`]; [`ApiError::Unavailable`] when no
    /// record can be kept: no audit, no access.
    pub async fn enter(
        &self,
        headers: &HeaderMap,
        permission: Permission,
        route: &'static str,
        subject: Option<&PatientId>,
    ) -> Result<Actor, ApiError> {
        let account = self.caller(headers)?;
        let allowed = self.guard.allows(&account, permission);
        let record = Record {
            at: self.now(),
            actor: account.name.clone(),
            role: Some(account.role),
            action: Deed::Permitted(permission),
            route: route.to_owned(),
            subject: subject.cloned(),
            outcome: if allowed { Outcome::Allowed } else { Outcome::Denied },
            detail: String::new(),
        };
        self.guard.audit(record).await.map_err(|error| ApiError::unavailable(&error.to_string()))?;
        if allowed {
            Ok(Actor { name: account.name, role: account.role })
        } else {
            Err(ApiError::Forbidden)
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The session token that a request carries.
#[must_use]
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
