//! `vitalwire policy simulate` and `policy diff`: the alarm laboratory on the command line.

mod decide;
mod past;
mod tell;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;
use laboratory::cohort::{self, Cohort};
use laboratory::edit::{self, Sweep};
use laboratory::{Candidate, EventRule, LabError, Progress, Report, Settings, frontier, replay};
use serde_json::json;

pub(crate) use decide::{Who, approve, put_in_force, reject};
pub(crate) use past::before;
pub(crate) use versions::{Propose, list as list_versions, propose, verify};

use crate::Misuse;
use crate::config::Config;

/// Policies of one sweep at most.
const POLICIES_MAX: usize = 64;
/// How often the progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// Arguments of `policy simulate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Data folder whose journal is taken in; it is only read, also while the program runs.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Instead of a journal: a folder of Challenge 2019 files (.psv); may be repeated.
    #[arg(long, conflicts_with_all = ["data", "from", "to"])]
    dataset: Vec<PathBuf>,
    /// Of a data set: at most so many patients, taken evenly.
    #[arg(long, requires = "dataset")]
    patients: Option<usize>,
    /// From this time on (2026-03-01, or 2026-03-01T07:00:00Z). Without: from the journal's first entry.
    #[arg(long)]
    from: Option<String>,
    /// Before this time. Without: to the end.
    #[arg(long)]
    to: Option<String>,
    /// The policy that counts as the present one of a data set, and that --set and --sweep change: a
    /// TOML file. [default: the one in force in the journal; of a data set, the built-in one]
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// Another policy to try: a TOML file; may be repeated.
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// Try the policy with this number changed; several make one policy. `policy numbers` lists them.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Try each of these values: PATH=FROM..TO/STEP, or PATH=A,B,C; given twice, each combination.
    #[arg(long, value_name = "PATH=RANGE")]
    sweep: Vec<String>,
    /// Propose the policy that sees most within so many alerts per bed-day.
    #[arg(long, value_name = "ALERTS")]
    budget: Option<f64>,
    /// Judge a sweep by this kind of event alone, such as sepsis. [default: all]
    #[arg(long, value_name = "EVENT")]
    target: Option<String>,
    /// A real event in place of the usual ones: "NAME=EXPRESSION for SECONDS s"; may be repeated.
    #[arg(long, value_name = "DEFINITION")]
    event: Vec<String>,
    /// An alert precedes an event when it is open, or was raised, within this many hours before.
    #[arg(long, default_value_t = 12.0, value_name = "HOURS")]
    horizon: f64,
    /// Median of the seconds after which an alert is taken that nobody really saw; 0: nobody takes it.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    answered_after: f64,
    /// The night, in hours of the house.
    #[arg(long, default_value = "22-6", value_name = "FROM-TO")]
    night: String,
    /// The house's time zone, such as Europe/Berlin. [default: the policy's, else mllp.zone of the configuration]
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// Configuration file: for mllp.zone.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A transfer into this unit is an event; may be repeated.
    #[arg(long, value_name = "UNIT")]
    transfer_to: Vec<String>,
    /// Threads for a data set. [default: as many as there are cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Write the policy that is proposed, or the one that --set makes, into this file.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// With --json: list a journal's alerts one by one.
    #[arg(long, requires = "json")]
    list: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `policy simulate`.
pub(crate) fn simulate(args: &Args) -> anyhow::Result<()> {
    let settings = settings(args)?;
    let sweeps = args.sweep.iter().map(|text| Sweep::parse(text)).collect::<Result<Vec<_>, _>>().map_err(misuse)?;
    let events = args.event.iter().map(|text| EventRule::parse(text)).collect::<Result<Vec<_>, _>>().map_err(misuse)?;
    if !(settings.horizon_h > 0.0 && settings.horizon_h <= 720.0) {
        return Err(Misuse("--horizon: hours above 0, at most 720".to_owned()).into());
    }
    let progress = Arc::new(Progress::default());
    let told = tell::Telling::begin(Arc::clone(&progress), TOLD_EVERY);
    let begun = std::time::Instant::now();
    let result = run(args, &sweeps, events, &settings, &progress);
    drop(told);
    let (report, candidates, changes) = result.map_err(|error| match error.downcast_ref() {
        Some(LabError::Policy { .. } | LabError::Edit { .. } | LabError::Event { .. }) => {
            Misuse(format!("{error:#}")).into()
        }
        _ => error,
    })?;
    let points = frontier::points(&report, &changes, args.target.as_deref());
    if args.target.is_some() && points.iter().all(|point| point.sensitivity.value.is_none()) {
        eprintln!("vitalwire: no event of the kind that --target names was found");
    }
    let proposed = args.budget.and_then(|budget| frontier::propose(&points, budget));
    if let Some(file) = &args.write {
        let wanted = proposed.map(|point| point.name.clone());
        let chosen = candidates.iter().find(|one| wanted.as_ref().is_none_or(|name| one.name == *name));
        let chosen = chosen.context("--write: there is no policy to write; give --set, or --sweep with --budget")?;
        std::fs::write(file, &chosen.policy.text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    if args.json {
        let told = json!({
            "report": report, "points": points, "budget": args.budget, "proposed": proposed, "seconds": seconds,
        });
        println!("{told}");
    } else {
        tell::report(&report, seconds);
        if !sweeps.is_empty() {
            tell::sweep(&points, args.budget, proposed);
        }
    }
    Ok(())
}

type Simulated = (Report, Vec<Candidate>, Vec<Vec<(String, f64)>>);

fn run(
    args: &Args,
    sweeps: &[Sweep],
    events: Vec<EventRule>,
    settings: &Settings,
    progress: &Progress,
) -> anyhow::Result<Simulated> {
    if args.dataset.is_empty() {
        let opened = past::open(&args.data, args.from.as_deref(), args.to.as_deref(), progress)?;
        let base = base(args)?.unwrap_or(opened.policy);
        let (candidates, changes) = changed(args, sweeps, &base)?;
        let events = if events.is_empty() { replay::usual_events() } else { events };
        let (journal, past) = (opened.journal.as_ref(), &opened.past);
        let settings = of_policy(args, settings, &base);
        let report = replay::replay(journal, past, &candidates, &events, &settings, progress)?;
        return Ok((report, candidates, changes));
    }
    let base = base(args)?.unwrap_or_else(|| alert::Policy::built_in().text);
    let (candidates, changes) = changed(args, sweeps, &base)?;
    let mut all = vec![Candidate::of("present", &base)?];
    all.extend(candidates.iter().cloned());
    let mut cohort = Cohort::open(&args.dataset)?;
    if let Some(patients) = args.patients {
        cohort = cohort.sample(patients);
    }
    let events = if events.is_empty() { Cohort::usual_events() } else { events };
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let report = cohort::simulate(&cohort, &all, &events, settings, threads.unwrap_or(1), progress)?;
    Ok((report, candidates, changes))
}

/// The policies to try, with what each changes.
fn changed(
    args: &Args,
    sweeps: &[Sweep],
    base: &str,
) -> anyhow::Result<(Vec<Candidate>, Vec<Vec<(String, f64)>>)> {
    let (mut candidates, mut changes) = (Vec::new(), Vec::new());
    for file in &args.policy {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        candidates.push(Candidate::of(&name, &text(file)?)?);
        changes.push(Vec::new());
    }
    let mut fixed = Vec::new();
    for set in args.set.iter().map(|text| Sweep::parse(text)) {
        let Sweep { path, values } = set?;
        let [value] = values.as_slice() else {
            return Err(Misuse(format!("--set {path}: one value; --sweep tries several")).into());
        };
        fixed.push((path, *value));
    }
    let mut combinations = edit::combinations(sweeps, POLICIES_MAX)?;
    if sweeps.is_empty() && fixed.is_empty() {
        combinations.clear();
    }
    for combination in combinations {
        let all: Vec<(String, f64)> = fixed.iter().cloned().chain(combination).collect();
        let name = all.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(" ");
        candidates.push(Candidate::of(&name, &edit::apply(base, &all)?)?);
        changes.push(all);
    }
    Ok((candidates, changes))
}

fn base(args: &Args) -> anyhow::Result<Option<String>> {
    args.base.as_deref().map(text).transpose()
}

fn settings(args: &Args) -> anyhow::Result<Settings> {
    let hours = args.night.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    let Some((night_from, night_to)) = hours.filter(|(from, to): &(u8, u8)| *from < 24 && *to < 24) else {
        return Err(Misuse("--night: two hours, such as 22-7".to_owned()).into());
    };
    Ok(Settings {
        horizon_h: args.horizon,
        answered_after_s: args.answered_after,
        zone: zone(args)?,
        night_from,
        night_to,
        transfer_units: args.transfer_to.clone(),
        list: args.list,
        ..Settings::default()
    })
}

/// The house's clock, where the policy does not say.
fn zone(args: &Args) -> anyhow::Result<TimeZone> {
    let Some(name) = &args.zone else {
        return Ok(crate::burden::house(&Config::load(args.config.as_deref(), std::env::vars())?).settings.zone);
    };
    TimeZone::get(name).map_err(|_| Misuse("--zone: not a known time zone; write one such as Europe/Berlin".to_owned()).into())
}

/// [`Settings`] with the clock of this policy, if it has one and nothing else was asked for.
fn of_policy(args: &Args, settings: &Settings, policy: &str) -> Settings {
    let own = alert::Policy::parse(policy).ok().and_then(|policy| policy.zone).filter(|_| args.zone.is_none());
    Settings { zone: own.unwrap_or_else(|| settings.zone.clone()), ..settings.clone() }
}

/// Runs `policy diff`.
pub(crate) fn diff(from: &Path, to: &Path, as_json: bool) -> anyhow::Result<()> {
    let (from, to) = (text(from)?, text(to)?);
    let (changed, more) = edit::diff(&from, &to).map_err(misuse)?;
    if as_json {
        let hashes = (laboratory::hash(&from), laboratory::hash(&to));
        println!("{}", json!({ "from": hashes.0, "to": hashes.1, "changed": changed, "more": more }));
    } else {
        tell::diff(&changed, more);
    }
    Ok(())
}

/// Runs `policy numbers`.
pub(crate) fn numbers(file: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
    let text = file.map(text).transpose()?.unwrap_or_else(|| alert::Policy::built_in().text);
    let all = edit::parameters(&text).map_err(misuse)?;
    if as_json {
        println!("{}", json!(all));
    } else {
        all.iter().filter(|one| one.value.is_some()).for_each(tell::one);
    }
    Ok(())
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())).into())
}

fn misuse(error: LabError) -> anyhow::Error {
    Misuse(error.to_string()).into()
}
