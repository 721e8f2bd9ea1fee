//! Care teams, caregivers, consents, emergency access and holds: what is decided from memory is
//! what the database says, right after a change in this or another process.




use guard::{
    Account, Categories, Category, Document, DocumentKind, Guard, GuardError, Invitation, Kind, Member,
    Opening, Provision, Purpose, Reason, RetentionKind, Span, Stance,
};
use vitals::time::{DAY, MINUTE};
use vitals::{PatientId, ReceiveTime, Role};

const PASSWORD: &str = "a very long passphrase";
const NOW: ReceiveTime = ReceiveTime(1_760_000_000_000_000);

fn patient(n: u8) -> PatientId {
    PatientId::from_identifier("test", &n.to_string())
}

fn opening(patient: &PatientId) -> Opening {
    Opening {
        patient: patient.clone(),
        unit: "ICU".to_owned(),
        reason: Reason::Emergency,
        words: "found unresponsive on round".to_owned(),
        minutes: 30,
    }
}

fn consent(id: &str, patient: &PatientId, status: &str, rules: Provision) -> Document {
    Document {
        kind: DocumentKind::Consent,
        id: id.to_owned(),
        patient: patient.clone(),
        status: status.to_owned(),
        json: "{}".to_owned(),
        rules: Some(rules),
    }
}

/// Waits until something holds, for what comes from another process.
fn soon(holds: impl Fn() -> bool) -> bool {
    for _ in 0..1_000 {
        if holds() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    false
}

#[test]
fn break_glass_opens_at_once_and_ends_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("opens");
    let nora = guard.add_user("nora", Role::Nurse, PASSWORD).expect("added");
    let p = patient(1);
    for (words, minutes) in [("short", 30), ("long enough to say", 0), ("long enough to say", 241)] {
        let bad = Opening { words: words.to_owned(), minutes, ..opening(&p) };
        assert!(matches!(guard.open_patient(&nora, &bad, NOW), Err(GuardError::BadOpening)));
    }
    let opened = guard.open_patient(&nora, &opening(&p), NOW).expect("opened");
    let facts = guard.patient_facts(&p);
    assert_eq!(facts.opened_until("NORA", NOW), Some(NOW.plus(30 * MINUTE)));
    assert_eq!(facts.opened_until("paul", NOW), None);
    assert_eq!(facts.opened_until("nora", NOW.plus(30 * MINUTE)), None, "ends by itself");
    assert!(guard.patient_facts(&patient(2)).opened_until("nora", NOW).is_none());
    assert!(guard.close_patient("paul", &opened.id, NOW).expect("asked").is_none(), "not theirs");
    let closed = guard.close_patient("nora", &opened.id, NOW.plus(MINUTE)).expect("asked");
    assert_eq!(closed.and_then(|closed| closed.ended), Some(NOW.plus(MINUTE)));
    assert_eq!(guard.patient_facts(&p).opened_until("nora", NOW.plus(MINUTE)), None);
    let own = guard.review_emergency(&nora, &opened.id, true, "", NOW);
    assert!(matches!(own, Err(GuardError::OwnReview)));
    let sue = guard.add_user("sue", Role::SecurityOfficer, PASSWORD).expect("added");
    let seen = guard.review_emergency(&sue, &opened.id, true, "asked the ward", NOW).expect("reviewed");
    assert_eq!(seen.review.map(|review| (review.justified, review.by)), Some((true, "sue".to_owned())));
}

#[test]
fn a_consent_holds_at_once_also_from_another_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let (guard, other) = (Guard::open(folder.path()).expect("opens"), Guard::open(folder.path()).expect("opens"));
    let p = patient(1);
    let paul = Account::new("paul", Role::Pharmacist, Kind::Person);
    let seen = |guard: &Guard| guard.patient_facts(&p).consented(&paul, None, NOW, Stance::default());
    assert_eq!(seen(&guard), Categories::ALL);
    let waves = Provision { categories: vec![Category::Waveforms], ..Provision::base(false) };
    let rules = Provision { exceptions: vec![waves], ..Provision::base(true) };
    assert_eq!(guard.put_consent(&consent("c-1", &p, "active", rules.clone()), "nora", NOW).expect("put"), 1);
    assert!(!seen(&guard).has(Category::Waveforms) && seen(&guard).has(Category::Alerts));
    assert!(soon(|| !seen(&other).has(Category::Waveforms)));
    let again = consent("c-1", &p, "inactive", rules.clone());
    assert_eq!(other.put_consent(&again, "nora", NOW).expect("put"), 2);
    assert_eq!(seen(&other), Categories::ALL);
    assert!(soon(|| seen(&guard) == Categories::ALL));
    let moved = guard.put_consent(&consent("c-1", &patient(2), "active", rules), "nora", NOW);
    assert!(matches!(moved, Err(GuardError::OtherPatient)));
    assert_eq!(guard.document_versions(DocumentKind::Consent, "c-1").expect("read").len(), 2);
    drop(guard);
    let again = Guard::open(folder.path()).expect("opens again");
    assert_eq!(seen(&again), Categories::ALL);
}

#[test]
fn an_emergency_opens_what_the_consent_opens_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("opens");
    let nora = guard.add_user("nora", Role::Nurse, PASSWORD).expect("added");
    let (closed, open) = (patient(1), patient(2));
    let etreat = Provision { purposes: vec![Purpose::Etreat], ..Provision::base(true) };
    let rules = Provision { exceptions: vec![etreat], ..Provision::base(false) };
    guard.put_consent(&consent("c-1", &closed, "active", Provision::base(false)), "x", NOW).expect("put");
    guard.put_consent(&consent("c-2", &open, "active", rules), "x", NOW).expect("put");
    let seen = |p: &PatientId| guard.patient_facts(p).consented(&nora, None, NOW, guard.stance());
    assert!(seen(&closed).is_empty() && seen(&open).is_empty());
    for p in [&closed, &open] {
        guard.open_patient(&nora, &opening(p), NOW).expect("opened");
    }
    assert_eq!((seen(&closed), seen(&open)), (Categories::NONE, Categories::ALL));
    guard.set_stance(Stance { emergency_overrides: true, ..Stance::default() });
    assert_eq!(seen(&closed), Categories::ALL);
}

#[test]
fn caregivers_come_with_a_code_that_is_used_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("opens");
    let cara = guard.add_user("cara", Role::Caregiver, PASSWORD).expect("added");
    let nora = guard.add_user("nora", Role::Nurse, PASSWORD).expect("added");
    let p = patient(1);
    let invitation = Invitation {
        label: "my daughter".to_owned(),
        categories: Categories::NONE.with(Category::VitalSigns),
        period: Span { from_us: None, until_us: Some(NOW.plus(30 * DAY).micros()) },
    };
    let (id, code) = guard.invite_caregiver(&p, &invitation, NOW).expect("invited");
    assert!(guard.patient_facts(&p).caregiver("cara", NOW).is_none());
    let refused = |account: &Account, code: &str, now| {
        matches!(guard.accept_invitation(account, code, now), Err(GuardError::BadInvitation))
    };
    assert!(refused(&nora, &code, NOW), "no caregiver's account");
    assert!(refused(&cara, "0000-0000-0000-0000-0000", NOW));
    assert!(refused(&cara, &code, NOW.plus(7 * DAY)), "too old");
    assert_eq!(guard.accept_invitation(&cara, &code.to_uppercase(), NOW).expect("accepted"), p);
    assert!(refused(&cara, &code, NOW), "used");
    let facts = guard.patient_facts(&p);
    assert_eq!(facts.caregiver("cara", NOW), Some(Categories::NONE.with(Category::VitalSigns)));
    assert_eq!(facts.caregiver("cara", NOW.plus(30 * DAY)), None, "its time is over");
    let seen = facts.consented(&cara, None, NOW, Stance::default());
    assert!(seen.has(Category::VitalSigns) && !seen.has(Category::Waveforms));
    assert_eq!(guard.cares_for("cara", NOW).expect("read").len(), 1);
    assert!(guard.dismiss_caregiver(&p, &id).expect("dismissed"));
    assert!(guard.patient_facts(&p).caregiver("cara", NOW).is_none());
}

#[test]
fn care_teams_have_their_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("opens");
    guard.add_user("nora", Role::Nurse, PASSWORD).expect("added");
    let p = patient(1);
    let member = Member {
        account: "nora".to_owned(),
        role: "primary nurse".to_owned(),
        team: String::new(),
        period: Span { from_us: Some(NOW.micros()), until_us: Some(NOW.plus(DAY).micros()) },
    };
    let unknown = Member { account: "nobody".to_owned(), ..member.clone() };
    assert!(matches!(guard.put_team_member(&p, &unknown), Err(GuardError::Unknown(_))));
    guard.put_team_member(&p, &member).expect("put");
    let in_team = |at| guard.patient_facts(&p).in_care_team("nora", at);
    assert_eq!([-1, 0, DAY - 1, DAY].map(|us| in_team(NOW.plus(us))), [false, true, true, false]);
    guard.remove_user("nora").expect("removed");
    assert!(soon(|| !in_team(NOW)), "an account that is gone is in no team");
}

#[test]
fn holds_and_retention_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("opens");
    let p = patient(1);
    let hold = guard.hold_patient(&p, "case 7", "sue", NOW).expect("held");
    assert_eq!(guard.held_patients(), [p.clone()]);
    assert!(matches!(guard.forget_patient(&p), Err(GuardError::Held)));
    let released = guard.release_patient(&hold.id, "case closed", "sue", NOW).expect("released");
    assert!(released.is_some_and(|hold| hold.released.is_some()));
    assert!(guard.release_patient(&hold.id, "", "sue", NOW).expect("asked").is_none());
    assert!(guard.held_patients().is_empty());
    guard.forget_patient(&p).expect("forgotten");
    assert!(guard.set_retention(RetentionKind::Audit, Some(0), "sue", NOW).is_err());
    guard.set_retention(RetentionKind::Waveforms, Some(30), "sue", NOW).expect("set");
    guard.set_retention(RetentionKind::Waveforms, None, "sue", NOW).expect("set");
    let rules = guard.retention().expect("read");
    assert_eq!(rules.iter().map(|rule| (rule.kind, rule.days)).collect::<Vec<_>>(), [(RetentionKind::Waveforms, None)]);
    let of = |study| guard.pseudonyms(study, &[p.clone()]).expect("named").remove(0);
    assert!(of("a") != of("b") && of("a") == of("a") && (0..DAY).contains(&of("a").offset_us));
}
