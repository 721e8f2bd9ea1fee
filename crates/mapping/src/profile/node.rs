//! TOML or JSON as one kind of tree that remembers lines, so that errors can name them.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ProfileError;

/// A value in a profile file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: Option<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text(String),
    Number(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: Option<usize>,
    pub(super) node: Node,
}

impl Kind {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other => "something else",
        }
    }
}

/// Reads a file by its name's ending: `.json`, else TOML.
///
/// # Errors
/// When it is not well-formed.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, ProfileError> {
    if file.ends_with(".json") {
        let value = serde_json::from_str(text).map_err(|error| {
            ProfileError::new(file, Some(error.line()), "", format!("not JSON: {error}"))
        })?;
        return Ok(from_json(text, value));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        ProfileError::new(file, line, "", format!("not TOML: {}", error.message()))
    })?;
    Ok(from_table(text, table))
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn from_table(text: &str, table: Spanned<DeTable<'_>>) -> Node {
    let line = Some(line_of(text, table.span().start));
    Node { line, kind: Kind::Table(entries(text, table.into_inner())) }
}

fn entries(text: &str, table: DeTable<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            line: Some(line_of(text, key.span().start)),
            key: key.into_inner().into_owned(),
            node: from_value(text, value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    entries
}

fn from_value(text: &str, value: Spanned<DeValue<'_>>) -> Node {
    let line = Some(line_of(text, value.span().start));
    let kind = match value.into_inner() {
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Kind::Other, |number| Kind::Number(number as f64)),
        DeValue::Float(number) => number.as_str().parse().map_or(Kind::Other, Kind::Number),
        DeValue::Boolean(flag) => Kind::Bool(flag),
        DeValue::Array(items) => {
            Kind::List(items.into_iter().map(|item| from_value(text, item)).collect())
        }
        DeValue::Table(table) => Kind::Table(entries(text, table)),
        DeValue::Datetime(_) => Kind::Other,
    };
    Node { line, kind }
}

/// JSON has no places: a key's line is known when the key occurs once in the file.
fn from_json(text: &str, value: serde_json::Value) -> Node {
    let kind = match value {
        serde_json::Value::String(text) => Kind::Text(text),
        serde_json::Value::Number(number) => number.as_f64().map_or(Kind::Other, Kind::Number),
        serde_json::Value::Bool(flag) => Kind::Bool(flag),
        serde_json::Value::Null => Kind::Other,
        serde_json::Value::Array(items) => {
            Kind::List(items.into_iter().map(|item| from_json(text, item)).collect())
        }
        serde_json::Value::Object(fields) => Kind::Table(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let quoted = format!("\"{key}\"");
                    let mut places = text.match_indices(&quoted);
                    let line = match (places.next(), places.next()) {
                        (Some((at, _)), None) => Some(line_of(text, at)),
                        _ => None,
                    };
                    Entry { line, key, node: from_json(text, value) }
                })
                .collect(),
        ),
    };
    Node { line: None, kind }
}
