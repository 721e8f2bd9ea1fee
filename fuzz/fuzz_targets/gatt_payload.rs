//! Any bytes as the payload of any health characteristic of Bluetooth: nothing panics, what reads
//! is never longer when written and reads the same again, and every measured value is a number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitals::Value;
use wire_gatt::measure::{Timing, measure};
use wire_gatt::{decode, known};

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let known = known();
    let (uuid, _) = known[usize::from(*which) % known.len()];
    let Ok(payload) = decode(uuid, bytes) else { return };
    let written = payload.encode();
    assert!(written.len() <= bytes.len());
    assert_eq!(decode(uuid, &written).as_ref(), Ok(&payload));
    for measurement in measure(&payload, Timing::default()).measurements {
        match measurement.value {
            Value::Numeric(value) => assert!(value.is_finite()),
            Value::Compound(parts) => assert!(parts.iter().all(|(_, value)| value.is_finite())),
            other => panic!("{other:?}"),
        }
    }
});
