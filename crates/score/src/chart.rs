//! Looking a value up in a published chart.

use vitals::MetricCode;

use crate::input::Seen;
use crate::result::{Part, PartState};

/// One cell of a row of a chart: everything up to a value, inclusive, that no earlier cell took.
pub(crate) struct Cell {
    pub up_to: f64,
    pub points: u8,
    pub text: &'static str,
}

/// A cell.
pub(crate) const fn cell(up_to: f64, points: u8, text: &'static str) -> Cell {
    Cell {
        up_to,
        points,
        text,
    }
}

/// The last cell of a row.
pub(crate) const fn above(points: u8, text: &'static str) -> Cell {
    cell(f64::INFINITY, points, text)
}

/// `value` rounded half up to `steps` steps a unit (1: whole numbers, 10: tenths), as one fills in
/// a chart (SC-3). The hair's breadth added makes 38.05 round up although its nearest binary
/// fraction lies below it, and keeps 39.0 that came from 102.2 °F at 39.0.
pub(crate) fn charted(value: f64, steps: f64) -> f64 {
    (value * steps + 0.5 + 1e-6).floor() / steps
}

/// The cell of a row that a charted value falls in; a row ends with [`above`].
pub(crate) fn find(row: &'static [Cell], charted: f64) -> &'static Cell {
    row.iter()
        .find(|cell| charted <= cell.up_to)
        .unwrap_or(&row[row.len() - 1])
}

/// Judges a number by a row of a chart.
pub(crate) fn judge(metric: MetricCode, seen: Seen<f64>, steps: f64, row: &'static [Cell]) -> Part {
    let judged = |value: f64| {
        let cell = find(row, charted(value, steps));
        (cell.points, cell.text)
    };
    judge_with(metric, seen, |value| value, judged)
}

/// Judges any input: `number` is what the part shows, `judged` gives points and cell.
pub(crate) fn judge_with<T: Copy>(
    metric: MetricCode,
    seen: Seen<T>,
    number: impl Fn(T) -> f64,
    judged: impl Fn(T) -> (u8, &'static str),
) -> Part {
    let (input, state) = match seen {
        Seen::Missing => (None, PartState::Missing),
        Seen::Aged(input) => (Some(input), PartState::Aged),
        Seen::Fresh(input) => (Some(input), PartState::Used),
    };
    let verdict = match seen {
        Seen::Fresh(input) => Some(judged(input.value)),
        Seen::Missing | Seen::Aged(_) => None,
    };
    Part {
        metric,
        value: input.map(|input| number(input.value)),
        time: input.map(|input| input.time),
        points: verdict.map(|(points, _)| points),
        state,
        cell: verdict.map_or("", |(_, text)| text),
    }
}
