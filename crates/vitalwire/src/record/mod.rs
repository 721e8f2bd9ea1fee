//! `vitalwire record`: what is in a recording, and one format into another.

mod files;
mod info;

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What a recording holds.
    Info {
        /// WFDB record (`dir/name` or `dir/name.hea`) or EDF file (.edf).
        file: PathBuf,
        /// Annotation files to read beside a WFDB record, by their ending.
        #[arg(long, default_value = "atr")]
        annotations: String,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// One format into another. What the other can't hold is told.
    Convert {
        /// WFDB record (`dir/name` or `dir/name.hea`) or EDF file (.edf).
        from: PathBuf,
        /// What to write: `….edf`, `….csv`, `….parquet`, or a WFDB record (`dir/name`, `dir/name.hea`).
        to: PathBuf,
        /// Annotation file beside a WFDB record, by its ending.
        #[arg(long, default_value = "atr")]
        annotations: String,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Options {
    /// EDF: fill gaps with missing samples instead of leaving them out (EDF+C instead of EDF+D).
    #[arg(long)]
    contiguous: bool,
    /// EDF: channels of more than 16 bits get coarser steps instead of being refused.
    #[arg(long)]
    rescale: bool,
    /// WFDB: two samples in three bytes (format 212) where they fit.
    #[arg(long)]
    packed: bool,
    /// CSV: a table for each rate, a column a channel (`name-125hz.csv`).
    #[arg(long)]
    wide: bool,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Info { file, annotations, json } => {
            let recording = files::read(&file, &annotations)?;
            if json {
                println!("{}", info::json(&recording));
            } else {
                print!("{}", info::text(&recording));
            }
        }
        Command::Convert { from, to, annotations, options } => {
            let recording = files::read(&from, &annotations)?;
            let problems = files::write(&recording, &to, options)?;
            for problem in recording.problems.iter().chain(&problems) {
                eprintln!("vitalwire: {problem}");
            }
        }
    }
    Ok(())
}
