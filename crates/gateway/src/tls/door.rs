//! The door of a TLS listener: its configuration of the moment, and how a client comes through.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use guard::{Presented, Refusal};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
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
/// Sessions with certificates before those who left are looked for.
const SWEEP_MIN: usize = 64;

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
    live: Mutex<Live>,
}

/// Whoever came in with a certificate and is still there, with the chain that was shown.
#[derive(Default)]
struct Live {
    sessions: Vec<(Weak<Presented>, Vec<CertificateDer<'static>>)>,
    /// Those who left are forgotten when there are this many.
    swept_at: usize,
}

impl Live {
    fn add(&mut self, presented: &Arc<Presented>, chain: Vec<CertificateDer<'static>>) {
        if self.sessions.len() >= self.swept_at {
            self.sessions.retain(|(session, _)| session.strong_count() > 0);
            self.swept_at = (self.sessions.len() * 2).max(SWEEP_MIN);
        }
        self.sessions.push((Arc::downgrade(presented), chain));
    }

    /// Withdraws the certificates whose chain does not hold any more; how many.
    fn judge(&self, chains: Option<&Arc<dyn ClientCertVerifier>>) -> usize {
        let now = UnixTime::now();
        let holds = |chain: &[CertificateDer<'static>]| {
            let (Some(chains), Some((own, between))) = (chains, chain.split_first()) else { return false };
            chains.verify_client_cert(own, between, now).is_ok()
        };
        let live = self.sessions.iter().filter_map(|(session, chain)| Some((session.upgrade()?, chain)));
        let over = live.filter(|(session, chain)| !session.is_withdrawn() && !holds(chain));
        over.inspect(|(session, _)| session.withdraw()).count()
    }
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
        let built = build(&files, clients, Some(&identify))?;
        let (current, live) = (Mutex::new((stamp, built.config)), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { files, clients, identify, current, live }) })
    }

    /// Reads files and authorities again if they changed; what can't be used leaves the door as it was.
    pub fn refresh(&self) {
        let Inner { files, clients, identify, current, live } = &*self.inner;
        let now = stamp(files, identify);
        if current.lock().0 == now {
            return;
        }
        match build(files, *clients, Some(identify)) {
            Ok(built) => {
                *current.lock() = (now, built.config);
                tracing::info!(certificate = %files.certificate.display(), "TLS files read again");
                // Whoever came in under an authority that is gone goes with it.
                let over = live.lock().judge(built.chains.as_ref());
                if over > 0 {
                    tracing::warn!(over, "sessions end: their authority is trusted no longer");
                    identify.withdrawn();
                }
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
                let chain: Vec<_> = chain.unwrap_or_default().iter().map(|der| der.clone().into_owned()).collect();
                let presented = chain.first().and_then(|der| Presented::read(der)).map(Arc::new);
                if let Some(presented) = &presented {
                    self.inner.live.lock().add(presented, chain);
                }
                return Some(Secured { stream, presented });
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
