//! A small HTTP client: texts, JSON, and the live stream.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(120);

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    address: String,
    token: Option<String>,
}

impl Http {
    /// A client of the server at `host:port`.
    #[must_use]
    pub fn new(address: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, base: format!("http://{address}"), address: address.to_owned(), token: None }
    }

    /// The same client as the program with this token.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// `host:port` of the server.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The body of a GET that was answered with 2xx.
    ///
    /// # Errors
    /// When there is no such answer within two minutes.
    pub async fn get(&self, path: &str) -> anyhow::Result<String> {
        let bytes = self.send(Method::GET, path, Bytes::new()).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// As [`Self::get`], and when it is no JSON.
    pub async fn json(&self, path: &str) -> anyhow::Result<Value> {
        let bytes = self.send(Method::GET, path, Bytes::new()).await?;
        serde_json::from_slice(&bytes).with_context(|| format!("{path}: no JSON"))
    }

    /// POSTs JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.send(Method::POST, path, Bytes::from(body.to_string())).await.map(|_| ())
    }

    /// The body of a GET as it comes.
    ///
    /// # Errors
    /// When it is not answered with 2xx.
    pub async fn stream(&self, path: &str) -> anyhow::Result<Incoming> {
        Ok(self.request(Method::GET, path, Bytes::new()).await?.into_body())
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Bytes> {
        let answer = timeout(WITHIN, async {
            let response = self.request(method, path, body).await?;
            anyhow::Ok(response.into_body().collect().await?.to_bytes())
        });
        answer.await.with_context(|| format!("{path}: no answer in time"))?
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Response<Incoming>> {
        let kind =
            if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !body.is_empty() {
            request = request.header("content-type", kind);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.client.request(request.body(Full::new(body))?).await?;
        let status = response.status();
        if !status.is_success() {
            let text = response.into_body().collect().await?.to_bytes();
            bail!("{path}: {status} {}", String::from_utf8_lossy(&text));
        }
        Ok(response)
    }
}
