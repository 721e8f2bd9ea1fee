//! Decisions follow what changes: units, care teams, emergencies and consents, at once; and a site's
//! rules are taken or refused whole.

use guard::{
    Account, Asking, Category, Decision, Document, DocumentKind, Guard, Kind, Member, Opening, Permission, Provision,
    Purpose, Reason, Span, Target,
};
use vitals::{PatientId, ReceiveTime, Role};

const NOW: ReceiveTime = ReceiveTime(1_795_262_400_000_000);
const MINUTE: i64 = 60_000_000;

fn nurse(units: &[&str]) -> Account {
    let mut account = Account::new("ada", Role::Nurse, Kind::Person);
    account.units = units.iter().copied().collect();
    account
}

fn see(guard: &Guard, account: &Account, id: &PatientId, unit: &str, now: ReceiveTime) -> Decision {
    let target = Target::Patient { id, unit: Some(unit), in_encounter: true };
    guard.decide(Asking::plainly(account), Permission::SeePatients, target, Category::VitalSigns, now)
}

#[test]
fn an_answer_is_never_an_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("a guard");
    let account = nurse(&["ICU"]);
    guard.add_person(&account, "a-good-long-one").expect("added");
    let (id, other) = (PatientId::from_identifier("mrn", "1"), PatientId::from_identifier("mrn", "2"));
    let allowed = |unit, now| see(&guard, &account, &id, unit, now).allowed;
    for _ in 0..2 {
        assert!(allowed("ICU", NOW));
        assert!(!allowed("ER", NOW), "moved");
    }
    assert!(see(&guard, &nurse(&["ER"]), &id, "ER", NOW).allowed, "the account moved");
    // In the care team for an hour.
    let until_us = Some(NOW.micros() + 60 * MINUTE);
    let period = Span { from_us: None, until_us };
    let member = Member { account: "ADA".into(), role: "primary".into(), team: String::new(), period };
    guard.put_team_member(&id, &member).expect("put in");
    assert!(allowed("ER", NOW) && !allowed("ER", NOW.plus(61 * MINUTE)));
    assert!(!see(&guard, &account, &other, "ER", NOW).allowed, "nobody else is opened by that");
    assert!(guard.remove_team_member(&id, "ada").expect("removed"));
    assert!(!allowed("ER", NOW));
    // In an emergency, for ten minutes, and said so.
    let target = Target::Patient { id: &id, unit: Some("ER"), in_encounter: true };
    let asking = Asking::plainly(&account);
    let would = guard.would_open(asking, Permission::SeePatients, target, Category::VitalSigns, NOW);
    assert!(would, "a nurse may");
    let words = "collapsed in the corridor".to_owned();
    let opening = Opening { patient: id.clone(), unit: "ER".into(), reason: Reason::Emergency, words, minutes: 10 };
    guard.open_patient(&account, &opening, NOW).expect("opened");
    let decided = see(&guard, &account, &id, "ER", NOW);
    assert_eq!((decided.allowed, decided.purpose), (true, "ETREAT"));
    assert!(!allowed("ER", NOW.plus(11 * MINUTE)), "it ends by itself");
}

#[test]
fn a_site_adds_rules_or_is_told_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(&folder.path().join("guard")).expect("a guard");
    let rules = folder.path().join("policy");
    assert_eq!(guard.load_policies(&rules).expect("none there"), Vec::<String>::new());
    std::fs::create_dir(&rules).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(rules.join(name), text).expect("written");
    let (account, id) = (nurse(&["ICU"]), PatientId::from_identifier("mrn", "1"));
    let other = PatientId::from_identifier("mrn", "2");
    assert!(see(&guard, &account, &id, "ICU", NOW).allowed);

    // A rule about one account and one patient: others are not answered with what was remembered of these.
    let text = format!("@id(\"apart\")\nforbid (principal == User::\"ada\", action, resource == Patient::\"{id}\");");
    write("site.cedar", &text);
    guard.load_policies(&rules).expect("taken");
    let decided = see(&guard, &account, &id, "ICU", NOW);
    assert_eq!((decided.allowed, &*decided.rules[0]), (false, "apart"));
    assert!(see(&guard, &account, &other, "ICU", NOW).allowed);
    let ben = Account { name: "ben".into(), ..account.clone() };
    assert!(see(&guard, &ben, &id, "ICU", NOW).allowed);

    // A wrong file changes nothing.
    write("wrong.cedar", "@id(\"x\")\npermit (principal in Role::\"nurse\", action == Action::\"fly\", resource);");
    let error = guard.load_policies(&rules).expect_err("no such action").to_string();
    assert!(error.starts_with("wrong.cedar:2: "), "{error}");
    assert!(!see(&guard, &account, &id, "ICU", NOW).allowed, "the rules before stay");
    std::fs::remove_file(rules.join("wrong.cedar")).expect("removed");

    // In place of the built-in rules.
    write("default.cedar", "@id(\"nobody\")\nforbid (principal, action, resource);");
    guard.load_policies(&rules).expect("taken");
    assert!(!guard.allows(&Account::new("root", Role::Administrator, Kind::Person), Permission::ManageUsers));
}

#[test]
fn a_rule_that_looks_at_the_clock_is_asked_each_minute() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(&folder.path().join("guard")).expect("a guard");
    let rules = folder.path().join("policy");
    std::fs::create_dir(&rules).expect("a folder");
    let text = format!(
        "@id(\"later\")\nforbid (principal, action, resource is Patient) when {{ context.now >= {} }};",
        NOW.plus(5 * MINUTE).millis()
    );
    std::fs::write(rules.join("site.cedar"), text).expect("written");
    guard.load_policies(&rules).expect("taken");
    let (account, id) = (nurse(&["ICU"]), PatientId::from_identifier("mrn", "1"));
    for (minutes, allowed) in [(0, true), (4, true), (5, false), (4, true)] {
        let now = NOW.plus(minutes * MINUTE);
        assert_eq!(see(&guard, &account, &id, "ICU", now).allowed, allowed, "{minutes}");
    }
}

#[test]
fn a_purpose_that_is_named_is_the_roles_or_refused_and_consents_follow_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("a guard");
    let id = PatientId::from_identifier("mrn", "1");
    let target = Target::Patient { id: &id, unit: Some("ICU"), in_encounter: true };
    let ask = |role, kind, purpose, what| {
        let account = Account::new("ada", role, kind);
        let asking = Asking { purpose: Some(purpose), ..Asking::plainly(&account) };
        guard.decide(asking, what, target, Category::VitalSigns, NOW)
    };
    let (see, read) = (Permission::SeePatients, Permission::ReadFhir);
    for (role, kind, what, purpose, expected) in [
        (Role::Nurse, Kind::Person, see, Purpose::Treat, true),
        (Role::Nurse, Kind::Person, see, Purpose::Hoperat, true),
        (Role::Nurse, Kind::Person, see, Purpose::Hresch, false),
        (Role::Nurse, Kind::Person, see, Purpose::Etreat, false),
        (Role::Physician, Kind::Person, see, Purpose::Hoperat, true),
        (Role::Administrator, Kind::Person, see, Purpose::Treat, false),
        (Role::Administrator, Kind::Person, see, Purpose::Hpaymt, true),
        (Role::Service, Kind::Service, read, Purpose::Pubhlth, true),
        (Role::Service, Kind::Service, read, Purpose::Patrqt, false),
    ] {
        let decided = ask(role, kind, purpose, what);
        let rule = decided.rules.iter().any(|rule| &**rule == "purpose-of-the-role");
        assert_eq!(rule, !expected, "{role:?} {purpose:?}: {decided:?}");
        assert!(!rule || !decided.allowed);
        assert_eq!(decided.purpose, purpose.code());
    }

    // Who does research sees nobody who did not agree to that.
    let decided = ask(Role::Physician, Kind::Person, Purpose::Hresch, see);
    assert_eq!((decided.allowed, &*decided.rules[0]), (false, "consent"));

    // Treatment only: the same physician is shown nothing for research.
    let treatment = Provision { purposes: vec![Purpose::Treat], ..Provision::base(true) };
    let consent = Document {
        kind: DocumentKind::Consent,
        id: "c-1".into(),
        patient: id.clone(),
        status: "active".into(),
        json: "{}".into(),
        rules: Some(Provision { exceptions: vec![treatment], ..Provision::base(false) }),
    };
    guard.put_consent(&consent, "nora", NOW).expect("put");
    let decided = |purpose| ask(Role::Physician, Kind::Person, purpose, see).allowed;
    assert!(decided(Purpose::Treat) && !decided(Purpose::Hresch) && decided(Purpose::Treat));

    // Treatment of whom one opened in an emergency is emergency treatment, named or not.
    let ada = guard.add_user("ada", Role::Nurse, "a-good-long-one").expect("added");
    let words = "collapsed in the corridor".to_owned();
    let opening = Opening { patient: id.clone(), unit: "ICU".into(), reason: Reason::Emergency, words, minutes: 10 };
    guard.open_patient(&ada, &opening, NOW).expect("opened");
    assert_eq!(ask(Role::Nurse, Kind::Person, Purpose::Treat, see).purpose, "ETREAT");
}
