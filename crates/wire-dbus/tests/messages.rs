//! Messages as others write them, all kinds of values there and back, any bytes.

use proptest::prelude::*;
use wire_dbus::{DbusError, Field, Kind, MESSAGE_MAX, Message, Value};

/// `Hello` as the specification's own layout gives it, put together by hand.
fn hello() -> Vec<u8> {
    let mut bytes = vec![b'l', 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 109, 0, 0, 0];
    for (number, kind, text) in [
        (1_u8, b'o', "/org/freedesktop/DBus"),
        (2, b's', "org.freedesktop.DBus"),
        (3, b's', "Hello"),
        (6, b's', "org.freedesktop.DBus"),
    ] {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend([number, 1, kind, 0]);
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes[12] = (bytes.len() - 16) as u8;
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

#[test]
fn a_call_is_laid_out_as_specified() {
    let bus = "org.freedesktop.DBus";
    let call = Message::call(1, bus, "/org/freedesktop/DBus", bus, "Hello");
    assert_eq!(call.encode(), hello());
    assert_eq!(Message::decode(&hello()), Ok(Some((call, hello().len()))));
}

#[test]
fn a_signal_in_the_other_byte_order() {
    // PropertiesChanged of a characteristic: interface, {"Value": <bytes 00 48>}, [].
    let mut body = Vec::new();
    let text = |body: &mut Vec<u8>, text: &str| {
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend((text.len() as u32).to_be_bytes());
        body.extend(text.as_bytes());
        body.push(0);
    };
    text(&mut body, "org.bluez.GattCharacteristic1");
    body.resize(body.len().next_multiple_of(4), 0);
    let length_at = body.len();
    body.extend([0; 4]);
    body.resize(body.len().next_multiple_of(8), 0);
    let begin = body.len();
    text(&mut body, "Value");
    body.extend([2, b'a', b'y', 0]);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([0, 0, 0, 2, 0, 0x48]);
    let length = (body.len() - begin) as u32;
    body[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([0; 4]);
    let mut bytes = vec![b'B', 4, 1, 1];
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(7_u32.to_be_bytes());
    bytes.extend([0; 4]);
    for (number, kind, said) in [(1_u8, b'o', "/org/bluez/hci0/dev_1/service1/char2"), (2, b's', "org.freedesktop.DBus.Properties"), (3, b's', "PropertiesChanged")] {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend([number, 1, kind, 0]);
        text(&mut bytes, said);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend([8, 1, b'g', 0, 8]);
    bytes.extend(b"sa{sv}as");
    bytes.push(0);
    let fields = (bytes.len() - 16) as u32;
    bytes[12..16].copy_from_slice(&fields.to_be_bytes());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(&body);
    let (signal, taken) = Message::decode(&bytes).expect("a message").expect("whole");
    assert_eq!((signal.kind, signal.text(Field::Member), taken), (Kind::Signal, "PropertiesChanged", bytes.len()));
    assert_eq!(signal.body[1].get("Value").and_then(Value::as_bytes), Some(&[0, 0x48][..]));
    for cut in 0..bytes.len() {
        assert_eq!(Message::decode(&bytes[..cut]), Ok(None), "{cut}");
    }
}

#[test]
fn what_is_no_message() {
    let with = |at: usize, byte: u8| {
        let mut bytes = hello();
        bytes[at] = byte;
        Message::decode(&bytes).expect_err("none")
    };
    assert_eq!(with(0, b'x'), DbusError::Order);
    assert_eq!(with(1, 0), DbusError::Kind(0));
    assert_eq!(with(1, 5), DbusError::Kind(5));
    assert_eq!(with(3, 2), DbusError::Version(2));
    assert_eq!(with(7, 0xff), DbusError::Limit);
    assert_eq!(with(8, 0), DbusError::Header);
    // A path that is said to be a text.
    assert_eq!(with(18, b's'), DbusError::Header);
    // A reply that answers nothing.
    assert_eq!(with(1, 2), DbusError::Header);
    let huge = Message::new(Kind::Signal, 1).and(Value::Bytes(vec![0; MESSAGE_MAX]));
    assert_eq!(Message::decode(&huge.encode()), Err(DbusError::Limit));
}

fn simple() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::Byte),
        any::<bool>().prop_map(Value::Boolean),
        any::<i16>().prop_map(Value::Int16),
        any::<u16>().prop_map(Value::Uint16),
        any::<i32>().prop_map(Value::Int32),
        any::<u32>().prop_map(Value::Uint32),
        any::<i64>().prop_map(Value::Int64),
        any::<u64>().prop_map(Value::Uint64),
        (-1e9..1e9).prop_map(Value::Double),
        "[a-zé]{0,12}".prop_map(Value::Text),
        "/[a-z/]{0,12}".prop_map(Value::Path),
        Just(Value::Signature("a{sv}".to_owned())),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    simple().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(Value::variant),
            proptest::collection::vec(inner.clone(), 1..5).prop_map(Value::Struct),
            proptest::collection::vec(("[a-z]{0,5}", inner.clone()), 0..5)
                .prop_map(|options| Value::options(options.iter().map(|(key, value)| (key.as_str(), value.clone())).collect())),
            (inner, 0_usize..4).prop_map(|(item, count)| match item {
                // Bytes in an array have a shape of their own.
                Value::Byte(byte) => Value::Bytes(vec![byte; count]),
                item => Value::Array(item.signature(), vec![item; count]),
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn values_there_and_back(values in proptest::collection::vec(any_value(), 0..5), serial in 1_u32..) {
        let mut message = Message::call(serial, "org.bluez", "/org/bluez", "org.bluez.Adapter1", "Try").with(Field::Sender, ":1.7");
        message.body = values;
        prop_assume!(message.body.iter().map(Value::signature).collect::<String>().len() < 256);
        let bytes = message.encode();
        prop_assert_eq!(Message::decode(&bytes), Ok(Some((message, bytes.len()))));
        let twice = [&bytes[..], &bytes].concat();
        prop_assert_eq!(Message::decode(&twice).expect("a message").expect("whole").1, bytes.len());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), good in any::<bool>(), flip in any::<proptest::sample::Index>()) {
        let mut start = hello();
        if good {
            let at = flip.index(start.len());
            start[at] ^= bytes.first().copied().unwrap_or(1);
        } else {
            start.truncate(4);
            start.extend(bytes);
        }
        if let Ok(Some((message, taken))) = Message::decode(&start) {
            prop_assert!(taken <= start.len());
            let written = message.encode();
            prop_assert_eq!(Message::decode(&written).expect("readable").map(|(again, _)| again), Some(message));
        }
    }
}
