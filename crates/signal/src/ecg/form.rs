//! The shape of a beat: its complex at 100 samples a second, its height and its width.

use serde::{Deserialize, Serialize};

use crate::filter::dot;

/// Points of the shape, 10 ms apart.
const POINTS: usize = 32;
/// The point at the middle of the complex: the shape goes from 120 ms before it to 190 ms after.
const MIDDLE: usize = 12;
const STEP_S: f32 = 0.01;
/// The complex goes on as long as the signal moves at least this part as fast as at its fastest.
const MOVING: f32 = 0.15;
/// It has ended when the signal has moved less for this many points.
const STILL: usize = 3;
/// Shapes may be shifted against each other by this many points to fit best.
const SHIFT: usize = 2;
const SHIFTS: [usize; 5] = [2, 1, 3, 0, 4];
/// A correlation that no shift needs to improve.
const FITS: f32 = 0.985;

/// What the shape of a beat in one lead is like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Form {
    points: [i8; POINTS],
    /// Height of the complex from its middle level, millivolts, negative if its main deflection is.
    pub height_mv: f32,
    /// Width of the complex, milliseconds; 0 if it has no clear bounds.
    pub width_ms: f32,
    /// Area under the complex over its height, milliseconds: a triangle's is half its width.
    pub area_ms: f32,
}

impl Form {
    /// The shape of the complex whose middle is `middle` samples from the first.
    pub(super) fn new(samples: &[f32], middle: f32, hz: f32) -> Self {
        let mut raw = [0.0_f32; POINTS];
        for (i, value) in raw.iter_mut().enumerate() {
            let at = middle + (i as f32 - MIDDLE as f32) * STEP_S * hz;
            *value = interpolated(samples, at);
        }
        let mean = raw.iter().sum::<f32>() / POINTS as f32;
        let most = raw.iter().map(|x| (x - mean).abs()).fold(f32::MIN_POSITIVE, f32::max);
        let scale = 127.0 / most;
        let mut points = [0_i8; POINTS];
        for i in 0..POINTS {
            points[i] = ((raw[i] - mean) * scale) as i8;
        }
        let (from, to) = bounds(&raw);
        // The level is that of the ends of the complex.
        let level = (raw[from] + raw[to]) / 2.0;
        let complex = &raw[from..=to];
        let peak = complex.iter().map(|x| x - level).fold(0.0_f32, |a, b| if b.abs() > a.abs() { b } else { a });
        let area: f32 = complex.iter().map(|x| (x - level).abs()).sum();
        let whole = from > 0 && to < POINTS - 1;
        Self {
            points,
            height_mv: peak,
            width_ms: if whole { (to - from) as f32 * STEP_S * 1_000.0 } else { 0.0 },
            area_ms: area / peak.abs().max(f32::MIN_POSITIVE) * STEP_S * 1_000.0,
        }
    }

    pub(super) fn points(&self) -> [f32; POINTS] {
        self.points.map(f32::from)
    }
}

/// The value between two samples; beyond the ends the nearest.
fn interpolated(samples: &[f32], at: f32) -> f32 {
    let last = samples.len().saturating_sub(1);
    let at = at.clamp(0.0, last as f32);
    let (before, part) = (at as usize, at - (at as usize) as f32);
    match (samples.get(before), samples.get((before + 1).min(last))) {
        (Some(one), Some(next)) => one + part * (next - one),
        _ => 0.0,
    }
}

/// First and last point of the complex around the middle.
fn bounds(raw: &[f32; POINTS]) -> (usize, usize) {
    let mut speeds = [0.0_f32; POINTS];
    for i in 1..POINTS - 1 {
        speeds[i] = (raw[i + 1] - raw[i - 1]).abs();
    }
    let near = MIDDLE - 6..MIDDLE + 7;
    let (fastest, top) = near.fold((MIDDLE, 0.0), |best, i| if speeds[i] > best.1 { (i, speeds[i]) } else { best });
    let moves = |i: usize| speeds[i] > MOVING * top;
    let (mut from, mut to) = (fastest, fastest);
    while from > 0 && (from.saturating_sub(STILL)..from).any(|i| i > 0 && moves(i)) {
        from -= 1;
    }
    while to < POINTS - 1 && (to + 1..=to + STILL).any(|i| i < POINTS - 1 && moves(i)) {
        to += 1;
    }
    (from, to)
}

/// A usual shape, learned from beats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Template {
    points: Vec<f32>,
}

impl Template {
    pub fn new(form: &Form) -> Self {
        Self { points: form.points().to_vec() }
    }

    /// Correlation with a beat's shape, −1 to 1, where they fit best.
    pub fn likeness(&self, form: &Form) -> f32 {
        let points = form.points();
        let mut best = -1.0_f32;
        // From the middle outwards; where they fit well already, it is not looked for better.
        for shift in SHIFTS {
            let theirs = &points[shift..POINTS - 2 * SHIFT + shift];
            best = best.max(correlation(&self.points[SHIFT..POINTS - SHIFT], theirs));
            if best > FITS {
                break;
            }
        }
        best
    }

    /// Moves this part of the way to a beat's shape.
    pub fn learn(&mut self, form: &Form, part: f32) {
        for (own, new) in self.points.iter_mut().zip(form.points()) {
            *own += part * (new - *own);
        }
    }
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let ones = [1.0; POINTS];
    let count = a.len() as f32;
    let (sum_a, sum_b) = (dot(a, &ones[..a.len()]), dot(b, &ones[..b.len()]));
    let ab = dot(a, b) - sum_a * sum_b / count;
    let aa = dot(a, a) - sum_a * sum_a / count;
    let bb = dot(b, b) - sum_b * sum_b / count;
    if aa > 0.0 && bb > 0.0 { (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triangle(width_s: f32, height: f32) -> Vec<f32> {
        let side = |i: i32| 1.0 - ((i as f32 - 30.0) / 120.0).abs() / (width_s / 2.0);
        (0..66).map(|i| height * side(i).max(0.0)).collect()
    }

    #[test]
    fn width_area_and_height() {
        for (width, height) in [(0.08, 1.0), (0.08, -1.0), (0.16, 0.3), (0.14, -2.0)] {
            let form = Form::new(&triangle(width, height), 30.0, 120.0);
            assert!((form.width_ms - width * 1_000.0).abs() <= 25.0, "{width}: {form:?}");
            assert!((form.area_ms - width * 500.0).abs() <= 12.0, "{width}: {form:?}");
            assert!((form.height_mv / height - 1.0).abs() < 0.1, "{height}: {form:?}");
        }
        let flat = Form::new(&[0.0; 66], 30.0, 120.0);
        assert!(flat.area_ms.is_finite() && flat.height_mv == 0.0);
    }

    #[test]
    fn likeness_knows_shape_not_size() {
        let template = Template::new(&Form::new(&triangle(0.08, 1.0), 30.0, 120.0));
        let like = |samples: &[f32], middle: f32| template.likeness(&Form::new(samples, middle, 120.0));
        assert!(like(&triangle(0.08, 0.2), 30.0) > 0.99);
        assert!(like(&triangle(0.08, 1.0), 31.5) > 0.98);
        assert!(like(&triangle(0.18, 1.0), 30.0) < 0.9);
        assert!(like(&triangle(0.08, -1.0), 30.0) < 0.2);
    }
}
