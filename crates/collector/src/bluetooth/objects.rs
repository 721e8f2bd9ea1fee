//! What BlueZ has, as far as it matters here: adapters, devices, characteristics, by their paths.

use std::collections::BTreeMap;

use wire_dbus::Value;

/// What lies between the Bluetooth numbers of 16 and of 128 bits.
const BASE_UUID: &str = "-0000-1000-8000-00805f9b34fb";
/// Most objects that are remembered.
const MOST: usize = 10_000;

pub(super) const ADAPTER: &str = "org.bluez.Adapter1";
pub(super) const DEVICE: &str = "org.bluez.Device1";
pub(super) const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";

/// An adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Adapter {
    pub(super) powered: bool,
    pub(super) discovering: bool,
}

/// A device that BlueZ knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Remote {
    pub(super) address: String,
    pub(super) connected: bool,
    /// Its characteristics are known.
    pub(super) resolved: bool,
}

/// A characteristic of the Bluetooth SIG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Characteristic {
    pub(super) number: u16,
    /// It notifies or indicates.
    pub(super) tells: bool,
    pub(super) reads: bool,
    pub(super) writes: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) adapters: BTreeMap<String, Adapter>,
    pub(super) remotes: BTreeMap<String, Remote>,
    pub(super) characteristics: BTreeMap<String, Characteristic>,
}

impl Objects {
    /// Takes what is said of an object: one interface with some or all of its properties.
    pub(super) fn learn(&mut self, path: &str, interface: &str, properties: &Value) {
        if self.adapters.len() + self.remotes.len() + self.characteristics.len() >= MOST && !self.knows(path) {
            return;
        }
        let flag = |name: &str| properties.get(name).and_then(Value::as_bool);
        match interface {
            ADAPTER => {
                let adapter = self.adapters.entry(path.to_owned()).or_default();
                adapter.powered = flag("Powered").unwrap_or(adapter.powered);
                adapter.discovering = flag("Discovering").unwrap_or(adapter.discovering);
            }
            DEVICE => {
                let remote = self.remotes.entry(path.to_owned()).or_default();
                if let Some(address) = properties.get("Address").and_then(Value::as_text) {
                    remote.address = address.to_uppercase();
                }
                remote.connected = flag("Connected").unwrap_or(remote.connected);
                remote.resolved = flag("ServicesResolved").unwrap_or(remote.resolved) && remote.connected;
            }
            CHARACTERISTIC => {
                let Some(number) = properties.get("UUID").and_then(Value::as_text).and_then(number) else { return };
                let flags: Vec<&str> =
                    properties.get("Flags").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_text).collect();
                let has = |names: &[&str]| names.iter().any(|name| flags.contains(name));
                let characteristic = Characteristic {
                    number,
                    tells: has(&["notify", "indicate"]),
                    reads: has(&["read", "encrypt-read", "encrypt-authenticated-read"]),
                    writes: has(&["write", "encrypt-write", "encrypt-authenticated-write"]),
                };
                self.characteristics.insert(path.to_owned(), characteristic);
            }
            _ => {}
        }
    }

    /// An object is gone.
    pub(super) fn forget(&mut self, path: &str) {
        self.adapters.remove(path);
        self.remotes.remove(path);
        self.characteristics.remove(path);
    }

    fn knows(&self, path: &str) -> bool {
        self.adapters.contains_key(path) || self.remotes.contains_key(path) || self.characteristics.contains_key(path)
    }

    /// The path of the device with an address, on one adapter.
    pub(super) fn remote(&self, adapter: &str, address: &str) -> Option<(&String, &Remote)> {
        let below = |path: &str| path.strip_prefix(adapter).is_some_and(|rest| rest.starts_with('/'));
        self.remotes.iter().find(|(path, remote)| remote.address == address && below(path))
    }

    /// The characteristics of a device.
    pub(super) fn of<'a>(&'a self, device: &'a str) -> impl Iterator<Item = (&'a String, &'a Characteristic)> {
        self.characteristics.iter().filter(move |(path, _)| path.strip_prefix(device).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// The number of 16 bits that a characteristic of the Bluetooth SIG has.
fn number(uuid: &str) -> Option<u16> {
    let uuid = uuid.to_ascii_lowercase();
    let digits = uuid.strip_suffix(BASE_UUID)?.strip_prefix("0000")?;
    u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_objects() {
        let mut objects = Objects::default();
        let device = "/org/bluez/hci0/dev_1";
        objects.learn(device, DEVICE, &Value::options(vec![
            ("Address", Value::text("aa:bb:cc:dd:ee:ff")),
            ("Connected", Value::Boolean(true)),
            ("ServicesResolved", Value::Boolean(true)),
        ]));
        let flags = Value::Array("s".to_owned(), vec![Value::text("read"), Value::text("indicate")]);
        for (path, uuid) in [("/a", "00002a35-0000-1000-8000-00805F9B34FB"), ("/b", "12345678-0000-1000-8000-00805f9b34fb"), ("0/c", "00002a37-0000-1000-8000-00805f9b34fb")] {
            let properties = Value::options(vec![("UUID", Value::text(uuid)), ("Flags", flags.clone())]);
            objects.learn(&format!("{device}{path}"), CHARACTERISTIC, &properties);
        }
        let (path, remote) = objects.remote("/org/bluez/hci0", "AA:BB:CC:DD:EE:FF").expect("known");
        assert!(remote.connected && remote.resolved && path == device);
        assert_eq!(objects.remote("/org/bluez/hci", "AA:BB:CC:DD:EE:FF"), None);
        let found: Vec<_> = objects.of(device).map(|(_, c)| *c).collect();
        assert_eq!(found, [Characteristic { number: 0x2a35, tells: true, reads: true, writes: false }]);
        objects.learn(device, DEVICE, &Value::options(vec![("Connected", Value::Boolean(false))]));
        assert!(!objects.remotes[device].resolved, "what is not connected is not resolved");
    }
}
