//! Scopes of SMART on FHIR: what was understood reads the same again, and what two lists share is
//! in both.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth::{Action, Scopes};

fuzz_target!(|text: &str| {
    let (one, two) = text.split_once('\n').unwrap_or((text, "patient/*.rs user/Observation.cruds"));
    let (Ok(one), Ok(two)) = (Scopes::parse(one), Scopes::parse(two)) else { return };
    assert_eq!(Scopes::parse_all(&one.to_string()).as_ref(), Ok(&one));
    let shared = one.within(&two);
    assert_eq!(Scopes::parse_all(&shared.to_string()).as_ref(), Ok(&shared));
    for ty in ["Observation", "Patient", "Encounter"] {
        for (_, action) in Action::ALL {
            if !shared.rules(action, ty).is_empty() {
                assert!(!one.rules(action, ty).is_empty() && !two.rules(action, ty).is_empty());
            }
        }
    }
    one.all().iter().for_each(|scope| assert!(!scope.words().is_empty()));
});
