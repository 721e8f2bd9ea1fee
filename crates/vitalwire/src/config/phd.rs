//! `[phd]`: personal health devices that speak IEEE 11073-20601 over TCP or TLS.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use gateway::phd::{PhdConfig, PhdLimits, PhdManager, PhdTls};
use serde::Deserialize;

use super::{Config, Misuse};

/// `[phd]`; off without an address.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Phd {
    /// Where nothing is encrypted.
    pub(crate) listen: Option<SocketAddr>,
    /// Where TLS is spoken.
    pub(crate) tls_listen: Option<SocketAddr>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_authority: Option<PathBuf>,
    /// Addresses of gateways that may speak for any device.
    pub(crate) peers: Vec<IpAddr>,
    /// Names in certificates of such gateways.
    pub(crate) certificate_names: Vec<String>,
    /// The zone of devices' dates and times.
    pub(crate) zone: String,
    /// What we call ourselves: an EUI-64, 16 hexadecimal digits.
    pub(crate) system_id: String,
    /// Set the clocks of devices that ask for it.
    pub(crate) set_time: bool,
    /// Take what devices stored.
    pub(crate) stores: bool,
    /// Clear on the device what was taken from it.
    pub(crate) clear_stores: bool,
    /// Allow an address that others reach without TLS.
    pub(crate) insecure: bool,
}

impl Default for Phd {
    fn default() -> Self {
        Self {
            listen: None,
            tls_listen: None,
            certificate: None,
            key: None,
            client_authority: None,
            peers: Vec::new(),
            certificate_names: Vec::new(),
            zone: "UTC".to_owned(),
            // Locally administered, as a house without an identifier of its own may use.
            system_id: "fe0000fffe000001".to_owned(),
            set_time: true,
            stores: true,
            clear_stores: false,
            insecure: false,
        }
    }
}

impl Config {
    /// The listener of personal health devices; none where no address is configured.
    ///
    /// # Errors
    /// [`Misuse`] naming the key.
    pub(crate) fn phd_listener(&self) -> Result<Option<PhdConfig>, Misuse> {
        let phd = &self.phd;
        if phd.listen.is_none() && phd.tls_listen.is_none() {
            return Ok(None);
        }
        let zone = jiff::tz::TimeZone::get(&phd.zone).map_err(|_| {
            Misuse("phd.zone: not a known time zone; write one such as Europe/Berlin".to_owned())
        })?;
        let number = u64::from_str_radix(&phd.system_id, 16).ok().filter(|_| phd.system_id.len() == 16);
        let number = number.ok_or_else(|| {
            Misuse("phd.system_id: an EUI-64 has 16 hexadecimal digits".to_owned())
        })?;
        let authority = phd.client_authority.as_ref().or(self.tls.client_authority.as_ref());
        let files = self.tls(phd.certificate.as_ref(), phd.key.as_ref(), authority);
        let tls = phd.tls_listen.zip(files).map(|(listen, files)| PhdTls { listen, files });
        let manager = PhdManager {
            system_id: number.to_be_bytes(),
            zone,
            ask_device: true,
            set_time: phd.set_time,
            collect: phd.stores,
            clear: phd.stores && phd.clear_stores,
        };
        Ok(Some(PhdConfig { tls, limits: PhdLimits::default(), manager }))
    }
}
