//! Signing on at the site's identity provider: what is configured, what waits for somebody to come
//! back, and the conversation with the provider. Routes are in `identity`; which account it
//! becomes is `guard`'s.

mod ask;
mod pending;
mod person;

use std::time::Duration;

use oauth::sign_on::Provider;
use outgoing::{Address, Client};
use parking_lot::Mutex;
use vitals::Role;

pub(crate) use ask::AskError;
pub(crate) use pending::{Waiting, fingerprint};
pub(crate) use person::person;

/// How long the provider's word on itself is taken without asking again, in microseconds.
const KNOWN_FOR: i64 = vitals::time::HOUR;
/// After a failure it is asked again no sooner than this, in microseconds.
const ASK_EVERY: i64 = 10 * vitals::time::SECOND;
/// How long the provider may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who of a group is what here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// As the provider calls it.
    pub group: String,
    /// The role.
    pub role: Role,
    /// Their units; empty: the whole house.
    pub units: Vec<String>,
}

/// How people sign on elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SignOnSettings {
    /// The provider, as it calls itself.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// How we prove it; none: by PKCE alone.
    pub client_secret: Option<String>,
    /// What we ask to know, beside `openid`.
    pub scopes: Vec<String>,
    /// What the button says: "Sign in with …".
    pub label: String,
    /// The claim that names a person.
    pub name_claim: String,
    /// The claim that lists their groups.
    pub groups_claim: String,
    /// What groups are here; the first that fits decides on the role.
    pub groups: Vec<Group>,
    /// Values of `amr` or `acr` that count as a second factor.
    pub second_factor: Vec<String>,
    /// Whether accounts are made for people who have none.
    pub new_people: bool,
    /// The claim that names an account here, and is trusted to; none: nobody is linked by a claim.
    pub link_claim: Option<String>,
}

impl std::fmt::Debug for SignOnSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignOnSettings({} at {})", self.client_id, self.issuer)
    }
}

/// The site's identity provider.
#[derive(Debug)]
pub struct SignOn {
    pub(crate) settings: SignOnSettings,
    client: Client,
    document: Address,
    known: tokio::sync::Mutex<Known>,
    /// The provider's address for logging out there, once it is known.
    end_session: Mutex<Option<String>>,
    waiting: Mutex<pending::Pending>,
}

#[derive(Debug, Default)]
struct Known {
    provider: Option<(Provider, i64)>,
    failed: Option<i64>,
}

impl SignOn {
    /// A provider that is asked by this client.
    ///
    /// # Errors
    /// What is wrong with the issuer's address.
    pub fn new(settings: SignOnSettings, client: Client) -> Result<Self, String> {
        let base = settings.issuer.trim_end_matches('/');
        let document = Address::parse(&format!("{base}/.well-known/openid-configuration"));
        let document = document.map_err(|error| error.to_string())?;
        if !document.is_encrypted() && !document.is_loopback() {
            return Err("a provider is at an https address, or on this very machine".to_owned());
        }
        Ok(Self {
            settings,
            client,
            document,
            known: tokio::sync::Mutex::default(),
            end_session: Mutex::default(),
            waiting: Mutex::default(),
        })
    }

    /// Keeps what has to come back.
    pub(crate) fn wait(&self, state: &str, waiting: Waiting) {
        self.waiting.lock().put(state, waiting);
    }

    /// What waits for this state, once.
    pub(crate) fn take(&self, state: &str, now: i64) -> Option<Waiting> {
        self.waiting.lock().take(state, now)
    }

    /// Where a browser goes to log out at the provider too, if it offers that.
    pub(crate) fn log_out(&self, back: &str) -> Option<String> {
        let address = self.end_session.lock().clone()?;
        let parameters =
            [("client_id", self.settings.client_id.as_str()), ("post_logout_redirect_uri", back)];
        Some(oauth::form::with_parameters(&address, &parameters))
    }
}
