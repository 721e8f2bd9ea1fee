//! What was not understood, and the profiles that make it understood.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MessageView;

/// Something that could not be understood.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuarantineItem {
    /// Journal entry.
    pub offset: u64,
    /// When it was received.
    pub received_ms: i64,
    /// `mqtt`, `mllp`, `fhir`, …
    pub protocol: String,
    /// Topic, message type or resource type.
    pub address: String,
    /// Client, application or account.
    pub sender: String,
    /// Profile that tried; may be empty.
    pub profile: String,
    /// Size in bytes.
    pub size: usize,
    /// `new`, `released`, `discarded`.
    pub state: String,
    /// Values that were understood all the same.
    pub understood: u32,
    /// What is wrong.
    pub problems: Vec<ProblemView>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemView {
    /// `syntax`, `unmatched`, `unknown-metric`, …
    pub kind: String,
    /// Where in the message.
    pub path: String,
    /// What and what to do.
    pub detail: String,
}

/// A page of quarantine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuarantinePage {
    /// Newest first.
    pub items: Vec<QuarantineItem>,
    /// How many there are in all for the question asked.
    pub total: u64,
    /// How many are new, by kind of problem.
    pub by_kind: Vec<(String, u64)>,
}

/// A quarantined message, whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuarantineDetail {
    /// The line.
    pub item: QuarantineItem,
    /// The message.
    pub message: MessageView,
    /// Step by step, how the profiles of now read it.
    pub trace: Vec<TraceStep>,
    /// How many values it would now yield.
    pub would_yield: u32,
}

/// One step of reading a message with profiles.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TraceStep {
    /// `match`, `extract`, `convert`, `result`, …
    pub step: String,
    /// Whether it went well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// A device profile.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileView {
    /// File name without folder.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// Why it does not work; empty if it does.
    pub error: String,
    /// Whether it is built in and can't be changed.
    pub built_in: bool,
}

/// A profile to try on a payload, or to keep.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileTest {
    /// File name.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// Topic to try; or take a quarantined message's.
    pub topic: Option<String>,
    /// Payload as text.
    pub payload: Option<String>,
    /// Quarantined message to try it on.
    pub offset: Option<u64>,
}

/// What a profile makes of a payload.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileTestResult {
    /// Why the profile does not work; empty if it does.
    pub error: String,
    /// Step by step.
    pub trace: Vec<TraceStep>,
    /// Values that it yields.
    pub values: Vec<String>,
    /// What it could not read.
    pub problems: Vec<ProblemView>,
}
