//! Why an application gets nothing.

use oauth::{ClientError, Code, OauthError};

use crate::GuardError;

/// Why an application gets nothing, or can't be registered. No text repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Refused, with what the application is told.
    #[error(transparent)]
    Refused(#[from] OauthError),
    /// It can't be registered so.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is one with this id.
    #[error("an application with the id {0} exists already: choose another, or remove it first")]
    Exists(String),
    /// There is none with this id.
    #[error("no application has the id {0}: list them to see the ids")]
    Unknown(String),
    /// The account of a backend service.
    #[error("{0} is no service account: add it with `vitalwire user token {0}` first")]
    NoService(String),
    /// A key could not be made or used.
    #[error("signing failed: {0}")]
    Signing(String),
    /// The guard itself failed.
    #[error(transparent)]
    Guard(#[from] GuardError),
}

impl GrantError {
    /// `invalid_grant`.
    pub(crate) const fn grant(detail: &'static str) -> Self {
        Self::Refused(OauthError::new(Code::InvalidGrant, detail))
    }

    /// `invalid_client`.
    pub(crate) const fn client(detail: &'static str) -> Self {
        Self::Refused(OauthError::new(Code::InvalidClient, detail))
    }
}

impl From<rusqlite::Error> for GrantError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Guard(error.into())
    }
}
