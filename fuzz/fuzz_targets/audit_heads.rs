//! Heads of the audit log and signatures of witnesses: no head holds that the key did not sign; what is read reads the same again.
#![no_main]

use std::sync::LazyLock;

use ledger::{Checkpoint, LogKey, Signature, SignedHead, Verifier};
use libfuzzer_sys::fuzz_target;

/// A log's key and a witness's: the bytes that are tried were not signed with either.
static KEYS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let made = [LogKey::log("vitalwire-fuzz", &[7; 32]), LogKey::witness("witness-fuzz", &[9; 32])];
    made.into_iter().map(|key| key.expect("a name").verifier()).collect()
});

fuzz_target!(|text: &str| {
    if let Ok(found) = Checkpoint::parse(text) {
        assert_eq!(found.text(), text);
    }
    if let Ok(found) = Signature::parse(text) {
        assert_eq!(Signature::parse(found.line().trim_end_matches('\n')), Ok(found));
    }
    if let Ok(found) = Verifier::parse(text) {
        assert_eq!(Verifier::parse(&found.to_string()), Ok(found));
    }
    if let Ok(head) = SignedHead::parse(text) {
        assert_eq!(SignedHead::parse(&head.note()), Ok(head.clone()));
        assert!(KEYS.iter().all(|key| head.check(key).is_err()));
    }
});
