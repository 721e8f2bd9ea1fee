//! Templates written for iomt-fhir: device content, FHIR mapping and payload, each ending with a
//! zero byte. They load or are refused, and map any payload to finite values or problems.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::{Profiles, RawMessage};
use vitals::{ReceiveTime, Value};

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (Some(content), Some(mapping)) = (text(), text()) else { return };
    let sources: Vec<(String, String)> =
        [("x/devicecontent.json", content), ("x/fhirmapping.json", mapping)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .to_vec();
    let (profiles, errors) = Profiles::compile(&sources);
    assert!(!profiles.list().is_empty() || !errors.is_empty(), "left out without a word");
    let payload = parts.next().unwrap_or(br#"{"value": 1}"#);
    let raw = RawMessage { topic: "t/1", payload, content_type: None, received: ReceiveTime(0) };
    let mapped = profiles.map(&raw);
    for measurement in mapped.measurements() {
        if let Value::Numeric(number) = measurement.value {
            assert!(number.is_finite());
        }
    }
    assert_eq!(profiles.trace(&raw).values.len(), mapped.measurements().count());
});
