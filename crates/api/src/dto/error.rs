//! Refusals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, safe for a screen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Short name for programs: `not-found`, `bad-request`, `forbidden`, …
    pub error: String,
    /// What failed, why, and what to do.
    pub message: String,
    /// Whether the patient may be opened in an emergency.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
}
