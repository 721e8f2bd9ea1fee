//! `fhirmapping.json`: what each type of value is. A metric is found by its LOINC or IEEE 11073
//! code; FHIR resources themselves are made elsewhere, from stored readings.

use serde::Deserialize;
use serde_json::Value;
use vitals::{Metric, MetricCode, ProblemKind, Unit};

use super::collection;
use crate::profile::ProfileError;
use crate::unit_from_text;

/// What one named value of one type becomes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) type_name: String,
    pub(super) value_name: String,
    /// The metric and the unit that values come in (none: the metric's own), or why there is none.
    pub(super) metric: Result<(&'static Metric, Option<Unit>), (ProblemKind, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    type_name: String,
    #[serde(default)]
    codes: Vec<Code>,
    value: Option<WrittenValue>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    codes: Vec<Code>,
    value: WrittenValue,
}

#[derive(Deserialize)]
struct Code {
    code: Value,
    #[serde(default)]
    system: String,
    #[serde(default)]
    display: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenValue {
    #[serde(default)]
    value_name: String,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

pub(super) fn compile(
    file: &str,
    text: &str,
    warnings: &mut Vec<ProfileError>,
) -> Result<Vec<Target>, ProfileError> {
    let mut targets = Vec::new();
    for (at, wrapped) in collection(file, text, "CollectionFhir")?.into_iter().enumerate() {
        if !wrapped.template_type.starts_with("CodeValueFhir") {
            let message = format!("templates of type {} are not read", wrapped.template_type);
            warnings.push(ProfileError::warning(file, &format!("template[{at}]"), message));
            continue;
        }
        let template: Template = serde_json::from_value(wrapped.template).map_err(|error| {
            ProfileError::new(file, None, &format!("template[{at}]"), error.to_string())
        })?;
        let own = template.value.as_ref().map(|value| (&template.codes, value));
        let parts = template.components.iter().map(|part| (&part.codes, &part.value));
        for (codes, value) in own.into_iter().chain(parts) {
            let key = format!("{}.{}", template.type_name, value.value_name);
            let metric = find(codes, value, |message| {
                warnings.push(ProfileError::warning(file, &key, message));
            });
            targets.push(Target {
                type_name: template.type_name.clone(),
                value_name: value.value_name.clone(),
                metric,
            });
        }
    }
    Ok(targets)
}

/// The metric for a value: the first code that some table knows and whose metric can have the
/// unit. When a code and the unit contradict each other (a shipped template calls the diastolic
/// pressure 8867-4, the heart rate, in mmHg), a display text that is exactly a metric's name
/// settles it; else nothing is guessed.
fn find(
    codes: &[Code],
    value: &WrittenValue,
    mut warn: impl FnMut(String),
) -> Result<(&'static Metric, Option<Unit>), (ProblemKind, String)> {
    let text = value.code.as_deref().or(value.unit.as_deref()).unwrap_or("").trim();
    let unit = match text {
        "" => None,
        text => match unit_from_text(text) {
            Some(unit) => Some(unit),
            None => {
                warn("no table knows its unit: use a UCUM code".to_owned());
                return Err((ProblemKind::UnknownUnit, "the template's unit is not known: use a UCUM code".to_owned()));
            }
        },
    };
    let fits = |metric: &Metric| unit.is_none_or(|unit| metric.normalise(1.0, unit).is_some());
    let known: Vec<&'static Metric> = codes.iter().filter_map(metric_of).collect();
    if let Some(metric) = known.iter().copied().find(|metric| fits(metric)) {
        return Ok((metric, unit));
    }
    let Some(contradicted) = known.first() else {
        warn("no table knows any of its codes: values of it go to quarantine".to_owned());
        return Err((ProblemKind::UnknownMetric, "none of the template's codes is a known metric".to_owned()));
    };
    let by_name = codes.iter().find_map(|code| {
        Metric::all().find(|metric| metric.name.eq_ignore_ascii_case(code.display.trim()) && fits(metric))
    });
    let contradiction = format!("its code is that of {}, which can't be in its unit", contradicted.refid);
    match by_name {
        Some(metric) => {
            warn(format!("{contradiction}; taken for {} by its display text", metric.refid));
            Ok((metric, unit))
        }
        None => {
            warn(contradiction.clone());
            Err((ProblemKind::UnknownUnit, contradiction))
        }
    }
}

fn metric_of(code: &Code) -> Option<&'static Metric> {
    let text = match &code.code {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if code.system.contains("loinc") {
        return Metric::by_loinc(&text);
    }
    if code.system.contains("11073") {
        return Metric::by_refid(&text).or_else(|| MetricCode(text.parse().ok()?).metric());
    }
    None
}
