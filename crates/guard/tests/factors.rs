//! Second factors, sessions, service tokens, and people whom the site's provider vouches for.

use std::net::IpAddr;

use guard::{
    Account, Change, Entrance, Factor, Guard, GuardError, Kind, LoginError, LoginRules, Means,
    Became, ProviderError, ProviderPerson, ProviderRefusal, Site, Step, Units,
};
use hmac::{Hmac, Mac};
use tempfile::TempDir;
use vitals::time::{MINUTE, SECOND};
use vitals::{ReceiveTime, Role};

const PASSWORD: &str = "four random plain words";
const START: ReceiveTime = ReceiveTime(1_700_000_000 * SECOND);

fn with_ada() -> (TempDir, Guard) {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("a new guard");
    guard.add_user("Ada", Role::Nurse, PASSWORD).expect("added");
    (folder, guard)
}

fn unbase32(text: &str) -> Vec<u8> {
    let (mut bytes, mut kept, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        kept = (kept << 5 | u32::from(value)) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((kept >> bits) as u8);
        }
    }
    bytes
}

/// What an authenticator app shows: written apart from what is tested.
fn app(secret: &str, now: ReceiveTime) -> String {
    let step = (now.micros() / SECOND / 30).to_be_bytes();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&unbase32(secret)).expect("a key");
    mac.update(&step);
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = digest[at..at + 4].iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

fn enrol(guard: &Guard, now: ReceiveTime) -> (String, Vec<String>) {
    let begun = guard.begin_totp("ada").expect("begun");
    let code = app(&begun.secret, now);
    let codes = guard.confirm_totp("ada", &code, now).expect("works").expect("the right code");
    (begun.secret, codes)
}

fn begin(guard: &Guard, now: ReceiveTime) -> Step {
    guard.begin_login("ada", PASSWORD, &Entrance::default(), now).expect("the right password")
}

fn half(step: Step) -> (String, Vec<Factor>) {
    match step {
        Step::More(token, needs) => (token, needs),
        Step::In(..) => panic!("one factor was enough"),
    }
}

#[test]
fn an_enrolled_app_is_asked_for_and_each_code_counts_once() {
    let (_folder, guard) = with_ada();
    assert!(matches!(begin(&guard, START), Step::In(..)), "none required by default");
    let (secret, codes) = enrol(&guard, START);
    assert_eq!(codes.len(), 10);
    assert!(guard.login("ada", PASSWORD, START).is_err(), "no way around it");
    let (token, needs) = half(begin(&guard, START));
    assert_eq!(needs, [Factor::Totp, Factor::Recovery]);
    assert!(guard.session(&token, START).is_none(), "half in is not in");
    let with = |token: &str, code: &str, now| guard.login_totp(token, code, &Entrance::default(), now);
    let used = with(&token, &app(&secret, START), START);
    assert!(matches!(used, Err(LoginError::Refused)), "the enrolment used this code up");
    let now = START.plus(31 * SECOND);
    let Ok(Step::In(session, entered)) = with(&token, &app(&secret, now), now) else {
        panic!("the next code is right");
    };
    assert!(session.strong() && session.means == Means::Totp);
    assert!(guard.session(&entered, now).is_some());
    let replayed = with(&token, &app(&secret, now), now);
    assert!(matches!(replayed, Err(LoginError::Begin)), "{replayed:?}");
    let (token, _) = half(begin(&guard, now));
    let replayed = with(&token, &app(&secret, now), now);
    assert!(matches!(replayed, Err(LoginError::Refused)), "{replayed:?}");
}

#[test]
fn wrong_codes_are_few_and_slow() {
    let (_folder, guard) = with_ada();
    let (secret, _) = enrol(&guard, START);
    let mut now = START.plus(MINUTE);
    let (token, _) = half(begin(&guard, now));
    let wrong = |now| guard.login_totp(&token, "000000", &Entrance::default(), now);
    for _ in 0..3 {
        assert!(matches!(wrong(now), Err(LoginError::Refused)));
    }
    assert!(matches!(wrong(now), Err(LoginError::SlowDown { .. })));
    for _ in 0..2 {
        now = now.plus(10 * SECOND);
        assert!(matches!(wrong(now), Err(LoginError::Refused)));
    }
    now = now.plus(10 * SECOND);
    let late = guard.login_totp(&token, &app(&secret, now), &Entrance::default(), now);
    assert!(matches!(late, Err(LoginError::Begin)), "five tries: the password again");
}

#[test]
fn a_recovery_code_opens_once_and_new_ones_replace_the_old() {
    let (_folder, guard) = with_ada();
    let (_, codes) = enrol(&guard, START);
    let with = |code: &str| {
        let (token, _) = half(begin(&guard, START));
        guard.login_recovery(&token, code, &Entrance::default(), START)
    };
    assert!(matches!(with(&codes[0].to_uppercase().replace('-', " ")), Ok(Step::In(..))));
    assert!(matches!(with(&codes[0]), Err(LoginError::Refused)));
    assert_eq!(guard.factors("ada").expect("known").recovery, 9);
    let fresh = guard.new_recovery_codes("ada").expect("made");
    assert!(matches!(with(&codes[1]), Err(LoginError::Refused)), "replaced");
    assert!(matches!(with(&fresh[1]), Ok(Step::In(..))));
}

#[test]
fn a_role_that_must_show_a_second_factor_makes_one_at_login() {
    let (_folder, guard) = with_ada();
    let second_factor = [Role::Nurse].into();
    guard.set_login_rules(LoginRules { second_factor, ..LoginRules::default() });
    let (token, needs) = half(begin(&guard, START));
    assert_eq!(needs, [Factor::EnrolTotp]);
    let begun = guard.begin_totp_at_login(&token, START).expect("at that step");
    let entered = |code: &str| guard.login_enrolled(&token, code, &Entrance::default(), START);
    assert!(matches!(entered("000000"), Err(LoginError::Refused)));
    let (step, codes) = entered(&app(&begun.secret, START)).expect("the right code");
    assert!(matches!(step, Step::In(..)) && codes.len() == 10);
    assert!(matches!(guard.remove_totp("ada"), Err(GuardError::FactorRequired)));
    let (token, _) = half(begin(&guard, START));
    assert!(guard.begin_totp_at_login(&token, START).is_err(), "no second app instead of the first");
    guard.reset_factors("ada").expect("by an administrator");
    assert_eq!(half(begin(&guard, START)).1, [Factor::EnrolTotp]);
}

#[test]
fn sessions_are_seen_ended_and_bound_to_their_connection() {
    let (_folder, guard) = with_ada();
    let address = Some(IpAddr::from([192, 0, 2, 8]));
    let tls = Entrance { address, encrypted: true, agent: "Ward\u{7} browser".to_owned() };
    let Ok(Step::In(session, token)) = guard.begin_login("ada", PASSWORD, &tls, START) else {
        panic!("logged in");
    };
    assert!(guard.session_on(&token, Some(true), START).is_some());
    assert!(guard.session_on(&token, Some(false), START).is_none(), "not over a plain connection");
    let (_, other) = guard.login("ada", PASSWORD, START.plus(SECOND)).expect("logged in");
    let seen = guard.sessions("ADA", START.plus(SECOND)).expect("listed");
    assert_eq!(seen.len(), 2);
    let first = seen.iter().find(|facts| facts.id == session.id).expect("among them");
    assert_eq!((first.address, first.agent.as_str(), first.encrypted), (address, "Ward browser", true));
    let before = guard.changes();
    assert_eq!(guard.end_sessions("ada", Some(&session.id)).expect("ended"), 1);
    assert!(guard.changes() > before, "whoever serves it for long asks again");
    assert!(guard.session(&other, START).is_none() && guard.session(&token, START).is_some());
    let rotated = guard.rotate_session(&token, Means::Totp).expect("still on");
    assert!(guard.session(&token, START).is_none());
    assert!(guard.session_on(&rotated, Some(true), START).is_some_and(|session| session.strong()));
    assert!(matches!(guard.end_session("bob", &session.id), Err(GuardError::Unknown(_))));
    let id = guard.sessions("ada", START).expect("listed")[0].id.clone();
    guard.end_session("ada", &id).expect("ended");
    assert!(guard.session(&rotated, START).is_none());
}

#[test]
fn changes_of_an_account_hold_at_once() {
    let (_folder, guard) = with_ada();
    guard.add_user("root", Role::Administrator, PASSWORD).expect("added");
    let (_, token) = guard.login("ada", PASSWORD, START).expect("logged in");
    let units: Units = ["ICU"].into_iter().collect();
    let change = Change { units: Some(units.clone()), ..Change::default() };
    guard.change_account("ADA", &change).expect("changed");
    assert_eq!(guard.session(&token, START).expect("goes on").units, units);
    let change = Change { role: Some(Role::Physician), ..Change::default() };
    guard.change_account("ada", &change).expect("changed");
    assert!(guard.session(&token, START).is_none(), "another role begins anew");
    let off = Change { disabled: Some(true), ..Change::default() };
    guard.change_account("ada", &off).expect("disabled");
    assert!(matches!(guard.login("ada", PASSWORD, START), Err(LoginError::Refused)));
    assert!(guard.account_fact("ada").expect("listed").disabled);
    let last = guard.change_account("root", &off);
    assert!(matches!(last, Err(GuardError::LastAdministrator)), "{last:?}");
    let demoted = Change { role: Some(Role::Nurse), ..Change::default() };
    assert!(matches!(guard.change_account("root", &demoted), Err(GuardError::LastAdministrator)));
    assert!(matches!(guard.change_account("bob", &off), Err(GuardError::Unknown(_))));
}

#[test]
fn one_changes_the_own_password_with_the_present_one() {
    let (_folder, guard) = with_ada();
    let Step::In(session, token) = begin(&guard, START) else { panic!("logged in") };
    let (_, other) = guard.login("ada", PASSWORD, START).expect("logged in");
    let change = |present: &str, next: &str| {
        guard.change_own_password("ada", present, next, &session.id, None, START)
    };
    assert!(matches!(change("wrong", "another four plain words"), Err(LoginError::Refused)));
    assert!(matches!(change(PASSWORD, "easy"), Err(LoginError::Guard(GuardError::WeakPassword(_)))));
    change(PASSWORD, "another four plain words").expect("changed");
    assert!(guard.session(&token, START).is_some() && guard.session(&other, START).is_none());
    assert!(guard.login("ada", PASSWORD, START).is_err());
}

#[test]
fn a_services_token_ends_and_is_replaced() {
    let (_folder, guard) = with_ada();
    let ehr = Account::new("ehr", Role::Service, Kind::Service);
    let end = START.plus(MINUTE);
    let token = guard.add_service_until(&ehr, Some(end), START).expect("added");
    assert_eq!(guard.bearer(&token, START), Some(ehr.clone()));
    assert_eq!(guard.bearer(&token, end), None, "ended");
    let fresh = guard.rotate_token("ehr", None).expect("rotated");
    assert_eq!((guard.bearer(&token, START), guard.bearer(&fresh, end)), (None, Some(ehr)));
    assert_eq!(guard.account_fact("ehr").expect("listed").used, Some(end));
    assert!(matches!(guard.rotate_token("ada", None), Err(GuardError::Unknown(_))));
    guard.change_account("ehr", &Change { disabled: Some(true), ..Change::default() }).expect("off");
    assert_eq!(guard.bearer(&fresh, end), None);
}

/// What a provider says of somebody whom it calls Grace.
fn said(role: Option<Role>, strong: bool) -> ProviderPerson {
    ProviderPerson {
        subject: "https://idp.example 248289761001".to_owned(),
        name: "grace".to_owned(),
        linked: None,
        may_be_new: true,
        role,
        units: ["ICU"].into_iter().collect(),
        strong,
    }
}

fn enter(guard: &Guard, person: &ProviderPerson) -> Result<(Step, Became), ProviderRefusal> {
    match guard.login_provider(person, &Entrance::default(), START) {
        Ok(came) => Ok(came),
        Err(ProviderError::Refused(why)) => Err(why),
        Err(ProviderError::Login(error)) => panic!("{error}"),
    }
}

fn refused(guard: &Guard, person: &ProviderPerson) -> Option<ProviderRefusal> {
    enter(guard, person).err()
}

#[test]
fn whom_the_provider_vouches_for_follows_what_it_says() {
    let (_folder, guard) = with_ada();
    let is = |role, strong| enter(&guard, &said(role, strong));
    assert_eq!(is(None, true).err(), Some(ProviderRefusal::NoRole), "no role, no account");
    assert!(matches!(guard.account_fact("grace"), Err(GuardError::Unknown(_))));
    let stranger = ProviderPerson { may_be_new: false, ..said(Some(Role::Nurse), true) };
    assert_eq!(refused(&guard, &stranger), Some(ProviderRefusal::Unknown), "none is made");
    let Ok((Step::In(session, token), Became::Made)) = is(Some(Role::Nurse), false) else { panic!("in") };
    assert!(!session.strong() && session.account.units.hold(Some("ICU")));
    assert!(matches!(guard.login("grace", "", START), Err(LoginError::Refused)), "no password");
    assert!(matches!(guard.set_password("grace", PASSWORD), Err(GuardError::Unknown(_))));
    let Ok((Step::In(session, next), Became::Known)) = is(Some(Role::Physician), true) else { panic!("in") };
    assert!(session.strong() && session.account.role == Role::Physician);
    assert!(guard.session(&token, START).is_none(), "another role begins anew");
    assert_eq!(is(None, true).err(), Some(ProviderRefusal::NoRole));
    assert!(guard.session(&next, START).is_none(), "the role is gone, and the session with it");
    assert!(matches!(is(Some(Role::Nurse), true), Ok((Step::In(..), Became::Known))), "and back");
    guard.change_account("grace", &Change { disabled: Some(true), ..Change::default() }).expect("off");
    assert_eq!(is(Some(Role::Nurse), true).err(), Some(ProviderRefusal::Disabled), "disabled here");
    for (name, why) in [("ADA", ProviderRefusal::Taken), ("a b", ProviderRefusal::Unfit)] {
        let person = ProviderPerson { subject: "other".to_owned(), name: name.to_owned(), ..said(Some(Role::Nurse), true) };
        assert_eq!(refused(&guard, &person), Some(why), "{name}");
    }
}

#[test]
fn an_account_here_becomes_the_providers_only_when_somebody_said_so() {
    let (_folder, guard) = with_ada();
    let ada = ProviderPerson { name: "ada".to_owned(), may_be_new: false, ..said(Some(Role::Nurse), true) };
    assert_eq!(refused(&guard, &ada), Some(ProviderRefusal::Unknown), "a name alone is no proof");
    let (_, token) = guard.login("ada", PASSWORD, START).expect("in");
    guard.link_provider("ada", Some(&ada.subject)).expect("linked");
    assert!(guard.session(&token, START).is_none(), "what was open ends");
    assert!(matches!(guard.login("ada", PASSWORD, START), Err(LoginError::Refused)), "no password any more");
    assert!(matches!(enter(&guard, &ada), Ok((Step::In(..), Became::Known))));
    guard.add_user("bob", Role::Nurse, PASSWORD).expect("added");
    assert!(matches!(guard.link_provider("bob", Some(&ada.subject)), Err(GuardError::Exists(_))), "one account a person");
    guard.link_provider("ada", None).expect("unlinked");
    assert_eq!(refused(&guard, &ada), Some(ProviderRefusal::Unknown));
    assert!(matches!(guard.login("ada", PASSWORD, START), Err(LoginError::Refused)), "until a password is set");
    guard.set_password("ada", PASSWORD).expect("set");
    assert!(guard.login("ada", PASSWORD, START).is_ok());
    // By a claim that the site trusts for this.
    let bob = |subject: &str| ProviderPerson { subject: subject.to_owned(), linked: Some("bob".to_owned()), may_be_new: false, ..said(Some(Role::Nurse), true) };
    assert!(matches!(enter(&guard, &bob("s-1")), Ok((Step::In(..), Became::Linked))));
    assert_eq!(refused(&guard, &bob("s-2")), Some(ProviderRefusal::Taken), "nobody else after that");
    guard.change_account("ada", &Change { disabled: Some(true), ..Change::default() }).expect("off");
    let linked = ProviderPerson { subject: "s-3".to_owned(), linked: Some("ada".to_owned()), ..said(Some(Role::Nurse), true) };
    assert_eq!(refused(&guard, &linked), Some(ProviderRefusal::Disabled));
}

#[test]
fn coming_back_from_the_provider_is_slowed_like_any_other_login() {
    let (_folder, guard) = with_ada();
    let here = Entrance { address: Some(IpAddr::from([192, 0, 2, 1])), ..Entrance::default() };
    for _ in 0..3 {
        assert!(guard.begin_provider(&here, START).is_ok());
    }
    assert!(matches!(guard.begin_provider(&here, START), Err(LoginError::SlowDown { .. })));
    assert!(guard.begin_provider(&Entrance::default(), START).is_ok(), "nobody elsewhere waits");
    guard.login_provider(&said(Some(Role::Nurse), true), &here, START).expect("in");
    assert!(guard.begin_provider(&here, START).is_ok(), "who comes in clears the count");
}

#[test]
fn an_attack_from_many_addresses_leaves_the_ward_alone() {
    let (_folder, guard) = with_ada();
    let from = |last: u8| Entrance { address: Some(IpAddr::from([192, 0, 2, last])), ..Entrance::default() };
    assert!(guard.begin_login("ada", PASSWORD, &from(1), START).is_ok(), "the ward's computer");
    let mut slowed = 0;
    for n in 10..30 {
        match guard.begin_login("ada", "a guess", &from(n), START) {
            Err(LoginError::SlowDown { .. }) => slowed += 1,
            other => assert!(matches!(other, Err(LoginError::Refused))),
        }
    }
    assert_eq!(slowed, 10, "each from a new address");
    assert!(guard.begin_login("ada", PASSWORD, &from(1), START).is_ok(), "not where she works");
}

#[test]
fn a_passkey_that_nobody_made_opens_nothing() {
    let (_folder, guard) = with_ada();
    let site = Site { origin: "http://localhost:8080".to_owned() };
    let options = guard.begin_passkey("Ada", &site).expect("begun");
    let options: serde_json::Value = serde_json::from_str(&options).expect("JSON");
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    let options = guard.begin_passkey_login(&site).expect("begun");
    let options: serde_json::Value = serde_json::from_str(&options).expect("JSON");
    assert_eq!(options["rpId"], "localhost");
    for answer in ["", "{}", "null", "[]", "{\"id\":\"AAAA\"}"] {
        let refused = guard.login_passkey(answer, &site, &Entrance::default(), START);
        assert!(matches!(refused, Err(LoginError::Refused)), "{answer}");
        assert!(guard.add_passkey("ada", "x", answer, &site, START).is_err(), "{answer}");
    }
    let by_address = Site { origin: "http://127.0.0.1:8080".to_owned() };
    assert!(matches!(guard.begin_passkey("ada", &by_address), Err(GuardError::NoPasskeysHere)));
}
