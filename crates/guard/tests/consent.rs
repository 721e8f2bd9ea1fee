//! What consents say: a table of cases, and what holds of any rules.

use guard::{
    Categories, Category, Consent, Provision, Purpose, Question, Recipient, Span, Stance, Units, Verdict,
    ask_consents, consented,
};
use proptest::prelude::*;
use vitals::{ReceiveTime, Role};

fn rule(permit: bool) -> Provision {
    Provision::base(permit)
}

fn consent(provision: Provision) -> Vec<Consent> {
    vec![Consent { id: "c-1".to_owned(), provision }]
}

/// A nurse of unit ICU, not of the care team, who treats.
fn nurse(units: &Units) -> Question<'_> {
    Question {
        account: "nora",
        role: Role::Nurse,
        units,
        in_care_team: false,
        purpose: Purpose::Treat,
        at: ReceiveTime(1_000),
        data: None,
    }
}

fn icu() -> Units {
    Units::Of(["ICU".to_owned()].into())
}

fn permitted(provision: Provision, question: &Question<'_>, category: Category) -> Option<bool> {
    match ask_consents(&consent(provision), question, category) {
        Verdict::Silent => None,
        Verdict::Permitted(_) => Some(true),
        Verdict::Denied(_) => Some(false),
    }
}

#[test]
fn an_exception_takes_the_word() {
    let units = icu();
    let waves = Provision { categories: vec![Category::Waveforms], ..rule(false) };
    let except_nurses = Provision { recipients: vec![Recipient::Role("nurse".to_owned())], ..rule(true) };
    let base = Provision { exceptions: vec![waves.clone()], ..rule(true) };
    let question = nurse(&units);
    assert_eq!(permitted(base.clone(), &question, Category::Waveforms), Some(false));
    assert_eq!(permitted(base, &question, Category::VitalSigns), Some(true));
    let nested = Provision { exceptions: vec![except_nurses], ..waves };
    let base = Provision { exceptions: vec![nested], ..rule(true) };
    assert_eq!(permitted(base.clone(), &question, Category::Waveforms), Some(true));
    let physician = Question { role: Role::Physician, ..question };
    assert_eq!(permitted(base, &physician, Category::Waveforms), Some(false));
}

#[test]
fn recipients_are_told_apart() {
    let units = icu();
    let question = nurse(&units);
    for (recipient, expected) in [
        (Recipient::Account("NORA".to_owned()), true),
        (Recipient::Account("paul".to_owned()), false),
        (Recipient::Role("nurse".to_owned()), true),
        (Recipient::Role("researcher".to_owned()), false),
        (Recipient::CareTeam, false),
        (Recipient::Unit("ICU".to_owned()), true),
        (Recipient::Unit("Ward 2".to_owned()), false),
        (Recipient::Organisation, true),
    ] {
        let only = Provision { recipients: vec![recipient.clone()], ..rule(false) };
        let said = permitted(only, &question, Category::Alerts);
        assert_eq!(said, expected.then_some(false), "{recipient:?}");
    }
    let team = Provision { recipients: vec![Recipient::CareTeam], ..rule(true) };
    let member = Question { in_care_team: true, ..question };
    assert_eq!(permitted(team, &member, Category::Alerts), Some(true));
    let house = Provision { recipients: vec![Recipient::Organisation], ..rule(true) };
    let carer = Question { role: Role::Caregiver, ..question };
    assert_eq!(permitted(house, &carer, Category::Alerts), None);
}

#[test]
fn emergencies_follow_treatment_unless_they_are_named() {
    let units = icu();
    let emergency = Question { purpose: Purpose::Etreat, ..nurse(&units) };
    let closed = Provision { purposes: vec![Purpose::Treat], ..rule(false) };
    assert_eq!(permitted(closed.clone(), &emergency, Category::VitalSigns), Some(false));
    let open = Provision { purposes: vec![Purpose::Etreat], ..rule(true) };
    let both = Provision { exceptions: vec![closed, open.clone()], ..rule(true) };
    assert_eq!(permitted(both.clone(), &emergency, Category::VitalSigns), Some(true));
    assert_eq!(permitted(both, &nurse(&units), Category::VitalSigns), Some(false));
    // Two consents: the one that names the emergency is heard.
    let two = [rule(false), open]
        .map(|provision| Consent { id: "c".to_owned(), provision });
    assert!(matches!(ask_consents(&two, &emergency, Category::Alerts), Verdict::Permitted(_)));
    assert!(matches!(ask_consents(&two, &nurse(&units), Category::Alerts), Verdict::Denied(_)));
}

#[test]
fn periods_of_the_rule_and_of_the_data() {
    let units = icu();
    let at = |us| Question { at: ReceiveTime(us), ..nurse(&units) };
    let span = |from, until| Span { from_us: Some(from), until_us: Some(until) };
    let timed = Provision { period: span(100, 200), ..rule(false) };
    for (us, expected) in [(99, None), (100, Some(false)), (199, Some(false)), (200, None)] {
        assert_eq!(permitted(timed.clone(), &at(us), Category::Alerts), expected, "{us}");
    }
    let of_data = |permit| Provision { data: span(100, 200), ..rule(permit) };
    for (data, denied, allowed) in [
        (Some(span(0, 100)), None, None),
        (Some(span(0, 101)), Some(false), None),
        (Some(span(100, 200)), Some(false), Some(true)),
        (Some(span(199, 300)), Some(false), None),
        (None, Some(false), None),
    ] {
        let question = Question { data, ..nurse(&units) };
        assert_eq!(permitted(of_data(false), &question, Category::Alerts), denied, "{data:?}");
        assert_eq!(permitted(of_data(true), &question, Category::Alerts), allowed, "{data:?}");
    }
}

#[test]
fn without_a_word_the_stance_of_the_house_holds() {
    let units = Units::All;
    let research = Question { role: Role::Researcher, purpose: Purpose::Hresch, ..nurse(&units) };
    let stance = Stance::default();
    assert_eq!(consented(&[], &nurse(&units), stance), Categories::ALL);
    assert_eq!(consented(&[], &research, stance), Categories::NONE);
    let yes = consent(Provision {
        purposes: vec![Purpose::Hresch],
        categories: vec![Category::VitalSigns],
        ..rule(true)
    });
    assert_eq!(consented(&yes, &research, stance), Categories::NONE.with(Category::VitalSigns));
    assert_eq!(consented(&yes, &nurse(&units), stance), Categories::ALL);
    let emergency = Question { purpose: Purpose::Etreat, ..nurse(&units) };
    let no = consent(rule(false));
    assert_eq!(consented(&no, &emergency, stance), Categories::NONE);
    let overrides = Stance { emergency_overrides: true, ..stance };
    assert_eq!(consented(&no, &emergency, overrides), Categories::ALL);
    assert_eq!(consented(&no, &nurse(&units), overrides), Categories::NONE);
}

fn provisions() -> impl Strategy<Value = Provision> {
    let category = prop::sample::subsequence(Category::ALL.to_vec(), 0..3);
    let purpose = prop::sample::subsequence(Purpose::ALL.to_vec(), 0..3);
    let recipient = prop::collection::vec(
        prop_oneof![
            Just(Recipient::CareTeam),
            Just(Recipient::Organisation),
            Just(Recipient::Role("nurse".to_owned())),
            Just(Recipient::Unit("ICU".to_owned())),
            Just(Recipient::Account("nora".to_owned())),
        ],
        0..2,
    );
    let leaf = (any::<bool>(), category, purpose, recipient).prop_map(
        |(permit, categories, purposes, recipients)| Provision { categories, purposes, recipients, ..rule(permit) },
    );
    leaf.prop_recursive(4, 24, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4))
            .prop_map(|(rule, exceptions)| Provision { exceptions, ..rule })
    })
}

/// The same rules, all of the other mind.
fn mirrored(rule: &Provision) -> Provision {
    let exceptions = rule.exceptions.iter().map(mirrored).collect();
    Provision { permit: !rule.permit, exceptions, ..rule.clone() }
}

proptest! {
    #[test]
    fn what_holds_of_any_rules(rule in provisions(), other in provisions(), team in any::<bool>(),
        purpose in prop::sample::select(Purpose::ALL.to_vec()))
    {
        let units = icu();
        let question = Question { in_care_team: team, purpose, ..nurse(&units) };
        for category in Category::ALL {
            let alone = permitted(rule.clone(), &question, category);
            // Whether a rule speaks does not depend on what it says.
            prop_assert_eq!(alone.is_some(), permitted(mirrored(&rule), &question, category).is_some());
            // Between two consents a refusal wins, whatever their order; only in an emergency may
            // the one that names it be heard alone.
            let pair = |a: &Provision, b: &Provision| {
                let both = [a, b].map(|p| Consent { id: "c".to_owned(), provision: p.clone() });
                match ask_consents(&both, &question, category) {
                    Verdict::Silent => None,
                    Verdict::Permitted(_) => Some(true),
                    Verdict::Denied(_) => Some(false),
                }
            };
            prop_assert_eq!(pair(&rule, &other), pair(&other, &rule));
            if purpose != Purpose::Etreat {
                let second = permitted(other.clone(), &question, category);
                let expected = match (alone, second) {
                    (Some(a), Some(b)) => Some(a && b),
                    (a, b) => a.or(b),
                };
                prop_assert_eq!(pair(&rule, &other), expected);
            }
            // Exceptions of an all-embracing rule never make it silent.
            let base = Provision { exceptions: vec![rule.clone()], ..Provision::base(true) };
            let said = permitted(base, &question, category);
            prop_assert_eq!(said, Some(alone.unwrap_or(true)));
        }
        // Written and read again, the rules are the same.
        let text = serde_json::to_string(&rule).expect("rules are plain");
        prop_assert_eq!(serde_json::from_str::<Provision>(&text).expect("as written"), rule);
    }
}
