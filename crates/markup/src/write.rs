//! Tree to text, with the prefixes that the caller knows.

use std::collections::BTreeMap;

use quick_xml::escape::escape;

use crate::{Element, XSI};

/// Writes a document in UTF-8 with an XML declaration. All of `prefixes` (prefix, namespace) are
/// declared at the root, so that qualified names in content may use them; a namespace that is not
/// among them gets a prefix of its own, `n0`, `n1` and so on. Characters that XML can't carry are
/// left out.
#[must_use]
pub fn write(root: &Element, prefixes: &[(&str, &str)]) -> String {
    let mut names: BTreeMap<String, String> =
        prefixes.iter().map(|(prefix, ns)| ((*ns).to_owned(), (*prefix).to_owned())).collect();
    names.insert("http://www.w3.org/XML/1998/namespace".to_owned(), "xml".to_owned());
    collect(root, &mut names);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(root, &names, true, &mut out);
    out
}

fn collect(element: &Element, names: &mut BTreeMap<String, String>) {
    let mut take = |ns: &str| {
        if !ns.is_empty() && !names.contains_key(ns) {
            let prefix = if ns == XSI { "xsi".to_owned() } else { format!("n{}", names.len()) };
            names.insert(ns.to_owned(), prefix);
        }
    };
    take(&element.ns);
    for attribute in &element.attributes {
        take(&attribute.ns);
    }
    if let Some((ns, _)) = element.type_name() {
        take(ns);
    }
    for child in &element.children {
        collect(child, names);
    }
}

fn element(element_: &Element, names: &BTreeMap<String, String>, root: bool, out: &mut String) {
    let name = qualified(&element_.ns, &element_.name, names);
    out.push('<');
    out.push_str(&name);
    if root {
        for (ns, prefix) in names.iter().filter(|(_, prefix)| *prefix != "xml") {
            out.push_str(" xmlns:");
            out.push_str(prefix);
            attribute_value(ns, out);
        }
    }
    for attribute in &element_.attributes {
        out.push(' ');
        out.push_str(&qualified(&attribute.ns, &attribute.name, names));
        match (&*attribute.ns, &*attribute.name, element_.type_name()) {
            (XSI, "type", Some((ns, local))) => {
                attribute_value(&qualified(ns, local, names), out);
            }
            _ => attribute_value(&attribute.value, out),
        }
    }
    if element_.children.is_empty() && element_.text.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    out.push_str(&escape(allowed(&element_.text)).replace('\r', "&#13;"));
    for child in &element_.children {
        element(child, names, false, out);
    }
    out.push_str("</");
    out.push_str(&name);
    out.push('>');
}

fn qualified(ns: &str, local: &str, names: &BTreeMap<String, String>) -> String {
    match names.get(ns).filter(|_| !ns.is_empty()) {
        Some(prefix) => format!("{prefix}:{local}"),
        None => local.to_owned(),
    }
}

fn attribute_value(value: &str, out: &mut String) {
    out.push_str("=\"");
    let escaped = escape(allowed(value));
    for c in escaped.chars() {
        match c {
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Without the characters that no XML 1.0 document may hold.
fn allowed(text: &str) -> String {
    text.chars().filter(|c| is_allowed(*c)).collect()
}

/// Whether an XML 1.0 document may hold this character (production 2).
pub(crate) const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
