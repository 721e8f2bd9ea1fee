//! Forests for a task: one for each part of the patients, grown on the others, and one of all.

use crate::cohort::Stay;
use crate::draw::Draw;
use crate::grid::Grid;
use crate::grow::{Example, Forest, Grown, grow};
use crate::outcome::{Lesson, Task};
use crate::recipe::Recipe;

/// Parts that patients are divided into for cross-validation, by a hash of their names.
pub const FOLDS: usize = 5;

/// A task's stays: lessons and fold by row.
#[derive(Debug, Clone)]
pub struct Lessons {
    /// One a row of the grid.
    pub rows: Vec<Lesson>,
    /// The stay of each row.
    pub stays: Vec<u32>,
    /// The fold of each stay.
    pub folds: Vec<usize>,
    /// Whether the event ever comes in a stay.
    eventful: Vec<bool>,
}

impl Lessons {
    /// Of these stays, in their order; none if one is of another data set than the task needs.
    #[must_use]
    pub fn new(task: Task, stays: &[Stay]) -> Option<Self> {
        let mut all = Self { rows: Vec::new(), stays: Vec::new(), folds: Vec::new(), eventful: Vec::new() };
        for (number, stay) in stays.iter().enumerate() {
            let lessons = task.lessons(stay)?;
            all.eventful.push(lessons.iter().any(|lesson| lesson.event == Some(true)));
            all.stays.extend(lessons.iter().map(|_| number as u32));
            all.rows.extend(lessons);
            all.folds.push(stay.fold(FOLDS));
        }
        Some(all)
    }

    /// The fold that a row's patient belongs to.
    #[must_use]
    pub fn fold(&self, row: usize) -> usize {
        self.folds[self.stays[row] as usize]
    }

    /// What the rows teach of the patients that `taught` names.
    fn examples(&self, recipe: &Recipe, taught: impl Fn(usize) -> bool) -> Vec<Example> {
        let example = |(lesson, stay): (&Lesson, &u32)| {
            let stay = *stay as usize;
            let keep = if lesson.weight <= 0.0 || !taught(stay) {
                0.0
            } else if self.eventful[stay] {
                recipe.keep_eventful
            } else {
                recipe.keep_others
            };
            Example { event: lesson.alarm, weight: lesson.weight, keep }
        };
        self.rows.iter().zip(&self.stays).map(example).collect()
    }
}

/// Log-odds of each row by a forest that has not seen its patient. `told` hears of trees grown and trees in all.
pub fn out_of_fold(grid: &Grid, lessons: &Lessons, recipe: &Recipe, threads: usize, mut told: impl FnMut(usize, usize)) -> Vec<f64> {
    let mut margins = vec![f64::NAN; lessons.rows.len()];
    let each = recipe.settings.trees * recipe.bags;
    for fold in 0..FOLDS {
        let forest = forest(grid, lessons, recipe, threads, |stay| lessons.folds[stay] != fold, |done| told(fold * each + done, FOLDS * each));
        for (row, margin) in margins.iter_mut().enumerate().filter(|(row, _)| lessons.fold(*row) == fold) {
            *margin = forest.margins[row];
        }
    }
    margins
}

/// A forest grown on the patients that `taught` names: as many as the recipe has bags, each with a seed of its own, and
/// their mean taken.
pub fn forest(
    grid: &Grid,
    lessons: &Lessons,
    recipe: &Recipe,
    threads: usize,
    taught: impl Fn(usize) -> bool,
    mut told: impl FnMut(usize),
) -> Forest {
    let examples = lessons.examples(recipe, taught);
    let allowed: Vec<u16> = (0..grid.features.len() as u16).collect();
    let mut seeds = Draw::new(recipe.settings.seed);
    let mut whole: Option<Forest> = None;
    for bag in 0..recipe.bags {
        let settings = crate::grow::Settings { seed: seeds.bits(), ..recipe.settings };
        let one = grow(&grid.table, &examples, &allowed, &settings, threads, |done| told(bag * settings.trees + done));
        match &mut whole {
            None => whole = Some(one),
            Some(whole) => {
                whole.trees.extend(one.trees);
                whole.margins.iter_mut().zip(one.margins).for_each(|(sum, margin)| *sum += margin);
            }
        }
    }
    let mut whole = whole.unwrap_or_else(|| Forest { base: 0.0, trees: Vec::new(), margins: vec![0.0; grid.table.rows()] });
    if recipe.bags > 1 {
        average(&mut whole, recipe.bags as f64);
    }
    whole
}

/// Each bag counts its share.
fn average(forest: &mut Forest, bags: f64) {
    forest.margins.iter_mut().for_each(|margin| *margin /= bags);
    for Grown(nodes) in &mut forest.trees {
        for node in nodes {
            node.value = (f64::from(node.value) / bags) as f32;
        }
    }
}
