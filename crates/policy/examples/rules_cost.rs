//! What a decision costs: p50 and p99 in microseconds, asking the rules themselves each time.
//!
//! `cargo run --release -p policy --example rules_cost`; what it costs with remembered answers,
//! `cargo run --release -p guard --example decision_cost` measures.

use std::collections::BTreeSet;
use std::time::Instant;

use policy::{Asker, Circumstances, Policies, Question, Source, Subject, Target};
use vitals::Role;

const QUESTIONS: usize = 50_000;

fn main() {
    let begun = Instant::now();
    let policies = Policies::load(&[Source::built_in()]).expect("the built-in policy");
    println!("read, checked and sorted {} rules in {:?}", policies.rules().len(), begun.elapsed());
    let units: BTreeSet<String> = ["ICU", "ER", "ward 3"].map(str::to_owned).into();
    let names: Vec<String> = (0..8).map(|n| format!("nurse-{n}")).collect();
    let team: Vec<&str> = names.iter().map(String::as_str).collect();
    for (what, unit, team) in [
        ("own unit", "ICU", &[][..]),
        ("other unit", "OR", &[]),
        ("care team of 8", "OR", &team),
    ] {
        let mut times: Vec<u128> = Vec::with_capacity(QUESTIONS);
        let mut allowed = 0;
        for n in 0..QUESTIONS {
            let id = format!("p-{n:016x}");
            let question = Question {
                asker: Asker {
                    name: "nurse-7",
                    role: Role::Nurse,
                    kind: "person",
                    units: Some(&units),
                    patient: None,
                },
                action: "see-patients",
                target: Target::Patient(Subject {
                    unit: Some(unit),
                    care_team: team,
                    ..Subject::unknown(&id)
                }),
                circumstances: Circumstances {
                    purpose: "TREAT",
                    stated: false,
                    strong: true,
                    zone: "",
                    category: "vital-signs",
                    now_ms: 1_795_262_400_000,
                },
            };
            let asked = Instant::now();
            allowed += usize::from(policies.decide(&question).allowed);
            times.push(asked.elapsed().as_nanos());
        }
        times.sort_unstable();
        let at = |part: usize| times[QUESTIONS * part / 1_000] as f64 / 1_000.0;
        println!(
            "{what}: p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs ({allowed} of {QUESTIONS} allowed)",
            at(500),
            at(990),
            at(999)
        );
    }
}
