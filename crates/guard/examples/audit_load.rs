//! How many audit records a second many writers get onto the disk, each waiting for its own; and
//! how long it takes to look up a session, a service's token and a device's password.
//!
//! `cargo run --release -p guard --example audit_load -- [FOLDER] [WRITERS] [RECORDS EACH]`
//! prints two JSON objects. The folder decides which disk is measured.

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use guard::{Guard, Outcome, Permission, Record, verify_audit};
use vitals::{DeviceId, PatientId, ReceiveTime, Role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let scratch = tempfile::tempdir()?;
    let folder = args.next().map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let writers: usize = args.next().map_or(Ok(64), |n| n.parse())?;
    let each: usize = args.next().map_or(Ok(500), |n| n.parse())?;
    let guard = Guard::trial(&folder)?;
    let began = Instant::now();
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(write(guard.clone(), writer, each))).collect();
    let mut waits_us = Vec::with_capacity(writers * each);
    for task in tasks {
        waits_us.extend(task.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    waits_us.sort_unstable();
    let quantile = |q: f64| waits_us[((waits_us.len() - 1) as f64 * q) as usize];
    let checking = Instant::now();
    let verified = verify_audit(&folder)?;
    let figures = serde_json::json!({
        "writers": writers,
        "records": waits_us.len(),
        "records_per_second": (waits_us.len() as f64 / seconds).round(),
        "wait_us_p50": quantile(0.5),
        "wait_us_p99": quantile(0.99),
        "wait_us_max": quantile(1.0),
        "verify_records_per_second": (verified.records as f64 / checking.elapsed().as_secs_f64()).round(),
    });
    println!("{figures}");
    println!("{}", look_ups()?);
    Ok(())
}

/// How long look-ups take, in microseconds, among 1,000 devices.
fn look_ups() -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let guard = Guard::open(folder.path())?;
    let now = ReceiveTime(1_700_000_000_000_000);
    let secret = "four random plain words";
    guard.add_user("ada", Role::Nurse, secret)?;
    let (_, session) = guard.login("ada", secret, now)?;
    let service = guard.add_service_token("ehr", Role::Service)?;
    let mut password = String::new();
    for n in 0..1_000 {
        password = guard.add_device(&DeviceId::sanitised(&format!("device-{n}")))?;
    }
    let time = |look_up: &dyn Fn() -> bool| {
        let mut times_us: Vec<f64> = (0..10_000)
            .map(|_| {
                let began = Instant::now();
                assert!(look_up(), "a good credential");
                began.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times_us.sort_unstable_by(f64::total_cmp);
        serde_json::json!({ "p50": times_us[5_000].round(), "p99": times_us[9_900].round() })
    };
    Ok(serde_json::json!({
        "session_us": time(&|| guard.session(&session, now).is_some()),
        "bearer_us": time(&|| guard.bearer(&service, now).is_some()),
        "device_us": time(&|| guard.device("device-999", password.as_bytes()).is_some()),
    }))
}

/// Writes records one after another; how long each took, in microseconds.
async fn write(guard: Guard, writer: usize, each: usize) -> Result<Vec<u128>, guard::GuardError> {
    let mut waits_us = Vec::with_capacity(each);
    for n in 0..each {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let began = Instant::now();
        guard
            .audit(Record {
                at: ReceiveTime(now.as_micros() as i64),
                actor: format!("nurse-{writer}"),
                role: Some(Role::Nurse),
                action: Permission::SeePatients.into(),
                route: "GET /api/v1/patients/{id}".to_owned(),
                subject: Some(PatientId::from_identifier("urn:bench", &n.to_string())),
                outcome: Outcome::Allowed,
                detail: String::new(),
                ..Record::default()
            })
            .await?;
        waits_us.push(began.elapsed().as_micros());
    }
    Ok(waits_us)
}
