//! Whether a resource says all that another one said: codes, values in whatever unit, times as
//! instants, references, components, extensions. What may be added is not compared; texts for
//! people (narratives) and what a server gives (id, version) are not either.

use serde_json::Value as Json;
use vitals::{Metric, MetricCode, Unit};
use wire_fhir::time;

const MDC: &str = "urn:iso:std:iso:11073:10101";

/// What of `told` is missing or other in `got`.
pub fn differences(told: &Json, got: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let observation = told["resourceType"] == "Observation";
    for (name, value) in told.as_object().into_iter().flatten() {
        match name.as_str() {
            "id" | "text" => {}
            "meta" => within(&value["profile"], &got["meta"]["profile"], "meta.profile", &mut found),
            "effectiveDateTime" | "effectivePeriod" if observation => {
                let (a, b) = (effective(told), effective(got));
                if a != b {
                    found.push(format!("effective: {a:?} became {b:?}"));
                }
            }
            "component" if observation => components(value, &got["component"], &mut found),
            "valueQuantity" | "valueSampledData" | "valueDateTime" if observation => own(told, got, "", &mut found),
            _ => within(value, &got[name], name, &mut found),
        }
    }
    found
}

fn components(told: &Json, got: &Json, found: &mut Vec<String>) {
    let got = got.as_array().map_or(&[][..], Vec::as_slice);
    for part in told.as_array().into_iter().flatten() {
        let mut code = Vec::new();
        let same = got.iter().find(|other| {
            code.clear();
            within(&part["code"]["coding"], &other["code"]["coding"], "code", &mut code);
            code.is_empty()
        });
        match same {
            None => found.push(format!("component {} is gone", part["code"]["coding"][0]["code"])),
            Some(other) => own(part, other, "component.", found),
        }
    }
}

/// The value of an observation or component.
fn own(told: &Json, got: &Json, at: &str, found: &mut Vec<String>) {
    for (name, value) in told.as_object().into_iter().flatten() {
        let other = &got[name];
        let same = match name.as_str() {
            "valueQuantity" => amount(value).zip(amount(other)).is_some_and(|(a, b)| equal(a, b, metric(told))),
            "valueSampledData" => samples(value).zip(samples(other)).is_some_and(|(a, b)| alike(&a, &b)),
            "valueDateTime" => instant(value) == instant(other),
            name if name.starts_with("value") || name == "dataAbsentReason" => {
                let mut inner = Vec::new();
                within(value, other, name, &mut inner);
                inner.is_empty()
            }
            _ => true,
        };
        if !same {
            found.push(format!("{at}{name}: {value} became {other}"));
        }
    }
}

fn metric(holder: &Json) -> Option<&'static Metric> {
    let codings = holder["code"]["coding"].as_array().into_iter().flatten();
    codings.filter(|coding| coding["system"] == MDC).find_map(|coding| {
        MetricCode(coding["code"].as_str()?.parse().ok()?).metric()
    })
}

fn amount(quantity: &Json) -> Option<(f64, String)> {
    Some((quantity["value"].as_f64()?, quantity["code"].as_str()?.to_owned()))
}

fn equal((told, unit): (f64, String), (got, other): (f64, String), metric: Option<&'static Metric>) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    if unit == other {
        return close(told, got);
    }
    let (Some(from), Some(to)) = (Unit::from_ucum(&unit), Unit::from_ucum(&other)) else { return false };
    let converted = metric.filter(|metric| metric.unit == to).and_then(|metric| metric.normalise(told, from));
    converted.or_else(|| from.convert(told, to)).is_some_and(|value| close(value, got))
}

/// Period in ms and values in the unit of the origin.
fn samples(data: &Json) -> Option<(f64, String, Vec<f64>)> {
    let (zero, unit) = (data["origin"]["value"].as_f64()?, data["origin"]["code"].as_str()?.to_owned());
    let factor = data["factor"].as_f64().unwrap_or(1.0);
    let words = data["data"].as_str()?.split_whitespace();
    let values: Option<Vec<f64>> = words.map(|word| Some(zero + word.parse::<f64>().ok()? * factor)).collect();
    Some((data["period"].as_f64()?, unit, values?))
}

fn alike(a: &(f64, String, Vec<f64>), b: &(f64, String, Vec<f64>)) -> bool {
    let (Some(from), Some(to)) = (Unit::from_ucum(&a.1), Unit::from_ucum(&b.1)) else { return false };
    let pairs = || a.2.iter().zip(&b.2);
    (a.0 - b.0).abs() < 1e-6
        && a.2.len() == b.2.len()
        && pairs().all(|(a, b)| from.convert(*a, to).is_some_and(|a| (a - b).abs() < 1e-6))
}

fn instant(text: &Json) -> Option<i64> {
    time::interval(text.as_str()?).map(|interval| interval.start)
}

fn effective(json: &Json) -> (Option<i64>, Option<i64>) {
    let period = &json["effectivePeriod"];
    match json.get("effectiveDateTime") {
        Some(at) => (instant(at), None),
        None => (instant(&period["start"]), instant(&period["end"])),
    }
}

/// Whether all of `told` is in `got`: members of objects, items of lists in any order.
fn within(told: &Json, got: &Json, at: &str, found: &mut Vec<String>) {
    match (told, got) {
        (Json::Object(told), Json::Object(_)) => {
            // A display is a text for people; numbers are equal however they are written.
            for (name, value) in told.iter().filter(|(name, _)| *name != "display") {
                within(value, &got[name], &format!("{at}.{name}"), found);
            }
        }
        (Json::Array(told), Json::Array(got)) => {
            for item in told {
                let there = got.iter().any(|other| {
                    let mut inner = Vec::new();
                    within(item, other, at, &mut inner);
                    inner.is_empty()
                });
                if !there {
                    found.push(format!("{at}: {item} is not there"));
                }
            }
        }
        (Json::Number(a), Json::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if told == got => {}
        _ => found.push(format!("{at}: {told} became {got}")),
    }
}
