//! Any bytes as a message of IEEE 11073-10207: an MDIB, a report, a request or an answer. Nothing
//! panics, what reads writes something that reads as the same, and a live MDIB takes any report.
#![no_main]

use libfuzzer_sys::fuzz_target;
use markup::{Element, Limits};
use wire_sdc::message::{Answer, Request};
use wire_sdc::{LiveMdib, Mdib, PREFIXES, Report};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 16, ..Limits::default() };
    let Ok(tree) = markup::read(bytes, &limits) else { return };
    if let Ok((report, _)) = Report::read(&tree) {
        assert_eq!(Report::read(&again(&report.write())), Ok((report, Vec::new())));
    }
    if let Ok(request) = Request::read(&tree) {
        assert_eq!(Request::read(&again(&request.write())), Ok(request));
    }
    let _ = Answer::read(&tree);
    if let Ok((mdib, _)) = Mdib::read(&tree) {
        let (written, faults) = Mdib::read(&again(&mdib.write())).expect("what was read is written");
        assert!(faults.is_empty() && written.states == mdib.states);
        let mut live = LiveMdib::new(mdib);
        for child in &tree.children {
            if let Ok((report, _)) = Report::read(child) {
                let _ = live.apply(&report);
            }
        }
    }
});

fn again(element: &Element) -> Element {
    let text = markup::write(element, &PREFIXES);
    markup::read(text.as_bytes(), &Limits::default()).expect("what is written can be read")
}
