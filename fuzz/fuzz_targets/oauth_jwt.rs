//! Proofs of clients by their key: whatever a JWT says of itself, none that we did not sign holds.
//! Forms and credentials are read from the same bytes.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oauth::form::Form;
use oauth::{Credentials, assertion};

/// The base point of P-384 (SEC 2 § 2.5.1), whose private key is 1: any point of the curve would do.
const KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-384", "kid": "e",
    "x": "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
    "y": "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f"}]}"#;

static SET: LazyLock<jsonwebtoken::jwk::JwkSet> =
    LazyLock::new(|| serde_json::from_str(KEYS).expect("a JWK set"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = assertion::claimed(text);
        let found = assertion::verify(text, "lab", &SET, &["https://ehr.example/token"], 1_800_000_000);
        assert!(found.is_err());
        if let Ok(set) = serde_json::from_str(text) {
            let _ = assertion::check_keys(&set);
        }
        let _ = Credentials::read(Some(text), &Form::default());
    }
    if let Ok(form) = Form::read(bytes) {
        let _ = Credentials::read(None, &form);
    }
});
