//! Any bytes as a personal health device's side of a session (IEEE 11073-20601): APDUs one after
//! the other, each behind its length. Nothing panics, what reads writes the same bytes, what the
//! manager sends can be read, and every measured value is a number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitals::Value;
use wire_phd::Apdu;
use wire_phd::manager::{Input, Manager, Output};

fuzz_target!(|bytes: &[u8]| {
    let mut manager = Manager::new([1; 8], 60);
    manager.step(Input::Connected, 0);
    let mut rest = bytes;
    let mut now = 0;
    while let Some((length, tail)) = rest.split_first() {
        let (apdu, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        now += 1_000_000;
        if let Ok(read) = Apdu::decode(apdu) {
            assert_eq!(read.encode(), apdu);
        }
        check(&manager.step(Input::Apdu(apdu), now));
        check(&manager.step(if length % 2 == 0 { Input::AskDevice } else { Input::Tick }, now));
    }
});

fn check(outputs: &[Output]) {
    for output in outputs {
        match output {
            Output::Send(bytes) => assert!(Apdu::decode(bytes).is_ok()),
            Output::Observed(meaning) => {
                for measurement in &meaning.measurements {
                    match &measurement.value {
                        Value::Numeric(value) => assert!(value.is_finite()),
                        Value::Compound(parts) => assert!(parts.iter().all(|(_, v)| v.is_finite())),
                        Value::SampleArray(samples) => assert!(samples.rate.hz() > 0.0),
                        Value::Enumeration(..) | Value::Text(_) => {}
                    }
                }
            }
            _ => {}
        }
    }
}
