//! Who may come in through which door: the guard's accounts and devices, or everybody under `--open`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use gateway::{Allowance, Authenticator, ClientIdentity, Door, Receipt, Refused};
use guard::{
    Account, Deed, Guard, Note, Outcome, Permission, Presented, Record, Refusal, Restrictions,
    SecurityEvent, Violation,
};
use tokio::sync::watch;
use vitals::DeviceId;

use crate::clock::clock;

/// Asks the guard.
pub(crate) struct Doorkeeper {
    pub(crate) guard: Guard,
    /// Addresses that may use MLLP, which knows no passwords.
    pub(crate) mllp_peers: Vec<IpAddr>,
    /// Names in certificates that may use MLLP from any address.
    pub(crate) mllp_names: Vec<String>,
    /// Addresses and names in certificates of gateways that bring personal health devices.
    pub(crate) phd_peers: Vec<IpAddr>,
    pub(crate) phd_names: Vec<String>,
    /// Who watches how devices behave.
    pub(crate) depot: depot::Depot,
    /// Where devices say how they get on with an update.
    pub(crate) reports: crate::steward::Reports,
    /// How much devices and programs may send.
    pub(crate) limits: crate::config::Limits,
}

/// The name of a protocol in the audit log.
fn route(door: &Door) -> &'static str {
    match door.listener {
        "mqtt" => "MQTT",
        "mqtt-tls" => "MQTT over TLS",
        "mllp" => "MLLP",
        "mllp-tls" => "MLLP over TLS",
        "phd" => "IEEE 11073-20601",
        "phd-tls" => "IEEE 11073-20601 over TLS",
        "coap-dtls" => "CoAP over DTLS",
        _ => "HTTP",
    }
}

fn deed(door: &Door) -> &'static str {
    if door.listener.starts_with("mllp") {
        "mllp-connect"
    } else if door.listener.starts_with("phd") {
        "phd-connect"
    } else if door.listener.starts_with("coap") {
        "coap-connect"
    } else if door.listener == "http" {
        "https-connect"
    } else {
        "mqtt-connect"
    }
}

fn source(door: &Door) -> Option<IpAddr> {
    door.peer.map(|peer| peer.ip().to_canonical())
}

impl Doorkeeper {
    fn let_in(&self, identity: &ClientIdentity, door: &Door) {
        let factor = match identity {
            ClientIdentity { presented: Some(_), .. } => "certificate",
            ClientIdentity { peer: true, .. } => "address",
            _ if door.listener == "coap-dtls" => "key",
            ClientIdentity { device: Some(_), .. } => "password",
            _ => "token",
        };
        let note = Note {
            action: deed(door),
            route: route(door),
            actor: identity.name.clone(),
            source: source(door),
            outcome: Outcome::Allowed,
            object: String::new(),
            factor,
        };
        self.guard.note(note, clock());
    }

    /// Notes a refusal with its reason; a device that is not known or not in service is listed, and
    /// what looks like an attack becomes a security event.
    fn turn_away(&self, named: &str, door: &Door, refusal: Refusal) {
        let device = DeviceId::new(named).ok();
        let known = device.as_ref().is_some_and(|id| self.guard.admit_device(id) != Err(Refusal::Unknown));
        let actor = if known { named.to_owned() } else { "unknown".to_owned() };
        let note = Note {
            action: deed(door),
            route: route(door),
            actor,
            source: source(door),
            outcome: Outcome::Denied,
            object: String::new(),
            factor: "",
        };
        self.guard.note_because(note, refusal.name(), clock());
        if let (Some(id), Refusal::Unknown | Refusal::NotInService(_)) = (&device, refusal) {
            self.guard.heard(id, source(door), door.listener, clock());
        }
        let kind = match refusal {
            Refusal::WrongZone => "wrong-zone",
            Refusal::Revoked => "revoked-certificate",
            Refusal::NotIssued => "forged-certificate",
            Refusal::OtherAuthority => "other-authority",
            _ => return,
        };
        let from = source(door).map_or_else(|| "somewhere".to_owned(), |ip| ip.to_string());
        let serial = door.presented.as_ref().map_or_else(String::new, |shown| format!(", certificate {}", shown.serial));
        let place = if door.zone.is_empty() { String::new() } else { format!(", zone {}", door.zone) };
        self.guard.security_event(SecurityEvent {
            kind,
            device,
            zone: door.zone.clone(),
            evidence: format!("refused at {} from {from}{place}{serial}", door.listener),
            at: clock(),
        });
    }

    /// The device that a certificate is of, if it may come in; none when it names nobody.
    fn certified(&self, door: &Door) -> Result<Option<ClientIdentity>, Refusal> {
        let Some(shown) = &door.presented else { return Ok(None) };
        let Some(device) = self.guard.judge(shown, clock())? else { return Ok(None) };
        self.device(device, door).map(|identity| {
            Some(ClientIdentity { presented: Some(Arc::clone(shown)), ..identity })
        })
    }

    /// A device that proved who it is, if it is in service and in its zone.
    fn device(&self, id: DeviceId, door: &Door) -> Result<ClientIdentity, Refusal> {
        let admitted = self.guard.admit_device(&id)?;
        let zone = self.guard.heard_in_zone(&admitted.zone, source(door), door.listener)?;
        Ok(ClientIdentity { zone, ..ClientIdentity::device(id, admitted.standing) })
    }

    /// The device that shows this name over DTLS, and its key.
    fn sensor(&self, door: &Door, name: &[u8]) -> Result<(ClientIdentity, Vec<u8>), Refusal> {
        let (id, key) = self.guard.device_key(name).ok_or(Refusal::Unknown)?;
        Ok((self.device(id, door)?, key))
    }

    fn known(&self, user: &str, password: &[u8], door: &Door) -> Result<ClientIdentity, Refusal> {
        if let Some(device) = self.guard.device(user, password) {
            return self.device(device, door);
        }
        // A program with a token may speak for many devices: a gateway, a test.
        let account = std::str::from_utf8(password).ok().and_then(|token| self.guard.bearer(token, clock()));
        if let Some(account) = account.filter(|account| account.name == user) {
            return Ok(ClientIdentity { zone: door.zone.clone(), ..self.program(&account) });
        }
        let id = DeviceId::new(user).map_err(|_| Refusal::Unknown)?;
        Err(self.guard.admit_device(&id).err().unwrap_or(Refusal::BadPassword))
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
            peer: false,
            presented: None,
            zone: String::new(),
        }
    }

    /// Who an MQTT client is: by name and password, or by certificate. Both must not disagree.
    fn mqtt_client(
        &self,
        door: &Door,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refusal> {
        let certified = self.certified(door)?;
        let Some((user, password)) = user.zip(password) else {
            let none = if door.presented.is_some() { Refusal::Unknown } else { Refusal::NoCertificate };
            let identity = certified.ok_or(none)?;
            return match user {
                Some(user) if user != identity.name => Err(Refusal::Unknown),
                _ => Ok(identity),
            };
        };
        let identity = self.known(user, password, door)?;
        match certified {
            Some(own) if identity.device.is_some() && own.device != identity.device => Err(Refusal::Unknown),
            Some(own) => Ok(ClientIdentity { presented: own.presented, ..identity }),
            None => Ok(identity),
        }
    }

    /// Lets in who comes without a password, or notes that it was turned away; in a trial everybody comes in.
    fn peer(&self, door: &Door, peers: &[IpAddr], names: &[String]) -> Result<ClientIdentity, Refused> {
        let peer = door.peer.ok_or(Refused::NotAllowed)?;
        if self.guard.is_open() {
            return Ok(ClientIdentity::open(&peer.to_string()));
        }
        let identity = self.known_peer(door, peers, names).map_err(|refusal| {
            self.turn_away(claimed(door, None, ""), door, refusal);
            Refused::NotAllowed
        })?;
        self.let_in(&identity, door);
        Ok(identity)
    }

    /// Who comes without a password: by a device's certificate, one of `names` in a certificate, or from
    /// one of `peers`.
    fn known_peer(&self, door: &Door, peers: &[IpAddr], names: &[String]) -> Result<ClientIdentity, Refusal> {
        if let Some(identity) = self.certified(door)? {
            return Ok(identity);
        }
        let by_name = door.names().iter().find(|name| names.contains(name));
        if let Some(name) = by_name {
            let (presented, zone) = (door.presented.clone(), door.zone.clone());
            return Ok(ClientIdentity { presented, zone, ..ClientIdentity::peer(name) });
        }
        let address = source(door).filter(|address| peers.contains(address));
        let address = address.ok_or(Refusal::Unknown)?;
        Ok(ClientIdentity { zone: door.zone.clone(), ..ClientIdentity::peer(&address.to_string()) })
    }
}

/// What a client says it is, for the list of those that were heard.
fn claimed<'a>(door: &'a Door, user: Option<&'a str>, client_id: &'a str) -> &'a str {
    let named = door.names().iter().map(|name| name.strip_prefix(guard::DEVICE_URN).unwrap_or(name));
    named.chain(user).find(|name| DeviceId::new(name).is_ok()).unwrap_or(client_id)
}

impl Authenticator for Doorkeeper {
    fn mqtt(
        &self,
        client_id: &str,
        user: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<ClientIdentity, Refused> {
        self.mqtt_at(&Door { listener: "mqtt", ..Door::default() }, client_id, user, password)
    }

    fn mllp(&self, peer: SocketAddr) -> Result<ClientIdentity, Refused> {
        self.mllp_at(&Door { peer: Some(peer), listener: "mllp", ..Door::default() })
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
        let identity = self.mqtt_client(door, user, password).map_err(|refusal| {
            self.turn_away(claimed(door, user, client_id), door, refusal);
            // Whoever guesses learns nothing of what was wrong.
            if refusal == Refusal::WrongZone { Refused::NotAllowed } else { Refused::BadCredentials }
        })?;
        self.let_in(&identity, door);
        let useless =
            identity.device.is_none() && !identity.may_publish && !identity.may_subscribe;
        if useless && !identity.may_configure { Err(Refused::NotAllowed) } else { Ok(identity) }
    }

    fn mllp_at(&self, door: &Door) -> Result<ClientIdentity, Refused> {
        self.peer(door, &self.mllp_peers, &self.mllp_names)
    }

    fn coap(&self, door: &Door, name: &[u8]) -> Result<(ClientIdentity, Vec<u8>), Refused> {
        self.sensor(door, name).map_err(|refusal| {
            self.turn_away(&String::from_utf8_lossy(name), door, refusal);
            if refusal == Refusal::Unknown { Refused::BadCredentials } else { Refused::NotAllowed }
        })
    }

    fn came_in(&self, door: &Door, identity: &ClientIdentity) -> Result<(), Refused> {
        if !self.still_stands(identity) {
            return Err(Refused::NotAllowed);
        }
        self.let_in(identity, door);
        Ok(())
    }

    fn wrong_key(&self, door: &Door, identity: &ClientIdentity) {
        self.turn_away(&identity.name, door, Refusal::BadPassword);
    }

    fn phd(&self, door: &Door) -> Result<ClientIdentity, Refused> {
        self.peer(door, &self.phd_peers, &self.phd_names)
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

    fn commanded(&self, identity: &ClientIdentity, device: &str, what: &'static str, allowed: bool) {
        let known = DeviceId::new(device).is_ok_and(|id| self.guard.admit_device(&id) != Err(Refusal::Unknown));
        let note = Note {
            action: if what == "config" { "configure-device" } else { "command-device" },
            route: "MQTT PUBLISH",
            actor: identity.name.clone(),
            source: None,
            outcome: if allowed { Outcome::Allowed } else { Outcome::Denied },
            object: if known { device.to_owned() } else { String::new() },
            factor: "",
        };
        self.guard.note(note, clock());
    }

    fn changes(&self) -> u64 {
        self.guard.changes()
    }

    fn moved(&self) -> Option<watch::Receiver<u64>> {
        Some(self.guard.moved())
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        if self.guard.is_open() || !self.guard.has_authority() {
            return Vec::new();
        }
        match self.guard.authority_der(clock()) {
            Ok(der) => vec![der],
            Err(error) => {
                tracing::error!(%error, "devices that our own authority certified are refused");
                Vec::new()
            }
        }
    }

    fn judge(&self, shown: &Presented) -> Result<(), Refusal> {
        self.guard.judge(shown, clock()).map(drop)
    }

    fn withdrawn(&self) {
        self.guard.look_again();
    }

    fn refused(&self, door: &Door, refusal: Refusal) {
        self.turn_away(claimed(door, None, ""), door, refusal);
    }

    fn zone(&self, peer: SocketAddr, listener: &'static str) -> Result<String, Refusal> {
        let zone = self.guard.heard_in_zone("", Some(peer.ip().to_canonical()), listener);
        if zone.is_err() {
            let door = Door { peer: Some(peer), listener, ..Door::default() };
            self.turn_away("", &door, Refusal::WrongZone);
        }
        zone
    }

    fn restrictions(&self) -> Option<Arc<Restrictions>> {
        Some(self.guard.restrictions()).filter(|restrictions| !restrictions.is_empty())
    }

    fn violated(&self, identity: &ClientIdentity, violation: &Violation) {
        let own = identity.device.as_ref() == Some(&violation.device);
        let by = if own { String::new() } else { format!(", brought by {}", identity.name) };
        self.guard.security_event(SecurityEvent {
            kind: violation.kind,
            device: Some(violation.device.clone()),
            zone: identity.zone.clone(),
            evidence: format!("{}{by}", violation.what),
            at: clock(),
        });
    }

    fn allowance(&self, identity: &ClientIdentity) -> Option<Allowance> {
        let one_device = identity.device.is_some() && !identity.open;
        Some(if one_device { self.limits.device() } else { self.limits.service() })
    }

    fn heard(&self, heard: &fleet::habit::Heard<'_>) {
        self.depot.hear(heard);
    }

    fn firmware(&self, device: &DeviceId, report: &[u8], receipt: Receipt) {
        self.reports.put(device, report, receipt);
    }

    fn still_stands(&self, identity: &ClientIdentity) -> bool {
        if self.guard.is_open() {
            return true;
        }
        if let Some(shown) = &identity.presented
            && self.guard.judge(shown, clock()).is_err()
        {
            return false;
        }
        match &identity.device {
            _ if identity.peer => true,
            Some(device) => {
                self.guard.device_standing(device).as_deref() == Some(identity.standing.as_str())
            }
            None => {
                let account = self.guard.service_named(&identity.name);
                account.is_some_and(|account| {
                    let zone = identity.zone.clone();
                    let presented = identity.presented.clone();
                    ClientIdentity { zone, presented, ..self.program(&account) } == *identity
                })
            }
        }
    }
}
