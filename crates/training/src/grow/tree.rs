//! One tree: the leaf whose split gains most is split next.

use super::table::BINS;
use super::{Settings, Table};

/// A question (does the row's bin come at most at `bin`?) or, without children, a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// The feature asked about.
    pub feature: u16,
    /// The last bin that goes low.
    pub bin: u8,
    /// Whether a missing value goes low.
    pub missing_low: bool,
    /// The children for low and high; 0 for a leaf, since the root is nobody's child.
    pub children: [u16; 2],
    /// What a leaf adds to the log-odds.
    pub value: f32,
}

/// A tree's nodes; the first is the root, children come after their parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown(pub Vec<Node>);

impl Grown {
    /// What the tree adds for a row of the table.
    #[must_use]
    pub fn value(&self, table: &Table, row: usize) -> f32 {
        let mut node = &self.0[0];
        while node.children[0] != 0 {
            let bin = table.column(usize::from(node.feature))[row];
            let low = if bin == 0 { node.missing_low } else { bin <= node.bin };
            node = &self.0[usize::from(node.children[usize::from(!low)])];
        }
        node.value
    }
}

/// Sums of first and second derivatives.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    gradient: f64,
    curve: f64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.curve += other.curve;
    }

    fn less(self, other: Self) -> Self {
        Self { gradient: self.gradient - other.gradient, curve: self.curve - other.curve }
    }

    fn score(self, lambda: f64) -> f64 {
        self.gradient * self.gradient / (self.curve + lambda)
    }
}

#[derive(Debug, Clone, Copy)]
struct Split {
    gain: f64,
    /// Which of the features seen.
    at: usize,
    bin: u8,
    missing_low: bool,
}

struct Leaf {
    node: usize,
    depth: usize,
    rows: Vec<u32>,
    slopes: Vec<[f32; 2]>,
    sum: Sum,
    histogram: Vec<Sum>,
    best: Option<Split>,
}

struct Grower<'a> {
    table: &'a Table,
    features: &'a [u16],
    settings: &'a Settings,
    threads: usize,
}

/// Grows one tree on these rows, with the derivatives of their loss, and these features.
pub(super) fn grow(
    table: &Table,
    rows: Vec<u32>,
    slopes: Vec<[f32; 2]>,
    features: &[u16],
    settings: &Settings,
    threads: usize,
) -> Grown {
    let grower = Grower { table, features, settings, threads };
    let mut sum = Sum::default();
    for slope in &slopes {
        sum.add(Sum { gradient: slope[0].into(), curve: slope[1].into() });
    }
    let mut nodes = vec![grower.leaf(sum)];
    let histogram = grower.histogram(&rows, &slopes);
    let best = grower.best(&histogram, sum);
    let mut leaves = vec![Leaf { node: 0, depth: 0, rows, slopes, sum, histogram, best }];
    for count in 2..=settings.leaves {
        // The first of the best, so that the order of leaves decides and not chance.
        let gains = leaves.iter().enumerate().filter_map(|(at, leaf)| leaf.best.map(|best| (at, best.gain)));
        let best = gains.reduce(|top, one| if one.1 > top.1 { one } else { top });
        let Some((at, _)) = best else { break };
        let leaf = leaves.swap_remove(at);
        leaves.extend(grower.split(leaf, &mut nodes, count == settings.leaves));
    }
    Grown(nodes)
}

impl Grower<'_> {
    #[allow(clippy::cast_possible_truncation, reason = "leaf values are kept in single precision")]
    fn leaf(&self, sum: Sum) -> Node {
        let value = -sum.gradient / (sum.curve + self.settings.lambda) * self.settings.rate;
        Node { feature: 0, bin: 0, missing_low: false, children: [0, 0], value: value as f32 }
    }

    /// Splits a leaf where it is best split. The last split of a tree needs no histograms for further ones.
    #[allow(clippy::cast_possible_truncation, reason = "a tree has far fewer than 2¹⁶ nodes")]
    fn split(&self, leaf: Leaf, nodes: &mut Vec<Node>, last: bool) -> Vec<Leaf> {
        let Some(split) = leaf.best else { return vec![leaf] };
        let feature = self.features[split.at];
        let column = self.table.column(usize::from(feature));
        let mut rows = [Vec::new(), Vec::new()];
        let mut slopes = [Vec::new(), Vec::new()];
        for (row, slope) in leaf.rows.iter().zip(&leaf.slopes) {
            let bin = column[*row as usize];
            let low = if bin == 0 { split.missing_low } else { bin <= split.bin };
            rows[usize::from(!low)].push(*row);
            slopes[usize::from(!low)].push(*slope);
        }
        let own = &leaf.histogram[split.at * BINS..(split.at + 1) * BINS];
        let mut low = if split.missing_low { own[0] } else { Sum::default() };
        own[1..=usize::from(split.bin)].iter().for_each(|part| low.add(*part));
        let sums = [low, leaf.sum.less(low)];
        let depth = leaf.depth + 1;
        let deeper = depth < self.settings.depth && !last;
        let mut histograms = [Vec::new(), Vec::new()];
        if deeper {
            // The smaller child is summed, the larger is what remains of the parent.
            let small = usize::from(rows[1].len() < rows[0].len());
            histograms[small] = self.histogram(&rows[small], &slopes[small]);
            histograms[1 - small] = leaf.histogram.iter().zip(&histograms[small]).map(|(all, part)| all.less(*part)).collect();
        }
        let first = nodes.len() as u16;
        nodes[leaf.node] =
            Node { feature, bin: split.bin, missing_low: split.missing_low, children: [first, first + 1], value: 0.0 };
        let mut leaves = Vec::new();
        for (child, ((rows, slopes), (sum, histogram))) in rows.into_iter().zip(slopes).zip(sums.into_iter().zip(histograms)).enumerate() {
            nodes.push(self.leaf(sum));
            let best = if deeper { self.best(&histogram, sum) } else { None };
            leaves.push(Leaf { node: usize::from(first) + child, depth, rows, slopes, sum, histogram, best });
        }
        leaves
    }

    fn histogram(&self, rows: &[u32], slopes: &[[f32; 2]]) -> Vec<Sum> {
        let mut all = vec![Sum::default(); self.features.len() * BINS];
        let fill = |features: &[u16], part: &mut [Sum]| {
            for (feature, sums) in features.iter().zip(part.chunks_mut(BINS)) {
                let column = self.table.column(usize::from(*feature));
                for (row, slope) in rows.iter().zip(slopes) {
                    let sum = &mut sums[usize::from(column[*row as usize])];
                    sum.gradient += f64::from(slope[0]);
                    sum.curve += f64::from(slope[1]);
                }
            }
        };
        // A thread costs more than a small leaf.
        if self.threads < 2 || rows.len() < 4_000 {
            fill(self.features, &mut all);
        } else {
            let share = self.features.len().div_ceil(self.threads).max(1);
            let fill = &fill;
            std::thread::scope(|scope| {
                for (features, part) in self.features.chunks(share).zip(all.chunks_mut(share * BINS)) {
                    scope.spawn(move || fill(features, part));
                }
            });
        }
        all
    }

    #[allow(clippy::cast_possible_truncation, reason = "there are fewer than 128 bins")]
    fn best(&self, histogram: &[Sum], sum: Sum) -> Option<Split> {
        let Settings { lambda, child, .. } = *self.settings;
        let whole = sum.score(lambda);
        let mut best: Option<Split> = None;
        for (at, (feature, own)) in self.features.iter().zip(histogram.chunks(BINS)).enumerate() {
            let last = self.table.bins(usize::from(*feature)).ends.len() + 1;
            for missing_low in [true, false] {
                let mut low = if missing_low { own[0] } else { Sum::default() };
                for (bin, part) in own.iter().enumerate().take(last + 1).skip(1) {
                    low.add(*part);
                    let high = sum.less(low);
                    if low.curve < child || high.curve < child || (bin == last && missing_low) {
                        continue;
                    }
                    let gain = low.score(lambda) + high.score(lambda) - whole;
                    if gain > 1e-9 && best.is_none_or(|best| gain > best.gain) {
                        best = Some(Split { gain, at, bin: bin as u8, missing_low });
                    }
                }
            }
        }
        best
    }
}
