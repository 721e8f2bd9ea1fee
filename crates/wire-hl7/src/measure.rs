//! One OBX as measurements: metric, value in the metric's unit, quality; and the attributes that
//! belong to a waveform.

use std::collections::HashMap;

use vitals::metric::MetricKind;
use vitals::{Measurement, Metric, ProblemKind, Quality, Rate, SampleArray, Unit, Value};

use crate::codes::{self, Aliases, UnitSaid};
use crate::finding::{ErrorCode, Finding};
use crate::implant;
use crate::path::Path;
use crate::syntax::Segment;
use crate::value::{self, Sent};

/// What the fifth level of OBX-4 says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Attributes {
    /// Sampling rate in hertz as a fraction.
    rate: Option<(u32, u32)>,
    /// Lowest and highest valid sample, in the unit of the samples.
    range: Option<(f64, f64)>,
}

const RATE: &str = "MDC_ATTR_SAMP_RATE";
const PERIOD: &str = "MDC_ATTR_TIME_PD_SAMP";
const RANGE: &str = "MDC_ATTR_DATA_RANGE";

/// Collects the attributes of every metric of a group.
pub(crate) fn attributes<'a, 's>(
    rows: impl Iterator<Item = (Path, &'s Segment<'a>)>,
) -> HashMap<Path, Attributes>
where
    'a: 's,
{
    let mut found: HashMap<Path, Attributes> = HashMap::new();
    for (path, obx) in rows.filter(|(path, _)| path.is_attribute()) {
        let Some(refid) = codes::refid(&obx.field(3)) else { continue };
        match refid.as_str() {
            RATE => found.entry(path.parent()).or_default().rate = rate(&obx.field(5).text(), obx),
            PERIOD => {
                let entry = found.entry(path.parent()).or_default();
                entry.rate =
                    rate(&obx.field(5).text(), obx).map(|(n, d)| (d, n)).filter(|r| r.1 > 0);
            }
            RANGE => {
                if let Sent::Range(low, high) = value::read(obx, 0) {
                    found.entry(path.parent()).or_default().range = Some((low, high));
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether an OBX at the fifth level is an attribute rather than a metric of its own.
pub(crate) fn is_attribute(obx: &Segment<'_>) -> bool {
    codes::refid(&obx.field(3)).is_none_or(|refid| {
        matches!(refid.as_str(), RATE | PERIOD | RANGE) || Metric::by_refid(&refid).is_none()
    })
}

/// Whether an OBX names a compound metric, which needs no value of its own.
pub(crate) fn is_compound(obx: &Segment<'_>, aliases: &Aliases) -> bool {
    codes::metric(&obx.field(3), aliases).is_some_and(|m| m.kind == MetricKind::Compound)
}

/// The measurements of one OBX, without time and channel. Most have one; `120/80` has two.
pub(crate) fn measurements(
    obx: &Segment<'_>,
    sent: Sent,
    attributes: Option<&Attributes>,
    aliases: &Aliases,
) -> (Vec<Measurement>, Vec<Finding>) {
    let mut findings = Vec::new();
    // What they are does not depend on what they are called.
    let kept = match &sent {
        Sent::Document(kind, bytes) => Some(("VW_DOCUMENT", format!("{kind}, {bytes} bytes"))),
        Sent::Place(place) if !place.is_empty() => Some(("VW_DEVICE_PLACE", place.clone())),
        _ => None,
    };
    if let Some((metric, text)) = kept.and_then(|(refid, text)| Some((Metric::by_refid(refid)?, text))) {
        return (vec![measurement(metric, Value::Text(text), Quality::empty())], findings);
    }
    let result = metric(obx, aliases).and_then(|metric| match sent {
        Sent::Pressures(parts) if metric.kind == MetricKind::Compound => {
            pressures(obx, metric, &parts)
        }
        Sent::Samples(samples, wrong) => {
            if wrong > 0 {
                findings.push(
                    Finding::part(ErrorCode::DataType, ProblemKind::BadValue, obx.at(5))
                        .saying(format!("samples that are no numbers, or too many: {wrong}")),
                );
            }
            array(obx, metric, samples, attributes).map(|m| vec![m])
        }
        other => single(obx, metric, other).map(|m| vec![m]),
    });
    match result {
        Ok(measurements) => (measurements, findings),
        Err(finding) => {
            findings.push(finding);
            (Vec::new(), findings)
        }
    }
}

fn metric(obx: &Segment<'_>, aliases: &Aliases) -> Result<&'static Metric, Finding> {
    let field = obx.field(3);
    if field.is_empty() {
        return Err(Finding::part(
            ErrorCode::RequiredFieldMissing,
            ProblemKind::Missing,
            obx.at(3),
        )
        .saying("the observation has no identifier: send OBX-3"));
    }
    codes::metric(&field, aliases).ok_or_else(|| {
        Finding::part(ErrorCode::TableValueNotFound, ProblemKind::UnknownMetric, obx.at(3)).saying(
            "no table knows this observation: send an IEEE 11073 or LOINC code, or add an alias",
        )
    })
}

fn single(obx: &Segment<'_>, metric: &'static Metric, sent: Sent) -> Result<Measurement, Finding> {
    let wrong = |detail: &str| {
        Finding::part(ErrorCode::DataType, ProblemKind::BadValue, obx.at(5)).saying(detail)
    };
    match (metric.kind, sent) {
        (_, Sent::UnknownType) => {
            Err(Finding::part(ErrorCode::TableValueNotFound, ProblemKind::BadValue, obx.at(2))
                .saying("unsupported value type: send NM, SN, ST, CWE, NA or another simple type"))
        }
        (_, Sent::Wrong) => Err(wrong("the value is not of the type that OBX-2 says")),
        (MetricKind::Numeric, Sent::Number(number, bound)) => {
            let (number, unit_quality) = in_metric_unit(obx, metric, number)?;
            let bound = if bound { Quality::QUESTIONABLE } else { Quality::empty() };
            Ok(measurement(metric, Value::Numeric(number), unit_quality | bound))
        }
        (MetricKind::Enumeration, Sent::Number(number, _)) => {
            let state = whole(number).ok_or_else(|| wrong("a state is a whole number"))?;
            Ok(measurement(metric, Value::Enumeration(state, String::new()), Quality::empty()))
        }
        (MetricKind::Enumeration, Sent::Coded(code, text)) => {
            // A name says more than a number, which may be one of a nomenclature.
            let state = Some(text.as_str()).filter(|text| value::number(text).is_none());
            let state = state
                .and_then(|text| value::state_number(metric.code, text))
                .or_else(|| value::state_number(metric.code, &code))
                .or_else(|| value::state_number(metric.code, &text));
            let text = if text.is_empty() { code } else { text };
            let state = state.ok_or_else(|| wrong("not one of the states of this metric"))?;
            Ok(measurement(metric, Value::Enumeration(state, text), Quality::empty()))
        }
        (MetricKind::Enumeration, Sent::Text(text)) => {
            let state = value::state_number(metric.code, &text)
                .ok_or_else(|| wrong("not one of the states of this metric"))?;
            Ok(measurement(metric, Value::Enumeration(state, text), Quality::empty()))
        }
        (MetricKind::Text, sent) => {
            let text = match sent {
                Sent::Text(text) => text,
                Sent::Coded(code, text) => {
                    implant::word(if text.is_empty() { &code } else { &text }).to_owned()
                }
                _ => obx.field(5).text().into_owned(),
            };
            Ok(measurement(metric, Value::Text(text), Quality::empty()))
        }
        (MetricKind::Numeric, Sent::Coded(code, _)) if value::number(&code).is_some() => {
            let number = value::number(&code).unwrap_or(f64::NAN);
            let (number, quality) = in_metric_unit(obx, metric, number)?;
            Ok(measurement(metric, Value::Numeric(number), quality))
        }
        (MetricKind::Compound, _) => Err(wrong("this metric has parts: send them, or 120/80")),
        (MetricKind::SampleArray, _) => Err(wrong("this metric is a waveform: send NA")),
        _ => Err(wrong("this metric has numbers as values")),
    }
}

fn pressures(
    obx: &Segment<'_>,
    metric: &'static Metric,
    parts: &[f64],
) -> Result<Vec<Measurement>, Finding> {
    parts
        .iter()
        .enumerate()
        .filter_map(|(at, number)| Some((value::pressure_part(metric.code, at)?, *number)))
        .map(|(part, number)| {
            let (number, quality) = in_metric_unit(obx, part, number)?;
            Ok(measurement(part, Value::Numeric(number), quality))
        })
        .collect()
}

fn array(
    obx: &Segment<'_>,
    metric: &'static Metric,
    mut samples: Vec<f64>,
    attributes: Option<&Attributes>,
) -> Result<Measurement, Finding> {
    let rate = attributes.and_then(|a| a.rate).and_then(|(n, d)| Rate::new(n, d));
    let Some(rate) = rate else {
        return Err(Finding::part(
            ErrorCode::RequiredFieldMissing,
            ProblemKind::Missing,
            obx.at(4),
        )
        .saying("the waveform has no sampling rate: send MDC_ATTR_SAMP_RATE below it"));
    };
    // A range that says nothing is one that nobody filled in.
    if let Some((low, high)) = attributes.and_then(|a| a.range).filter(|(l, h)| l < h) {
        for sample in &mut samples {
            if *sample < low || *sample > high {
                *sample = f64::NAN;
            }
        }
    }
    let unit = unit(obx, metric)?;
    let mut quality = Quality::empty();
    let mut samples = SampleArray::from_values(rate, samples);
    if unit != metric.unit {
        quality |= Quality::UNIT_CONVERTED;
        samples =
            samples.convert(|value| unit.convert(value, metric.unit)).ok_or_else(|| wrong_unit(obx))?;
    }
    Ok(measurement(metric, Value::SampleArray(samples), quality))
}

fn measurement(metric: &'static Metric, value: Value, quality: Quality) -> Measurement {
    Measurement {
        metric: metric.code,
        value,
        unit: metric.unit,
        device_time: None,
        quality,
        channel: 0,
    }
}

fn in_metric_unit(
    obx: &Segment<'_>,
    metric: &'static Metric,
    number: f64,
) -> Result<(f64, Quality), Finding> {
    let unit = unit(obx, metric)?;
    let (number, quality) = if unit == metric.unit {
        (number, Quality::empty())
    } else {
        let converted = metric.normalise(number, unit).ok_or_else(|| wrong_unit(obx))?;
        (converted, Quality::UNIT_CONVERTED)
    };
    if number.is_finite() {
        return Ok((number, quality));
    }
    Err(Finding::part(ErrorCode::DataType, ProblemKind::BadValue, obx.at(5))
        .saying("the number is too large"))
}

/// The unit of OBX-6; the metric's own where none is given.
fn unit(obx: &Segment<'_>, metric: &'static Metric) -> Result<Unit, Finding> {
    match codes::unit(&obx.field(6)) {
        UnitSaid::Nothing => Ok(metric.unit),
        UnitSaid::Known(unit) => Ok(unit),
        UnitSaid::Unknown => {
            Err(Finding::part(ErrorCode::TableValueNotFound, ProblemKind::UnknownUnit, obx.at(6))
                .saying("no table knows this unit: send an IEEE 11073 or UCUM code"))
        }
    }
}

fn wrong_unit(obx: &Segment<'_>) -> Finding {
    Finding::part(ErrorCode::TableValueNotFound, ProblemKind::UnknownUnit, obx.at(6))
        .saying("this metric can't have this unit")
}

fn whole(number: f64) -> Option<i32> {
    let whole =
        number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    whole.then_some(number as i32)
}

/// A rate or period, exactly: 62.5 is 125/2. Units other than hertz and seconds are converted.
fn rate(text: &str, obx: &Segment<'_>) -> Option<(u32, u32)> {
    let (mantissa, denominator) = decimal(text)?;
    let unit = codes::unit(&obx.field(6));
    let (numerator, denominator) = match unit {
        UnitSaid::Known(unit) if unit == Unit::PER_MINUTE => {
            (mantissa, denominator.checked_mul(60)?)
        }
        UnitSaid::Known(unit) if unit.ucum() == "ms" => (mantissa, denominator.checked_mul(1_000)?),
        UnitSaid::Known(unit) if unit.ucum() == "us" => {
            (mantissa, denominator.checked_mul(1_000_000)?)
        }
        _ => (mantissa, denominator),
    };
    let divisor = greatest_common_divisor(numerator, denominator);
    let numerator = u32::try_from(numerator / divisor).ok()?;
    let denominator = u32::try_from(denominator / divisor).ok()?;
    (numerator > 0).then_some((numerator, denominator))
}

/// A positive decimal as a fraction.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 6 || whole.len() > 9 {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let denominator = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    plain.then(|| digits.parse().ok()).flatten().map(|mantissa| (mantissa, denominator))
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Separators;

    #[test]
    fn rates_are_exact() {
        let check = |value: &str, unit: &str, expected: Option<(u32, u32)>| {
            let line = format!("OBX|1|NM|0^{RATE}^MDC|1.1.1.1.1|{value}|{unit}");
            let obx = Segment::parse(&line, Separators::default()).expect("a segment");
            assert_eq!(rate(value, &obx), expected, "{value} {unit}");
        };
        check("125", "264608^MDC_DIM_PER_SEC^MDC", Some((125, 1)));
        check("62.5", "", Some((125, 2)));
        check("62.50", "Hz", Some((125, 2)));
        check("333.33", "", Some((33_333, 100)));
        check("60", "/min", Some((1, 1)));
        check("0", "", None);
        check("-5", "", None);
        check("x", "", None);
        check(".5", "", Some((1, 2)));
        check("", "", None);
    }
}
