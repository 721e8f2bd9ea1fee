//! What holds for any input: nothing panics, a scope that is written reads the same, and no
//! narrowing ever widens.

use oauth::form::Form;
use oauth::{Action, Scope, Scopes, assertion, matches, origin};
use proptest::prelude::*;
use serde_json::json;

fn scope() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["patient", "user", "system"]);
    let resource = prop::sample::select(vec!["*", "Observation", "Patient", "Encounter"]);
    let actions = prop::sample::select(vec!["r", "rs", "s", "cud", "cruds", "read", "write", "*"]);
    let code = prop::option::of("[a-z]{1,3}");
    (level, resource, actions, code).prop_map(|(level, resource, actions, code)| {
        match code.filter(|_| resource == "Observation" && !matches!(actions, "read" | "write" | "*")) {
            Some(code) => format!("{level}/{resource}.{actions}?code={code}"),
            None => format!("{level}/{resource}.{actions}"),
        }
    })
}

fn scopes() -> impl Strategy<Value = Scopes> {
    prop::collection::vec(scope(), 0..6)
        .prop_map(|all| Scopes::parse_all(&all.join(" ")).expect("each is right"))
}

proptest! {
    #[test]
    fn nothing_panics(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let _ = (Scopes::parse(&text), Form::read(&bytes), assertion::claimed(&text), origin(&text));
        if let Ok(scope) = Scope::parse(&text) {
            prop_assert_eq!(scope.to_string(), text);
        }
    }

    #[test]
    fn what_two_lists_share_neither_forbids(a in scopes(), b in scopes(), code in "[a-z]{1,3}", own in any::<bool>()) {
        let shared = a.within(&b);
        let again = Scopes::parse_all(&shared.to_string()).expect("written scopes are right");
        prop_assert_eq!(&again, &shared);
        let patient = if own { "p-1" } else { "p-2" };
        for ty in ["Observation", "Patient", "Encounter", "Device"] {
            let resource = json!({
                "resourceType": ty, "id": patient, "code": {"coding": [{"code": code}]},
                "subject": {"reference": format!("Patient/{patient}")},
            });
            for (_, action) in Action::ALL {
                let may = |scopes: &Scopes| matches(&scopes.rules(action, ty), &resource, &["p-1"]);
                prop_assert!(!may(&shared) || (may(&a) && may(&b)), "{a} and {b}: {shared}");
                // What both allow by one scope without criteria each is not lost. Levels differ.
                if a == b {
                    prop_assert_eq!(may(&shared), may(&a));
                }
            }
        }
    }
}
