//! What a site decides about devices that are taken in.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use vitals::{DeviceId, MetricCode, Unit};

/// The consumer as a site set it up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where devices deliver their reports (HTTPS, client certificates required).
    pub listen: SocketAddr,
    /// Host and port under which devices reach that; none: as bound.
    pub address: Option<String>,
    /// Our certificate chain (PEM), for both directions.
    pub certificate: PathBuf,
    /// Its key (PEM).
    pub key: PathBuf,
    /// Who signs the certificates of devices (PEM).
    pub authority: PathBuf,
    /// Devices with known addresses.
    pub devices: Vec<Peer>,
    /// How others are looked for.
    pub discovery: Option<Discovery>,
    /// The endpoint references (`urn:uuid:…`) of devices that may be found by discovery.
    pub allowed: Vec<String>,
    /// How codes that are not in the nomenclature are taken.
    pub metrics: HashMap<u32, Known>,
    /// Roots of patient identifiers that are ours, and what system they are here.
    pub patient_roots: HashMap<String, String>,
    /// Whether a device is mounted where its location context says that it is.
    pub locations: bool,
    /// How long a subscription lasts; it is renewed after a third of it.
    pub expires: Duration,
    /// Language of texts, where a device has several.
    pub language: String,
}

impl Settings {
    /// The files for both directions of TLS.
    #[must_use]
    pub fn papers(&self) -> super::Papers<'_> {
        super::Papers { certificate: &self.certificate, key: &self.key, authority: &self.authority }
    }
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id here.
    pub id: DeviceId,
    /// Where it answers (`https://host:port/path`).
    pub address: String,
    /// Its endpoint reference; none: whoever answers with a certificate of the authority.
    pub endpoint: Option<String>,
}

/// How devices are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// By multicast in the local network.
    AdHoc,
    /// By a discovery proxy at this address.
    Proxy(String),
}

/// What a code of a device is here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The metric.
    pub metric: MetricCode,
    /// The unit that its values are in; none: as the device says.
    pub unit: Option<Unit>,
}
