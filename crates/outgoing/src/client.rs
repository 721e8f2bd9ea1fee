//! The client: what it trusts, and one request with its answer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{HOST, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{Method, Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_pki_types::pem::PemObject;

use crate::Address;
use crate::reach::{Resolver, may_ask};

/// How long a request may take in all, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes, unless a request says otherwise.
const ANSWER_MAX: usize = 64 << 10;

/// Why there is no answer. Texts hold nothing of what was sent.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The file of authorities.
    #[error("cannot read the authorities in {0}: {1}; give a PEM file with their certificates")]
    Authorities(String, String),
    /// The file of our own certificate or key.
    #[error("cannot read {0}: {1}; give a PEM file")]
    Own(String, String),
    /// TLS itself.
    #[error("TLS cannot be spoken: {0}")]
    Tls(#[from] rustls::Error),
    /// Such an address is not asked.
    #[error("this address is not asked: {0}")]
    NotAsked(&'static str),
    /// The request can't be put together.
    #[error("the request is not well-formed: {0}")]
    Request(String),
    /// No connection, or it broke. The cause is in words.
    #[error("{0}")]
    Connection(String),
    /// It took too long, in seconds.
    #[error("no answer in {0} s")]
    Late(u64),
    /// The answer is larger than that, in bytes.
    #[error("the answer is larger than {0} bytes")]
    Large(usize),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    address: &'a Address,
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    patience: Duration,
    answer_max: usize,
    plain: bool,
}

impl<'a> Ask<'a> {
    /// Asks for what is at an address.
    #[must_use]
    pub fn get(address: &'a Address) -> Self {
        let (method, headers, body) = (Method::GET, Vec::new(), Bytes::new());
        Self { address, method, headers, body, patience: PATIENCE, answer_max: ANSWER_MAX, plain: false }
    }

    /// Sends a body.
    #[must_use]
    pub fn post(address: &'a Address, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(hyper::header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        Self { method: Method::POST, headers, body: body.into(), ..Self::get(address) }
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// `http` will do, which anybody on the way reads.
    #[must_use]
    pub const fn plain_too(mut self) -> Self {
        self.plain = true;
        self
    }

    /// The largest answer, in bytes.
    #[must_use]
    pub const fn answer_max(mut self, bytes: usize) -> Self {
        self.answer_max = bytes;
        self
    }

    /// How long it may take in all.
    #[must_use]
    pub const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status. A redirect is an answer like any other: nobody follows it.
    pub status: u16,
    /// Cookies that were set, as `name=value`.
    pub cookies: Vec<String>,
    /// All of the body.
    pub body: Bytes,
}

impl Answer {
    /// Whether it is a success (2xx).
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

type Line = HttpsConnector<HttpConnector<Resolver>>;
/// What we show of ourselves: certificates and the key of the first.
type Own = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(crate) tls: Arc<ClientConfig>,
    line: hyper_util::client::legacy::Client<Line, Full<Bytes>>,
    trusts: usize,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client(trusts {} authorities)", self.trusts)
    }
}

impl Client {
    /// Trusts the authorities in a PEM file, or without one those of the system.
    ///
    /// # Errors
    /// [`OutgoingError::Authorities`] when a file is given and holds none.
    pub fn new(authorities: Option<&Path>) -> Result<Self, OutgoingError> {
        Self::trusting(roots(authorities)?, None)
    }

    /// As [`Client::new`], and shows this certificate (with what leads to its authority) to whoever asks
    /// who we are.
    ///
    /// # Errors
    /// [`OutgoingError::Authorities`], [`OutgoingError::Own`]; [`OutgoingError::Tls`] when key and certificate
    /// don't belong together.
    pub fn with_certificate(authorities: Option<&Path>, chain: &Path, key: &Path) -> Result<Self, OutgoingError> {
        let wrong = |file: &Path, why: String| OutgoingError::Own(file.display().to_string(), why);
        let read = CertificateDer::pem_file_iter(chain).and_then(|found| found.collect::<Result<Vec<_>, _>>());
        let shown = read.map_err(|error| wrong(chain, error.to_string()))?;
        if shown.is_empty() {
            return Err(wrong(chain, "there is no certificate in it".to_owned()));
        }
        // The library's error may quote what it read; a key is not to be quoted.
        let key = PrivateKeyDer::from_pem_file(key).map_err(|_| wrong(key, "there is no key in it".to_owned()))?;
        Self::trusting(roots(authorities)?, Some((shown, key)))
    }

    /// Trusts nobody: for a program that sends nothing over TLS.
    ///
    /// # Errors
    /// [`OutgoingError::Tls`].
    pub fn plain() -> Result<Self, OutgoingError> {
        Self::trusting(RootCertStore::empty(), None)
    }

    fn trusting(roots: RootCertStore, own: Option<Own>) -> Result<Self, OutgoingError> {
        let trusts = roots.len();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match own {
            Some((chain, key)) => config.with_client_auth_cert(chain, key)?,
            None => config.with_no_client_auth(),
        };
        let tls = Arc::new(config.clone());
        let mut sockets = HttpConnector::new_with_resolver(Resolver);
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        let line = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(sockets);
        // A connection a request: some receivers hang up without a word on one that rests. Names of
        // headers as people write them, for receivers that compare them letter by letter.
        let line = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .http1_title_case_headers(true)
            .pool_max_idle_per_host(0)
            .build(line);
        Ok(Self { tls, line, trusts })
    }

    /// Sends a request and reads the whole answer. Redirects are not followed.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn send(&self, ask: Ask<'_>) -> Result<Answer, OutgoingError> {
        let (patience, answer_max) = (ask.patience, ask.answer_max);
        let request = request(ask)?;
        let exchange = async {
            let answer = self.line.request(request).await;
            let answer = answer.map_err(|error| OutgoingError::Connection(causes(&error)))?;
            read(answer, answer_max).await
        };
        let late = |_| OutgoingError::Late(patience.as_secs());
        tokio::time::timeout(patience, exchange).await.map_err(late)?
    }
}

/// The request, if such an address is asked at all.
fn request(ask: Ask<'_>) -> Result<Request<Full<Bytes>>, OutgoingError> {
    if !ask.address.is_encrypted() && !ask.plain {
        return Err(OutgoingError::NotAsked("it is not encrypted (https)"));
    }
    let uri = ask.address.uri();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    // The connector resolves names only; an address that stands there as it is comes by here.
    if host.parse().is_ok_and(|ip| !may_ask(ip)) {
        return Err(OutgoingError::NotAsked("it is link-local, or no machine's"));
    }
    let mut request = Request::builder().method(ask.method).uri(uri.clone());
    if let Some(authority) = uri.authority() {
        request = request.header(HOST, authority.as_str());
    }
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(ask.body)).map_err(|error| OutgoingError::Request(error.to_string()))
}

async fn read(
    answer: Response<hyper::body::Incoming>,
    most: usize,
) -> Result<Answer, OutgoingError> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, most).collect().await.map_err(|error| {
        match error.downcast_ref::<LengthLimitError>() {
            Some(_) => OutgoingError::Large(most),
            None => OutgoingError::Connection(causes(error.as_ref())),
        }
    })?;
    let cookies = head.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.filter_map(|set| set.split(';').next()).map(str::to_owned).collect();
    Ok(Answer { status: head.status.as_u16(), cookies, body: body.to_bytes() })
}

/// An error with what caused it: the library's own words say only "client error (Connect)".
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        // Some repeat the cause in their own words.
        if words.last().is_none_or(|last| !last.contains(&said)) {
            words.push(said);
        }
        next = error.source();
    }
    words.join(": ")
}

/// Whom we trust: the authorities in a file, or without one the system's.
fn roots(authorities: Option<&Path>) -> Result<RootCertStore, OutgoingError> {
    Ok(match authorities {
        Some(file) => of_file(file)?,
        None => of_system(),
    })
}

fn of_file(file: &Path) -> Result<RootCertStore, OutgoingError> {
    let wrong = |why: String| OutgoingError::Authorities(file.display().to_string(), why);
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

/// What of the system's authorities can be read: a single broken one is no reason to trust none.
fn of_system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (taken, left) = roots.add_parsable_certificates(found.certs);
    if !found.errors.is_empty() || left > 0 {
        let unread = found.errors.len() + left;
        tracing::warn!(taken, unread, "some of the system's authorities cannot be read");
    }
    roots
}
