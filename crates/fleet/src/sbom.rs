//! Software bills of materials: CycloneDX JSON (ECMA-424), as far as vulnerabilities need it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most components of one document.
const COMPONENTS_MAX: usize = 20_000;
/// How deep components may hold components.
const DEPTH_MAX: usize = 16;

/// What is inside a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sbom {
    /// What the document describes, such as `P2 firmware 2.4.1`; may be empty.
    pub subject: String,
    /// The parts.
    pub components: Vec<Component>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Name.
    pub name: String,
    /// Version; may be empty.
    pub version: String,
    /// Package URL; may be empty.
    pub purl: String,
}

/// Reads a CycloneDX document.
///
/// # Errors
/// What is wrong with it.
pub fn from_cyclonedx(bytes: &[u8]) -> Result<Sbom, String> {
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|e| format!("not JSON at line {} column {}", e.line(), e.column()))?;
    if document["bomFormat"] != "CycloneDX" {
        return Err("bomFormat is not CycloneDX; SPDX and XML are not read".to_owned());
    }
    let main = &document["metadata"]["component"];
    let subject = format!("{} {}", text(main, "name"), text(main, "version")).trim().to_owned();
    let mut sbom = Sbom { subject, components: Vec::new() };
    add(&mut sbom.components, &main["components"], 0)?;
    add(&mut sbom.components, &document["components"], 0)?;
    Ok(sbom)
}

fn add(components: &mut Vec<Component>, list: &Value, depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("components more than {DEPTH_MAX} deep"));
    }
    for entry in list.as_array().into_iter().flatten() {
        if components.len() >= COMPONENTS_MAX {
            return Err(format!("more than {COMPONENTS_MAX} components"));
        }
        components.push(Component {
            name: text(entry, "name").to_owned(),
            version: text(entry, "version").to_owned(),
            purl: text(entry, "purl").to_owned(),
        });
        add(components, &entry["components"], depth + 1)?;
    }
    Ok(())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// A package URL without version, qualifiers and subpath, lower case, and its version: what makes two
/// packages the same one (purl specification: `pkg:type/namespace/name@version?qualifiers#subpath`).
#[must_use]
pub(crate) fn package(purl: &str) -> Option<(String, Option<&str>)> {
    let rest = purl.strip_prefix("pkg:")?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest).trim_matches('/');
    // An @ in front of the last / belongs to a namespace, such as npm's %40scope.
    let at = rest.rfind('@').filter(|at| rest[*at..].find('/').is_none());
    let (name, version) = match at {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    name.contains('/').then(|| (name.to_lowercase(), version.filter(|v| !v.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_with_nested_parts() {
        let text = br#"{"bomFormat":"CycloneDX","specVersion":"1.6",
            "metadata":{"component":{"type":"firmware","name":"P2","version":"2.4.1"}},
            "components":[{"type":"library","name":"openssl","version":"1.1.1k","purl":"pkg:generic/openssl@1.1.1k",
              "components":[{"name":"zlib","version":"1.2.11"}]}]}"#;
        let sbom = from_cyclonedx(text).expect("a document");
        assert_eq!(sbom.subject, "P2 2.4.1");
        let names: Vec<_> = sbom.components.iter().map(|c| (c.name.as_str(), c.version.as_str())).collect();
        assert_eq!(names, [("openssl", "1.1.1k"), ("zlib", "1.2.11")]);
        assert!(from_cyclonedx(b"{}").is_err() && from_cyclonedx(b"<bom/>").is_err());
        let deep = format!("{}{}", r#"{"name":"x","components":["#.repeat(40), "]}".repeat(40));
        let deep = format!(r#"{{"bomFormat":"CycloneDX","components":[{deep}]}}"#);
        assert!(from_cyclonedx(deep.as_bytes()).is_err_and(|e| e.contains("deep")));
    }

    #[test]
    fn package_names_and_versions() {
        for (purl, name, version) in [
            ("pkg:generic/openssl@1.1.1k?x=y", Some("generic/openssl"), Some("1.1.1k")),
            ("pkg:npm/%40angular/animation@12.3.1", Some("npm/%40angular/animation"), Some("12.3.1")),
            ("pkg:npm/@angular/animation", Some("npm/@angular/animation"), None),
            ("openssl", None, None),
        ] {
            let found = package(purl);
            assert_eq!(found.as_ref().map(|(n, _)| n.as_str()), name, "{purl}");
            assert_eq!(found.and_then(|(_, v)| v), version, "{purl}");
        }
    }
}
