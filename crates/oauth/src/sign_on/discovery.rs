//! What an OpenID provider says of itself (OpenID Connect Discovery 1.0 § 3).

use serde::Deserialize;

use crate::uri;

/// Where a provider is asked for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Who it is.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization: String,
    /// Where codes become tokens.
    pub token: String,
    /// Where its public keys are.
    pub jwks: String,
    /// Where it tells more of a person.
    pub userinfo: Option<String>,
    /// Where browsers are sent to log out there too (OpenID Connect RP-Initiated Logout 1.0).
    pub end_session: Option<String>,
    /// It takes our secret in the body alone (`client_secret_post`).
    pub secret_in_body: bool,
    /// It names itself in each answer (RFC 9207), so an answer without a name is not its.
    pub names_itself: bool,
}

/// Why a provider can't be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No document of this kind.
    #[error("the document at /.well-known/openid-configuration can't be read")]
    Unreadable,
    /// Another's document.
    #[error("the document names another issuer: write the issuer exactly as it does")]
    Issuer,
    /// An address that is not safe to use.
    #[error("an address in it is not https")]
    Address,
    /// No code flow, or no PKCE by S256.
    #[error("the provider knows no code flow with PKCE by S256")]
    Flow,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// Reads the document of the provider that calls itself `issuer`.
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub fn read(document: &[u8], issuer: &str) -> Result<Self, DiscoveryError> {
        let found: Document =
            serde_json::from_slice(document).map_err(|_| DiscoveryError::Unreadable)?;
        if found.issuer != issuer {
            return Err(DiscoveryError::Issuer);
        }
        // A provider on this machine may do without TLS, and then all of it is on this machine.
        let safe = |address: &String| match issuer.starts_with("https://") {
            true => uri::check_encrypted(address).is_ok(),
            false => uri::check_web(address).is_ok(),
        };
        let needed = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        let offered = [&found.userinfo_endpoint, &found.end_session_endpoint];
        if !needed.into_iter().chain(offered.into_iter().flatten()).all(safe) {
            return Err(DiscoveryError::Address);
        }
        // What is not listed may still be known: old providers list little.
        let has = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|one| one == wanted))
        };
        if !has(&found.response_types_supported, "code") || !has(&found.code_challenge_methods_supported, "S256") {
            return Err(DiscoveryError::Flow);
        }
        let methods = &found.token_endpoint_auth_methods_supported;
        Ok(Self {
            secret_in_body: !has(methods, "client_secret_basic") && has(methods, "client_secret_post"),
            names_itself: found.authorization_response_iss_parameter_supported,
            issuer: found.issuer,
            authorization: found.authorization_endpoint,
            token: found.token_endpoint,
            jwks: found.jwks_uri,
            userinfo: found.userinfo_endpoint,
            end_session: found.end_session_endpoint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_provider_is_who_it_is_expected_to_be_and_safe_to_ask() {
        let issuer = "https://id.example";
        let good = json!({
            "issuer": issuer, "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token", "jwks_uri": "https://keys.example/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256", "plain"],
        });
        let read = |document: &serde_json::Value| Provider::read(document.to_string().as_bytes(), issuer);
        assert!(read(&good).is_ok_and(|found| found.secret_in_body && found.end_session.is_none()));
        for (name, value, error) in [
            ("issuer", json!("https://id.example/"), DiscoveryError::Issuer),
            ("token_endpoint", json!("http://id.example/token"), DiscoveryError::Address),
            ("token_endpoint", json!("http://localhost/token"), DiscoveryError::Address),
            ("userinfo_endpoint", json!("ftp://id.example/"), DiscoveryError::Address),
            ("jwks_uri", json!(null), DiscoveryError::Unreadable),
            ("code_challenge_methods_supported", json!(["plain"]), DiscoveryError::Flow),
            ("response_types_supported", json!(["id_token"]), DiscoveryError::Flow),
        ] {
            let mut changed = good.clone();
            changed[name] = value;
            assert_eq!(read(&changed), Err(error), "{name}");
        }
    }
}
