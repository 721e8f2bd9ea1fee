//! The catalogue in force: read by everybody, replaced as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use crate::Catalogue;

/// Holds the catalogue in force.
#[derive(Debug, Default)]
pub struct Shelf(RwLock<Arc<Catalogue>>);

impl Shelf {
    /// The catalogue in force now.
    #[must_use]
    pub fn now(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another one in force. What was asked for before goes on as it was asked for.
    pub fn put(&self, catalogue: Catalogue) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }
}

impl From<Catalogue> for Shelf {
    fn from(catalogue: Catalogue) -> Self {
        Self(RwLock::new(Arc::new(catalogue)))
    }
}
