//! `[sdc.provider]`: which devices are offered to other systems over IEEE 11073 SDC, to whom, and
//! what those may do.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use sdc::provider::{Offered, Peer, Settings};
use serde::Deserialize;
use vitals::DeviceId;

use super::{Config, Misuse};

/// `[sdc.provider]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SdcProvider {
    listen: SocketAddr,
    address: Option<IpAddr>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_authority: Option<PathBuf>,
    devices: Vec<String>,
    peers: Vec<SdcPeer>,
    discovery: Option<Ipv4Addr>,
    proxy: Option<String>,
    #[serde(default)]
    operations: Vec<SdcOperations>,
    #[serde(default = "subscription")]
    subscription_s: u32,
    #[serde(default = "self_check")]
    self_check_s: u32,
    #[serde(default = "queue")]
    queue: usize,
    #[serde(default = "subscriptions")]
    subscriptions_max: usize,
}

/// Who may come, and whose rights it has.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SdcPeer {
    certificate: String,
    account: String,
}

/// Operations that can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SdcOperations {
    Limits,
    Alerts,
    Patients,
}

const fn subscription() -> u32 {
    15
}

const fn self_check() -> u32 {
    5
}

const fn queue() -> usize {
    64
}

const fn subscriptions() -> usize {
    64
}

impl Config {
    /// The SDC provider, if there is one.
    ///
    /// # Errors
    /// [`Misuse`] naming what is missing or can't be.
    pub(crate) fn sdc_provider(&self) -> Result<Option<Settings>, Misuse> {
        let Some(sdc) = &self.sdc.provider else { return Ok(None) };
        let wrong = |what: &str| Misuse(format!("sdc.provider: {what}"));
        let missing = |what: &str| wrong(&format!("{what} is needed, here or in [tls]"));
        let own = sdc.certificate.as_ref().zip(sdc.key.as_ref());
        let (certificate, key) = own
            .or(self.tls.certificate.as_ref().zip(self.tls.key.as_ref()))
            .ok_or_else(|| missing("certificate with key"))?;
        let authority = sdc.client_authority.as_ref().or(self.tls.client_authority.as_ref());
        let authority = authority.ok_or_else(|| missing("client_authority"))?;
        let address = sdc.address.unwrap_or(sdc.listen.ip());
        if address.is_unspecified() {
            return Err(wrong("address: write the address that other systems reach this machine by"));
        }
        if sdc.proxy.as_ref().is_some_and(|proxy| !proxy.starts_with("https://")) {
            return Err(wrong("proxy is the https:// address of a discovery proxy"));
        }
        let devices: Result<Vec<DeviceId>, _> = sdc.devices.iter().map(|id| DeviceId::new(id)).collect();
        let devices = devices.map_err(|_| wrong("devices: one is no device id"))?;
        if devices.len() > 256 {
            return Err(wrong("devices: at most 256"));
        }
        if !(1..=3_600).contains(&sdc.subscription_s) || !(1..=60).contains(&sdc.self_check_s) {
            return Err(wrong("subscription_s is 1 to 3600, self_check_s 1 to 60"));
        }
        let offers = |which| sdc.operations.contains(&which);
        let peer = |peer: &SdcPeer| Peer { certificate: peer.certificate.clone(), account: peer.account.clone() };
        Ok(Some(Settings {
            listen: sdc.listen,
            address,
            certificate: certificate.clone(),
            key: key.clone(),
            authority: authority.clone(),
            devices,
            peers: sdc.peers.iter().map(peer).collect(),
            discovery: sdc.discovery,
            proxy: sdc.proxy.clone(),
            operations: Offered {
                limits: offers(SdcOperations::Limits),
                alerts: offers(SdcOperations::Alerts),
                patients: offers(SdcOperations::Patients),
            },
            subscription_max: Duration::from_secs(u64::from(sdc.subscription_s)),
            self_check: Duration::from_secs(u64::from(sdc.self_check_s)),
            queue: sdc.queue.clamp(1, 4_096),
            subscriptions_max: sdc.subscriptions_max.min(4_096),
        }))
    }
}
