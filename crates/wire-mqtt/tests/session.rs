//! The session's promises, without a socket: order, redelivery, flow control, limits.

use std::sync::Arc;

use wire_mqtt::codec::{FromServer, decode_server, split};
use wire_mqtt::session::{Incoming, Link, Offer, QueueLimits, Sent, Session};
use wire_mqtt::{Delivery, Publication, Qos, Reason, Version};

fn delivery(payload: &str, qos: Qos, expires_ms: Option<u64>) -> Delivery {
    let publication = Publication {
        topic: "topic/one".into(),
        payload: payload.as_bytes().into(),
        properties: Box::default(),
        qos,
        retain: false,
        expires_ms,
        publisher: 1,
    };
    Delivery { publication: Arc::new(publication), qos, retain: false, identifiers: Box::default() }
}

/// What is in the buffer: `payload/packet id/dup/topic` of each PUBLISH, `rel/id` of each PUBREL.
fn sent(out: &mut Vec<u8>, version: Version) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(frame) = split(&out[at..], usize::MAX).expect("a valid length") {
        at += frame.length;
        found.push(match decode_server(frame.header, frame.body, version).expect("valid") {
            FromServer::Publish(p) => format!(
                "{}/{}/{}/{}",
                String::from_utf8_lossy(p.payload),
                p.packet_id,
                u8::from(p.dup),
                p.topic
            ),
            FromServer::PubRel(ack) => format!("rel/{}", ack.packet_id),
            other => format!("{other:?}"),
        });
    }
    out.clear();
    found
}

fn filled(payloads: &[&str], qos: Qos) -> Session {
    let mut session = Session::default();
    for payload in payloads {
        let offer = session.offer(delivery(payload, qos, None), true, QueueLimits::default());
        assert_eq!(offer, Offer::Queued);
    }
    session
}

fn pump(session: &mut Session, link: &mut Link, out: &mut Vec<u8>) {
    while session.send_next(link, 0, out) != Sent::Idle {}
}

#[test]
fn the_receive_maximum_holds_back() {
    let mut session = filled(&["a", "b", "c"], Qos::AtLeastOnce);
    let mut link = Link::new(Version::V3, 2, None, 0);
    let mut out = Vec::new();
    pump(&mut session, &mut link, &mut out);
    assert_eq!(sent(&mut out, Version::V3), ["a/1/0/topic/one", "b/2/0/topic/one"]);
    assert!(session.on_puback(1) && !session.on_puback(1));
    pump(&mut session, &mut link, &mut out);
    assert_eq!(sent(&mut out, Version::V3), ["c/3/0/topic/one"]);
}

#[test]
fn a_new_connection_gets_again_what_was_in_flight() {
    let mut session = filled(&["a", "b"], Qos::ExactlyOnce);
    let mut link = Link::new(Version::V3, 9, None, 0);
    let mut out = Vec::new();
    pump(&mut session, &mut link, &mut out);
    out.clear();
    assert_eq!(session.on_pubrec(1, Reason::SUCCESS), Some(Reason::SUCCESS));
    session.resend(&mut Link::new(Version::V3, 9, None, 0), 0, &mut out);
    assert_eq!(sent(&mut out, Version::V3), ["rel/1", "b/2/1/topic/one"]);
    assert!(session.on_pubcomp(1) && !session.on_pubcomp(2));
    assert_eq!(session.on_pubrec(9, Reason::SUCCESS), Some(Reason::PACKET_ID_UNKNOWN));
    assert_eq!(session.on_pubrec(2, Reason::QUOTA), None);
    session.resend(&mut link, 0, &mut out);
    assert!(out.is_empty());
}

#[test]
fn aliases_are_set_once_and_used_after() {
    let mut session = filled(&["a", "b"], Qos::AtMostOnce);
    let mut out = Vec::new();
    pump(&mut session, &mut Link::new(Version::V5, 9, None, 1), &mut out);
    assert_eq!(sent(&mut out, Version::V5), ["a/0/0/topic/one", "b/0/0/"]);
}

#[test]
fn expired_and_oversized_messages_are_dropped_and_told() {
    let mut session = Session::default();
    let limits = QueueLimits::default();
    session.offer(delivery("late", Qos::AtLeastOnce, Some(5)), true, limits);
    session.offer(delivery(&"x".repeat(90), Qos::AtLeastOnce, None), true, limits);
    session.offer(delivery("ok", Qos::AtLeastOnce, Some(2_001)), true, limits);
    let mut link = Link::new(Version::V5, 9, Some(40), 0);
    let mut out = Vec::new();
    let steps: Vec<Sent> = (0..4).map(|_| session.send_next(&mut link, 5, &mut out)).collect();
    assert_eq!(steps, [Sent::Expired, Sent::TooLarge, Sent::One, Sent::Idle]);
    let frame = split(&out, usize::MAX).expect("valid").expect("whole");
    let Ok(FromServer::Publish(publish)) = decode_server(frame.header, frame.body, Version::V5)
    else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.properties.expiry_s, Some(2));
}

#[test]
fn the_queue_is_bounded_and_keeps_no_qos_0_for_the_absent() {
    let mut session = Session::default();
    let limits = QueueLimits { messages: 1, bytes: 1 << 20 };
    assert_eq!(session.offer(delivery("a", Qos::AtMostOnce, None), false, limits), Offer::Away);
    assert_eq!(session.offer(delivery("a", Qos::AtLeastOnce, None), false, limits), Offer::Queued);
    assert_eq!(session.offer(delivery("b", Qos::AtLeastOnce, None), false, limits), Offer::Full);
    let tight = QueueLimits { messages: 9, bytes: 100 };
    assert_eq!(session.offer(delivery("c", Qos::AtLeastOnce, None), true, tight), Offer::Full);
    assert_eq!(session.waiting(), 1);
}

#[test]
fn qos_2_is_taken_in_once_a_packet_id() {
    let mut session = Session::default();
    assert_eq!(session.receive(7), None);
    assert_eq!(session.receive(7), Some(Incoming::Pending));
    session.committed(7);
    assert_eq!(session.receive(7), Some(Incoming::Done));
    assert!(session.release(7) && !session.release(7));
    assert_eq!(session.receive(7), None);
    session.forget(7);
    assert_eq!(session.incoming(7), None);
}
