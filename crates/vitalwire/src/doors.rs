//! Who may come in through which door: the guard's accounts, or everybody under `--open`.

use std::net::SocketAddr;

use gateway::{Authenticator, ClientIdentity, Refused};
use guard::Guard;

/// Asks the guard.
pub(crate) struct Doorkeeper {
    pub(crate) guard: Guard,
    /// Addresses that may use MLLP, which knows no passwords.
    pub(crate) mllp_peers: Vec<String>,
}

impl Authenticator for Doorkeeper {
    fn mqtt(
        &self,
        client_id: &str,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused> {
        if self.guard.is_open() {
            return gateway::OpenDoor.mqtt(client_id, user, password);
        }
        let (user, password) = user.zip(password).ok_or(Refused::BadCredentials)?;
        if let Some(device) = self.guard.device(user, password) {
            return Ok(ClientIdentity {
                name: device.to_string(),
                device: Some(device),
                may_subscribe: false,
                open: false,
            });
        }
        // A program with a service token may speak for many devices: a gateway, a test.
        let token = std::str::from_utf8(password).map_err(|_| Refused::BadCredentials)?;
        let account = self.guard.bearer(token).filter(|account| account.name == user);
        let account = account.ok_or(Refused::BadCredentials)?;
        Ok(ClientIdentity { name: account.name, device: None, may_subscribe: true, open: false })
    }

    fn mllp(&self, peer: SocketAddr) -> Result<ClientIdentity, Refused> {
        if self.guard.is_open() {
            return gateway::OpenDoor.mllp(peer);
        }
        let address = peer.ip().to_canonical().to_string();
        if !self.mllp_peers.contains(&address) {
            return Err(Refused::NotAllowed);
        }
        Ok(ClientIdentity { name: address, device: None, may_subscribe: false, open: false })
    }
}
