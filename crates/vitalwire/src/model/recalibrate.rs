//! `vitalwire model recalibrate`: a model's probabilities fitted to the patients of another site.

use std::path::{Path, PathBuf};

use anyhow::Context;
use predict::Model;
use predict::model::File;
use training::made::text;
use training::recalibrate::{EXPECTED_ERROR, Local, Site};

use super::{Common, bytes, recipe};
use crate::Misuse;

/// Characters of what a site says of its patients, at most.
const SITE_MAX: usize = 200;

#[derive(clap::Args)]
pub(crate) struct Recalibrate {
    /// A model's file, or the name of one that comes with the program.
    #[arg(long, value_name = "FILE|NAME")]
    model: String,
    #[command(flatten)]
    common: Common,
    /// Who the site's patients are and when they came, as the model's card is to say it.
    #[arg(long, value_name = "WORDS", required_unless_present = "sizes")]
    site: Option<String>,
    /// The day that the card is dated; not today's unless said, so that the same data give the same file.
    #[arg(long, value_name = "YYYY-MM-DD", required_unless_present = "sizes")]
    date: Option<String>,
    /// Where to write the file.
    #[arg(long, value_name = "FILE", required_unless_present = "sizes")]
    out: Option<PathBuf>,
    /// Instead: how good the calibration would be on all others of the site if it were fitted to so many patients by lot.
    #[arg(long, num_args = 1.., value_name = "PATIENTS", conflicts_with_all = ["site", "date", "out"])]
    sizes: Option<Vec<usize>>,
}

pub(super) fn run(args: &Recalibrate) -> anyhow::Result<()> {
    let site = args.out.as_deref().map(|out| Ok::<_, anyhow::Error>((site(args)?, out))).transpose()?;
    let bytes = bytes(&args.model)?;
    let model = Model::read(&bytes).with_context(|| args.model.clone())?;
    let recipe = recipe(model.id())?;
    let options = args.common.options();
    let cohort = args.common.whole()?;
    let local = Local::new(&model, &recipe, &cohort.stays, options.threads)?;
    let what = format!("{} {} at a site", model.id(), model.version());
    let Some((site, out)) = site else {
        let figures = local.by_size(args.sizes.as_deref().unwrap_or_default(), options);
        return args.common.print(&format!("{what}, fitted to 20 draws of patients: median (least–greatest); as it is"), &figures, &[]);
    };
    let (file, figures) = local.recalibrate(serde_json::from_slice::<File>(&bytes)?, &site, options)?;
    write(&file, out)?;
    let errors: Vec<f64> = figures.iter().filter(|figure| figure.name == EXPECTED_ERROR).map(|figure| figure.interval.value).collect();
    if let [before, after] = errors[..]
        && after >= before
    {
        eprintln!("the expected calibration error is no smaller than before: keep the model as it is, or give more patients");
    }
    args.common.print(&what, &figures, &[])
}

fn write(file: &File, out: &Path) -> anyhow::Result<()> {
    let text = text(file)?;
    let model = Model::read(text.as_bytes()).context("the model that was made is not one")?;
    std::fs::write(out, &text).with_context(|| out.display().to_string())?;
    eprintln!("{}: {} {}", out.display(), model.id(), model.version());
    Ok(())
}

/// What the card is to say of the site, checked.
fn site(args: &Recalibrate) -> anyhow::Result<Site> {
    let (words, date) = (args.site.as_deref().unwrap_or_default().trim(), args.date.as_deref().unwrap_or_default());
    if !(3..=SITE_MAX).contains(&words.chars().count()) || words.chars().any(char::is_control) {
        return Err(Misuse(format!("--site must say in 3 to {SITE_MAX} characters who the patients are and when they came")).into());
    }
    let day: Option<jiff::civil::Date> = (date.len() == 10).then(|| date.parse().ok()).flatten();
    let day = day.ok_or_else(|| Misuse(format!("--date {date:?} is no day; write it like 2026-01-31")))?;
    Ok(Site { words: words.trim_end_matches('.').to_owned(), date: day.to_string() })
}
