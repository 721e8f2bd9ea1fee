//! SenML in CBOR (RFC 8428 §6): integer labels, any of CBOR's number forms.

use std::borrow::Cow;

use ciborium::Value;
use vitals::{DeviceId, ProblemKind, TimeBase};

use super::senml::{Pack, Record};
use crate::{MAX_DEPTH, Mapped, RawMessage};

/// Maps one pack.
pub(super) fn map(
    raw: &RawMessage<'_>,
    device: &DeviceId,
    time_base: TimeBase,
    profile: &str,
) -> Mapped {
    let mut pack = Pack::new(raw, device, time_base, profile);
    let mut rest = raw.payload;
    let value: Result<Value, _> =
        ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH);
    match value {
        Ok(Value::Array(records)) => {
            for (at, record) in records.into_iter().enumerate() {
                if !pack.has_room() {
                    break;
                }
                take(&mut pack, at, record);
            }
            if !rest.is_empty() {
                pack.problem(ProblemKind::Syntax, "$".to_owned(), "bytes follow the CBOR array");
            }
        }
        Ok(_) => pack.problem(ProblemKind::Syntax, "$".to_owned(), "not an array of SenML records"),
        Err(error) => {
            let detail = match error {
                ciborium::de::Error::Syntax(at) => format!("not CBOR at byte {at}"),
                ciborium::de::Error::RecursionLimitExceeded => "nested too deep".to_owned(),
                _ => "not CBOR, or it ends too early".to_owned(),
            };
            pack.problem(ProblemKind::Syntax, "$".to_owned(), &detail);
        }
    }
    pack.finish()
}

fn take(pack: &mut Pack<'_, 'static>, at: usize, value: Value) {
    let Value::Map(fields) = value else {
        pack.problem(ProblemKind::Syntax, format!("$[{at}]"), "not a SenML record: a map is needed");
        return;
    };
    let mut record = Record::default();
    let mut good = true;
    for (label, value) in fields {
        let name = label_name(&label);
        if let Err(expected) = set(&mut record, &name, value) {
            good = false;
            pack.problem(ProblemKind::BadValue, format!("$[{at}].{name}"), expected);
        }
    }
    if !good {
        record = record.bases();
    }
    pack.take(at, record);
}

/// The JSON label of a CBOR one (RFC 8428, table 4).
fn label_name(label: &Value) -> Cow<'_, str> {
    let number = match label {
        Value::Text(text) => return Cow::Borrowed(text),
        Value::Integer(number) => i64::try_from(*number).ok(),
        _ => None,
    };
    Cow::Borrowed(match number {
        Some(-1) => "bver",
        Some(-2) => "bn",
        Some(-3) => "bt",
        Some(-4) => "bu",
        Some(-5) => "bv",
        Some(-6) => "bs",
        Some(0) => "n",
        Some(1) => "u",
        Some(2) => "v",
        Some(3) => "vs",
        Some(4) => "vb",
        Some(5) => "s",
        Some(6) => "t",
        Some(7) => "ut",
        Some(8) => "vd",
        _ => "?",
    })
}

fn set(record: &mut Record<'static>, name: &str, value: Value) -> Result<(), &'static str> {
    match name {
        "bn" => record.bn = Some(text(value)?),
        "bu" => record.bu = Some(text(value)?),
        "n" => record.n = Some(text(value)?),
        "u" => record.u = Some(text(value)?),
        "vs" => record.vs = Some(text(value)?),
        "vwq" => record.vwq = Some(text(value)?),
        "vwr" => record.vwr = Some(text(value)?),
        "vws" => record.vws = Some(samples(&value)?),
        "bver" => record.bver = Some(number(&value)?),
        "bt" => record.bt = Some(number(&value)?),
        "bv" => record.bv = Some(number(&value)?),
        "v" => record.v = Some(number(&value)?),
        "t" => record.t = Some(number(&value)?),
        "vb" => record.vb = Some(value.as_bool().ok_or("must be true or false")?),
        "vd" | "s" => record.other_value = true,
        _ if name.ends_with('_') => record.must_understand = true,
        _ => {}
    }
    Ok(())
}

fn text(value: Value) -> Result<Cow<'static, str>, &'static str> {
    value.into_text().map(Cow::Owned).map_err(|_| "must be a text")
}

fn samples(value: &Value) -> Result<Vec<Option<f64>>, &'static str> {
    let sample = |value: &Value| if value.is_null() { Ok(None) } else { number(value).map(Some) };
    let samples = value.as_array().map(|samples| samples.iter().map(sample).collect());
    samples.and_then(Result::ok).ok_or("must be an array of numbers, null where there is none")
}

/// Integers, floats and decimal fractions (tag 4: `[exponent, mantissa]`, RFC 8428 §6).
fn number(value: &Value) -> Result<f64, &'static str> {
    let number = match value {
        Value::Float(number) => Some(*number),
        Value::Integer(number) => Some(i128::from(*number) as f64),
        Value::Tag(4, inner) => match inner.as_array().map(Vec::as_slice) {
            Some([Value::Integer(exponent), Value::Integer(mantissa)]) => {
                let (exponent, mantissa) = (i128::from(*exponent), i128::from(*mantissa));
                format!("{mantissa}e{exponent}").parse().ok()
            }
            _ => None,
        },
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite()).ok_or("must be a finite number")
}
