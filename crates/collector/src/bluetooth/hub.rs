//! The collector without I/O: messages of BlueZ and the time go in, what is to be done comes out.
//!
//! A device that is on the list, and no other, is connected to when it is seen; what it notifies and
//! indicates is subscribed to, some values are read, and a device that keeps records is asked for those
//! that were not had yet.

use std::collections::HashMap;

use wire_dbus::{Field, Kind, Message, Value};

use super::objects::{ADAPTER, CHARACTERISTIC, DEVICE, Objects};
use super::settings::Settings;

const BLUEZ: &str = "org.bluez";
const BUS: &str = "org.freedesktop.DBus";
const MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// After a failed connection, in microseconds: the shortest wait, and the longest while it is not seen.
const WAIT_MIN: i64 = 2_000_000;
const WAIT_MAX: i64 = 300_000_000;
/// A connection that does not come about is given up.
const CONNECT_MAX: i64 = 60_000_000;

/// Most answers that are waited for.
const ASKED_MAX: usize = 4_096;

/// Characteristics that are subscribed to: those that measure, and what records are asked by.
const TELLING: [u16; 18] = [
    0x2a37, 0x2a35, 0x2a1c, 0x2a1e, 0x2a9d, 0x2a9c, 0x2a5e, 0x2a5f, 0x2a18, 0x2a34, 0x2aa7, 0x2b20, 0x2b21, 0x2b22, 0x2b28,
    0x2a53, 0x2a19, RECORDS,
];
/// Characteristics that are read once a connection: texts of the device, battery, a CGM session's start, a
/// pump's state.
const READING: [u16; 13] =
    [0x2a23, 0x2a24, 0x2a25, 0x2a26, 0x2a27, 0x2a28, 0x2a29, 0x2a50, 0x2a19, SESSION_START, 0x2b21, 0x2b22, 0x2bff];
/// Read again when a pump says that something has changed.
const AFTER_CHANGE: [u16; 2] = [0x2b21, 0x2b22];
const STATUS_CHANGED: u16 = 0x2b20;
const SESSION_START: u16 = 0x2aaa;
const GLUCOSE: u16 = 0x2a18;
const CGM: u16 = 0x2aa7;
const RECORDS: u16 = 0x2a52;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Todo {
    /// Send a message to the bus.
    Send(Message),
    /// A device (by its place in the settings) said a value.
    Value(usize, u16, Vec<u8>),
    /// A device's line is there, or is not any more.
    Link(usize, bool),
    /// To be counted and told in the log.
    Note(&'static str),
}

/// What a reply is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Objects,
    Connect(usize),
    Subscribe(usize),
    Read(usize, u16),
    Records,
    Other,
}

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not connected; not to be tried before this time.
    Away(i64),
    /// Being connected since.
    Connecting(i64),
    /// Connected and subscribed.
    Ready,
}

#[derive(Debug)]
struct Line {
    stage: Stage,
    wait: i64,
    /// The next record that is wanted; none: all.
    records_from: Option<u16>,
}

/// The collector.
#[derive(Debug)]
pub(super) struct Hub {
    settings: Settings,
    admitted: Vec<bool>,
    objects: Objects,
    lines: Vec<Line>,
    asked: HashMap<u32, Asked>,
    serial: u32,
    began: bool,
    searching: bool,
    told_off: bool,
}

impl Hub {
    /// `records` says for each device which record is the next; serials begin behind that of `Hello`.
    pub(super) fn new(settings: Settings, records: &[Option<u16>]) -> Self {
        let line = |records_from: Option<u16>| Line { stage: Stage::Away(0), wait: WAIT_MIN, records_from };
        let lines: Vec<Line> = (0..settings.peers.len()).map(|at| line(records.get(at).copied().flatten())).collect();
        let admitted = vec![true; lines.len()];
        Self {
            settings, admitted, objects: Objects::default(), lines, asked: HashMap::new(), serial: 1,
            began: false, searching: false, told_off: false,
        }
    }

    /// What the bus is asked first: to tell what BlueZ tells, and what there is.
    pub(super) fn begin(&mut self) -> Vec<Todo> {
        let mut todo = Vec::new();
        for rule in [
            "type='signal',sender='org.bluez',interface='org.freedesktop.DBus.ObjectManager'",
            "type='signal',sender='org.bluez',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
            "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.bluez'",
        ] {
            self.ask(&mut todo, Asked::Other, (BUS, "/org/freedesktop/DBus", BUS, "AddMatch"), vec![Value::text(rule)]);
        }
        self.ask(&mut todo, Asked::Objects, (BLUEZ, "/", MANAGER, "GetManagedObjects"), Vec::new());
        todo
    }

    /// The devices that are registered and in service, as in the settings: others are let go.
    pub(super) fn admit(&mut self, admitted: Vec<bool>) {
        self.admitted = admitted;
    }

    /// The record after which a device is asked next time.
    pub(super) fn had_record(&mut self, device: usize, next: u16) {
        if let Some(line) = self.lines.get_mut(device) {
            line.records_from = Some(next);
        }
    }

    /// A message of the bus.
    pub(super) fn take(&mut self, message: &Message, now: i64) -> Vec<Todo> {
        let mut todo = Vec::new();
        match message.kind {
            Kind::Return | Kind::Error => self.reply(message, now, &mut todo),
            Kind::Signal => self.signal(message, now, &mut todo),
            Kind::Call => {}
        }
        self.step(now, &mut todo);
        todo
    }

    /// The passing of time.
    pub(super) fn tick(&mut self, now: i64) -> Vec<Todo> {
        let mut todo = Vec::new();
        self.step(now, &mut todo);
        todo
    }

    fn reply(&mut self, message: &Message, now: i64, todo: &mut Vec<Todo>) {
        let Some(asked) = message.reply_serial.and_then(|serial| self.asked.remove(&serial)) else { return };
        let failed = message.kind == Kind::Error;
        match asked {
            Asked::Objects if failed => todo.push(Todo::Note("no-bluez")),
            Asked::Objects => {
                self.began = true;
                for (path, interfaces) in message.body.first().into_iter().flat_map(Value::entries) {
                    for (interface, properties) in interfaces.entries() {
                        let both = path.as_text().zip(interface.as_text());
                        both.into_iter().for_each(|(path, interface)| self.objects.learn(path, interface, properties));
                    }
                }
            }
            Asked::Connect(device) if failed => {
                todo.push(Todo::Note("not-connected"));
                self.lines[device].fail(now);
            }
            Asked::Subscribe(_) if failed => todo.push(Todo::Note("not-subscribed")),
            Asked::Read(device, number) if !failed => {
                if let Some(bytes) = message.body.first().and_then(Value::as_bytes) {
                    todo.push(Todo::Value(device, number, bytes.to_vec()));
                }
            }
            Asked::Records if failed => todo.push(Todo::Note("no-records")),
            _ => {}
        }
    }

    fn signal(&mut self, message: &Message, now: i64, todo: &mut Vec<Todo>) {
        let path = message.text(Field::Path);
        match (message.text(Field::Member), message.body.as_slice()) {
            ("InterfacesAdded", [object, interfaces]) => {
                let object = object.as_text().unwrap_or_default();
                for (interface, properties) in interfaces.entries() {
                    self.objects.learn(object, interface.as_text().unwrap_or_default(), properties);
                    self.seen(object, interface.as_text().unwrap_or_default(), properties, now);
                }
            }
            ("InterfacesRemoved", [object, interfaces]) => {
                let ours = |interface: &Value| matches!(interface.as_text(), Some(ADAPTER | DEVICE | CHARACTERISTIC));
                if interfaces.items().iter().any(ours) {
                    self.objects.forget(object.as_text().unwrap_or_default());
                }
            }
            ("PropertiesChanged", [interface, properties, ..]) if message.text(Field::Interface) == PROPERTIES => {
                let interface = interface.as_text().unwrap_or_default();
                if interface == CHARACTERISTIC {
                    self.value(path, properties, todo);
                } else {
                    self.objects.learn(path, interface, properties);
                    self.seen(path, interface, properties, now);
                }
            }
            ("NameOwnerChanged", [_, _, new]) => {
                self.objects = Objects::default();
                (self.began, self.searching) = (false, false);
                if new.as_text().is_some_and(|owner| !owner.is_empty()) {
                    self.ask(todo, Asked::Objects, (BLUEZ, "/", MANAGER, "GetManagedObjects"), Vec::new());
                } else {
                    todo.push(Todo::Note("no-bluez"));
                }
            }
            _ => {}
        }
    }

    /// A device that advertises is there now: it is connected to without waiting longer.
    fn seen(&mut self, path: &str, interface: &str, properties: &Value, now: i64) {
        let advertised = ["RSSI", "ManufacturerData", "ServiceData"].iter().any(|name| properties.get(name).is_some());
        if interface != DEVICE || !advertised {
            return;
        }
        let Some(remote) = self.objects.remotes.get(path) else { return };
        let device = self.settings.peers.iter().position(|peer| peer.address == remote.address);
        if let Some(line) = device.and_then(|at| self.lines.get_mut(at))
            && let Stage::Away(due) = line.stage
        {
            line.stage = Stage::Away(due.min(now + WAIT_MIN));
        }
    }

    fn value(&mut self, path: &str, properties: &Value, todo: &mut Vec<Todo>) {
        let Some(bytes) = properties.get("Value").and_then(Value::as_bytes) else { return };
        let Some(characteristic) = self.objects.characteristics.get(path).copied() else { return };
        let Some((device, remote)) = self.device_of(path) else { return };
        if self.lines[device].stage != Stage::Ready || !self.admitted[device] {
            return;
        }
        if !TELLING.contains(&characteristic.number) {
            // Read by us: the answer brings it.
            return;
        }
        todo.push(Todo::Value(device, characteristic.number, bytes.to_vec()));
        if characteristic.number == STATUS_CHANGED {
            self.read(device, &remote, &AFTER_CHANGE, todo);
        }
    }

    /// Which device's a characteristic is, and that one's path.
    fn device_of(&self, path: &str) -> Option<(usize, String)> {
        let above = |device: &str| path.strip_prefix(device).is_some_and(|rest| rest.starts_with('/'));
        let (device, remote) = self.objects.remotes.iter().find(|(device, _)| above(device))?;
        let at = self.settings.peers.iter().position(|peer| peer.address == remote.address)?;
        Some((at, device.clone()))
    }

    /// Does what the present state asks for.
    fn step(&mut self, now: i64, todo: &mut Vec<Todo>) {
        if !self.began {
            for device in 0..self.lines.len() {
                self.lose(device, now, todo);
            }
            return;
        }
        let Some((adapter, powered)) = self.adapter() else {
            return self.without_adapter("no-adapter", now, todo);
        };
        if !powered {
            return self.without_adapter("adapter-off", now, todo);
        }
        self.told_off = false;
        let mut missing = false;
        for device in 0..self.lines.len() {
            missing |= self.advance(device, &adapter, now, todo);
        }
        if missing && !self.searching {
            self.searching = true;
            let filter = Value::options(vec![("Transport", Value::text("le"))]);
            self.ask(todo, Asked::Other, (BLUEZ, &adapter, ADAPTER, "SetDiscoveryFilter"), vec![filter]);
            self.ask(todo, Asked::Other, (BLUEZ, &adapter, ADAPTER, "StartDiscovery"), Vec::new());
        } else if !missing && self.searching {
            self.searching = false;
            self.ask(todo, Asked::Other, (BLUEZ, &adapter, ADAPTER, "StopDiscovery"), Vec::new());
        }
    }

    fn without_adapter(&mut self, note: &'static str, now: i64, todo: &mut Vec<Todo>) {
        if !std::mem::replace(&mut self.told_off, true) {
            todo.push(Todo::Note(note));
        }
        self.searching = false;
        (0..self.lines.len()).for_each(|device| self.lose(device, now, todo));
    }

    /// Brings a device on; whether it is still to be looked for.
    fn advance(&mut self, device: usize, adapter: &str, now: i64, todo: &mut Vec<Todo>) -> bool {
        let found = self.objects.remote(adapter, &self.settings.peers[device].address);
        let found = found.map(|(path, remote)| (path.clone(), remote.connected, remote.resolved));
        let Some((path, connected, resolved)) = found else {
            self.lose(device, now, todo);
            return self.admitted[device];
        };
        if !self.admitted[device] {
            if connected && self.lines[device].stage == Stage::Ready {
                self.ask(todo, Asked::Other, (BLUEZ, &path, DEVICE, "Disconnect"), Vec::new());
            }
            self.lose(device, now, todo);
            return false;
        }
        match self.lines[device].stage {
            Stage::Ready if !connected => {
                self.lose(device, now, todo);
                true
            }
            Stage::Ready => false,
            _ if connected && resolved => {
                self.subscribe(device, &path, todo);
                self.lines[device].stage = Stage::Ready;
                self.lines[device].wait = WAIT_MIN;
                todo.push(Todo::Link(device, true));
                false
            }
            Stage::Away(due) if !connected && now >= due => {
                self.lines[device].stage = Stage::Connecting(now);
                self.ask(todo, Asked::Connect(device), (BLUEZ, &path, DEVICE, "Connect"), Vec::new());
                true
            }
            Stage::Connecting(since) if now - since > CONNECT_MAX => {
                todo.push(Todo::Note("not-connected"));
                self.lines[device].fail(now);
                true
            }
            _ => !connected,
        }
    }

    fn lose(&mut self, device: usize, now: i64, todo: &mut Vec<Todo>) {
        if self.lines[device].stage == Stage::Ready {
            self.lines[device].fail(now);
            todo.push(Todo::Link(device, false));
        }
    }

    fn subscribe(&mut self, device: usize, path: &str, todo: &mut Vec<Todo>) {
        // Where a CGM session began is known before its values come.
        self.read(device, path, &READING, todo);
        let telling = self.objects.of(path).filter(|(_, c)| c.tells && TELLING.contains(&c.number));
        let telling: Vec<String> = telling.map(|(path, _)| path.clone()).collect();
        for path in telling {
            self.ask(todo, Asked::Subscribe(device), (BLUEZ, &path, CHARACTERISTIC, "StartNotify"), Vec::new());
        }
        self.ask_records(device, path, todo);
    }

    /// Asks a device that keeps records for those that were not had yet.
    fn ask_records(&mut self, device: usize, path: &str, todo: &mut Vec<Todo>) {
        let has = |number: u16| self.objects.of(path).any(|(_, c)| c.number == number);
        let access = self.objects.of(path).find(|(_, c)| c.number == RECORDS && c.tells && c.writes);
        let access = access.map(|(path, _)| path.clone()).filter(|_| has(GLUCOSE) || has(CGM));
        let Some(access) = access else { return };
        // Report stored records: all, or from the next number on (filter type 1).
        let request = match self.lines[device].records_from {
            None => vec![1, 1],
            Some(next) => [&[1, 3, 1][..], &next.to_le_bytes()].concat(),
        };
        let body = vec![Value::Bytes(request), Value::options(vec![("type", Value::text("request"))])];
        self.ask(todo, Asked::Records, (BLUEZ, &access, CHARACTERISTIC, "WriteValue"), body);
    }

    /// Asks a device for all of its records: a new session numbers them anew.
    pub(super) fn all_records(&mut self, device: usize) -> Vec<Todo> {
        let mut todo = Vec::new();
        self.lines[device].records_from = None;
        let address = &self.settings.peers[device].address;
        let path = self.adapter().and_then(|(adapter, _)| self.objects.remote(&adapter, address).map(|(path, _)| path.clone()));
        if let Some(path) = path {
            self.ask_records(device, &path, &mut todo);
        }
        todo
    }

    fn read(&mut self, device: usize, path: &str, numbers: &[u16], todo: &mut Vec<Todo>) {
        let wanted = self.objects.of(path).filter(|(_, c)| c.reads && numbers.contains(&c.number));
        let wanted: Vec<(String, u16)> = wanted.map(|(path, c)| (path.clone(), c.number)).collect();
        for (path, number) in wanted {
            let options = vec![Value::options(Vec::new())];
            self.ask(todo, Asked::Read(device, number), (BLUEZ, &path, CHARACTERISTIC, "ReadValue"), options);
        }
    }

    /// The adapter that is used, and whether it is on.
    fn adapter(&self) -> Option<(String, bool)> {
        let wanted = self.settings.adapter.as_ref().map(|name| format!("/org/bluez/{name}"));
        let mut all = self.objects.adapters.iter();
        let found = all.find(|(path, _)| wanted.as_ref().is_none_or(|wanted| wanted == *path))?;
        Some((found.0.clone(), found.1.powered))
    }

    fn ask(&mut self, todo: &mut Vec<Todo>, what: Asked, (to, path, interface, member): (&str, &str, &str, &str), body: Vec<Value>) {
        self.serial = self.serial.checked_add(1).unwrap_or(2);
        // Answers that never come are not waited for.
        if self.asked.len() >= ASKED_MAX {
            self.asked.clear();
        }
        self.asked.insert(self.serial, what);
        let mut call = Message::call(self.serial, to, path, interface, member);
        call.body = body;
        todo.push(Todo::Send(call));
    }
}

impl Line {
    /// Not connected: not to be tried for a while, longer each time.
    fn fail(&mut self, now: i64) {
        self.stage = Stage::Away(now.saturating_add(self.wait));
        self.wait = (self.wait * 2).min(WAIT_MAX);
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
