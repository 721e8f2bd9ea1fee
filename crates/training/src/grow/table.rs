//! Features as small numbers: each value falls into one of at most 126 bins of about equal counts; 0 is a missing value.

/// Bins of one feature, the missing one among them, at most.
pub(super) const BINS: usize = 128;

/// Where the bins of one feature end.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// Upper ends; a value belongs to the first bin whose end is not below it. The last bin has no end.
    pub ends: Vec<f32>,
}

impl Bins {
    /// Bins of about equal counts for these values; NaN are left out.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f32>) -> Self {
        let most = BINS - 2;
        let mut sorted: Vec<f32> = values.filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        if distinct.len() <= most {
            return Self { ends: distinct.windows(2).map(|two| middle(two[0], two[1])).collect() };
        }
        let mut ends: Vec<f32> = Vec::new();
        for part in 1..most {
            let at = part * sorted.len() / most;
            let end = middle(sorted[at - 1], sorted[at]);
            if ends.last().is_none_or(|last| *last < end) {
                ends.push(end);
            }
        }
        Self { ends }
    }

    /// The bin of a value, 0 for a missing one.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "there are fewer than 128 bins")]
    pub fn bin(&self, value: f32) -> u8 {
        if value.is_nan() { 0 } else { (self.ends.partition_point(|end| *end < value) + 1) as u8 }
    }
}

/// A number from `low` up to, not including, `high`; `low` itself where they are the same or neighbours.
fn middle(low: f32, high: f32) -> f32 {
    let middle = low + (high - low) / 2.0;
    if middle < high { middle } else { low }
}

/// Rows of features in bins, one column after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    bins: Vec<Bins>,
    columns: Vec<Vec<u8>>,
    rows: usize,
}

impl Table {
    /// An empty table for these bins.
    #[must_use]
    pub fn new(bins: Vec<Bins>) -> Self {
        let columns = vec![Vec::new(); bins.len()];
        Self { bins, columns, rows: 0 }
    }

    /// Adds one row of features, as many as there are bins.
    pub fn push(&mut self, row: &[f32]) {
        for ((bins, column), value) in self.bins.iter().zip(&mut self.columns).zip(row) {
            column.push(bins.bin(*value));
        }
        self.rows += 1;
    }

    /// Adds the rows of another table with the same bins.
    pub fn append(&mut self, mut other: Self) {
        for (own, others) in self.columns.iter_mut().zip(&mut other.columns) {
            own.append(others);
        }
        self.rows += other.rows;
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The bins of a feature.
    #[must_use]
    pub fn bins(&self, feature: usize) -> &Bins {
        &self.bins[feature]
    }

    /// The bin of each row for a feature.
    #[must_use]
    pub fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_share() {
        let few = Bins::of([3.0, 1.0, f32::NAN, 1.0, 2.0].into_iter());
        assert_eq!(few.ends, [1.5, 2.5]);
        assert_eq!([f32::NAN, -9.0, 1.0, 2.0, 99.0].map(|value| few.bin(value)), [0, 1, 1, 2, 3]);
        let many = Bins::of((0..10_000u16).map(f32::from));
        assert_eq!(many.ends.len(), BINS - 3);
        assert!(many.bin(f32::INFINITY) < 128);
    }

    #[test]
    fn the_bin_says_on_which_side_of_an_end_a_value_is() {
        let bins = Bins::of((0..500u16).map(|value| f32::from(value % 77) * 0.1));
        for value in (0..100).map(|tenth| tenth as f32 * 0.08) {
            for (at, end) in bins.ends.iter().enumerate() {
                assert_eq!(usize::from(bins.bin(value)) <= at + 1, value <= *end);
            }
        }
    }
}
