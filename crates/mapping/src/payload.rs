//! Payloads as trees, whatever their format, so that one kind of path reaches into all of them.

use serde_json::{Map, Number, Value};

use crate::{MAX_DEPTH, MAX_RECORDS};

/// How a device writes its payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON.
    Json,
    /// CBOR.
    Cbor,
    /// A single decimal number as text.
    Number,
    /// A text.
    Text,
    /// Sparkplug B, read as [`crate::sparkplug`] says.
    Sparkplug,
    /// A LoRaWAN network server's uplink, read as [`crate::lorawan`] says.
    Lorawan,
    /// Lines of values, read as `{"rows": [{column: text, …}, …]}`.
    Csv { delimiter: char, columns: Option<Vec<String>> },
}

impl Format {
    pub(crate) const NAMES: [&'static str; 7] =
        ["json", "cbor", "number", "text", "csv", "lorawan", "sparkplug"];

    /// Reads a payload.
    ///
    /// # Errors
    /// A sentence on what is wrong, without repeating any of it.
    pub(crate) fn read(&self, payload: &[u8]) -> Result<Value, String> {
        match self {
            Self::Json => json(payload),
            Self::Cbor => cbor(payload),
            Self::Number => number(text(payload)?),
            Self::Text => Ok(Value::String(text(payload)?.to_owned())),
            Self::Sparkplug => Err("Sparkplug comes on topics spBv1.0/…".to_owned()),
            Self::Lorawan => crate::lorawan::read(payload),
            Self::Csv { delimiter, columns } => csv(text(payload)?, *delimiter, columns.as_deref()),
        }
    }
}

pub(crate) fn json(payload: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(payload)
        .map_err(|error| format!("not JSON at line {} column {}", error.line(), error.column()))
}

fn text(payload: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(payload)
        .map(str::trim)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))
}

fn number(text: &str) -> Result<Value, String> {
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| "not a single decimal number".to_owned())
}

fn cbor(payload: &[u8]) -> Result<Value, String> {
    let mut rest = payload;
    let value: ciborium::Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH)
        .map_err(|error| match error {
            ciborium::de::Error::Syntax(at) => format!("not CBOR at byte {at}"),
            ciborium::de::Error::RecursionLimitExceeded => "nested too deep".to_owned(),
            _ => "not CBOR, or it ends too early".to_owned(),
        })?;
    if !rest.is_empty() {
        return Err("bytes follow the CBOR value".to_owned());
    }
    Ok(from_cbor(value))
}

/// CBOR as JSON: byte strings become hexadecimal text, what JSON has no word for becomes null.
fn from_cbor(value: ciborium::Value) -> Value {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Integer(number) => {
            let number = i128::from(number);
            i64::try_from(number)
                .map(Number::from)
                .or_else(|_| u64::try_from(number).map(Number::from))
                .map_or(Value::Null, Value::Number)
        }
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bytes(bytes) => Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Cbor::Tag(_, inner) => from_cbor(*inner),
        Cbor::Array(items) => Value::Array(items.into_iter().map(from_cbor).collect()),
        Cbor::Map(fields) => Value::Object(
            fields.into_iter().map(|(key, value)| (cbor_key(&key), from_cbor(value))).collect::<Map<_, _>>(),
        ),
        _ => Value::Null,
    }
}

fn cbor_key(key: &ciborium::Value) -> String {
    match key {
        ciborium::Value::Text(text) => text.clone(),
        ciborium::Value::Integer(number) => i128::from(*number).to_string(),
        _ => "?".to_owned(),
    }
}

fn csv(text: &str, delimiter: char, columns: Option<&[String]>) -> Result<Value, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header;
    let columns = match columns {
        Some(columns) => columns,
        None => {
            header = csv_fields(lines.next().ok_or("the CSV has no header line")?, delimiter);
            &header
        }
    };
    // One row more than may be taken, so that the limit is noticed; and short keys, because each
    // row repeats them.
    let columns: Vec<String> = columns.iter().map(|name| name.chars().take(64).collect()).collect();
    let rows = lines
        .take(MAX_RECORDS + 1)
        .map(|line| {
            // An empty field is no value.
            let fields = csv_fields(line, delimiter)
                .into_iter()
                .map(|field| if field.is_empty() { Value::Null } else { Value::String(field) });
            Value::Object(columns.iter().cloned().zip(fields).collect())
        })
        .collect();
    Ok(Value::Object(Map::from_iter([("rows".to_owned(), Value::Array(rows))])))
}

/// One line's fields (RFC 4180 quoting, without line breaks inside quotes).
fn csv_fields(line: &str, delimiter: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut().expect("there is always a field being filled");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            c if c == delimiter && !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

/// A number, or a text that is one.
pub(crate) fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// A single value as text.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(format: &Format, payload: &[u8], expected: Option<&Value>) {
        assert_eq!(format.read(payload).ok().as_ref(), expected);
    }

    #[test]
    fn every_format_becomes_a_tree() {
        check(&Format::Json, br#"{"a":1}"#, Some(&json!({"a": 1})));
        check(&Format::Json, b"{", None);
        check(&Format::Cbor, &[0xa1, 0x61, b'a', 0x82, 0x01, 0xf9, 0x3e, 0x00], Some(&json!({"a": [1, 1.5]})));
        check(&Format::Cbor, &[0x9f], None);
        check(&Format::Number, b" 36.6\n", Some(&json!(36.6)));
        check(&Format::Number, b"warm", None);
        check(&Format::Number, b"NaN", None);
        check(&Format::Text, b" alert ", Some(&json!("alert")));
        check(&Format::Text, &[0xff], None);
        let with_header = Format::Csv { delimiter: ';', columns: None };
        check(&with_header, b"t;hr\n1;\"7\"\"2\"\n", Some(&json!({"rows": [{"t": "1", "hr": "7\"2"}]})));
        let without = Format::Csv { delimiter: ',', columns: Some(vec!["a".into(), "b".into()]) };
        check(&without, b"1,2\n3\n", Some(&json!({"rows": [{"a": "1", "b": "2"}, {"a": "3"}]})));
    }
}
