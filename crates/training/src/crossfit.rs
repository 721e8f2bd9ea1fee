//! Calibration and threshold fitted on some patients and applied to others: how good both are is never told by those that
//! they were fitted on.

use crate::evaluate::Said;
use crate::fit::{self, Point, best_threshold, calibrate};
use crate::learn::{FOLDS, Lessons};
use crate::outcome::Task;
use crate::recipe::Recipe;

/// Moments with an outcome, of rows that `which` names.
#[must_use]
pub fn points(lessons: &Lessons, margins: &[f64], which: impl Fn(usize) -> bool) -> Vec<Point> {
    let rows = (0..margins.len()).filter(|row| which(*row));
    rows.filter_map(|row| {
        let event = lessons.rows[row].event?;
        Some(Point { margin: margins[row], event, stay: lessons.stays[row] })
    })
    .collect()
}

/// The log-odds from which on to alarm, chosen on rows that `which` names.
#[must_use]
pub fn threshold(task: Task, lessons: &Lessons, margins: &[f64], which: impl Fn(usize) -> bool) -> f64 {
    let asked = |row: &usize| lessons.rows[*row].event.is_some() && which(*row);
    let rows: Vec<usize> = (0..margins.len()).filter(asked).collect();
    if task == Task::Sepsis {
        return best_threshold(rows.iter().map(|row| {
            let lesson = &lessons.rows[*row];
            (margins[*row], f64::from(if lesson.alarm { lesson.weight } else { -lesson.weight }))
        }));
    }
    // As many alarms as there are events: sensitivity and positive predictivity are then the same.
    let mut sorted: Vec<f64> = rows.iter().map(|row| margins[*row]).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let events = rows.iter().filter(|row| lessons.rows[**row].alarm).count();
    sorted.get(events.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// What is said of each moment when calibration and threshold have not seen its patient: both are fitted on the other parts.
/// Only rows that are `judged` teach them and can alarm.
#[must_use]
pub fn cross_fitted(recipe: &Recipe, lessons: &Lessons, margins: &[f64], judged: &[bool]) -> Said {
    let mut said = Said { margins: margins.to_vec(), judged: judged.to_vec(), ..Said::default() };
    said.log_odds = vec![0.0; margins.len()];
    said.alarms = vec![false; margins.len()];
    for fold in 0..FOLDS {
        let others = |row: usize| lessons.fold(row) != fold && judged[row];
        let calibration = calibrate(&points(lessons, margins, others), recipe.smooth, "");
        let threshold = threshold(recipe.task, lessons, margins, others);
        for row in (0..margins.len()).filter(|row| lessons.fold(*row) == fold) {
            said.log_odds[row] = fit::said(&calibration, margins[row]);
            said.alarms[row] = margins[row] >= threshold && judged[row];
        }
    }
    said
}
