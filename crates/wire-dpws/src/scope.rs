//! Scopes: how they match (WS-Discovery 1.1, 5.1) and those of SDC (IEEE 11073-20701, 9).

/// How a probe's scope is compared with a device's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// Scheme and authority without regard to case, path by whole segments from the left.
    #[default]
    Rfc3986,
    /// The same bytes.
    Strcmp0,
    /// UUIDs in any notation.
    Uuid,
    /// No scopes at all: matches devices that have none.
    None,
}

const RULES: &[(Rule, &str)] = &[
    (Rule::Rfc3986, "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/rfc3986"),
    (Rule::Strcmp0, "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/strcmp0"),
    (Rule::Uuid, "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/uuid"),
    (Rule::None, "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/none"),
];

impl Rule {
    /// The rule of a URI; that for LDAP is not known here.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        RULES.iter().find(|(_, known)| *known == uri.trim()).map(|(rule, _)| *rule)
    }

    /// The URI of the rule.
    #[must_use]
    pub fn uri(self) -> &'static str {
        RULES.iter().find(|(rule, _)| *rule == self).map_or("", |(_, uri)| uri)
    }

    /// Whether a probe's scope matches a device's.
    #[must_use]
    pub fn matches(self, asked: &str, has: &str) -> bool {
        match self {
            Self::Rfc3986 => rfc3986(asked, has),
            Self::Strcmp0 => asked == has,
            Self::Uuid => uuid(asked).is_some_and(|asked| uuid(has).as_ref() == Some(&asked)),
            Self::None => false,
        }
    }
}

/// The parts of a URI: scheme, authority, path; query and fragment are not compared.
fn split(uri: &str) -> Option<(String, String, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    Some((scheme.to_ascii_lowercase(), authority.to_ascii_lowercase(), path))
}

fn rfc3986(asked: &str, has: &str) -> bool {
    let (Some(asked), Some(has)) = (split(asked), split(has)) else {
        return false;
    };
    if (&asked.0, &asked.1) != (&has.0, &has.1) {
        return false;
    }
    // A trailing slash names the same place; a path that climbs matches nothing.
    let segments = |path: &str| {
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        trimmed.split('/').map(decode).collect::<Vec<_>>()
    };
    let (asked, has) = (segments(asked.2), segments(has.2));
    let climbs = |segments: &[Vec<u8>]| segments.iter().any(|s| s == b"." || s == b"..");
    !climbs(&asked) && !climbs(&has) && has.starts_with(&asked)
}

fn uuid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("urn:").unwrap_or(&text);
    let text = text.strip_prefix("uuid:").unwrap_or(text);
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    (hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hex)
}

/// The bytes that a percent-encoded text stands for; what is no escape stands for itself.
#[must_use]
pub fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => {
                // Writing to a string does not fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Scope of every SDC provider (IEEE 11073-20701, 9.3: key purpose).
pub const PROVIDER: &str = "sdc.mds.pkp:1.2.840.10004.20701.1.1";

/// Scope of the type of an MDS (IEEE 11073-20701, 9.2); an empty coding system is the default one, IEEE 11073-10101.
#[must_use]
pub fn device_type(coding_system: &str, version: &str, code: &str) -> String {
    format!("sdc.cdc.type:/{}/{}/{}", encode(coding_system), encode(version), encode(code))
}

/// A place as a location context names it (IEEE 11073-20701, 9.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// Root of the identifier.
    pub root: String,
    /// Extension of the identifier.
    pub extension: String,
    /// Facility.
    pub facility: Option<String>,
    /// Building.
    pub building: Option<String>,
    /// Floor.
    pub floor: Option<String>,
    /// Point of care.
    pub point_of_care: Option<String>,
    /// Room.
    pub room: Option<String>,
    /// Bed.
    pub bed: Option<String>,
}

const LOCATION: &str = "sdc.ctxt.loc";
/// Root of identifiers that are made of the location's own parts.
pub const LOCATION_DETAIL: &str = "sdc.ctxt.loc.detail";

impl Location {
    fn parts(&self) -> [(&'static str, &Option<String>); 6] {
        [
            ("fac", &self.facility),
            ("bldng", &self.building),
            ("flr", &self.floor),
            ("poc", &self.point_of_care),
            ("rm", &self.room),
            ("bed", &self.bed),
        ]
    }

    /// The extension that a location's parts make: `fac/bldng/flr/poc/rm/bed`, empty where there is none.
    #[must_use]
    pub fn detail(&self) -> String {
        self.parts().map(|(_, part)| part.as_deref().unwrap_or("")).join("/")
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> String {
        let query: Vec<String> = self
            .parts()
            .iter()
            .filter_map(|(key, part)| part.as_ref().map(|part| format!("{key}={}", encode(part))))
            .collect();
        let mut scope = format!("{LOCATION}:/{}", encode(&self.root));
        if !self.extension.is_empty() {
            scope.push('/');
            scope.push_str(&encode(&self.extension));
        }
        if !query.is_empty() {
            scope.push('?');
            scope.push_str(&query.join("&"));
        }
        scope
    }

    /// Reads the scope; none when it is no location's. Unknown keys are passed over.
    #[must_use]
    pub fn of_scope(scope: &str) -> Option<Self> {
        let text = |bytes: &str| String::from_utf8_lossy(&decode(bytes)).into_owned();
        let (scheme, rest) = scope.split_once(':')?;
        if !scheme.eq_ignore_ascii_case(LOCATION) {
            return None;
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.strip_prefix('/')?;
        let (root, extension) = path.split_once('/').unwrap_or((path, ""));
        let mut location = Self { root: text(root), extension: text(extension), ..Self::default() };
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = Some(text(&value.replace('+', " ")));
            match key {
                "fac" => location.facility = value,
                "bldng" => location.building = value,
                "flr" => location.floor = value,
                "poc" => location.point_of_care = value,
                "rm" => location.room = value,
                "bed" => location.bed = value,
                _ => {}
            }
        }
        Some(location)
    }

    /// Whether `other` lies within this place: every part that this one names is the same there.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.parts().iter().zip(other.parts()).all(|((_, mine), (_, theirs))| mine.is_none() || *mine == theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_match_by_whole_segments() {
        for (asked, has, matches) in [
            ("sdc.ctxt.loc:/a/b", "SDC.ctxt.loc:/a/b/c?x=1", true),
            ("http://A/x/", "http://a/x/y", true),
            ("http://a/x", "http://a/xy", false),
            ("http://a/x%2Fy", "http://a/x/y", false),
            ("http://a/x%41", "http://a/xA", true),
            ("http://a/x/../y", "http://a/x/../y", false),
            ("http://a/x/y", "http://a/x", false),
            ("http://b/x", "http://a/x", false),
            ("no scheme", "no scheme", false),
        ] {
            assert_eq!(Rule::Rfc3986.matches(asked, has), matches, "{asked} in {has}");
        }
        assert!(Rule::Strcmp0.matches("a", "a") && !Rule::Strcmp0.matches("a", "A"));
        let id = "0123ABCD-0123-0123-0123-0123456789ab";
        assert!(Rule::Uuid.matches(id, &format!("urn:uuid:{}", id.to_lowercase())));
        assert!(!Rule::Uuid.matches("x", "x") && !Rule::None.matches("a", "a"));
    }

    #[test]
    fn locations() {
        let bed = Location {
            root: LOCATION_DETAIL.into(),
            facility: Some("HOSP 1".into()),
            point_of_care: Some("CU1".into()),
            bed: Some("Bed/42".into()),
            ..Location::default()
        };
        let bed = Location { extension: bed.detail(), ..bed };
        assert_eq!(
            bed.scope(),
            "sdc.ctxt.loc:/sdc.ctxt.loc.detail/HOSP%201%2F%2F%2FCU1%2F%2FBed%2F42?fac=HOSP%201&poc=CU1&bed=Bed%2F42"
        );
        assert_eq!(Location::of_scope(&bed.scope()), Some(bed.clone()));
        let ward = Location { point_of_care: Some("CU1".into()), ..Location::default() };
        assert!(ward.holds(&bed) && !bed.holds(&ward));
        assert_eq!(Location::of_scope("sdc.ctxt.pat:/x"), None);
    }
}
