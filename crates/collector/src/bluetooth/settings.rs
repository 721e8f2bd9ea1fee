//! Which devices are collected, and through which adapter.

use std::path::PathBuf;

use vitals::DeviceId;

/// Where the system's bus is, unless the configuration says otherwise.
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

/// A Bluetooth device that may be connected to; no other is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Which device it is here.
    pub id: DeviceId,
    /// Its address, in capitals.
    pub address: String,
    /// How far its clock is ahead of UTC, in minutes.
    pub utc_offset_min: i32,
    /// Which of the device's users the patient is.
    pub user: Option<u8>,
}

/// What is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bus's socket.
    pub bus: PathBuf,
    /// The adapter, such as `hci0`; without one the first.
    pub adapter: Option<String>,
    /// The devices.
    pub peers: Vec<Peer>,
}

/// What can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An address.
    #[error("devices: an address is written AA:BB:CC:DD:EE:FF")]
    Address,
    /// An address or a device twice.
    #[error("devices: one address, or one id, stands there twice")]
    Twice,
    /// The clock.
    #[error("devices: utc_offset is -1080 to 1080 minutes")]
    Offset,
    /// The adapter.
    #[error("adapter: such as hci0")]
    Adapter,
    /// None.
    #[error("devices: name at least one; nothing else is connected to")]
    Nobody,
}

impl Settings {
    /// Checks what a configuration says.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(bus: Option<PathBuf>, adapter: Option<String>, peers: Vec<Peer>) -> Result<Self, SettingsError> {
        let peers: Vec<Peer> = peers.into_iter().map(|peer| Peer { address: peer.address.to_uppercase(), ..peer }).collect();
        if peers.is_empty() {
            return Err(SettingsError::Nobody);
        }
        for (at, peer) in peers.iter().enumerate() {
            let parts: Vec<&str> = peer.address.split(':').collect();
            let good = parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok());
            if !good || peer.address.contains('+') {
                return Err(SettingsError::Address);
            }
            if peers[..at].iter().any(|other| other.address == peer.address || other.id == peer.id) {
                return Err(SettingsError::Twice);
            }
            if !(-1_080..=1_080).contains(&peer.utc_offset_min) {
                return Err(SettingsError::Offset);
            }
        }
        let named = |name: &String| !name.is_empty() && name.len() < 16 && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if !adapter.as_ref().is_none_or(named) {
            return Err(SettingsError::Adapter);
        }
        Ok(Self { bus: bus.unwrap_or_else(|| SYSTEM_BUS.into()), adapter, peers })
    }
}
