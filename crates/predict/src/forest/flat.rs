//! A forest as inference wants it: all nodes in one list, eight bytes each, with the reference's answers beside ours.

use super::{Forest, Node, TreeError, WIDTH_MAX, Way};

/// A question or a leaf in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Threshold or leaf value.
    pub value: f32,
    /// Low 13 bits: where the question's answer stands in [`Answers`]. Then whether it is a leaf, and whether the
    /// reference goes low.
    word: u16,
    /// The low child, counted from the tree's root; the high one is the next.
    pub low: u16,
}

const PLACE: u16 = 0x1fff;
const LEAF: u16 = 0x4000;
const REFERENCE_LOW: u16 = 0x8000;

const _: () = assert!(2 * WIDTH_MAX == PLACE as usize + 1, "places of all features fit beside the two marks");

impl Cell {
    fn of(node: &Node, reference: &Answers) -> Self {
        match *node {
            Node::Leaf { value } => Self { value, word: LEAF, low: 0 },
            Node::Split { feature, threshold, missing, low } => {
                let asked = Self { value: threshold, word: 2 * feature + u16::from(missing == Way::High), low };
                let answer = asked.goes_low(reference);
                Self { word: asked.word | if answer { REFERENCE_LOW } else { 0 }, ..asked }
            }
        }
    }

    #[inline]
    pub const fn is_leaf(self) -> bool {
        self.word & LEAF != 0
    }

    /// The feature asked about.
    #[inline]
    pub const fn feature(self) -> usize {
        (self.word & PLACE) as usize / 2
    }

    #[inline]
    pub fn goes_low(self, answers: &Answers) -> bool {
        answers.0[usize::from(self.word & PLACE)] <= self.value
    }

    #[inline]
    pub const fn reference_goes_low(self) -> bool {
        self.word & REFERENCE_LOW != 0
    }
}

/// A row of features, each twice: for questions where what is missing goes low, and for those where it goes high.
/// Infinities stand for what is missing, so that a question is one comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers(Vec<f32>);

impl Answers {
    /// Takes another row.
    pub fn fill(&mut self, row: &[f32]) {
        self.0.clear();
        let twice = |value: &f32| if value.is_nan() { [f32::NEG_INFINITY, f32::INFINITY] } else { [*value, *value] };
        self.0.extend(row.iter().flat_map(twice));
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
        let mut answers = Answers::default();
        answers.fill(reference);
        for tree in &forest.trees {
            cells.extend(tree.nodes.iter().map(|node| Cell::of(node, &answers)));
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

    /// Log-odds that every row starts from.
    pub(super) const fn base(&self) -> f64 {
        self.base
    }

    /// Log-odds of a row of [`Flat::width`] features, the same to the bit as [`Forest::margin`].
    #[must_use]
    pub fn margin(&self, row: &Answers) -> f64 {
        self.trees().fold(self.base, |sum, tree| {
            let mut cell = tree[0];
            while !cell.is_leaf() {
                cell = tree[usize::from(cell.low) + usize::from(!cell.goes_low(row))];
            }
            sum + f64::from(cell.value)
        })
    }

    pub(super) fn trees(&self) -> impl Iterator<Item = &[Cell]> {
        self.roots.windows(2).map(|ends| &self.cells[ends[0] as usize..ends[1] as usize])
    }
}
