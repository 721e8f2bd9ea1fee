//! Single numbers of a policy, named by a path, changed in its text: comments and order stay.
//!
//! `limit.SpO2.low`, `limit.MDC_ECG_HEART_RATE.for_s`, `rule.news2.high.when` (the number that the
//! expression compares with; `when.2` the second one), `rule.news2.high.for_s`, `rule.news2.clear_s`,
//! `chain.ward.repeat_s`, `chain.ward.2.after_s` (the second step), `gap.after_s`, `hold_s`. A second
//! limit of the same metric is `limit.SpO2#2`.

use std::ops::Range;

use alert::Policy;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};
use vitals::Metric;

use crate::LabError;

/// Numbers of a limit, a rule, a level; each may be left out of a policy.
const LIMIT: [&str; 10] = [
    "low", "high", "critical_low", "critical_high", "for_s", "clear_s", "hysteresis", "worsen_by", "age_from",
    "age_below",
];
const RULE: [&str; 5] = ["clear_s", "hysteresis", "worsen_by", "age_from", "age_below"];
const GAP: [&str; 3] = ["after_s", "intervals", "clear_s"];
/// Values of one sweep at most.
const VALUES_MAX: usize = 200;

/// A number of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryParameter))]
pub struct Parameter {
    /// Its path.
    pub path: String,
    /// Its value; none: the policy does not state it.
    pub value: Option<f64>,
    /// The rule or metric that it belongs to, as people read it.
    pub of: String,
    /// What it is there: an expression, or the key's name.
    pub what: String,
    /// Unit as people write it; empty for a bare number.
    pub unit: String,
    /// Where it stands in the text; for one that is not stated, where it would.
    #[serde(skip)]
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Default)]
enum Place {
    /// These bytes are the number.
    At(Range<usize>),
    /// Behind this byte, on a line of its own, under this key.
    Line(usize, String),
    /// Behind this byte, in the same table, under this key.
    Inline(usize, String),
    #[default]
    Nowhere,
}

/// A path with the values to try.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The path.
    pub path: String,
    /// The values, in order.
    pub values: Vec<f64>,
}

impl Sweep {
    /// Reads `PATH=VALUE`, `PATH=FROM..TO/STEP` (both ends included) or `PATH=A,B,C`.
    ///
    /// # Errors
    /// [`LabError::Edit`].
    pub fn parse(text: &str) -> Result<Self, LabError> {
        let wrong = |problem: &str| LabError::Edit { path: text.to_owned(), problem: problem.to_owned() };
        let (path, values) =
            text.split_once('=').ok_or_else(|| wrong("write PATH=VALUE, or PATH=FROM..TO/STEP"))?;
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong("a value is no number"));
        let values = match values.split_once("..") {
            None => values.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
            Some((from, rest)) => {
                let (to, step) = rest.split_once('/').unwrap_or((rest, "1"));
                let (from, to, step) = (number(from)?, number(to)?, number(step)?.abs());
                if step <= 0.0 || !(to - from).is_finite() || (to - from).abs() / step > VALUES_MAX as f64 {
                    return Err(wrong("the step must be above 0, and there may be 200 values"));
                }
                let count = ((to - from).abs() / step + 1e-9) as usize;
                let sign = if to < from { -1.0 } else { 1.0 };
                // Rounded, so that 0.1 thrice is 0.3.
                (0..=count).map(|n| ((from + sign * step * n as f64) * 1e6).round() / 1e6).collect()
            }
        };
        Ok(Self { path: path.trim().to_owned(), values })
    }
}

/// Every combination of the sweeps' values, at most `most`.
///
/// # Errors
/// [`LabError::Edit`] when there are more.
pub fn combinations(sweeps: &[Sweep], most: usize) -> Result<Vec<Vec<(String, f64)>>, LabError> {
    let mut all: Vec<Vec<(String, f64)>> = vec![Vec::new()];
    for sweep in sweeps {
        if all.len() * sweep.values.len() > most {
            let problem = format!("makes more than {most} policies; take larger steps");
            return Err(LabError::Edit { path: sweep.path.clone(), problem });
        }
        let longer = |one: &Vec<(String, f64)>| {
            let one = one.clone();
            let with = move |value: &f64| {
                let mut one = one.clone();
                one.push((sweep.path.clone(), *value));
                one
            };
            sweep.values.iter().map(with).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    Ok(all)
}

/// Every number of a policy, in its order; those that it leaves out among them.
///
/// # Errors
/// [`LabError::Policy`] when it is none.
pub fn parameters(text: &str) -> Result<Vec<Parameter>, LabError> {
    Policy::parse(text).map_err(|error| no_policy(error.to_string()))?;
    located(text)
}

fn no_policy(problem: String) -> LabError {
    LabError::Policy { name: "text".to_owned(), problem }
}

/// The numbers of a text that need not be a policy: half-way through several changes it may not be.
fn located(text: &str) -> Result<Vec<Parameter>, LabError> {
    let document = DeTable::parse(text).map_err(|error| no_policy(error.to_string()))?;
    let document = document.get_ref();
    let mut all = Vec::new();
    for (index, limit) in tables(document, "limit").enumerate() {
        let metric = string(limit, "metric");
        let same = tables(document, "limit").take(index).filter(|other| string(other, "metric") == metric).count();
        limit_parameters(limit, &metric, same, &mut all);
    }
    for rule in tables(document, "rule") {
        rule_parameters(rule, text, &mut all);
    }
    for (name, keys, of) in [("gap", &GAP[..], "Silence of a device"), ("", &["hold_s"], "Values that stay away")] {
        let table = if name.is_empty() { Some(document) } else { table(document, name) };
        for key in keys {
            let path = if name.is_empty() { (*key).to_owned() } else { format!("{name}.{key}") };
            if let Some(parameter) = table.and_then(|table| stated(table, key, path, of)) {
                all.push(parameter);
            }
        }
    }
    for chain in tables(document, "chain") {
        let name = string(chain, "name");
        let of = format!("Chain {name}");
        all.extend(stated(chain, "repeat_s", format!("chain.{name}.repeat_s"), &of));
        for (number, step) in (1..).zip(tables(chain, "step")) {
            let of = format!("{of}, step {number} ({})", string(step, "role"));
            all.extend(stated(step, "after_s", format!("chain.{name}.{number}.after_s"), &of));
        }
    }
    Ok(all)
}

/// A policy's text with these numbers changed.
///
/// # Errors
/// [`LabError::Edit`] for a path that the policy has not; [`LabError::Policy`] when what comes out
/// is none.
pub fn apply(text: &str, changes: &[(String, f64)]) -> Result<String, LabError> {
    let mut text = text.to_owned();
    for (path, value) in changes {
        let all = located(&text)?;
        let wanted = normal(path);
        let Some(found) = all.iter().find(|parameter| parameter.path == wanted) else {
            return Err(LabError::Edit { path: path.clone(), problem: advice(&wanted, &all) });
        };
        let value = if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { value.to_string() };
        match &found.place {
            Place::At(range) => text.replace_range(range.clone(), &value),
            Place::Line(at, key) => text.insert_str(line_end(&text, *at), &format!("\n{key} = {value}")),
            Place::Inline(at, key) => text.insert_str(*at, &format!(", {key} = {value}")),
            Place::Nowhere => {}
        }
    }
    Policy::parse(&text)
        .map_err(|error| LabError::Policy { name: "changed".to_owned(), problem: error.to_string() })?;
    Ok(text)
}

/// A number that two policies do not have alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryChanged))]
pub struct Changed {
    /// The parameter as the first policy has it, or as the second if only that has it.
    pub parameter: Parameter,
    /// Its value in the first; none: not stated.
    pub from: Option<f64>,
    /// Its value in the second.
    pub to: Option<f64>,
}

/// The numbers in which two policies differ, and whether they differ in anything else.
///
/// # Errors
/// [`LabError::Policy`].
pub fn diff(from: &str, to: &str) -> Result<(Vec<Changed>, bool), LabError> {
    let (before, after) = (parameters(from)?, parameters(to)?);
    let value = |all: &[Parameter], path: &str| all.iter().find(|p| p.path == path).and_then(|p| p.value);
    let new = after.iter().filter(|p| before.iter().all(|other| other.path != p.path));
    let changed: Vec<Changed> = before
        .iter()
        .chain(new)
        .map(|parameter| Changed {
            from: value(&before, &parameter.path),
            to: value(&after, &parameter.path),
            parameter: parameter.clone(),
        })
        .filter(|changed| changed.from != changed.to)
        .collect();
    // With the first's numbers changed they are the same, or there is more.
    let numbers: Vec<(String, f64)> = changed
        .iter()
        .filter_map(|changed| Some((changed.parameter.path.clone(), changed.to?)))
        .collect();
    let rebuilt = apply(from, &numbers).ok().and_then(|text| Policy::parse(&text).ok());
    let wanted = Policy::parse(to).ok();
    let same = match (rebuilt, wanted) {
        (Some(a), Some(b)) => Policy { text: String::new(), ..a } == Policy { text: String::new(), ..b },
        _ => false,
    };
    Ok((changed, !same))
}

fn limit_parameters(limit: &DeTable<'_>, metric: &str, same: usize, all: &mut Vec<Parameter>) {
    let row = Metric::by_refid(metric).or_else(|| by_label(metric));
    let (label, unit) = row.map_or((metric, ""), |row| (row.label, row.unit.display()));
    let number = if same == 0 { String::new() } else { format!("#{}", same + 1) };
    let of = row.map_or(metric.to_owned(), |row| row.name.to_owned());
    let anchor = limit.get("metric").map_or(0, |value| value.span().end);
    for key in LIMIT {
        let path = format!("limit.{label}{number}.{key}");
        let (value, place) = match limit.get(key).and_then(|value| Some((float(value.get_ref())?, value.span()))) {
            Some((value, span)) => (Some(value), Place::At(span)),
            None => (None, Place::Line(anchor, key.to_owned())),
        };
        let own = matches!(key, "low" | "high" | "critical_low" | "critical_high" | "hysteresis" | "worsen_by");
        let unit = if own { unit } else { unit_of(key) };
        all.push(Parameter { path, value, of: of.clone(), what: key.to_owned(), unit: unit.to_owned(), place });
    }
}

fn rule_parameters(rule: &DeTable<'_>, text: &str, all: &mut Vec<Parameter>) {
    let (id, title) = (string(rule, "id"), string(rule, "title"));
    for level in tables(rule, "level") {
        let priority = string(level, "priority");
        let Some(when) = level.get("when") else { continue };
        let numbers = numbers(text, when.span());
        let several = numbers.len() > 1;
        for (at, (range, value)) in numbers.into_iter().enumerate() {
            let path = format!("rule.{id}.{priority}.when");
            all.push(Parameter {
                path: if several { format!("{path}.{}", at + 1) } else { path },
                value: Some(value),
                of: format!("{title}, {priority}"),
                what: string(level, "when"),
                unit: String::new(),
                place: Place::At(range),
            });
        }
        let (value, place) = match level.get("for_s").and_then(|v| Some((float(v.get_ref())?, v.span()))) {
            Some((value, span)) => (Some(value), Place::At(span)),
            None => (None, Place::Inline(when.span().end, "for_s".to_owned())),
        };
        all.push(Parameter {
            path: format!("rule.{id}.{priority}.for_s"),
            value,
            of: format!("{title}, {priority}"),
            what: "for_s".to_owned(),
            unit: "s".to_owned(),
            place,
        });
    }
    let anchor = rule.get("id").map_or(0, |value| value.span().end);
    for key in RULE {
        let path = format!("rule.{id}.{key}");
        let (value, place) = match rule.get(key).and_then(|value| Some((float(value.get_ref())?, value.span()))) {
            Some((value, span)) => (Some(value), Place::At(span)),
            None => (None, Place::Line(anchor, key.to_owned())),
        };
        let unit = unit_of(key).to_owned();
        all.push(Parameter { path, value, of: title.clone(), what: key.to_owned(), unit, place });
    }
}

fn stated(table: &DeTable<'_>, key: &str, path: String, of: &str) -> Option<Parameter> {
    let found = table.get(key)?;
    Some(Parameter {
        path,
        value: Some(float(found.get_ref())?),
        of: of.to_owned(),
        what: key.to_owned(),
        unit: unit_of(key).to_owned(),
        place: Place::At(found.span()),
    })
}

/// The numbers that an expression compares with, and where they stand.
fn numbers(text: &str, span: Range<usize>) -> Vec<(Range<usize>, f64)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = span.start;
    while at < span.end {
        if !matches!(bytes[at], b'<' | b'>' | b'=') {
            at += 1;
            continue;
        }
        let skip = |from: usize, wanted: &dyn Fn(u8) -> bool| (from..span.end).find(|i| !wanted(bytes[*i])).unwrap_or(span.end);
        let begin = skip(at, &|byte| matches!(byte, b'<' | b'>' | b'=' | b' '));
        let end = skip(begin, &|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if let Some(value) = text.get(begin..end).and_then(|number| number.parse().ok()) {
            found.push((begin..end, value));
        }
        at = end.max(at + 1);
    }
    found
}

fn tables<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> impl Iterator<Item = &'a DeTable<'i>> {
    let array = table.get(key).and_then(|value| match value.get_ref() {
        DeValue::Array(array) => Some(array),
        _ => None,
    });
    array.into_iter().flat_map(|array| array.iter()).filter_map(|value| match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    })
}

fn table<'a, 'i>(document: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    match document.get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn string(table: &DeTable<'_>, key: &str) -> String {
    match table.get(key).map(toml::Spanned::get_ref) {
        Some(DeValue::String(text)) => text.to_string(),
        _ => String::new(),
    }
}

fn float(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

fn unit_of(key: &str) -> &'static str {
    match key {
        key if key.ends_with("_s") => "s",
        "age_from" | "age_below" => "years",
        _ => "",
    }
}

fn by_label(label: &str) -> Option<&'static Metric> {
    Metric::all().find(|row| row.label == label)
}

/// A limit may be named by the metric's reference id as well.
fn normal(path: &str) -> String {
    let Some((metric, key)) = path.strip_prefix("limit.").and_then(|rest| rest.rsplit_once('.')) else {
        return path.to_owned();
    };
    let (name, number) = metric.split_at(metric.find('#').unwrap_or(metric.len()));
    let label = Metric::by_refid(name).map_or(name, |row| row.label);
    format!("limit.{label}{number}.{key}")
}

fn advice(path: &str, all: &[Parameter]) -> String {
    let head = path.split('.').take(2).collect::<Vec<_>>().join(".");
    let near: Vec<&str> =
        all.iter().map(|p| p.path.as_str()).filter(|other| other.starts_with(&head)).take(12).collect();
    if near.is_empty() {
        let mut heads: Vec<String> =
            all.iter().map(|p| p.path.split('.').take(2).collect::<Vec<_>>().join(".")).collect();
        heads.dedup();
        return format!("the policy has no such number; it has {}", heads.join(", "));
    }
    format!("the policy has no such number; near it are {}", near.join(", "))
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> String {
        Policy::built_in().text
    }

    fn one(path: &str, value: f64) -> Result<Policy, LabError> {
        let text = apply(&built_in(), &[(path.to_owned(), value)])?;
        Ok(Policy::parse(&text).expect("checked"))
    }

    #[test]
    fn each_number_can_be_set_and_nothing_else_changes() {
        let all = parameters(&built_in()).expect("read");
        assert!(all.len() > 80, "{}", all.len());
        for parameter in &all {
            let (value, path) = (parameter.value.unwrap_or(0.0), parameter.path.clone());
            let Ok(text) = apply(&built_in(), &[(path.clone(), value + 0.5)]) else { continue };
            let again = parameters(&text).expect("read");
            for (before, after) in all.iter().zip(&again) {
                let expected = if before.path == path { Some(value + 0.5) } else { before.value };
                assert_eq!(after.value, expected, "{} after {path}", after.path);
            }
            let (changed, more) = diff(&built_in(), &text).expect("compared");
            assert_eq!((changed.len(), more), (1, false), "{path}");
        }
    }

    #[test]
    fn paths_lead_to_what_they_say() {
        let policy = one("limit.MDC_PULS_OXIM_SAT_O2.low", 90.0).expect("set");
        assert!(policy.limits.iter().any(|limit| limit.low == Some(90.0) && limit.critical_low == Some(82.0)));
        let policy = one("rule.news2.high.when", 8.0).expect("set");
        assert_eq!(policy.rules[0].levels[0].to_string(), "NEWS2 ≥ 8 for 10 s");
        let policy = one("rule.shock-index.medium.when.2", 95.0).expect("set");
        assert!(policy.text.contains("SYS < 95 or ABPs < 100"));
        let policy = one("chain.ward.2.after_s", 60.0).expect("set");
        assert_eq!(policy.chains[0].steps[1].after_us, 60_000_000);
        let policy = one("limit.SpO2.high", 99.5).expect("a limit that was not stated");
        assert!(policy.limits.iter().any(|limit| limit.high == Some(99.5)));
        let policy = one("rule.asystole.high.for_s", 5.0).expect("a time that was not stated");
        assert!(policy.text.contains("when = \"VW_RHYTHM == 14\", for_s = 5"));
    }

    #[test]
    fn what_cannot_be_is_told() {
        let none = one("limit.SpO2.lower", 90.0).expect_err("refused").to_string();
        assert!(none.contains("limit.SpO2.low,"), "{none}");
        assert!(one("rule.nothing.clear_s", 1.0).is_err());
        let odd = one("limit.SpO2.low", 70.0).expect_err("below the critical one").to_string();
        assert!(odd.contains("critical_low"), "{odd}");
    }

    #[test]
    fn sweeps_are_ranges_or_lists() {
        let values = |text: &str| Sweep::parse(text).map(|sweep| sweep.values);
        assert_eq!(values("x=84..92/2").expect("read"), [84.0, 86.0, 88.0, 90.0, 92.0]);
        assert_eq!(values("x=0..0.3/0.1").expect("read"), [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(values("x=3..1").expect("read"), [3.0, 2.0, 1.0]);
        assert_eq!(values("x=1,5").expect("read"), [1.0, 5.0]);
        for text in ["x", "x=a", "x=1..2/0", "x=0..1000000/1"] {
            assert!(values(text).is_err(), "{text}");
        }
        let sweeps = [Sweep::parse("a=1,2").expect("read"), Sweep::parse("b=1..3").expect("read")];
        assert_eq!(combinations(&sweeps, 6).expect("six").len(), 6);
        assert!(combinations(&sweeps, 5).is_err());
    }
}
