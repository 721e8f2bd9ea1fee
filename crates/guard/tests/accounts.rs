//! Who comes in, for how long, and what is kept of their secrets.

use std::net::IpAddr;

use guard::{Account, Guard, GuardError, Kind, LoginError, SessionTimes, Units};
use tempfile::TempDir;
use vitals::time::{HOUR, MINUTE, SECOND};
use vitals::{DeviceId, PatientId, ReceiveTime, Role};

const PASSWORD: &str = "four random plain words";
const START: ReceiveTime = ReceiveTime(1_700_000_000 * SECOND);

fn guard() -> (TempDir, Guard) {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("a new guard");
    (folder, guard)
}

fn with_ada() -> (TempDir, Guard) {
    let (folder, guard) = guard();
    guard.add_user("Ada", Role::Nurse, PASSWORD).expect("added");
    (folder, guard)
}

#[test]
fn only_the_right_password_logs_in_and_names_have_no_case() {
    let (_folder, guard) = with_ada();
    let (account, token) = guard.login("ADA", PASSWORD, START).expect("logged in");
    let ada = Account::new("Ada", Role::Nurse, Kind::Person);
    assert_eq!(account, ada);
    assert_eq!(guard.session(&token, START), Some(ada));
    assert_eq!(guard.session("trial", START), None);
    assert_eq!(guard.session("", START), None);
    assert_eq!(guard.bearer(&token, START), None, "a session is not a service token");
    for (name, password) in [("Ada", "four random plain word"), ("bob", PASSWORD), ("Ada", "")] {
        let refused = guard.login(name, password, START);
        assert!(matches!(refused, Err(LoginError::Refused)), "{name} {password}: {refused:?}");
    }
    assert_eq!(guard.audit_name("aDa"), "Ada");
    assert_eq!(guard.audit_name(PASSWORD), "unknown");
    guard.logout(&token);
    assert_eq!(guard.session(&token, START), None);
}

#[test]
fn sessions_end_idle_absolutely_and_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let times = SessionTimes { absolute_us: 3 * HOUR, idle_us: HOUR };
    let open = || Guard::open_with(folder.path(), times).expect("a guard");
    let guard = open();
    guard.add_user("ada", Role::Physician, PASSWORD).expect("added");
    let begin = |guard: &Guard| guard.login("ada", PASSWORD, START).expect("logged in").1;
    let (idle, busy) = (begin(&guard), begin(&guard));
    drop(guard);
    let guard = open();
    for minutes in (0..180).step_by(50) {
        let now = START.plus(minutes * MINUTE);
        assert!(guard.session(&busy, now).is_some(), "after {minutes} minutes");
    }
    assert!(guard.session(&idle, START.plus(HOUR - 1)).is_some());
    assert!(guard.session(&busy, START.plus(3 * HOUR - 1)).is_some());
    assert!(guard.session(&busy, START.plus(3 * HOUR)).is_none(), "absolute");
    assert!(guard.session(&idle, START.plus(2 * HOUR + HOUR)).is_none(), "idle");
    assert!(guard.session(&busy, START.plus(-HOUR)).is_some(), "a clock set back ends nothing");
}

#[test]
fn removing_or_a_new_password_ends_sessions_at_once() {
    let (_folder, guard) = with_ada();
    let (_, token) = guard.login("ada", PASSWORD, START).expect("logged in");
    guard.set_password("ADA", "another four plain words").expect("set");
    assert_eq!(guard.session(&token, START), None);
    assert!(guard.login("ada", PASSWORD, START).is_err());
    let (_, token) = guard.login("ada", "another four plain words", START).expect("logged in");
    guard.remove_user("aDA").expect("removed");
    assert_eq!(guard.session(&token, START), None);
    assert!(matches!(guard.remove_user("ada"), Err(GuardError::Unknown(_))));
    guard.add_user("ada", Role::Nurse, PASSWORD).expect("the name is free again");
    assert_eq!(guard.session(&token, START), None, "and inherits nothing");
}

#[test]
fn the_oldest_of_too_many_sessions_ends() {
    let (folder, guard) = with_ada();
    let (_, first) = guard.login("ada", PASSWORD, START).expect("logged in");
    // Put the others into the database: 31 more logins would take seconds of Argon2.
    let other = rusqlite::Connection::open(folder.path().join(guard::DATABASE_FILE)).expect("db");
    for n in 1..32 {
        let at = START.micros() + n;
        other
            .execute("INSERT INTO session (token, account, began_us, used_us) VALUES (?1, 'Ada', ?2, ?2)", (format!("s{n}"), at))
            .expect("inserted");
    }
    assert!(guard.session(&first, START).is_some());
    let (_, last) = guard.login("ada", PASSWORD, START.plus(SECOND)).expect("logged in");
    assert!(guard.session(&first, START).is_none());
    assert!(guard.session(&last, START.plus(SECOND)).is_some());
    let count = other.query_row("SELECT count(*) FROM session", [], |row| row.get::<_, i64>(0));
    assert_eq!(count, Ok(32));
}

#[test]
fn guessing_is_slowed_down_but_locks_nobody_out() {
    let (_folder, guard) = with_ada();
    let attacker = Some(IpAddr::from([192, 0, 2, 7]));
    for name in ["ada", "nobody-here"] {
        for _ in 0..3 {
            let refused = guard.login_from(name, "wrong", attacker, START);
            assert!(matches!(refused, Err(LoginError::Refused)));
        }
        let slowed = guard.login_from(name, PASSWORD, attacker, START);
        assert!(matches!(slowed, Err(LoginError::SlowDown { wait_ms: 1_000 })), "{slowed:?}");
    }
    let ward = Some(IpAddr::from([192, 0, 2, 8]));
    assert!(guard.login_from("ada", PASSWORD, ward, START).is_ok(), "from the ward's computer");
    assert!(guard.login_from("ada", PASSWORD, attacker, START.plus(SECOND)).is_ok());
}

#[test]
fn the_setup_code_makes_one_administrator_once() {
    let (folder, guard) = guard();
    guard.add_user("nurse", Role::Nurse, PASSWORD).expect("from the command line");
    let first = guard.first_start().expect("no administrator yet");
    let code = guard.first_start().expect("still none");
    let redeem = |code: &str| guard.redeem(code, "root", PASSWORD);
    assert!(matches!(redeem(&first), Err(GuardError::BadCode)), "replaced");
    assert!(matches!(redeem(""), Err(GuardError::BadCode)));
    assert!(matches!(guard.redeem(&code, "a b", PASSWORD), Err(GuardError::BadName)));
    assert!(matches!(guard.redeem(&code, "root", "easy"), Err(GuardError::WeakPassword(_))));
    assert!(matches!(guard.redeem(&code, "Nurse", PASSWORD), Err(GuardError::Exists(_))));
    let typed = code.to_uppercase().replace('-', " ");
    assert_eq!(redeem(&typed).expect("valid").role, Role::Administrator);
    assert!(matches!(redeem(&code), Err(GuardError::BadCode)), "used up");
    assert_eq!(guard.first_start(), None);
    assert!(matches!(guard.remove_user("root"), Err(GuardError::LastAdministrator)));
    guard.add_user("root2", Role::Administrator, PASSWORD).expect("added");
    guard.remove_user("root").expect("no longer the last");
    drop(guard);
    let guard = Guard::open(folder.path()).expect("a guard");
    assert_eq!(guard.first_start(), None);
}

#[test]
fn services_have_tokens_and_no_password() {
    let (_folder, guard) = with_ada();
    let token = guard.add_service_token("ehr", Role::Service).expect("added");
    assert!(token.starts_with("vw_") && token.len() == 67, "{token}");
    let ehr = Account::new("ehr", Role::Service, Kind::Service);
    assert_eq!(guard.bearer(&token, START), Some(ehr));
    let mut wrong = token.clone();
    wrong.pop();
    for wrong in [wrong.as_str(), "", "vw_", token.trim_start_matches("vw_")] {
        assert_eq!(guard.bearer(wrong, START), None, "{wrong}");
    }
    assert_eq!(guard.session(&token, START), None);
    assert!(guard.login("ehr", &token, START).is_err());
    assert!(matches!(guard.set_password("ehr", PASSWORD), Err(GuardError::Unknown(_))));
    assert!(matches!(guard.add_service_token("ADA", Role::Service), Err(GuardError::Exists(_))));
    let names: Vec<_> = guard.list_users().expect("listed").into_iter().map(|a| a.name).collect();
    assert_eq!(names, ["Ada", "ehr"]);
    guard.remove_user("ehr").expect("removed");
    assert_eq!(guard.bearer(&token, START), None);
}

#[test]
fn a_device_comes_in_as_itself_only() {
    let (_folder, guard) = guard();
    let [pump, monitor] = ["pump-1", "monitor-1"].map(|id| DeviceId::new(id).expect("an id"));
    let password = guard.add_device(&pump).expect("added");
    guard.add_device(&monitor).expect("added");
    let enter = |user: &str, password: &str| guard.device(user, password.as_bytes());
    assert_eq!(enter("pump-1", &password), Some(pump.clone()));
    for (user, password) in [
        ("monitor-1", password.as_str()),
        ("PUMP-1", &password),
        ("pump-1", ""),
        ("pump-1", &password[1..]),
        ("pump-2", &password),
        ("pump/1", &password),
    ] {
        assert_eq!(enter(user, password), None, "{user}");
    }
    let renewed = guard.add_device(&pump).expect("renewed");
    assert_eq!(enter("pump-1", &password), None);
    assert_eq!(enter("pump-1", &renewed), Some(pump.clone()));
    assert_eq!(guard.list_devices().expect("listed"), [monitor, pump.clone()]);
    guard.remove_device(&pump).expect("removed");
    assert_eq!(enter("pump-1", &renewed), None);
    assert!(matches!(guard.remove_device(&pump), Err(GuardError::Unknown(_))));
}

#[test]
fn a_change_by_another_process_holds_at_once() {
    let (folder, serving) = with_ada();
    let (_, token) = serving.login("ada", PASSWORD, START).expect("logged in");
    let administering = Guard::open(folder.path()).expect("beside the first");
    administering.remove_user("ada").expect("removed");
    assert_eq!(serving.session(&token, START), None);
}

#[test]
fn a_trial_knows_one_account_and_keeps_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::trial(folder.path()).expect("a trial");
    let trial = Account::trial();
    assert!(guard.is_open());
    assert_eq!(guard.session("", START), Some(trial.clone()));
    assert_eq!(guard.bearer("", START), Some(trial.clone()));
    assert_eq!(guard.login("x", "y", START).expect("let in").0, trial);
    assert_eq!(guard.first_start(), None);
    assert!(matches!(guard.add_user("ada", Role::Nurse, PASSWORD), Err(GuardError::Trial)));
    assert!(!folder.path().join(guard::DATABASE_FILE).exists());
    let locked = Guard::open(folder.path()).expect("the same folder, locked");
    assert_eq!(locked.session("trial", START), None);
    assert_eq!(locked.session("", START), None);
}

#[test]
fn no_secret_is_in_any_file_and_others_read_none() {
    let (folder, guard) = with_ada();
    let code = guard.first_start().expect("no administrator");
    let device = guard.add_device(&DeviceId::new("pump").expect("an id")).expect("added");
    let service = guard.add_service_token("ehr", Role::Service).expect("added");
    let (_, session) = guard.login("ada", PASSWORD, START).expect("logged in");
    let secrets = [PASSWORD, &code, &code.replace('-', ""), &device, &service, &session];
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("readable");
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is in {}", path.display());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().expect("metadata").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
        files += 1;
    }
    assert!(files >= 5, "database, its -wal and -shm, log, head: {files}");
}

#[cfg(unix)]
#[test]
fn a_new_folder_is_ours_alone_and_wide_files_are_narrowed() {
    use std::os::unix::fs::PermissionsExt;
    let above = tempfile::tempdir().expect("a folder");
    let folder = above.path().join("data");
    let mode =
        |path: &std::path::Path| path.metadata().expect("metadata").permissions().mode() & 0o777;
    drop(Guard::open(&folder).expect("a guard"));
    assert_eq!(mode(&folder), 0o700);
    let files = [guard::DATABASE_FILE, guard::AUDIT_FILE, guard::HEAD_FILE];
    for file in files.map(|file| folder.join(file)) {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("widened");
    }
    let _guard = Guard::open(&folder).expect("a guard");
    for file in files.map(|file| folder.join(file)) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn units_and_the_patient_of_an_account_are_kept() {
    let (folder, guard) = guard();
    let units: Units = ["ICU", "4 West"].into_iter().collect();
    let ada = Account { units, ..Account::new("ada", Role::Nurse, Kind::Person) };
    guard.add_person(&ada, PASSWORD).expect("added");
    let patient = Some(PatientId::from_identifier("urn:mrn", "1"));
    let mary = Account { patient, ..Account::new("mary", Role::Patient, Kind::Person) };
    guard.add_person(&mary, PASSWORD).expect("added");
    let ehr = Account { units: ada.units.clone(), ..Account::new("ehr", Role::Service, Kind::Service) };
    let token = guard.add_service(&ehr).expect("added");
    for bad in ["", " ICU", "a\nb", &"x".repeat(65)] {
        let units = Units::Of([bad.to_owned()].into());
        let bob = Account { units, ..Account::new("bob", Role::Nurse, Kind::Person) };
        assert!(matches!(guard.add_person(&bob, PASSWORD), Err(GuardError::BadUnit)), "{bad:?}");
    }
    drop(guard);
    let guard = Guard::open(folder.path()).expect("a guard");
    let (found, session) = guard.login("ada", PASSWORD, START).expect("logged in");
    assert_eq!((&found, guard.session(&session, START)), (&ada, Some(ada.clone())));
    assert_eq!(guard.bearer(&token, START), Some(ehr.clone()));
    assert_eq!(guard.list_users().expect("listed"), [ada, ehr, mary]);
}

/// The database of the first version, before accounts knew units.
#[test]
fn an_older_database_opens_and_its_accounts_are_of_the_whole_house() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = rusqlite::Connection::open(folder.path().join(guard::DATABASE_FILE)).expect("db");
    old.execute_batch(
        "CREATE TABLE account (name TEXT PRIMARY KEY COLLATE NOCASE, kind TEXT NOT NULL,
             role TEXT NOT NULL, secret TEXT NOT NULL UNIQUE) STRICT;
         CREATE TABLE session (token TEXT PRIMARY KEY,
             account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
             began_us INTEGER NOT NULL, used_us INTEGER NOT NULL) STRICT;
         CREATE INDEX session_of ON session (account, used_us);
         CREATE TABLE device (id TEXT PRIMARY KEY, password TEXT NOT NULL) STRICT;
         CREATE TABLE setup (one INTEGER PRIMARY KEY CHECK (one = 1), code TEXT NOT NULL) STRICT;
         INSERT INTO account VALUES ('ada', 'person', 'nurse', 'kept');
         PRAGMA user_version = 1;",
    )
    .expect("written");
    drop(old);
    let guard = Guard::open(folder.path()).expect("opened");
    let ada = Account::new("ada", Role::Nurse, Kind::Person);
    assert_eq!(guard.list_users().expect("listed"), [ada]);
    guard.set_password("ada", PASSWORD).expect("set");
    assert!(guard.login("ada", PASSWORD, START).is_ok());
}
