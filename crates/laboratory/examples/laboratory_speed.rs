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
    let busy = processor_seconds().unwrap_or(seconds * threads as f64);
    eprintln!(
        "{} patients, {hours:.0} hours, {} policies, {threads} threads: {seconds:.1} s, {busy:.1} s of processor time; \
         {:.1} µs for each hour and policy",
        report.patients,
        candidates.len(),
        busy * 1e6 / hours / candidates.len() as f64
    );
    Ok(())
}

/// Processor time of this process so far, as Linux counts it: in hundredths of a second.
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
