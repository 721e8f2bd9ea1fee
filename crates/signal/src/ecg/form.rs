//! The shape of a beat.

use serde::{Deserialize, Serialize};

/// What the shape of a beat is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Form {}
