//! Who asks, and how they come in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is asking.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Account name.
    pub name: String,
    /// Role, such as `nurse` (all of them: docs/security.md).
    pub role: String,
    /// What the role may do: `see-patients`, `act-on-alerts`, … (docs/security.md).
    pub may: Vec<String>,
    /// Whether the server runs with `--open`, without authentication.
    pub open: bool,
    /// Program version.
    pub version: String,
}

/// A log-in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Account name.
    pub name: String,
    /// Password.
    pub password: String,
}

/// Whether the server waits for its first administrator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SetupState {
    /// True until an administrator exists.
    pub needed: bool,
}

/// The first administrator.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The code that the server printed at its start; dashes, spaces and case do not matter.
    pub code: String,
    /// Account name.
    pub name: String,
    /// Password: at least 12 characters.
    pub password: String,
}
