//! Any datagrams of an LwM2M sensor, each behind its length. Nothing panics, and every value is
//! finite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_coap::{Datum, Limits, Output, Session};

/// A registration of `s` that has a thermometer, confirmable, message 1.
const HELLO: &[u8] = b"\x40\x02\x00\x01\xb2rd\x44ep=s\xff</3303/0>";

fuzz_target!(|bytes: &[u8]| {
    let mut session = Session::new(&["s".to_owned()], Limits::default(), 1);
    session.step(HELLO, 0);
    let mut rest = bytes;
    let mut now = 0;
    while let Some((length, tail)) = rest.split_first() {
        let (datagram, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        now += 1_000;
        for output in session.step(datagram, now) {
            if let Output::Deliver { exchange, records, .. } = output {
                assert!(records.iter().all(|r| !matches!(r.value, Datum::Number(n) if !n.is_finite())));
                session.settled(exchange, length % 2 == 0);
            }
        }
    }
});
