//! Listeners: sockets, TLS, sessions, who is this device.
//!
//! Every listener turns bytes into [`vitals::Message`]s, hands them to the journal and answers
//! the sender only after the journal has committed (DU-1). Nothing here knows patients, scores or
//! alerts; nothing here keeps a reading.

pub mod mllp;
pub mod mqtt;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use vitals::{DeviceId, ReceiveTime};

/// What every listener needs of the rest of the program.
#[derive(Clone)]
pub struct Doors {
    /// Where messages go.
    pub appender: journal::Appender,
    /// The device profiles of the moment; called for each burst of messages, so a reload is seen.
    pub profiles: Arc<dyn Fn() -> Arc<mapping::Profiles> + Send + Sync>,
    /// Who may come in.
    pub identify: Arc<dyn Authenticator>,
    /// Our own clock.
    pub clock: fn() -> ReceiveTime,
    /// Becomes true when the program stops.
    pub shutdown: tokio::sync::watch::Receiver<bool>,
}

/// Decides who may come in, and as whom.
pub trait Authenticator: Send + Sync {
    /// An MQTT client with what its CONNECT packet carries.
    ///
    /// # Errors
    /// [`Refused`] when it may not connect.
    fn mqtt(
        &self,
        client_id: &str,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused>;

    /// An MLLP peer.
    ///
    /// # Errors
    /// [`Refused`] when it may not connect.
    fn mllp(&self, peer: SocketAddr) -> Result<ClientIdentity, Refused>;
}

/// Who a client turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Account name, or the client id under `--open`.
    pub name: String,
    /// The device that the client is restricted to, if it is one device's own account.
    pub device: Option<DeviceId>,
    /// Whether it may subscribe to more than its own device's topics.
    pub may_subscribe: bool,
    /// Whether it came in because authentication is off.
    pub open: bool,
}

/// Why a client may not come in. Says nothing that helps guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Unknown account or wrong password.
    #[error("unknown account or wrong password: check the device's credentials")]
    BadCredentials,
    /// Known, but not allowed here.
    #[error("this account may not use this door: ask an administrator for the right")]
    NotAllowed,
    /// Banned for now.
    #[error("refused for now: too many failed attempts, wait and try again")]
    Banned,
}

/// Lets everybody in under its own name: `--open`, tests and trials on loopback.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenDoor;

impl Authenticator for OpenDoor {
    fn mqtt(
        &self,
        client_id: &str,
        _user: Option<&str>,
        _password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused> {
        Ok(ClientIdentity {
            name: client_id.to_owned(),
            device: None,
            may_subscribe: true,
            open: true,
        })
    }

    fn mllp(&self, peer: SocketAddr) -> Result<ClientIdentity, Refused> {
        Ok(ClientIdentity { name: peer.to_string(), device: None, may_subscribe: true, open: true })
    }
}

/// What can go wrong with a listener as a whole; what a client does wrong never ends up here.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A certificate or key could not be read.
    #[error("cannot use TLS file {path}: {cause}; check the path and that it is PEM")]
    TlsFile {
        /// Which file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// Certificate and key do not fit each other, or no client certificate authority is usable.
    #[error("TLS configuration refused: {0}")]
    Tls(String),
    /// The socket failed.
    #[error("listener failed: {0}")]
    Socket(#[from] std::io::Error),
}
