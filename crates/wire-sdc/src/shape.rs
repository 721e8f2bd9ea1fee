//! How the standard's types are read from elements and written to them, so that a type's file is a
//! table of its attributes and elements.
//!
//! Inside a type the first fault loses it whole: half an alarm limit is worse than none. Lists of
//! descriptors, states and report parts lose only the member that is wrong.

use markup::Element;
use thiserror::Error;

use crate::PM;

/// What could not be read, and where. No text repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {problem}")]
pub struct Fault {
    /// Names of elements and attributes, outermost first: `State[hr]/MetricValue/@Value`.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// Required, and not there.
    #[error("missing")]
    Missing,
    /// Not a value of its type.
    #[error("not a value of its type")]
    BadValue,
    /// A type or message that the standard does not have.
    #[error("unknown type")]
    UnknownType,
    /// More than a limit allows.
    #[error("more than the limit allows")]
    Limit,
}

impl Fault {
    pub(crate) fn new(path: impl Into<String>, problem: Problem) -> Self {
        Self { path: path.into(), problem }
    }

    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.path = format!("{outer}/{}", self.path);
        self
    }
}

/// A simple type: an attribute's value or an element's text.
pub(crate) trait Simple: Sized {
    fn parse(text: &str) -> Option<Self>;
    fn text(&self) -> String;
}

/// A complex type.
pub(crate) trait Shape: Sized {
    fn read(element: &Element) -> Result<Self, Fault>;
    fn write(&self, element: &mut Element);
}

/// A field that is an attribute.
pub(crate) trait AttributeField: Sized {
    fn fetch(element: &Element, name: &str) -> Result<Self, Fault>;
    fn store(&self, element: &mut Element, name: &str);
}

impl<T: Simple> AttributeField for Option<T> {
    fn fetch(element: &Element, name: &str) -> Result<Self, Fault> {
        let bad = || Fault::new(format!("@{name}"), Problem::BadValue);
        element.attribute(name).map(|text| T::parse(text).ok_or_else(bad)).transpose()
    }

    fn store(&self, element: &mut Element, name: &str) {
        if let Some(value) = self {
            element.set("", name, value.text());
        }
    }
}

impl<T: Simple> AttributeField for T {
    fn fetch(element: &Element, name: &str) -> Result<Self, Fault> {
        <Option<T>>::fetch(element, name)?
            .ok_or_else(|| Fault::new(format!("@{name}"), Problem::Missing))
    }

    fn store(&self, element: &mut Element, name: &str) {
        element.set("", name, self.text());
    }
}

/// A field that is one or several child elements of namespace `ns`.
pub(crate) trait ElementField: Sized {
    fn get(parent: &Element, ns: &str, name: &str) -> Result<Self, Fault>;
    fn put(&self, parent: &mut Element, ns: &str, name: &str);
}

impl<T: Shape> ElementField for Option<T> {
    fn get(parent: &Element, ns: &str, name: &str) -> Result<Self, Fault> {
        parent.find(ns, name).map(T::read).transpose().map_err(|fault| fault.within(name))
    }

    fn put(&self, parent: &mut Element, ns: &str, name: &str) {
        if let Some(value) = self {
            value.put(parent, ns, name);
        }
    }
}

impl<T: Shape> ElementField for T {
    fn get(parent: &Element, ns: &str, name: &str) -> Result<Self, Fault> {
        <Option<T>>::get(parent, ns, name)?.ok_or_else(|| Fault::new(name, Problem::Missing))
    }

    fn put(&self, parent: &mut Element, ns: &str, name: &str) {
        let mut element = Element::new(ns, name);
        self.write(&mut element);
        parent.children.push(element);
    }
}

impl<T: Shape> ElementField for Vec<T> {
    fn get(parent: &Element, ns: &str, name: &str) -> Result<Self, Fault> {
        parent.all(ns, name).map(T::read).collect::<Result<_, _>>().map_err(|f| f.within(name))
    }

    fn put(&self, parent: &mut Element, ns: &str, name: &str) {
        for value in self {
            value.put(parent, ns, name);
        }
    }
}

/// Simple types are shapes, too: an element that holds nothing but the text.
macro_rules! textual {
    ($($type:ty),*) => {$(
        impl $crate::shape::Shape for $type {
            fn read(element: &markup::Element) -> Result<Self, $crate::Fault> {
                let bad = || $crate::Fault::new("text()", $crate::Problem::BadValue);
                <$type as $crate::shape::Simple>::parse(&element.text).ok_or_else(bad)
            }

            fn write(&self, element: &mut markup::Element) {
                element.text = $crate::shape::Simple::text(self);
            }
        }
    )*};
}
pub(crate) use textual;

textual!(String, f64, u32, u64);

impl Simple for String {
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn text(&self) -> String {
        self.clone()
    }
}

/// `xsd:decimal`: no exponent, no infinity.
impl Simple for f64 {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
        text.parse().ok().filter(|value: &Self| plain && value.is_finite())
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Simple for bool {
    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Simple for $type {
            fn parse(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }

            fn text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
whole!(u32, u64, i32, i64);

/// Declares a complex type as a table: `attr`, `elem` (participant model) or `base` (the type that
/// it extends), the field, its type and its name in the standard.
macro_rules! shape {
    ($($(#[$meta:meta])* $name:ident { $($kind:ident $field:ident : $type:ty = $wire:literal),* $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $(
                #[doc = concat!("`", $wire, "` of the standard.")]
                pub $field: $type,
            )*
        }

        impl $crate::shape::Shape for $name {
            fn read(element: &markup::Element) -> Result<Self, $crate::Fault> {
                let _ = element;
                Ok(Self { $($field: $crate::shape::get!($kind, $type, element, $wire),)* })
            }

            fn write(&self, element: &mut markup::Element) {
                let _ = &element;
                $($crate::shape::put!($kind, self.$field, element, $wire);)*
            }
        }
    )+};
}
pub(crate) use shape;

macro_rules! get {
    (attr, $type:ty, $element:ident, $wire:literal) => {
        <$type as $crate::shape::AttributeField>::fetch($element, $wire)?
    };
    (elem, $type:ty, $element:ident, $wire:literal) => {
        <$type as $crate::shape::ElementField>::get($element, $crate::PM, $wire)?
    };
    (base, $type:ty, $element:ident, $wire:literal) => {
        <$type as $crate::shape::Shape>::read($element)?
    };
}
pub(crate) use get;

macro_rules! put {
    (attr, $value:expr, $element:ident, $wire:literal) => {
        $crate::shape::AttributeField::store(&$value, $element, $wire)
    };
    (elem, $value:expr, $element:ident, $wire:literal) => {
        $crate::shape::ElementField::put(&$value, $element, $crate::PM, $wire)
    };
    (base, $value:expr, $element:ident, $wire:literal) => {
        $crate::shape::Shape::write(&$value, $element)
    };
}
pub(crate) use put;

/// Declares an enumeration as a table: a name for people, the standard's own, what it means. The
/// first is the default.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $first:ident = $firstwire:literal $firstdoc:literal, $($word:ident = $wire:literal $doc:literal),* $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name {
            #[doc = $firstdoc]
            #[default]
            $first,
            $(#[doc = $doc] $word,)*
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$word),*];

            /// As the standard writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { Self::$first => $firstwire, $(Self::$word => $wire,)* }
            }
        }

        impl $crate::shape::Simple for $name {
            fn parse(text: &str) -> Option<Self> {
                let text = text.trim();
                Self::ALL.iter().copied().find(|word| word.name() == text)
            }

            fn text(&self) -> String {
                self.name().to_owned()
            }
        }

        $crate::shape::textual!($name);
    )+};
}
pub(crate) use words;

/// Declares the kinds of an abstract type: variant, its type, its `xsi:type`.
macro_rules! kinds {
    ($(#[$meta:meta])* $name:ident { $($kind:ident($type:ty) = $wire:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("`", $wire, "`.")] $kind($type),)*
        }

        impl $name {
            /// The standard's name of the type.
            #[must_use]
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$kind(_) => $wire,)* }
            }

            pub(crate) fn read(wire: &str, element: &markup::Element) -> Result<Self, $crate::Fault> {
                match wire {
                    $($wire => <$type as $crate::shape::Shape>::read(element).map(Self::$kind),)*
                    _ => Err($crate::Fault::new("@type", $crate::Problem::UnknownType)),
                }
            }

            pub(crate) fn write(&self, element: &mut markup::Element) {
                match self { $(Self::$kind(kind) => $crate::shape::Shape::write(kind, element),)* }
            }
        }

        $(impl From<$type> for $name {
            fn from(kind: $type) -> Self {
                Self::$kind(kind)
            }
        })*
    };
}
pub(crate) use kinds;

/// What stands in `ext:Extension`, as it came: nothing here understands it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extension(pub Vec<Element>);

impl Extension {
    pub(crate) fn of(element: &Element) -> Self {
        Self(element.find(crate::EXT, "Extension").map(|e| e.children.clone()).unwrap_or_default())
    }

    pub(crate) fn put(&self, element: &mut Element) {
        if !self.0.is_empty() {
            let extension = Element { children: self.0.clone(), ..Element::new(crate::EXT, "Extension") };
            element.children.push(extension);
        }
    }
}

/// The `xsi:type` in the participant model's namespace, or `usual` where there is none.
pub(crate) fn type_of<'a>(element: &'a Element, usual: &'a str) -> Result<&'a str, Fault> {
    match element.type_name() {
        Some((ns, local)) if ns == PM => Ok(local),
        Some(_) => Err(Fault::new("@type", Problem::UnknownType)),
        None if usual.is_empty() => Err(Fault::new("@type", Problem::Missing)),
        None => Ok(usual),
    }
}
