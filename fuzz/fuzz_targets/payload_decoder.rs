//! Any text as a payload decoder: it ends within its limits with data or a reason.
#![no_main]

use std::time::Duration;

use decoder::{Limits, run};
use libfuzzer_sys::fuzz_target;
use mapping::Uplink;

fuzz_target!(|source: &str| {
    let uplink = Uplink { bytes: vec![1, 0x75, 0x5c, 3, 0x67, 0x10, 1], port: 85, received_ms: 1_700_000_000_000 };
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    match run(source, &uplink, limits) {
        Ok(data) => assert!(data.to_string().len() <= 2 * limits.answer),
        Err(fault) => assert!(fault.to_string().len() < 400),
    }
});
