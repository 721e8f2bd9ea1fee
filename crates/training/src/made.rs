//! A model's file from data: forest, calibration, doubt, thresholds, distributions of inputs, card.

use predict::feature::{Feature, Plan};
use predict::forest::{self, Tree, Way};
use predict::model::{Calibration, Card, Distribution, File, Input, Requires, Threshold};

use crate::cohort::{Stay, spread};
use crate::crossfit::{cross_fitted, points, threshold};
use crate::evaluate::{self, Options, Said, evaluate};
use crate::fit::{calibrate, doubt};
use crate::grid::{Grid, fill};
use crate::grow::Forest;
use crate::learn::{FOLDS, Lessons, forest, out_of_fold};
use crate::recipe::Recipe;
use crate::words;

/// Share of each outcome's moments for which that outcome is not excluded.
pub(crate) const LEVEL: f64 = 0.9;
/// Moments of which distributions are made, about.
const SAMPLE_ROWS: usize = 100_000;

/// Patients with their features and lessons, ready to learn from.
#[derive(Debug)]
pub struct Ready {
    /// The patients.
    pub stays: Vec<Stay>,
    /// Their features.
    pub grid: Grid,
    /// What is to be learned.
    pub lessons: Lessons,
}

impl Ready {
    /// Of these patients for this recipe; none if their data set is another one's.
    #[must_use]
    pub fn new(recipe: &Recipe, stays: Vec<Stay>, threads: usize) -> Option<Self> {
        let lessons = Lessons::new(recipe.task, &stays)?;
        let grid = Grid::new(&stays, recipe.features.clone(), threads);
        Some(Self { stays, grid, lessons })
    }
}

/// What cross-validation alone says of each moment. `told` hears how far it is, in hundredths.
#[must_use]
pub fn cross_validate(recipe: &Recipe, ready: &Ready, threads: usize, mut told: impl FnMut(usize)) -> Said {
    let margins = out_of_fold(&ready.grid, &ready.lessons, recipe, threads, |done, all| told(done * 99 / all.max(1)));
    cross_fitted(recipe, &ready.lessons, &margins, &vec![true; margins.len()])
}

/// A model and the figures of its cross-validation.
#[derive(Debug, Clone)]
pub struct Made {
    /// The file.
    pub file: File,
    /// The figures.
    pub figures: Vec<evaluate::Figure>,
}

/// Makes a model. `told` hears how far it is, in hundredths.
#[must_use]
pub fn make(recipe: &Recipe, ready: &Ready, folders: &[String], options: Options, mut told: impl FnMut(usize)) -> Made {
    let threads = options.threads;
    let margins = out_of_fold(&ready.grid, &ready.lessons, recipe, threads, |done, all| told(done * 80 / all.max(1)));
    let said = cross_fitted(recipe, &ready.lessons, &margins, &vec![true; margins.len()]);
    let figures = evaluate(recipe.id, recipe.task, &ready.stays, &ready.lessons, &said, folders, options);
    told(85);
    let each = (recipe.settings.trees * recipe.bags).max(1);
    let grown = forest(&ready.grid, &ready.lessons, recipe, threads, |_| true, |done| told(85 + done * 14 / each));
    let points = points(&ready.lessons, &margins, |_| true);
    let fitted = format!(
        "On {} moments of {} patients, by forests that had not seen the patient ({FOLDS}-fold cross-validation).",
        points.len(),
        ready.stays.len()
    );
    let calibration = calibrate(&points, recipe.smooth, &fitted);
    let doubt = doubt(&points, &calibration, LEVEL, &fitted);
    let threshold = threshold(recipe.task, &ready.lessons, &margins, |_| true);
    let alert = Threshold {
        id: "alert".to_owned(),
        probability: calibration.probability(threshold) as f32,
        chosen: format!("{} {fitted}", words::of(recipe.id).threshold),
    };
    let requires = words::requires(recipe);
    let (features, forest) = slim(recipe, &ready.grid, &grown, &requires);
    let inputs = inputs(&features, ready, &requires, threads);
    let card = card(recipe, ready, &figures);
    Made { file: file(recipe, calibration, doubt, vec![alert], requires, inputs, forest, card), figures }
}

#[allow(clippy::too_many_arguments, reason = "the parts of one file")]
fn file(
    recipe: &Recipe,
    calibration: Calibration,
    doubt: predict::model::Doubt,
    thresholds: Vec<Threshold>,
    requires: Requires,
    features: Vec<Input>,
    forest: forest::Forest,
    card: Card,
) -> File {
    let words = words::of(recipe.id);
    File {
        format: predict::model::FORMAT.to_owned(),
        id: recipe.id.to_owned(),
        version: words.version.to_owned(),
        title: words.title.to_owned(),
        outcome: words::outcome(recipe.id),
        population: words.population.to_owned(),
        intended_use: words.intended_use.to_owned(),
        requires,
        calibration,
        doubt,
        thresholds,
        card,
        features,
        forest,
    }
}

/// The features that trees or requirements ask for, and the forest with their numbers.
fn slim(recipe: &Recipe, grid: &Grid, grown: &Forest, requires: &Requires) -> (Vec<Feature>, forest::Forest) {
    let asked: Vec<String> = words::asked(requires);
    let splits = || grown.trees.iter().flat_map(|tree| &tree.0).filter(|node| node.children[0] != 0);
    let mut used = vec![false; recipe.features.len()];
    splits().for_each(|node| used[usize::from(node.feature)] = true);
    for (feature, used) in recipe.features.iter().zip(&mut used) {
        *used |= asked.contains(&feature.to_string());
    }
    let numbers: Vec<u16> = used.iter().scan(0, |next, used| {
        let number = *next;
        *next += u16::from(*used);
        Some(number)
    })
    .collect();
    let node = |node: &crate::grow::Node| {
        if node.children[0] == 0 {
            return forest::Node::Leaf { value: node.value };
        }
        let ends = &grid.table.bins(usize::from(node.feature)).ends;
        forest::Node::Split {
            feature: numbers[usize::from(node.feature)],
            // Beyond the last bin's end there is nothing but missing values to part.
            threshold: ends.get(usize::from(node.bin).saturating_sub(1)).copied().unwrap_or(f32::MAX),
            missing: if node.missing_low { Way::Low } else { Way::High },
            low: node.children[0],
        }
    };
    let trees = grown.trees.iter().map(|tree| Tree { nodes: tree.0.iter().map(node).collect() }).collect();
    let features = recipe.features.iter().zip(&used).filter(|(_, used)| **used).map(|(feature, _)| *feature).collect();
    (features, forest::Forest { base: grown.base, trees })
}

/// How each input is distributed over an even sample of the moments learned from, and what a usual patient has.
fn inputs(features: &[Feature], ready: &Ready, requires: &Requires, threads: usize) -> Vec<Input> {
    let plan = Plan::of(features.to_vec());
    let every = ready.lessons.rows.len().div_ceil(SAMPLE_ROWS).max(1);
    let pieces: Vec<usize> = (0..ready.stays.len()).step_by(500).collect();
    let sample: Vec<f32> = spread(&pieces, threads, |first| {
        let mut sampled = Vec::new();
        let stays = &ready.stays[*first..ready.stays.len().min(first + 500)];
        fill(&plan, stays, |stay, moment, row| {
            let at = ready.grid.rows(first + stay).start + moment;
            if at % every == 0 && ready.lessons.rows[at].event.is_some() {
                sampled.extend_from_slice(row);
            }
        });
        sampled
    })
    .concat();
    let width = features.len().max(1);
    let input = |at: usize| {
        let mut values: Vec<f32> = sample.iter().skip(at).step_by(width).copied().collect();
        let name = features[at].to_string();
        let mut distribution = Distribution::of(&mut values);
        words::widen(requires, &name, &mut distribution);
        // The reference is the middle patient; what most patients lack, it lacks too.
        let reference = (distribution.missing <= 0.5).then(|| values.get(values.len() / 2).copied()).flatten();
        Input { name, reference, distribution }
    };
    let columns: Vec<usize> = (0..features.len()).collect();
    spread(&columns, threads, |at| input(*at))
}

fn card(recipe: &Recipe, ready: &Ready, figures: &[evaluate::Figure]) -> Card {
    let words = words::of(recipe.id);
    let s = recipe.settings;
    let events = ready.lessons.rows.iter().filter(|lesson| lesson.event == Some(true)).count();
    let training = format!(
        "{} trees of at most {} leaves and {} levels, boosted with a rate of {}; {} patients, {} moments, {events} of them with the event \
         within the horizon.",
        s.trees * recipe.bags, s.leaves, s.depth, s.rate, ready.stays.len(), ready.lessons.rows.len(),
    );
    let figure = |figure: &evaluate::Figure| predict::model::Figure {
        name: if figure.of == recipe.id { figure.name.clone() } else { format!("{}: {}", figure.of, figure.name) },
        on: format!("patients of the training data by {FOLDS}-fold cross-validation: trees, calibration and threshold had not seen them"),
        group: (figure.on != "all").then(|| figure.on.clone()),
        patients: u32::try_from(figure.patients).unwrap_or(u32::MAX),
        value: round(figure.interval.value),
        low: Some(round(figure.interval.low)).filter(|low| low.is_finite()),
        high: Some(round(figure.interval.high)).filter(|high| high.is_finite()),
    };
    Card {
        data: words.data.to_owned(),
        command: format!("vitalwire model train --model {} --data {} --out {}.json", recipe.id, words.folders, recipe.id),
        training,
        figures: figures.iter().filter(|figure| figure.interval.value.is_finite()).map(figure).collect(),
        limits: words.limits.iter().map(|limit| (*limit).to_owned()).collect(),
    }
}

/// Four decimals are more than the intervals bear.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The file's text: a line for each part, a line for each input and tree, so that two versions can be compared.
///
/// # Errors
/// Numbers that JSON can't hold; a file that was made has none.
pub fn text(file: &File) -> Result<String, serde_json::Error> {
    use serde_json::to_string as json;
    let lines = |items: Result<Vec<String>, _>| -> Result<String, serde_json::Error> { Ok(items?.join(",\n  ")) };
    let mut text = String::from("{\n");
    for (name, value) in [
        ("format", json(&file.format)?),
        ("id", json(&file.id)?),
        ("version", json(&file.version)?),
        ("title", json(&file.title)?),
        ("outcome", json(&file.outcome)?),
        ("population", json(&file.population)?),
        ("intended_use", json(&file.intended_use)?),
        ("requires", json(&file.requires)?),
        ("calibration", json(&file.calibration)?),
        ("doubt", json(&file.doubt)?),
        ("thresholds", json(&file.thresholds)?),
        ("card", json(&file.card)?),
    ] {
        text.push_str(&format!(" \"{name}\": {value},\n"));
    }
    let features = lines(file.features.iter().map(json).collect())?;
    let trees = lines(file.forest.trees.iter().map(json).collect())?;
    text.push_str(&format!(" \"features\": [\n  {features}],\n"));
    text.push_str(&format!(" \"forest\": {{\"base\": {}, \"trees\": [\n  {trees}]}}\n}}\n", json(&file.forest.base)?));
    Ok(text)
}
