//! What is asked of the token endpoint (RFC 6749 §§ 4.1.3, 4.4.2, 6).

use crate::form::Form;
use crate::scope::{Level, Scope, Scopes};
use crate::{Client, Code, OauthError, pkce};

/// A way to get a token.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// With the code that a person's consent gave.
    Code {
        /// The code.
        code: String,
        /// Where it was sent.
        redirect_uri: String,
        /// What the challenge was made of.
        verifier: String,
    },
    /// With a refresh token.
    Refresh {
        /// The token.
        token: String,
        /// Only these scopes from now on, if any are named.
        scopes: Option<Scopes>,
    },
    /// As a backend service.
    Service {
        /// What for.
        scopes: Scopes,
    },
}

impl std::fmt::Debug for TokenRequest {
    /// Without what is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code",
            Self::Refresh { .. } => "Refresh",
            Self::Service { .. } => "Service",
        })
    }
}

impl TokenRequest {
    /// Reads a request of a client that has proven itself.
    ///
    /// # Errors
    /// [`OauthError`] with the right code.
    pub fn read(form: &Form, client: &Client) -> Result<Self, OauthError> {
        let unauthorised = |detail| Err(OauthError::new(Code::UnauthorizedClient, detail));
        match form.need("grant_type", "grant_type is missing")? {
            "authorization_code" | "refresh_token" if client.is_backend() => {
                unauthorised("this client acts without people: client_credentials")
            }
            "authorization_code" => {
                let verifier = form.need("code_verifier", "code_verifier is missing")?;
                if !pkce::is_verifier(verifier) {
                    return Err(OauthError::request("code_verifier has 43 to 128 unreserved characters"));
                }
                Ok(Self::Code {
                    code: form.need("code", "code is missing")?.to_owned(),
                    redirect_uri: form.need("redirect_uri", "redirect_uri is missing")?.to_owned(),
                    verifier: verifier.to_owned(),
                })
            }
            "refresh_token" => Ok(Self::Refresh {
                token: form.need("refresh_token", "refresh_token is missing")?.to_owned(),
                scopes: form.get("scope").map(parse).transpose()?,
            }),
            "client_credentials" if !client.is_backend() => {
                unauthorised("this client acts for people: authorization_code")
            }
            "client_credentials" => {
                let asked = form.get("scope").map(parse).transpose()?.unwrap_or_default();
                let system = asked.only(|scope| {
                    matches!(scope, Scope::Resource(scope) if scope.level == Level::System)
                });
                let scopes = system.within(&client.allowed());
                if scopes.is_empty() {
                    let detail = "none of these scopes is known here and allowed to this client";
                    return Err(OauthError::new(Code::InvalidScope, detail));
                }
                Ok(Self::Service { scopes })
            }
            _ => Err(OauthError::new(
                Code::UnsupportedGrantType,
                "grant_type is authorization_code, refresh_token or client_credentials",
            )),
        }
    }
}

fn parse(text: &str) -> Result<Scopes, OauthError> {
    Scopes::parse(text).map_err(|_| OauthError::new(Code::InvalidScope, "too many scopes"))
}
