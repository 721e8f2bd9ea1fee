//! `vitalwire replay`: real recordings over the real protocols.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;
use sim::replay::{ReplayConfig, Source, Speed, WfdbSource};

use crate::Misuse;
use crate::simulate::To;

/// Arguments of `replay`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the recordings are.
    #[arg(value_enum)]
    kind: Kind,
    /// Folders, files or .tar.zst archives; several only for cinc2019.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// `max`, or seconds of recording per second on the wall; `max` if not given, 1 with --as-live.
    #[arg(long)]
    speed: Option<String>,
    /// Connections that share the devices.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Only the first so many patients.
    #[arg(long)]
    patients: Option<usize>,
    /// wfdb: the device's id, of one record; otherwise `wfdb-<record>`.
    #[arg(long)]
    device: Option<String>,
    /// wfdb: the patient, `system|identifier`, of one record; otherwise `wfdb|<record>`.
    #[arg(long)]
    patient: Option<String>,
    /// wfdb: as if it were measured now, in real time, instead of as a recording.
    #[arg(long)]
    as_live: bool,
    /// Print one JSON object with what was sent, by metric and device.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    to: To,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// PhysioNet Challenge 2019 (.psv).
    Cinc2019,
    /// PhysioNet Challenge 2012 (.txt).
    Cinc2012,
    /// MIMIC-III demo tables (.csv.gz).
    Mimic3,
    /// HL7 v2 files.
    Hl7,
    /// WFDB records with waveforms: a record, a folder, a .tar.zst.
    Wfdb,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = configuration(&args)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    let mut told = Instant::now();
    let report = runtime.block_on(sim::replay::run(config, |progress| {
        if told.elapsed() >= Duration::from_secs(2) {
            told = Instant::now();
            eprintln!(
                "{} of {} patients, {} messages, {} values, {} s",
                progress.patients,
                progress.patients_total,
                progress.messages,
                progress.values,
                progress.seconds
            );
        }
    }))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} patients, {} messages, {} values ({} distinct) in {:.1} s: {:.0} values/s; {} acknowledged, {} refused",
            report.patients,
            report.messages + report.hl7_messages,
            report.values,
            report.distinct_values,
            report.seconds,
            report.values_per_s,
            report.acknowledged,
            report.refused
        );
    }
    Ok(())
}

fn configuration(args: &Args) -> Result<ReplayConfig, Misuse> {
    let one = || match args.paths.as_slice() {
        [path] => Ok(path.clone()),
        _ => Err(Misuse("replay: only cinc2019 takes several paths".to_owned())),
    };
    let source = match args.kind {
        Kind::Cinc2019 => Source::Cinc2019(args.paths.clone()),
        Kind::Cinc2012 => Source::Cinc2012(one()?),
        Kind::Mimic3 => Source::Mimic3(one()?),
        Kind::Hl7 => Source::Hl7(one()?),
        Kind::Wfdb => Source::Wfdb(WfdbSource {
            path: one()?,
            device: args.device.clone(),
            patient: args.patient.clone(),
            as_live: args.as_live,
        }),
    };
    let usual = if args.as_live { "1" } else { "max" };
    let speed = match args.speed.as_deref().unwrap_or(usual) {
        "max" => Speed::Max,
        text => Speed::Times(
            text.parse().map_err(|_| Misuse("--speed: `max` or a number".to_owned()))?,
        ),
    };
    Ok(ReplayConfig {
        speed,
        mqtt: args.to.mqtt.clone(),
        mllp: args.to.mllp.clone(),
        http: args.to.http.clone(),
        token: args.to.token.clone(),
        mqtt_credentials: args.to.credentials(),
        connections: args.connections,
        patients: args.patients,
        ..ReplayConfig::new(source)
    })
}
