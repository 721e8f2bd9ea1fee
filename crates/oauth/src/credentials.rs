//! How a client at the token endpoint says which it is (RFC 6749 § 2.3, RFC 7521 § 4.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::form::Form;
use crate::{Code, OauthError};

/// The one kind of assertion.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client shows.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: a public client.
    Nothing,
    /// Its secret.
    Secret(String),
    /// A JWT signed with its key.
    Assertion(String),
}

impl std::fmt::Debug for Proof {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Secret(_) => "Secret",
            Self::Assertion(_) => "Assertion",
        })
    }
}

/// Which client speaks, and its proof; nothing of it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its id.
    pub client: String,
    /// What it shows.
    pub proof: Proof,
}

impl Credentials {
    /// Finds them in the `Authorization` header and the form: exactly one way (RFC 6749 § 2.3).
    ///
    /// # Errors
    /// `invalid_client` when there are none, `invalid_request` when there are two.
    pub fn read(authorization: Option<&str>, form: &Form) -> Result<Self, OauthError> {
        let named = form.get("client_id");
        if form.get("client_secret").is_some() {
            let detail = "send the client's secret in the Authorization header (client_secret_basic)";
            return Err(OauthError::new(Code::InvalidClient, detail));
        }
        let assertion = form.get("client_assertion");
        let found = match (authorization, assertion) {
            (Some(_), Some(_)) => {
                return Err(OauthError::request("the client proves itself in two ways"));
            }
            (Some(header), None) => basic(header)?,
            (None, Some(assertion)) => {
                if form.get("client_assertion_type") != Some(JWT_BEARER) {
                    return Err(OauthError::request("client_assertion_type is not jwt-bearer"));
                }
                let client = crate::assertion::claimed(assertion)
                    .ok_or(OauthError::new(Code::InvalidClient, "the assertion can't be read"))?;
                Self { client, proof: Proof::Assertion(assertion.to_owned()) }
            }
            (None, None) => {
                let missing = OauthError::new(Code::InvalidClient, "no client_id, and no proof");
                Self { client: named.ok_or(missing)?.to_owned(), proof: Proof::Nothing }
            }
        };
        if named.is_some_and(|named| named != found.client) {
            return Err(OauthError::request("client_id is another than the proof's"));
        }
        Ok(found)
    }
}

/// `Basic`: id and secret, each written as in a form (RFC 6749 § 2.3.1).
fn basic(header: &str) -> Result<Credentials, OauthError> {
    let wrong = OauthError::new(Code::InvalidClient, "the Authorization header is not Basic with id and secret");
    let (scheme, rest) = header.split_once(' ').ok_or(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(wrong);
    }
    let bytes = STANDARD.decode(rest.trim()).map_err(|_| wrong)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong)?;
    let (client, secret) = text.split_once(':').ok_or(wrong)?;
    let plain = |text: &str| {
        let mut pairs = form_urlencoded::parse(text.as_bytes());
        pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    Ok(Credentials { client: plain(client), proof: Proof::Secret(plain(secret)) })
}
