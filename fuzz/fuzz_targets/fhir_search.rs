//! FHIR searches: a query string is understood or refused, and what was understood says the same
//! again when it is put into a link.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_fhir::search::{Subject, decode, encode, parse};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parameters = decode(text);
    assert_eq!(decode(&encode(&parameters)), parameters);
    for name in ["Observation", "Patient", "Device", "Encounter", "Location"] {
        let subject = Subject::from_name(name).expect("a searchable type");
        for strict in [false, true] {
            let Ok(search) = parse(subject, &parameters, strict) else { continue };
            assert!(!strict || search.ignored.is_empty());
            let linked = parse(subject, &decode(&encode(&search.used)), true)
                .expect("what was understood is understood from a link");
            assert_eq!(format!("{:?}", linked.criteria), format!("{:?}", search.criteria));
            assert_eq!(linked.count, search.count);
        }
    }
});
