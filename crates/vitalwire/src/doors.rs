//! Who may come in through which door: the guard's accounts, or everybody under `--open`.

use std::net::{IpAddr, SocketAddr};

use gateway::{Authenticator, ClientIdentity, Door, Refused};
use guard::{Account, Deed, Guard, Note, Outcome, Permission, Record};
use vitals::DeviceId;

use crate::clock::clock;

/// Asks the guard.
pub(crate) struct Doorkeeper {
    pub(crate) guard: Guard,
    /// Addresses that may use MLLP, which knows no passwords.
    pub(crate) mllp_peers: Vec<IpAddr>,
    /// Names in certificates that may use MLLP from any address.
    pub(crate) mllp_names: Vec<String>,
}

impl Doorkeeper {
    fn note(&self, action: &'static str, actor: &str, door: &Door, let_in: bool) {
        let route = if action == "mllp-connect" { "MLLP" } else { "MQTT" };
        let source = door.peer.map(|peer| peer.ip().to_canonical());
        let outcome = if let_in { Outcome::Allowed } else { Outcome::Denied };
        let actor = actor.to_owned();
        self.guard.note(Note { action, route, actor, source, outcome }, clock());
    }

    /// The device that a certificate names, if it has credentials here.
    fn certified(&self, door: &Door) -> Option<ClientIdentity> {
        door.certificate.iter().find_map(|name| {
            let device = DeviceId::new(name).ok()?;
            let standing = self.guard.device_standing(&device)?;
            Some(ClientIdentity::device(device, standing))
        })
    }

    fn known(&self, user: &str, password: &[u8]) -> Option<ClientIdentity> {
        if let Some(device) = self.guard.device(user, password) {
            let standing = self.guard.device_standing(&device)?;
            return Some(ClientIdentity::device(device, standing));
        }
        // A program with a token may speak for many devices: a gateway, a test.
        let token = std::str::from_utf8(password).ok()?;
        let account = self.guard.bearer(token, crate::clock::clock())?;
        (account.name == user).then(|| self.program(&account))
    }

    fn program(&self, account: &Account) -> ClientIdentity {
        let may = |permission| self.guard.allows(account, permission);
        ClientIdentity {
            name: account.name.clone(),
            device: None,
            may_subscribe: may(Permission::FollowReadings),
            may_publish: may(Permission::SendReadings),
            may_configure: may(Permission::ManageDevices),
            standing: account.role.name().to_owned(),
            open: false,
        }
    }
}

impl Authenticator for Doorkeeper {
    fn mqtt(
        &self,
        client_id: &str,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused> {
        self.mqtt_at(&Door::default(), client_id, user, password)
    }

    fn mllp(&self, peer: SocketAddr) -> Result<ClientIdentity, Refused> {
        self.mllp_at(&Door { peer: Some(peer), ..Door::default() })
    }

    fn mqtt_at(
        &self,
        door: &Door,
        client_id: &str,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused> {
        if self.guard.is_open() {
            return Ok(ClientIdentity::open(client_id));
        }
        let found = match user.zip(password) {
            Some((user, password)) => self.known(user, password),
            None => self.certified(door),
        };
        let name = found.as_ref().map_or("unknown", |identity| &identity.name);
        self.note("mqtt-connect", name, door, found.is_some());
        let identity = found.ok_or(Refused::BadCredentials)?;
        let useless =
            identity.device.is_none() && !identity.may_publish && !identity.may_subscribe;
        if useless && !identity.may_configure { Err(Refused::NotAllowed) } else { Ok(identity) }
    }

    fn mllp_at(&self, door: &Door) -> Result<ClientIdentity, Refused> {
        let peer = door.peer.ok_or(Refused::NotAllowed)?;
        if self.guard.is_open() {
            return Ok(ClientIdentity::open(&peer.to_string()));
        }
        let address = peer.ip().to_canonical();
        let by_name = door.certificate.iter().find(|name| self.mllp_names.contains(name));
        let by_address = || self.mllp_peers.contains(&address).then(|| address.to_string());
        let name = by_name.cloned().or_else(by_address);
        let actor = name.clone().unwrap_or_else(|| "unknown".to_owned());
        self.note("mllp-connect", &actor, door, name.is_some());
        name.map(|name| ClientIdentity::peer(&name)).ok_or(Refused::NotAllowed)
    }

    fn follows(&self, identity: &ClientIdentity, what: &str) -> Result<(), Refused> {
        let trial = identity.open.then(Account::trial);
        let account = trial.or_else(|| self.guard.service_named(&identity.name));
        let record = Record {
            at: clock(),
            actor: account.as_ref().map_or_else(|| "unknown".to_owned(), |a| a.name.clone()),
            role: account.map(|account| account.role),
            action: Deed::Permitted(Permission::FollowReadings),
            route: "MQTT SUBSCRIBE".to_owned(),
            subject: None,
            outcome: if identity.may_subscribe { Outcome::Allowed } else { Outcome::Denied },
            detail: what.to_owned(),
            ..Record::default()
        };
        self.guard.audit_blocking(record).map_err(|_| Refused::NotAllowed)
    }

    fn changes(&self) -> u64 {
        self.guard.changes()
    }

    fn still_stands(&self, identity: &ClientIdentity) -> bool {
        if self.guard.is_open() {
            return true;
        }
        match &identity.device {
            Some(device) => {
                self.guard.device_standing(device).as_deref() == Some(identity.standing.as_str())
            }
            None => {
                let account = self.guard.service_named(&identity.name);
                account.is_some_and(|account| self.program(&account) == *identity)
            }
        }
    }
}
