//! Features of all moments of all stays, in bins.

use std::ops::Range;

use predict::feature::{Feature, Plan, Windows};

use crate::cohort::{Stay, spread};
use crate::grow::{Bins, Table};

/// Rows that bins are made from, about.
const SAMPLE_ROWS: usize = 150_000;
/// Stays that are taken as one piece of work.
const PIECE: usize = 500;

/// A row for each moment of each stay.
#[derive(Debug, Clone)]
pub struct Grid {
    /// What the columns are.
    pub features: Vec<Feature>,
    /// The rows, stay by stay.
    pub table: Table,
    starts: Vec<usize>,
}

impl Grid {
    /// Computes the features of all stays by the code that the bedside uses ([`Plan::fill`]). Ends of bins are taken from
    /// an even sample of moments, of whose outcome nothing is known here.
    #[must_use]
    pub fn new(stays: &[Stay], features: Vec<Feature>, threads: usize) -> Self {
        let plan = Plan::of(features.clone());
        let mut starts = vec![0];
        for stay in stays {
            starts.push(starts[starts.len() - 1] + stay.moments.len());
        }
        let rows = starts[starts.len() - 1];
        let every = rows.div_ceil(SAMPLE_ROWS).max(1);
        let pieces: Vec<(&[Stay], usize)> = stays.chunks(PIECE).zip((0..).step_by(PIECE)).collect();
        let sample: Vec<f32> = spread(&pieces, threads, |(stays, first)| {
            let mut sampled = Vec::new();
            fill(&plan, stays, |stay, moment, row| {
                if (starts[first + stay] + moment) % every == 0 {
                    sampled.extend_from_slice(row);
                }
            });
            sampled
        })
        .concat();
        let columns: Vec<usize> = (0..features.len()).collect();
        let width = features.len().max(1);
        let bins = spread(&columns, threads, |at| Bins::of(sample.iter().skip(*at).step_by(width).copied()));
        drop(sample);
        let parts = spread(&pieces, threads, |(stays, _)| {
            let mut table = Table::new(bins.clone());
            fill(&plan, stays, |_, _, row| table.push(row));
            table
        });
        let mut table = Table::new(bins);
        parts.into_iter().for_each(|part| table.append(part));
        Self { features, table, starts }
    }

    /// The rows of a stay.
    #[must_use]
    pub fn rows(&self, stay: usize) -> Range<usize> {
        self.starts[stay]..self.starts[stay + 1]
    }

    /// How many stays.
    #[must_use]
    pub fn stays(&self) -> usize {
        self.starts.len() - 1
    }
}

/// Replays stays and gives stay, moment and features of each moment.
pub(crate) fn fill(plan: &Plan, stays: &[Stay], mut put: impl FnMut(usize, usize, &[f32])) {
    let (mut room, mut row) = (Windows::default(), Vec::new());
    for (number, stay) in stays.iter().enumerate() {
        stay.replay(|moment, history| {
            plan.fill(history, &mut room, &mut row);
            put(number, moment, &row);
        });
    }
}
