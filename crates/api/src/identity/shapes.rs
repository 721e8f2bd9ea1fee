//! The shapes of logging in, of the own account and of everybody's. What a client may send is
//! listed here and nothing else is taken, so that nobody gives themselves a role along the way.

use guard::{AccountFacts, Factors, SessionFacts, Units};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::ReceiveTime;

/// How one can log in here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoginOptions {
    /// Whether browsers know passkeys at this address.
    pub passkeys: bool,
    /// What the site calls its identity provider, where people can sign on too.
    pub provider: Option<String>,
}

/// A log-out that goes on at the identity provider.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoggedOut {
    /// Where the browser goes, to log out there too.
    pub provider: String,
}

/// Whose an account is at the identity provider.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderLink {
    /// The person's unchanging name there (`sub`); the audit log has it of everybody who was refused.
    pub subject: String,
}

/// A login that needs another step.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoginMore {
    /// What may be shown: `totp`, `passkey`, `recovery`; or `enrol-totp`: make a first factor now.
    pub needs: Vec<String>,
}

/// A code that somebody typed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits of an authenticator app, or a recovery code.
    pub code: String,
}

/// What a browser made of a passkey's ceremony.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// The credential, as its `toJSON` gives it (WebAuthn level 3).
    #[schema(value_type = Object)]
    pub credential: serde_json::Value,
    /// For a new one: what its owner calls it.
    #[serde(default)]
    pub name: String,
}

/// Options of a passkey's ceremony.
#[derive(Clone, Serialize, ToSchema)]
pub struct PasskeyOptions {
    /// For `PublicKeyCredential.parse…OptionsFromJSON`.
    #[serde(rename = "publicKey")]
    #[schema(value_type = Object)]
    pub public_key: Box<serde_json::value::RawValue>,
}

/// A new authenticator app, shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct TotpBegun {
    /// The secret, to type where no camera is.
    pub secret: String,
    /// The same as an `otpauth` URI.
    pub uri: String,
    /// The same as a QR code: an SVG image.
    pub qr: String,
}

/// Recovery codes, shown once; none when those before stay good.
#[derive(Clone, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each opens once, in place of the app.
    pub recovery_codes: Vec<String>,
}

/// A login that made the first second factor.
#[derive(Clone, Serialize, ToSchema)]
pub struct LoggedInEnrolled {
    /// Who.
    pub session: crate::dto::Session,
    /// Each opens once, in place of the app.
    pub recovery_codes: Vec<String>,
}

/// A change of the own password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one that holds.
    pub present: String,
    /// The one that is to hold: at least 12 characters.
    pub next: String,
}

/// The own account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnAccount {
    /// Account name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Units whose patients it works with; none: the whole house.
    pub units: Option<Vec<String>>,
    /// Whether the site's identity provider vouches for it, in place of a password here.
    pub provided: bool,
    /// Whether an authenticator app is enrolled.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// Recovery codes that are left.
    pub recovery_codes_left: usize,
    /// Whether the role must have a second factor.
    pub second_factor_required: bool,
    /// Whether browsers know passkeys at this address.
    pub passkeys_here: bool,
}

/// A passkey of the own account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PasskeyView {
    /// Names it.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub added_ms: i64,
    /// When it last logged in.
    pub used_ms: i64,
}

/// A session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// Names it; opens nothing.
    pub id: String,
    /// Whether it is the one that asks.
    pub own: bool,
    /// When it began.
    pub began_ms: i64,
    /// When it was last used, to a minute.
    pub used_ms: i64,
    /// From which address.
    pub address: Option<String>,
    /// What the browser called itself.
    pub agent: String,
    /// How it was begun: `password`, `totp`, `passkey`, `recovery`, `provider`, `provider-mfa`, `provider-totp`.
    pub means: String,
    /// Whether it is bound to an encrypted connection.
    pub encrypted: bool,
}

/// An account, for whoever manages users.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// Account name.
    pub name: String,
    /// Role.
    pub role: String,
    /// `person` or `service`.
    pub kind: String,
    /// Units whose patients it works with; none: the whole house.
    pub units: Option<Vec<String>>,
    /// For a patient's own account: who that is.
    pub patient: Option<String>,
    /// Whether it is kept out.
    pub disabled: bool,
    /// Whether the site's identity provider vouches for it.
    pub provided: bool,
    /// When it was added, where that is known.
    pub added_ms: Option<i64>,
    /// Last login, or last use of its token.
    pub used_ms: Option<i64>,
    /// When its token ends.
    pub expires_ms: Option<i64>,
    /// Whether it has an authenticator app.
    pub totp: bool,
    /// How many passkeys it has.
    pub passkeys: usize,
    /// How many sessions it has.
    pub sessions: usize,
}

/// A new account.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Account name: 1 to 64 of A-Z a-z 0-9 . _ - @.
    pub name: String,
    /// Role.
    pub role: String,
    /// For a person: at least 12 characters. Without one it is a program, which gets a token.
    pub password: Option<String>,
    /// Units whose patients it works with; none or empty: the whole house.
    #[serde(default)]
    pub units: Vec<String>,
    /// For role `patient`: whose own account it is.
    pub patient: Option<String>,
    /// For a program: days until its token ends; none: it does not.
    pub expires_days: Option<u32>,
}

/// A new account as it is now, with a program's token, shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct AddedUser {
    /// The account.
    pub user: UserView,
    /// A program's token.
    pub token: Option<String>,
}

/// What changes about an account; what is not named stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another role: all its sessions end.
    pub role: Option<String>,
    /// Other units; empty: the whole house. Hold from the next request on.
    pub units: Option<Vec<String>>,
    /// For role `patient`: whose own account it is.
    pub patient: Option<String>,
    /// Keep it out, or let it in again: all its sessions end.
    pub disabled: Option<bool>,
}

/// Another password for somebody.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// At least 12 characters; all their sessions end.
    pub password: String,
}

/// Another token for a program.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Days until it ends; none: it does not.
    pub expires_days: Option<u32>,
}

/// A program's token, shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct Token {
    /// Begins with `vw_`.
    pub token: String,
}

fn ms(time: ReceiveTime) -> i64 {
    time.millis()
}

/// Units as clients see them.
pub(super) fn units(units: &Units) -> Option<Vec<String>> {
    match units {
        Units::All => None,
        Units::Of(names) => Some(names.iter().cloned().collect()),
    }
}

impl From<&AccountFacts> for UserView {
    fn from(facts: &AccountFacts) -> Self {
        let account = &facts.account;
        Self {
            name: account.name.clone(),
            role: account.role.name().to_owned(),
            kind: account.kind.name().to_owned(),
            units: units(&account.units),
            patient: account.patient.as_ref().map(ToString::to_string),
            disabled: facts.disabled,
            provided: facts.provided,
            added_ms: facts.added.map(ms),
            used_ms: facts.used.map(ms),
            expires_ms: facts.expires.map(ms),
            totp: facts.totp,
            passkeys: facts.passkeys,
            sessions: facts.sessions,
        }
    }
}

/// The passkeys of an account.
pub(super) fn passkeys(factors: &Factors) -> Vec<PasskeyView> {
    let view = |passkey: &guard::Passkey| PasskeyView {
        id: passkey.id.clone(),
        name: passkey.name.clone(),
        added_ms: ms(passkey.added),
        used_ms: ms(passkey.used),
    };
    factors.passkeys.iter().map(view).collect()
}

/// A session; `own` is the id of the one that asks.
pub(super) fn session(facts: SessionFacts, own: &str) -> SessionView {
    SessionView {
        own: facts.id == own,
        id: facts.id,
        began_ms: ms(facts.began),
        used_ms: ms(facts.used),
        address: facts.address.map(|address| address.to_string()),
        agent: facts.agent,
        means: facts.means.name().to_owned(),
        encrypted: facts.encrypted,
    }
}
