//! Measures the running platform against the budgets of the design, from outside: the release
//! program as a child process, spoken to over its public protocols. `docs/benchmarks.md` explains
//! each figure.

mod alerting;
mod codecs;
mod device;
mod endurance;
mod floor;
mod history;
mod http;
mod ingest;
mod overload;
mod peer;
mod predictions;
mod process;
mod reconnect;
mod report;
mod security;
mod server;
mod ward;
mod waves;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};

use report::Report;

/// Measures a release build of vitalwire against its budgets.
#[derive(Parser)]
struct Args {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Shorter runs: figures to look at while working, not to publish.
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be given more than once.
    #[arg(long)]
    only: Vec<What>,
    /// The program to measure.
    #[arg(long, default_value = "target/release/vitalwire")]
    binary: PathBuf,
    /// Where data folders are made; a real disk, not memory.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Fewer beds than a thousand in the measures of waveforms.
    #[arg(long)]
    beds: Option<usize>,
    /// Be the floor that waveforms are compared with: `ADDRESS=FILE`.
    #[arg(long, hide = true)]
    floor: Option<String>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Durable QoS 1 observations a second.
    Mqtt,
    /// The same with mosquitto, a subscriber and PostgreSQL.
    Peer,
    /// MLLP messages a second.
    Mllp,
    /// From the wire to the alert on the live stream.
    Alerts,
    /// A day of twelve trends.
    Trends,
    /// Bytes of a stored numeric.
    Bytes,
    /// Restart after kill -9.
    Restart,
    /// Memory at 1,000 beds.
    Memory,
    /// Ten times the load.
    Overload,
    /// Waveforms of a thousand beds for ten minutes.
    Waves,
    /// kill -9 under them.
    WavesRestart,
    /// What security costs: on and off, by turns.
    Security,
    /// A thousand devices that come back at once over TLS.
    TlsReconnect,
    /// Messages a second of each codec, beside independent libraries.
    Codecs,
    /// What a judgement of the shipped risk models costs.
    Predict,
}

/// What every measure is told.
pub struct Bench {
    /// The program.
    pub binary: PathBuf,
    /// Where data folders are made.
    pub scratch: PathBuf,
    /// Shorter runs.
    pub quick: bool,
    /// Beds in the measures of waveforms, if not a thousand.
    pub beds: Option<usize>,
}

impl Bench {
    /// An empty folder, removed when dropped.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn folder(&self) -> anyhow::Result<tempfile::TempDir> {
        tempfile::tempdir_in(&self.scratch).context("cannot make a data folder")
    }

    /// A duration in seconds, shortened if the run is to be quick.
    #[must_use]
    pub fn seconds(&self, full: f64) -> f64 {
        if self.quick { (full / 3.0).max(2.0) } else { full }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(floor) = &args.floor {
        return floor::run(floor);
    }
    tokio::runtime::Runtime::new()?.block_on(measure(args))
}

async fn measure(args: Args) -> anyhow::Result<()> {
    // Codecs and predictions are measured in this process.
    let within = |what: &What| matches!(what, What::Codecs | What::Predict);
    let needed = args.only.is_empty() || !args.only.iter().all(within);
    let found = if needed { args.binary.canonicalize() } else { Ok(args.binary.clone()) };
    let binary = found.with_context(|| {
        format!(
            "no program at {}; build it with `cargo build --release -p vitalwire`",
            args.binary.display()
        )
    })?;
    std::fs::create_dir_all(&args.folder).context("cannot make the folder for data")?;
    let scratch = args.folder.canonicalize()?;
    let bench = Bench { binary, scratch, quick: args.quick, beds: args.beds };
    let all = What::value_variants();
    let chosen = if args.only.is_empty() { all } else { &args.only };
    let mut report = Report::default();
    let mut failed = Vec::new();
    for what in chosen {
        eprintln!("{what:?}");
        let measured = match what {
            What::Mqtt => ingest::mqtt(&bench, &mut report).await,
            What::Peer => peer::compare(&bench, &mut report).await,
            What::Mllp => ingest::mllp(&bench, &mut report).await,
            What::Alerts => alerting::at_a_fifth(&bench, &mut report).await,
            What::Trends => history::trends(&bench, &mut report).await,
            What::Bytes => history::bytes(&bench, &mut report).await,
            What::Restart => endurance::restart(&bench, &mut report).await,
            What::Memory => endurance::memory(&bench, &mut report).await,
            What::Overload => overload::flood(&bench, &mut report).await,
            What::Waves => waves::measure(&bench, &mut report).await,
            What::WavesRestart => waves::restart(&bench, &mut report).await,
            What::Security => security::measure(&bench, &mut report).await,
            What::TlsReconnect => reconnect::measure(&bench, &mut report).await,
            What::Codecs => codecs::measure(&bench, &mut report),
            What::Predict => predictions::measure(&bench, &mut report),
        };
        // One measure that fails takes none of the others away.
        if let Err(error) = measured {
            failed.push(format!("{what:?}: {error:#}"));
        }
    }
    if !failed.is_empty() {
        report.note(format!("FAILED: {}", failed.join("; ")));
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        println!("{}", report.table());
    }
    ensure!(failed.is_empty(), "not everything could be measured: {}", failed.join("; "));
    Ok(())
}
