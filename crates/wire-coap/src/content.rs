//! What a sensor says: values by path (`/3303/0/5700`), whatever the content format.

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::tlv::{self, Kind};

/// The most values taken from one message.
pub const MAX_RECORDS: usize = 1_000;
/// How deep CBOR may nest.
const MAX_DEPTH: usize = 16;

/// Numbers of content formats (CoAP registry).
pub mod format {
    /// Text.
    pub const TEXT: u16 = 0;
    /// SenML as JSON.
    pub const SENML_JSON: u16 = 110;
    /// SenML as CBOR.
    pub const SENML_CBOR: u16 = 112;
    /// LwM2M TLV.
    pub const TLV: u16 = 11_542;
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Datum {
    /// A number; finite.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
}

/// One value with where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Object, instance, resource and, of a resource that has several, its instance.
    pub path: Vec<u16>,
    /// The value.
    pub value: Datum,
    /// The unit that was told with it (SenML); empty without one.
    pub unit: String,
    /// Seconds since 1970, or, below 2²⁸, relative to the receipt; 0: none.
    pub time_s: f64,
}

/// Why content can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The format is none of those read here.
    #[error("content format {0} is not read: send SenML (110, 112), TLV (11542) or text (0)")]
    Format(u16),
    /// It is not what its format says.
    #[error("not {0}")]
    Syntax(&'static str),
    /// More values than are taken from a message.
    #[error("more than {MAX_RECORDS} values in one message: send several")]
    TooMany,
}

/// The values in a payload that answers for, or was sent from, the path `base`.
///
/// # Errors
/// [`ContentError`]; nothing of the payload is taken then. Resources whose type no table knows are
/// left out of TLV, which does not tell types.
pub fn read(number: u16, base: &[u16], payload: &[u8]) -> Result<Vec<Record>, ContentError> {
    let records = match number {
        format::TEXT => vec![text(base, payload)?],
        format::SENML_JSON => {
            senml(&serde_json::from_slice(payload).map_err(|_| ContentError::Syntax("SenML JSON"))?)?
        }
        format::SENML_CBOR => {
            let read = ciborium::de::from_reader_with_recursion_limit(payload, MAX_DEPTH);
            senml(&from_cbor(read.map_err(|_| ContentError::Syntax("SenML CBOR"))?))?
        }
        format::TLV => {
            let mut records = Vec::new();
            from_tlv(base, payload, &mut records)?;
            records
        }
        other => return Err(ContentError::Format(other)),
    };
    if records.len() > MAX_RECORDS { Err(ContentError::TooMany) } else { Ok(records) }
}

/// Values as a profile reads them: a list of objects with `path`, `object`, `instance`, `resource`,
/// `value`, and `unit` (UCUM) and `time` (seconds since 1970) where they were told. Times relative to
/// the receipt are counted from `received_s`.
#[must_use]
pub fn to_json(records: &[Record], received_s: f64) -> Vec<u8> {
    let one = |record: &Record| {
        let path: String = record.path.iter().map(|part| format!("/{part}")).collect();
        let at = |index: usize| record.path.get(index).copied();
        let mut object = json!({
            "path": path, "object": at(0), "instance": at(1), "resource": at(2), "value": record.value,
        });
        if !record.unit.is_empty() {
            object["unit"] = json!(ucum(&record.unit));
        }
        if record.time_s >= RELATIVE_BELOW {
            object["time"] = json!(record.time_s);
        } else if record.time_s != 0.0 {
            object["time"] = json!(received_s + record.time_s);
        }
        object
    };
    Json::Array(records.iter().map(one).collect()).to_string().into_bytes()
}

/// SenML's units (RFC 8428 12.1) are UCUM's but for a few.
fn ucum(unit: &str) -> &str {
    match unit {
        "%RH" | "%EL" => "%",
        "beat/min" | "beats/min" => "/min",
        other => other,
    }
}

/// SenML's times below this are relative to now (RFC 8428 4.5.3).
const RELATIVE_BELOW: f64 = 268_435_456.0;

/// The numbers of a path such as `/3303/0/5700`.
#[must_use]
pub fn path(text: &str) -> Option<Vec<u16>> {
    let parts = text.strip_prefix('/')?.split('/').filter(|part| !part.is_empty());
    let parts: Option<Vec<u16>> = parts.map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() <= 4)
}

fn text(base: &[u16], payload: &[u8]) -> Result<Record, ContentError> {
    let text = std::str::from_utf8(payload).map_err(|_| ContentError::Syntax("text"))?.trim();
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let value = number.map_or_else(|| Datum::Text(text.to_owned()), Datum::Number);
    Ok(Record { path: base.to_vec(), value, unit: String::new(), time_s: 0.0 })
}

/// SenML records; a record without a value, with a value that is no number, or with a name that is
/// no path makes the pack unreadable: a sensor's program is wrong then, not a value.
fn senml(pack: &Json) -> Result<Vec<Record>, ContentError> {
    let wrong = ContentError::Syntax("a SenML pack of LwM2M");
    let list = pack.as_array().ok_or(wrong.clone())?;
    let (mut base, mut base_unit, mut base_time) = (String::new(), String::new(), 0.0);
    let mut records = Vec::new();
    for record in list.iter().take(MAX_RECORDS + 1) {
        let text = |key: &str| record.get(key).and_then(Json::as_str);
        if let Some(name) = text("bn") {
            name.clone_into(&mut base);
        }
        if let Some(unit) = text("bu") {
            unit.clone_into(&mut base_unit);
        }
        if let Some(time) = record.get("bt").and_then(Json::as_f64) {
            base_time = time;
        }
        let number = record.get("v").and_then(Json::as_f64).map(Datum::Number);
        let flag = || record.get("vb").and_then(Json::as_bool).map(Datum::Flag);
        let words = || text("vs").map(|text| Datum::Text(text.to_owned()));
        let Some(value) = number.or_else(flag).or_else(words) else {
            // Objects links and byte strings are nobody's measurement.
            if ["vlo", "vd"].iter().any(|key| record.get(key).is_some()) {
                continue;
            }
            return Err(wrong);
        };
        let name = format!("{base}{}", text("n").unwrap_or_default());
        let time = record.get("t").and_then(Json::as_f64).unwrap_or(0.0);
        records.push(Record {
            path: path(&name).ok_or(wrong.clone())?,
            value,
            unit: text("u").unwrap_or(&base_unit).to_owned(),
            time_s: base_time + time,
        });
    }
    Ok(records)
}

/// SenML's CBOR labels are numbers (RFC 8428 6); the rest is as in JSON.
fn from_cbor(value: ciborium::Value) -> Json {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Integer(number) => json!(i128::from(number) as f64),
        Cbor::Float(number) => json!(number),
        Cbor::Bool(flag) => json!(flag),
        Cbor::Text(text) => json!(text),
        Cbor::Bytes(_) => json!(""),
        Cbor::Tag(_, inner) => from_cbor(*inner),
        Cbor::Array(items) => items.into_iter().map(from_cbor).collect(),
        Cbor::Map(fields) => fields
            .into_iter()
            .filter_map(|(key, value)| Some((label(&key)?, from_cbor(value))))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => Json::Null,
    }
}

fn label(key: &ciborium::Value) -> Option<String> {
    let number = match key {
        ciborium::Value::Integer(number) => i128::from(*number),
        ciborium::Value::Text(text) => return Some(text.clone()),
        _ => return None,
    };
    let name = match number {
        -2 => "bn",
        -3 => "bt",
        -4 => "bu",
        0 => "n",
        1 => "u",
        2 => "v",
        3 => "vs",
        4 => "vb",
        6 => "t",
        8 => "vd",
        _ => return None,
    };
    Some(name.to_owned())
}

/// How a resource's bytes are read. TLV does not tell, so the type must be known.
enum Type {
    Float,
    Integer,
    Text,
    Flag,
}

/// The types of reusable resources (OMA LwM2M registry: IPSO objects 3200 to 3350) and of the Device
/// object's battery.
fn type_of(path: &[u16]) -> Option<Type> {
    Some(match path {
        [3, _, 9 | 13, ..] => Type::Integer,
        [3, _, 0..=3, ..] => Type::Text,
        [_, _, 5700 | 5601..=5604 | 5702..=5704 | 5821, ..] => Type::Float,
        [_, _, 5701 | 5750 | 5751, ..] => Type::Text,
        [_, _, 5518 | 6042 | 6050, ..] => Type::Integer,
        [_, _, 5500 | 5850, ..] => Type::Flag,
        _ => return None,
    })
}

fn from_tlv(base: &[u16], bytes: &[u8], into: &mut Vec<Record>) -> Result<(), ContentError> {
    let wrong = ContentError::Syntax("TLV");
    for entry in tlv::entries(bytes).ok_or(wrong.clone())? {
        // A single resource is answered for its own path; else the number goes on from the base.
        let own = base.len() == 3 && matches!(entry.kind, Kind::Resource | Kind::MultipleResource);
        let mut path = if own { base[..2].to_vec() } else { base.to_vec() };
        path.push(entry.id);
        if path.len() > 4 {
            return Err(wrong);
        }
        if matches!(entry.kind, Kind::ObjectInstance | Kind::MultipleResource) {
            from_tlv(&path, entry.value, into)?;
            continue;
        }
        let Some(kind) = type_of(&path) else { continue };
        let value = datum(&kind, entry.value).ok_or(wrong.clone())?;
        into.push(Record { path, value, unit: String::new(), time_s: 0.0 });
        if into.len() > MAX_RECORDS {
            return Err(ContentError::TooMany);
        }
    }
    Ok(())
}

fn datum(kind: &Type, bytes: &[u8]) -> Option<Datum> {
    let integer = || {
        let negative = bytes.first().is_some_and(|first| *first >= 0x80);
        let start = if negative { -1_i64 } else { 0 };
        matches!(bytes.len(), 1 | 2 | 4 | 8)
            .then(|| bytes.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
    };
    match kind {
        Type::Float => match *bytes {
            [a, b, c, d] => Some(f64::from(f32::from_be_bytes([a, b, c, d]))),
            [a, b, c, d, e, f, g, h] => Some(f64::from_be_bytes([a, b, c, d, e, f, g, h])),
            _ => None,
        }
        .filter(|number| number.is_finite())
        .map(Datum::Number),
        Type::Integer => integer().map(|number| Datum::Number(number as f64)),
        Type::Flag => integer().map(|number| Datum::Flag(number != 0)),
        Type::Text => std::str::from_utf8(bytes).ok().map(|text| Datum::Text(text.to_owned())),
    }
}
