//! How long a data set takes under the built-in policy and a changed one.
//!
//! `cargo run --release -p laboratory --example laboratory_speed -- FOLDER… [--patients N] [--threads N]
//! [--only-present] [--json]`

use std::path::PathBuf;
use std::time::Instant;

use laboratory::cohort::{Cohort, simulate};
use laboratory::{Candidate, LabError, Progress, Settings, edit};

fn main() -> Result<(), LabError> {
    let mut folders = Vec::new();
    let (mut patients, mut threads, mut only, mut json) = (30_000, 2, false, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = |default| args.next().and_then(|text| text.parse().ok()).unwrap_or(default);
        match arg.as_str() {
            "--patients" => patients = number(patients),
            "--threads" => threads = number(threads),
            "--only-present" => only = true,
            "--json" => json = true,
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let text = alert::Policy::built_in().text;
    let mut candidates = vec![Candidate::of("present", &text)?];
    if !only {
        let changed = edit::apply(&text, &[("rule.news2.medium.when".to_owned(), 6.0)])?;
        candidates.push(Candidate::of("rule.news2.medium.when=6", &changed)?);
    }
    let cohort = Cohort::open(&folders)?.sample(patients);
    let begun = Instant::now();
    let (events, settings) = (Cohort::usual_events(), Settings::default());
    let report = simulate(&cohort, &candidates, &events, &settings, threads, &Progress::default())?;
    let seconds = begun.elapsed().as_secs_f64();
    let hours = report.bed_days * 24.0;
    if json {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
    }
    eprintln!(
        "{} patients, {hours:.0} hours, {} policies, {threads} threads: {seconds:.1} s; {:.1} µs of a core for each hour and policy",
        report.patients,
        candidates.len(),
        seconds * threads as f64 * 1e6 / hours / candidates.len() as f64
    );
    Ok(())
}
