//! Rules of the access policy as a site writes them: taken or refused with file, line and reason; what is taken can be asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Policies, Source};

fuzz_target!(|text: &str| {
    let own = Source { name: "site.cedar".to_owned(), text: text.to_owned() };
    match Policies::load(&[Source::built_in(), own]) {
        Ok(policies) => {
            let rules = policies.rules();
            assert!(rules.iter().all(|rule| !rule.id.is_empty() && policies.rule(&rule.id).is_some()));
        }
        Err(error) => assert!(!error.0.is_empty() && error.0.iter().all(|line| !line.is_empty())),
    }
});
