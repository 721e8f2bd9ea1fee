//! Waveforms in SenML: the extension fields `vwr`, the sampling rate, and `vws`, the samples.

use vitals::{Measurement, Metric, Problem, ProblemKind, Rate, SampleArray, Unit};

use crate::frame::MAX_SAMPLES;
use crate::{Details, measure_samples};

/// A measurement of `samples` at the rate that `rate` says; a problem's path is relative to the record.
pub(super) fn measured(
    metric: &Metric,
    rate: Option<&str>,
    samples: Vec<Option<f64>>,
    unit: Option<Unit>,
    details: Details,
) -> Result<Measurement, Problem> {
    let at = |kind, path: &str, detail: &str| crate::problem(kind, path, detail);
    let rate = rate.ok_or_else(|| at(ProblemKind::Missing, ".vwr", "samples need their rate: \"250\", \"125/2\""))?;
    let rate = parse_rate(rate)
        .ok_or_else(|| at(ProblemKind::BadValue, ".vwr", "not a rate in hertz: \"250\", \"125/2\" or \"62.5\""))?;
    if samples.is_empty() {
        return Err(at(ProblemKind::Missing, ".vws", "no samples"));
    }
    if samples.len() > MAX_SAMPLES {
        return Err(at(ProblemKind::Limit, ".vws", "more than 262,144 samples: send several messages"));
    }
    let values = samples.into_iter().map(|sample| sample.unwrap_or(f64::NAN)).collect();
    measure_samples(metric, SampleArray::from_values(rate, values), unit, details)
        .map_err(|problem| {
            let path = if problem.kind == ProblemKind::UnknownUnit { ".u" } else { ".vws" };
            Problem { path: path.to_owned(), ..problem }
        })
}

/// `125/2`, or a decimal number, which means exactly the fraction that it is.
fn parse_rate(text: &str) -> Option<Rate> {
    if let Some((numerator, denominator)) = text.split_once('/') {
        return Rate::new(numerator.trim().parse().ok()?, denominator.trim().parse().ok()?);
    }
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() > 9 || whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    Rate::new(format!("{whole}{part}").parse().ok()?, 10_u32.pow(part.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_fractions() {
        for (text, expected) in [
            ("250", Rate::new(250, 1)),
            ("125/2", Rate::new(125, 2)),
            ("62.5", Rate::new(125, 2)),
            (" 500 / 4 ", Rate::new(125, 1)),
            ("0", None),
            ("1/0", None),
            ("-5", None),
            ("1e3", None),
            ("", None),
            ("12345678.9012", None),
        ] {
            assert_eq!(parse_rate(text), expected, "{text}");
        }
    }
}
