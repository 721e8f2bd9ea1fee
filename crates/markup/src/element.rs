//! The tree: an element with its attributes, its children and its text.

use std::sync::Arc;

/// Namespace of `xsi:type`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The prefixes that hold at an element: prefix (empty: the default namespace) and namespace, later ones first to count.
#[derive(Debug, Clone, Default)]
pub struct Scope(pub(crate) Arc<Vec<(Box<str>, Arc<str>)>>);

impl Scope {
    /// The namespace of a prefix; the empty prefix is the default namespace.
    #[must_use]
    pub fn namespace(&self, prefix: &str) -> Option<&Arc<str>> {
        self.0.iter().rev().find(|(known, _)| &**known == prefix).map(|(_, ns)| ns)
    }
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Namespace; empty for none, as most attributes have it.
    pub ns: Arc<str>,
    /// Local name.
    pub name: Box<str>,
    /// Value. That of `xsi:type` stands as `{namespace}local`, so that prefixes do not matter.
    pub value: String,
}

/// One element. Two are equal when they say the same; prefixes are not compared.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Namespace; empty for none.
    pub ns: Arc<str>,
    /// Local name.
    pub name: Box<str>,
    /// Attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// Child elements.
    pub children: Vec<Element>,
    /// The element's own text, unescaped; without white space where there are child elements.
    pub text: String,
    /// The prefixes that held where the element was read; empty for one that was made.
    pub scope: Scope,
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.ns == other.ns
            && self.name == other.name
            && self.attributes == other.attributes
            && self.children == other.children
            && self.text == other.text
    }
}

impl Element {
    /// An empty element.
    #[must_use]
    pub fn new(ns: &str, name: &str) -> Self {
        Self { ns: ns.into(), name: name.into(), ..Self::default() }
    }

    /// An element that holds text.
    #[must_use]
    pub fn with_text(ns: &str, name: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::new(ns, name) }
    }

    /// The element with one more child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The element with one more attribute without namespace.
    #[must_use]
    pub fn attr(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set("", name, value);
        self
    }

    /// Whether it has this namespace and local name.
    #[must_use]
    pub fn is(&self, ns: &str, name: &str) -> bool {
        &*self.ns == ns && &*self.name == name
    }

    /// Value of an attribute without namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_ns("", name)
    }

    /// Value of an attribute in a namespace.
    #[must_use]
    pub fn attribute_ns(&self, ns: &str, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| &*a.ns == ns && &*a.name == name).map(|a| a.value.as_str())
    }

    /// Sets an attribute, replacing one of the same name.
    pub fn set(&mut self, ns: &str, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|a| &*a.ns == ns && &*a.name == name) {
            Some(known) => known.value = value,
            None => self.attributes.push(Attribute { ns: ns.into(), name: name.into(), value }),
        }
    }

    /// Namespace and local name of `xsi:type`.
    #[must_use]
    pub fn type_name(&self) -> Option<(&str, &str)> {
        self.attribute_ns(XSI, "type")?.strip_prefix('{')?.split_once('}')
    }

    /// Sets `xsi:type`.
    pub fn set_type(&mut self, ns: &str, local: &str) {
        self.set(XSI, "type", format!("{{{ns}}}{local}"));
    }

    /// The first child of this name.
    #[must_use]
    pub fn find(&self, ns: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(ns, name))
    }

    /// Every child of this name.
    pub fn all<'a>(&'a self, ns: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(ns, name))
    }

    /// The trimmed text of the first child of this name.
    #[must_use]
    pub fn text_of(&self, ns: &str, name: &str) -> Option<&str> {
        self.find(ns, name).map(|child| child.text.trim())
    }

    /// Namespace and local name of a qualified name in the element's content or attributes, by the
    /// prefixes that held where it was read; a name without prefix has the default namespace.
    #[must_use]
    pub fn resolve<'a>(&self, qualified: &'a str) -> Option<(Arc<str>, &'a str)> {
        let (prefix, local) = qualified.split_once(':').unwrap_or(("", qualified));
        match self.scope.namespace(prefix) {
            Some(ns) => Some((ns.clone(), local)),
            None if prefix.is_empty() => Some((Arc::default(), local)),
            None => None,
        }
    }
}
