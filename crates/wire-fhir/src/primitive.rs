//! FHIR R4 primitive types in JSON: which JSON type each takes and which texts are valid
//! (R4 § 2.24, "Data Types").

use serde_json::Value;

use crate::time;

/// Primitive types, all of them.
const PRIMITIVES: [&str; 20] = [
    "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant",
    "integer", "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url",
    "uuid", "xhtml",
];
/// R4 § 2.24.0.1: strings shall not exceed 1 MB.
const STRING_BYTES_MAX: usize = 1_048_576;

/// Whether `ty` is a primitive type.
pub(crate) fn is_primitive(ty: &str) -> bool {
    PRIMITIVES.contains(&ty)
}

/// What is wrong with `value` as a primitive of type `ty`, without repeating it; none: nothing.
pub(crate) fn problem(ty: &str, value: &Value) -> Option<&'static str> {
    match ty {
        "boolean" => (!value.is_boolean()).then_some("a boolean is true or false, without quotes"),
        "decimal" => (!value.is_number()).then_some("a decimal is a JSON number, without quotes"),
        "integer" => integer(value, i64::from(i32::MIN)),
        "unsignedInt" => integer(value, 0),
        "positiveInt" => integer(value, 1),
        _ => match value.as_str() {
            None => Some("a JSON string is expected here"),
            Some(text) => text_problem(ty, text),
        },
    }
}

fn integer(value: &Value, least: i64) -> Option<&'static str> {
    match value.as_i64() {
        Some(number) if number >= least && number <= i64::from(i32::MAX) => None,
        Some(_) => Some("the whole number is outside the range of its type"),
        None => Some("a whole JSON number is expected, without quotes or fraction"),
    }
}

fn text_problem(ty: &str, text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("a string must not be empty: leave the element out");
    }
    if text.len() > STRING_BYTES_MAX {
        return Some("a string may have at most 1 MB");
    }
    let printable = |c: char| c >= ' ' || matches!(c, '\t' | '\r' | '\n');
    let valid = match ty {
        "id" => vitals::id::is_logical_id(text),
        "code" => {
            !text.starts_with(char::is_whitespace)
                && !text.ends_with(char::is_whitespace)
                && !text.contains("  ")
                && !text.contains(['\t', '\r', '\n'])
        }
        "uri" | "url" | "canonical" => !text.contains(char::is_whitespace),
        "oid" => text.strip_prefix("urn:oid:").is_some_and(oid),
        "uuid" => text.strip_prefix("urn:uuid:").is_some_and(uuid),
        "date" => time::is_date(text),
        "dateTime" => time::is_date_time(text),
        "instant" => time::is_instant(text),
        "time" => time::is_time(text),
        "base64Binary" => base64(text),
        "xhtml" => text.trim_start().starts_with("<div"),
        _ => text.chars().all(printable) && !text.trim().is_empty(),
    };
    (!valid).then(|| complaint(ty))
}

fn complaint(ty: &str) -> &'static str {
    match ty {
        "id" => "an id has 1 to 64 characters of A-Z a-z 0-9 - .",
        "code" => "a code has no blanks at its ends and only single ones inside",
        "uri" | "url" | "canonical" => "a URI has no blanks",
        "oid" => "an OID is written urn:oid:1.2.3",
        "uuid" => "a UUID is written urn:uuid: and 36 characters",
        "date" => "a date is YYYY, YYYY-MM or YYYY-MM-DD, and one that exists",
        "dateTime" => "a dateTime is a date, or YYYY-MM-DDThh:mm:ss with Z or an offset such as +01:00",
        "instant" => "an instant is YYYY-MM-DDThh:mm:ss with Z or an offset such as +01:00",
        "time" => "a time is hh:mm:ss",
        "base64Binary" => "not valid base64",
        "xhtml" => "a narrative is one <div> element",
        _ => "a string has at least one character other than blanks, and no control characters",
    }
}

fn oid(text: &str) -> bool {
    text.starts_with(['0', '1', '2'])
        && text.split('.').count() > 1
        && text.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()))
}

fn uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn base64(text: &str) -> bool {
    let mut count = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        count += 1;
        match byte {
            b'=' => padding += 1,
            _ if padding > 0 => return false,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {}
            _ => return false,
        }
    }
    count.is_multiple_of(4) && padding <= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn primitives_are_checked() {
        for (ty, value, valid) in [
            ("boolean", json!(true), true),
            ("boolean", json!("true"), false),
            ("decimal", json!(1.5e3), true),
            ("decimal", json!("1.5"), false),
            ("integer", json!(-3), true),
            ("integer", json!(1.5), false),
            ("positiveInt", json!(0), false),
            ("unsignedInt", json!(0), true),
            ("id", json!("a.b-C"), true),
            ("id", json!("a_b"), false),
            ("code", json!("vital-signs"), true),
            ("code", json!(" final"), false),
            ("uri", json!("http://x y"), false),
            ("oid", json!("urn:oid:1.2.840"), true),
            ("oid", json!("1.2.840"), false),
            ("uuid", json!("urn:uuid:5b7842fe-978d-4182-a41f-0d07a8617bc2"), true),
            ("date", json!("2024-02-30"), false),
            ("date", json!("2024-02"), true),
            ("dateTime", json!("2024-02-29T10:00:00Z"), true),
            ("dateTime", json!("2024-02-29T10:00:00"), false),
            ("instant", json!("2024-02-29"), false),
            ("time", json!("25:00:00"), false),
            ("base64Binary", json!("aGFsbG8="), true),
            ("base64Binary", json!("aGFsbG8"), false),
            ("string", json!(""), false),
            ("string", json!("a\u{1}"), false),
            ("string", json!(7), false),
        ] {
            assert_eq!(problem(ty, &value).is_none(), valid, "{ty} {value}");
        }
    }
}
