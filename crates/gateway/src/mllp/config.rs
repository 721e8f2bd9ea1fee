//! Addresses, limits and reading options of the MLLP listener.

use std::net::SocketAddr;
use std::time::Duration;

use crate::tls::TlsFiles;

/// The listener's configuration.
#[derive(Debug, Clone)]
pub struct MllpConfig {
    /// Address of the plain listener.
    pub listen: SocketAddr,
    /// The TLS listener, if there is one.
    pub tls: Option<MllpTls>,
    /// Limits.
    pub limits: MllpLimits,
    /// Zone of times without an offset, and a site's own names of metrics.
    pub options: wire_hl7::Options,
    /// Alert managers, by MSH-3, that may say what became of our alerts; others are refused.
    pub alert_managers: Vec<String>,
}

impl Default for MllpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 2575)),
            tls: None,
            limits: MllpLimits::default(),
            options: wire_hl7::Options::default(),
            alert_managers: Vec::new(),
        }
    }
}

/// The TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MllpTls {
    /// Its address.
    pub listen: SocketAddr,
    /// Certificate, key and, for mutual TLS, the authority of client certificates.
    pub files: TlsFiles,
}

/// What a sender may ask of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MllpLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Largest message, bytes.
    pub frame_bytes: usize,
    /// Messages of one connection that may wait for the journal. When reached, the socket is not
    /// read.
    pub in_flight: usize,
    /// Bytes of messages of one connection that may wait for the journal; one message may exceed
    /// it.
    pub in_flight_bytes: usize,
    /// How long a connection may be silent. Feeds of admissions are silent at night.
    pub idle_timeout: Duration,
    /// How long a frame may stay unfinished without another byte.
    pub frame_timeout: Duration,
    /// How long a peer may take to accept an answer, or to finish the TLS handshake.
    pub patience: Duration,
    /// Bytes outside of frames after which a peer is taken for something that is not MLLP.
    pub garbage_bytes: u64,
}

impl Default for MllpLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            frame_bytes: wire_hl7::mllp::DEFAULT_LIMIT,
            in_flight: 512,
            in_flight_bytes: 8 << 20,
            idle_timeout: Duration::from_secs(12 * 3_600),
            frame_timeout: Duration::from_secs(60),
            patience: Duration::from_secs(30),
            garbage_bytes: 1 << 20,
        }
    }
}
