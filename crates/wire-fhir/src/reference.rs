//! References between resources, as R4 § 2.3.0 writes them.

use crate::definition;

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// `Type/id`, relative to this server or at the end of an absolute address.
    Literal {
        /// Resource type.
        resource_type: &'a str,
        /// Logical id.
        id: &'a str,
        /// Whether a whole address was given, perhaps of another server.
        absolute: bool,
    },
    /// `Type?search`: whoever the search finds, exactly one (bundles).
    Conditional {
        /// Resource type.
        resource_type: &'a str,
        /// Search parameters.
        query: &'a str,
    },
    /// `#id` within the same resource.
    Contained(&'a str),
    /// `urn:uuid:…` or `urn:oid:…`: another entry of the bundle.
    Urn(&'a str),
    /// An absolute address that does not end with `Type/id`.
    Other,
}

impl Target<'_> {
    /// The type referred to, where the text says it.
    #[must_use]
    pub fn resource_type(&self) -> Option<&str> {
        match self {
            Self::Literal { resource_type, .. } | Self::Conditional { resource_type, .. } => {
                Some(resource_type)
            }
            _ => None,
        }
    }
}

/// Reads a reference; none when the text is not one.
#[must_use]
pub fn parse(text: &str) -> Option<Target<'_>> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return None;
    }
    if let Some(id) = text.strip_prefix('#') {
        return Some(Target::Contained(id));
    }
    if text.starts_with("urn:") {
        return Some(Target::Urn(text));
    }
    let absolute = text.contains("://");
    if let Some((resource_type, query)) = text.split_once('?').filter(|_| !absolute) {
        return definition::is_resource_type(resource_type)
            .then_some(Target::Conditional { resource_type, query });
    }
    let versionless = text.split("/_history/").next().unwrap_or(text);
    let literal = versionless.rsplit_once('/').and_then(|(front, id)| {
        let resource_type = front.rsplit('/').next().unwrap_or(front);
        let relative = absolute || front == resource_type;
        (relative && definition::is_resource_type(resource_type) && vitals::id::is_logical_id(id))
            .then_some(Target::Literal { resource_type, id, absolute })
    });
    literal.or(absolute.then_some(Target::Other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        let literal = |id, absolute| Some(Target::Literal { resource_type: "Patient", id, absolute });
        for (text, expected) in [
            ("Patient/a-1", literal("a-1", false)),
            ("Patient/a/_history/3", literal("a", false)),
            ("https://ehr.example/fhir/Patient/7", literal("7", true)),
            (
                "Patient?identifier=urn:x|1",
                Some(Target::Conditional { resource_type: "Patient", query: "identifier=urn:x|1" }),
            ),
            ("#p", Some(Target::Contained("p"))),
            ("urn:uuid:0", Some(Target::Urn("urn:uuid:0"))),
            ("http://example.org/x", Some(Target::Other)),
            ("Patientx/1", None),
            ("Patient/", None),
            ("Patient/a_b", None),
            ("a/Patient/1", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
