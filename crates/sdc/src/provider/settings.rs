//! What a site decides about the provider.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use vitals::DeviceId;

/// The provider as a site set it up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens (HTTPS, client certificates required).
    pub listen: SocketAddr,
    /// The address that it tells others.
    pub address: IpAddr,
    /// Its certificate chain (PEM).
    pub certificate: PathBuf,
    /// Its key (PEM).
    pub key: PathBuf,
    /// Who signs certificates of peers (PEM).
    pub authority: PathBuf,
    /// The devices that are offered.
    pub devices: Vec<DeviceId>,
    /// Who may come.
    pub peers: Vec<Peer>,
    /// Through which interface it is discovered by multicast; none: not at all.
    pub discovery: Option<Ipv4Addr>,
    /// Where the discovery proxy is at which it registers (`https://…`); none: at none.
    pub proxy: Option<String>,
    /// Which operations are offered.
    pub operations: Offered,
    /// The longest subscription that is granted.
    pub subscription_max: Duration,
    /// How often the alert system says that it works.
    pub self_check: Duration,
    /// Reports that may wait for one subscriber.
    pub queue: usize,
    /// Most subscriptions of all hosts together.
    pub subscriptions_max: usize,
}

impl Settings {
    /// The files for the way to a discovery proxy.
    #[must_use]
    pub fn papers(&self) -> crate::consumer::Papers<'_> {
        crate::consumer::Papers { certificate: &self.certificate, key: &self.key, authority: &self.authority }
    }
}

/// Somebody who may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// A name in the certificate: subjectAltName or common name.
    pub certificate: String,
    /// The account (a program's) whose rights it has.
    pub account: String,
}

/// Operations that are offered; nothing but what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offered {
    /// Set a patient's own alarm limits (`SetValue`).
    pub limits: bool,
    /// Take the patient's alerts (`Activate`), with a note (`SetString`).
    pub alerts: bool,
    /// Put the device on a patient and take it off (`SetContextState`).
    pub patients: bool,
}

impl Offered {
    /// Whether there is any.
    #[must_use]
    pub const fn any(self) -> bool {
        self.limits || self.alerts || self.patients
    }
}
