//! BlueZ as it tells of a cuff and a glucose meter, and what the collector asks of it.

use vitals::DeviceId;

use super::super::settings::Peer;
use super::*;

const ADAPTER_PATH: &str = "/org/bluez/hci0";
const CUFF: &str = "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_01";
const METER: &str = "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_02";
const STRANGER: &str = "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_03";
const SECOND: i64 = 1_000_000;

fn hub() -> Hub {
    let peer = |id: &str, address: &str| Peer { id: DeviceId::sanitised(id), address: address.to_owned(), utc_offset_min: 0, user: None };
    let peers = vec![peer("cuff", "aa:bb:cc:dd:ee:01"), peer("meter", "AA:BB:CC:DD:EE:02")];
    Hub::new(Settings::new(None, None, peers).expect("good"), &[None, Some(5)])
}

fn reply(to: u32, body: Vec<Value>) -> Message {
    let mut reply = Message::new(Kind::Return, 99);
    (reply.reply_serial, reply.body) = (Some(to), body);
    reply
}

fn signal(path: &str, interface: &str, member: &str, body: Vec<Value>) -> Message {
    let signal = Message::new(Kind::Signal, 99).with(Field::Path, path).with(Field::Interface, interface);
    let mut signal = signal.with(Field::Member, member);
    signal.body = body;
    signal
}

fn changed(path: &str, interface: &str, properties: Vec<(&str, Value)>) -> Message {
    let body = vec![Value::text(interface), Value::options(properties), Value::Array("s".to_owned(), Vec::new())];
    signal(path, PROPERTIES, "PropertiesChanged", body)
}

/// An object with one interface, as an entry of `GetManagedObjects`.
fn object(path: &str, interface: &str, properties: Vec<(&str, Value)>) -> Value {
    let interfaces = Value::Entry(Box::new((Value::text(interface), Value::options(properties))));
    let interfaces = Value::Array("{sa{sv}}".to_owned(), vec![interfaces]);
    Value::Entry(Box::new((Value::Path(path.to_owned()), interfaces)))
}

fn device(path: &str) -> Value {
    let address = path.rsplit_once("dev_").map(|(_, rest)| rest.replace('_', ":")).expect("a device's path");
    object(path, DEVICE, vec![("Address", Value::text(address)), ("Connected", Value::Boolean(false))])
}

fn characteristic(path: &str, number: u16, flags: &[&str]) -> Value {
    let flags = Value::Array("s".to_owned(), flags.iter().map(|flag| Value::text(*flag)).collect());
    let uuid = Value::text(format!("{:08x}-0000-1000-8000-00805f9b34fb", number));
    object(path, CHARACTERISTIC, vec![("UUID", uuid), ("Flags", flags)])
}

/// What is asked, as `member path`, and all else in words.
fn said(todo: &[Todo]) -> Vec<String> {
    let one = |todo: &Todo| match todo {
        Todo::Send(call) => {
            let path = call.text(Field::Path).rsplit('/').next().unwrap_or_default();
            format!("{} {path}", call.text(Field::Member))
        }
        Todo::Value(device, number, bytes) => format!("value {device} {number:04x} {bytes:02x?}"),
        Todo::Link(device, there) => format!("link {device} {there}"),
        Todo::Note(note) => (*note).to_owned(),
    };
    todo.iter().map(one).collect()
}

/// A hub that has read which objects there are; and what it asks then.
fn begun(powered: bool) -> (Hub, Vec<String>) {
    let mut hub = hub();
    let asked = hub.begin();
    assert_eq!(said(&asked), ["AddMatch DBus", "AddMatch DBus", "AddMatch DBus", "GetManagedObjects "]);
    let Some(Todo::Send(objects)) = asked.last() else { panic!("no call") };
    let all = vec![
        object(ADAPTER_PATH, ADAPTER, vec![("Powered", Value::Boolean(powered))]),
        device(CUFF),
        device(STRANGER),
        characteristic(&format!("{CUFF}/service1/char1"), 0x2a35, &["indicate"]),
        characteristic(&format!("{CUFF}/service2/char2"), 0x2a24, &["read"]),
        characteristic(&format!("{CUFF}/service3/char3"), 0x2a49, &["read"]),
        characteristic(&format!("{STRANGER}/service1/char1"), 0x2a37, &["notify"]),
        characteristic(&format!("{METER}/service1/char1"), 0x2a18, &["notify"]),
        characteristic(&format!("{METER}/service1/char2"), 0x2a52, &["write", "indicate"]),
    ];
    let all = Value::Array("{oa{sa{sv}}}".to_owned(), all);
    let todo = hub.take(&reply(objects.serial, vec![all]), 0);
    (hub, said(&todo))
}

fn connected(path: &str) -> Message {
    changed(path, DEVICE, vec![("Connected", Value::Boolean(true)), ("ServicesResolved", Value::Boolean(true))])
}

#[test]
fn devices_on_the_list_are_connected_and_no_others() {
    let (mut hub, todo) = begun(true);
    // The meter is not known yet: it is searched for.
    assert_eq!(todo, ["Connect dev_AA_BB_CC_DD_EE_01", "SetDiscoveryFilter hci0", "StartDiscovery hci0"]);
    assert_eq!(said(&hub.take(&connected(CUFF), SECOND)), ["ReadValue char2", "StartNotify char1", "link 0 true"]);
    let value = |path: &str| changed(&format!("{path}/service1/char1"), CHARACTERISTIC, vec![("Value", Value::Bytes(vec![1, 2]))]);
    assert_eq!(said(&hub.take(&value(CUFF), 2 * SECOND)), ["value 0 2a35 [01, 02]"]);
    hub.take(&connected(STRANGER), 2 * SECOND);
    assert!(hub.take(&value(STRANGER), 2 * SECOND).is_empty(), "a device that is not on the list says nothing");
    // The meter comes: connected at once, asked from the next record on, and nothing is searched for any more.
    let added = |path: &str| {
        let Value::Entry(entry) = device(path) else { panic!("an entry") };
        signal("/", MANAGER, "InterfacesAdded", vec![entry.0, entry.1])
    };
    assert_eq!(said(&hub.take(&added(METER), 3 * SECOND)), ["Connect dev_AA_BB_CC_DD_EE_02"]);
    let todo = hub.take(&connected(METER), 4 * SECOND);
    assert_eq!(said(&todo), ["StartNotify char1", "StartNotify char2", "WriteValue char2", "link 1 true", "StopDiscovery hci0"]);
    let written = todo.iter().find_map(|todo| match todo {
        Todo::Send(call) if call.text(Field::Member) == "WriteValue" => call.body[0].as_bytes(),
        _ => None,
    });
    assert_eq!(written, Some(&[1, 3, 1, 5, 0][..]));
    let again = hub.all_records(1);
    let Some(Todo::Send(call)) = again.first() else { panic!("no call") };
    assert_eq!(call.body[0].as_bytes(), Some(&[1, 1][..]));
}

#[test]
fn a_lost_device_is_tried_again_ever_more_seldom_and_at_once_when_it_is_seen() {
    let (mut hub, _) = begun(true);
    hub.take(&connected(CUFF), 0);
    let gone = changed(CUFF, DEVICE, vec![("Connected", Value::Boolean(false))]);
    assert_eq!(said(&hub.take(&gone, SECOND)), ["link 0 false"]);
    let mut tries = Vec::new();
    for second in 2..200 {
        for todo in hub.tick(second * SECOND) {
            if let Todo::Send(call) = todo
                && call.text(Field::Member) == "Connect"
            {
                tries.push(second);
                let mut failed = Message::new(Kind::Error, 99).with(Field::ErrorName, "org.bluez.Error.Failed");
                failed.reply_serial = Some(call.serial);
                assert_eq!(said(&hub.take(&failed, second * SECOND)), ["not-connected"]);
            }
        }
    }
    assert_eq!(tries, [3, 7, 15, 31, 63, 127]);
    let seen = changed(CUFF, DEVICE, vec![("RSSI", Value::Int16(-60))]);
    assert!(hub.take(&seen, 200 * SECOND).is_empty());
    assert_eq!(said(&hub.tick(202 * SECOND)), ["Connect dev_AA_BB_CC_DD_EE_01"]);
}

#[test]
fn what_is_not_there_is_told_once() {
    let (mut hub, todo) = begun(false);
    assert_eq!(todo, ["adapter-off"]);
    assert!(hub.tick(SECOND).is_empty());
    let on = changed(ADAPTER_PATH, ADAPTER, vec![("Powered", Value::Boolean(true))]);
    assert_eq!(said(&hub.take(&on, SECOND))[0], "Connect dev_AA_BB_CC_DD_EE_01");
    hub.take(&connected(CUFF), SECOND);
    let names = |new: &str| vec![Value::text("org.bluez"), Value::text(":1.5"), Value::text(new)];
    let gone = signal("/org/freedesktop/DBus", BUS, "NameOwnerChanged", names(""));
    assert_eq!(said(&hub.take(&gone, 2 * SECOND)), ["no-bluez", "link 0 false"]);
    let back = signal("/org/freedesktop/DBus", BUS, "NameOwnerChanged", names(":1.9"));
    assert_eq!(said(&hub.take(&back, 3 * SECOND)), ["GetManagedObjects "]);
}

#[test]
fn a_device_that_is_taken_out_of_service_is_let_go() {
    let (mut hub, _) = begun(true);
    hub.take(&connected(CUFF), 0);
    hub.admit(vec![false, true]);
    assert_eq!(said(&hub.tick(SECOND)), ["Disconnect dev_AA_BB_CC_DD_EE_01", "link 0 false"]);
    assert!(hub.tick(2 * SECOND).is_empty());
}
