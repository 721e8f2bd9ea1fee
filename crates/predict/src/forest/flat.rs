//! A forest as inference wants it: all nodes in one list, eight bytes each, with the reference's answers beside ours.

use super::{Forest, Node, TreeError, WIDTH_MAX, Way};

/// A question or a leaf in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Threshold or leaf value.
    pub value: f32,
    /// Low 14 bits: the feature, or [`LEAF`]. Then whether the reference and whether a missing value go low.
    word: u16,
    /// The low child, counted from the tree's root; the high one is the next.
    pub low: u16,
}

const LEAF: u16 = 0x3fff;
const REFERENCE_LOW: u16 = 0x4000;
const MISSING_LOW: u16 = 0x8000;

const _: () = assert!(WIDTH_MAX < LEAF as usize, "a feature's number fits beside the two answers");

impl Cell {
    fn of(node: &Node, reference: &[f32]) -> Self {
        match *node {
            Node::Leaf { value } => Self { value, word: LEAF, low: 0 },
            Node::Split { feature, threshold, missing, low } => {
                let missing_bit = if missing == Way::Low { MISSING_LOW } else { 0 };
                let asked = Self { value: threshold, word: feature | missing_bit, low };
                let answer = asked.goes_low(reference[usize::from(feature)]);
                Self { word: asked.word | if answer { REFERENCE_LOW } else { 0 }, ..asked }
            }
        }
    }

    /// The feature asked about, none at a leaf.
    #[inline]
    pub const fn feature(self) -> Option<usize> {
        let feature = self.word & LEAF;
        if feature == LEAF { None } else { Some(feature as usize) }
    }

    #[inline]
    pub fn goes_low(self, value: f32) -> bool {
        value <= self.value || (value.is_nan() && self.word & MISSING_LOW != 0)
    }

    #[inline]
    pub const fn reference_goes_low(self) -> bool {
        self.word & REFERENCE_LOW != 0
    }
}

/// A checked forest with the row that explanations compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Flat {
    base: f64,
    reference_margin: f64,
    width: usize,
    cells: Vec<Cell>,
    /// Where each tree begins, and the end of the last.
    roots: Vec<u32>,
}

impl Flat {
    /// Of a forest and the reference row, as wide as rows will be.
    ///
    /// # Errors
    /// Which tree is broken, and how; also when it asks for more features than the reference has.
    pub fn new(forest: &Forest, reference: &[f32]) -> Result<Self, TreeError> {
        forest.check()?;
        if let Some(tree) = forest.trees.iter().position(|tree| tree.width() > reference.len()) {
            return Err(TreeError { tree, what: "asks about a feature that the model does not list" });
        }
        let mut cells = Vec::new();
        let mut roots = vec![0];
        for tree in &forest.trees {
            cells.extend(tree.nodes.iter().map(|node| Cell::of(node, reference)));
            roots.push(cells.len() as u32);
        }
        let reference_margin = forest.margin(reference);
        Ok(Self { base: forest.base, reference_margin, width: reference.len(), cells, roots })
    }

    /// Features of a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Log-odds of the reference row.
    #[must_use]
    pub const fn reference_margin(&self) -> f64 {
        self.reference_margin
    }

    /// Log-odds of a row of [`Flat::width`] features, the same to the bit as [`Forest::margin`].
    #[must_use]
    pub fn margin(&self, row: &[f32]) -> f64 {
        self.trees().fold(self.base, |sum, tree| {
            let mut cell = tree[0];
            while let Some(feature) = cell.feature() {
                cell = tree[usize::from(cell.low) + usize::from(!cell.goes_low(row[feature]))];
            }
            sum + f64::from(cell.value)
        })
    }

    pub(super) fn trees(&self) -> impl Iterator<Item = &[Cell]> {
        self.roots.windows(2).map(|ends| &self.cells[ends[0] as usize..ends[1] as usize])
    }
}
