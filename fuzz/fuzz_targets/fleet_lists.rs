//! What others hand over about devices: advisories (CSAF, CSV), bills of materials (CycloneDX), lists of devices, labels, versions.
#![no_main]

use std::cmp::Ordering;

use fleet::advisory::{from_csaf, from_csv};
use fleet::version::Version;
use fleet::{inventory, sbom, udi};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = from_csaf(bytes);
    let _ = sbom::from_cyclonedx(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = from_csv(text, "office.csv");
    if let Ok(items) = inventory::from_csv(text) {
        // What was read reads the same when it is written again.
        assert_eq!(inventory::from_csv(&inventory::to_csv(&items)).as_ref(), Ok(&items));
    }
    let _ = udi::read(text);
    let (one, two) = text.split_once('\n').unwrap_or((text, "2.4.1"));
    if let (Some(one), Some(two)) = (Version::read(one), Version::read(two)) {
        assert_eq!(one.against(&one), Some(Ordering::Equal));
        assert_eq!(one.against(&two), two.against(&one).map(Ordering::reverse));
    }
});
