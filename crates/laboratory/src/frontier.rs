//! The frontier of a sweep: policies that no other of them beats in both alerts and sensitivity.

use serde::{Deserialize, Serialize};

use crate::report::{Interval, Report};

/// A number that a policy of a sweep has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratorySetting))]
pub struct Setting {
    /// Its path.
    pub path: String,
    /// Its value.
    pub value: f64,
}

/// One policy of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryPoint))]
pub struct Point {
    /// What it is called: the changed numbers, or `present`.
    pub name: String,
    /// The changed numbers.
    pub changes: Vec<Setting>,
    /// Alerts per bed-day.
    pub alerts_per_bed_day: Interval,
    /// Share of events that an alert preceded, of the kind that was asked for or of all.
    pub sensitivity: Interval,
    /// Share of alerts that preceded an event.
    pub preceding: Interval,
    /// No other policy of the sweep has fewer alerts and sees as much, or sees more with as many.
    pub on_frontier: bool,
}

/// The points of a report's policies, in their order; `changes` has those of each but the present.
/// Sensitivity is that for `event`, or for all events.
#[must_use]
pub fn points(report: &Report, changes: &[Vec<(String, f64)>], event: Option<&str>) -> Vec<Point> {
    let none = Vec::new();
    let changes = std::iter::once(&none).chain(changes);
    let mut points: Vec<Point> = report
        .policies
        .iter()
        .zip(changes)
        .map(|(figures, changes)| Point {
            name: figures.name.clone(),
            changes: changes.iter().map(|(path, value)| Setting { path: path.clone(), value: *value }).collect(),
            alerts_per_bed_day: figures.alerts_per_bed_day,
            sensitivity: match event {
                Some(event) => {
                    let line = figures.events.iter().find(|line| line.event == event);
                    line.map(|line| line.sensitivity).unwrap_or_default()
                }
                None => figures.sensitivity,
            },
            preceding: figures.preceding,
            on_frontier: false,
        })
        .collect();
    let marks: Vec<bool> =
        points.iter().map(|point| !points.iter().any(|other| beats(other, point))).collect();
    for (point, mark) in points.iter_mut().zip(marks) {
        point.on_frontier = mark;
    }
    points
}

/// The policy that sees most within a budget of alerts per bed-day; of equals the one with fewer
/// alerts.
#[must_use]
pub fn propose(points: &[Point], budget: f64) -> Option<&Point> {
    let within = points.iter().filter(|point| figures(point).is_some_and(|(alerts, _)| alerts <= budget));
    within.max_by(|a, b| {
        let (a, b) = (figures(a).unwrap_or_default(), figures(b).unwrap_or_default());
        a.1.total_cmp(&b.1).then(b.0.total_cmp(&a.0))
    })
}

fn beats(one: &Point, other: &Point) -> bool {
    let (Some(one), Some(other)) = (figures(one), figures(other)) else { return false };
    one.0 <= other.0 && one.1 >= other.1 && one != other
}

fn figures(point: &Point) -> Option<(f64, f64)> {
    Some((point.alerts_per_bed_day.value?, point.sensitivity.value?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(alerts: f64, seen: f64) -> Point {
        let exactly = |value| Interval { value: Some(value), low: None, high: None };
        Point {
            name: format!("{alerts}/{seen}"),
            changes: Vec::new(),
            alerts_per_bed_day: exactly(alerts),
            sensitivity: exactly(seen),
            preceding: Interval::default(),
            on_frontier: false,
        }
    }

    #[test]
    fn the_best_within_a_budget_is_on_the_frontier() {
        let points = [point(1.0, 0.4), point(2.0, 0.6), point(2.5, 0.6), point(3.0, 0.5), point(4.0, 0.9)];
        let frontier = |index: usize| !points.iter().any(|other| beats(other, &points[index]));
        assert_eq!((0..5).filter(|at| frontier(*at)).collect::<Vec<_>>(), [0, 1, 4]);
        for (budget, expected) in [(0.5, None), (1.5, Some("1/0.4")), (3.5, Some("2/0.6")), (9.0, Some("4/0.9"))] {
            let found = propose(&points, budget).map(|point| point.name.as_str());
            assert_eq!(found, expected, "{budget}");
        }
    }
}
