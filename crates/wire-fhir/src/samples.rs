//! `SampledData` to sample arrays and back.

use serde_json::{Value as Json, json};
use vitals::{Metric, ProblemKind, Quality, Rate, SampleArray, Unit};

use crate::code::{self, unit_of};

/// One bundle should not hold a day of ECG in one observation.
const SAMPLES_MAX: usize = 2_000_000;

type Failure = (ProblemKind, &'static str, &'static str);

/// The channels of a valid `SampledData` in the metric's unit, each with what is known against it.
pub(crate) fn read(data: &Json, metric: &Metric) -> Result<Vec<(SampleArray, Quality)>, Failure> {
    let bad = |at, detail| (ProblemKind::BadValue, at, detail);
    let period_ms = data["period"].as_f64().unwrap_or(0.0);
    let rate = Rate::from_hz(1_000.0 / period_ms)
        .ok_or(bad("period", "Not a possible time between samples in ms."))?;
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
    for word in data["data"].as_str().unwrap_or_default().split_whitespace() {
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
                raw
            }
        });
    }
    if flat.is_empty() || !flat.len().is_multiple_of(dimensions) {
        return Err(bad("data", "The number of samples is not a multiple of the dimensions."));
    }
    let convert = |raw: f64| unit.convert(zero + raw * factor, metric.unit);
    let channel = |at| {
        let raw = flat.iter().skip(at).step_by(dimensions).copied().collect();
        SampleArray::from_values(rate, raw).convert(convert)
    };
    let channels: Option<Vec<_>> = (0..dimensions).map(|at| Some((channel(at)?, quality))).collect();
    channels.ok_or(bad("origin", "The values are out of range."))
}

/// A sample array as `SampledData` in `unit`, values as they are stored (factor 1).
pub(crate) fn write(array: &SampleArray, unit: Unit) -> Json {
    let mut data = String::with_capacity(array.len() * 8);
    for sample in &array.values() {
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
        "period": 1_000.0 / array.rate.hz(),
        "dimensions": 1,
        "data": data,
    })
}
