//! A patient's consent as others write it: what is taken to be enforced reads the same when we write it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_fhir::{consent, validate};

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = wire_fhir::parse(bytes) else { return };
    if !validate(&json, "Consent").is_empty() {
        return;
    }
    match consent::read(&json) {
        Ok(read) => {
            let written = consent::write(&read, "x", "2026-11-21T12:00:00Z", false);
            assert_eq!(consent::read(&written), Ok(read));
        }
        Err(issues) => assert!(!issues.is_empty(), "refused without a reason"),
    }
});
