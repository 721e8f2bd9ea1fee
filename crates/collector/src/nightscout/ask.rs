//! Requests to a Nightscout site, and its answers as documents.

use outgoing::header::AUTHORIZATION;
use outgoing::{Address, Answer, Ask, Client, HeaderName, HeaderValue, OutgoingError};
use serde_json::Value;
use sha1::{Digest, Sha1};
use std::time::Duration;

use super::settings::{Credential, Settings};
use crate::{MemoryError, NotKept};

/// Largest answer that is read, in bytes.
const ANSWER_MAX: usize = 8 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a site was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    /// No answer.
    #[error("{0}")]
    Unreachable(#[from] OutgoingError),
    /// The site does not let us in.
    #[error("the site refuses our token or secret (status {0})")]
    Refused(u16),
    /// The site answers something else than documents.
    #[error("the site's answer is not what Nightscout answers: {0}")]
    Malformed(String),
    /// The device that this is for is not in service.
    #[error("the device is not registered or not in service: vitalwire device add …")]
    Device,
    /// The journal.
    #[error("{0}")]
    NotKept(#[from] NotKept),
    /// The file.
    #[error("{0}")]
    Memory(#[from] MemoryError),
}

impl SourceError {
    /// As `/metrics` calls it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Malformed(_) => "malformed",
            Self::Device => "device",
            Self::NotKept(_) | Self::Memory(_) => "not-kept",
        }
    }
}

/// A line to one site.
pub(super) struct Site {
    client: Client,
    settings: Settings,
    /// What the site gave us for our token.
    pass: Option<String>,
}

impl Site {
    pub(super) const fn new(client: Client, settings: Settings) -> Self {
        Self { client, settings, pass: None }
    }

    /// Gets a pass for our token, if we have one.
    pub(super) async fn enter(&mut self) -> Result<(), SourceError> {
        let Credential::Token(token) = &self.settings.credential else { return Ok(()) };
        let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let answer = self.send(&format!("/api/v2/authorization/request/{token}"), None).await?;
        let body = json(&answer)?;
        let pass = body["token"].as_str().ok_or_else(|| SourceError::Malformed("no token in the answer to our token".to_owned()))?;
        self.pass = Some(pass.to_owned());
        Ok(())
    }

    /// Whether the site has version 3, and lets us read by it.
    pub(super) async fn has_version_3(&self) -> Result<bool, SourceError> {
        if self.pass.is_none() {
            return Ok(false);
        }
        let answer = self.send("/api/v3/version", None).await?;
        Ok(answer.is_success() && serde_json::from_slice::<Value>(&answer.body).is_ok())
    }

    /// The documents at a path; a pass that has run out is renewed once.
    pub(super) async fn documents(&mut self, path: &str, most: usize) -> Result<Vec<Value>, SourceError> {
        let mut answer = self.send(path, self.key()?).await?;
        if answer.status == 401 && self.pass.take().is_some() {
            self.enter().await?;
            answer = self.send(path, self.key()?).await?;
        }
        let mut body = json(&answer)?;
        // Version 3 wraps since Nightscout 14.1; before, and in version 1, it is the list itself.
        if body.is_object() {
            body = body["result"].take();
        }
        let Value::Array(documents) = body else {
            return Err(SourceError::Malformed("no list of documents".to_owned()));
        };
        if documents.len() > most {
            return Err(SourceError::Malformed(format!("more than the {most} documents that were asked for")));
        }
        Ok(documents)
    }

    fn key(&self) -> Result<Option<(HeaderName, HeaderValue)>, SourceError> {
        let (name, text) = match (&self.pass, &self.settings.credential) {
            (Some(pass), _) => (AUTHORIZATION, format!("Bearer {pass}")),
            (None, Credential::Secret(secret)) => (HeaderName::from_static("api-secret"), digest(secret)),
            (None, Credential::Token(_)) => return Ok(None),
        };
        let value = HeaderValue::from_str(&text);
        let mut value = value.map_err(|_| SourceError::Malformed("a token with characters that no token has".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    async fn send(&self, path: &str, key: Option<(HeaderName, HeaderValue)>) -> Result<Answer, SourceError> {
        let address = Address::parse(&format!("{}{path}", self.settings.site));
        let address = address.map_err(|error| SourceError::Malformed(error.to_string()))?;
        let mut ask = Ask::get(&address).answer_max(ANSWER_MAX).within(PATIENCE);
        if let Some((name, value)) = key {
            ask = ask.with(name, value);
        }
        if self.settings.plain {
            ask = ask.plain_too();
        }
        Ok(self.client.send(ask).await?)
    }
}

/// The answer's JSON, if it is a success.
fn json(answer: &Answer) -> Result<Value, SourceError> {
    match answer.status {
        200..=299 => serde_json::from_slice(&answer.body)
            .map_err(|error| SourceError::Malformed(format!("not JSON at line {} column {}", error.line(), error.column()))),
        401 | 403 => Err(SourceError::Refused(answer.status)),
        status => Err(SourceError::Malformed(format!("status {status}"))),
    }
}

/// The digest of an API secret that Nightscout asks for.
fn digest(secret: &str) -> String {
    Sha1::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
