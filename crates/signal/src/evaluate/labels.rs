//! Classification of whole records, as in the PhysioNet/CinC Challenge 2017: each record has one label,
//! and each label its F1, `2·right / (reference + found)`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of records by reference label and found label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    counts: BTreeMap<(String, String), u64>,
}

impl Labels {
    /// Counts a record.
    pub fn count(&mut self, reference: &str, found: &str) {
        *self.counts.entry((reference.to_owned(), found.to_owned())).or_default() += 1;
    }

    /// How many records of `reference` were called `found`.
    #[must_use]
    pub fn get(&self, reference: &str, found: &str) -> u64 {
        self.counts.get(&(reference.to_owned(), found.to_owned())).copied().unwrap_or(0)
    }

    /// All labels, in alphabetical order.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.counts.keys().flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
        all.sort();
        all.dedup();
        all
    }

    /// How many records have the label by reference, and how many by what was found.
    #[must_use]
    pub fn totals(&self, label: &str) -> (u64, u64) {
        let mut totals = (0, 0);
        for ((reference, found), count) in &self.counts {
            totals.0 += if reference == label { *count } else { 0 };
            totals.1 += if found == label { *count } else { 0 };
        }
        totals
    }

    /// F1 of a label, none if no record has it.
    #[must_use]
    pub fn f1(&self, label: &str) -> Option<f64> {
        let (reference, found) = self.totals(label);
        (reference + found > 0).then(|| 2.0 * self.get(label, label) as f64 / (reference + found) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_of_each_label() {
        let mut labels = Labels::default();
        for (reference, found) in [("A", "A"), ("A", "N"), ("N", "N"), ("N", "N"), ("~", "A")] {
            labels.count(reference, found);
        }
        assert_eq!(labels.labels(), ["A", "N", "~"]);
        assert_eq!(labels.totals("A"), (2, 2));
        assert_eq!(labels.f1("A"), Some(0.5));
        assert_eq!(labels.f1("N"), Some(0.8));
        assert_eq!(labels.f1("~"), Some(0.0));
        assert_eq!(labels.f1("O"), None);
    }
}
