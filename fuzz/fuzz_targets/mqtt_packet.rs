//! Any bytes as a stream of MQTT packets, from either side, in both versions: nothing panics, no
//! frame is longer than allowed, and what is passed on can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_mqtt::codec::encode::{self, PublishHead};
use wire_mqtt::codec::{FromServer, Packet, decode, decode_server, split};
use wire_mqtt::topic::{TopicLimits, check_filter, check_name, matches, split_shared};
use wire_mqtt::{Publication, Version};

const MAX_BYTES: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    for version in [Version::V3, Version::V5] {
        let mut rest = bytes;
        while let Ok(Some(frame)) = split(rest, MAX_BYTES) {
            assert!(frame.length <= MAX_BYTES && frame.length >= 2);
            let _ = decode_server(frame.header, frame.body, version);
            match decode(frame.header, frame.body, version) {
                Ok(Packet::Publish(publish)) => pass_on(&publish, version),
                Ok(Packet::Subscribe(subscribe)) => {
                    for entry in &subscribe.entries {
                        if check_filter(entry.filter, TopicLimits::default()).is_ok() {
                            let _ = matches(split_shared(entry.filter).1, "a/b/c");
                        }
                    }
                }
                _ => {}
            }
            rest = &rest[frame.length..];
        }
    }
});

/// A publish that is delivered to a version 5 subscriber reads as it was sent.
fn pass_on(publish: &wire_mqtt::codec::Publish<'_>, version: Version) {
    if check_name(publish.topic, TopicLimits::default()).is_err() {
        return;
    }
    let publication = Publication::new(publish, publish.topic, 1, 0);
    let head = PublishHead {
        qos: publish.qos,
        packet_id: publish.packet_id,
        properties: &publication.properties,
        ..PublishHead::default()
    };
    let mut out = Vec::new();
    let payload = &publication.payload;
    encode::publish(&mut out, Version::V5, &head, publish.topic, payload, usize::MAX)
        .expect("what came in fits");
    let frame = split(&out, usize::MAX).expect("valid").expect("whole");
    let Ok(FromServer::Publish(read)) = decode_server(frame.header, frame.body, Version::V5) else {
        panic!("{version:?} publish does not read back");
    };
    assert_eq!((read.topic, read.payload), (publish.topic, publish.payload));
    assert_eq!(read.properties.content_type, publish.properties.content_type);
    assert!(read.properties.user().eq(publish.properties.user()));
}
