//! `[collect]`: what is fetched, because it does not come by itself: other Nightscout sites, Bluetooth devices.

use std::path::PathBuf;

use collector::{bluetooth, nightscout};
use serde::Deserialize;
use vitals::DeviceId;

use super::{Config, Misuse};

/// `[collect]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Collect {
    /// Other Nightscout sites.
    nightscout: Vec<Site>,
    /// Bluetooth devices through BlueZ; none: the bus is left alone.
    bluetooth: Option<Bluetooth>,
}

/// `[[collect.nightscout]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Site {
    name: String,
    url: String,
    device: String,
    token_file: Option<PathBuf>,
    secret_file: Option<PathBuf>,
    #[serde(default)]
    insecure: bool,
    #[serde(default = "every_s")]
    every_s: u32,
    #[serde(default = "back_days")]
    back_days: u32,
}

/// `[collect.bluetooth]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bluetooth {
    bus: Option<PathBuf>,
    adapter: Option<String>,
    devices: Vec<Peer>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    id: String,
    address: String,
    #[serde(default)]
    utc_offset: i32,
    user: Option<u8>,
}

const fn every_s() -> u32 {
    60
}

const fn back_days() -> u32 {
    7
}

/// A credential without its file read, to check the rest.
fn unread() -> nightscout::Credential {
    nightscout::Credential::Token(String::from("unread"))
}

impl Site {
    fn settings(&self, credential: nightscout::Credential) -> Result<nightscout::Settings, Misuse> {
        let wrong = |what: String| Misuse(format!("collect.nightscout: {what}"));
        let device = DeviceId::new(&self.device).map_err(|_| wrong("device: one is no device id".to_owned()))?;
        if self.token_file.is_some() == self.secret_file.is_some() {
            return Err(wrong("give token_file or secret_file".to_owned()));
        }
        let numbers = (self.every_s, self.back_days);
        nightscout::Settings::new(&self.name, &self.url, self.insecure, credential, device, numbers)
            .map_err(|error| wrong(error.to_string()))
    }

    /// The token or secret out of its file.
    fn credential(&self) -> Result<nightscout::Credential, Misuse> {
        let (file, token) = match (&self.token_file, &self.secret_file) {
            (Some(file), _) => (file, true),
            (None, Some(file)) => (file, false),
            (None, None) => return Ok(unread()),
        };
        let text = std::fs::read_to_string(file)
            .map_err(|error| Misuse(format!("collect.nightscout: cannot read {}: {error}", file.display())))?;
        let text = text.trim().to_owned();
        Ok(if token { nightscout::Credential::Token(text) } else { nightscout::Credential::Secret(text) })
    }
}

impl Config {
    /// Checks what is to be collected; reads no file.
    ///
    /// # Errors
    /// [`Misuse`] naming what can't be.
    pub(crate) fn check_collect(&self) -> Result<(), Misuse> {
        let sites = &self.collect.nightscout;
        for (at, site) in sites.iter().enumerate() {
            site.settings(unread())?;
            if sites[..at].iter().any(|other| other.name == site.name) {
                return Err(Misuse("collect.nightscout: two have the same name".to_owned()));
            }
        }
        self.bluetooth().map(|_| ())
    }

    /// The Nightscout sites that are read.
    ///
    /// # Errors
    /// [`Misuse`] when the file of a token or secret can't be read.
    pub(crate) fn nightscout_sources(&self) -> Result<Vec<nightscout::Settings>, Misuse> {
        self.collect.nightscout.iter().map(|site| site.settings(site.credential()?)).collect()
    }

    /// The Bluetooth devices that are collected from, if there are any.
    ///
    /// # Errors
    /// [`Misuse`] naming what can't be.
    pub(crate) fn bluetooth(&self) -> Result<Option<bluetooth::Settings>, Misuse> {
        let wrong = |what: &str| Misuse(format!("collect.bluetooth: {what}"));
        let Some(bluetooth) = &self.collect.bluetooth else { return Ok(None) };
        let peer = |peer: &Peer| {
            let id = DeviceId::new(&peer.id).map_err(|_| wrong("devices: one id is no device id"))?;
            Ok(bluetooth::Peer { id, address: peer.address.clone(), utc_offset_min: peer.utc_offset, user: peer.user })
        };
        let peers = bluetooth.devices.iter().map(peer).collect::<Result<_, Misuse>>()?;
        let settings = bluetooth::Settings::new(bluetooth.bus.clone(), bluetooth.adapter.clone(), peers);
        settings.map(Some).map_err(|error| wrong(&error.to_string()))
    }
}
