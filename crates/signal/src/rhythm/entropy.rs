//! Measures of irregular intervals that the streaming watcher and the record's judge share.

/// Coefficient of sample entropy of intervals in seconds: sample entropy of length 1 that allows for the
/// tolerance and the mean interval (D. E. Lake, J. R. Moorman, Am. J. Physiol. Heart Circ. Physiol. 2011;300:H319).
///
/// The tolerance begins at 30 ms and widens until five matches of length two are found. In
/// atrial fibrillation about −1.4 or more; 0 for fewer than eight intervals.
#[must_use]
pub fn coefficient_of_sample_entropy(intervals_s: &[f32]) -> f32 {
    const FEWEST_MATCHES: u32 = 5;
    let n = intervals_s.len();
    if n < 8 {
        return 0.0;
    }
    let mut tolerance = 0.03_f32;
    for _ in 0..40 {
        let (long, short) = matches(intervals_s, tolerance);
        if long >= FEWEST_MATCHES || tolerance > 0.22 {
            let mean = intervals_s.iter().sum::<f32>() / n as f32;
            let entropy = -libm::logf((long as f32 + 0.5) / (short as f32 + 0.5));
            return entropy + libm::logf(2.0 * tolerance) - libm::logf(mean.max(1e-3));
        }
        tolerance += 0.005;
    }
    0.0
}

/// Pairs of places where two intervals in a row, and where one, agree within the tolerance.
fn matches(intervals: &[f32], tolerance: f32) -> (u32, u32) {
    let (mut long, mut short) = (0, 0);
    let last = intervals.len() - 1;
    for i in 0..last {
        for j in i + 1..last {
            if (intervals[i] - intervals[j]).abs() <= tolerance {
                short += 1;
                long += u32::from((intervals[i + 1] - intervals[j + 1]).abs() <= tolerance);
            }
        }
    }
    (long, short)
}

/// Evidence of fibrillation in pairs of successive changes of the interval, milliseconds: the share of
/// distinct cells of the plane that they fill, less the share that lies near its origin, after S. Sarkar,
/// D. Ritscher, R. Mehra (IEEE Trans. Biomed. Eng. 2008;55:1219). −1 (steady) to 1.
#[must_use]
pub fn fibrillation_evidence(pairs_ms: &[[f32; 2]]) -> f32 {
    const ORIGIN_MS: f32 = 80.0;
    const CELL_MS: f32 = 40.0;
    if pairs_ms.len() < 3 {
        return 0.0;
    }
    let near = |pair: &&[f32; 2]| pair.iter().all(|d| d.abs() < ORIGIN_MS);
    let origin = pairs_ms.iter().filter(near).count();
    let cell = |d: f32| libm::roundf(d / CELL_MS) as i32;
    let mut cells: Vec<(i32, i32)> =
        pairs_ms.iter().filter(|pair| !near(pair)).map(|pair| (cell(pair[0]), cell(pair[1]))).collect();
    cells.sort_unstable();
    cells.dedup();
    (cells.len() as f32 - origin as f32) / pairs_ms.len() as f32
}

/// How often intervals come again: the share of all pairs of intervals that agree within `tolerance`, and the
/// logarithm of how much more often than that they do when the ones before agreed.
///
/// Sinus rhythm has much of the first; bigeminy little more than half, but much of the second; fibrillation has neither.
#[must_use]
pub fn recurrence(intervals: &[f32], tolerance: f32) -> (f32, f32) {
    let n = intervals.len();
    if n < 3 {
        return (0.0, 0.0);
    }
    let (long, short) = matches(intervals, tolerance);
    let pairs = ((n - 1) * (n - 2) / 2) as f32;
    let share = short as f32 / pairs;
    let again = (long as f32 + 0.5) / (short as f32 + 1.0);
    (share, libm::logf(again) - libm::logf(share.max(0.5 / pairs)))
}
