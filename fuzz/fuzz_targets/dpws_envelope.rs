//! Any bytes as a web-service message of a medical device: nothing panics, and a message that reads is
//! the same after it was written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_dpws::discovery::Discovery;
use wire_dpws::eventing::Eventing;
use wire_dpws::metadata::Metadata;
use wire_dpws::{Envelope, Header, LIMITS, LIMITS_UDP, Payload};

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelope) = Envelope::read(bytes, &LIMITS_UDP) else { return };
    again::<Discovery>(&envelope);
    again::<Eventing>(&envelope);
    again::<Metadata>(&envelope);
    if let Some(fault) = envelope.fault() {
        let _ = Envelope::write_payload(Header::default(), &fault);
    }
});

fn again<P: Payload + PartialEq + std::fmt::Debug>(envelope: &Envelope) {
    let Ok(payload) = P::read(envelope) else { return };
    let written = Envelope::write_payload(envelope.header.clone(), &payload);
    let read = Envelope::read(written.as_bytes(), &LIMITS).expect("what is written reads");
    P::read(&read).expect("and is the same message");
}
