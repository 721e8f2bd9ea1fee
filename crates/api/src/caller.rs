//! Who makes a request: the account behind a session, a token or an application, how it proved
//! itself, from which zone of the network, and for what purpose.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use guard::{Account, Asking, Grant, Guard, Purpose};

use crate::access::{encrypted, made_by, source};
use crate::error::ApiError;
use crate::state::Api;
use crate::viewer::Viewer;

/// Name of the session cookie.
pub const COOKIE: &str = "vitalwire-session";
/// Its name over an encrypted connection: browsers take such a cookie from this host alone.
pub const HOST_COOKIE: &str = "__Host-vitalwire-session";

/// The header in which a request may name its purpose of use.
pub const PURPOSE: &str = "x-purpose-of-use";
/// What may stand before its code: the code system as FHIR writes it, and as UDAP and XUA do.
const PURPOSE_SYSTEMS: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v3-ActReason|",
    "urn:oid:2.16.840.1.113883.5.8#",
    "urn:oid:2.16.840.1.113883.5.8|",
];

/// By whom a request is made.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// For a request of an application: what its user gave it. Such a request opens `/fhir` and what
    /// belongs to it, nothing else.
    pub grant: Option<Arc<Grant>>,
    /// Whether it came in with a second factor or a passkey.
    pub strong: bool,
    /// Names the session, or the token that stands in its place.
    pub session: String,
    /// How the account proved itself; empty where nothing was asked.
    pub factor: &'static str,
    /// The zone of the network that it comes from; empty when there are none.
    pub zone: String,
    /// The purpose that the request names, if it does.
    pub purpose: Option<Purpose>,
}

impl Caller {
    /// An account of which it is not known how it came in.
    #[must_use]
    pub fn plainly(account: Account) -> Self {
        let (session, zone) = (String::new(), String::new());
        Self { account, grant: None, strong: false, session, factor: "", zone, purpose: None }
    }

    /// As the policy is asked.
    #[must_use]
    pub fn asking(&self) -> Asking<'_> {
        Asking { account: &self.account, strong: self.strong, zone: &self.zone, purpose: self.purpose }
    }
}

impl std::ops::Deref for Caller {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl Api {
    /// Who asks.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`] when nobody known does.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let found = match self.guard.is_open() {
            true => Caller::plainly(Account::trial()),
            false => self.credentials(headers).ok_or(ApiError::Unauthorised)?,
        };
        let trust = self.guard.trust();
        let zone = trust.zones.at(source(), "http").unwrap_or_default().to_owned();
        let caller = Caller { zone, purpose: purpose(headers)?, ..found };
        made_by(&caller);
        Ok(caller)
    }

    /// Whose session or token a request carries.
    fn credentials(&self, headers: &HeaderMap) -> Option<Caller> {
        let now = self.now();
        let Some(token) = bearer(headers) else {
            let session = self.guard.session_on(session_token(headers)?, encrypted(), now)?;
            let (strong, factor) = (session.strong(), session.means.name());
            return Some(Caller { strong, factor, session: session.id, ..Caller::plainly(session.account) });
        };
        if let Some(account) = self.guard.bearer(token, now) {
            let session = Guard::credential_id(token);
            return Some(Caller { session, factor: "token", ..Caller::plainly(account) });
        }
        let (account, grant) = self.guard.access_token(token, now)?;
        let (strong, session) = (grant.strong, format!("grant-{}", grant.id));
        Some(Caller { grant: Some(grant), strong, session, factor: "token", ..Caller::plainly(account) })
    }

    /// Who asks, to decide about many patients.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`] when nobody known does.
    pub fn viewer(&self, headers: &HeaderMap) -> Result<Viewer, ApiError> {
        Ok(Viewer::new(self, self.caller(headers)?))
    }
}

/// The purpose that a request names: a code of HL7 v3 PurposeOfUse, alone or behind its system.
fn purpose(headers: &HeaderMap) -> Result<Option<Purpose>, ApiError> {
    let Some(value) = headers.get(PURPOSE) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let code = PURPOSE_SYSTEMS.iter().find_map(|system| text.strip_prefix(system)).unwrap_or(text);
    let wrong = || ApiError::bad(format!("{PURPOSE}: a code of HL7 PurposeOfUse, such as TREAT, HOPERAT or HRESCH"));
    Purpose::from_code(code).map(Some).ok_or_else(wrong)
}

pub(crate) fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || session_token(headers).is_some()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The session token that a request carries: over an encrypted connection the one that is bound to
/// this host, which nobody on the network can have put there.
#[must_use]
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    let named = |name: &str| {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|value| value.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    };
    match encrypted() {
        Some(true) => named(HOST_COOKIE),
        Some(false) => named(COOKIE),
        None => named(HOST_COOKIE).or_else(|| named(COOKIE)),
    }
}
