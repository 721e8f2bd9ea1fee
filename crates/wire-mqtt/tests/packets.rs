//! Packets as data: bytes on one side, what they mean on the other.

use proptest::prelude::*;
use wire_mqtt::codec::encode::{self, PublishHead};
use wire_mqtt::codec::{Frame, FromServer, Packet, decode, decode_server, split};
use wire_mqtt::{MqttError, Qos, Reason, Version};

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|b| u8::from_str_radix(b, 16).expect("hex in a test")).collect()
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    split(bytes, usize::MAX).expect("a valid length").expect("a whole packet")
}

fn refused(hex: &str, version: Version, name: &str) {
    let bytes = bytes(hex);
    let frame = frame(&bytes);
    let error = decode(frame.header, frame.body, version).expect_err(hex);
    assert_eq!(error.name(), name, "{hex}: {error}");
}

#[test]
fn what_is_refused_and_why() {
    use Version::{V3, V5};
    // CONNECT: reserved flag, will QoS 3, will QoS without will, version 6, another protocol.
    refused("10 0d 00 04 4d 51 54 54 04 03 00 00 00 01 61", V3, "malformed");
    refused("10 13 00 04 4d 51 54 54 04 1e 00 00 00 01 61 00 01 62 00 01 63", V3, "malformed");
    refused("10 0d 00 04 4d 51 54 54 04 0a 00 00 00 01 61", V3, "malformed");
    refused("10 0d 00 04 4d 51 54 54 06 02 00 00 00 01 61", V3, "unsupported-version");
    refused("10 0d 00 04 48 54 54 50 04 02 00 00 00 01 61", V3, "malformed");
    // A password without user name is malformed in 3.1.1 only.
    refused("10 10 00 04 4d 51 54 54 04 42 00 00 00 01 61 00 01 62", V3, "malformed");
    // PUBLISH: QoS 3, DUP with QoS 0, packet id 0, U+0000 and broken UTF-8 in the topic.
    refused("36 05 00 01 61 00 01", V3, "malformed");
    refused("38 03 00 01 61", V3, "malformed");
    refused("32 05 00 01 61 00 00", V3, "malformed");
    refused("30 03 00 01 00", V3, "malformed");
    refused("30 04 00 02 c3 28", V3, "malformed");
    // PUBLISH 5: no topic and no alias, alias 0, a property twice, one of CONNECT, an unknown one.
    refused("30 03 00 00 00", V5, "protocol-error");
    refused("30 07 00 01 61 03 23 00 00", V5, "bad-alias");
    refused("30 08 00 01 61 04 01 00 01 00", V5, "protocol-error");
    refused("30 07 00 01 61 03 21 00 01", V5, "protocol-error");
    refused("30 05 00 01 61 01 7f", V5, "malformed");
    // SUBSCRIBE: wrong flags, no filter, reserved option bits, retain handling 3.
    refused("80 06 00 01 00 01 61 00", V3, "malformed");
    refused("82 02 00 01", V3, "protocol-error");
    refused("82 06 00 01 00 01 61 04", V3, "malformed");
    refused("82 07 00 01 00 00 01 61 30", V5, "malformed");
    refused("a2 02 00 01", V3, "protocol-error");
    // What only servers send; AUTH before version 5.
    refused("20 02 00 00", V3, "protocol-error");
    refused("f0 00", V3, "malformed");
    refused("e0 01 00", V3, "malformed");
}

#[test]
fn a_password_alone_is_fine_in_version_5() {
    let bytes = bytes("10 11 00 04 4d 51 54 54 05 42 00 00 00 00 01 61 00 01 62");
    let frame = frame(&bytes);
    let Ok(Packet::Connect(connect)) = decode(frame.header, frame.body, Version::V5) else {
        panic!("not a CONNECT");
    };
    assert_eq!((connect.user, connect.password), (None, Some(&b"b"[..])));
}

#[test]
fn properties_are_read_and_passed_on() {
    // Alias 7, expiry 60, user property k=v, content type "t".
    let bytes = bytes(
        "30 1b 00 01 61 15 23 00 07 02 00 00 00 3c 26 00 01 6b 00 01 76 03 00 01 74 01 01 78 78",
    );
    let frame = frame(&bytes);
    let Ok(Packet::Publish(publish)) = decode(frame.header, frame.body, Version::V5) else {
        panic!("not a PUBLISH");
    };
    let properties = &publish.properties;
    assert_eq!((properties.alias, properties.expiry_s), (Some(7), Some(60)));
    assert_eq!(properties.user().collect::<Vec<_>>(), [("k", "v")]);
    assert_eq!((properties.content_type, properties.utf8), (Some("t"), true));
    assert_eq!(publish.payload, b"xx");
    let publication = wire_mqtt::Publication::new(&publish, "a", 1, 1_000);
    assert_eq!(publication.expires_ms, Some(61_000));
    assert_eq!(&*publication.properties, &frame.body[12..25]);
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, header: u8, five: bool) {
        let version = if five { Version::V5 } else { Version::V3 };
        let _ = split(&bytes, 100);
        let _ = decode(header, &bytes, version);
        let _ = decode_server(header, &bytes, version);
    }

    #[test]
    fn a_publish_reads_back(
        topic in "[a-z/]{1,40}",
        payload: Vec<u8>,
        qos in 0_u8..3,
        dup: bool,
        retain: bool,
        packet_id in 1_u16..,
        alias in proptest::option::of(1_u16..),
        expiry_s: Option<u32>,
        identifiers in proptest::collection::vec(1_u32..268_435_455, 0..4),
        five: bool,
    ) {
        let version = if five { Version::V5 } else { Version::V3 };
        let qos = Qos::from_bits(qos).expect("in range");
        let dup = dup && qos != Qos::AtMostOnce;
        let head = PublishHead {
            dup, qos, retain, packet_id, alias, expiry_s, identifiers: &identifiers, properties: &[],
        };
        let mut out = vec![0xaa];
        let length = encode::publish(&mut out, version, &head, &topic, &payload, usize::MAX);
        prop_assert_eq!(length, Some(out.len() - 1));
        prop_assert_eq!(
            encode::publish(&mut Vec::new(), version, &head, &topic, &payload, out.len() - 2), None);
        let frame = frame(&out[1..]);
        let Ok(FromServer::Publish(read)) = decode_server(frame.header, frame.body, version) else {
            panic!("not a PUBLISH");
        };
        prop_assert_eq!((read.dup, read.qos, read.retain), (dup, qos, retain));
        prop_assert_eq!((read.topic, read.payload), (&*topic, &payload[..]));
        if qos != Qos::AtMostOnce {
            prop_assert_eq!(read.packet_id, packet_id);
        }
        if five {
            prop_assert_eq!((read.properties.alias, read.properties.expiry_s), (alias, expiry_s));
            prop_assert_eq!(read.properties.subscription_ids().collect::<Vec<_>>(), identifiers);
        }
    }

    #[test]
    fn a_packet_in_pieces_is_the_same(payload: Vec<u8>, cut in 0_usize..200) {
        let mut out = Vec::new();
        encode::publish(&mut out, Version::V3, &PublishHead::default(), "a", &payload, usize::MAX);
        let cut = cut % out.len();
        prop_assert_eq!(split(&out[..cut], usize::MAX), Ok(None));
        prop_assert_eq!(split(&out, usize::MAX).map(|f| f.map(|f| f.length)), Ok(Some(out.len())));
        prop_assert_eq!(split(&out, out.len() - 1), Err(MqttError::TooLarge));
    }
}

#[test]
fn reasons_become_return_codes_in_3_1_1() {
    for (reason, code) in [
        (Reason::SUCCESS, 0),
        (Reason::UNSUPPORTED_VERSION, 1),
        (Reason::CLIENT_ID, 2),
        (Reason::QUOTA, 3),
        (Reason::BAD_CREDENTIALS, 4),
        (Reason::NOT_AUTHORISED, 5),
    ] {
        let mut out = Vec::new();
        encode::conn_ack(&mut out, Version::V3, false, reason, &Default::default());
        assert_eq!(out, [0x20, 2, 0, code]);
    }
}
