//! Bytes to tree, within limits.

use std::borrow::Cow;
use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::escape::unescape;
use thiserror::Error;

use crate::write::is_allowed;
use crate::{Attribute, Element, Scope, XSI};

/// Namespace of the prefix `xml`, which needs no declaration.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What a document may be at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Elements in each other.
    pub depth: usize,
    /// Elements and attributes together.
    pub nodes: usize,
}

impl Default for Limits {
    /// 4 MiB, 64 deep, 200,000 elements and attributes.
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 64, nodes: 200_000 }
    }
}

/// Why a document was not read. No text repeats its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// Not well-formed, not UTF-8, or no single root element.
    #[error("not well-formed XML at byte {0}")]
    Syntax(u64),
    /// A prefix that no declaration binds.
    #[error("undeclared prefix at byte {0}")]
    Prefix(u64),
    /// A document type, or an entity that XML itself does not define.
    #[error("document types and entities are not accepted (byte {0})")]
    DocumentType(u64),
    /// Larger, deeper or more than allowed.
    #[error("more {0} than the limit allows")]
    Limit(&'static str),
}

/// Reads a document.
///
/// # Errors
///
/// [`Error`]: not well-formed, a document type, or over a limit.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Element, Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::Limit("bytes"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| Error::Syntax(e.valid_up_to() as u64))?;
    if let Some(at) = text.find(|c| !is_allowed(c)) {
        return Err(Error::Syntax(at as u64));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut building = Building { limits, nodes: 0, open: Vec::new(), root: None };
    loop {
        let at = reader.buffer_position();
        let syntax = Error::Syntax(at);
        match reader.read_event().map_err(|_| syntax.clone())? {
            Event::Start(tag) => building.open(&tag, at)?,
            Event::Empty(tag) => {
                building.open(&tag, at)?;
                building.close(at)?;
            }
            Event::End(_) => building.close(at)?,
            Event::Text(text) => building.text(&text.xml10_content(), at)?,
            Event::CData(text) => building.text(&text.xml10_content(), at)?,
            Event::GeneralRef(reference) => {
                let written = format!("&{};", reference.xml10_content());
                building.text(&plain(&written, at)?, at)?;
            }
            Event::DocType(_) => return Err(Error::DocumentType(at)),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match building {
        Building { open, root: Some(root), .. } if open.is_empty() => Ok(root),
        _ => Err(Error::Syntax(bytes.len() as u64)),
    }
}

struct Building<'a> {
    limits: &'a Limits,
    nodes: usize,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Building<'_> {
    fn open(&mut self, tag: &BytesStart<'_>, at: u64) -> Result<(), Error> {
        if self.root.is_some() {
            return Err(Error::Syntax(at));
        }
        if self.open.len() >= self.limits.depth {
            return Err(Error::Limit("depth"));
        }
        let mut raw = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| Error::Syntax(at))?;
            let key = attribute.key.as_ref();
            let value = plain(attribute.value.as_ref(), at)?;
            // Attribute values are normalised: a line break or tab that was not written as a
            // character reference is a blank (XML 1.0, 3.3.3).
            let value = if attribute.value.contains(['\n', '\t', '\r']) {
                let blanks = attribute.value.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ");
                plain(&blanks, at)?.into_owned()
            } else {
                value.into_owned()
            };
            raw.push((key.to_owned(), value));
        }
        self.nodes += 1 + raw.len();
        if self.nodes > self.limits.nodes {
            return Err(Error::Limit("elements"));
        }
        let outer = self.open.last().map(|parent| parent.scope.clone()).unwrap_or_default();
        let scope = declared(outer, &raw, self.limits)?;
        let qualified = tag.name();
        let (ns, name) = name(&scope, qualified.as_ref(), true).ok_or(Error::Prefix(at))?;
        let mut element = Element { ns, name: name.into(), scope, ..Element::default() };
        for (key, value) in raw {
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let (ns, name) = name_of(&element.scope, &key).ok_or(Error::Prefix(at))?;
            let name: Box<str> = name.into();
            let value = match (&*ns, &*name) {
                (XSI, "type") => {
                    let (ns, local) = element.resolve(value.trim()).ok_or(Error::Prefix(at))?;
                    format!("{{{ns}}}{local}")
                }
                _ => value,
            };
            element.attributes.push(Attribute { ns, name, value });
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self, at: u64) -> Result<(), Error> {
        let mut element = self.open.pop().ok_or(Error::Syntax(at))?;
        if !element.children.is_empty() && element.text.trim().is_empty() {
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, at: u64) -> Result<(), Error> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Error::Syntax(at)),
        }
        Ok(())
    }
}

/// Text with its references resolved; they may stand for no character that could not stand there itself.
fn plain(written: &str, at: u64) -> Result<Cow<'_, str>, Error> {
    let text = unescape(written).map_err(|_| Error::DocumentType(at))?;
    if text.chars().all(is_allowed) { Ok(text) } else { Err(Error::Syntax(at)) }
}

/// The scope with an element's declarations. A document that piles up declarations is refused.
fn declared(outer: Scope, raw: &[(String, String)], limits: &Limits) -> Result<Scope, Error> {
    let mut scope = outer;
    for (key, value) in raw {
        let prefix = match key.strip_prefix("xmlns") {
            Some("") => "",
            Some(rest) => match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None => continue,
            },
            None => continue,
        };
        let known = scope.namespace(prefix).is_some_and(|ns| **ns == **value);
        if !known {
            let names = Arc::make_mut(&mut scope.0);
            names.retain(|(old, _)| &**old != prefix);
            names.push((prefix.into(), value.as_str().into()));
            if names.len() > limits.depth.max(64) {
                return Err(Error::Limit("namespace declarations"));
            }
        }
    }
    Ok(scope)
}

fn name<'a>(scope: &Scope, qualified: &'a str, default: bool) -> Option<(Arc<str>, &'a str)> {
    match qualified.split_once(':') {
        Some(("xml", local)) => Some((XML.into(), local)),
        Some((prefix, local)) => scope.namespace(prefix).map(|ns| (ns.clone(), local)),
        None if default => Some((scope.namespace("").cloned().unwrap_or_default(), qualified)),
        None => Some((Arc::default(), qualified)),
    }
    .filter(|(_, local)| !local.is_empty() && !local.contains(':'))
}

fn name_of<'a>(scope: &Scope, qualified: &'a str) -> Option<(Arc<str>, &'a str)> {
    name(scope, qualified, false)
}
