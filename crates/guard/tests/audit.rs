//! The audit trail: nothing done to it goes unnoticed, and nothing acknowledged is lost.

mod common;
mod tamper;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::record;
use tamper::{Random, damage_of, records};
use guard::{AUDIT_FILE, AuditError, CHECKPOINT_FILE, Damage, Guard, GuardError, HEAD_FILE, verify_audit};

/// A folder with a log of so many records, of which the first is that of the log's key.
fn folder_with(count: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::trial(folder.path()).expect("a guard");
    for n in 1..count {
        guard.audit_blocking(record(n)).expect("written");
    }
    folder
}

fn line_of(error: &AuditError) -> Option<u64> {
    match error {
        AuditError::Line { record, .. } => Some(*record),
        _ => None,
    }
}

#[test]
fn ten_thousand_manipulations_are_each_found_at_their_line() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_121);
    let mut random = Random(seed);
    let folder = folder_with(60);
    let (log_path, head_path) = (folder.path().join(AUDIT_FILE), folder.path().join(HEAD_FILE));
    let log = fs::read(&log_path).expect("the log");
    let head = fs::read(&head_path).expect("the head");
    assert_eq!(verify_audit(folder.path()).expect("untouched").records, 60);
    for round in 0..10_000 {
        let (what, changed, at) = tamper::manipulate(&mut random, &log);
        fs::write(&log_path, &changed).expect("written");
        let told = verify_audit(folder.path()).expect_err(&format!("seed {seed} {round} {what}"));
        assert_eq!(line_of(&told), Some(at), "seed {seed} round {round} {what}: {told}");
    }
    fs::write(&log_path, &log).expect("written");
    for byte in 0..head.len() {
        for bit in 0..8 {
            let mut changed = head.clone();
            changed[byte] ^= 1 << bit;
            fs::write(&head_path, changed).expect("written");
            assert!(verify_audit(folder.path()).is_err(), "head, byte {byte} bit {bit}");
        }
        fs::write(&head_path, &head[..byte]).expect("written");
        assert!(verify_audit(folder.path()).is_err(), "head, cut at {byte}");
    }
    fs::write(&head_path, &head).expect("written");
    assert_eq!(verify_audit(folder.path()).expect("put back").records, 60);
}

#[test]
fn the_error_says_what_was_done() {
    let folder = folder_with(5);
    let path = folder.path().join(AUDIT_FILE);
    let log = fs::read_to_string(&path).expect("the log");
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let check = |lines: &[&str], line: u64, damage: Damage| {
        fs::write(&path, lines.concat()).expect("written");
        let told = verify_audit(folder.path()).expect_err("manipulated");
        assert_eq!((line_of(&told), damage_of(&told)), (Some(line), Some(damage)), "{told}");
    };
    let changed = lines[2].replace("nurse-", "Nurse-");
    assert_ne!(changed, lines[2]);
    let number = |found, expected| Damage::Number { found, expected };
    check(&[lines[0], lines[2], lines[3], lines[4]], 2, number(3, 2));
    check(&[lines[0], lines[2], lines[1], lines[3], lines[4]], 2, number(3, 2));
    check(&[lines[0], lines[1], lines[1], lines[2]], 3, number(2, 3));
    check(&[lines[0], lines[1], &changed, lines[3], lines[4]], 3, Damage::Changed);
    check(&[lines[0], lines[1], "{}\n", lines[3], lines[4]], 3, Damage::Form);
    check(&[lines[0], lines[1], lines[2]], 4, Damage::Cut { head: 5 });
    check(&[], 1, Damage::Cut { head: 5 });
    fs::remove_file(folder.path().join(HEAD_FILE)).expect("removed");
    assert!(matches!(verify_audit(folder.path()), Err(AuditError::File { .. })));
}

/// Manipulates the folder of a closed log with 5 records, opens it, writes one more, and compares
/// what the log then says of itself. It verifies again, for the log admits it.
#[track_caller]
fn recovers(manipulate: impl FnOnce(&Path), count: u64, repair: Option<&str>) {
    let folder = folder_with(5);
    manipulate(folder.path());
    let guard = Guard::trial(folder.path()).expect("opens all the same");
    guard.audit_blocking(record(99)).expect("written");
    let verified = verify_audit(folder.path()).expect("whole again");
    let repairs: Vec<_> = verified.repairs.iter().map(|r| r.detail.as_str()).collect();
    assert_eq!((verified.records, repairs), (count, repair.into_iter().collect()));
}

fn change(folder: &Path, file: &str, edit: impl FnOnce(&mut Vec<u8>)) {
    let path = folder.join(file);
    let mut bytes = fs::read(&path).expect("readable");
    edit(&mut bytes);
    fs::write(path, bytes).expect("written");
}

#[test]
fn what_a_power_failure_leaves_is_repaired_and_recorded() {
    let length = |folder: &Path| fs::metadata(folder.join(AUDIT_FILE)).expect("a log").len();
    recovers(|_| {}, 6, None);
    recovers(
        |folder| {
            change(folder, AUDIT_FILE, |log| log.extend_from_slice(b"{\"n\":6,\"at_us\":17"));
            assert!(length(folder) > 0);
        },
        7,
        Some("after record 5: 17 unreadable bytes cut off, kept in audit.cut-6"),
    );
    recovers(
        |folder| change(folder, AUDIT_FILE, |log| log.extend_from_slice(&[0; 4_096])),
        7,
        Some("after record 5: 4096 unreadable bytes cut off, kept in audit.cut-6"),
    );
    // Heads may be behind: they are written after the record is safe, and not synced.
    let folder = folder_with(3);
    let kept = [HEAD_FILE, CHECKPOINT_FILE].map(|file| {
        let path = folder.path().join(file);
        let bytes = fs::read(&path).expect("a head");
        (path, bytes)
    });
    let guard = Guard::trial(folder.path()).expect("a guard");
    (4..=5).for_each(|n| guard.audit_blocking(record(n)).expect("written"));
    drop(guard);
    fs::write(&kept[0].0, &kept[0].1).expect("written");
    let told = verify_audit(folder.path()).expect_err("behind the signed head");
    assert!(matches!(told, AuditError::OldHead { head: 3, records: 5 }), "{told}");
    fs::write(&kept[1].0, &kept[1].1).expect("written");
    assert_eq!(verify_audit(folder.path()).expect("no reproach").records, 5);
}

#[test]
fn what_somebody_took_away_is_recorded() {
    recovers(
        |folder| {
            change(folder, AUDIT_FILE, |log| {
                let text = String::from_utf8_lossy(log).into_owned();
                let kept: Vec<&str> = text.split_inclusive('\n').take(3).collect();
                *log = kept.concat().into_bytes();
            });
        },
        5,
        Some("after record 3: records 4 to 5 are missing"),
    );
    recovers(
        |folder| fs::remove_file(folder.join(AUDIT_FILE)).expect("removed"),
        3,
        Some("after record 0: records 1 to 5 are missing"),
    );
    recovers(
        |folder| fs::remove_file(folder.join(HEAD_FILE)).expect("removed"),
        7,
        Some("after record 5: the head was missing"),
    );
    recovers(
        |folder| change(folder, HEAD_FILE, |head| head.push(b' ')),
        7,
        Some("after record 5: the head was unreadable"),
    );
    recovers(
        |folder| {
            change(folder, HEAD_FILE, |head| head[40] = if head[40] == b'0' { b'1' } else { b'0' })
        },
        7,
        Some("after record 5: the head names another record of that number"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    drop(Guard::open(folder.path()).expect("a guard with a database"));
    for file in [AUDIT_FILE, HEAD_FILE] {
        fs::remove_file(folder.path().join(file)).expect("removed");
    }
    drop(Guard::open(folder.path()).expect("opens"));
    let repairs = verify_audit(folder.path()).expect("whole").repairs;
    assert_eq!(repairs.len(), 1);
    let told = "after record 0: the log was missing; records 1 to 1 are missing, which were signed";
    assert_eq!(repairs[0].detail, told);
}

#[test]
fn a_bit_flipped_in_the_middle_stays_an_error_after_reopening() {
    let folder = folder_with(5);
    change(folder.path(), AUDIT_FILE, |log| log[60] ^= 1);
    let guard = Guard::trial(folder.path()).expect("opens: patients come first");
    guard.audit_blocking(record(99)).expect("written");
    assert_eq!(line_of(&verify_audit(folder.path()).expect_err("flipped")), Some(1));
}

#[test]
fn moving_the_log_away_from_a_running_program_is_recorded() {
    let folder = folder_with(0);
    let guard = Guard::trial(folder.path()).expect("a guard");
    guard.audit_blocking(record(1)).expect("written");
    let path = folder.path().join(AUDIT_FILE);
    fs::rename(&path, folder.path().join("elsewhere")).expect("moved");
    guard.audit_blocking(record(2)).expect("written");
    let verified = verify_audit(folder.path()).expect("whole");
    assert_eq!(verified.records, 3);
    assert_eq!(
        verified.repairs[0].detail,
        "after record 0: the log was missing; records 1 to 2 are missing"
    );
}

#[test]
fn without_a_log_there_is_no_access() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let guard = Guard::trial(&data).expect("a guard");
    guard.audit_blocking(record(1)).expect("written");
    fs::remove_dir_all(&data).expect("removed");
    let refused = guard.audit_blocking(record(2));
    assert!(matches!(refused, Err(GuardError::AuditFailed(_))), "{refused:?}");
    fs::create_dir(&data).expect("back");
    guard.audit_blocking(record(3)).expect("works again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_a_second_process_share_one_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let guards = [(); 2].map(|()| Guard::trial(folder.path()).expect("a guard"));
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let guard = guards[task % 2].clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    guard.audit(record(n)).await.expect("written");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let verified = verify_audit(folder.path()).expect("whole, while both are open");
    assert_eq!((verified.records, verified.repairs.len()), (64 * 20 + 1, 0));
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::trial(folder.path()).expect("a guard");
    for n in 0..50 {
        let writing = guard.audit(record(n));
        let _ = tokio::time::timeout(Duration::ZERO, writing).await;
    }
    drop(guard);
    assert_eq!(verify_audit(folder.path()).expect("whole").records, 51);
}

/// Not a test by itself: the process that the next one kills.
#[test]
fn child_that_writes_until_killed() {
    let Ok(folder) = std::env::var("GUARD_TEST_FOLDER") else { return };
    let guard = Guard::trial(Path::new(&folder)).expect("a guard");
    for n in 0.. {
        guard.audit_blocking(record(n)).expect("written");
        println!("acknowledged {n}");
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let mut random = Random(9);
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = 0;
    for _ in 0..5 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["child_that_writes_until_killed", "--exact", "--nocapture"])
            .env("GUARD_TEST_FOLDER", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let reader = std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter(|line| line.contains("acknowledged")).count() as u64
        });
        std::thread::sleep(Duration::from_millis(100 + random.below(100)));
        child.kill().expect("killed");
        child.wait().expect("gone");
        acknowledged += reader.join().expect("read");
        drop(Guard::trial(folder.path()).expect("reopened"));
        let verified = verify_audit(folder.path()).expect("whole");
        assert!(
            acknowledged > 0 && verified.records >= acknowledged,
            "{verified:?} {acknowledged}"
        );
        assert_eq!(records(folder.path()), verified.records);
    }
}
