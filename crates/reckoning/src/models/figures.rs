//! How good risks were on moments whose outcome is known: observed to expected, AUROC and a calibration curve, with
//! intervals by resampling patients.

use burden::share;
use serde::{Deserialize, Serialize};
use training::measure::{Interval, Ranked, Resamples, interval};

/// Events, and moments without one, below which nothing is said of how well they are told apart.
pub const EVENTS_LEAST: usize = 10;
/// Resamples of patients for intervals, and their seed.
const DRAWS: usize = 200;
const SEED: u64 = 17;
/// Points of a calibration curve at most.
const POINTS: usize = 10;

/// A figure with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelRanged))]
pub struct Ranged {
    /// The figure.
    pub value: f64,
    /// Lower end; none where it can't be told.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl Ranged {
    fn of(interval: Interval) -> Option<Self> {
        let finite = |value: f64| value.is_finite().then_some(value);
        Some(Self { value: finite(interval.value)?, low: finite(interval.low), high: finite(interval.high) })
    }
}

/// One point of a calibration curve: moments with about the same risk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelCurvePoint))]
pub struct CurvePoint {
    /// Mean of their risks.
    pub risk: f64,
    /// Moments.
    pub moments: u64,
    /// Events that came.
    pub events: u64,
    /// Their share's 95% interval (Wilson); none for fewer than 20 moments.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// Moments whose outcome is known. Patients are numbered from 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled {
    pub(super) patients: Vec<usize>,
    pub(super) events: Vec<bool>,
}

impl Settled {
    pub(super) fn observed(&self) -> usize {
        self.events.iter().filter(|event| **event).count()
    }

    fn resamples(&self) -> Resamples {
        Resamples::new(self.patients.iter().max().map_or(0, |most| most + 1), DRAWS, SEED)
    }

    /// Events observed to events expected by these probabilities.
    pub(super) fn ratio(&self, probabilities: &[f64]) -> Option<Ranged> {
        let ratios = self.resamples().measure(1, |times| {
            let (mut observed, mut expected) = (0.0, 0.0);
            for ((patient, event), probability) in self.patients.iter().zip(&self.events).zip(probabilities) {
                let weight = times(*patient);
                observed += if *event { weight } else { 0.0 };
                expected += weight * probability;
            }
            observed / expected
        });
        Ranged::of(interval(ratios.into_iter()))
    }

    /// How often, of a moment before an event and one before none, the first had the higher score; none where there are
    /// too few of either.
    pub(super) fn auroc(&self, scores: &[f64]) -> Option<Ranged> {
        let observed = self.observed();
        if observed < EVENTS_LEAST || self.events.len() - observed < EVENTS_LEAST {
            return None;
        }
        let ranked = Ranked::new(scores, &self.events);
        let areas = self.resamples().measure(1, |times| ranked.areas(|row| times(self.patients[row])).roc);
        Ranged::of(interval(areas.into_iter()))
    }

    /// The moments in the order of their risks, in up to ten groups of the same size: what was said, what came.
    pub(super) fn curve(&self, probabilities: &[f64]) -> Vec<CurvePoint> {
        let mut rows: Vec<(f64, bool)> = probabilities.iter().copied().zip(self.events.iter().copied()).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let groups = POINTS.min(rows.len() / burden::TOO_FEW as usize).max(1);
        let cut = |part: usize| part * rows.len() / groups;
        let points = (0..groups).filter_map(|part| {
            let rows = rows.get(cut(part)..cut(part + 1)).filter(|rows| !rows.is_empty())?;
            let events = rows.iter().filter(|(_, event)| *event).count() as u64;
            let share = share(events, rows.len() as u64);
            let risk = rows.iter().map(|(risk, _)| risk).sum::<f64>() / rows.len() as f64;
            Some(CurvePoint { risk, moments: rows.len() as u64, events, low: share.low, high: share.high })
        });
        points.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many patients with two moments each; the event comes to those with a risk above a half.
    fn settled(patients: usize) -> (Settled, Vec<f64>) {
        let risks: Vec<f64> = (0..2 * patients).map(|row| (row % 10) as f64 / 10.0 + 0.05).collect();
        let events = risks.iter().map(|risk| *risk > 0.5).collect();
        (Settled { patients: (0..2 * patients).map(|row| row / 2).collect(), events }, risks)
    }

    #[test]
    fn risks_that_part_all_have_an_area_of_one() {
        let (settled, risks) = settled(100);
        let auroc = settled.auroc(&risks).expect("enough events");
        assert_eq!((auroc.value, auroc.low, auroc.high), (1.0, Some(1.0), Some(1.0)));
        let turned: Vec<f64> = risks.iter().map(|risk| -risk).collect();
        assert!(settled.auroc(&turned).expect("enough events").value < 1e-9);
        let same = settled.auroc(&[0.5; 200]).expect("enough events");
        assert!((same.value - 0.5).abs() < 1e-9, "ties count half");
    }

    #[test]
    fn few_events_tell_nothing_apart() {
        let (mut settled, risks) = settled(100);
        settled.events = (0..200).map(|row| row < EVENTS_LEAST - 1).collect();
        assert_eq!(settled.auroc(&risks), None);
        assert!(settled.ratio(&risks).expect("a ratio").value < 0.2);
        assert_eq!(Settled::default().ratio(&[]), None);
        assert!(Settled::default().curve(&[]).is_empty());
    }

    #[test]
    fn as_many_events_as_expected_are_a_ratio_of_one_within_its_interval() {
        let (settled, risks) = settled(100);
        let ratio = settled.ratio(&risks).expect("a ratio");
        assert!((ratio.value - 1.0).abs() < 0.01, "{ratio:?}");
        assert!(ratio.low.expect("low") < 1.0 && ratio.high.expect("high") > 1.0, "{ratio:?}");
        let curve = settled.curve(&risks);
        assert_eq!((curve.len(), curve.iter().map(|point| point.moments).sum::<u64>()), (10, 200));
        assert_eq!((curve[0].events, curve[9].events, curve[9].moments), (0, 20, 20));
        assert!(curve.windows(2).all(|pair| pair[0].risk < pair[1].risk));
        assert!(curve[9].low.expect("twenty moments") > 0.8);
    }
}
