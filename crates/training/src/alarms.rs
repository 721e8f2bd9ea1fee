//! Alerts of a model beside those of a published score on the same patients: what the same number of alerts finds, and how
//! many alerts the same finds cost.

use crate::cohort::spread;
use crate::measure::{Alerts, Interval, Resamples, Tally, begun, interval};

/// Thresholds that a model is tried at.
const STEPS: usize = 240;

/// One stay as alerts see it.
#[derive(Debug, Clone)]
pub struct Watched<'a> {
    /// Scores by moment.
    pub scores: &'a [f64],
    /// The moment of the event, if there is one.
    pub event: Option<usize>,
}

/// What alerts of one score at one threshold cost and find.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Yield {
    /// Alerts per patient-day.
    pub per_day: Interval,
    /// Share of events warned of in time.
    pub sensitivity: Interval,
    /// Share of alerts that the event followed in time.
    pub precision: Interval,
    /// Median hours from the first alert within the time that warnings reach back to the event.
    pub lead_h: Interval,
}

/// A model against a published score.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Against {
    /// The score's alerts per patient-day.
    pub their_per_day: Interval,
    /// The score's sensitivity. The model's can't be more than one over it times as great.
    pub their_sensitivity: Interval,
    /// The model's sensitivity at the score's alerts per patient-day.
    pub sensitivity: Interval,
    /// By how much that is more than the score's.
    pub sensitivity_ratio: Interval,
    /// Median lead time there, in hours.
    pub lead_h: Interval,
    /// The model's alerts per patient-day at the score's sensitivity.
    pub per_day: Interval,
    /// Which share that is of the score's alerts.
    pub alerts_ratio: Interval,
}

/// One threshold, stay by stay.
struct Tried {
    tallies: Vec<Tally>,
    leads: Vec<Option<u8>>,
}

impl Tried {
    fn new(stays: &[Watched<'_>], threshold: f64, rule: &Alerts) -> Self {
        let tallies = stays.iter().map(|stay| Tally::of(stay.scores, threshold, stay.event, rule)).collect();
        let leads = stays.iter().map(|stay| lead(stay, threshold, rule)).collect();
        Self { tallies, leads }
    }

    fn sum(&self, times: &dyn Fn(usize) -> f64) -> Tally {
        let mut sum = Tally::default();
        for (stay, tally) in self.tallies.iter().enumerate() {
            sum.add(tally, times(stay));
        }
        sum
    }

    fn median_lead(&self, times: &dyn Fn(usize) -> f64) -> f64 {
        let mut by_hour = [0.0; 256];
        for (stay, lead) in self.leads.iter().enumerate() {
            if let Some(lead) = lead {
                by_hour[usize::from(*lead)] += times(stay);
            }
        }
        let half = by_hour.iter().sum::<f64>() / 2.0;
        let mut sum = 0.0;
        by_hour.iter().position(|count| {
            sum += count;
            sum >= half && half > 0.0
        })
        .map_or(f64::NAN, |hour| hour as f64)
    }
}

fn lead(stay: &Watched<'_>, threshold: f64, rule: &Alerts) -> Option<u8> {
    let event = stay.event?;
    let first = begun(&stay.scores[..event.min(stay.scores.len())], threshold, rule);
    let first = first.into_iter().find(|hour| event - hour <= rule.back_h)?;
    u8::try_from(event - first).ok()
}

/// What a score's alerts cost and find.
#[must_use]
pub fn at(stays: &[Watched<'_>], threshold: f64, rule: &Alerts, resamples: &Resamples, threads: usize) -> Yield {
    let tried = Tried::new(stays, threshold, rule);
    let drawn = resamples.measure(threads, |times| (tried.sum(times), tried.median_lead(times)));
    Yield {
        per_day: interval(drawn.iter().map(|(tally, _)| tally.per_day())),
        sensitivity: interval(drawn.iter().map(|(tally, _)| tally.sensitivity())),
        precision: interval(drawn.iter().map(|(tally, _)| tally.precision())),
        lead_h: interval(drawn.iter().map(|(_, lead)| *lead)),
    }
}

/// A model against a score whose alerts begin at `threshold`. In every resample the model's threshold is found anew.
#[must_use]
pub fn against(
    model: &[Watched<'_>],
    score: &[Watched<'_>],
    threshold: f64,
    rule: &Alerts,
    resamples: &Resamples,
    threads: usize,
) -> Against {
    let theirs = Tried::new(score, threshold, rule);
    let ours = spread(&thresholds(model), threads, |threshold| Tried::new(model, *threshold, rule));
    let drawn = resamples.measure(threads, |times| {
        let their = theirs.sum(times);
        let sums: Vec<Tally> = ours.iter().map(|tried| tried.sum(times)).collect();
        let (cheap, sharp) = chosen(&sums, &their, rule);
        let lead = ours[cheap].median_lead(times);
        [
            sums[cheap].sensitivity(),
            sums[cheap].sensitivity() / their.sensitivity(),
            lead,
            sums[sharp].per_day(),
            sums[sharp].per_day() / their.per_day(),
            their.per_day(),
            their.sensitivity(),
        ]
    });
    let of = |at: usize| interval(drawn.iter().map(|all| all[at]));
    Against {
        their_per_day: of(5),
        their_sensitivity: of(6),
        sensitivity: of(0),
        sensitivity_ratio: of(1),
        lead_h: of(2),
        per_day: of(3),
        alerts_ratio: of(4),
    }
}

/// Of sums by rising threshold the one that finds most and costs no more than `their`, and the one that costs least and finds
/// no less.
fn chosen(sums: &[Tally], their: &Tally, rule: &Alerts) -> (usize, usize) {
    let affordable = |sum: &Tally| sum.per_day() <= their.per_day();
    let sharp_enough = |sum: &Tally| sum.sensitivity() >= their.sensitivity();
    if rule.falls() {
        // The first that costs no more, and the last that finds no less.
        let cheap = sums.iter().position(affordable).unwrap_or(sums.len() - 1);
        return (cheap, sums.iter().rposition(sharp_enough).unwrap_or(0));
    }
    let all = || sums.iter().enumerate();
    let cheap = all().filter(|(_, sum)| affordable(sum)).max_by(|a, b| a.1.sensitivity().total_cmp(&b.1.sensitivity()));
    let sharp = all().filter(|(_, sum)| sharp_enough(sum)).min_by(|a, b| a.1.per_day().total_cmp(&b.1.per_day()));
    (cheap.map_or(sums.len() - 1, |(at, _)| at), sharp.map_or(0, |(at, _)| at))
}

/// Thresholds between the tenth and the last thousandth of all scores, closer together where scores are rare; of no scores
/// at all one that none reaches.
fn thresholds(stays: &[Watched<'_>]) -> Vec<f64> {
    let mut all: Vec<f64> = stays.iter().flat_map(|stay| stay.scores).copied().filter(|score| !score.is_nan()).collect();
    all.sort_by(f64::total_cmp);
    let step = |at: usize| {
        // Shares above the threshold fall from 0.9 to 0.0005 by a constant factor.
        let above = 0.9 * libm::pow(0.0005 / 0.9, at as f64 / (STEPS - 1) as f64);
        all.get(((1.0 - above) * all.len() as f64) as usize).copied()
    };
    if all.is_empty() { vec![f64::INFINITY] } else { (0..STEPS).filter_map(step).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;

    #[test]
    fn where_few_enter_a_low_threshold_the_best_one_that_costs_no_more_is_taken() {
        let sum = |alerts: f64, warned: f64| Tally { alerts, warned, hours: 240.0, events: 10.0, ..Tally::default() };
        let (sums, their) = ([sum(2.0, 1.0), sum(9.0, 6.0), sum(8.0, 5.0), sum(5.0, 4.0)], sum(8.0, 4.0));
        assert_eq!(chosen(&sums, &their, &Alerts::ENTERING), (2, 3));
        let falling = [sum(9.0, 6.0), sum(8.0, 5.0), sum(5.0, 4.0), sum(3.0, 2.0)];
        assert_eq!(chosen(&falling, &their, &Alerts::DOCUMENTED), (1, 2));
    }

    #[test]
    fn a_score_against_itself_is_even_and_a_better_one_finds_more() {
        let mut draw = Draw::new(9);
        let mut rows = |signal: f64| -> Vec<(Vec<f64>, Option<usize>)> {
            (0..600).map(|stay| {
                let event = (stay % 5 == 0).then_some(40);
                let score = |hour: usize| draw.unit() + if event.is_some() && hour > 22 { signal } else { 0.0 };
                ((0..48).map(score).collect(), event)
            })
            .collect()
        };
        let (weak, strong) = (rows(0.1), rows(0.6));
        let watched = |rows: &'static [(Vec<f64>, Option<usize>)]| {
            rows.iter().map(|(scores, event)| Watched { scores, event: *event }).collect::<Vec<_>>()
        };
        let (weak, strong) = (watched(weak.leak()), watched(strong.leak()));
        let resamples = Resamples::new(600, 20, 1);
        let even = against(&weak, &weak, 0.99, &Alerts::default(), &resamples, 2);
        assert!((even.sensitivity_ratio.value - 1.0).abs() < 0.1 && (even.alerts_ratio.value - 1.0).abs() < 0.1, "{even:?}");
        let better = against(&strong, &weak, 0.99, &Alerts::default(), &resamples, 2);
        assert!(better.sensitivity_ratio.low > 1.1 && better.alerts_ratio.high < 0.8, "{better:?}");
    }
}
