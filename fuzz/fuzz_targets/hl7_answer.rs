//! Any bytes as another's answer to what we sent: to an infusion order, and to our alerts. Nothing
//! panics, what has ended stays so, and a status brings no values with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitals::ReceiveTime;
use wire_hl7::order::{OrderState, answer};
use wire_hl7::{Options, read};

fuzz_target!(|bytes: &[u8]| {
    if let Some(said) = answer(bytes, "c-1") {
        let state = OrderState::default().answered(said.clone());
        assert!(!state.is_end() || state == state.clone().answered(said));
    }
    for inbound in read(bytes, ReceiveTime(0), &Options::default()).messages {
        // What an alert manager says names an alert and nobody's values.
        assert!(inbound.status.is_none() || inbound.message.content.is_empty());
    }
});
