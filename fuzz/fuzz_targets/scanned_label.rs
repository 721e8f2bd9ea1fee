//! What a scanner reads at the bedside: labels of devices (UDI as GS1, HIBCC, ICCBBA) and wristbands.
//! Read the same both times, or refused with a word.
#![no_main]

use fleet::association::read_wristband;
use fleet::udi;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let label = udi::read(text);
    assert_eq!(label, udi::read(text));
    if let Err(error) = &label {
        assert!(!error.to_string().is_empty());
    }
    let band = read_wristband(text);
    assert_eq!(band, read_wristband(text));
    if let Err(error) = &band {
        assert!(!error.to_string().is_empty());
    }
});
