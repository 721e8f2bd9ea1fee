//! Boosted decision trees: how they are kept, what they say of a row, and why. Not how they are grown.

mod explain;
mod flat;
mod tree;

pub use explain::Explainer;
pub use flat::{Answers, Flat};
pub use tree::{DEPTH_MAX, NODES_MAX, Node, Tree, TreeError, WIDTH_MAX, Way};

use serde::{Deserialize, Serialize};

/// Trees of a forest at most.
pub const TREES_MAX: usize = 4_096;

/// A sum of trees: the log-odds of the event, before any calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forest {
    /// Log-odds that every row starts from.
    pub base: f64,
    /// The trees, in the order in which they were grown.
    pub trees: Vec<Tree>,
}

impl Forest {
    /// Log-odds of one row of features; a missing value is NaN. The row must have as many features as
    /// [`Forest::width`] asks.
    #[must_use]
    pub fn margin(&self, row: &[f32]) -> f64 {
        self.trees.iter().fold(self.base, |sum, tree| sum + f64::from(tree.value(row)))
    }

    /// How many features a row must have at least.
    #[must_use]
    pub fn width(&self) -> usize {
        self.trees.iter().map(Tree::width).max().unwrap_or(0)
    }

    /// Checks trees that came from a file: every node has one parent before it, numbers are finite, limits are kept.
    ///
    /// # Errors
    /// Which tree is broken, and how.
    pub fn check(&self) -> Result<(), TreeError> {
        if self.trees.len() > TREES_MAX || !self.base.is_finite() {
            let what = "makes more than 4,096, or the base is not a number";
            return Err(TreeError { tree: self.trees.len(), what });
        }
        self.trees.iter().enumerate().try_for_each(|(number, tree)| tree.check(number))
    }
}
