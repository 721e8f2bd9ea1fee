//! The specification's element definitions as a table, read once from `r4.txt`.
//!
//! The table holds the resources that the platform takes and every data type they can contain;
//! `examples/definitions.rs` makes it from the specification.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// One element of a type.
#[derive(Debug)]
pub(crate) struct Element {
    /// Name; that of a choice without its `[x]`.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it is a JSON array.
    pub many: bool,
    /// Whether the type is part of the JSON name (`value[x]`).
    pub choice: bool,
    /// Allowed types.
    pub types: Vec<Type>,
    /// Allowed codes, if the binding is required and short.
    pub codes: Option<&'static [&'static str]>,
}

/// One allowed type of an element.
#[derive(Debug)]
pub(crate) struct Type {
    /// Type name; a backbone element's is its path.
    pub name: &'static str,
    /// What a `Reference` may point to; empty: anything.
    pub targets: Vec<&'static str>,
}

struct Table {
    resources: HashSet<&'static str>,
    types: HashMap<&'static str, Vec<Element>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { resources: HashSet::new(), types: HashMap::new() };
    let mut sets: HashMap<&str, &'static [&'static str]> = HashMap::new();
    let mut current = "";
    for line in include_str!("r4.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        match first {
            "R" => table.resources = second.split(',').collect(),
            "V" => {
                sets.insert(second, words.next().unwrap_or("").split(',').collect::<Vec<_>>().leak());
            }
            "T" => current = second,
            _ => {
                let element = element(first, second, words, &sets);
                table.types.entry(current).or_default().push(element);
            }
        }
    }
    table
});

fn element(
    name: &'static str,
    min: &str,
    mut words: std::str::Split<'static, char>,
    sets: &HashMap<&str, &'static [&'static str]>,
) -> Element {
    let many = words.next() != Some("1");
    let types = words.next().unwrap_or("").split('|').map(|text| match text.split_once('(') {
        Some((name, targets)) => {
            Type { name, targets: targets.trim_end_matches(')').split(',').collect() }
        }
        None => Type { name: text, targets: Vec::new() },
    });
    Element {
        name: name.trim_end_matches("[x]"),
        required: min != "0",
        many,
        choice: name.ends_with("[x]"),
        types: types.collect(),
        codes: words.next().and_then(|set| sets.get(set).copied()),
    }
}

/// Whether FHIR R4 has a resource type of this name.
#[must_use]
pub fn is_resource_type(name: &str) -> bool {
    TABLE.resources.contains(name)
}

/// The elements of a type, if the table describes it.
pub(crate) fn elements(ty: &str) -> Option<&'static [Element]> {
    TABLE.types.get(ty).map(Vec::as_slice)
}

impl Element {
    /// The type that JSON name `key` selects, if it names this element.
    pub(crate) fn select(&self, key: &str) -> Option<&Type> {
        if !self.choice {
            return (self.name == key).then(|| self.types.first()).flatten();
        }
        let suffix = key.strip_prefix(self.name)?;
        self.types.iter().find(|ty| {
            let mut letters = ty.name.chars();
            letters.next().is_some_and(|first| {
                suffix.strip_prefix(first.to_ascii_uppercase()) == Some(letters.as_str())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_describes_what_it_mentions() {
        assert!(is_resource_type("Patient") && !is_resource_type("Patientx"));
        for (owner, list) in &TABLE.types {
            for element in list {
                for ty in &element.types {
                    let known = elements(ty.name).is_some()
                        || crate::primitive::is_primitive(ty.name)
                        || ty.name == "Resource";
                    assert!(known, "{owner}.{}: {}", element.name, ty.name);
                }
            }
        }
    }

    #[test]
    fn a_choice_is_selected_by_its_name() {
        let value = elements("Observation")
            .and_then(|list| list.iter().find(|e| e.name == "value"))
            .expect("Observation.value[x]");
        assert_eq!(value.select("valueQuantity").map(|t| t.name), Some("Quantity"));
        assert_eq!(value.select("valueDateTime").map(|t| t.name), Some("dateTime"));
        assert!(value.select("valuequantity").is_none());
        assert!(value.select("value").is_none());
    }
}
