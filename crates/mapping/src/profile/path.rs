//! Paths and conditions (JSONPath, RFC 9535): `$` is the payload, `@` the item of `each`.

use serde_json::Value;
use serde_json_path::JsonPath;

/// What paths are asked about.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v> {
    /// The payload, as the only element of an array: conditions are filters on that array.
    wrapped: &'v Value,
    /// The item of `each`, or the payload.
    pub(super) item: &'v Value,
}

impl<'v> Scope<'v> {
    /// The scope of a whole payload, which is the only element of the array `wrapped`.
    pub(super) fn of(wrapped: &'v Value) -> Self {
        Self { wrapped, item: wrapped.get(0).unwrap_or(wrapped) }
    }

    /// The scope of one item.
    pub(super) fn at(self, item: &'v Value) -> Self {
        Self { item, ..self }
    }

    pub(super) fn payload(self) -> &'v Value {
        self.wrapped.get(0).unwrap_or(self.wrapped)
    }
}

/// A path.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(super) text: String,
    of_item: bool,
    path: JsonPath,
}

impl Path {
    /// Compiles a path that begins with `$` or `@`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let of_item = text.starts_with('@');
        let absolute = match text.strip_prefix('@') {
            Some(rest) => format!("${rest}"),
            None => text.to_owned(),
        };
        let path = JsonPath::parse(&absolute).map_err(|error| {
            format!("not a JSONPath (RFC 9535) that begins with $ or @: {error}")
        })?;
        Ok(Self { text: text.to_owned(), of_item, path })
    }

    pub(super) fn all<'v>(&self, scope: Scope<'v>) -> Vec<&'v Value> {
        self.path.query(if self.of_item { scope.item } else { scope.payload() }).all()
    }

    /// The first node that is there and not null.
    pub(super) fn first<'v>(&self, scope: Scope<'v>) -> Option<&'v Value> {
        self.all(scope).into_iter().find(|value| !value.is_null())
    }

    /// All nodes with their places.
    pub(super) fn located<'v>(&self, scope: Scope<'v>) -> Vec<(String, &'v Value)> {
        self.path
            .query_located(if self.of_item { scope.item } else { scope.payload() })
            .into_iter()
            .map(|located| (located.location().to_string(), located.node()))
            .collect()
    }
}

/// A condition: a path that must find something, or an expression on `@`.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// Begins with `$`: holds when the path finds anything.
    Exists(Path),
    /// Begins otherwise: a filter expression on `@`.
    Filter { text: String, path: JsonPath },
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('$') {
            return Path::parse(text).map(Self::Exists);
        }
        let path = JsonPath::parse(&format!("$[?{text}]"))
            .map_err(|error| format!("not a JSONPath filter expression such as @.type == 'vitals': {error}"))?;
        Ok(Self::Filter { text: text.to_owned(), path })
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Exists(path) => &path.text,
            Self::Filter { text, .. } => text,
        }
    }

    pub(super) fn holds(&self, scope: Scope<'_>) -> bool {
        match self {
            Self::Exists(path) => !path.all(scope).is_empty(),
            Self::Filter { path, .. } if std::ptr::eq(scope.item, scope.payload()) => {
                !path.query(scope.wrapped).is_empty()
            }
            Self::Filter { path, .. } => {
                !path.query(&Value::Array(vec![scope.item.clone()])).is_empty()
            }
        }
    }
}
