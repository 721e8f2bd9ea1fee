//! SenML in JSON. A pack is read in one pass without a tree; only when that fails, once more
//! record by record, so that one bad record loses itself alone.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use vitals::{DeviceId, ProblemKind, TimeBase};

use super::senml::{Pack, Record};
use crate::{Mapped, RawMessage};

/// Maps one pack.
pub(super) fn map(
    raw: &RawMessage<'_>,
    device: &DeviceId,
    time_base: TimeBase,
    profile: &str,
) -> Mapped {
    let mut pack = Pack::new(raw, device, time_base, profile);
    if quick(raw.payload, &mut pack).is_ok() {
        return pack.finish();
    }
    let mut pack = Pack::new(raw, device, time_base, profile);
    careful(raw.payload, &mut pack);
    pack.finish()
}

fn quick<'a>(payload: &'a [u8], pack: &mut Pack<'_, 'a>) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    Records(pack).deserialize(&mut json)?;
    json.end()
}

/// Record by record, field by field.
fn careful<'a>(payload: &'a [u8], pack: &mut Pack<'_, 'a>) {
    let object = payload.trim_ascii_start().starts_with(b"{");
    let records: Vec<&RawValue> = match if object {
        serde_json::from_slice(payload).map(|record| vec![record])
    } else {
        serde_json::from_slice(payload)
    } {
        Ok(records) => records,
        Err(error) => {
            let detail = match error.classify() {
                serde_json::error::Category::Data => "not an array of SenML records".to_owned(),
                _ => format!("not JSON at line {} column {}", error.line(), error.column()),
            };
            pack.problem(ProblemKind::Syntax, "$".to_owned(), &detail);
            return;
        }
    };
    for (at, record) in records.into_iter().enumerate() {
        if !pack.has_room() {
            return;
        }
        if let Ok(record) = serde_json::from_str(record.get()) {
            pack.take(at, record);
            continue;
        }
        let Ok(Fields(fields)) = serde_json::from_str(record.get()) else {
            pack.problem(ProblemKind::Syntax, format!("$[{at}]"), "not a SenML record: a JSON object is needed");
            continue;
        };
        let mut record = Record::default();
        let mut good = true;
        for (key, value) in fields {
            if let Err(expected) = set_raw(&mut record, &key, value) {
                good = false;
                pack.problem(ProblemKind::BadValue, format!("$[{at}].{key}"), expected);
            }
        }
        if !good {
            record = record.bases();
        }
        pack.take(at, record);
    }
}

fn set_raw<'a>(record: &mut Record<'a>, key: &str, value: &'a RawValue) -> Result<(), &'static str> {
    let text = || -> Result<Option<Cow<'a, str>>, &'static str> {
        serde_json::from_str::<Text<'a>>(value.get()).map(|t| Some(t.0)).map_err(|_| "must be a text")
    };
    let number = || -> Result<Option<f64>, &'static str> {
        serde_json::from_str(value.get()).map(Some).map_err(|_| "must be a finite number")
    };
    match key {
        "bn" => record.bn = text()?,
        "bu" => record.bu = text()?,
        "n" => record.n = text()?,
        "u" => record.u = text()?,
        "vs" => record.vs = text()?,
        "vwq" => record.vwq = text()?,
        "vwr" => record.vwr = text()?,
        "vws" => {
            let samples = serde_json::from_str(value.get());
            record.vws = Some(samples.map_err(|_| "must be an array of numbers, null where there is none")?);
        }
        "bver" => record.bver = number()?,
        "bt" => record.bt = number()?,
        "bv" => record.bv = number()?,
        "v" => record.v = number()?,
        "t" => record.t = number()?,
        "vb" => record.vb = Some(serde_json::from_str(value.get()).map_err(|_| "must be true or false")?),
        "vd" | "s" => record.other_value = true,
        _ if key.ends_with('_') => record.must_understand = true,
        _ => {}
    }
    Ok(())
}

/// The array of records; a single object is taken as an array of one.
struct Records<'p, 'm, 'a>(&'p mut Pack<'m, 'a>);

impl<'a> DeserializeSeed<'a> for Records<'_, '_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Records<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of SenML records")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<(), S::Error> {
        let mut at = 0;
        while self.0.has_room() {
            let Some(record) = seq.next_element()? else { return Ok(()) };
            self.0.take(at, record);
            at += 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'a>>(self, map: M) -> Result<(), M::Error> {
        let record = RecordVisitor.visit_map(map)?;
        self.0.take(0, record);
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SenML record")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Record<'de>, M::Error> {
        let mut record = Record::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key.0 {
                "bn" => record.bn = Some(map.next_value::<Text<'de>>()?.0),
                "bu" => record.bu = Some(map.next_value::<Text<'de>>()?.0),
                "n" => record.n = Some(map.next_value::<Text<'de>>()?.0),
                "u" => record.u = Some(map.next_value::<Text<'de>>()?.0),
                "vs" => record.vs = Some(map.next_value::<Text<'de>>()?.0),
                "vwq" => record.vwq = Some(map.next_value::<Text<'de>>()?.0),
                "vwr" => record.vwr = Some(map.next_value::<Text<'de>>()?.0),
                "vws" => record.vws = Some(map.next_value()?),
                "bver" => record.bver = Some(map.next_value()?),
                "bt" => record.bt = Some(map.next_value()?),
                "bv" => record.bv = Some(map.next_value()?),
                "v" => record.v = Some(map.next_value()?),
                "t" => record.t = Some(map.next_value()?),
                "vb" => record.vb = Some(map.next_value()?),
                other => {
                    record.other_value |= matches!(other, "vd" | "s");
                    record.must_understand |= other.ends_with('_');
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(record)
    }
}

/// A text borrowed from the payload where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        json.deserialize_str(TextVisitor)
    }
}

/// The fields of an object, each still as text.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Vec::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    fields.push((key.0, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        json.deserialize_map(FieldsVisitor)
    }
}
