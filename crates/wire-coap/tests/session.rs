//! Whole conversations with a sensor: what comes in, what goes out, what is learned.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use proptest::prelude::*;
use wire_coap::content::{format, read, to_json};
use wire_coap::tlv::{Kind, entries, push};
use wire_coap::{Datum, Limits, Output, Refusal, Session};

fn request(kind: MessageType, id: u16, method: RequestType, path: &str, query: &[&str]) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_version(1);
    packet.header.set_type(kind);
    packet.header.message_id = id;
    packet.header.code = MessageClass::Request(method);
    packet.set_token(vec![7, id as u8]);
    path.split('/').for_each(|part| packet.add_option(CoapOption::UriPath, part.as_bytes().to_vec()));
    query.iter().for_each(|part| packet.add_option(CoapOption::UriQuery, part.as_bytes().to_vec()));
    packet
}

fn post(id: u16, path: &str, query: &[&str], payload: &[u8]) -> Packet {
    let mut packet = request(MessageType::Confirmable, id, RequestType::Post, path, query);
    packet.payload = payload.to_vec();
    packet
}

fn send(id: u16, payload: &[u8]) -> Packet {
    let mut packet = post(id, "dp", &[], payload);
    packet.add_option(CoapOption::ContentFormat, vec![format::SENML_JSON as u8]);
    packet
}

fn step(session: &mut Session, packet: &Packet, now_ms: u64) -> Vec<Output> {
    session.step(&packet.to_bytes().expect("a packet"), now_ms)
}

fn sent(output: &Output) -> Packet {
    let Output::Send(bytes) = output else { panic!("{output:?}") };
    Packet::from_bytes(bytes).expect("a packet")
}

fn code(output: &Output) -> ResponseType {
    match sent(output).header.code {
        MessageClass::Response(code) => code,
        other => panic!("{other:?}"),
    }
}

const GONE: Output = Output::Gone { goodbye: false };

/// A sensor that has registered with a thermometer and something that is no sensor.
fn registered() -> (Session, Packet) {
    let mut session = Session::new(&["sensor-7".to_owned()], Limits::default(), 100);
    let hello = post(1, "rd", &["ep=sensor-7", "lt=60", "lwm2m=1.1", "b=U"], b"</1/0>,</3303/0>;ver=1.1");
    let outputs = step(&mut session, &hello, 0);
    assert_eq!(code(&outputs[0]), ResponseType::Created);
    assert_eq!(outputs[1], Output::Registered { endpoint: Some("sensor-7".to_owned()), lifetime_s: 60 });
    assert_eq!(outputs.len(), 3, "the thermometer is observed, the server object is not");
    let observe = sent(&outputs[2]);
    assert_eq!(observe.header.code, MessageClass::Request(RequestType::Get));
    (session, observe)
}

const PACK: &[u8] = br#"[{"bn":"/3303/0/","n":"5700","u":"Cel","v":36.6,"bt":1795308600}]"#;

/// The sensor's half of a notification, or of an answer to what we asked.
fn content(kind: MessageType, id: u16, token: &[u8], payload: &[u8]) -> Packet {
    let mut told = Packet::new();
    told.header.set_version(1);
    told.header.set_type(kind);
    told.header.message_id = id;
    told.header.code = MessageClass::Response(ResponseType::Content);
    told.set_token(token.to_vec());
    told.add_option(CoapOption::ContentFormat, vec![format::SENML_JSON as u8]);
    told.payload = payload.to_vec();
    told
}

fn sends(outputs: &[Output]) -> Vec<Packet> {
    outputs.iter().filter(|output| matches!(output, Output::Send(_))).map(sent).collect()
}

#[test]
fn what_we_ask_is_sent_again_and_given_up() {
    let mut session = Session::new(&[], Limits::default(), 100);
    let observe = sends(&step(&mut session, &post(1, "rd", &["ep=any"], b"</3303/0>"), 0)).remove(1);
    let mut times = Vec::new();
    for now_ms in (0..95_000).step_by(100) {
        for output in session.tick(now_ms) {
            match output {
                Output::Send(bytes) => {
                    assert_eq!(bytes, observe.to_bytes().expect("a packet"), "the same message");
                    times.push(now_ms);
                }
                other => {
                    assert_eq!(other, Output::Refused(Refusal::Unanswered));
                    times.push(now_ms);
                }
            }
        }
    }
    let [one, two, three, four, _] = times[..] else { panic!("four times again, then given up: {times:?}") };
    assert!((2_000..=3_000).contains(&one), "{times:?}");
    assert!(two > 2 * one && three - two > 3 * one && four - three > 7 * one, "waits double: {times:?}");
    let update = step(&mut session, &post(9, "rd/1", &[], b""), 96_000);
    assert_eq!(sends(&update).len(), 2, "it is asked anew when the sensor is heard again: {update:?}");
}

#[test]
fn one_is_asked_at_a_time_and_an_acknowledgement_is_enough() {
    let mut session = Session::new(&[], Limits::default(), 100);
    let hello = post(1, "rd", &["ep=any", "lwm2m=1.0"], b"</3303/0>,</3304/0>");
    let first = sends(&step(&mut session, &hello, 0)).remove(1);
    assert_eq!(first.get_option(CoapOption::Accept).and_then(|list| list.front()), Some(&format::TLV.to_be_bytes().to_vec()));
    let mut empty = Packet::new();
    empty.header.set_version(1);
    empty.header.set_type(MessageType::Acknowledgement);
    empty.header.message_id = first.header.message_id;
    empty.header.code = MessageClass::Empty;
    let second = sends(&step(&mut session, &empty, 10));
    assert_ne!(second[0].get_token(), first.get_token());
    // The answer to the second comes with its acknowledgement, twice.
    let told = content(MessageType::Acknowledgement, second[0].header.message_id, second[0].get_token(), br#"[{"n":"/3304/0/5700","v":40}]"#);
    let outputs = step(&mut session, &told, 20);
    assert!(matches!(&outputs[..], [Output::Deliver { records, .. }] if records.len() == 1), "{outputs:?}");
    assert_eq!(step(&mut session, &told, 21), [], "taken once");
    assert_eq!(session.settled(0, true), [], "an acknowledgement is not acknowledged");
    // The answer to the first comes by itself.
    let told = content(MessageType::Confirmable, 7, first.get_token(), PACK);
    assert!(matches!(&step(&mut session, &told, 30)[..], [Output::Deliver { .. }]));
    assert_eq!(session.tick(100_000), [], "nothing is asked again");
}

#[test]
fn a_sensor_that_sleeps_is_asked_while_it_listens() {
    let mut session = Session::new(&[], Limits::default(), 100);
    let hello = post(1, "rd", &["ep=any", "lt=86400", "Q"], b"</3303/0>");
    assert_eq!(sends(&step(&mut session, &hello, 0)).len(), 2);
    let (mut again, mut last) = (0, 0);
    for now_ms in (0..600_000).step_by(500) {
        let count = sends(&session.tick(now_ms)).len();
        if count > 0 {
            (again, last) = (again + count, now_ms);
        }
    }
    assert!(again <= 4 && last < 93_000, "{again} times, the last after {last} ms");
    let awake = step(&mut session, &post(2, "rd/1", &[], b""), 600_000);
    let asked = sends(&awake);
    assert_eq!(asked.len(), 2, "it woke: {awake:?}");
    assert!(asked[1].get_option(CoapOption::Observe).is_some());
}

#[test]
fn another_format_is_asked_for_and_a_refusal_is_told() {
    let (mut session, observe) = registered();
    let mut no = content(MessageType::Acknowledgement, observe.header.message_id, observe.get_token(), b"");
    no.header.code = MessageClass::Response(ResponseType::NotAcceptable);
    let asked = sends(&step(&mut session, &no, 10));
    assert!(asked[0].get_option(CoapOption::Accept).is_none() && asked[0].get_option(CoapOption::Observe).is_some());
    let mut gone = content(MessageType::Acknowledgement, asked[0].header.message_id, asked[0].get_token(), b"");
    gone.header.code = MessageClass::Response(ResponseType::NotFound);
    assert_eq!(step(&mut session, &gone, 20), [Output::Refused(Refusal::Unanswered)]);
}

#[test]
fn a_notification_in_blocks_is_fetched_and_acknowledged_when_it_is_kept() {
    let (mut session, observe) = registered();
    let answer = content(MessageType::Acknowledgement, observe.header.message_id, observe.get_token(), PACK);
    step(&mut session, &answer, 5);
    let part = |kind: MessageType, id: u16, token: &[u8], number: u8, more: bool| {
        let from = usize::from(number) * 32;
        let mut packet = content(kind, id, token, &PACK[from..PACK.len().min(from + 32)]);
        packet.add_option(CoapOption::Block2, vec![number << 4 | u8::from(more) << 3 | 1]);
        packet.add_option(CoapOption::ETag, vec![9]);
        packet
    };
    let first = part(MessageType::Confirmable, 70, observe.get_token(), 0, true);
    for round in 0..2 {
        let mut asked = sends(&step(&mut session, &first, 10));
        assert_eq!(step(&mut session, &first, 11), [], "the rest is on its way");
        for number in [1, 2] {
            let [get] = &asked[..] else { panic!("{asked:?}") };
            let block = get.get_option(CoapOption::Block2).and_then(|list| list.front().cloned());
            assert_eq!(block, Some(vec![number << 4 | 1]));
            let mut more = part(MessageType::Acknowledgement, get.header.message_id, get.get_token(), number, number == 1);
            if round == 0 && number == 2 {
                more.clear_option(CoapOption::ETag);
                assert_eq!(step(&mut session, &more, 20), [Output::Refused(Refusal::Block)], "it changed meanwhile");
                break;
            }
            let outputs = step(&mut session, &more, 20);
            if number == 2 {
                let [Output::Deliver { exchange, records, .. }] = &outputs[..] else { panic!("{outputs:?}") };
                assert_eq!(records[0].value, Datum::Number(36.6));
                assert_eq!(sends(&session.settled(*exchange, true))[0].header.message_id, 70);
                return;
            }
            asked = sends(&outputs);
        }
    }
    panic!("it was fetched the second time");
}

#[test]
fn on_another_connection_the_registration_stands_and_numbers_begin_anew() {
    let (mut session, observe) = registered();
    let packet = send(2, PACK);
    step(&mut session, &packet, 10);
    session.disconnected();
    assert_eq!(session.tick(20_000), [], "nobody is there to be asked");
    session.reconnected();
    let outputs = step(&mut session, &packet, 21_000);
    assert!(matches!(&outputs[0], Output::Deliver { .. }), "{outputs:?}");
    assert_eq!(sends(&outputs)[0].get_token(), observe.get_token(), "what was not answered is asked again");
}

#[test]
fn values_are_answered_when_they_are_kept_and_taken_once() {
    let (mut session, _) = registered();
    let packet = send(2, PACK);
    let outputs = step(&mut session, &packet, 10);
    let [Output::Deliver { exchange, records, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(records[0].value, Datum::Number(36.6));
    let json = String::from_utf8(to_json(records, 0.0)).expect("text");
    assert_eq!(
        json,
        r#"[{"path":"/3303/0/5700","object":3303,"instance":0,"resource":5700,"value":36.6,"unit":"Cel","time":1795308600.0}]"#
    );
    assert_eq!(step(&mut session, &packet, 20), [], "it is being kept: nothing is said twice");
    let answered = session.settled(*exchange, true);
    assert_eq!(code(&answered[0]), ResponseType::Changed);
    assert_eq!(step(&mut session, &packet, 30), answered, "the answer was lost: it is given again");
    assert_eq!(session.settled(*exchange, true), []);
}

#[test]
fn what_could_not_be_kept_is_not_acknowledged() {
    let (mut session, _) = registered();
    for round in 0..2 {
        let outputs = step(&mut session, &send(2, PACK), 10);
        let [Output::Deliver { exchange, .. }] = &outputs[..] else { panic!("{round}: {outputs:?}") };
        let answered = session.settled(*exchange, false);
        assert_eq!(code(&answered[0]), ResponseType::ServiceUnavailable);
    }
}

#[test]
fn notifications_are_acknowledged_when_they_are_kept() {
    let (mut session, observe) = registered();
    let mut told = Packet::new();
    told.header.set_version(1);
    told.header.set_type(MessageType::Confirmable);
    told.header.message_id = 50;
    told.header.code = MessageClass::Response(ResponseType::Content);
    told.set_token(observe.get_token().to_vec());
    told.add_option(CoapOption::Observe, vec![2]);
    told.add_option(CoapOption::ContentFormat, format::TLV.to_be_bytes().to_vec());
    let mut tlv = Vec::new();
    push(&mut tlv, Kind::Resource, 5700, &36.5_f32.to_be_bytes());
    push(&mut tlv, Kind::Resource, 5701, b"Cel");
    told.payload = tlv;
    let outputs = step(&mut session, &told, 10);
    let [Output::Deliver { exchange, records, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(records[0].path, [3303, 0, 5700]);
    assert_eq!(records[0].value, Datum::Number(36.5));
    assert_eq!(records[1].value, Datum::Text("Cel".to_owned()));
    let acknowledged = sent(&session.settled(*exchange, true)[0]);
    assert_eq!(acknowledged.header.get_type(), MessageType::Acknowledgement);
    assert_eq!((acknowledged.header.message_id, acknowledged.header.code), (50, MessageClass::Empty));
    assert_eq!(sent(&step(&mut session, &told, 20)[0]).header.message_id, 50, "again, and taken once");
    told.set_token(vec![1]);
    told.header.message_id = 51;
    let reset = sent(&step(&mut session, &told, 30)[0]);
    assert_eq!(reset.header.get_type(), MessageType::Reset, "nobody asked for it");
}

#[test]
fn a_pack_in_blocks() {
    let (mut session, _) = registered();
    let block = |id: u16, number: u8, more: bool, bytes: &[u8]| {
        let mut packet = send(id, bytes);
        packet.add_option(CoapOption::Block1, vec![number << 4 | u8::from(more) << 3 | 1]);
        packet
    };
    assert!(PACK.len() > 64 && PACK.len() < 96);
    let first = step(&mut session, &block(2, 0, true, &PACK[..32]), 1);
    assert_eq!(code(&first[0]), ResponseType::Continue);
    assert_eq!(step(&mut session, &block(2, 0, true, &PACK[..32]), 2), first, "a block that comes again");
    step(&mut session, &block(3, 1, true, &PACK[32..64]), 3);
    let outputs = step(&mut session, &block(4, 2, false, &PACK[64..]), 4);
    assert!(matches!(&outputs[..], [Output::Deliver { records, .. }] if records.len() == 1), "{outputs:?}");
    let outputs = step(&mut session, &block(5, 2, false, &PACK[64..]), 5);
    assert_eq!(code(&outputs[0]), ResponseType::RequestEntityIncomplete);
    assert_eq!(outputs[1], Output::Refused(Refusal::Block));
}

#[test]
fn what_is_refused() {
    let mut session = Session::new(&["sensor-7".to_owned()], Limits::default(), 1);
    let unregistered = step(&mut session, &send(1, PACK), 0);
    assert_eq!(unregistered[1], Output::Refused(Refusal::Unregistered));
    let other = step(&mut session, &post(2, "rd", &["ep=sensor-8"], b""), 0);
    assert_eq!((code(&other[0]), &other[1]), (ResponseType::Forbidden, &Output::Refused(Refusal::Identity)));
    assert_eq!(step(&mut session, &post(3, "bs", &[], b""), 0)[1], Output::Refused(Refusal::NotFound));
    assert_eq!(session.step(&[1, 2], 0), [Output::Refused(Refusal::Syntax)]);
    let (mut session, _) = registered();
    let outputs = step(&mut session, &send(4, b"[{"), 1);
    assert!(matches!(&outputs[..], [Output::Deliver { records, raw, .. }, Output::Refused(Refusal::Content)]
        if records.is_empty() && raw.1 == b"[{"), "handed over whole, for quarantine: {outputs:?}");
    for id in 10..60 {
        step(&mut session, &send(id, PACK), 1);
    }
    let full = step(&mut session, &send(60, PACK), 1);
    assert_eq!((code(&full[0]), &full[1]), (ResponseType::ServiceUnavailable, &Output::Refused(Refusal::Limit)));
}

#[test]
fn a_lifetime_ends_and_is_renewed() {
    let (mut session, _) = registered();
    assert!(!session.tick(60_000).contains(&GONE));
    let renewed = step(&mut session, &post(2, "rd/1", &["lt=120"], b""), 50_000);
    assert_eq!(code(&renewed[0]), ResponseType::Changed);
    assert!(!session.tick(169_000).contains(&GONE));
    assert_eq!(session.tick(170_001), [GONE]);
    let late = step(&mut session, &post(3, "rd/1", &[], b""), 171_000);
    assert_eq!(code(&late[0]), ResponseType::NotFound, "the sensor registers anew");
}

#[test]
fn times_and_units_as_a_profile_reads_them() {
    let pack = br#"[{"n":"/3304/0/5700","u":"%RH","v":40,"t":-5},{"n":"/3304/0/5701","vs":"%RH"}]"#;
    let json = String::from_utf8(to_json(&read(format::SENML_JSON, &[], pack).expect("a pack"), 1_795_308_600.0)).expect("text");
    assert!(json.contains(r#""value":40.0,"unit":"%","time":1795308595.0}"#), "{json}");
    assert!(json.ends_with(r#""value":"%RH"}]"#), "{json}");
}

#[test]
fn every_content_format() {
    let cbor = [0x81, 0xa3, 0x21, 0x68, b'/', b'3', b'3', b'0', b'3', b'/', b'0', b'/', 0x00, 0x64, b'5', b'7', b'0', b'0', 0x02, 0xfb, 0x40, 0x42, 0x4c, 0xcc, 0xcc, 0xcc, 0xcc, 0xcd];
    let records = read(format::SENML_CBOR, &[], &cbor).expect("a pack");
    assert_eq!((records[0].path.as_slice(), &records[0].value), (&[3303, 0, 5700][..], &Datum::Number(36.6)));
    let records = read(format::TEXT, &[3346, 0, 5700], b"14.5").expect("a text");
    assert_eq!(records[0].value, Datum::Number(14.5));
    assert!(read(50, &[], b"{}").is_err());
    assert!(read(format::SENML_JSON, &[], br#"[{"n":"/3303/0/5700","v":"warm"}]"#).is_err());
    assert!(read(format::TLV, &[3303, 0], &[0xe4, 0x16, 0x44, 0x7f, 0xc0, 0, 0]).is_err(), "NaN is no value");
}

proptest! {
    #[test]
    fn tlv_comes_back(id in any::<u16>(), length in prop_oneof![0..9_usize, 250..260_usize, 65_530..65_540_usize]) {
        let (value, mut bytes) = (vec![5; length], Vec::new());
        push(&mut bytes, Kind::Resource, id, &value);
        let found = entries(&bytes).expect("whole");
        prop_assert_eq!((found.len(), found[0].id, found[0].kind, found[0].value), (1, id, Kind::Resource, &value[..]));
        prop_assert!(entries(&bytes[..bytes.len() - 1]).is_none() || bytes.len() == 1);
    }

    #[test]
    fn any_bytes_are_answered(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8)) {
        let (mut session, _) = registered();
        for datagram in datagrams {
            session.step(&datagram, 5);
        }
        for number in [format::TEXT, format::SENML_JSON, format::SENML_CBOR, format::TLV] {
            let _ = read(number, &[3303, 0], b"\x81\xa1");
        }
    }
}
