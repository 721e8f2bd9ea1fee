//! The program: command line, configuration, wiring. What it wires is in the crates below.

mod admin;
mod audit;
mod backup;
mod burden;
mod certificate;
mod client;
mod clock;
mod collectors;
mod config;
mod courier;
mod decoding;
mod demo;
mod foresight;
mod device;
mod doctor;
mod doors;
mod edge;
mod firmware;
mod erasing;
mod http;
mod import;
mod infusion;
mod keyring;
mod keys;
mod laboratory;
mod offers;
mod patient_io;
mod model;
mod model_watch;
mod policy;
mod privacy;
mod profile;
mod rebirth;
mod record;
mod replay;
mod retained;
mod retention;
mod sdc_consumer;
mod sdc_provider;
mod sealed;
mod serve;
mod signal;
mod steward;
mod supported;
mod simulate;
mod time_service;
mod watch;
mod wiring;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// Messages are made by the listeners' threads and let go by the engine's. This allocator gives
/// memory back across threads cheaply: a tenth to a quarter less processor time for each message.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The open connected-care platform: listens to every medical device, watches every patient,
/// alerts the right person once.
#[derive(Parser)]
#[command(name = "vitalwire", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the platform.
    Serve(serve::Args),
    /// Run the platform near the device: it listens, judges and alerts also when its centre is not
    /// reached, and sends on what it took in.
    Edge(edge::Args),
    /// Run the platform in a scratch folder with a virtual ward, and print the address to open.
    Demo(demo::Args),
    /// A virtual ward, or load, over the real protocols against a running platform.
    Sim(simulate::Args),
    /// Replay real recordings over the real protocols against a running platform.
    Replay(replay::Args),
    /// Recordings (WFDB, EDF+): look into one, turn one format into another.
    #[command(subcommand)]
    Record(record::Command),
    /// How well the analysis of waveforms agrees with what experts marked.
    #[command(subcommand)]
    Signal(signal::Command),
    /// What people kept elsewhere (Apple Health), sent to a running platform.
    #[command(subcommand)]
    Import(import::Command),
    /// Device profiles: test one on a payload.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Risk models: made from public data, judged beside published scores, shown with their cards.
    #[command(subcommand)]
    Model(model::Command),
    /// Accounts of people and programs.
    #[command(subcommand)]
    User(admin::UserCommand),
    /// Applications that may ask for access (SMART on FHIR).
    #[command(subcommand)]
    Client(client::Command),
    /// Devices: their life, their certificates, what they may say, which are supported.
    #[command(subcommand, visible_alias = "devices")]
    Device(device::DeviceCommand),
    /// Signed firmware, and campaigns that update devices.
    #[command(subcommand)]
    Firmware(firmware::Command),
    /// Patients of a data folder.
    #[command(subcommand)]
    Patient(admin::PatientCommand),
    /// The keys that everything kept is encrypted with.
    #[command(subcommand)]
    Keys(keyring::Command),
    /// Make an encrypted backup, also while the program runs.
    Backup(backup::Args),
    /// Restore a backup into a new data folder.
    Restore(backup::RestoreArgs),
    /// The audit log: verify it, prove what is in it, witness it.
    #[command(subcommand)]
    Audit(audit::Command),
    /// The access policy: explain a decision, print the rules, check a file of them. The alarm policy:
    /// try a change on the past.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Reports: what alarms cost.
    #[command(subcommand)]
    Report(burden::Command),
    /// Check the installation, the data folder, the clocks.
    Doctor(doctor::Args),
    /// Print the OpenAPI document of the application API.
    Openapi,
    /// Run payload decoders for a platform that asks on standard input.
    #[command(hide = true, name = "decode-payloads")]
    DecodePayloads,
}

/// The command line or configuration is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no misuse.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    if !matches!(cli.command, Command::Serve(_) | Command::Edge(_) | Command::Demo(_)) {
        end_when_nobody_reads();
    }
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vitalwire: {error:#}");
            let misused = error.is::<Misuse>()
                || matches!(error.downcast_ref(), Some(sim::SimError::Config { .. }));
            ExitCode::from(if misused { 2 } else { 1 })
        }
    }
}

/// Whoever reads what is printed may have had enough, as `head` has: that ends a command, and is no failure.
fn end_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |told| {
        let what = told.payload_as_str().unwrap_or_default();
        if what.starts_with("failed printing to stdout") && what.contains("Broken pipe") {
            std::process::exit(0);
        }
        usual(told);
    }));
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Edge(args) => edge::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Sim(args) => simulate::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Record(command) => record::run(command),
        Command::Signal(command) => signal::run(command),
        Command::Import(command) => import::run(command),
        Command::Profile(command) => profile::run(command),
        Command::User(command) => admin::user(command),
        Command::Client(command) => client::run(command),
        Command::Device(command) => device::run(command),
        Command::Firmware(command) => firmware::run(command),
        Command::Patient(command) => admin::patient(command),
        Command::Keys(command) => keyring::run(command),
        Command::Model(command) => model::run(command),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Audit(command) => audit::run(command),
        Command::Policy(command) => policy::run(command),
        Command::Report(command) => burden::run(command),
        Command::Doctor(args) => doctor::run(&args),
        Command::DecodePayloads => decoding::work(),
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&api::openapi())?);
            Ok(())
        }
    }
}

/// Log lines to standard error; `RUST_LOG` says which, `info` if it does not.
pub(crate) fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
        .init();
}
