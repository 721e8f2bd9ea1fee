//! Applications that act for people, and backend services (SMART on FHIR): who is registered, what
//! they were given, and the tokens of it.
//!
//! A *grant* is what one person gave one application: scopes, perhaps one patient, until when.
//! Codes, access tokens and refresh tokens belong to a grant and end with it; a grant ends with its
//! person, its application, its session (online), or when a code or refresh token is used twice.
//! Of everything random only a fingerprint is kept.
//!
//! What is absent: HTTP, and what an account may do: a grant never widens that.

mod clients;
mod codes;
mod error;
mod given;
mod keys;
mod launches;
mod tokens;

use oauth::Scopes;
use vitals::time::{HOUR, MINUTE, SECOND};
use vitals::{PatientId, ReceiveTime};

use crate::Account;

pub use clients::Registered;
pub use codes::Redeem;
pub use error::GrantError;
pub use given::{Given, person_id};
pub use launches::{Context, Pending};
pub use tokens::{Found, Tokens};

/// How long a code waits to be redeemed.
pub(crate) const CODE_US: i64 = MINUTE;
/// How long an access token of a person's application lasts.
pub(crate) const ACCESS_US: i64 = 15 * MINUTE;
/// The same of a backend service (SMART App Launch 2.2 § 5: at most five minutes).
pub(crate) const SERVICE_US: i64 = 5 * MINUTE;
/// How long an application may go on without the person (offline).
const OFFLINE_US: i64 = 90 * 24 * HOUR;
/// How long one with the person logged in may (online).
const ONLINE_US: i64 = 12 * HOUR;
/// How long a launch waits for its application.
const LAUNCH_US: i64 = 5 * MINUTE;
/// How long a person may think about it.
const PENDING_US: i64 = 10 * MINUTE;
/// Grants of one person to one application at once; the oldest ends for a new one.
const GRANTS_MAX: i64 = 32;
/// How long one signing key is used.
const KEY_US: i64 = 90 * 24 * HOUR;
/// How long it is shown after that, for what it signed.
const KEY_SHOWN_US: i64 = 24 * HOUR;
/// How long an id token is good for, in seconds.
const ID_TOKEN_S: i64 = 5 * MINUTE / SECOND;

/// The tables of this part.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS oauth_client (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL, -- JSON
    secret TEXT, -- fingerprint
    added_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS oauth_grant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    kind TEXT NOT NULL, -- of the account
    scopes TEXT NOT NULL,
    patient TEXT,
    encounter TEXT,
    session TEXT, -- online: ends with this one
    strong INTEGER NOT NULL, -- whether the person had shown a second factor
    began_us INTEGER NOT NULL,
    ends_us INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS oauth_grant_of ON oauth_grant (account, client);
CREATE TABLE IF NOT EXISTS oauth_code (
    code TEXT PRIMARY KEY, -- fingerprint
    grant_id INTEGER NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    nonce TEXT,
    expires_us INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS oauth_code_of ON oauth_code (grant_id);
CREATE TABLE IF NOT EXISTS oauth_token (
    token TEXT PRIMARY KEY, -- fingerprint
    grant_id INTEGER NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, -- access or refresh
    scopes TEXT NOT NULL,
    made_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0 -- refresh: was exchanged for another
) STRICT;
CREATE INDEX IF NOT EXISTS oauth_token_of ON oauth_token (grant_id);
CREATE INDEX IF NOT EXISTS oauth_token_until ON oauth_token (expires_us);
CREATE TABLE IF NOT EXISTS oauth_launch (
    handle TEXT PRIMARY KEY, -- fingerprint
    client TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    patient TEXT NOT NULL,
    encounter TEXT,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS oauth_pending (
    ticket TEXT PRIMARY KEY, -- fingerprint
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    query TEXT NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS oauth_consent (
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (account, client)
) STRICT;
CREATE TABLE IF NOT EXISTS oauth_proof (
    client TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    jti TEXT NOT NULL, -- fingerprint
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (client, jti)
) STRICT;
CREATE TABLE IF NOT EXISTS oauth_key (
    kid TEXT PRIMARY KEY,
    key BLOB NOT NULL, -- RSA, PKCS #1
    made_us INTEGER NOT NULL
) STRICT;
";

/// What an application was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Names it.
    pub id: i64,
    /// Id of the application.
    pub client: String,
    /// What for: of this token, so perhaps less than was given.
    pub scopes: Scopes,
    /// The one patient that `patient/` scopes speak of.
    pub patient: Option<PatientId>,
    /// Id of that patient's encounter.
    pub encounter: Option<String>,
    /// Whether the person had shown a second factor when they gave it.
    pub strong: bool,
    /// When it was given.
    pub began: ReceiveTime,
}

/// Somebody who gives, and what.
#[derive(Debug, Clone)]
pub struct Giving<'a> {
    /// Who.
    pub account: &'a Account,
    /// The session in which they do, by its id.
    pub session: &'a str,
    /// Whether it was begun with a second factor.
    pub strong: bool,
    /// What the application asked for, judged.
    pub asked: &'a oauth::Authorization,
    /// What of that is given.
    pub scopes: &'a Scopes,
    /// For which patient.
    pub context: Context,
}
