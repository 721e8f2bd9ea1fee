//! Listeners: sockets, TLS, sessions, who is this device.
//!
//! Every listener turns bytes into [`vitals::Message`]s, hands them to the journal and answers
//! the sender only after the journal has committed (DU-1). Nothing here knows patients, scores or
//! alerts; nothing here keeps a reading.

pub mod coap;
pub mod mllp;
pub mod mqtt;
pub mod phd;
mod quota;
mod stream;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use guard::{Presented, Refusal, Restrictions, Violation};
use journal::{AckQueue, JournalError, Outcome};
use tokio::sync::watch;
use vitals::{DeviceId, ReceiveTime};

pub use quota::Allowance;

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

    /// As [`Self::mqtt`], with what is known of the connection.
    ///
    /// # Errors
    /// [`Refused`] when it may not connect.
    fn mqtt_at(
        &self,
        _door: &Door,
        client_id: &str,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused> {
        self.mqtt(client_id, user, password)
    }

    /// As [`Self::mllp`], with what is known of the connection.
    ///
    /// # Errors
    /// [`Refused`] when it may not connect.
    fn mllp_at(&self, door: &Door) -> Result<ClientIdentity, Refused> {
        door.peer.map_or(Err(Refused::NotAllowed), |peer| self.mllp(peer))
    }

    /// A sensor that shows this name in a handshake over DTLS: who it would be, and the key that it must
    /// have. Nothing is proved yet: [`Self::came_in`] or [`Self::wrong_key`] follows, or neither.
    ///
    /// # Errors
    /// [`Refused`] when nobody of that name may come in.
    fn coap(&self, _door: &Door, _name: &[u8]) -> Result<(ClientIdentity, Vec<u8>), Refused> {
        Err(Refused::NotAllowed)
    }

    /// A sensor has proved that it has its key.
    ///
    /// # Errors
    /// [`Refused`] when it may not come in any more.
    fn came_in(&self, _door: &Door, _identity: &ClientIdentity) -> Result<(), Refused> {
        Ok(())
    }

    /// Somebody showed a sensor's name, and did not have its key.
    fn wrong_key(&self, _door: &Door, _identity: &ClientIdentity) {}

    /// A personal health device, or a gateway that brings one.
    ///
    /// # Errors
    /// [`Refused`] when it may not connect.
    fn phd(&self, _door: &Door) -> Result<ClientIdentity, Refused> {
        Err(Refused::NotAllowed)
    }

    /// Keeps the record of a client that begins to follow readings; may block. When it fails the
    /// client gets nothing: no audit, no access (SE-1).
    ///
    /// # Errors
    /// [`Refused`] when no record can be kept.
    fn follows(&self, _identity: &ClientIdentity, _what: &str) -> Result<(), Refused> {
        Ok(())
    }

    /// Keeps note of a command or configuration that a client sends down to a device, or tried to:
    /// `what` is the last level of the topic. Must not wait.
    fn commanded(&self, _identity: &ClientIdentity, _device: &str, _what: &'static str, _allowed: bool) {}

    /// Moves on when accounts may have changed; asked every second or so.
    fn changes(&self) -> u64 {
        0
    }

    /// Moves at once when accounts, devices or certificates may have changed, if somebody tells.
    fn moved(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Authorities (DER) whose client certificates are taken, beside those of the configuration.
    fn authorities(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Whether a client certificate, whose chain and key were proved, is let in at this moment.
    ///
    /// # Errors
    /// Why not.
    fn judge(&self, _shown: &Presented) -> Result<(), Refusal> {
        Ok(())
    }

    /// Certificates of live sessions were withdrawn ([`Presented::withdraw`]): whoever came in with one
    /// is asked about again.
    fn withdrawn(&self) {}

    /// Keeps note of a client that was refused in the handshake, and why.
    fn refused(&self, _door: &Door, _refusal: Refusal) {}

    /// The zone of a connection, before anything is read from it.
    ///
    /// # Errors
    /// [`Refusal::WrongZone`] when this network may not use this listener.
    fn zone(&self, _peer: SocketAddr, _listener: &'static str) -> Result<String, Refusal> {
        Ok(String::new())
    }

    /// What devices may not say, whoever brings it.
    fn restrictions(&self) -> Option<Arc<Restrictions>> {
        None
    }

    /// Keeps note of something that a device may not say, and did.
    fn violated(&self, _identity: &ClientIdentity, _violation: &Violation) {}

    /// Whether a client that came in earlier would still be let in.
    fn still_stands(&self, _identity: &ClientIdentity) -> bool {
        true
    }

    /// How much a client may send; none: as much as it can.
    fn allowance(&self, _identity: &ClientIdentity) -> Option<Allowance> {
        None
    }

    /// A device was heard. Called for each live message: a microsecond at most, and no waiting.
    fn heard(&self, _heard: &fleet::habit::Heard<'_>) {}

    /// A device says how it gets on with an update: what it published on `vitalwire/<id>/firmware`.
    /// Must not wait: the device is answered when the receipt says so (DU-1).
    fn firmware(&self, _device: &DeviceId, _report: &[u8], receipt: Receipt) {
        receipt.kept();
    }
}

/// Tells the connection that something is kept, so that its sender is answered. Let go without a
/// word, it was not kept: the connection ends, and the sender says it again.
#[derive(Debug)]
pub struct Receipt(Option<(Arc<AckQueue>, u64)>);

impl Receipt {
    pub(crate) fn new(acks: &Arc<AckQueue>, token: u64) -> Self {
        Self(Some((Arc::clone(acks), token)))
    }

    /// It is durable, or there is nothing to keep.
    pub fn kept(mut self) {
        if let Some((acks, token)) = self.0.take() {
            acks.settle(token, Outcome::Committed(0));
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some((acks, token)) = self.0.take() {
            acks.settle(token, Outcome::Failed(Arc::new(JournalError::Closed)));
        }
    }
}

/// What is known of a connection before anything is said on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Door {
    /// The other end.
    pub peer: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// The client's certificate, which an authority of ours has signed; none without one.
    pub presented: Option<Arc<Presented>>,
    /// Which listener: one of [`guard::LISTENERS`].
    pub listener: &'static str,
    /// The zone that it is in; empty when there are none.
    pub zone: String,
}

impl Door {
    /// The names in the client's certificate: those of subjectAltName, then the common name.
    /// Empty without one.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.presented.as_ref().map_or(&[], |shown| &shown.names)
    }
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
    /// Whether it may publish for devices; one device's own account always may for its own.
    pub may_publish: bool,
    /// Whether it may send configuration and commands down to devices.
    pub may_configure: bool,
    /// What its credentials are, as a text that changes with them: for [`Authenticator::still_stands`].
    pub standing: String,
    /// Whether it came in because authentication is off.
    pub open: bool,
    /// Whether it is a peer without an account, known by its address or certificate.
    pub peer: bool,
    /// The certificate that it came in with.
    pub presented: Option<Arc<Presented>>,
    /// The zone that it came in from.
    pub zone: String,
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
        Ok(ClientIdentity::open(client_id))
    }

    fn mllp(&self, peer: SocketAddr) -> Result<ClientIdentity, Refused> {
        Ok(ClientIdentity::open(&peer.to_string()))
    }

    fn phd(&self, door: &Door) -> Result<ClientIdentity, Refused> {
        door.peer.map(|peer| ClientIdentity::open(&peer.to_string())).ok_or(Refused::NotAllowed)
    }
}

impl ClientIdentity {
    /// Somebody who may do everything, because authentication is off.
    #[must_use]
    pub fn open(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            device: None,
            may_subscribe: true,
            may_publish: true,
            may_configure: true,
            standing: String::new(),
            open: true,
            peer: false,
            presented: None,
            zone: String::new(),
        }
    }

    /// A peer that only delivers messages, known by its network address or certificate.
    #[must_use]
    pub fn peer(name: &str) -> Self {
        let open = Self::open(name);
        Self { may_subscribe: false, may_configure: false, open: false, peer: true, ..open }
    }

    /// One device's own account.
    #[must_use]
    pub fn device(device: DeviceId, standing: String) -> Self {
        Self {
            name: device.to_string(),
            device: Some(device),
            may_subscribe: false,
            may_publish: false,
            may_configure: false,
            standing,
            open: false,
            peer: false,
            presented: None,
            zone: String::new(),
        }
    }
}

/// Waits until accounts, devices or certificates may have changed; for ever where nobody tells.
pub async fn told(moved: &mut Option<watch::Receiver<u64>>) {
    if let Some(moved) = moved
        && moved.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
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
