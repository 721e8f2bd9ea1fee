//! `devicecontent.json`: how typed values are found in a payload.

use serde::Deserialize;
use serde_json::Value;

use super::collection;
use crate::jsonpath::JsonPath;
use crate::profile::ProfileError;

/// One device content template.
#[derive(Debug, Clone)]
pub(super) struct ContentTemplate {
    pub(super) type_name: String,
    pub(super) kind: ContentKind,
    pub(super) matches: JsonPath,
    pub(super) device: Option<Expression>,
    pub(super) patient: Option<Expression>,
    pub(super) timestamp: Option<Expression>,
    pub(super) values: Vec<ValueExpression>,
}

/// Where a template looks for what it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentKind {
    /// Everything is said.
    JsonPath,
    /// Device and time as Azure IoT Hub adds them.
    IotHub,
    /// Device and time as IoT Central adds them.
    IotCentral,
    /// Expressions begin at the whole event, with `matchedToken` in it.
    Calculated,
}

/// An expression and what it begins at.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    path: JsonPath,
    of_token: bool,
}

#[derive(Debug, Clone)]
pub(super) struct ValueExpression {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) expression: Expression,
}

impl Expression {
    pub(super) fn first<'v>(&self, event: &'v Value, token: &'v Value) -> Option<&'v Value> {
        self.path.first(if self.of_token { token } else { event })
    }
}

/// An expression as written: a text, or a text with its language.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Full { value: String, language: Option<String> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    type_name: String,
    type_match_expression: Written,
    device_id_expression: Option<Written>,
    patient_id_expression: Option<Written>,
    timestamp_expression: Option<Written>,
    #[serde(default)]
    values: Vec<WrittenValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenValue {
    value_name: String,
    value_expression: Written,
    #[serde(default)]
    required: Flag,
}

/// `true`, or `"true"` as some files have it.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
    #[default]
    None,
}

pub(super) fn compile(
    file: &str,
    text: &str,
    warnings: &mut Vec<ProfileError>,
) -> Result<Vec<ContentTemplate>, ProfileError> {
    let mut templates = Vec::new();
    for (at, wrapped) in collection(file, text, "CollectionContent")?.into_iter().enumerate() {
        let kind = match wrapped.template_type.trim_end_matches("Template") {
            "JsonPathContent" => ContentKind::JsonPath,
            "IotJsonPathContent" => ContentKind::IotHub,
            "IotCentralJsonPathContent" => ContentKind::IotCentral,
            "CalculatedContent" | "CalculatedFunctionContent" => ContentKind::Calculated,
            other => {
                let message = format!("templates of type {other} are not read");
                warnings.push(ProfileError::warning(file, &format!("template[{at}]"), message));
                continue;
            }
        };
        match template(wrapped.template, kind) {
            Ok(template) => templates.push(template),
            Err((key, message)) => {
                warnings.push(ProfileError::warning(file, &format!("template[{at}]{key}"), message));
            }
        }
    }
    if templates.is_empty() {
        return Err(ProfileError::new(file, None, "template", "no template in it can be used".to_owned()));
    }
    Ok(templates)
}

type Fault = (String, String);

fn template(value: Value, kind: ContentKind) -> Result<ContentTemplate, Fault> {
    let written: Template =
        serde_json::from_value(value).map_err(|error| (String::new(), error.to_string()))?;
    let optional = |key: &str, written: Option<&Written>| {
        written.map(|written| expression(key, written, kind)).transpose()
    };
    Ok(ContentTemplate {
        kind,
        matches: path("typeMatchExpression", &written.type_match_expression)?,
        device: optional("deviceIdExpression", written.device_id_expression.as_ref())?,
        patient: optional("patientIdExpression", written.patient_id_expression.as_ref())?,
        timestamp: optional("timestampExpression", written.timestamp_expression.as_ref())?,
        values: written
            .values
            .iter()
            .map(|value| {
                Ok(ValueExpression {
                    name: value.value_name.clone(),
                    required: match &value.required {
                        Flag::Bool(flag) => *flag,
                        Flag::Text(text) => text.eq_ignore_ascii_case("true"),
                        Flag::None => false,
                    },
                    expression: expression("valueExpression", &value.value_expression, kind)?,
                })
            })
            .collect::<Result<_, Fault>>()?,
        type_name: written.type_name,
    })
}

fn path(key: &str, written: &Written) -> Result<JsonPath, Fault> {
    let at = format!(".{key}");
    let text = match written {
        Written::Text(text) => text,
        Written::Full { value, language } => {
            if language.as_deref().is_some_and(|language| !language.eq_ignore_ascii_case("JsonPath")) {
                return Err((at, "only JsonPath expressions are read: write it as JSONPath, or write a profile".to_owned()));
            }
            value
        }
    };
    JsonPath::parse(text).map_err(|error| (at, format!("not a JSONPath: {error}")))
}

fn expression(key: &str, written: &Written, kind: ContentKind) -> Result<Expression, Fault> {
    let path = path(key, written)?;
    if kind != ContentKind::Calculated {
        return Ok(Expression { path, of_token: true });
    }
    Ok(match path.after_field("matchedToken") {
        Some(path) => Expression { path, of_token: true },
        None => Expression { path, of_token: false },
    })
}
