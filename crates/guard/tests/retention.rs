//! Retention of what the guard keeps: whole files of the audit log, security events.

mod common;

use common::record;
use guard::{
    AuditError, AuditExpired, AuditExpiry, AuditQuery, Checks, EXPIRED, Guard, Rotation, SecurityEvent,
    verify_audit, verify_audit_with,
};
use vitals::{DeviceId, EffectiveTime, PatientId, ReceiveTime};

/// The time of the record with number 0.
const START: i64 = 1_700_000_000_000_000;
/// Retention comes by at this time.
const NOW: ReceiveTime = ReceiveTime(START + 1_000_000);

fn before(n: i64) -> AuditExpiry {
    AuditExpiry { before: ReceiveTime(START + n), until: u64::MAX, held: Vec::new() }
}

/// A log in some closed files; all but the last line of it stand in them.
fn in_files(records: u64) -> (tempfile::TempDir, Guard) {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::trial(folder.path()).expect("a guard");
    guard.rotate_audit_by(Rotation { bytes: 8_000, age_us: 0 });
    for n in 1..=records {
        guard.audit_blocking(record(n)).expect("written");
    }
    (folder, guard)
}

#[test]
fn closed_files_of_the_audit_log_go_and_the_rest_still_verifies() {
    let (folder, guard) = in_files(200);
    let files = verify_audit(folder.path()).expect("whole").files;
    assert!(files > 5, "{files}");
    assert_eq!(guard.expire_audit(&before(1), NOW).expect("works"), None, "nothing is so old");
    let gone = guard.expire_audit(&before(100), NOW).expect("works").expect("something went");
    assert_eq!(gone.first, 1);
    // Whole files: the one with record 100 stays.
    assert!((60..=102).contains(&gone.last) && gone.files + 2 <= files, "{gone:?}");
    let verified = verify_audit(folder.path()).expect("whole");
    assert_eq!(verified.absent, [(1, gone.last)]);
    assert_eq!(verified.expired, Some((gone.last, ReceiveTime(START + 100))));
    assert_eq!(guard.expire_audit(&before(100), NOW).expect("works"), None, "once is enough");

    // It is told, and the index knows nothing of what went.
    let all = AuditQuery { limit: 500, ..AuditQuery::default() };
    let page = guard.search_audit(&all).expect("read");
    assert!(page.records.iter().all(|(number, _)| *number > gone.last));
    let told = AuditQuery { actions: vec![EXPIRED.to_owned()], limit: 5, ..AuditQuery::default() };
    assert_eq!(guard.search_audit(&told).expect("read").total, 1);
    let of = AuditQuery { actor: Some("nurse-2".to_owned()), limit: 5, ..AuditQuery::default() };
    assert_eq!(guard.search_audit(&of).expect("read").total, 0);

    // The log goes on, over another start; proofs of what is left hold.
    drop(guard);
    let guard = Guard::trial(folder.path()).expect("opens again");
    guard.audit_blocking(record(999)).expect("written");
    drop(guard);
    let verified = verify_audit(folder.path()).expect("whole");
    assert!(verified.repairs.is_empty(), "{:?}", verified.repairs);
    let log = guard::AuditLog::at(folder.path());
    let key = log.verifier().expect("a key");
    let proof = log.prove(150).expect("read").expect("it is there");
    proof.verify(&key).expect("holds");
    assert_eq!(log.prove(2).expect("read"), None);
}

#[test]
fn what_is_taken_away_beyond_what_was_recorded_is_found() {
    let (folder, guard) = in_files(200);
    let gone = guard.expire_audit(&before(60), NOW).expect("works").expect("something went");
    drop(guard);
    let mut closed: Vec<_> = std::fs::read_dir(folder.path())
        .expect("read")
        .map(|entry| entry.expect("read").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("audit-")))
        .collect();
    closed.sort();
    let away = folder.path().join("away");
    std::fs::rename(&closed[0], &away).expect("moved");
    let told = verify_audit(folder.path()).expect_err("one is missing");
    assert!(matches!(told, AuditError::Missing { from: 1, to } if to > gone.last), "{told}");
    std::fs::rename(&away, &closed[0]).expect("moved back");
    std::fs::rename(&closed[1], &away).expect("moved");
    let told = verify_audit(folder.path()).expect_err("one is missing in the middle");
    assert_eq!(told.place().0, closed[2].file_name().expect("a name").to_string_lossy());
    std::fs::rename(&away, &closed[1]).expect("moved back");
    verify_audit(folder.path()).expect("whole");
}

#[test]
fn archived_and_removed_files_leave_a_gap_that_is_explained() {
    let (folder, guard) = in_files(200);
    let archive = tempfile::tempdir().expect("a folder");
    let first = folder.path().join("audit-00000000000000000001.log");
    std::fs::copy(&first, archive.path().join("audit-00000000000000000001.log")).expect("copied");
    let gone = guard.expire_audit(&before(100), NOW).expect("works").expect("something went");
    let checks = Checks { archives: vec![archive.path().to_owned()], ..Checks::default() };
    let verified = verify_audit_with(folder.path(), &checks).expect("whole");
    assert_eq!(verified.absent.len(), 1);
    assert!(verified.absent[0].0 > 1 && verified.absent[0].1 == gone.last, "{:?}", verified.absent);
}

#[test]
fn held_records_and_what_nobody_has_yet_stay() {
    let (folder, guard) = in_files(200);
    let patient = PatientId::from_identifier("urn:test", "70");
    let always = (patient.clone(), EffectiveTime(i64::MIN), EffectiveTime(i64::MAX));
    let elsewhen = (patient, EffectiveTime(i64::MIN), EffectiveTime(START + 70));
    let held = |held| AuditExpiry { held: vec![held], ..before(150) };
    let upto = |until| AuditExpiry { until, ..before(150) };
    assert_eq!(guard.expire_audit(&upto(3), NOW).expect("works"), None);
    let AuditExpired { last, .. } = guard.expire_audit(&upto(50), NOW).expect("works").expect("something went");
    assert!(last <= 50);
    if let Some(gone) = guard.expire_audit(&held(always), NOW).expect("works") {
        assert!(gone.last < 70, "{gone:?}");
    }
    let by = AuditQuery { actor: Some("nurse-70".to_owned()), limit: 5, ..AuditQuery::default() };
    assert_eq!(guard.search_audit(&by).expect("read").total, 1);
    guard.expire_audit(&held(elsewhen), NOW).expect("works").expect("the hold is of another time");
    assert_eq!(guard.search_audit(&by).expect("read").total, 0);
    verify_audit(folder.path()).expect("whole");
}

#[test]
fn security_events_go_once_somebody_took_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("a guard");
    for (n, device) in ["m1", "m2", "m3"].into_iter().enumerate() {
        guard.security_event(SecurityEvent {
            kind: "wrong-zone",
            device: DeviceId::new(device).ok(),
            zone: String::new(),
            evidence: "heard where it should not be".to_owned(),
            at: ReceiveTime(START + n as i64),
        });
    }
    for line in guard.security_events(true, 10).expect("read").iter().filter(|line| line.device != "m2") {
        guard.take_security_event(line.number, "sue", "", ReceiveTime(START + 10)).expect("taken");
    }
    let expire = |at: i64, held: &[String]| {
        guard.expire_security_events(ReceiveTime(START + at), held, NOW).expect("works")
    };
    assert_eq!(expire(5, &[]), 0, "taken later");
    assert_eq!(expire(20, &["m1".to_owned()]), 1, "one is held, one nobody took");
    let left = guard.security_events(false, 10).expect("read");
    assert_eq!(left.iter().map(|line| line.device.as_str()).collect::<Vec<_>>(), ["m2", "m1"]);
    assert_eq!(expire(20, &[]), 1);
    let told = AuditQuery { actions: vec!["retention".to_owned()], limit: 5, ..AuditQuery::default() };
    assert_eq!(guard.search_audit(&told).expect("read").total, 2);
}
