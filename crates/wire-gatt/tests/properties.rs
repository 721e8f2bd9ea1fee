//! Whatever the bytes: no panic, and what reads, reads the same after it was written.

use proptest::prelude::*;
use vitals::Value;
use wire_gatt::measure::{Timing, measure};
use wire_gatt::{decode, known};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_bytes(which in 0_usize..49, bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let known = known();
        prop_assert_eq!(known.len(), 49);
        let (uuid, _) = known[which];
        if let Ok(payload) = decode(uuid, &bytes) {
            let written = payload.encode();
            prop_assert_eq!(decode(uuid, &written), Ok(payload.clone()));
            prop_assert!(written.len() <= bytes.len());
            for measurement in measure(&payload, Timing::default()).measurements {
                match measurement.value {
                    Value::Numeric(value) => prop_assert!(value.is_finite()),
                    Value::Compound(parts) => prop_assert!(parts.iter().all(|(_, v)| v.is_finite())),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
