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
    let (mut a, mut b) = (0.0, 1.0);
    for _ in 0..50 {
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
        a += da.clamp(-2.0, 2.0);
        b += db.clamp(-2.0, 2.0);
        if da.abs() + db.abs() < 1e-12 {
            break;
        }
    }
    if a.abs() > 40.0 { (f64::NAN, f64::NAN) } else { (a, b) }
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
    fn what_never_happened_has_no_calibration() {
        assert!(calibration(&[Cell { log_odds: 0.0, count: 5.0, events: 0.0 }]).intercept.is_nan());
    }

    #[test]
    fn brier_by_hand() {
        let rows = [(0.2, false, 1.0), (0.9, true, 2.0)];
        assert!((brier(rows.into_iter()) - (0.04 + 0.02) / 3.0).abs() < 1e-12);
    }
}
