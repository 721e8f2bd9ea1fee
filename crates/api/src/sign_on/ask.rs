//! The conversation with the provider: what it is, a code against an ID token, more of a person.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::JwkSet;
use oauth::form::with_parameters;
use oauth::sign_on::{Claims, DiscoveryError, Expected, IdTokenError, Provider, kid, text, verify};
use outgoing::{Address, Ask, HeaderValue, header};
use serde::Deserialize;
use vitals::ReceiveTime;

use super::{ASK_EVERY, KNOWN_FOR, PATIENCE, SignOn, Waiting};
use crate::outside::Outside;

/// Largest answer of the provider, in bytes: a person can be in many groups.
const ANSWER_MAX: usize = 256 << 10;

/// Why the provider told nothing that can be relied on. Texts hold no token, no code, no person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("{0}")]
    Unreachable(String),
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error("the provider did not take the code: {0}")]
    Code(String),
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    #[error("what the provider says of the person can't be read, or is another's")]
    Person,
}

impl AskError {
    /// Kebab-case name, for the audit log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "provider-unreachable",
            Self::Discovery(_) => "provider-unfit",
            Self::Code(_) => "code-refused",
            Self::IdToken(error) => error.name(),
            Self::Person => "person-unreadable",
        }
    }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: Option<String>,
}

impl SignOn {
    /// The provider, as it describes itself.
    ///
    /// # Errors
    /// [`AskError`].
    pub(crate) async fn provider(&self, now: ReceiveTime) -> Result<Provider, AskError> {
        // Held while asking: those who come meanwhile wait for the one answer.
        let mut known = self.known.lock().await;
        let age = |at: i64| now.micros().saturating_sub(at);
        if let Some((provider, at)) = &known.provider
            && (0..KNOWN_FOR).contains(&age(*at))
        {
            return Ok(provider.clone());
        }
        if known.failed.is_some_and(|at| (0..ASK_EVERY).contains(&age(at))) {
            return Err(AskError::Unreachable("it did not answer a moment ago".to_owned()));
        }
        known.failed = Some(now.micros());
        let (_, body) = self.send(Ask::get(&self.document)).await?;
        let provider = Provider::read(&body, &self.settings.issuer)?;
        self.end_session.lock().clone_from(&provider.end_session);
        *known = super::Known { provider: Some((provider.clone(), now.micros())), failed: None };
        Ok(provider)
    }

    /// Where a browser goes to sign on, with what has to come back.
    pub(crate) fn address(&self, provider: &Provider, state: &str, waiting: &Waiting) -> String {
        let scopes = self.settings.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        let scope = ["openid"].into_iter().chain(scopes).collect::<Vec<_>>().join(" ");
        let challenge = oauth::pkce::challenge(&waiting.verifier);
        with_parameters(&provider.authorization, &[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &waiting.back),
            ("scope", &scope),
            ("state", state),
            ("nonce", &waiting.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
    }

    /// What the provider says of whoever came back with this code.
    ///
    /// # Errors
    /// [`AskError`].
    pub(crate) async fn claims(
        &self,
        outside: &Outside,
        code: &str,
        waiting: &Waiting,
        now: ReceiveTime,
    ) -> Result<Claims, AskError> {
        let provider = self.provider(now).await?;
        let tokens = self.tokens(&provider, code, waiting).await?;
        let keys = self.keys(outside, &provider, kid(&tokens.id_token).as_deref(), now).await?;
        let seconds = now.micros().div_euclid(vitals::time::SECOND);
        let expected = Expected {
            issuer: &provider.issuer,
            client: &self.settings.client_id,
            nonce: &waiting.nonce,
            now: seconds,
        };
        let claims = verify(&tokens.id_token, &keys, &expected)?;
        let missing = [&self.settings.name_claim, &self.settings.groups_claim]
            .into_iter()
            .chain(&self.settings.link_claim)
            .any(|name| oauth::sign_on::texts(&claims, name).is_none());
        match (missing, &provider.userinfo, &tokens.access_token) {
            (true, Some(address), Some(token)) => self.more(address, token, claims).await,
            _ => Ok(claims),
        }
    }

    async fn keys(
        &self,
        outside: &Outside,
        provider: &Provider,
        kid: Option<&str>,
        now: ReceiveTime,
    ) -> Result<Arc<JwkSet>, AskError> {
        let address = self.fit(&provider.jwks)?;
        let keys = outside.keys(&self.client, &address, kid, now).await;
        keys.ok_or_else(|| AskError::Unreachable("its keys could not be had".to_owned()))
    }

    /// A code against tokens (RFC 6749 § 4.1.3).
    async fn tokens(
        &self,
        provider: &Provider,
        code: &str,
        waiting: &Waiting,
    ) -> Result<Tokens, AskError> {
        let (client, secret) = (&self.settings.client_id, self.settings.client_secret.as_deref());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &waiting.back),
            ("code_verifier", &waiting.verifier),
        ];
        let in_header = secret.filter(|_| !provider.secret_in_body);
        if in_header.is_none() {
            form.push(("client_id", client));
            form.extend(secret.map(|secret| ("client_secret", secret)));
        }
        let body = with_parameters("", &form).trim_start_matches('?').to_owned();
        let address = self.fit(&provider.token)?;
        let mut ask = Ask::post(&address, "application/x-www-form-urlencoded", body);
        if let Some(secret) = in_header {
            let basic = STANDARD.encode(format!("{}:{}", escaped(client), escaped(secret)));
            ask = ask.with(header::AUTHORIZATION, hidden(&format!("Basic {basic}"))?);
        }
        let (status, body) = self.send(ask).await?;
        if status != 200 {
            let said: Option<Refused> = serde_json::from_slice(&body).ok();
            let word = said.and_then(|said| said.error).unwrap_or_default();
            // The provider's own code for it, if it is one and not a whole page.
            let plain = word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            return Err(AskError::Code(if plain { format!("{status} {word}") } else { status.to_string() }));
        }
        serde_json::from_slice(&body).map_err(|_| AskError::Code("no ID token in its answer".to_owned()))
    }

    /// What the provider says of the person beside the ID token. What that says stays as it is.
    async fn more(&self, address: &str, token: &str, claims: Claims) -> Result<Claims, AskError> {
        let address = self.fit(address)?;
        let ask = Ask::get(&address).with(header::AUTHORIZATION, hidden(&format!("Bearer {token}"))?);
        let (status, body) = self.send(ask).await?;
        let more: Claims = match status {
            200 => serde_json::from_slice(&body).map_err(|_| AskError::Person)?,
            _ => return Err(AskError::Person),
        };
        // § 5.3.2: another subject is another person.
        if text(&more, "sub") != text(&claims, "sub") {
            return Err(AskError::Person);
        }
        let mut all = more;
        all.extend(claims);
        Ok(all)
    }

    fn fit(&self, address: &str) -> Result<Address, AskError> {
        Address::parse(address).map_err(|_| DiscoveryError::Address.into())
    }

    async fn send(&self, ask: Ask<'_>) -> Result<(u16, bytes::Bytes), AskError> {
        let mut ask = ask.within(PATIENCE).answer_max(ANSWER_MAX);
        // A provider without TLS is on this very machine: looked at when it was configured.
        if !self.document.is_encrypted() {
            ask = ask.plain_too();
        }
        let answer = self.client.send(ask).await;
        let answer = answer.map_err(|error| AskError::Unreachable(error.to_string()))?;
        Ok((answer.status, answer.body))
    }
}

/// As a form writes it: how ids and secrets stand in the header (RFC 6749 § 2.3.1).
fn escaped(text: &str) -> String {
    with_parameters("", &[("", text)]).trim_start_matches("?=").to_owned()
}

/// A header that no log shows.
fn hidden(text: &str) -> Result<HeaderValue, AskError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| AskError::Person)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_are_escaped_for_the_header() {
        assert_eq!(escaped("a:b c/ä"), "a%3Ab+c%2F%C3%A4");
    }
}
