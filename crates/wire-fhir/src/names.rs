//! Names that senders give to observations: a logical id of their own (PUT) and business
//! identifiers. They travel beside the message, because a reading itself has none, and are what a
//! stored reading is found by.
//!
//! A name belongs to a reading's own observation, or, where that is the first part of a blood
//! pressure, to the panel of its parts.

use serde_json::Value as Json;

use crate::directory;
use crate::guide::{self, Guide};

/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 512;
/// More identifiers than this in one observation are not kept as names.
const NAMES_MAX: usize = 16;
const PANEL: &str = "panel:";
const ID: &str = "Observation/";
const IDENTIFIER: &str = "identifier:";
const VALUE: &str = "value:";
const GUIDE: &str = "guide:";

/// The name of an observation whose sender gave it `id`.
#[must_use]
pub fn by_id(id: &str, panel: bool) -> String {
    format!("{}{ID}{id}", if panel { PANEL } else { "" })
}

/// The name of an observation with a business identifier.
#[must_use]
pub fn by_identifier(system: &str, value: &str, panel: bool) -> String {
    format!("{}{IDENTIFIER}{system}|{value}", if panel { PANEL } else { "" })
}

/// The name of an observation with a business identifier of any system.
#[must_use]
pub fn by_value(value: &str, panel: bool) -> String {
    format!("{}{VALUE}{value}", if panel { PANEL } else { "" })
}

/// Every name in an observation, under the id that its sender gave it, if any.
#[must_use]
pub fn of(resource: &Json, id: Option<&str>, panel: bool) -> Vec<String> {
    let identifiers = directory::identifiers(resource);
    let identifiers = identifiers.iter().take(NAMES_MAX).flat_map(|i| {
        [by_identifier(&i.system, &i.value, panel), by_value(&i.value, panel)]
    });
    let kept = |name: &String| name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control);
    let guides = guide::claimed(resource).next().map(|(guide, name)| match guide {
        Guide::Pocd => format!("{GUIDE}pocd/{name}"),
        Guide::Phd => format!("{GUIDE}phd/{name}"),
    });
    id.map(|id| by_id(id, panel)).into_iter().chain(identifiers).chain(guides).filter(kept).collect()
}

/// Whether one of these names says that the observation is one of a device guide, so that its
/// sender may have told more than a reading holds ([`crate::dress`]).
#[must_use]
pub fn is_guided(names: &[String]) -> bool {
    names.iter().any(|name| name.starts_with(GUIDE))
}

/// What a stored name says: whether it is a panel's, and the id, or system and value.
#[must_use]
pub fn read(name: &str) -> Option<(bool, Name<'_>)> {
    let (panel, rest) = match name.strip_prefix(PANEL) {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    if let Some(id) = rest.strip_prefix(ID) {
        return Some((panel, Name::Id(id)));
    }
    let (system, value) = rest.strip_prefix(IDENTIFIER)?.split_once('|')?;
    Some((panel, Name::Identifier(system, value)))
}

/// A name taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// A logical id.
    Id(&'a str),
    /// System (may be empty) and value of a business identifier.
    Identifier(&'a str, &'a str),
}

/// Names of readings, each with the reading's index in its message, as one text: a line each, the
/// index in front unless it is 0.
#[must_use]
pub fn encode(names: &[(u16, String)]) -> String {
    let line = |(index, name): &(u16, String)| match index {
        0 => name.clone(),
        index => format!("{index} {name}"),
    };
    names.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads what [`encode`] wrote.
pub fn decode(text: &str) -> impl Iterator<Item = (u16, &str)> {
    text.lines().filter(|line| !line.is_empty()).map(|line| {
        let numbered = line.split_once(' ').and_then(|(index, name)| Some((index.parse().ok()?, name)));
        numbered.unwrap_or((0, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_kept_and_read_back() {
        let resource = json!({"identifier": [
            {"system": "urn:x", "value": "a b|c"}, {"value": "1"}, {"value": "with\nbreak"},
            {"system": "urn:none"},
        ]});
        let found = of(&resource, Some("abc"), false);
        let expected = [
            "Observation/abc", "identifier:urn:x|a b|c", "value:a b|c", "identifier:|1", "value:1",
        ];
        assert_eq!(found, expected);
        let panel = of(&resource, None, true);
        assert_eq!(panel[2], "panel:identifier:|1");
        let indexed: Vec<(u16, String)> = (0..).zip(found).collect();
        let text = encode(&indexed);
        let read_back: Vec<(u16, String)> =
            decode(&text).map(|(index, name)| (index, name.to_owned())).collect();
        assert_eq!(read_back, indexed);
        assert_eq!(read("panel:identifier:|1"), Some((true, Name::Identifier("", "1"))));
        assert_eq!(read("identifier:urn:x|a b|c"), Some((false, Name::Identifier("urn:x", "a b|c"))));
        assert_eq!(read("Observation/abc"), Some((false, Name::Id("abc"))));
        assert_eq!(read("MSG00001"), None);
        assert_eq!(decode("").count(), 0);
    }
}
