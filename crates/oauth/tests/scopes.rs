//! Scopes: what is understood, what two lists share, and which resources they speak of.

use oauth::{Action, Scope, ScopeError, Scopes, matches, of_patient};
use serde_json::{Value as Json, json};

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

#[test]
fn scopes_are_read() {
    let narrowed = format!("patient/Observation.rs?category={CATEGORY}|laboratory");
    for (text, expected) in [
        ("patient/Observation.rs", Ok("See measurements and findings of the one patient")),
        (narrowed.as_str(), Ok("See measurements and findings of the one patient, only category laboratory")),
        ("patient/Observation.rs?category=x|a,y|b&code=c", Ok("See measurements and findings of the one patient, only category a or b and code c")),
        ("user/*.cruds", Ok("See, add, change and delete all data of every patient that you may see")),
        ("system/Encounter.cu", Ok("Add and change stays and visits of all patients")),
        ("patient/*.read", Ok("See all data of the one patient")),
        ("user/Device.write", Ok("Add, change and delete devices of every patient that you may see")),
        ("user/Device.*", Ok("See, add, change and delete devices of every patient that you may see")),
        ("patient/RiskAssessment.read", Ok("See computed risks, such as of sepsis or of getting worse, of the one patient")),
        ("patient/DeviceMetric.rs", Ok("See what the devices measure of the one patient")),
        ("launch", Ok("Know which patient is open here")),
        ("offline_access", Ok("Go on when you are not there, until you take it back")),
        ("patient/Observation.sr", Err(ScopeError::Actions)),
        ("patient/Observation.rr", Err(ScopeError::Actions)),
        ("patient/Observation.", Err(ScopeError::Actions)),
        ("patient/Observation", Err(ScopeError::Actions)),
        ("patient/Observation.RS", Err(ScopeError::Actions)),
        ("patient/Observation.read?category=x", Err(ScopeError::Actions)),
        ("patient/observation.rs", Err(ScopeError::Resource)),
        ("patient/Obs-ervation.rs", Err(ScopeError::Resource)),
        ("patient/Observation.rs?", Err(ScopeError::Parameter)),
        ("patient/Observation.rs?category=", Err(ScopeError::Parameter)),
        ("patient/Observation.rs?value-quantity=gt5", Err(ScopeError::Parameter)),
        ("patient/*.rs?category=x", Err(ScopeError::Parameter)),
        ("patient/*.rs?_tag=x", Ok("See all data of the one patient, only tag x")),
        ("everybody/Observation.rs", Err(ScopeError::Unknown)),
        ("patient/Observation.rs\u{e9}", Err(ScopeError::Unknown)),
        ("email", Err(ScopeError::Unknown)),
        ("", Err(ScopeError::Unknown)),
    ] {
        let words = Scope::parse(text).map(|scope| scope.words());
        assert_eq!(words.as_deref(), expected.as_ref().copied(), "{text}");
        if let Ok(scope) = Scope::parse(text) {
            assert_eq!(scope.to_string(), text, "written as it was asked for");
        }
    }
}

#[test]
fn what_is_not_understood_is_left_out_unless_an_administrator_wrote_it() {
    let text = "openid  email patient/Observation.rs patient/Observation.rs patient/x.rs";
    assert_eq!(Scopes::parse(text).expect("scopes").to_string(), "openid patient/Observation.rs");
    assert_eq!(Scopes::parse_all(text), Err(ScopeError::Unknown));
    assert_eq!(Scopes::parse(&"openid ".repeat(129)), Err(ScopeError::TooMany));
}

#[test]
fn two_lists_share_what_both_allow() {
    for (asked, allowed, expected) in [
        ("patient/Observation.rs", "patient/*.rs", "patient/Observation.rs"),
        ("patient/*.rs", "patient/Observation.rs patient/Patient.r", "patient/Observation.rs patient/Patient.r"),
        ("patient/*.read", "patient/*.cruds", "patient/*.read"),
        ("patient/*.*", "patient/*.rs", "patient/*.rs"),
        ("user/Observation.rs", "patient/Observation.rs", ""),
        ("user/Observation.c", "user/Observation.rs", ""),
        ("openid launch", "openid", "openid"),
        ("patient/Observation.rs", "patient/Observation.rs?code=x", "patient/Observation.rs?code=x"),
        ("patient/Observation.rs?category=y", "patient/Observation.r?code=x", "patient/Observation.r?category=y&code=x"),
        ("patient/Observation.rs?code=x", "patient/Observation.rs?code=x patient/*.rs", "patient/Observation.rs?code=x"),
        ("patient/Observation.rs", "patient/Observation.rs?code=a%26b patient/Observation.s", "patient/Observation.rs?code=a%26b patient/Observation.s"),
    ] {
        let (asked, allowed) = (Scopes::parse(asked), Scopes::parse(allowed));
        let shared = asked.expect("scopes").within(&allowed.expect("scopes"));
        assert_eq!(shared.to_string(), expected);
    }
}

fn observation(patient: &str, category: &str) -> Json {
    json!({
        "resourceType": "Observation", "id": "o-1", "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}, {"code": "own"}]},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

#[test]
fn scopes_speak_of_some_resources() {
    let of_p1 = observation("p-1", "vital-signs");
    for (scope, action, expected) in [
        ("patient/Observation.rs", Action::Read, true),
        ("patient/Observation.s", Action::Read, false),
        ("patient/Observation.s", Action::Search, true),
        ("patient/Patient.rs", Action::Read, false),
        ("patient/*.rs", Action::Read, true),
        ("user/*.cud", Action::Read, false),
        ("user/*.cud", Action::Update, true),
        ("patient/Observation.rs?category=vital-signs", Action::Read, true),
        ("patient/Observation.rs?category=laboratory", Action::Read, false),
        ("patient/Observation.rs?category=laboratory,vital-signs", Action::Read, true),
        ("patient/Observation.rs?category=laboratory patient/Observation.rs?code=own", Action::Read, true),
        ("patient/Observation.rs?category=vital-signs&code=other", Action::Read, false),
        ("patient/Observation.rs?code=http://loinc.org|8867-4", Action::Read, true),
        ("patient/Observation.rs?code=http://loinc.org|", Action::Read, true),
        ("patient/Observation.rs?code=http://snomed.info/sct|8867-4", Action::Read, false),
        ("patient/Observation.rs?code=|own", Action::Read, true),
        ("patient/Observation.rs?code=|8867-4", Action::Read, false),
        ("patient/Observation.rs?status=final", Action::Read, true),
        ("patient/Observation.rs?status=http://hl7.org/fhir/observation-status|final", Action::Read, true),
        ("patient/Observation.rs?_id=o-1", Action::Read, true),
        ("patient/Observation.rs?_id=o-2", Action::Read, false),
    ] {
        let scopes = Scopes::parse_all(scope).expect("scopes");
        let rules = scopes.rules(action, "Observation");
        assert_eq!(matches(&rules, &of_p1, &["p-1"]), expected, "{scope} {action:?}");
        // Another patient's, or with no patient: only what is not for one patient alone.
        let other = expected && !scope.starts_with("patient/");
        assert_eq!(matches(&rules, &of_p1, &["p-2"]), other, "{scope} {action:?}");
        assert_eq!(matches(&rules, &of_p1, &[]), other, "{scope} {action:?}");
    }
}

#[test]
fn resources_are_of_the_patient_that_they_name() {
    for (resource, expected) in [
        (json!({"resourceType": "Patient", "id": "p-1"}), true),
        (json!({"resourceType": "Patient", "id": "p-2"}), false),
        (json!({"resourceType": "Patient"}), false),
        (json!({"resourceType": "Device", "patient": {"reference": "Patient/p-1"}}), true),
        (json!({"resourceType": "Device", "id": "p-1"}), false),
        (json!({"resourceType": "Encounter", "subject": {"reference": "http://x/fhir/Patient/p-1"}}), true),
        (json!({"resourceType": "Encounter", "subject": {"reference": "Group/p-1"}}), false),
        (json!({"resourceType": "Encounter", "subject": {"reference": "NotPatient/p-1"}}), false),
        (json!({"resourceType": "X", "subject": {"reference": "Patient/p-1"}, "patient": {"reference": "Patient/p-2"}}), false),
        (json!({"resourceType": "Location", "id": "l-1"}), true),
        (json!({}), false),
    ] {
        assert_eq!(of_patient(&resource, &["p-1", "p-1-merged"]), expected, "{resource}");
    }
}

/// Found by fuzzing: 128 scopes crossed with 128 others are more than a list holds, took seconds, and what was kept of them could
/// not be read again.
#[test]
fn what_many_scopes_share_can_be_read_again() {
    let list = |tag: &str| {
        let all: Vec<String> = (0..128).map(|n| format!("user/*.cruds?_tag={tag}{n}")).collect();
        Scopes::parse_all(&all.join(" ")).expect("128 scopes")
    };
    let (asked, allowed) = (list("a"), list("b"));
    let shared = asked.within(&allowed);
    assert!(shared.all().len() > 100 && shared.all().len() <= 128, "{}", shared.all().len());
    assert_eq!(Scopes::parse_all(&shared.to_string()).as_ref(), Ok(&shared));
}
