//! What people prove themselves with beside a password: second factors, passkeys, the site's
//! provider; and the sessions that this gives them.
//!
//! What is absent: HTTP. Ceremonies take and give the JSON that browsers understand; cookies,
//! pages and calls to the provider are the API's.

mod account_facts;
mod factors;
mod half;
mod known;
mod passkeys;
mod provider;
mod sessions;
mod steps;
mod totp;

pub use account_facts::{AccountFacts, Change};
pub use factors::{Factors, TotpEnrolment};
pub use half::Factor;
pub use passkeys::{Passkey, Site};
pub use provider::{Became, ProviderError, ProviderPerson, ProviderRefusal};
pub(crate) use sessions::session_id;
pub use sessions::{Means, Session, SessionFacts};
pub use steps::{Entrance, Step};

pub(crate) use factors::PendingTotp;
pub(crate) use half::Halves;
pub(crate) use passkeys::Ceremonies;

/// The tables of this part.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS totp (
    account TEXT PRIMARY KEY COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    secret BLOB NOT NULL,
    last_step INTEGER NOT NULL -- of the last code that was taken: it and those before are used up
) STRICT;
CREATE TABLE IF NOT EXISTS recovery (
    code TEXT PRIMARY KEY, -- fingerprint
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS recovery_of ON recovery (account);
CREATE TABLE IF NOT EXISTS handle (
    account TEXT PRIMARY KEY COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    handle BLOB NOT NULL UNIQUE -- what authenticators know the account by: random
) STRICT;
CREATE TABLE IF NOT EXISTS passkey (
    id BLOB PRIMARY KEY,
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key BLOB NOT NULL, -- public, with what never changes
    state BLOB NOT NULL, -- counter and flags
    transports INTEGER NOT NULL,
    added_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS passkey_of ON passkey (account);
CREATE TABLE IF NOT EXISTS known_address (
    address TEXT PRIMARY KEY,
    used_us INTEGER NOT NULL -- when somebody last logged in from there
) STRICT;
";

/// How people log in at this site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginRules {
    /// Roles that must show a second factor (or a passkey, which is two in one).
    pub second_factor: std::collections::BTreeSet<vitals::Role>,
    /// Scheme, host and port under which browsers know the pages, where that is configured.
    pub origin: Option<String>,
}
