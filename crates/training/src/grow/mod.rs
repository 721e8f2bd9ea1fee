//! Growing a forest: gradient boosting of histogram trees (Friedman, Ann Stat 29 (2001) 1189; Chen and Guestrin, KDD
//! 2016; Ke and others, NIPS 2017) for the logistic loss with weights.
//!
//! The same rows, settings and seed give the same trees, bit for bit, on any number of threads: each feature's
//! histogram is summed by one thread in the order of the rows, and exp and ln come from `libm`.

mod table;
mod tree;

pub use table::{Bins, Table};
pub use tree::{Grown, Node};

use crate::draw::Draw;

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Trees.
    pub trees: usize,
    /// Share of a tree's advice that is taken.
    pub rate: f64,
    /// Deepest path of a tree.
    pub depth: usize,
    /// Leaves of a tree at most.
    pub leaves: usize,
    /// L2 penalty of leaf values.
    pub lambda: f64,
    /// Least sum of second derivatives in a leaf.
    pub child: f64,
    /// Share of features each tree sees.
    pub features: f64,
    /// What the draws of rows and features come from.
    pub seed: u64,
}

/// What a row teaches.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Example {
    /// Whether it happened.
    pub event: bool,
    /// How much it matters.
    pub weight: f32,
    /// Share of trees that see the row, 0 to 1; what they see counts as much more as they see it more seldom. Rows
    /// with 0 teach nothing.
    pub keep: f32,
}

/// A forest, and its log-odds for every row of the table, also for those that taught nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// Log-odds that every row starts from.
    pub base: f64,
    /// The trees.
    pub trees: Vec<Grown>,
    /// Log-odds by row.
    pub margins: Vec<f64>,
}

/// Grows a forest with the features of the table that `allowed` names. `told` hears how many trees are done.
pub fn grow(
    table: &Table,
    examples: &[Example],
    allowed: &[u16],
    settings: &Settings,
    threads: usize,
    mut told: impl FnMut(usize),
) -> Forest {
    let base = base(examples);
    let mut forest = Forest { base, trees: Vec::new(), margins: vec![base; table.rows()] };
    let mut draw = Draw::new(settings.seed);
    for number in 1..=settings.trees {
        let (rows, slopes) = seen(examples, &forest.margins, &mut draw);
        let features: Vec<u16> = allowed.iter().copied().filter(|_| draw.unit() < settings.features).collect();
        let tree = tree::grow(table, rows, slopes, &features, settings, threads);
        add(table, &tree, &mut forest.margins, threads);
        forest.trees.push(tree);
        told(number);
    }
    forest
}

/// Log-odds of an event over all examples.
fn base(examples: &[Example]) -> f64 {
    let (mut all, mut events) = (0.0, 0.0);
    for example in examples.iter().filter(|example| example.keep > 0.0) {
        all += f64::from(example.weight);
        if example.event {
            events += f64::from(example.weight);
        }
    }
    let share = (events / all).clamp(1e-9, 1.0 - 1e-9);
    libm::log(share / (1.0 - share))
}

/// The rows that the next tree sees, with first and second derivatives of their loss.
#[allow(clippy::cast_possible_truncation, reason = "fewer than 2³² rows; derivatives need no more than 24 bits")]
fn seen(examples: &[Example], margins: &[f64], draw: &mut Draw) -> (Vec<u32>, Vec<[f32; 2]>) {
    let (mut rows, mut slopes) = (Vec::new(), Vec::new());
    for (at, example) in examples.iter().enumerate().filter(|(_, example)| example.keep > 0.0) {
        if draw.unit() < f64::from(example.keep) {
            let p = 1.0 / (1.0 + libm::exp(-margins[at]));
            let weight = f64::from(example.weight / example.keep);
            rows.push(at as u32);
            slopes.push([(weight * (p - f64::from(u8::from(example.event)))) as f32, (weight * p * (1.0 - p)) as f32]);
        }
    }
    (rows, slopes)
}

/// Adds what a tree says to the log-odds of each row.
fn add(table: &Table, tree: &Grown, margins: &mut [f64], threads: usize) {
    let share = margins.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        for (part, margins) in margins.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                for (at, margin) in margins.iter_mut().enumerate() {
                    *margin += f64::from(tree.value(table, part * share + at));
                }
            });
        }
    });
}

#[cfg(test)]
mod tests;
