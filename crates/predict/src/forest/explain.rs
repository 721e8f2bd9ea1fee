//! Exact Shapley values of a forest against one reference row: how much each feature moved the log-odds from what they
//! would be for the reference.
//!
//! A feature is "in" when it has the row's value, else the reference's. A leaf is then reached when all features of its
//! path on which only the row fits are in (a of them) and all on which only the reference fits are out (b). Its value is
//! shared as `(a-1)! b! / (a+b)!` to each of the first and `-a! (b-1)! / (a+b)!` to each of the second (the Shapley
//! value of a conjunction; Lundberg and others, Nature Machine Intelligence 2 (2020) 56-67, "interventional" with one
//! background row). Shares of all leaves below a question are added on the way back up, so each node is visited once.

use super::flat::{Answers, Cell};
use super::{DEPTH_MAX, Flat};

const SIDE: usize = DEPTH_MAX + 1;

/// At `a * SIDE + b`: a leaf's share for each feature that is in, and for each that is out.
static SHARES: [(f64, f64); SIDE * SIDE] = shares();

const fn shares() -> [(f64, f64); SIDE * SIDE] {
    let mut factorial = [1.0; 2 * SIDE];
    let mut n = 1;
    while n < 2 * SIDE {
        factorial[n] = factorial[n - 1] * n as f64;
        n += 1;
    }
    let mut shares = [(0.0, 0.0); SIDE * SIDE];
    let mut at = 0;
    while at < SIDE * SIDE {
        let (a, b) = (at / SIDE, at % SIDE);
        if a > 0 {
            shares[at].0 = factorial[a - 1] * factorial[b] / factorial[a + b];
        }
        if b > 0 {
            shares[at].1 = -factorial[a] * factorial[b - 1] / factorial[a + b];
        }
        at += 1;
    }
    shares
}

/// Whose answer was taken to a feature's first question on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Taken {
    #[default]
    None,
    Own,
    Reference,
}

/// Room for explaining, used again and again.
#[derive(Debug, Clone, Default)]
pub struct Explainer {
    taken: Vec<Taken>,
    turns: Vec<Turn>,
}

/// A question whose answers differ: where the reference goes, and what was asked about.
#[derive(Debug, Clone, Copy)]
struct Turn {
    child: u16,
    feature: u16,
}

struct Walk<'a> {
    tree: &'a [Cell],
    row: &'a Answers,
    taken: &'a mut [Taken],
    turns: &'a mut Vec<Turn>,
    out: &'a mut [f64],
    /// What the row's own leaf says, once it is reached: the first of all.
    own: Option<f32>,
}

impl Explainer {
    /// How much each feature moved the log-odds of `row` away from the reference's, in `out` (overwritten), as wide as
    /// the forest. They sum up to the difference of the two margins, but for rounding. Returns the row's margin, the
    /// same to the bit as [`Flat::margin`].
    pub fn explain(&mut self, forest: &Flat, row: &Answers, out: &mut Vec<f64>) -> f64 {
        out.clear();
        out.resize(forest.width(), 0.0);
        self.taken.clear();
        self.taken.resize(forest.width(), Taken::None);
        self.turns.clear();
        forest.trees().fold(forest.base(), |sum, tree| {
            let mut walk = Walk { tree, row, taken: &mut self.taken, turns: &mut self.turns, out, own: None };
            walk.down(0, 0);
            sum + f64::from(walk.own.unwrap_or(0.0))
        })
    }
}

impl Walk<'_> {
    /// What the leaves below `at` give to each feature that is in, and to each that is out. `share` is where
    /// [`SHARES`] has those of the path so far. First down to the row's own leaf, then back up by way of the
    /// reference's answers.
    fn down(&mut self, mut at: usize, mut share: usize) -> (f64, f64) {
        let begun = self.turns.len();
        let mut cell = self.tree[at];
        while !cell.is_leaf() {
            let low = usize::from(cell.low);
            let (goes_low, reference_goes_low) = (cell.goes_low(self.row), cell.reference_goes_low());
            at = low + usize::from(!goes_low);
            if goes_low != reference_goes_low {
                let (child, feature) = (low + usize::from(goes_low), cell.feature());
                match self.taken[feature] {
                    Taken::Own => {}
                    Taken::Reference => at = child,
                    Taken::None => {
                        self.taken[feature] = Taken::Own;
                        self.turns.push(Turn { child: child as u16, feature: feature as u16 });
                        share += SIDE;
                    }
                }
            }
            cell = self.tree[at];
        }
        if self.own.is_none() {
            self.own = Some(cell.value);
        }
        let (value, (own, reference)) = (f64::from(cell.value), SHARES[share]);
        let mut sum = (value * own, value * reference);
        while self.turns.len() > begun {
            let Some(Turn { child, feature }) = self.turns.pop() else { break };
            let feature = usize::from(feature);
            share -= SIDE;
            self.taken[feature] = Taken::Reference;
            let without = self.down(usize::from(child), share + 1);
            self.taken[feature] = Taken::None;
            self.out[feature] += sum.0 + without.1;
            sum = (sum.0 + without.0, sum.1 + without.1);
        }
        sum
    }
}
