//! Addresses, limits and the manager's part of the listener of personal health devices.

use std::net::SocketAddr;
use std::time::Duration;

use crate::tls::TlsFiles;

/// The listener's configuration.
#[derive(Debug, Clone)]
pub struct PhdConfig {
    /// The TLS listener, if there is one.
    pub tls: Option<PhdTls>,
    /// Limits.
    pub limits: PhdLimits,
    /// What the manager is, and what it may ask of devices.
    pub manager: wire_phd::manager::Settings,
}

/// The TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhdTls {
    /// Its address.
    pub listen: SocketAddr,
    /// Certificate, key and, for mutual TLS, the authority of client certificates.
    pub files: TlsFiles,
}

/// What a device may ask of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhdLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Devices whose own configurations are remembered while the program runs.
    pub known_devices: usize,
    /// How long a connection may be silent before its device associates.
    pub idle_timeout: Duration,
    /// How long a device in operation may be silent before it is asked whether it is still there.
    pub probe_after: Duration,
    /// How long an APDU may stay unfinished without another byte.
    pub frame_timeout: Duration,
    /// How long a peer may take to accept what is sent, or to finish the TLS handshake.
    pub patience: Duration,
}

impl Default for PhdLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            known_devices: 10_000,
            idle_timeout: Duration::from_secs(600),
            probe_after: Duration::from_secs(60),
            frame_timeout: Duration::from_secs(30),
            patience: Duration::from_secs(20),
        }
    }
}
