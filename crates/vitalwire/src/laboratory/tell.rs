//! What the laboratory found, for a screen of text.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use laboratory::edit::{Changed, Parameter};
use laboratory::frontier::Point;
use laboratory::{Figures, Interval, Progress, Report};

/// Causes told of a policy at most.
const CAUSES: usize = 12;

/// Tells the progress on standard error until it is let go.
pub(super) struct Telling {
    _end: Sender<()>,
}

impl Telling {
    pub(super) fn begin(progress: Arc<Progress>, every: Duration) -> Self {
        let (end, ended) = channel();
        std::thread::spawn(move || {
            while matches!(ended.recv_timeout(every), Err(RecvTimeoutError::Timeout)) {
                let (done, total) = progress.so_far();
                let share = (done * 100).checked_div(total).unwrap_or(0);
                let line = format!("{done} of {total} ({share} %)");
                if std::io::stderr().is_terminal() { eprint!("\r{line}  ") } else { eprintln!("{line}") }
            }
            if std::io::stderr().is_terminal() {
                eprint!("\r{:40}\r", "");
            }
        });
        Self { _end: end }
    }
}

/// Policies side by side.
pub(super) fn report(report: &Report, seconds: f64) {
    println!("{}: {} patients, {:.1} bed-days, in {seconds:.1} s", report.source, report.patients, report.bed_days);
    if let (Some(from), Some(to)) = (report.from_ms, report.to_ms) {
        let time = |ms| jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M").to_string();
        println!("from {} to {} UTC", time(from), time(to));
    }
    for assumption in &report.assumptions {
        println!("- {assumption}");
    }
    for figures in &report.policies {
        policy(figures, report.horizon_h);
    }
    for difference in &report.differences {
        println!("\n{} against the present", difference.name);
        println!("  alerts per bed-day        {}", number(&difference.alerts_per_bed_day));
        println!("  alerts before an event    {} points", share(&difference.preceding));
        println!("  events seen               {} points", share(&difference.sensitivity));
    }
}

fn policy(figures: &Figures, horizon_h: f64) {
    println!("\n{} ({})", figures.name, &figures.hash[..12]);
    println!("  alerts per bed-day        {} ({} alerts)", number(&figures.alerts_per_bed_day), figures.alerts);
    println!("  … about devices           {}", rate(figures.technical_per_bed_day, 2));
    println!("  alerts before an event    {} (within {horizon_h} h)", share(&figures.preceding));
    println!("  events seen               {}", share(&figures.sensitivity));
    for line in &figures.events {
        let lead = line.lead_h_median.map_or(String::new(), |hours| format!(", {hours:.1} h before in the median"));
        println!(
            "    {:22}  {} of {} missed; seen {}{lead}",
            line.event,
            line.missed,
            line.events,
            share(&line.sensitivity)
        );
    }
    for line in figures.causes.iter().take(CAUSES) {
        println!("    {:6} {:40} {:>8} per bed-day ({})", line.priority.name(), line.cause, rate(line.per_bed_day, 3), line.alerts);
    }
    if figures.causes.len() > CAUSES {
        println!("    and {} causes more", figures.causes.len() - CAUSES);
    }
    let answered = &figures.answered;
    if let (Some(median), Some(p90)) = (answered.median_s, answered.p90_s) {
        let how = if answered.observed { "by people" } else { "as assumed" };
        println!("  taken {how}: {} of {}, after {median:.0} s in the median, nine tenths within {p90:.0} s",
            answered.taken, answered.taken + answered.untaken);
    }
    for line in &figures.calls {
        let night = line.at_night.map_or(String::new(), |night| format!(", {night} at night"));
        println!("  called: {:17} {:>8} per bed-day ({}{night})", line.role, rate(line.per_bed_day, 2), line.calls);
    }
}

/// The trade-off of a sweep.
pub(super) fn sweep(points: &[Point], budget: Option<f64>, proposed: Option<&Point>) {
    println!("\nalerts per bed-day against events seen (* on the frontier)");
    let mut sorted: Vec<&Point> = points.iter().collect();
    sorted.sort_by(|a, b| {
        a.alerts_per_bed_day.value.unwrap_or(0.0).total_cmp(&b.alerts_per_bed_day.value.unwrap_or(0.0))
    });
    for point in sorted {
        let mark = if point.on_frontier { '*' } else { ' ' };
        println!("{mark} {:26} {:28} {}", number(&point.alerts_per_bed_day), share(&point.sensitivity), point.name);
    }
    match (budget, proposed) {
        (Some(budget), Some(point)) => println!("within {budget} alerts per bed-day: {}", point.name),
        (Some(_), None) if points.iter().all(|point| point.sensitivity.value.is_none()) => {
            println!("no event that an alert could precede: nothing to propose by");
        }
        (Some(budget), None) => println!("no policy stays within {budget} alerts per bed-day"),
        (None, _) => {}
    }
}

/// What two policies do not have alike.
pub(super) fn diff(changed: &[Changed], more: bool) {
    let value = |value: Option<f64>| value.map_or("not stated".to_owned(), |value| value.to_string());
    for one in changed {
        let of = &one.parameter;
        println!("{:45} {} → {} {}  ({})", of.path, value(one.from), value(one.to), of.unit, of.of);
    }
    if more {
        println!("they differ in more than numbers: rules, expressions, units or chains");
    } else if changed.is_empty() {
        println!("the same in effect");
    }
}

/// One number of a policy.
pub(super) fn one(one: &Parameter) {
    let value = one.value.map_or(String::new(), |value| value.to_string());
    println!("{:45} {value:>8} {:6} {}: {}", one.path, one.unit, one.of, one.what);
}

fn number(interval: &Interval) -> String {
    let Some(value) = interval.value else { return "none".to_owned() };
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{value:.2} ({low:.2} to {high:.2})"),
        _ => format!("{value:.2}"),
    }
}

fn rate(value: Option<f64>, digits: usize) -> String {
    value.map_or("none".to_owned(), |value| format!("{value:.digits$}"))
}

fn share(interval: &Interval) -> String {
    let Some(value) = interval.value else { return "none".to_owned() };
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => {
            format!("{:.1} % ({:.1} to {:.1})", value * 100.0, low * 100.0, high * 100.0)
        }
        _ => format!("{:.1} %", value * 100.0),
    }
}
