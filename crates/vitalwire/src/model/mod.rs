//! `vitalwire model`: risk models made from public data, judged beside published scores, and shown with their cards.

mod recalibrate;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use predict::Model;
use training::cohort::{self, Cohort, CohortError, Stay};
use training::evaluate::{Figure, Options, Said, evaluate, ways};
use training::learn::{FOLDS, Lessons};
use training::measure::Alerts;
use training::made::{Ready, cross_validate, make, text};
use training::recipe::Recipe;

use crate::Misuse;

/// What figures of a recipe say of themselves.
const CROSS_VALIDATED: &str = "5-fold cross-validation by patient: trees, calibration and thresholds had not seen the patients";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a model from public data: forest, calibration, doubt, card. The same data give the same file, byte for byte.
    Train(Train),
    /// Measure a model, and NEWS2, MEWS, qSOFA and SIRS on the same patients, with intervals.
    Evaluate(Evaluate),
    /// Fit a model's probabilities to the patients of a site that it has not learned from: the same forest, a calibration of
    /// its own. Prints how good the probabilities are before and after, on patients that the fit has not seen.
    Recalibrate(recalibrate::Recalibrate),
    /// Print a model's card.
    Show {
        /// A model's file, or the name of one that comes with the program (`sepsis`); none: list those.
        model: Option<String>,
    },
    /// Make a model's file of somebody else's boosted trees.
    Import(Import),
    /// Write what a model would be made from, for other people's learners: features.npy, features.txt (their names),
    /// moments.csv (record, part of the cross-validation, outcome).
    Features(Features),
}

#[derive(clap::Args)]
pub(crate) struct Features {
    /// Which: as with train.
    #[arg(long)]
    model: String,
    /// Folders of records: as with train.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    data: Vec<PathBuf>,
    /// The folder to write into; 4 bytes for each feature of each moment.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Import {
    /// The trees, as ONNX.
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
    /// The feature map: a model's file without its forest, features in the order of the ONNX input's columns.
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Where to write the model's file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Train {
    /// Which: sepsis, sepsis-ahead, deterioration, deterioration-vitals or mortality-48h.
    #[arg(long)]
    model: String,
    #[command(flatten)]
    common: Common,
    /// Where to write the file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Evaluate {
    /// A model's file, or the name of one that comes with the program.
    #[arg(long, value_name = "FILE|NAME", required_unless_present = "cv")]
    model: Option<String>,
    /// Instead: make this model anew five times, each time without a fifth of the patients, and judge it on them.
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    cv: Option<String>,
    /// With --cv: without the hour of the stay and counts that grow with it.
    #[arg(long, requires = "cv")]
    without_hours: bool,
    /// With --cv: divide the patients into other five parts, to see how much a figure owes to chance; 0 is the documented partition.
    #[arg(long, requires = "cv", default_value_t = 0, value_name = "NUMBER")]
    partition: u32,
    /// An alert begins only where the threshold is crossed, after six quiet hours; else whoever stays above it is told again
    /// every twelve. The comparison with NEWS2 is printed in every way of counting anyhow.
    #[arg(long)]
    entering: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
struct Common {
    /// Folders of records, or with folders of records in them: of the Challenge 2019 (p000001.psv …) or 2012 (Outcomes-a.txt and set-a).
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Resamples of patients for the intervals; the card of a model that comes with the program has 200.
    #[arg(long, default_value_t = 200)]
    resamples: usize,
    /// Threads; all processors if not given. The result is the same with any number.
    #[arg(long)]
    threads: Option<usize>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn options(&self) -> Options {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = self.threads.unwrap_or_else(processors).clamp(1, 64);
        Options { draws: self.resamples.clamp(1, 5_000), threads, alerts: Alerts::default() }
    }

    /// The patients; what can't be read is told and left out.
    fn cohort(&self) -> anyhow::Result<Cohort> {
        let cohort = cohort::gather(&self.data, self.options().threads)?;
        eprintln!("{} patients, {} moments", cohort.stays.len(), cohort.stays.iter().map(|stay| stay.moments.len()).sum::<usize>());
        if let Some(first) = cohort.left_out.first() {
            eprintln!("{} records can't be read and are left out; the first: {first}", cohort.left_out.len());
        }
        Ok(cohort)
    }

    /// The patients; a record that can't be read is an error, since what is made of them must be made of all.
    fn whole(&self) -> anyhow::Result<Cohort> {
        Ok(self.cohort()?.whole()?)
    }

    fn print(&self, what: &str, figures: &[Figure], left_out: &[CohortError]) -> anyhow::Result<()> {
        let left_out = counted(left_out);
        if self.json {
            let told = serde_json::json!({ "what": what, "figures": figures, "left_out": left_out });
            println!("{}", serde_json::to_string_pretty(&told)?);
        } else {
            for (why, count) in left_out {
                println!("left out: {count} records, {why}");
            }
            print!("{}", table::figures(what, figures));
        }
        Ok(())
    }
}

/// How many records were left out, by what is wrong with them.
fn counted(left_out: &[CohortError]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for error in left_out {
        *counts.entry(error.what()).or_default() += 1;
    }
    counts
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Train(args) => train(&args),
        Command::Evaluate(args) => judge(&args),
        Command::Recalibrate(args) => recalibrate::run(&args),
        Command::Show { model } => show(model.as_deref()),
        Command::Import(args) => import(&args),
        Command::Features(args) => features(&args),
    }
}

fn recipe(id: &str) -> anyhow::Result<Recipe> {
    Recipe::of(id).ok_or_else(|| Misuse(format!("there is no recipe for a model `{id}`; there are {}", Recipe::IDS.join(", "))).into())
}

fn ready(recipe: &Recipe, stays: Vec<Stay>, threads: usize) -> anyhow::Result<Ready> {
    Ready::new(recipe, stays, threads).with_context(|| format!("the model `{}` is not made from such data", recipe.id))
}

fn train(args: &Train) -> anyhow::Result<()> {
    let recipe = recipe(&args.model)?;
    let cohort = args.common.whole()?;
    // By number and not by name: the file must not depend on where the data lie.
    let folders: Vec<String> = (1..=cohort.folders.len()).map(|number| format!("folder {number}")).collect();
    let ready = ready(&recipe, cohort.stays, args.common.options().threads)?;
    let made = make(&recipe, &ready, &folders, args.common.options(), progress());
    let text = text(&made.file)?;
    Model::read(text.as_bytes()).context("the model that was made is not one")?;
    std::fs::write(&args.out, &text).with_context(|| args.out.display().to_string())?;
    args.common.print(CROSS_VALIDATED, &made.figures, &[])?;
    eprintln!("{}: {} kB", args.out.display(), text.len() / 1000);
    Ok(())
}

fn judge(args: &Evaluate) -> anyhow::Result<()> {
    let alerts = if args.entering { Alerts::ENTERING } else { Alerts::DOCUMENTED };
    let options = Options { alerts, ..args.common.options() };
    if let Some(id) = &args.cv {
        return judge_anew(id, args, options);
    }
    let model = read(args.model.as_deref().unwrap_or_default())?;
    let task = recipe(model.id())?.task;
    let Cohort { stays, folders, left_out } = args.common.cohort()?;
    let lessons = Lessons::new(task, &stays).with_context(|| format!("the model `{}` does not judge such data", model.id()))?;
    let said = training::applied::said(&model, &stays, options.threads);
    let mut figures = evaluate(model.id(), task, &stays, &lessons, &said, &folders, options);
    figures.extend(ways(model.id(), task, &stays, &lessons, &said, &folders, options));
    args.common.print(&format!("{} {} on these patients", model.id(), model.version()), &figures, &left_out)
}

fn judge_anew(id: &str, args: &Evaluate, options: Options) -> anyhow::Result<()> {
    let mut recipe = recipe(id)?;
    let mut what = CROSS_VALIDATED.to_owned();
    if args.without_hours {
        recipe = recipe.without_hours();
        what.push_str("; without the hour of the stay");
    }
    let Cohort { stays, folders, left_out } = args.common.cohort()?;
    let mut ready = ready(&recipe, stays, options.threads)?;
    if args.partition > 0 {
        ready.lessons.folds = ready.stays.iter().map(|stay| stay.fold_of(args.partition, FOLDS)).collect();
        let _ = write!(what, "; partition {}", args.partition);
    }
    let said = cross_validate(&recipe, &ready, options.threads, progress());
    let mut figures = evaluate(id, recipe.task, &ready.stays, &ready.lessons, &said, &folders, options);
    figures.extend(ways(id, recipe.task, &ready.stays, &ready.lessons, &said, &folders, options));
    // The parts' forests have no requirements of their own; the model that comes with the program refuses by the recipe's.
    let judged = training::applied::said(&read(id)?, &ready.stays, options.threads).judged;
    let refusing = Said { judged, ..said };
    figures.extend(ways(&format!("{id}, refusing"), recipe.task, &ready.stays, &ready.lessons, &refusing, &folders, options));
    args.common.print(&what, &figures, &left_out)
}

/// A model from a file, or one that comes with the program.
fn read(name: &str) -> anyhow::Result<Model> {
    Model::read(&bytes(name)?).with_context(|| name.to_owned())
}

/// The same, as it is written.
fn bytes(name: &str) -> anyhow::Result<Vec<u8>> {
    if let Some((_, bytes)) = predict::shipped().iter().find(|(id, _)| *id == name) {
        return Ok(bytes.to_vec());
    }
    std::fs::read(Path::new(name)).with_context(|| format!("{name} is neither a file nor a model that comes with the program"))
}

fn features(args: &Features) -> anyhow::Result<()> {
    let recipe = recipe(&args.model)?;
    let stays = cohort::read(&args.data, 1)?;
    let lessons = Lessons::new(recipe.task, &stays).with_context(|| format!("the model `{}` is not made from such data", recipe.id))?;
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let file = |name: &str| {
        let path = args.out.join(name);
        std::fs::File::create(&path).map(std::io::BufWriter::new).with_context(|| path.display().to_string())
    };
    let names: Vec<String> = recipe.features.iter().map(ToString::to_string).collect();
    writeln!(file("features.txt")?, "{}", names.join("\n")).context("features.txt")?;
    training::export::moments(&stays, &lessons, file("moments.csv")?)?;
    training::export::features(&recipe, &stays, file("features.npy")?)?;
    println!("{}: {} moments of {} patients, {} features", args.out.display(), lessons.rows.len(), stays.len(), names.len());
    Ok(())
}

fn import(args: &Import) -> anyhow::Result<()> {
    let file = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    let imported = predict::onnx::import(&file(&args.onnx)?, &file(&args.map)?).with_context(|| args.onnx.display().to_string())?;
    let text = text(&imported)?;
    let model = Model::read(text.as_bytes())?;
    std::fs::write(&args.out, &text).with_context(|| args.out.display().to_string())?;
    println!("{} {}: {} trees, {} features", model.id(), model.version(), imported.forest.trees.len(), model.inputs().len());
    Ok(())
}

fn show(name: Option<&str>) -> anyhow::Result<()> {
    match name {
        Some(name) => print!("{}", table::card(&read(name)?)),
        None => {
            for (_, bytes) in predict::shipped() {
                let model = Model::read(bytes)?;
                println!("{:<22} {:<22} {}", model.id(), model.version(), model.title());
            }
        }
    }
    Ok(())
}

/// Tells hundredths on standard error, on one line where that is a terminal.
fn progress() -> impl FnMut(usize) {
    let terminal = std::io::stderr().is_terminal();
    let mut told = 0;
    move |percent| {
        let step = if terminal { 1 } else { 10 };
        if percent >= told + step {
            told = percent - percent % step;
            let mut out = std::io::stderr().lock();
            // Who closed standard error does not want to know.
            let _ = if terminal { write!(out, "\r{told} % ") } else { writeln!(out, "{told} %") };
            let _ = out.flush();
        }
    }
}
