//! The part of XPath 1.0 that selectors of safety requirements are written in: absolute paths of child (`/`) and
//! descendant (`//`) steps with predicates on attributes or place, that end in an attribute or in `text()`.
//! Anything else is not a path here.

use std::sync::Arc;

use markup::{Element, Scope};

use crate::names::CONTENT;

/// Longest path, in bytes.
const LONGEST: usize = 1_024;
/// Most elements that a path may look at: a document has at most [`crate::LIMITS`] nodes.
const LOOKS_MAX: usize = 1_000_000;

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    steps: Vec<Step>,
    end: End,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// Whether any descendant counts, not children alone.
    deep: bool,
    name: Named,
    conditions: Vec<Condition>,
}

/// A name; without prefix it is one of any namespace, `*` any at all.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    ns: Option<Arc<str>>,
    local: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Attribute(Named, String),
    Place(usize),
}

#[derive(Debug, Clone, PartialEq)]
enum End {
    Attribute(Named),
    Text,
}

impl Path {
    /// Reads a path with the prefixes that hold where it stands; none when it is no such path.
    pub(crate) fn read(text: &str, scope: &Scope) -> Option<Self> {
        let mut rest = text.trim();
        if rest.len() > LONGEST {
            return None;
        }
        let mut steps = Vec::new();
        loop {
            let deep = rest.starts_with("//");
            rest = rest.strip_prefix(if deep { "//" } else { "/" })?;
            if let Some(attribute) = rest.strip_prefix('@') {
                let end = End::Attribute(Named::read(attribute, scope)?);
                return (!deep && !steps.is_empty()).then_some(Self { steps, end });
            }
            if rest == "text()" {
                return (!deep && !steps.is_empty()).then_some(Self { steps, end: End::Text });
            }
            let length = rest.find(['/', '[']).unwrap_or(rest.len());
            let name = Named::read(&rest[..length], scope)?;
            rest = &rest[length..];
            let mut conditions = Vec::new();
            while let Some(inner) = rest.strip_prefix('[') {
                let length = closing(inner)?;
                for part in inner[..length].split(" and ") {
                    conditions.push(Condition::read(part.trim(), scope)?);
                }
                rest = &inner[length + 1..];
            }
            steps.push(Step { deep, name, conditions });
        }
    }

    /// The one value that is selected in a document whose root is this element; none where there is none, or several.
    ///
    /// Devices disagree whether the root of what they mean is the element itself or stands above it: where the
    /// path as it stands selects nothing, its first step is looked for among the root's children.
    pub(crate) fn value(&self, root: &Element) -> Option<String> {
        let document = Element { children: vec![root.clone()], ..Element::default() };
        let mut values = self.values(&document);
        if values.is_empty() {
            values = self.values(root);
        }
        (values.len() == 1).then(|| values.swap_remove(0))
    }

    fn values(&self, document: &Element) -> Vec<String> {
        let mut looks = 0;
        let mut here: Vec<&Element> = vec![document];
        for step in &self.steps {
            let mut next: Vec<&Element> = Vec::new();
            for element in here {
                let mut parents = vec![element];
                while let Some(parent) = parents.pop() {
                    looks += parent.children.len() + 1;
                    if looks > LOOKS_MAX {
                        return Vec::new();
                    }
                    step.take(parent, &mut next);
                    if step.deep {
                        parents.extend(parent.children.iter().rev());
                    }
                }
            }
            here = next;
        }
        let value = |element: &&Element| match &self.end {
            End::Attribute(name) => name.attribute(element).map(str::to_owned),
            End::Text => (!element.text.is_empty()).then(|| element.text.clone()),
        };
        here.iter().filter_map(value).collect()
    }
}

impl Step {
    fn take<'e>(&self, parent: &'e Element, out: &mut Vec<&'e Element>) {
        let mut found: Vec<&Element> = parent.children.iter().filter(|child| self.name.is(&child.ns, &child.name)).collect();
        for condition in &self.conditions {
            match condition {
                Condition::Attribute(name, value) => found.retain(|element| name.attribute(element) == Some(value)),
                Condition::Place(place) => found = found.get(place - 1).copied().into_iter().collect(),
            }
        }
        out.extend(found);
    }
}

impl Condition {
    fn read(text: &str, scope: &Scope) -> Option<Self> {
        if let Ok(place) = text.parse::<usize>() {
            return (place > 0).then_some(Self::Place(place));
        }
        let (name, value) = text.strip_prefix('@')?.split_once('=')?;
        let value = value.trim();
        let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        let value = quoted.filter(|value| !value.contains(['"', '\'']))?;
        Some(Self::Attribute(Named::read(name.trim(), scope)?, value.to_owned()))
    }
}

impl Named {
    fn read(text: &str, scope: &Scope) -> Option<Self> {
        let (ns, local) = match text.split_once(':') {
            Some((prefix, local)) => (Some(namespace(prefix, scope)?), local),
            None => (None, text),
        };
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let named = local == "*" || (local.chars().all(plain) && local.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        named.then(|| Self { ns, local: local.to_owned() })
    }

    fn is(&self, ns: &str, local: &str) -> bool {
        self.ns.as_deref().is_none_or(|wanted| wanted == ns) && (self.local == "*" || self.local == local)
    }

    fn attribute<'e>(&self, element: &'e Element) -> Option<&'e str> {
        element.attribute_ns(self.ns.as_deref().unwrap_or(""), &self.local)
    }
}

/// The namespace of a prefix. Libraries that write a device's description drop declarations that only texts rely
/// on: a prefix that is not declared is that of the standards' own documents.
fn namespace(prefix: &str, scope: &Scope) -> Option<Arc<str>> {
    let usual = || CONTENT.iter().find(|(known, _)| *known == prefix).map(|(_, ns)| Arc::from(*ns));
    scope.namespace(prefix).cloned().or_else(usual)
}

/// Where the bracket closes that was opened before; those in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (']', None) => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"<d xmlns:a="urn:a"><a:State h="1" v="x"><a:Id/><a:Id e="first"/></a:State>
        <a:State h="2" v="y">text</a:State><b><a:State h="3" v="z"/></b></d>"#;

    #[test]
    fn paths_select_one_value() {
        let document = markup::read(DOCUMENT.as_bytes(), &crate::LIMITS).expect("XML");
        for (path, expected) in [
            ("/d/a:State[@h='2']/text()", Some("text")),
            ("/d/State[@h=\"1\" and @v=\"x\"]/a:Id[2]/@e", Some("first")),
            ("/d/a:State[1]/@v", Some("x")),
            ("//a:State[@h='3']/@v", Some("z")),
            ("/a:State[@h='2']/@v", Some("y")),
            ("/d/*/a:State/@v", Some("z")),
            ("/d/a:State/@v", None),
            ("/d/a:State[@h='9']/@v", None),
            ("/d/a:State[3]/@v", None),
        ] {
            let read = Path::read(path, &document.children[0].scope);
            assert_eq!(read.expect(path).value(&document).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn prefixes_that_are_not_declared_are_the_usual_ones() {
        let text = format!("<x:Mdib xmlns:x='{}'><x:State v='1'/><State v='2'/></x:Mdib>", crate::names::PM);
        let document = markup::read(text.as_bytes(), &crate::LIMITS).expect("XML");
        let path = Path::read("/pm:Mdib/pm:State/@v", &Scope::default()).expect("a path");
        assert_eq!(path.value(&document).as_deref(), Some("1"));
    }

    #[test]
    fn what_is_no_such_path_is_none() {
        let scope = Scope::default();
        for path in [
            "", "/", "//", "a/b/@c", "/a", "/a/..", "/a/b:c/@d", "/a[", "/a[]/@b", "/a[0]/@b", "/a[@b]/@c", "/a[@b='1]/@c",
            "/a[b='1']/@c", "/a/text()/b", "/@a", "count(/a)", "/a[position()=1]/@b", "/a/@b/c", "/a/node()/@b",
        ] {
            assert_eq!(Path::read(path, &scope), None, "{path}");
        }
        assert_eq!(Path::read(&format!("/{}/@b", "a".repeat(LONGEST)), &scope), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "[/@a-c:*.'\"=\\[\\] ()and0-9é]{0,60}") {
            let document = markup::read(DOCUMENT.as_bytes(), &crate::LIMITS).expect("XML");
            if let Some(path) = Path::read(&text, &document.children[0].scope) {
                let _ = path.value(&document);
            }
        }
    }
}
