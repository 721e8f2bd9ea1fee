//! Whether probabilities are what they say: how often it happened among those of whom it was said.

/// Predictions of one probability, or of about one: log-odds said, how many, to how many it happened.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell {
    /// Log-odds of the probability said.
    pub log_odds: f64,
    /// How many.
    pub count: f64,
    /// To how many it happened.
    pub events: f64,
}

/// Recalibration in the large and by slope (Cox, Biometrika 45 (1958) 562; Van Calster and others, BMC Med 17 (2019) 230).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// What is to be added to the log-odds so that as many events are expected as happened; 0 is right.
    pub intercept: f64,
    /// What log-odds are to be multiplied with (beside an intercept of its own); 1 is right, less is too extreme.
    pub slope: f64,
}

/// Whether probabilities are what they say, in four numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// Intercept and slope.
    pub calibration: Calibration,
    /// Mean square error.
    pub brier: f64,
    /// Events that happened to events expected; 1 is right.
    pub observed_to_expected: f64,
}

/// Of rows of (log-odds, happened, weight).
#[must_use]
pub fn reliability(rows: impl Iterator<Item = (f64, bool, f64)> + Clone) -> Reliability {
    let p = |log_odds: f64| 1.0 / (1.0 + libm::exp(-log_odds));
    let (mut expected, mut happened) = (0.0, 0.0);
    for (log_odds, event, times) in rows.clone() {
        expected += times * p(log_odds);
        happened += if event { times } else { 0.0 };
    }
    Reliability {
        calibration: calibration(&cells(rows.clone())),
        brier: brier(rows.map(|(log_odds, event, times)| (p(log_odds), event, times))),
        observed_to_expected: happened / expected,
    }
}

/// Groups of the expected calibration error.
const GROUPS: usize = 10;

/// The group of each of these log-odds among ten with equally many, in their order.
#[must_use]
pub fn tenths(log_odds: &[f64]) -> Vec<u8> {
    let mut order: Vec<usize> = (0..log_odds.len()).collect();
    order.sort_by(|a, b| log_odds[*a].total_cmp(&log_odds[*b]).then(a.cmp(b)));
    let mut groups = vec![0; log_odds.len()];
    for (rank, at) in order.into_iter().enumerate() {
        groups[at] = u8::try_from(rank * GROUPS / log_odds.len()).unwrap_or(0);
    }
    groups
}

/// Expected calibration error of rows of (group, probability, happened, weight): by how much what is said and what happened
/// differ in a group, on average over rows (Naeini and others, AAAI 2015, with groups of equal size).
#[must_use]
pub fn expected_error(rows: impl Iterator<Item = (u8, f64, bool, f64)>) -> f64 {
    let mut groups = [(0.0, 0.0); GROUPS];
    for (group, p, event, weight) in rows {
        let (count, excess) = &mut groups[usize::from(group).min(GROUPS - 1)];
        *count += weight;
        *excess += weight * (p - f64::from(u8::from(event)));
    }
    groups.iter().map(|(_, excess)| excess.abs()).sum::<f64>() / groups.iter().map(|(count, _)| count).sum::<f64>()
}

/// Gathers rows of (log-odds, happened, weight) into cells of a twentieth, for speed; slopes move by less than 0.001.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "clamped to ±20")]
pub fn cells(rows: impl Iterator<Item = (f64, bool, f64)>) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); 801];
    for (log_odds, event, weight) in rows {
        let cell = &mut cells[((log_odds.clamp(-20.0, 20.0) + 20.0) * 20.0).round() as usize];
        cell.log_odds += log_odds * weight;
        cell.count += weight;
        cell.events += if event { weight } else { 0.0 };
    }
    cells.retain(|cell| cell.count > 0.0);
    for cell in &mut cells {
        cell.log_odds /= cell.count;
    }
    cells
}

/// Intercept and slope of these predictions; NaN where it never or always happened.
#[must_use]
pub fn calibration(cells: &[Cell]) -> Calibration {
    let intercept = logistic(cells, true).0;
    Calibration { intercept, slope: logistic(cells, false).1 }
}

/// The logistic regression of what happened on log-odds by Newton's method: intercept and slope; the slope stays 1 where
/// it is `fixed`.
#[must_use]
pub fn logistic(cells: &[Cell], fixed: bool) -> (f64, f64) {
    let (fitted, last) = newton(cells, fixed, 50, 2.0);
    // Where steps leap to and fro over the answer, shorter ones reach it.
    let (a, b) = if last > 1e-6 { newton(cells, fixed, 1_000, 0.1).0 } else { fitted };
    if a.abs() > 40.0 { (f64::NAN, f64::NAN) } else { (a, b) }
}

/// So many of Newton's steps, none longer than `reach`: intercept and slope, and how long the last step was.
fn newton(cells: &[Cell], fixed: bool, rounds: usize, reach: f64) -> ((f64, f64), f64) {
    let (mut a, mut b, mut last) = (0.0, 1.0, 0.0);
    for _ in 0..rounds {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for cell in cells {
            let p = 1.0 / (1.0 + libm::exp(-(a + b * cell.log_odds)));
            let (miss, curve) = (cell.events - cell.count * p, cell.count * p * (1.0 - p));
            ga += miss;
            gb += miss * cell.log_odds;
            haa += curve;
            hab += curve * cell.log_odds;
            hbb += curve * cell.log_odds * cell.log_odds;
        }
        let (da, db) = if fixed {
            (ga / haa, 0.0)
        } else {
            let whole = haa * hbb - hab * hab;
            ((hbb * ga - hab * gb) / whole, (haa * gb - hab * ga) / whole)
        };
        a += da.clamp(-reach, reach);
        b += db.clamp(-reach, reach);
        last = da.abs() + db.abs();
        if last < 1e-12 {
            break;
        }
    }
    ((a, b), last)
}

/// Mean square of what probabilities, given as (probability, happened, weight), were off by (Brier, Mon Weather Rev 78
/// (1950) 1).
#[must_use]
pub fn brier(rows: impl Iterator<Item = (f64, bool, f64)>) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for (p, event, weight) in rows {
        sum += weight * (p - f64::from(u8::from(event))).powi(2);
        all += weight;
    }
    sum / all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;

    #[test]
    fn what_was_bent_is_measured() {
        // Events happen with log-odds 0.3 + 0.8 × what is said.
        let mut draw = Draw::new(11);
        let rows: Vec<(f64, bool, f64)> = (0..200_000)
            .map(|_| {
                let said = draw.unit() * 6.0 - 4.0;
                (said, draw.unit() < 1.0 / (1.0 + libm::exp(-(0.3 + 0.8 * said))), 1.0)
            })
            .collect();
        let whole = calibration(&cells(rows.iter().copied()));
        assert!((whole.slope - 0.8).abs() < 0.02, "{whole:?}");
        let single: Vec<Cell> = rows
            .iter()
            .map(|(log_odds, event, _)| Cell { log_odds: *log_odds, count: 1.0, events: f64::from(u8::from(*event)) })
            .collect();
        assert!((calibration(&single).slope - whole.slope).abs() < 1e-3);
        let (a, b) = logistic(&single, false);
        assert!((a - 0.3).abs() < 0.03 && (b - 0.8).abs() < 0.02);
    }

    #[test]
    fn a_slope_is_found_where_long_steps_leap_over_it() {
        // To the bit what was said after raising all and making it far too timid.
        let said = |line: f64| 1.0 + 0.1 * line;
        let cell = |line: f64| Cell { log_odds: said(line), count: 1_000.0, events: 1_000.0 / (1.0 + libm::exp(-line)) };
        let (a, b) = logistic(&[-9.0, -6.0, -5.0, -3.0, 4.0].map(cell), false);
        assert!((b - 10.0).abs() < 1e-3 && (a + 10.0).abs() < 1e-3, "{a} {b}");
    }

    #[test]
    fn what_never_happened_has_no_calibration() {
        assert!(calibration(&[Cell { log_odds: 0.0, count: 5.0, events: 0.0 }]).intercept.is_nan());
    }

    #[test]
    fn expected_error_by_hand() {
        let log_odds: Vec<f64> = (0..20).rev().map(f64::from).collect();
        let groups = tenths(&log_odds);
        assert_eq!((groups[0], groups[1], groups[2], groups[19]), (9, 9, 8, 0));
        // A group says 0.2 of ten and two of them have it; another says 0.4 of ten and one has it.
        let right = (0..10).map(|at| (0, 0.2, at < 2, 1.0));
        let wrong = (0..10).map(|at| (1, 0.4, at < 1, 1.0));
        assert!((expected_error(right.chain(wrong)) - 0.15).abs() < 1e-12);
    }

    #[test]
    fn brier_by_hand() {
        let rows = [(0.2, false, 1.0), (0.9, true, 2.0)];
        assert!((brier(rows.into_iter()) - (0.04 + 0.02) / 3.0).abs() < 1e-12);
    }
}
