//! One tree: questions about single features, a value at each leaf.

use serde::{Deserialize, Serialize};

/// Levels of questions at most.
pub const DEPTH_MAX: usize = 16;
/// Nodes of one tree at most.
pub const NODES_MAX: usize = 16_384;
/// Features that a row has at most.
pub const WIDTH_MAX: usize = 4_096;

/// Where a question sends those whose value is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// To the child for values at most the threshold.
    Low,
    /// To the child for values above it.
    High,
}

/// A question or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// Is this feature at most so much?
    Split {
        /// Which feature of the row.
        feature: u16,
        /// Values at most this go low.
        threshold: f32,
        /// Where a missing value goes.
        missing: Way,
        /// The child for low values; that for high values is the next one.
        low: u16,
    },
    /// What is added to the log-odds.
    Leaf {
        /// Log-odds.
        value: f32,
    },
}

/// Nodes by number; the first is the root.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Columns", into = "Columns")]
pub struct Tree {
    /// The nodes. A child's number is above its parent's.
    pub nodes: Vec<Node>,
}

/// A tree as it is written: one list for each part of the nodes, as long as there are nodes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    /// The feature asked about; -1 at a leaf.
    feature: Vec<i32>,
    /// The threshold, or the leaf's log-odds.
    value: Vec<f32>,
    /// 1 where a missing value goes low.
    missing: Vec<u8>,
    /// The child for low values, 0 at a leaf.
    low: Vec<u16>,
}

impl From<Tree> for Columns {
    fn from(tree: Tree) -> Self {
        let mut columns = Self { feature: Vec::new(), value: Vec::new(), missing: Vec::new(), low: Vec::new() };
        for node in tree.nodes {
            let (feature, value, missing, low) = match node {
                Node::Split { feature, threshold, missing, low } => {
                    (i32::from(feature), threshold, u8::from(missing == Way::Low), low)
                }
                Node::Leaf { value } => (-1, value, 0, 0),
            };
            columns.feature.push(feature);
            columns.value.push(value);
            columns.missing.push(missing);
            columns.low.push(low);
        }
        columns
    }
}

impl TryFrom<Columns> for Tree {
    type Error = &'static str;

    fn try_from(columns: Columns) -> Result<Self, &'static str> {
        let Columns { feature, value, missing, low } = columns;
        if [value.len(), missing.len(), low.len()].iter().any(|length| *length != feature.len()) {
            return Err("the lists of a tree are not of one length");
        }
        let node = |at: usize| match feature[at] {
            -1 => Ok(Node::Leaf { value: value[at] }),
            number => Ok(Node::Split {
                feature: u16::try_from(number).map_err(|_| "a feature's number of a tree is no number of a feature")?,
                threshold: value[at],
                missing: if missing[at] == 1 { Way::Low } else { Way::High },
                low: low[at],
            }),
        };
        let nodes: Result<_, &'static str> = (0..feature.len()).map(node).collect();
        Ok(Self { nodes: nodes? })
    }
}

/// Why trees of a file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tree {tree} of the model {what}; take the file as `vitalwire model train` wrote it")]
pub struct TreeError {
    /// The tree's number, from 0.
    pub tree: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Tree {
    /// What this tree adds for a row.
    #[must_use]
    pub fn value(&self, row: &[f32]) -> f32 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { value } => return value,
                Node::Split { feature, threshold, missing, low } => {
                    let goes = goes_low(row[usize::from(feature)], threshold, missing);
                    at = usize::from(low) + usize::from(!goes);
                }
            }
        }
    }

    pub(super) fn width(&self) -> usize {
        let of = |node: &Node| if let Node::Split { feature, .. } = node { usize::from(*feature) + 1 } else { 0 };
        self.nodes.iter().map(of).max().unwrap_or(0)
    }

    pub(super) fn check(&self, tree: usize) -> Result<(), TreeError> {
        let wrong = |what| Err(TreeError { tree, what });
        if self.nodes.is_empty() || self.nodes.len() > NODES_MAX {
            return wrong("has no nodes, or more than 16,384");
        }
        let mut depth = vec![usize::MAX; self.nodes.len()];
        depth[0] = 0;
        for (number, node) in self.nodes.iter().enumerate() {
            if depth[number] == usize::MAX {
                return wrong("has a node that no question leads to");
            }
            let (Node::Leaf { value } | Node::Split { threshold: value, .. }) = *node;
            if !value.is_finite() {
                return wrong("has a threshold or leaf that is not a number");
            }
            if let Node::Split { feature, low, .. } = *node {
                let low = usize::from(low);
                if low <= number || low + 1 >= self.nodes.len() {
                    return wrong("has a child that does not stand behind its parent");
                }
                if depth[number] == DEPTH_MAX {
                    return wrong("asks more than 16 questions in a row");
                }
                if usize::from(feature) >= WIDTH_MAX {
                    return wrong("asks about a feature beyond the 4,096th");
                }
                for child in [low, low + 1] {
                    if depth[child] != usize::MAX {
                        return wrong("has a child with two parents");
                    }
                    depth[child] = depth[number] + 1;
                }
            }
        }
        Ok(())
    }
}

/// Whether a value goes to the low child.
#[inline]
fn goes_low(value: f32, threshold: f32, missing: Way) -> bool {
    if value.is_nan() { missing == Way::Low } else { value <= threshold }
}
