//! States that can be handed out as they are while they go on changing: whoever writes them to disk
//! need not stop whoever judges patients.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A state. Copied when it changes while a [`Part`] of it is still to be written, else changed where
/// it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    pub(crate) fn new(state: T) -> Self {
        Self(Arc::new(state))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// A part of the engine's state as it was when it was asked for; its bytes are made later.
#[derive(Clone)]
pub struct Part(Arc<dyn Fn() -> Vec<u8> + Send + Sync>);

impl Part {
    /// Of bytes that are made already.
    #[must_use]
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(Arc::new(move || bytes.clone()))
    }

    pub(crate) fn of<T: Send + Sync + 'static>(state: &Shared<T>, write: fn(&T) -> Vec<u8>) -> Self {
        let state = Arc::clone(&state.0);
        Self(Arc::new(move || write(&state)))
    }

    /// The bytes; empty for a part that is gone.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        (self.0)()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Part")
    }
}
