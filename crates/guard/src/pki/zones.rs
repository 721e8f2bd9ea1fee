//! Zones: which network speaks through which listener, and which roles work from there.
//!
//! An address is in the zone whose network holds it most narrowly; of zones whose networks are
//! equally narrow, in the one that has the listener. Without zones everything is one zone.

use std::net::IpAddr;

use vitals::Role;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.1.0.0/16`, `fd00::/8` or one address; none when it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let base: IpAddr = address.parse().ok()?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        (prefix <= most).then_some(Self { base, prefix })
    }

    /// Whether an address is in it. IPv4 addresses in IPv6 clothes are IPv4.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let same = |own: u128, other: u128, bits: u32| {
            let shift = bits - u32::from(self.prefix);
            shift >= bits || (own >> shift) == (other >> shift)
        };
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(u128::from(u32::from(own)), u128::from(u32::from(other)), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same(u128::from(own), u128::from(other), 128),
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// The listeners that a zone may have.
pub const LISTENERS: [&str; 9] =
    ["mqtt", "mqtt-tls", "mllp", "mllp-tls", "http", "coap-dtls", "coap", "phd", "phd-tls"];

/// A part of the house's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub networks: Vec<Network>,
    /// Listeners that answer there, of [`LISTENERS`]; all when none is named.
    pub listeners: Vec<String>,
    /// Roles that work from there; all when none is named.
    pub roles: Vec<Role>,
}

impl Zone {
    fn has(&self, listener: &str) -> bool {
        self.listeners.is_empty() || self.listeners.iter().any(|own| own == listener)
    }

    /// How narrowly it holds an address.
    fn narrowness(&self, address: IpAddr) -> Option<u8> {
        self.networks.iter().filter(|network| network.holds(address)).map(|n| n.prefix).max()
    }
}

/// Every zone; none of them: everything is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zones(pub Vec<Zone>);

/// An address that may not use a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this network may not use this door")]
pub struct Outside;

impl Zones {
    /// The zone that a connection is in; an empty name when there are no zones.
    ///
    /// # Errors
    /// [`Outside`] when no zone has the address, or the zone has not the listener.
    pub fn at(&self, address: Option<IpAddr>, listener: &str) -> Result<&str, Outside> {
        if self.0.is_empty() {
            return Ok("");
        }
        let address = address.ok_or(Outside)?;
        self.of(address).find(|zone| zone.has(listener)).map(|zone| zone.name.as_str()).ok_or(Outside)
    }

    /// Whether a role may work from an address. Without an address (the program itself) it may.
    #[must_use]
    pub fn admit(&self, role: Role, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return true };
        let fits = |zone: &Zone| zone.has("http") && (zone.roles.is_empty() || zone.roles.contains(&role));
        self.0.is_empty() || self.of(address).any(fits)
    }

    /// Whether a zone of that name exists; the empty name always does.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        name.is_empty() || self.0.iter().any(|zone| zone.name == name)
    }

    /// The zones that hold an address most narrowly.
    fn of(&self, address: IpAddr) -> impl Iterator<Item = &Zone> {
        let most = self.0.iter().filter_map(|zone| zone.narrowness(address)).max();
        self.0.iter().filter(move |zone| most.is_some() && zone.narrowness(address) == most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones() -> Zones {
        let zone = |name: &str, network: &str, listeners: &[&str], roles: &[Role]| Zone {
            name: name.to_owned(),
            networks: network.split(' ').filter_map(Network::parse).collect(),
            listeners: listeners.iter().map(|l| (*l).to_owned()).collect(),
            roles: roles.to_vec(),
        };
        Zones(vec![
            zone("house", "10.0.0.0/8 fd00::/8", &["http"], &[]),
            zone("wards", "10.1.0.0/16", &["mqtt-tls", "mllp-tls"], &[]),
            zone("workshop", "10.1.9.0/24", &[], &[Role::Engineer]),
        ])
    }

    #[test]
    fn the_narrowest_network_decides() {
        let zones = zones();
        for (address, listener, expected) in [
            ("10.2.3.4", "http", Ok("house")),
            ("::ffff:10.2.3.4", "http", Ok("house")),
            ("fd00::1", "http", Ok("house")),
            ("10.2.3.4", "mqtt", Err(Outside)),
            ("10.1.3.4", "mqtt-tls", Ok("wards")),
            ("10.1.3.4", "mqtt", Err(Outside)),
            ("10.1.3.4", "http", Err(Outside)),
            ("10.1.9.4", "mqtt", Ok("workshop")),
            ("192.0.2.1", "http", Err(Outside)),
        ] {
            let found = zones.at(address.parse().ok(), listener);
            assert_eq!(found, expected, "{address} {listener}");
        }
        assert_eq!(Zones::default().at(None, "mqtt"), Ok(""), "without zones there is one");
    }

    #[test]
    fn roles_work_from_their_zones() {
        let zones = zones();
        for (role, address, expected) in [
            (Role::Nurse, "10.2.3.4", true),
            (Role::Nurse, "10.1.9.4", false),
            (Role::Engineer, "10.1.9.4", true),
            (Role::Engineer, "10.1.3.4", false),
            (Role::Nurse, "192.0.2.1", false),
        ] {
            assert_eq!(zones.admit(role, address.parse().ok()), expected, "{role:?} {address}");
        }
    }

    #[test]
    fn networks_are_read_strictly() {
        for bad in ["10.0.0.0/33", "ward", "10.0.0/8", "fd00::/129", "10.0.0.0/-1", ""] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
        let all = Network::parse("0.0.0.0/0").expect("everything");
        assert!(all.holds(IpAddr::from([192, 0, 2, 1])) && !all.holds(IpAddr::from([0_u16; 8])));
    }
}
