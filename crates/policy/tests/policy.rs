//! The built-in policy decides as it reads, and texts with mistakes are refused where they stand.

use std::collections::BTreeSet;

use policy::{
    Asker, Change, Circumstances, Policies, Question, Source, Subject, Target, Thing,
};
use vitals::Role;

const NOW: Circumstances<'_> = Circumstances {
    purpose: "TREAT",
    stated: false,
    strong: false,
    zone: "",
    category: "vital-signs",
    now_ms: 1_795_262_400_000,
};

fn asker(role: Role, units: Option<&BTreeSet<String>>) -> Asker<'_> {
    Asker { name: "ada", role, kind: "person", units, patient: None }
}

fn units(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Every relation that an account can have to a patient.
const RELATIONS: [&str; 8] =
    ["house", "own-unit", "other-unit", "care-team", "opened", "oneself", "invited", "none"];

/// Who may see a patient, by relation.
#[test]
fn whose_patient_it_is_decides() {
    let policies = Policies::built_in().expect("the built-in policy");
    let (own, me) = (units(&["ICU"]), ["ada"]);
    let expected = |role: Role, action: &str, relation: &str| {
        use Role::{Administrator, Caregiver, ChargeNurse, Nurse, Patient, Pharmacist, Physician, Service};
        let staff = matches!(role, Nurse | ChargeNurse | Physician | Pharmacist | Administrator);
        let own = matches!(relation, "house" | "own-unit" | "care-team" | "opened");
        match (role, action) {
            (Patient, "read-fhir") => relation == "oneself",
            (Caregiver, "read-fhir") => relation == "invited",
            (Service, "read-fhir") => own,
            _ => staff && own,
        }
    };
    for role in Role::ALL {
        for relation in RELATIONS {
            let mut subject = Subject { unit: Some("ER"), ..Subject::unknown("p-1") };
            let mut asker = asker(role, Some(&own));
            match relation {
                "house" => asker.units = None,
                "own-unit" => subject.unit = Some("ICU"),
                "care-team" => subject.care_team = &me,
                "opened" => subject.opened_by = &["ada"],
                "oneself" => asker.patient = Some("p-1"),
                "invited" => subject.caregivers = &me,
                "none" => subject.unit = None,
                _ => {}
            }
            for action in ["see-patients", "read-fhir"] {
                let target = Target::Patient(subject);
                let question = Question { asker, action, target, circumstances: NOW };
                let verdict = policies.decide_checked(&question).expect("a question of the schema");
                let expected = expected(role, action, relation);
                assert_eq!(verdict.allowed, expected, "{role:?} {action} {relation}: {verdict:?}");
                assert_eq!(policies.decide(&question), verdict, "checked or not");
            }
        }
    }
}

#[test]
fn every_action_fits_the_schema_for_every_role_and_target() {
    let policies = Policies::built_in().expect("the built-in policy");
    assert!(policies.warnings().is_empty(), "{:?}", policies.warnings());
    let own = units(&["ICU"]);
    let thing = Thing { id: "monitor-1", unit: Some("ICU"), zone: "clinical" };
    let patient = Subject { unit: Some("ICU"), withheld: &["waveforms"], ..Subject::unknown("p-1") };
    for action in policies.actions() {
        let mut asked = 0;
        for role in Role::ALL {
            for target in [Target::House, Target::Patient(patient), Target::Device(thing)] {
                let asker = Asker { patient: Some("p-1"), ..asker(role, Some(&own)) };
                let question = Question { asker, action, target, circumstances: NOW };
                if let Ok(verdict) = policies.decide_checked(&question) {
                    asked += 1;
                    assert_eq!(policies.decide(&question), verdict, "{action} {role:?}");
                }
            }
        }
        assert!(asked >= Role::ALL.len(), "{action}: may be asked of the house");
    }
}

#[test]
fn consent_and_names_have_the_last_word() {
    let site = Source {
        name: "site.cedar".to_owned(),
        text: "@id(\"all\") permit (principal, action, resource);".to_owned(),
    };
    let policies = Policies::load(&[Source::built_in(), site]).expect("a policy");
    let ask = |role, action, withheld: &[&str], category| {
        let subject = Subject { unit: Some("ICU"), withheld, ..Subject::unknown("p-1") };
        let circumstances = Circumstances { category, ..NOW };
        let target = Target::Patient(subject);
        policies.decide(&Question { asker: asker(role, None), action, target, circumstances })
    };
    let nurse = |withheld, category| ask(Role::Nurse, "see-patients", withheld, category).allowed;
    assert!(nurse(&[], "waveforms"));
    assert!(!nurse(&["waveforms"], "waveforms"));
    assert!(nurse(&["waveforms"], "vital-signs"));
    for role in [Role::Operations, Role::Researcher] {
        let verdict = ask(role, "see-patients", &[], "vital-signs");
        assert!(!verdict.allowed && verdict.rules[0].starts_with("no-names"), "{verdict:?}");
        assert!(ask(role, "see-minimised", &[], "vital-signs").allowed);
    }
}

#[test]
fn every_role_may_say_what_it_works_for_and_nobody_may_say_emergency() {
    let policies = Policies::built_in().expect("the built-in policy");
    let rule = "purpose-of-the-role";
    let forbidden = |role, purpose, stated| {
        let circumstances = Circumstances { purpose, stated, ..NOW };
        let asker = Asker { patient: Some("p-1"), ..asker(role, None) };
        let question = Question { asker, action: "see-metrics", target: Target::House, circumstances };
        policies.decide(&question).rules.iter().any(|id| &**id == rule)
    };
    let purposes = ["TREAT", "ETREAT", "HOPERAT", "HRESCH", "HPAYMT", "PUBHLTH", "PATRQT", "FAMRQT"];
    for role in Role::ALL {
        assert!(forbidden(role, "ETREAT", true), "{role:?}");
        assert!(!purposes.iter().all(|purpose| forbidden(role, purpose, true)), "{role:?} may say something");
        assert!(!purposes.iter().any(|purpose| forbidden(role, purpose, false)), "{role:?}: nothing was said");
    }
}

#[test]
fn a_denial_says_what_is_lacking() {
    let policies = Policies::built_in().expect("the built-in policy");
    let own = units(&["ICU"]);
    let subject = Subject { unit: Some("ER"), ..Subject::unknown("p-1") };
    let ask = |role, action| Question {
        asker: asker(role, Some(&own)),
        action,
        target: Target::Patient(subject),
        circumstances: NOW,
    };
    let question = ask(Role::Nurse, "see-patients");
    assert_eq!(policies.decide(&question).rules, ["own-patients-only".into()]);
    let wanting = policies.wanting(&question).any_of;
    let unit = Change::Unit("ER".to_owned());
    assert_eq!(wanting, [Change::CareTeam, Change::BreakGlass, unit, Change::WholeHouse]);
    // What needs a role and a relation is no single change.
    assert_eq!(policies.wanting(&ask(Role::Nurse, "set-limits")).any_of, []);
    let mut house = ask(Role::Nurse, "set-limits");
    house.target = Target::House;
    assert_eq!(policies.decide(&house).rules, []);
    let wanting = policies.wanting(&house).any_of;
    assert_eq!(wanting, [Change::Role(Role::ChargeNurse), Change::Role(Role::Physician)]);
}

#[test]
fn mistakes_are_refused_with_file_line_and_reason() {
    for (text, expected) in [
        ("\n\npermit (principal, action, resource", "site.cedar:3: "),
        ("permit (principal, action, resource);", "site.cedar:1: a rule needs a name"),
        ("@id(\"nurse\") permit (principal, action, resource);", "site.cedar:1: there is a rule \"nurse\" already"),
        ("\n@id(\"x\")\nforbid (principal in Role::\"nurse\", action == Action::\"see-patient\", resource);",
            "unrecognized action"),
        ("@id(\"x\") forbid (principal is Nurse, action, resource);", "unrecognized entity type"),
        ("@id(\"x\")\nforbid (principal, action == Action::\"see-patients\", resource is Patient)\nwhen { resource.ward == \"ICU\" };",
            "site.cedar:3: "),
        ("@id(\"x\")\nforbid (principal, action, resource)\nwhen { principal.units == \"ICU\" };", "site.cedar:3: "),
        ("@id(\"x\") permit (principal == ?principal, action, resource);", "template"),
    ] {
        let site = Source { name: "site.cedar".to_owned(), text: text.to_owned() };
        let error = Policies::load(&[Source::built_in(), site]).expect_err(text).to_string();
        assert!(error.contains(expected) && error.contains("site.cedar:"), "{text:?}: {error}");
    }
}

#[test]
fn a_site_adds_rules_and_each_is_shown_as_written() {
    let text = "// Quiet hours.\n@id(\"administration-needs-a-second-factor\")\n@text(\"No administration without one.\")\n\
                forbid (principal, action in Action::\"administration\", resource)\nunless { context.strong };\n";
    let site = Source { name: "site.cedar".to_owned(), text: text.to_owned() };
    let policies = Policies::load(&[Source::built_in(), site]).expect("a policy");
    let rule = policies.rule("administration-needs-a-second-factor").expect("there");
    assert_eq!((rule.file.as_str(), rule.line, rule.permits), ("site.cedar", 2, false));
    assert!(rule.text.starts_with("@id(") && rule.meaning.starts_with("No administration"));
    let ask = |strong| {
        let circumstances = Circumstances { strong, ..NOW };
        let asker = asker(Role::Administrator, None);
        Question { asker, action: "manage-users", target: Target::House, circumstances }
    };
    assert!(policies.decide(&ask(true)).allowed);
    assert!(!policies.decide(&ask(false)).allowed);
    assert_eq!(policies.wanting(&ask(false)).any_of, [Change::StrongFactor]);
    // The built-in rules stand where they say.
    for rule in policies.rules().iter().filter(|rule| rule.file == policy::DEFAULT_NAME) {
        let line = policy::DEFAULT.lines().nth(rule.line - 1).expect("a line");
        assert_eq!(line, format!("@id(\"{}\")", rule.id));
        assert!(!rule.meaning.is_empty(), "{} says what it means", rule.id);
    }
}
