//! A part of the engine's state on its way to the store, whose bytes are made when it is written:
//! whoever judges patients need not wait for that.

use std::fmt;
use std::sync::Arc;

/// Bytes, made when they are asked for: the same each time.
#[derive(Clone)]
pub struct StatePart(Arc<dyn Fn() -> Vec<u8> + Send + Sync>);

impl StatePart {
    /// Bytes that `make` gives, each time the same.
    #[must_use]
    pub fn later(make: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// The bytes; none removes the part.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        (self.0)()
    }
}

impl From<Vec<u8>> for StatePart {
    fn from(bytes: Vec<u8>) -> Self {
        Self::later(move || bytes.clone())
    }
}

impl PartialEq for StatePart {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl fmt::Debug for StatePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StatePart")
    }
}
