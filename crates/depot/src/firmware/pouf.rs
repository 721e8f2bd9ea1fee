//! TUF's JSON as today's tools write it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tuf::pouf::{Pouf, Pouf1};

/// [`Pouf1`], which takes `spec_version` `1.0` only: python-tuf, go-tuf and tough write `1.0.31`
/// and the like. Of one major version all are compatible (TUF 1.0, 4.3), so a patch is taken for its
/// minor version, after the signature over the text as it came was checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json;

impl Pouf for Json {
    type RawData = Value;

    fn extension() -> &'static str {
        "json"
    }

    fn canonicalize(raw: &Value) -> tuf::Result<Vec<u8>> {
        Pouf1::canonicalize(raw)
    }

    fn deserialize<T: DeserializeOwned>(raw: &Value) -> tuf::Result<T> {
        match of_minor_version(raw) {
            Some(raw) => Pouf1::deserialize(&raw),
            None => Pouf1::deserialize(raw),
        }
    }

    fn serialize<T: Serialize>(data: &T) -> tuf::Result<Value> {
        Pouf1::serialize(data)
    }

    /// An envelope, or the part of one that its signatures cover.
    fn from_slice<T: DeserializeOwned>(slice: &[u8]) -> tuf::Result<T> {
        match Pouf1::from_slice::<Value>(slice).ok().as_ref().and_then(of_minor_version) {
            Some(raw) => Pouf1::deserialize(&raw),
            None => Pouf1::from_slice(slice),
        }
    }
}

/// The same with `1.0` for a patch of it; none if there is nothing to change.
fn of_minor_version(raw: &Value) -> Option<Value> {
    let patch = raw.get("spec_version")?.as_str()?.strip_prefix("1.0.")?;
    if patch.is_empty() || !patch.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut raw = raw.clone();
    raw["spec_version"] = Value::from("1.0");
    Some(raw)
}
