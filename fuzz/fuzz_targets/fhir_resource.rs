//! Any bytes as a FHIR resource or search: an answer, never a panic; what is valid and understood
//! can be projected.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitals::ReceiveTime;
use wire_fhir::search::{Subject, decode, parse};
use wire_fhir::{Kind, Record, bundle, directory, observation, record, validate};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let parameters = decode(text);
        for name in ["Observation", "Patient", "Device", "Encounter", "Location"] {
            let subject = Subject::from_name(name).expect("a searchable type");
            let _ = parse(subject, &parameters, false);
        }
    }
    let Ok(json) = wire_fhir::parse(bytes) else { return };
    let name = json["resourceType"].as_str().unwrap_or_default();
    assert!(validate(&json, name).is_empty());
    match (name, Kind::from_name(name)) {
        ("Observation", _) => {
            let observed = observation::read(&json, name);
            assert!(observed.reading.is_some() || !observed.problems.is_empty());
        }
        ("Bundle", _) => {
            let _ = bundle::read(json);
        }
        (_, Some(kind)) => {
            let Ok(event) = directory::read(kind, &json, "x", name) else { return };
            let event =
                Record { event, version: 1, updated: ReceiveTime(0), offset: 0, patient: None };
            let projected = record::resource(&event).expect("a record");
            assert_eq!(validate(&projected, name), []);
        }
        _ => {}
    }
});
