//! How well scores tell those to whom it happens from the others: areas under the receiver operating characteristic and
//! under precision over recall.

/// AUROC and AUPRC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// Area under the receiver operating characteristic; ties count half.
    pub roc: f64,
    /// Average precision: precision as a piecewise constant function of recall.
    pub precision: f64,
}

/// Scores in order, so that areas are computed many times with other weights.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// Row, whether it happened, whether the next row has the same score.
    rows: Vec<(u32, bool, bool)>,
}

impl Ranked {
    /// Orders rows by score, highest first.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "fewer than 2³² rows")]
    pub fn new(scores: &[f64], events: &[bool]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_unstable_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b)));
        let score = |at: usize| order.get(at).map(|row| scores[*row as usize]);
        let rows = (0..order.len()).map(|at| (order[at], events[order[at] as usize], score(at) == score(at + 1)));
        Self { rows: rows.collect() }
    }

    /// The areas, each row counting `weight` times. NaN where it never or always happened.
    #[must_use]
    pub fn areas(&self, weight: impl Fn(usize) -> f64) -> Areas {
        let (mut yes, mut no, mut under, mut precision) = (0.0, 0.0, 0.0, 0.0);
        let (mut tied_yes, mut tied_no) = (0.0, 0.0);
        for (row, event, tied) in &self.rows {
            let weight = weight(*row as usize);
            if *event {
                tied_yes += weight;
            } else {
                tied_no += weight;
            }
            if !tied {
                under += tied_no * (yes + tied_yes / 2.0);
                yes += tied_yes;
                no += tied_no;
                if tied_yes > 0.0 {
                    precision += tied_yes * yes / (yes + no);
                }
                (tied_yes, tied_no) = (0.0, 0.0);
            }
        }
        Areas { roc: under / (yes * no), precision: precision / yes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        let mut draw = Draw::new(5);
        let scores: Vec<f64> = (0..300).map(|_| (draw.unit() * 20.0).floor()).collect();
        let events: Vec<bool> = scores.iter().map(|score| draw.unit() * 25.0 < *score).collect();
        let (mut pairs, mut right) = (0.0, 0.0);
        for (high, _) in scores.iter().zip(&events).filter(|(_, event)| **event) {
            for (low, _) in scores.iter().zip(&events).filter(|(_, event)| !**event) {
                pairs += 1.0;
                right += if high > low { 1.0 } else if high < low { 0.0 } else { 0.5 };
            }
        }
        let got = Ranked::new(&scores, &events).areas(|_| 1.0);
        assert!((got.roc - right / pairs).abs() < 1e-12);
    }

    #[test]
    fn a_weight_of_two_is_a_row_twice() {
        let scores = [0.9, 0.8, 0.8, 0.4, 0.3, 0.1];
        let events = [true, false, true, false, true, false];
        let twice = Ranked::new(&scores, &events).areas(|row| if row == 2 { 2.0 } else { 1.0 });
        let rows = Ranked::new(&[0.9, 0.8, 0.8, 0.8, 0.4, 0.3, 0.1], &[true, false, true, true, false, true, false]);
        assert_eq!(twice, rows.areas(|_| 1.0));
    }
}
