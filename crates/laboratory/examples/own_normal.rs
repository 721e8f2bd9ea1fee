//! What limits that follow a patient's own normal do to alarms, on Challenge 2019 patients.
//!
//! `cargo run --release -p laboratory --example own_normal -- FOLDER… [--patients N] [--threads N]`
//!
//! Four policies of limits alone, on the same patients: a ward's usual limits, the same that follow the
//! own normal (wider and tighter, within bounds), the built-in policy's wide limits, and the same that
//! may only tighten. No number below was fitted to any patient: limits are the built-in policy's or
//! round numbers, bounds and distances were written down before the first run.

use std::fmt::Write as _;
use std::path::PathBuf;

use laboratory::cohort::{Cohort, simulate};
use laboratory::{Candidate, LabError, Progress, Settings};

const CHAIN: &str = "[[chain]]\nname='ward'\nrepeat_s=300\nstep=[{role='nurse',after_s=0}]\n";

/// Limits and how they may follow: metric, low, high, distance, lowest low, highest high, highest low,
/// lowest high.
struct Row(&'static str, Option<f64>, Option<f64>, f64, [Option<f64>; 4]);

const WARD: [Row; 4] = [
    Row("MDC_ECG_HEART_RATE", Some(50.0), Some(110.0), 30.0, [Some(40.0), Some(130.0), Some(60.0), Some(95.0)]),
    Row("MDC_RESP_RATE", Some(10.0), Some(24.0), 8.0, [Some(8.0), Some(28.0), Some(12.0), Some(22.0)]),
    Row("MDC_PULS_OXIM_SAT_O2", Some(92.0), None, 5.0, [Some(88.0), None, Some(93.0), None]),
    Row("MDC_PRESS_BLD_NONINV_SYS", Some(95.0), Some(180.0), 35.0, [Some(85.0), Some(200.0), Some(105.0), Some(160.0)]),
];

const BUILT_IN: [Row; 4] = [
    Row("MDC_ECG_HEART_RATE", Some(40.0), Some(130.0), 40.0, [None, None, Some(55.0), Some(105.0)]),
    Row("MDC_RESP_RATE", Some(8.0), Some(28.0), 10.0, [None, None, Some(10.0), Some(24.0)]),
    Row("MDC_PULS_OXIM_SAT_O2", Some(88.0), None, 7.0, [None, None, Some(91.0), None]),
    Row("MDC_PRESS_BLD_NONINV_SYS", Some(90.0), Some(200.0), 45.0, [None, None, Some(100.0), Some(170.0)]),
];

/// A policy of these limits, following as `apply` says.
fn policy(rows: &[Row], apply: Option<&str>) -> String {
    let mut text = format!("name = \"own normal\"\n{CHAIN}");
    let line = |key: &str, value: Option<f64>, text: &mut String| {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {value:.1}");
        }
    };
    for Row(metric, low, high, ..) in rows {
        let _ = writeln!(text, "[[limit]]\nmetric = \"{metric}\"");
        line("low", *low, &mut text);
        line("high", *high, &mut text);
    }
    let Some(apply) = apply else { return text };
    for Row(metric, low, high, distance, [lowest, highest, low_most, high_least]) in rows {
        let _ = writeln!(text, "[[baseline]]\nmetric = \"{metric}\"\napply = \"{apply}\"");
        let _ = writeln!(text, "half_life_h = 12\nwarm_up_h = 8\nslots_min = 6");
        line("below", low.map(|_| *distance), &mut text);
        line("above", high.map(|_| *distance), &mut text);
        line("never_below", lowest.filter(|_| apply == "follow"), &mut text);
        line("never_above", highest.filter(|_| apply == "follow"), &mut text);
        line("low_at_most", *low_most, &mut text);
        line("high_at_least", *high_least, &mut text);
    }
    text
}

fn main() -> Result<(), LabError> {
    let mut folders = Vec::new();
    let (mut patients, mut threads) = (4_000, 2);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = |default| args.next().and_then(|text| text.parse().ok()).unwrap_or(default);
        match arg.as_str() {
            "--patients" => patients = number(patients),
            "--threads" => threads = number(threads),
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let candidates = [
        Candidate::of("ward limits", &policy(&WARD, None))?,
        Candidate::of("ward limits that follow", &policy(&WARD, Some("follow")))?,
        Candidate::of("built-in limits", &policy(&BUILT_IN, None))?,
        Candidate::of("built-in limits that tighten", &policy(&BUILT_IN, Some("tighten")))?,
    ];
    let cohort = Cohort::open(&folders)?.sample(patients);
    let (events, settings) = (Cohort::usual_events(), Settings::default());
    let report = simulate(&cohort, &candidates, &events, &settings, threads, &Progress::default())?;
    println!("{} patients, {:.0} bed-days, an alert within {} h before counts", report.patients, report.bed_days, report.horizon_h);
    println!("policy | alerts per bed-day | preceding an event | events missed (all) | lead time, median h");
    for figures in &report.policies {
        let interval = |i: &laboratory::Interval, scale: f64, digits: usize| match (i.value, i.low, i.high) {
            (Some(v), Some(l), Some(h)) => format!("{:.digits$} ({:.digits$}–{:.digits$})", v * scale, l * scale, h * scale),
            (Some(v), ..) => format!("{:.digits$}", v * scale),
            _ => "–".to_owned(),
        };
        let missed: Vec<String> = figures
            .events
            .iter()
            .map(|line| format!("{} {} of {}, {:.1} h", line.event, line.missed, line.events, line.lead_h_median.unwrap_or(0.0)))
            .collect();
        println!(
            "{} | {} | {} % | {}",
            figures.name,
            interval(&figures.alerts_per_bed_day, 1.0, 2),
            interval(&figures.preceding, 100.0, 1),
            missed.join("; ")
        );
    }
    Ok(())
}
