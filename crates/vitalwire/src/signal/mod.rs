//! `vitalwire signal`: how well the analysis of waveforms agrees with what experts marked.

mod episodes;
mod files;
mod judge;
mod records;
mod reference;
mod report;
mod stopwatch;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use signal::noise::NoiseKind;

use crate::Misuse;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compare beats, beat types and rhythms with the annotations of WFDB records, record by record and
    /// in all, by the rules of ANSI/AAMI EC57.
    Evaluate(Evaluate),
}

#[derive(clap::Args)]
pub(crate) struct Evaluate {
    /// WFDB records (`dir/name`), folders of records, or .tar.zst archives of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The annotation files that are the truth, by their ending.
    #[arg(long, default_value = "atr")]
    annotations: String,
    /// Judge the beats in the annotation files of this ending, which another program wrote, instead of
    /// those that Vitalwire finds.
    #[arg(long, conflicts_with_all = ["noise", "lead"])]
    found: Option<String>,
    /// `all` leads taken together, or one lead by its number from 1.
    #[arg(long, default_value = "all")]
    lead: String,
    /// Minutes at the beginning that do not count.
    #[arg(long, default_value_t = 5.0)]
    skip_min: f64,
    /// Add noise of this kind, made from the seed, after the minutes that do not count.
    #[arg(long, value_enum, requires = "snr")]
    noise: Option<Noise>,
    /// Signal-to-noise ratio in decibels.
    #[arg(long, requires = "noise", allow_negative_numbers = true)]
    snr: Option<f64>,
    /// Seed of the noise; each lead of each record has its own chance out of it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Two minutes with noise and two without in turn, instead of noise all the time.
    #[arg(long, requires = "noise")]
    in_turn: bool,
    /// Judge whole records beside the labels of this file (`record,N|A|O|~` lines, as in the Challenge 2017) instead
    /// of beats.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["noise", "skip_min", "lead"])]
    reference: Option<PathBuf>,
    /// Write the measures that the records were judged by to this file (`tools/rhythm_model.py` reads it).
    #[arg(long, value_name = "FILE", requires = "reference")]
    measures: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Noise {
    /// Baseline wander.
    Bw,
    /// Muscle.
    Ma,
    /// Electrode motion.
    Em,
    /// Mains, 50 Hz.
    Mains50,
    /// Mains, 60 Hz.
    Mains60,
}

impl Noise {
    fn kind(self) -> NoiseKind {
        match self {
            Noise::Bw => NoiseKind::BaselineWander,
            Noise::Ma => NoiseKind::Muscle,
            Noise::Em => NoiseKind::ElectrodeMotion,
            Noise::Mains50 => NoiseKind::Mains50,
            Noise::Mains60 => NoiseKind::Mains60,
        }
    }
}

/// The leads to look at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    All,
    /// Counted from 0.
    One(usize),
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Evaluate(args) => evaluate(&args),
    }
}

fn evaluate(args: &Evaluate) -> anyhow::Result<()> {
    if let Some(reference) = &args.reference {
        return records::evaluate(args, reference);
    }
    let choice = match (args.lead.as_str(), args.lead.parse::<usize>()) {
        ("all", _) => Choice::All,
        (_, Ok(number)) if number >= 1 => Choice::One(number - 1),
        _ => return Err(Misuse(format!("--lead: `{}` is neither `all` nor a number from 1", args.lead)).into()),
    };
    if !(0.0..1e6).contains(&args.skip_min) {
        return Err(Misuse("--skip-min must be 0 or more".to_owned()).into());
    }
    let mut report = report::Report::new(args);
    for path in &args.paths {
        for source in files::records(path)? {
            let record = source.read(&args.annotations, args.found.as_deref())?;
            let judged = judge::judge(&record, choice, args)?;
            report.add(judged);
        }
    }
    if report.is_empty() {
        anyhow::bail!("no WFDB record (.hea) was found");
    }
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}
