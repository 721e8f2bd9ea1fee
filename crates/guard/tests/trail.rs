//! Searching the audit log, and who saw a patient's data.

use guard::{AuditQuery, Guard, Outcome, PATIENTS_MAX, Permission, Record, Rotation, verify_audit};
use vitals::{PatientId, ReceiveTime};

const START: i64 = 1_700_000_000_000_000;

fn patient(n: u64) -> PatientId {
    PatientId::from_identifier("urn:test", &n.to_string())
}

fn record(n: u64) -> Record {
    let at = ReceiveTime(START + n as i64);
    Record { subject: Some(patient(n)), ..Record::new(at, "nurse-7", Permission::SeePatients) }
}

fn numbers(guard: &Guard, query: &AuditQuery) -> Vec<u64> {
    guard.search_audit(query).expect("read").records.into_iter().map(|(n, _)| n).collect()
}

#[test]
fn pages_filters_and_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::trial(folder.path()).expect("a guard");
    guard.rotate_audit_by(Rotation { bytes: 8_000, age_us: 0 });
    for n in 0..200 {
        let actor = format!("nurse-{}", n % 3);
        let outcome = if n % 10 == 0 { Outcome::Denied } else { Outcome::Allowed };
        guard.audit_blocking(Record { actor, outcome, ..record(n) }).expect("written");
    }
    let verified = verify_audit(folder.path()).expect("whole");
    assert!(verified.files > 3, "{}", verified.files);
    let all = AuditQuery { actions: vec!["see-patients".to_owned()], limit: 70, ..AuditQuery::default() };
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = guard.search_audit(&AuditQuery { before, ..all.clone() }).expect("read");
        assert_eq!(page.total, 200);
        seen.extend(page.records.iter().map(|(n, _)| *n));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 200);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first, none twice");
    let by = AuditQuery { actor: Some("nurse-1".to_owned()), limit: 500, ..AuditQuery::default() };
    assert_eq!(numbers(&guard, &by).len(), 67);
    let denied = AuditQuery { outcome: Some("denied".to_owned()), ..by.clone() };
    assert_eq!(numbers(&guard, &denied).len(), 7);
    let (from, until) = (Some(ReceiveTime(START + 10)), Some(ReceiveTime(START + 13)));
    assert_eq!(numbers(&guard, &AuditQuery { from, until, ..by.clone() }).len(), 1);
    assert!(numbers(&guard, &AuditQuery { actor: Some("nobody".to_owned()), ..by }).is_empty());
}

#[test]
fn who_saw_a_patient_alone_or_among_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::trial(folder.path()).expect("a guard");
    (0..50).for_each(|n| guard.audit_blocking(record(n)).expect("written"));
    let patients: Vec<_> = (0..=2 * PATIENTS_MAX as u64).map(patient).collect();
    let list = Record { patients, subject: None, ..record(60) };
    guard.audit_blocking(list).expect("written");
    let accesses = |n, until| {
        let (from, until) = (ReceiveTime(START), ReceiveTime(START + until));
        guard.accesses_to(&patient(n), from, until).expect("read")
    };
    assert_eq!(accesses(7, 100).len(), 2, "the access, and the list");
    assert_eq!(accesses(7, 50).len(), 1);
    assert_eq!(accesses(2 * PATIENTS_MAX as u64, 100).len(), 1, "in the third part of the list");
    assert_eq!(accesses(10_000, 100).len(), 0);
    // Without its index, and with one that is none, the answer is the same.
    drop(guard);
    for name in ["trail.db", "trail.db-wal", "trail.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
    std::fs::write(folder.path().join("trail.db"), [7; 5_000]).expect("written");
    let guard = Guard::trial(folder.path()).expect("a guard");
    let again = guard.accesses_to(&patient(7), ReceiveTime(START), ReceiveTime(START + 100));
    assert_eq!(again.expect("read").len(), 2);
}
