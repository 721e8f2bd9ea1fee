//! The same packets as another implementation writes and reads them: `mqtt-protocol-core` is the
//! peer, in both directions and both versions.

use mqtt_protocol_core::mqtt::packet::{
    self as theirs, MessageExpiryInterval, ReceiveMaximum, SessionExpiryInterval,
    SubEntry, SubOpts, TopicAlias, UserProperty, WillDelayInterval, v3_1_1, v5_0,
};
use wire_mqtt::codec::encode::{self, AckKind, Block, ConnAckProperties, PublishHead};
use wire_mqtt::codec::{Packet, decode, split};
use wire_mqtt::{Qos, Reason, Version};

fn with_ours<T>(bytes: &[u8], version: Version, look: impl FnOnce(Packet<'_>) -> T) -> T {
    let frame = split(bytes, usize::MAX).expect("a valid length").expect("a whole packet");
    assert_eq!(frame.length, bytes.len());
    look(decode(frame.header, frame.body, version).expect("a valid packet"))
}

fn body(bytes: &[u8]) -> (u8, &[u8]) {
    let frame = split(bytes, usize::MAX).expect("a valid length").expect("a whole packet");
    (frame.header, frame.body)
}

#[test]
fn their_connect_reads_the_same() {
    let packet = v5_0::Connect::builder()
        .client_id("monitor-1")
        .expect("valid")
        .clean_start(true)
        .keep_alive(30)
        .user_name("u")
        .expect("valid")
        .password("p")
        .expect("valid")
        .will_message("a/b", "gone", theirs::Qos::AtLeastOnce, true)
        .expect("valid")
        .will_props(vec![WillDelayInterval::new(9).expect("valid").into()])
        .props(vec![
            SessionExpiryInterval::new(77).expect("valid").into(),
            ReceiveMaximum::new(5).expect("valid").into(),
        ])
        .build()
        .expect("valid");
    with_ours(&packet.to_continuous_buffer(), Version::V5, |packet| {
        let Packet::Connect(connect) = packet else { panic!("not a CONNECT") };
        assert_eq!((connect.version, connect.clean), (Version::V5, true));
        assert_eq!((connect.client_id, connect.keep_alive_s), ("monitor-1", 30));
        assert_eq!((connect.user, connect.password), (Some("u"), Some(&b"p"[..])));
        assert_eq!(connect.properties.session_expiry_s, Some(77));
        assert_eq!(connect.properties.receive_maximum, Some(5));
        let will = connect.will.expect("a will");
        assert_eq!((will.topic, will.payload, will.qos), ("a/b", &b"gone"[..], Qos::AtLeastOnce));
        assert!(will.retain);
        assert_eq!(will.properties.will_delay_s, Some(9));
    });
}

#[test]
fn their_publish_and_subscribe_read_the_same() {
    let publish = v5_0::Publish::builder()
        .topic_name("a/b")
        .expect("valid")
        .qos(theirs::Qos::ExactlyOnce)
        .packet_id(300_u16)
        .retain(true)
        .payload("72")
        .props(vec![
            TopicAlias::new(3).expect("valid").into(),
            MessageExpiryInterval::new(10).expect("valid").into(),
            UserProperty::new("k", "v").expect("valid").into(),
        ])
        .build()
        .expect("valid");
    with_ours(&publish.to_continuous_buffer(), Version::V5, |packet| {
        let Packet::Publish(publish) = packet else { panic!("not a PUBLISH") };
        assert_eq!((publish.topic, publish.packet_id), ("a/b", 300));
        assert_eq!((publish.qos, publish.retain), (Qos::ExactlyOnce, true));
        assert_eq!(publish.properties.alias, Some(3));
        assert_eq!(publish.properties.expiry_s, Some(10));
        assert_eq!(publish.properties.user().count(), 1);
        assert_eq!(publish.payload, b"72");
    });
    let options = SubOpts::new().set_qos(theirs::Qos::AtLeastOnce).set_nl(true).set_rap(true);
    let subscribe = v5_0::Subscribe::builder()
        .packet_id(7_u16)
        .entries(vec![SubEntry::new("a/#", options).expect("valid")])
        .build()
        .expect("valid");
    with_ours(&subscribe.to_continuous_buffer(), Version::V5, |packet| {
        let Packet::Subscribe(subscribe) = packet else { panic!("not a SUBSCRIBE") };
        let entry = subscribe.entries[0];
        assert_eq!((entry.filter, entry.qos), ("a/#", Qos::AtLeastOnce));
        assert!(entry.no_local && entry.retain_as_published);
    });
}

#[test]
fn our_acknowledgements_read_the_same() {
    for version in [Version::V3, Version::V5] {
        let mut out = Vec::new();
        encode::ack(&mut out, version, AckKind::PubAck, 513, Reason::SUCCESS, &Block::new());
        let (_, body) = body(&out);
        let id = match version {
            Version::V3 => v3_1_1::Puback::parse(body).expect("valid").0.packet_id(),
            Version::V5 => v5_0::Puback::parse(body).expect("valid").0.packet_id(),
        };
        assert_eq!(id, 513);
    }
    let mut out = Vec::new();
    let block = Block::new().user("quarantined", "unmatched");
    encode::ack(&mut out, Version::V5, AckKind::PubRec, 9, Reason::NOT_AUTHORISED, &block);
    let (packet, _) = v5_0::Pubrec::parse(body(&out).1).expect("valid");
    assert_eq!(packet.reason_code().map(|r| r as u8), Some(0x87));
    assert_eq!(packet.props().as_ref().map(Vec::len), Some(1));
}

#[test]
fn our_answers_read_the_same() {
    let mut out = Vec::new();
    let properties = ConnAckProperties {
        session_expiry_s: Some(60),
        receive_maximum: 256,
        maximum_packet: 1 << 20,
        assigned_client_id: Some("auto-1"),
        alias_maximum: 64,
        server_keep_alive_s: Some(300),
        reason_string: None,
    };
    encode::conn_ack(&mut out, Version::V5, true, Reason::SUCCESS, &properties);
    let (packet, used) = v5_0::Connack::parse(body(&out).1).expect("valid");
    assert_eq!(used, body(&out).1.len());
    assert!(packet.session_present());
    assert_eq!(packet.props().len(), 6);

    let reasons = [Reason(1), Reason::NOT_AUTHORISED];
    out.clear();
    encode::sub_ack(&mut out, Version::V5, 4, &reasons);
    let (packet, _) = v5_0::Suback::parse(body(&out).1).expect("valid");
    assert_eq!(packet.reason_codes().iter().map(|r| *r as u8).collect::<Vec<_>>(), [1, 0x87]);
    out.clear();
    encode::sub_ack(&mut out, Version::V3, 4, &reasons);
    assert_eq!(out, [0x90, 4, 0, 4, 1, 0x80]);
    out.clear();
    encode::unsub_ack(&mut out, Version::V5, 4, &[Reason::NO_SUBSCRIPTION]);
    let (packet, _) = v5_0::Unsuback::parse(body(&out).1).expect("valid");
    assert_eq!(packet.packet_id(), 4);
    out.clear();
    encode::disconnect(&mut out, Reason::TAKEN_OVER, "another connection");
    let (packet, _) = v5_0::Disconnect::parse(body(&out).1).expect("valid");
    assert_eq!(packet.reason_code().map(|r| r as u8), Some(0x8e));
}

#[test]
fn our_publish_and_connect_read_the_same() {
    let mut out = Vec::new();
    let head = PublishHead {
        qos: Qos::AtLeastOnce,
        retain: true,
        packet_id: 77,
        alias: Some(2),
        expiry_s: Some(5),
        identifiers: &[1, 200_000],
        ..PublishHead::default()
    };
    encode::publish(&mut out, Version::V5, &head, "a/b", b"72", usize::MAX).expect("it fits");
    let (header, rest) = body(&out);
    let (packet, _) = v5_0::Publish::parse(header & 0x0f, rest.into()).expect("valid");
    assert_eq!((packet.topic_name(), packet.packet_id()), ("a/b", Some(77)));
    assert_eq!(packet.props().len(), 4);
    assert_eq!(packet.size(), out.len());

    out.clear();
    encode::connect(&mut out, Version::V5, "c", true, 9, Some(("u", "p")), &Block::new());
    let (packet, _) = v5_0::Connect::parse(body(&out).1).expect("valid");
    assert_eq!((packet.client_id(), packet.keep_alive()), ("c", 9));
    out.clear();
    encode::connect(&mut out, Version::V3, "c", false, 9, None, &Block::new());
    let (packet, _) = v3_1_1::Connect::parse(body(&out).1).expect("valid");
    assert!(!packet.clean_session());
    out.clear();
    encode::subscribe(&mut out, Version::V3, 3, &[("a/#", 1)]);
    let (packet, _) = v3_1_1::Subscribe::parse(body(&out).1).expect("valid");
    assert_eq!(packet.packet_id(), 3);
}
