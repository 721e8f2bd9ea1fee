//! `[outgoing]`, `[[webhook]]` and `[[alert_manager]]`: to whom alerts are sent, and how others are asked. `[[pump_server]]`: who programs pumps.

use std::path::PathBuf;

use alert::Priority;
use serde::Deserialize;

use crate::Misuse;
use crate::infusion::PumpServer;

/// `[outgoing]`: requests of ours to other programs over HTTPS.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Outgoing {
    /// Authorities (PEM) to trust in place of the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// What is shown to those who ask who we are (PEM), and its key.
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
}

/// `[[webhook]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Receiver {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default = "low")]
    pub(crate) priority: Priority,
}

/// `[[alert_manager]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) insecure: bool,
    #[serde(default = "low")]
    pub(crate) priority: Priority,
}

/// `[[pump_server]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PumpServerText {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) devices: Vec<String>,
    #[serde(default)]
    pub(crate) insecure: bool,
}

impl PumpServerText {
    /// What it says, checked.
    ///
    /// # Errors
    /// [`Misuse`] naming the server.
    pub(crate) fn read(&self) -> Result<PumpServer, Misuse> {
        let wrong = |problem: &str| Misuse(format!("pump_server `{}`: {problem}", self.name));
        let peer = outgoing::Peer::parse(&self.address)
            .ok_or_else(|| wrong("address: write mllps://host:port, or mllp://host:port without encryption"))?;
        if self.name.is_empty() || self.devices.is_empty() {
            return Err(wrong("name: what people call it; devices: ids of its pumps, such as [\"P60*\"]"));
        }
        if !peer.encrypted && !peer.is_loopback() && !self.insecure {
            return Err(wrong("orders would go out unencrypted: write mllps://, or insecure = true"));
        }
        Ok(PumpServer { name: self.name.clone(), peer, devices: self.devices.clone() })
    }
}

fn low() -> Priority {
    Priority::Low
}
