//! A small HTTP client for the application and FHIR interfaces.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

use super::{ANSWER_WITHIN, closed};
use crate::error::SimError;

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

impl Http {
    /// A client of the server at `base` (`http://127.0.0.1:8080`, or just `host:port`), which
    /// sends `token` as a bearer token if there is one.
    #[must_use]
    pub fn new(base: &str, token: Option<String>) -> Self {
        let base = base.trim_end_matches('/');
        let base =
            if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base, token }
    }

    /// POSTs a JSON body; the answer's body if the status is 2xx.
    ///
    /// # Errors
    /// [`SimError::Network`], or [`SimError::Refused`] with the status and the path's kind. The
    /// server's text is not repeated: it may name a patient.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, SimError> {
        self.send(Method::POST, path, body).await
    }

    /// PUTs a JSON body; otherwise as [`Self::post`].
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, SimError> {
        self.send(Method::PUT, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, SimError> {
        let failed = || SimError::network("HTTP request", &self.base);
        let kind = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header("content-type", kind)
            .header("accept", kind);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| SimError::Config { key: "http", problem: error.to_string() })?;
        let answer = timeout(ANSWER_WITHIN, async {
            let response =
                self.client.request(request).await.map_err(std::io::Error::other)?;
            let status = response.status();
            let bytes =
                response.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
            Ok::<_, std::io::Error>((status, bytes))
        })
        .await;
        let (status, bytes) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed()(error)),
            Err(_) => return Err(failed()(closed("no answer within 30 s"))),
        };
        if !status.is_success() {
            return Err(SimError::Refused {
                what: format!("{method} {}", first_segments(path)),
                reason: format!("HTTP status {}", status.as_u16()),
            });
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

/// Asks up to four times while the answer is a refusal: what the request builds on may be
/// committed already but not be seen yet.
///
/// # Errors
/// The last refusal, or what else went wrong.
pub async fn persuade<R>(ask: impl Fn() -> R) -> Result<Value, SimError>
where
    R: Future<Output = Result<Value, SimError>>,
{
    for _ in 0..3 {
        match ask().await {
            Err(SimError::Refused { .. }) => tokio::time::sleep(Duration::from_millis(150)).await,
            done => return done,
        }
    }
    ask().await
}

/// The path without ids and queries, for an error text.
fn first_segments(path: &str) -> String {
    path.split(['?']).next().unwrap_or_default().split('/').take(4).collect::<Vec<_>>().join("/")
}
