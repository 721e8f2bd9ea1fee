//! What a decision costs: p50 and p99 in nanoseconds when the answer is remembered, and in
//! microseconds when the rules are asked.
//!
//! `cargo run --release -p guard --example decision_cost`

use std::time::Instant;

use guard::{Account, Asking, Category, Guard, Kind, Permission, Target};
use mimalloc::MiMalloc;
use vitals::{PatientId, ReceiveTime, Role};

/// The program's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const NOW: ReceiveTime = ReceiveTime(1_795_262_400_000_000);
const BEDS: usize = 1_000;
const ROUNDS: usize = 200;

fn main() {
    let folder = std::env::temp_dir().join(format!("decision-cost-{}", std::process::id()));
    let guard = Guard::open(&folder).expect("a guard");
    let mut account = Account::new("ada", Role::Nurse, Kind::Person);
    account.units = ["ICU", "ER", "ward 3"].into_iter().collect();
    let units = ["ICU", "OR", "ER", "ward 3", "ward 4"];
    let patients: Vec<PatientId> =
        (0..BEDS).map(|n| PatientId::from_identifier("urn:mrn", &n.to_string())).collect();
    let asking = Asking::plainly(&account);
    let decide = |n: usize, unit: &str| {
        let target = Target::Patient { id: &patients[n], unit: Some(unit), in_encounter: true };
        guard.decide(asking, Permission::SeePatients, target, Category::VitalSigns, NOW).allowed
    };
    let mut fresh: Vec<u128> = Vec::new();
    for n in 0..20_000 {
        // A unit that nobody asked about before: the rules have to be asked.
        let unit = format!("unit {n}");
        let begun = Instant::now();
        assert!(!decide(n % BEDS, &unit));
        fresh.push(begun.elapsed().as_nanos());
    }
    let mut known: Vec<u128> = Vec::new();
    let mut allowed = 0;
    for round in 0..=ROUNDS {
        for n in 0..BEDS {
            let begun = Instant::now();
            allowed += usize::from(decide(n, units[n % units.len()]));
            if round > 0 {
                known.push(begun.elapsed().as_nanos());
            }
        }
    }
    for (what, times) in [("rules asked", &mut fresh), ("remembered", &mut known)] {
        times.sort_unstable();
        let at = |part: usize| times[times.len() * part / 1_000] as f64 / 1_000.0;
        println!("{what}: p50 {:.2} µs, p99 {:.2} µs, p99.9 {:.2} µs", at(500), at(990), at(999));
    }
    println!("{allowed} of {} allowed", BEDS * (ROUNDS + 1));
    let _ = std::fs::remove_dir_all(&folder);
}
