//! From a number, a text or samples in some unit to a measurement in the metric's own unit.

use vitals::metric::MetricKind;
use vitals::{
    DeviceTime, Measurement, Metric, MetricCode, Problem, ProblemKind, Quality, SampleArray, Unit,
    Value, metric,
};

use crate::problem;

/// What is said of a value besides the value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details {
    /// When the device says that it measured.
    pub device_time: Option<DeviceTime>,
    /// What is known against the value.
    pub quality: Quality,
    /// Which of several like channels.
    pub channel: u32,
}

/// A measurement of `metric` from a number in `unit` (none: in the metric's own unit). A value in
/// another unit of the same dimension is converted and flagged [`Quality::UNIT_CONVERTED`]. For a
/// metric with named states the number is the state's.
///
/// # Errors
/// A problem with an empty path, which the caller fills in: [`ProblemKind::UnknownUnit`] when the
/// metric can't have the unit, [`ProblemKind::BadValue`] when the number is not finite, is no
/// whole number for a metric with states, or the metric is not one of single numbers.
pub fn measure(
    metric: &Metric,
    value: f64,
    unit: Option<Unit>,
    details: Details,
) -> Result<Measurement, Problem> {
    if !value.is_finite() {
        return Err(bad_value("the value is not a finite number".to_owned()));
    }
    let value = match metric.kind {
        MetricKind::Numeric => return numeric(metric, value, unit, details),
        MetricKind::Enumeration => {
            let state = value as i32;
            if f64::from(state) != value {
                return Err(bad_value(format!("{} has states: a whole number is needed", metric.refid)));
            }
            Value::Enumeration(state, String::new())
        }
        MetricKind::Compound => {
            return Err(bad_value(format!(
                "{} is a group: send its parts, each as a value of its own",
                metric.refid
            )));
        }
        MetricKind::SampleArray => {
            return Err(bad_value(format!(
                "{} is a waveform: send samples with a rate, not a single number",
                metric.refid
            )));
        }
        MetricKind::Text => {
            return Err(bad_value(format!("{} is a text, not a number", metric.refid)));
        }
    };
    Ok(build(metric, value, details))
}

fn numeric(
    metric: &Metric,
    value: f64,
    unit: Option<Unit>,
    mut details: Details,
) -> Result<Measurement, Problem> {
    let value = match unit {
        Some(unit) if unit != metric.unit => {
            details.quality |= Quality::UNIT_CONVERTED;
            tidy(metric.normalise(value, unit).ok_or_else(|| wrong_unit(metric, unit))?)
        }
        _ => value,
    };
    Ok(build(metric, Value::Numeric(value), details))
}

/// A waveform of `metric` from equidistant samples in `unit`.
///
/// # Errors
/// A problem with an empty path: no unit of the metric, or a metric that has no samples.
pub fn measure_samples(
    metric: &Metric,
    mut samples: SampleArray,
    unit: Option<Unit>,
    mut details: Details,
) -> Result<Measurement, Problem> {
    if matches!(metric.kind, MetricKind::Enumeration | MetricKind::Text) {
        return Err(bad_value(format!("{} has no waveform", metric.refid)));
    }
    if let Some(unit) = unit.filter(|unit| *unit != metric.unit) {
        details.quality |= Quality::UNIT_CONVERTED;
        samples = samples
            .convert(|value| metric.normalise(value, unit))
            .ok_or_else(|| wrong_unit(metric, unit))?;
    }
    Ok(build(metric, Value::SampleArray(samples), details))
}

/// A measurement of `metric` from a text: free text, or the name or number of a state.
///
/// # Errors
/// A problem with an empty path: the metric has no such state, or is one of numbers.
pub fn measure_text(metric: &Metric, text: &str, details: Details) -> Result<Measurement, Problem> {
    let value = match metric.kind {
        MetricKind::Text => Value::Text(text.to_owned()),
        MetricKind::Enumeration => {
            let state = state_of(metric.code, text).ok_or_else(|| {
                bad_value(format!("{} has no state of that name: send its number", metric.refid))
            })?;
            Value::Enumeration(state, text.to_owned())
        }
        _ => return Err(bad_value(format!("{} needs a number, not a text", metric.refid))),
    };
    Ok(build(metric, value, details))
}

fn build(metric: &Metric, value: Value, details: Details) -> Measurement {
    Measurement {
        metric: metric.code,
        value,
        unit: metric.unit,
        device_time: details.device_time,
        quality: details.quality,
        channel: details.channel,
    }
}

/// The number of a state that goes by a name.
fn state_of(code: MetricCode, text: &str) -> Option<i32> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let lower = text.to_ascii_lowercase();
    let states: &[(&str, i32)] = match code {
        metric::code::CONSCIOUSNESS => &[
            ("a", 0),
            ("alert", 0),
            ("c", 1),
            ("confusion", 1),
            ("v", 2),
            ("voice", 2),
            ("p", 3),
            ("pain", 3),
            ("u", 4),
            ("unresponsive", 4),
        ],
        metric::code::SUPPLEMENTAL_OXYGEN => {
            &[("air", 0), ("no", 0), ("false", 0), ("oxygen", 1), ("yes", 1), ("true", 1)]
        }
        metric::code::RESPIRATORY_EFFORT => {
            &[("none", 0), ("normal", 0), ("mild", 1), ("moderate", 2), ("severe", 3)]
        }
        _ => &[("false", 0), ("off", 0), ("no", 0), ("true", 1), ("on", 1), ("yes", 1)],
    };
    states.iter().find(|(name, _)| *name == lower).map(|(_, state)| *state)
}

/// The metric that a text names: a reference id, a LOINC code or a context-free MDC number.
#[must_use]
pub fn metric_from_text(text: &str) -> Option<&'static Metric> {
    let text = text.trim();
    Metric::by_refid(text)
        .or_else(|| Metric::by_loinc(text))
        .or_else(|| text.parse().ok().and_then(|code| MetricCode(code).metric()))
}

/// The unit that a text names: UCUM (with or without annotations), a SenML unit (RFC 8428 §12.1),
/// or an IEEE 11073 reference id.
#[must_use]
pub fn unit_from_text(text: &str) -> Option<Unit> {
    if let Some(unit) = Unit::from_ucum(text) {
        return Some(unit);
    }
    let text = text.trim();
    let senml = match text {
        "/" | "EL" | "count" | "counts" | "beats" => Some("1"),
        "%RH" | "%EL" | "/100" => Some("%"),
        "beat/min" => Some("/min"),
        "l" => Some("L"),
        "l/s" => Some("L/s"),
        _ => None,
    };
    if let Some(code) = senml {
        return Unit::from_ucum(code);
    }
    if text.starts_with("MDC_") {
        return Unit::from_refid(text);
    }
    let bare = strip_annotations(text)?;
    Unit::from_ucum(if bare.is_empty() { "1" } else { &bare })
}

/// `{beats}/min` without the `{beats}`; none when there is no annotation.
fn strip_annotations(text: &str) -> Option<String> {
    if !text.contains('{') {
        return Unit::from_ucum(text).map(|_| text.to_owned());
    }
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    Some(kept)
}

/// Rounds away what binary arithmetic adds to a scaled or converted number (36.60000000000002):
/// to ten decimal places, where that is far finer than any device measures.
pub(crate) fn tidy(value: f64) -> f64 {
    if (1e-3..1e5).contains(&value.abs()) { (value * 1e10).round() / 1e10 } else { value }
}

fn bad_value(detail: String) -> Problem {
    problem(ProblemKind::BadValue, "", detail)
}

fn wrong_unit(metric: &Metric, unit: Unit) -> Problem {
    problem(
        ProblemKind::UnknownUnit,
        "",
        format!("{} is in {} and can't be in {}", metric.refid, metric.unit.ucum(), unit.ucum()),
    )
}

pub(crate) fn unknown_unit(path: String) -> Problem {
    problem(ProblemKind::UnknownUnit, path, "no table knows this unit: use a UCUM code")
}

pub(crate) fn unknown_metric(path: String) -> Problem {
    problem(
        ProblemKind::UnknownMetric,
        path,
        "no table knows this metric: use an IEEE 11073 reference id such as MDC_ECG_HEART_RATE",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(refid: &str, value: f64, unit: &str, expected: Result<f64, ProblemKind>) {
        let metric = Metric::by_refid(refid).expect("known metric");
        let got = measure(metric, value, unit_from_text(unit), Details::default());
        match (got, expected) {
            (Ok(got), Ok(number)) => match got.value {
                Value::Numeric(value) => assert!((value - number).abs() < 1e-9, "{refid} {unit}: {value}"),
                Value::Enumeration(state, _) => assert_eq!(f64::from(state), number),
                other => panic!("{other:?}"),
            },
            (Err(problem), Err(kind)) => assert_eq!(problem.kind, kind, "{}", problem.detail),
            (got, expected) => panic!("{refid} {value} {unit}: {got:?}, not {expected:?}"),
        }
    }

    #[test]
    fn values_land_in_the_metrics_unit() {
        check("MDC_TEMP_BODY", 98.6, "[degF]", Ok(37.0));
        check("MDC_TEMP_BODY", 310.15, "K", Ok(37.0));
        check("MDC_PULS_OXIM_SAT_O2", 0.97, "/", Ok(97.0));
        check("MDC_PULS_OXIM_SAT_O2", 97.0, "%", Ok(97.0));
        check("MDC_ECG_HEART_RATE", 72.0, "beat/min", Ok(72.0));
        check("MDC_ECG_HEART_RATE", 72.0, "{heart beats}/min", Ok(72.0));
        check("MDC_ECG_HEART_RATE", 1.2, "Hz", Ok(72.0));
        check("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", 5.55, "mmol/L", Ok(99.986_58));
        check("MDC_ECG_HEART_RATE", 72.0, "mmHg", Err(ProblemKind::UnknownUnit));
        check("MDC_ECG_HEART_RATE", f64::NAN, "/min", Err(ProblemKind::BadValue));
        check("MDC_PRESS_BLD_NONINV", 120.0, "mmHg", Err(ProblemKind::BadValue));
        check("VW_CONSCIOUSNESS", 2.0, "1", Ok(2.0));
        check("VW_CONSCIOUSNESS", 2.5, "1", Err(ProblemKind::BadValue));
    }

    #[test]
    fn states_go_by_name_too() {
        let metric = Metric::by_refid("VW_CONSCIOUSNESS").expect("known metric");
        let got = measure_text(metric, "Alert", Details::default()).expect("a state");
        assert_eq!(got.value, Value::Enumeration(0, "Alert".to_owned()));
        assert!(measure_text(metric, "sleepy", Details::default()).is_err());
    }
}
