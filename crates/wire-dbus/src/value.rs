//! Values with their types.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `y`
    Byte(u8),
    /// `b`
    Boolean(bool),
    /// `n`
    Int16(i16),
    /// `q`
    Uint16(u16),
    /// `i`
    Int32(i32),
    /// `u`
    Uint32(u32),
    /// `x`
    Int64(i64),
    /// `t`
    Uint64(u64),
    /// `d`
    Double(f64),
    /// `s`
    Text(String),
    /// `o`: the path of an object.
    Path(String),
    /// `g`
    Signature(String),
    /// `h`: the number of a file descriptor in the message.
    Descriptor(u32),
    /// `ay`: bytes, kept as such.
    Bytes(Vec<u8>),
    /// `a…`: the signature of one element, and the elements.
    Array(String, Vec<Value>),
    /// `(…)`
    Struct(Vec<Value>),
    /// `{..}`: key and value, inside an array.
    Entry(Box<(Value, Value)>),
    /// `v`
    Variant(Box<Value>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A variant of a value.
    #[must_use]
    pub fn variant(value: Self) -> Self {
        Self::Variant(Box::new(value))
    }

    /// A map from names to variants (`a{sv}`), as properties and options are sent.
    #[must_use]
    pub fn options(options: Vec<(&str, Self)>) -> Self {
        let entry = |(key, value)| Self::Entry(Box::new((Self::text(key), Self::variant(value))));
        Self::Array("{sv}".to_owned(), options.into_iter().map(entry).collect())
    }

    /// The signature of its type.
    #[must_use]
    pub fn signature(&self) -> String {
        match self {
            Self::Byte(_) => "y".to_owned(),
            Self::Boolean(_) => "b".to_owned(),
            Self::Int16(_) => "n".to_owned(),
            Self::Uint16(_) => "q".to_owned(),
            Self::Int32(_) => "i".to_owned(),
            Self::Uint32(_) => "u".to_owned(),
            Self::Int64(_) => "x".to_owned(),
            Self::Uint64(_) => "t".to_owned(),
            Self::Double(_) => "d".to_owned(),
            Self::Text(_) => "s".to_owned(),
            Self::Path(_) => "o".to_owned(),
            Self::Signature(_) => "g".to_owned(),
            Self::Descriptor(_) => "h".to_owned(),
            Self::Bytes(_) => "ay".to_owned(),
            Self::Array(element, _) => format!("a{element}"),
            Self::Struct(fields) => format!("({})", fields.iter().map(Self::signature).collect::<String>()),
            Self::Entry(entry) => format!("{{{}{}}}", entry.0.signature(), entry.1.signature()),
            Self::Variant(_) => "v".to_owned(),
        }
    }

    /// The value inside, if this is a variant; else this.
    #[must_use]
    pub fn plain(&self) -> &Self {
        match self {
            Self::Variant(inner) => inner.plain(),
            other => other,
        }
    }

    /// A text, a path or a signature as text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.plain() {
            Self::Text(text) | Self::Path(text) | Self::Signature(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.plain() {
            Self::Boolean(yes) => Some(*yes),
            _ => None,
        }
    }

    /// Bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self.plain() {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements of an array or the fields of a structure; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self.plain() {
            Self::Array(_, items) | Self::Struct(items) => items,
            _ => &[],
        }
    }

    /// Keys and values of a map; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Self, &Self)> {
        self.items().iter().filter_map(|item| match item {
            Self::Entry(entry) => Some((&entry.0, &entry.1)),
            _ => None,
        })
    }

    /// The value of a map under a name, without the variant around it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entries().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value.plain())
    }
}
