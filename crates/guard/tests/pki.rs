//! The life of a device, from heard to retired, and its certificates.

use std::net::IpAddr;

use guard::{
    Claim, Credential, DeviceState, DeviceStep, Guard, GuardError, Presented, Refusal, RevocationReason,
    SecurityEvent, TrustError,
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use vitals::time::HOUR;
use vitals::{DeviceId, ReceiveTime};

const NOW: ReceiveTime = ReceiveTime(1_790_000_000_000_000);

fn guard() -> (tempfile::TempDir, Guard) {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(&folder.path().join("guard")).expect("opened");
    (folder, guard)
}

fn id(text: &str) -> DeviceId {
    DeviceId::new(text).expect("an id")
}

fn request(common: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    let key = KeyPair::generate().expect("a key");
    params.serialize_request(&key).expect("a request").der().to_vec()
}

fn claimed(guard: &Guard, device: &str) -> String {
    let claim = Claim { kind: "pump".to_owned(), why: "bed 4".to_owned(), ..Claim::default() };
    guard.claim_device(&id(device), &claim, "eve", NOW).expect("claimed").text
}

#[test]
fn a_device_from_heard_to_retired() {
    let (_folder, guard) = guard();
    let (device, source) = (id("pump-7"), IpAddr::from([192, 0, 2, 7]));
    assert_eq!(guard.admit_device(&device), Err(Refusal::Unknown));
    for _ in 0..5 {
        guard.heard(&device, Some(source), "mqtt-tls", NOW);
    }
    let listed = guard.trusted_devices().expect("listed");
    let heard = listed[0].heard.as_ref().expect("heard");
    assert_eq!((listed[0].state, heard.count), (DeviceState::Announced, 5));
    assert_eq!(heard.source, "192.0.2.7");

    let code = claimed(&guard, "pump-7");
    let again = guard.claim_device(&device, &Claim::default(), "eve", NOW);
    assert!(matches!(again, Err(GuardError::Trust(TrustError::Step { .. }))), "claimed once");
    assert_eq!(guard.admit_device(&device), Err(Refusal::NotInService(DeviceState::Claimed)));
    let wrong = guard.enrol_device(&device, "0000-0000-0000-0000-0000", &request("pump-7"), NOW);
    assert!(matches!(wrong, Err(GuardError::Trust(TrustError::BadCode))));
    let other = guard.enrol_device(&device, &code, &request("pump-8"), NOW);
    assert!(matches!(other, Err(GuardError::Trust(TrustError::BadRequest(_)))), "another's name");
    let made = guard.enrol_device(&device, &code, &request("pump-7"), NOW).expect("enrolled");
    assert_eq!(made.state, DeviceState::Active);
    let used = guard.enrol_device(&device, &code, &request("pump-7"), NOW);
    assert!(matches!(used, Err(GuardError::Trust(TrustError::BadCode))), "a code works once");

    let shown = Presented::read(&made.der).expect("a certificate");
    assert_eq!(guard.judge(&shown, NOW), Ok(Some(device.clone())));
    let renewed = guard.renew_device(&shown, &request("pump-7"), NOW.plus(HOUR)).expect("renewed");
    let next = Presented::read(&renewed.der).expect("a certificate");
    assert_eq!(guard.judge(&next, NOW.plus(HOUR)), Ok(Some(device.clone())));
    assert!(guard.renew_device(&shown, &request("pump-8"), NOW).is_err(), "for nobody else");
    assert_eq!(guard.judge(&shown, NOW.plus(91 * 24 * HOUR)), Err(Refusal::Expired));

    let mut moved = guard.moved();
    moved.mark_unchanged();
    guard.revoke_certificate(&made.serial, RevocationReason::KeyCompromise, "eve", NOW).expect("revoked");
    assert!(moved.has_changed().expect("open"), "sessions are told at once");
    assert_eq!(guard.judge(&shown, NOW), Err(Refusal::Revoked));
    assert_eq!(guard.judge(&next, NOW.plus(HOUR)), Ok(Some(device.clone())), "that one alone");

    let step = |step| guard.move_device(&device, step, "eve", "leaks", NOW);
    assert_eq!(step(DeviceStep::Suspend).expect("suspended"), DeviceState::Suspended);
    let refused = Err(Refusal::NotInService(DeviceState::Suspended));
    assert_eq!(guard.judge(&next, NOW.plus(HOUR)), refused);
    assert_eq!(step(DeviceStep::Activate).expect("active"), DeviceState::Active);
    assert_eq!(step(DeviceStep::Retire).expect("retired"), DeviceState::Retired);
    assert_eq!(guard.judge(&next, NOW.plus(HOUR)), Err(Refusal::Revoked));
    assert!(matches!(step(DeviceStep::Activate), Err(GuardError::Trust(TrustError::Step { .. }))));
    let life: Vec<_> = guard.life_of(&device).expect("kept").into_iter().map(|s| s.became).collect();
    assert_eq!(life, ["retired", "active", "suspended", "active", "verified", "claimed"]);
}

/// Each session is asked again when something changed: were that never to end, a house of sessions
/// would be asked for ever.
#[test]
fn a_change_is_told_once() {
    let (folder, guard) = guard();
    guard.look_for_changes();
    let mut moved = guard.moved();
    let mut told = |guard: &Guard| {
        guard.look_for_changes();
        let told = moved.has_changed().expect("open");
        moved.mark_unchanged();
        told
    };
    let changes: [&dyn Fn(); 2] = [
        &|| drop(guard.add_device(&id("pump-1")).expect("added")),
        &|| {
            let other = Guard::open(&folder.path().join("guard")).expect("opened by another process");
            drop(other.add_device(&id("pump-2")).expect("added"));
        },
    ];
    for change in changes {
        change();
        assert!(told(&guard));
        // A change of our own may be seen once more.
        told(&guard);
        for _ in 0..3 {
            assert!(!told(&guard), "nothing changed since");
        }
    }
}

#[test]
fn codes_end_after_a_day_and_are_one_devices() {
    let (_folder, guard) = guard();
    let (first, second) = (claimed(&guard, "pump-1"), claimed(&guard, "pump-2"));
    for (device, code, at) in [("pump-1", &second, NOW), ("pump-1", &first, NOW.plus(24 * HOUR))] {
        let tried = guard.enrol_device(&id(device), code, &request(device), at);
        assert!(matches!(tried, Err(GuardError::Trust(TrustError::BadCode))), "{device}");
    }
    let spoken = first.to_uppercase().replace('-', " ");
    assert!(guard.enrol_device(&id("pump-1"), &spoken, &request("pump-1"), NOW).is_ok());
}

#[test]
fn what_the_authority_signs_without_us_is_refused() {
    let (folder, guard) = guard();
    let code = claimed(&guard, "pump-1");
    guard.enrol_device(&id("pump-1"), &code, &request("pump-1"), NOW).expect("enrolled");
    // Whoever got hold of the key makes a certificate of his own.
    let file = |name: &str| std::fs::read_to_string(folder.path().join("guard").join(name)).expect("there");
    let key = KeyPair::from_pem(&file(guard::AUTHORITY_KEY_FILE)).expect("a key");
    let pem = file(guard::AUTHORITY_FILE);
    let own = Presented::read(&guard.authority_der(NOW).expect("there")).expect("readable");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, own.names[0].as_str());
    let issuer = rcgen::Issuer::new(params.clone(), key);
    params.distinguished_name.push(DnType::CommonName, "pump-1");
    let forged = params.signed_by(&KeyPair::generate().expect("a key"), &issuer).expect("signed");
    let shown = Presented::read(forged.der()).expect("a certificate");
    assert_eq!(guard.judge(&shown, NOW), Err(Refusal::NotIssued));
    assert!(pem.contains("BEGIN CERTIFICATE"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join("guard").join(guard::AUTHORITY_KEY_FILE);
        let mode = std::fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn passwords_are_weaker_and_end_with_a_certificate() {
    let (_folder, guard) = guard();
    let device = id("old-1");
    let password = guard.add_device(&device).expect("added");
    let found = guard.trusted_device(&device).expect("read").expect("known");
    assert_eq!((found.state, found.credential), (DeviceState::Active, Credential::Password));
    assert!(guard.admit_device(&device).expect("in service").weak);
    let code = guard.new_code(&device, NOW).expect("a code");
    guard.enrol_device(&device, &code.text, &request("old-1"), NOW).expect("enrolled");
    assert_eq!(guard.device("old-1", password.as_bytes()), None, "the password is over");
    assert!(!guard.admit_device(&device).expect("in service").weak);
    guard.remove_device(&device).expect("removed");
    assert_eq!(guard.admit_device(&device), Err(Refusal::Unknown));
    assert!(guard.add_device(&device).is_ok(), "it may come again");
}

#[test]
fn security_events_are_counted_on_one_line_until_taken() {
    let (_folder, guard) = guard();
    let event = |n: usize, kind| SecurityEvent {
        kind,
        device: Some(id("pump-1")),
        zone: "wards".to_owned(),
        evidence: format!("the {n}th time"),
        at: NOW.plus(n as i64),
    };
    for n in 0..10_000 {
        guard.security_event(event(n, "wrong-zone"));
    }
    let lines = guard.security_events(true, 100).expect("read");
    assert_eq!((lines.len(), lines[0].count), (1, 10_000));
    assert_eq!(lines[0].evidence, "the 9999th time");
    guard.take_security_event(lines[0].number, "eve", "a cable in the wrong wall", NOW).expect("taken");
    assert!(guard.take_security_event(lines[0].number, "eve", "", NOW).is_err(), "once");
    assert_eq!(guard.open_security_events().expect("read"), 0);
    guard.security_event(event(1, "wrong-zone"));
    assert_eq!(guard.open_security_events().expect("read"), 1, "it happened again");
    assert_eq!(guard.security_events(false, 100).expect("read").len(), 2);
}

#[test]
fn memory_of_whom_was_heard_is_bounded() {
    let (_folder, guard) = guard();
    for n in 0..5_000 {
        guard.heard(&id(&format!("d-{n}")), None, "mqtt", NOW.plus(n));
    }
    assert!(guard.trusted_devices().expect("read").len() <= 1_000);
}
