//! An application that may ask for access, as an administrator registered it.

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};

use crate::scope::{Level, Scope, ScopeError, Scopes};
use crate::{assertion, uri};

/// Addresses of one kind that a client may have.
const ADDRESSES_MAX: usize = 16;

/// How an application proves that it is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// It can keep no secret: PKCE alone.
    Public,
    /// A secret (`client_secret_basic`).
    Secret,
    /// Its own key (`private_key_jwt`).
    Key,
}

impl Authentication {
    /// Kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Secret => "secret",
            Self::Key => "key",
        }
    }

    /// The way of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Public, Self::Secret, Self::Key].into_iter().find(|way| way.name() == name)
    }
}

/// An application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// What people see.
    pub name: String,
    /// How it proves itself.
    pub authentication: Authentication,
    /// Where codes may be sent: compared as a whole, character by character.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where the record system opens it (EHR launch).
    #[serde(default)]
    pub launch_url: Option<String>,
    /// Its public keys, a JWK set.
    #[serde(default)]
    pub jwks: Option<JwkSet>,
    /// Where its public keys are.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Scopes that it may have, separated by blanks.
    pub scopes: String,
    /// People are not asked: the house has decided for them.
    #[serde(default)]
    pub trusted: bool,
    /// The service account as which it acts without a person (backend services).
    #[serde(default)]
    pub account: Option<String>,
    /// Further origins from which its pages call.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// Why an application can't be registered so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The id.
    #[error("a client's id has 1 to 64 characters of A-Z a-z 0-9 . _ -")]
    Id,
    /// The name.
    #[error("a client's name has 1 to 80 characters that can be shown")]
    Name,
    /// An address.
    #[error("an address is https, or http on this machine, or (for redirects) of a native application's own scheme with a dot; without fragment and user name; at most 16")]
    Address,
    /// Its scopes.
    #[error("scopes: {0}")]
    Scope(#[from] ScopeError),
    /// Its keys.
    #[error("keys: {0}")]
    Key(#[from] assertion::KeyError),
    /// It proves itself by a key, and has none; or the other way round.
    #[error("a client that proves itself by a key has either keys (a JWK set) or an https address of them; others have none")]
    NoKey,
    /// A backend service that is not one.
    #[error("a backend service proves itself by a key, has system scopes and a service account, and no redirect address; an application of people has redirect addresses, and no system scopes")]
    Backend,
}

impl Client {
    /// Checks an application before it is registered.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn check(&self) -> Result<(), ClientError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if !(1..=64).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            return Err(ClientError::Id);
        }
        let shown = self.name.trim() == self.name && !self.name.chars().any(hidden);
        if !(1..=80).contains(&self.name.chars().count()) || !shown {
            return Err(ClientError::Name);
        }
        if self.redirect_uris.len() > ADDRESSES_MAX || self.origins.len() > ADDRESSES_MAX {
            return Err(ClientError::Address);
        }
        self.redirect_uris.iter().try_for_each(|uri| uri::check_redirect(uri))?;
        self.launch_url.iter().try_for_each(|uri| uri::check_web(uri))?;
        for own in &self.origins {
            uri::check_web(own)?;
            if uri::origin(own).as_deref() != Some(own) {
                return Err(ClientError::Address);
            }
        }
        self.check_keys()?;
        let scopes = Scopes::parse_all(&self.scopes)?;
        let system = scopes.all().iter().filter(|scope| is_system(scope)).count();
        let fits = match self.account {
            Some(_) => {
                self.authentication == Authentication::Key
                    && self.redirect_uris.is_empty()
                    && self.launch_url.is_none()
                    && system == scopes.all().len()
            }
            None => !self.redirect_uris.is_empty() && system == 0,
        };
        if fits && !scopes.is_empty() { Ok(()) } else { Err(ClientError::Backend) }
    }

    fn check_keys(&self) -> Result<(), ClientError> {
        let wants = self.authentication == Authentication::Key;
        match (&self.jwks, &self.jwks_uri) {
            (Some(keys), None) if wants => Ok(assertion::check_keys(keys)?),
            (None, Some(address)) if wants => uri::check_encrypted(address),
            (None, None) if !wants => Ok(()),
            _ => Err(ClientError::NoKey),
        }
    }

    /// What it may have; nothing when that is not understood.
    #[must_use]
    pub fn allowed(&self) -> Scopes {
        Scopes::parse(&self.scopes).unwrap_or_default()
    }

    /// Whether it is a backend service, which acts without a person.
    #[must_use]
    pub const fn is_backend(&self) -> bool {
        self.account.is_some()
    }

    /// Whether its pages call from this origin, as browsers send it.
    #[must_use]
    pub fn calls_from(&self, origin: &str) -> bool {
        let of_redirects = self.redirect_uris.iter().filter_map(|uri| uri::origin(uri));
        self.origins.iter().any(|own| own == origin) || of_redirects.into_iter().any(|own| own == origin)
    }
}

/// Whether a scope is one that no person gives.
fn is_system(scope: &Scope) -> bool {
    matches!(scope, Scope::Resource(scope) if scope.level == Level::System)
}

/// Characters that would make a name look like another on the page that asks for consent.
fn hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
