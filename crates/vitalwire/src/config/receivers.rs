//! `[[webhook]]` and `[[alert_manager]]`: to whom alerts are sent.

use alert::Priority;
use serde::Deserialize;

/// `[[webhook]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Receiver {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default = "low")]
    pub(crate) priority: Priority,
}

/// `[[alert_manager]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) insecure: bool,
    #[serde(default = "low")]
    pub(crate) priority: Priority,
}

fn low() -> Priority {
    Priority::Low
}
