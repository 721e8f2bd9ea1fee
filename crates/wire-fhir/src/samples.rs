//! `SampledData` to sample arrays and back.

use serde_json::{Value as Json, json};
use vitals::{Metric, ProblemKind, Quality, SampleArray, Unit};

use crate::code::{self, unit_of};

/// One bundle should not hold a day of ECG in one observation.
const SAMPLES_MAX: usize = 2_000_000;

type Failure = (ProblemKind, &'static str, &'static str);

/// The channels of a valid `SampledData` in the metric's unit, each with what is known against it.
pub(crate) fn read(data: &Json, metric: &Metric) -> Result<Vec<(SampleArray, Quality)>, Failure> {
    let bad = |at, detail| (ProblemKind::BadValue, at, detail);
    let period_ms = data["period"].as_f64().unwrap_or(0.0);
    let (rate_numerator, rate_denominator) =
        rate(period_ms).ok_or(bad("period", "Not a possible time between samples in ms."))?;
    let origin = &data["origin"];
    let named = ["code", "unit"].iter().any(|name| origin.get(*name).is_some());
    let unit = match unit_of(origin) {
        Some(unit) => unit,
        None if !named && metric.unit == Unit::NONE => Unit::NONE,
        None => return Err((ProblemKind::UnknownUnit, "origin", "A unit that no table knows: use UCUM.")),
    };
    if unit.convert(0.0, metric.unit).is_none() {
        return Err((ProblemKind::UnknownUnit, "origin", "The metric can't have values in this unit."));
    }
    let zero = origin["value"].as_f64().unwrap_or(0.0);
    let factor = data["factor"].as_f64().unwrap_or(1.0);
    let dimensions = usize::try_from(data["dimensions"].as_u64().unwrap_or(1)).unwrap_or(1).max(1);
    let mut quality = Quality::empty();
    quality.set(Quality::UNIT_CONVERTED, unit != metric.unit);
    let mut flat = Vec::new();
    for word in data["data"].as_str().unwrap_or_default().split_ascii_whitespace() {
        if flat.len() >= SAMPLES_MAX {
            return Err((ProblemKind::Limit, "data", "Too many samples in one observation."));
        }
        flat.push(match word {
            // R4: E is an error, L and U are below and above what can be measured.
            "E" | "L" | "U" => f64::NAN,
            _ => {
                let raw: f64 = word
                    .parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .ok_or(bad("data", "Samples are numbers, E, L or U."))?;
                unit.convert(zero + raw * factor, metric.unit).unwrap_or(f64::NAN)
            }
        });
    }
    if flat.is_empty() || !flat.len().is_multiple_of(dimensions) {
        return Err(bad("data", "The number of samples is not a multiple of the dimensions."));
    }
    Ok((0..dimensions)
        .map(|at| {
            let samples = flat.iter().skip(at).step_by(dimensions).copied().collect();
            (SampleArray { rate_numerator, rate_denominator, samples }, quality)
        })
        .collect())
}

/// The sampling rate in hertz as a fraction with a small denominator: the simplest one within a
/// millionth of 1000 / `period_ms`, by continued fractions.
fn rate(period_ms: f64) -> Option<(u32, u32)> {
    let hertz = 1_000.0 / period_ms;
    if !hertz.is_finite() || !(1e-6..=1e9).contains(&hertz) {
        return None;
    }
    let (mut rest, mut previous, mut current) = (hertz, (1_u64, 0_u64), (hertz.floor() as u64, 1_u64));
    for _ in 0..20 {
        if (current.0 as f64 / current.1 as f64 / hertz - 1.0).abs() < 1e-6 {
            break;
        }
        rest = 1.0 / (rest - rest.floor());
        let digit = rest.floor() as u64;
        let next = (
            digit.checked_mul(current.0)?.checked_add(previous.0)?,
            digit.checked_mul(current.1)?.checked_add(previous.1)?,
        );
        (previous, current) = (current, next);
    }
    let (numerator, denominator) = (u32::try_from(current.0).ok()?, u32::try_from(current.1).ok()?);
    (numerator > 0 && denominator > 0).then_some((numerator, denominator))
}

/// A sample array as `SampledData` in `unit`, values as they are stored (factor 1).
pub(crate) fn write(array: &SampleArray, unit: Unit) -> Json {
    let mut data = String::with_capacity(array.samples.len() * 8);
    for sample in &array.samples {
        if !data.is_empty() {
            data.push(' ');
        }
        if sample.is_finite() {
            data.push_str(&sample.to_string());
        } else {
            data.push('E');
        }
    }
    json!({
        "origin": {"value": 0, "unit": unit.ucum(), "system": code::UCUM, "code": unit.ucum()},
        "period": 1_000.0 / array.rate_hz(),
        "dimensions": 1,
        "data": data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_simple_fractions() {
        for (period_ms, expected) in [
            (8.0, (125, 1)),
            (16.0, (125, 2)),
            (2.0, (500, 1)),
            (1_000.0 / 360.0, (360, 1)),
            (3.90625, (256, 1)),
            (60_000.0, (1, 60)),
            (1_000.0 / 62.5, (125, 2)),
        ] {
            assert_eq!(rate(period_ms), Some(expected), "{period_ms} ms");
        }
        for period_ms in [0.0, -1.0, f64::NAN, 1e300, 1e-300] {
            assert_eq!(rate(period_ms), None);
        }
    }
}
