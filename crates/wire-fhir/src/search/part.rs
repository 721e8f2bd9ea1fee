//! Parts of a resource: `_summary` and `_elements` (R4 § 3.1.1.5.8, 3.1.1.5.9).

use serde_json::{Value as Json, json};

use crate::outcome::IssueCode;

/// Which part of a resource is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// By `_summary`.
    pub summary: Summary,
    /// Top-level elements, by `_elements`; empty: all.
    pub elements: Vec<String>,
}

/// Values of `_summary` that leave something of the resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Summary {
    /// Everything.
    #[default]
    No,
    /// The elements that R4 marks as summary.
    True,
    /// The narrative and what is mandatory.
    Text,
    /// Everything but the narrative.
    Data,
}

impl Summary {
    pub(super) fn read(text: &str) -> Result<Self, (IssueCode, &'static str)> {
        match text {
            "false" => Ok(Self::No),
            "true" => Ok(Self::True),
            "text" => Ok(Self::Text),
            "data" => Ok(Self::Data),
            _ => Err((IssueCode::Value, "true, text, data, count or false is expected.")),
        }
    }
}

/// What stays whatever is asked for: what says which resource it is, and what R4 demands of it.
const ALWAYS: [&str; 7] = ["resourceType", "id", "meta", "implicitRules", "status", "code", "class"];

impl Part {
    /// The part that query parameters ask for; for reads.
    ///
    /// # Errors
    /// What is wrong with a parameter.
    pub fn read(parameters: &[(String, String)]) -> Result<Self, (IssueCode, &'static str)> {
        let mut part = Self::default();
        for (name, value) in parameters {
            match name.as_str() {
                "_summary" => part.summary = Summary::read(value)?,
                "_elements" => {
                    let named = value.split(',').filter(|name| !name.is_empty());
                    part.elements.extend(named.map(str::to_owned));
                }
                _ => {}
            }
        }
        Ok(part)
    }

    /// Leaves the part of a resource, marked as one.
    pub fn take(&self, json: &mut Json) {
        let ty = json["resourceType"].as_str().unwrap_or_default().to_owned();
        let stays = |name: &str| -> bool {
            let by_summary = match self.summary {
                Summary::No => true,
                Summary::True => summary(&ty).iter().any(|element| named(name, element)),
                Summary::Text => name == "text",
                Summary::Data => name != "text",
            };
            let by_name =
                self.elements.is_empty() || self.elements.iter().any(|element| named(name, element));
            ALWAYS.contains(&name) || (by_summary && by_name)
        };
        let Some(object) = json.as_object_mut() else { return };
        let before = object.len();
        object.retain(|name, _| stays(name));
        if object.len() == before {
            return;
        }
        let tag = json!({
            "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
            "code": "SUBSETTED",
        });
        match json["meta"]["tag"].as_array_mut() {
            Some(tags) => tags.push(tag),
            None => json["meta"]["tag"] = json!([tag]),
        }
    }
}

/// Whether a property is the element: `value[x]` is written `value` and stands as `valueQuantity`;
/// what is said about a primitive stands under an underscore.
fn named(property: &str, element: &str) -> bool {
    let property = property.strip_prefix('_').unwrap_or(property);
    let element = element.strip_suffix("[x]").unwrap_or(element);
    property.strip_prefix(element).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()) && choice(element)
    })
}

/// Elements of the served types that take a value of several types.
fn choice(element: &str) -> bool {
    matches!(element, "value" | "effective" | "deceased" | "multipleBirth")
}

/// The summary elements of a type, from the resource's page in R4.
fn summary(ty: &str) -> &'static [&'static str] {
    match ty {
        "Observation" => &[
            "identifier", "basedOn", "partOf", "status", "code", "subject", "focus", "encounter",
            "effective", "issued", "performer", "value", "hasMember", "derivedFrom", "component",
        ],
        "Patient" => &[
            "identifier", "active", "name", "telecom", "gender", "birthDate", "deceased", "address",
            "managingOrganization", "link",
        ],
        "Device" => &["udiCarrier", "status", "safety"],
        "Encounter" => &[
            "identifier", "status", "class", "type", "serviceType", "subject", "episodeOfCare",
            "participant", "appointment", "reasonCode", "reasonReference", "diagnosis",
        ],
        "Location" => &[
            "identifier", "status", "operationalStatus", "name", "description", "mode", "type",
            "physicalType", "managingOrganization",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_taken_and_marked() {
        let whole = json!({
            "resourceType": "Observation", "id": "x", "meta": {"versionId": "1"},
            "status": "final", "code": {}, "device": {}, "category": [], "text": {},
            "valueQuantity": {}, "effectiveDateTime": "2024", "note": [],
        });
        for (query, expected) in [
            ("true", "resourceType id meta status code valueQuantity effectiveDateTime"),
            ("text", "resourceType id meta status code text"),
        ] {
            let part = Part::read(&[("_summary".to_owned(), query.to_owned())]).expect("valid");
            let mut json = whole.clone();
            part.take(&mut json);
            let left: Vec<&str> =
                json.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            assert_eq!(left.join(" "), expected);
            assert_eq!(json["meta"]["tag"][0]["code"], "SUBSETTED");
        }
        let part = Part { elements: vec!["value".into(), "note".into()], ..Part::default() };
        let mut json = whole.clone();
        part.take(&mut json);
        assert!(json["valueQuantity"].is_object() && json["note"].is_array());
        assert!(json["device"].is_null());
        assert!(Part::read(&[("_summary".to_owned(), "x".to_owned())]).is_err());
        let mut json = whole.clone();
        Part::default().take(&mut json);
        assert_eq!(json, whole);
    }
}
