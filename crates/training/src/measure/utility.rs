//! The utility of PhysioNet's Challenge 2019 (Reyna and others, Crit Care Med 48 (2020) 210-217): what a prediction is
//! worth at each hour, early ones most, summed over all records and put between 0 for none and 1 for the best.

/// Earliest useful hour before onset, best hour, last useful hour after.
const EARLY: f64 = -12.0;
const BEST: f64 = -6.0;
const LATE: f64 = 3.0;
/// What a false alarm costs; a prediction that is too early costs no more.
const FALSE: f64 = -0.05;
/// What a miss costs at the last useful hour.
const MISSED: f64 = -2.0;

/// What a positive and a negative prediction are worth at each hour of one record. `labels` are the record's, which are
/// set from six hours before onset on.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "records have hundreds of hours")]
pub fn worth(labels: &[bool]) -> Vec<(f64, f64)> {
    let onset = labels.iter().position(|label| *label).map(|first| first as f64 - BEST);
    let of = |hour: usize| {
        let Some(onset) = onset else { return (FALSE, 0.0) };
        let t = hour as f64 - onset;
        if t > LATE {
            (0.0, 0.0)
        } else if t <= BEST {
            (((t - EARLY) / (BEST - EARLY)).max(FALSE), 0.0)
        } else {
            ((LATE - t) / (LATE - BEST), MISSED * (t - BEST) / (LATE - BEST))
        }
    };
    (0..labels.len()).map(of).collect()
}

/// Sums over records: what the predictions were worth, what the best and what none would have been.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Utility {
    /// Of the predictions.
    pub observed: f64,
    /// Of the best predictions.
    pub best: f64,
    /// Of no prediction at all.
    pub none: f64,
}

impl Utility {
    /// Of one record, of which `predicted` says at which hours sepsis was predicted.
    #[must_use]
    pub fn of(labels: &[bool], predicted: impl Iterator<Item = bool>) -> Self {
        let mut sums = Self::default();
        for ((yes, no), predicted) in worth(labels).into_iter().zip(predicted) {
            sums.observed += if predicted { yes } else { no };
            sums.none += no;
            sums.best += yes.max(no);
        }
        sums
    }

    /// Adds another record's, `times` times.
    pub fn add(&mut self, other: &Self, times: f64) {
        self.observed += other.observed * times;
        self.best += other.best * times;
        self.none += other.none * times;
    }

    /// 1 for the best predictions, 0 for none.
    #[must_use]
    pub fn normalised(&self) -> f64 {
        (self.observed - self.none) / (self.best - self.none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records and predictions as digits, with what the Challenge's own program (`evaluate_sepsis_score.py`, 2019) says:
    /// the utility of the predictions, of none and of the best.
    fn check(labels: &str, predicted: &str, official: [f64; 3]) {
        let digits = |text: &str| text.chars().map(|digit| digit == '1').collect::<Vec<_>>();
        let got = Utility::of(&digits(labels), digits(predicted).into_iter());
        for (got, official) in [got.observed, got.none, got.best].into_iter().zip(official) {
            assert!((got - official).abs() < 1e-12, "{labels} {predicted}: {got} and not {official}");
        }
    }

    #[test]
    fn the_utility_is_the_official_one() {
        check("000011", "001111", [3.388888888888889, -0.2222222222222221, 4.222222222222223]);
        check("00000000", "11111100", [-0.3, 0.0, 0.0]);
        check("111111111111", "010111100001", [-2.8888888888888884, -10.0, 4.999999999999999]);
        check("00011111111111111111", "10000100011100010000", [-2.9444444444444446, -10.0, 6.999999999999999]);
        check("0000000000000001111111111111111111", "0101110110101101110110100111001111", [-0.8555555555555552, -10.0, 7.5]);
        check("000000000000000000000000011", "100000110010001111101111011", [3.1055555555555556, -0.2222222222222221, 4.388888888888889]);
        check("000000000000001111111111", "101111101111010010111111", [3.08888888888889, -10.0, 7.5]);
        check("11111", "00111", [1.777777777777778, -2.222222222222222, 3.8888888888888884]);
        check("0000000001111111111", "1110110001000011100", [-3.6499999999999995, -10.0, 7.5]);
    }

    #[test]
    fn the_normalised_utility_is_one_for_the_best_and_nought_for_none() {
        let labels: Vec<bool> = (0..40).map(|hour| hour >= 25).collect();
        let worth = worth(&labels);
        let best = Utility::of(&labels, worth.iter().map(|(yes, no)| yes > no));
        assert!((best.normalised() - 1.0).abs() < 1e-12);
        assert!(Utility::of(&labels, labels.iter().map(|_| false)).normalised().abs() < 1e-12);
    }
}
