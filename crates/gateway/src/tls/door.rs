//! The door of a TLS listener: its configuration of the moment, and how a client comes through.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use guard::{Presented, Refusal};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::config::{ClientCertificates, build};
use super::turns::in_turn;
use super::verifier::{REFUSED, reason};
use super::TlsFiles;
use crate::{Authenticator, Door, GatewayError, told};

/// How often files and authorities are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A TLS listener's door; clones are the same door.
#[derive(Clone)]
pub struct TlsDoor {
    inner: Arc<Inner>,
}

struct Inner {
    files: TlsFiles,
    clients: ClientCertificates,
    identify: Arc<dyn Authenticator>,
    current: Mutex<(Stamp, Arc<ServerConfig>)>,
}

/// What the configuration was made of: it is made anew when this changes.
#[derive(Clone, PartialEq, Eq, Default)]
struct Stamp {
    files: Vec<(PathBuf, Option<(SystemTime, u64)>)>,
    authorities: Vec<Vec<u8>>,
}

/// A connection after its handshake.
pub struct Secured {
    /// The stream.
    pub stream: TlsStream<TcpStream>,
    /// The client's certificate, proved and judged, if it showed one.
    pub presented: Option<Arc<Presented>>,
}

impl TlsDoor {
    /// A door for these files. Every certificate of a client is judged by `identify`.
    ///
    /// # Errors
    /// [`GatewayError`] when the files can't be used.
    pub fn new(
        files: TlsFiles,
        clients: ClientCertificates,
        identify: Arc<dyn Authenticator>,
    ) -> Result<Self, GatewayError> {
        let stamp = stamp(&files, &identify);
        let config = build(&files, clients, Some(&identify))?;
        let current = Mutex::new((stamp, config));
        Ok(Self { inner: Arc::new(Inner { files, clients, identify, current }) })
    }

    /// Reads files and authorities again if they changed; what can't be used leaves the door as it was.
    pub fn refresh(&self) {
        let Inner { files, clients, identify, current } = &*self.inner;
        let now = stamp(files, identify);
        if current.lock().0 == now {
            return;
        }
        match build(files, *clients, Some(identify)) {
            Ok(config) => {
                *current.lock() = (now, config);
                tracing::info!(certificate = %files.certificate.display(), "TLS files read again");
            }
            Err(error) => {
                // Told once: the next look waits for the next change.
                current.lock().0 = now;
                tracing::error!(%error, "TLS files changed and can't be used: the former ones stay");
            }
        }
    }

    /// Looks at files and authorities for as long as it is polled.
    pub async fn watch(self) {
        let mut moved = self.inner.identify.moved();
        loop {
            let _ = tokio::time::timeout(LOOK_EVERY, told(&mut moved)).await;
            let door = self.clone();
            // Files are read, on a thread that may wait.
            if tokio::task::spawn_blocking(move || door.refresh()).await.is_err() {
                return;
            }
        }
    }

    /// Does the handshake of a connection. None when it is refused: that is counted, and noted with
    /// its reason, here. `patience` is for all of it.
    pub async fn accept(&self, stream: TcpStream, door: &Door, patience: Duration) -> Option<Secured> {
        let config = Arc::clone(&self.inner.current.lock().1);
        let acceptor = TlsAcceptor::from(config);
        let scope = REFUSED.scope(RefCell::new(None), async {
            let done = tokio::time::timeout(patience, in_turn(acceptor.accept(stream))).await;
            let told = REFUSED.with(|told| told.borrow_mut().take());
            (done, told)
        });
        let (done, told) = scope.await;
        let (refusal, shown) = match done {
            Ok(Ok(stream)) => {
                let chain = stream.get_ref().1.peer_certificates();
                let presented = chain.and_then(<[_]>::first).and_then(|der| Presented::read(der));
                return Some(Secured { stream, presented: presented.map(Arc::new) });
            }
            Ok(Err(error)) => match told {
                Some((refusal, shown)) => (refusal, shown),
                None => (early(&error).or_count(door)?, None),
            },
            Err(_) => {
                count(door, "tls-handshake");
                return None;
            }
        };
        count(door, refusal.name());
        let refused = Door { presented: shown.map(Arc::new), encrypted: true, ..door.clone() };
        self.inner.identify.refused(&refused, refusal);
        None
    }
}

/// Why a handshake failed before a certificate could be looked at.
enum Early {
    Refused(Refusal),
    Broken,
}

impl Early {
    /// The refusal to note; what just broke off is counted alone.
    fn or_count(self, door: &Door) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Broken => {
                count(door, "tls-handshake");
                None
            }
        }
    }
}

fn early(error: &std::io::Error) -> Early {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(error @ rustls::Error::NoCertificatesPresented) => Early::Refused(reason(error)),
        _ => Early::Broken,
    }
}

fn count(door: &Door, reason: &'static str) {
    let protocol = door.listener.trim_end_matches("-tls").to_owned();
    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => protocol, "reason" => reason)
        .increment(1);
}

fn stamp(files: &TlsFiles, identify: &Arc<dyn Authenticator>) -> Stamp {
    let named = [&files.certificate, &files.key];
    let all = named.into_iter().chain(&files.client_authority).chain(&files.revocation_lists);
    let seen = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok();
        let seen = metadata.and_then(|m| Some((m.modified().ok()?, m.len())));
        (path.clone(), seen)
    };
    Stamp { files: all.map(seen).collect(), authorities: identify.authorities() }
}
