//! A smooth curve of calibration: for some thousand patients, where groups of an isotonic curve are few and coarse.

use predict::model::{Calibration, Knot, log_odds, logistic};

use crate::fit::Point;

/// Knots of the curve.
const KNOTS: usize = 40;
/// Points left out at either end, a share of all: beyond them the curve goes straight on.
const ENDS: f64 = 0.002;
/// What bends in the curve cost (L2, for log-odds of unit spread), so that few events bend it little: of 0.3 to 20 what
/// had the least logarithmic loss on partitions of the Challenge 2012 that no figure is taken from.
const PENALTY: f64 = 5.0;

/// The curve from the line's probability: a logistic regression on the log-odds, their square and their cube, made to
/// rise where it would fall.
pub(crate) fn curve(line: &Calibration, points: &[Point]) -> Vec<Knot> {
    let mut said: Vec<(f64, bool)> = points.iter().map(|point| (line.intercept + line.slope * point.margin, point.event)).collect();
    said.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = said.len() as f64;
    let mean = said.iter().map(|one| one.0).sum::<f64>() / n;
    let spread = (said.iter().map(|one| (one.0 - mean) * (one.0 - mean)).sum::<f64>() / n).sqrt().max(1e-9);
    let terms = |x: f64| {
        let z = (x - mean) / spread;
        [1.0, z, z * z, z * z * z]
    };
    let weights = regression(&said.iter().map(|(x, event)| (terms(*x), *event)).collect::<Vec<_>>());
    let left_out = (ENDS * n) as usize;
    let (Some(from), Some(to)) = (said.get(left_out), said.get(said.len().saturating_sub(1 + left_out))) else { return Vec::new() };
    let mut knots: Vec<Knot> = Vec::new();
    for at in 0..KNOTS {
        let x = from.0 + (to.0 - from.0) * at as f64 / (KNOTS - 1) as f64;
        let knot = Knot { from: logistic(x), to: logistic(dot(&weights, &terms(x))) };
        if knots.last().is_none_or(|last| knot.from > last.from && knot.to > last.to) {
            knots.push(knot);
        }
    }
    knots
}

fn dot(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Logistic regression by Newton's method; the third and the fourth weight are kept small.
fn regression(rows: &[([f64; 4], bool)]) -> [f64; 4] {
    let events = rows.iter().filter(|row| row.1).count() as f64;
    let mut weights = [log_odds((events / rows.len() as f64).clamp(1e-6, 1.0 - 1e-6)), 1.0, 0.0, 0.0];
    for _ in 0..30 {
        // The matrix of second derivatives, with the vector of first ones as its last column.
        let mut system = [[0.0; 5]; 4];
        for (terms, event) in rows {
            let p = logistic(dot(&weights, terms));
            for (own, term) in system.iter_mut().zip(terms) {
                own.iter_mut().zip(terms).for_each(|(cell, other)| *cell += p * (1.0 - p) * term * other);
                own[4] += term * (f64::from(u8::from(*event)) - p);
            }
        }
        for at in 2..4 {
            system[at][at] += PENALTY;
            system[at][4] -= PENALTY * weights[at];
        }
        let step = solved(system);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step.clamp(-2.0, 2.0));
        if step.iter().map(|step| step.abs()).sum::<f64>() < 1e-12 {
            break;
        }
    }
    weights
}

/// Gauss-Jordan elimination of a positive definite system; the solution is what remains in the last column.
fn solved(mut system: [[f64; 5]; 4]) -> [f64; 4] {
    for at in 0..4 {
        let own = system[at].map(|cell| cell / system[at][at].max(1e-300));
        for (number, row) in system.iter_mut().enumerate() {
            if number == at {
                *row = own;
            } else {
                let times = row[at];
                row.iter_mut().zip(own).for_each(|(cell, own)| *cell -= times * own);
            }
        }
    }
    system.map(|row| row[4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;

    #[test]
    fn a_bent_curve_is_found_from_a_few_thousand_patients_and_rises() {
        let mut draw = Draw::new(8);
        let bent = |x: f64| logistic(0.8 * x - 0.15 * x * x - 0.5);
        let point = |stay| {
            let margin = draw.unit() * 6.0 - 4.5;
            Point { margin, event: draw.unit() < bent(margin), stay }
        };
        let points: Vec<Point> = (0..6_000).map(point).collect();
        let calibration = Calibration { curve: curve(&Calibration::none(), &points), ..Calibration::none() };
        assert!(calibration.curve.windows(2).all(|two| two[0].from < two[1].from && two[0].to < two[1].to));
        for margin in [-4.0, -2.0, 0.0, 1.0] {
            let (said, right) = (calibration.probability(margin), bent(margin));
            assert!((said - right).abs() < 0.02 + 0.1 * right, "{margin}: {said} and not {right}");
        }
    }

    #[test]
    fn a_system_is_solved() {
        let system = [[4.0, 1.0, 0.0, 0.0, 6.0], [1.0, 3.0, 0.0, 0.0, 7.0], [0.0, 0.0, 2.0, 1.0, 10.0], [0.0, 0.0, 1.0, 5.0, 23.0]];
        for (got, right) in solved(system).into_iter().zip([1.0, 2.0, 3.0, 4.0]) {
            assert!((got - right).abs() < 1e-12);
        }
    }
}
