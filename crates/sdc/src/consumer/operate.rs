//! Operations of a device, called with what makes them safe.
//!
//! A call names the device's description at the time of the decision: it is sent only while the MDIB
//! is of the same sequence, the operation is enabled and, where one is named, the target still has
//! the value that the person saw. It is sent once; what became of it comes as reports.

use wire_sdc::message::{Answer, Answered, Request, SetRequest, Setting};
use wire_sdc::state::OperationState;
use wire_sdc::words::{InvocationState, OperatingMode};
use wire_sdc::{DescriptorKind, InvocationInfo, Mdib, State, StateKind};

use super::line::{Line, LineError};

/// What was true when somebody decided to call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SafetyContext {
    /// The sequence of the MDIB that the person saw.
    pub sequence: String,
    /// The target's value that the person saw; none: it does not matter.
    pub seen: Option<Seen>,
}

/// A value that somebody saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// Why a call was not made, or came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// The device counts anew since the decision.
    #[error("the device was restarted since the decision: look again")]
    Changed,
    /// The target has another value by now.
    #[error("the target has another value than the one that was seen: look again")]
    OtherValue,
    /// No such operation, or of another kind than the request.
    #[error("the device has no such operation of this kind")]
    NoOperation,
    /// It can't be called now.
    #[error("the operation is not enabled")]
    Disabled,
    /// The value is outside of what the operation takes.
    #[error("the value is none that the operation takes")]
    Value,
    /// The question failed; whether the device did it is not known.
    #[error("what became of it is not known: {0}")]
    Line(#[from] LineError),
}

/// Calls operations of one device.
#[derive(Clone)]
pub struct Operator {
    line: Line,
    /// Address of the device's set service.
    set: String,
    /// Address of its context service.
    context: String,
}

impl Operator {
    /// Calls over this line, to these addresses of the set and the context service.
    #[must_use]
    pub const fn new(line: Line, set: String, context: String) -> Self {
        Self { line, set, context }
    }

    /// Calls an operation once, after checking it against the MDIB of the moment.
    ///
    /// # Errors
    /// [`OperateError`]; only [`OperateError::Line`] leaves open whether the device did it.
    pub async fn call(&self, mdib: &Mdib, request: SetRequest, safety: &SafetyContext) -> Result<InvocationInfo, OperateError> {
        check(mdib, &request, safety)?;
        let address = if matches!(request.what, Setting::Contexts(_)) { &self.context } else { &self.set };
        let (envelope, _) = self.line.request(address, &Request::Set(request)).await?;
        let answer = envelope.body.as_ref().and_then(|body| Answer::read(body).ok());
        match answer {
            Some((Answer { what: Answered::Set(_, info), .. }, _)) => Ok(info),
            _ => Err(LineError::Answer(String::from("no answer to an operation")).into()),
        }
    }
}

/// Whether a call may be made now.
pub(super) fn check(mdib: &Mdib, request: &SetRequest, safety: &SafetyContext) -> Result<(), OperateError> {
    if mdib.version.sequence != safety.sequence {
        return Err(OperateError::Changed);
    }
    let descriptor = mdib.descriptor(&request.operation).ok_or(OperateError::NoOperation)?;
    let fits = matches!(
        (&descriptor.kind, &request.what),
        (DescriptorKind::SetValueOperation(_), Setting::Value(_))
            | (DescriptorKind::SetStringOperation(_), Setting::Text(_))
            | (DescriptorKind::ActivateOperation(_), Setting::Activate(_))
            | (DescriptorKind::SetContextStateOperation(_), Setting::Contexts(_))
            | (DescriptorKind::SetMetricStateOperation(_), Setting::Metrics(_))
            | (DescriptorKind::SetComponentStateOperation(_), Setting::Components(_))
            | (DescriptorKind::SetAlertStateOperation(_), Setting::Alert(_))
    );
    if !fits {
        return Err(OperateError::NoOperation);
    }
    let state = mdib.state(&request.operation).map(|state| &state.kind);
    if mode(state) != Some(OperatingMode::Enabled) {
        return Err(OperateError::Disabled);
    }
    let allowed = match (&request.what, state) {
        (Setting::Value(value), Some(StateKind::SetValueOperation(state))) => {
            state.allowed.is_empty()
                || state.allowed.iter().any(|range| {
                    range.lower.is_none_or(|lower| *value >= lower) && range.upper.is_none_or(|upper| *value <= upper)
                })
        }
        (Setting::Text(text), Some(StateKind::SetStringOperation(state))) => {
            state.allowed.as_ref().is_none_or(|allowed| allowed.values.contains(text))
        }
        _ => true,
    };
    let sized = match (&descriptor.kind, &request.what) {
        (DescriptorKind::ActivateOperation(described), Setting::Activate(given)) => described.arguments.len() == given.len(),
        (DescriptorKind::SetStringOperation(described), Setting::Text(text)) => {
            described.max_length.is_none_or(|most| text.chars().count() as u64 <= most)
        }
        _ => true,
    };
    if !(allowed && sized) {
        return Err(OperateError::Value);
    }
    let target = descriptor.operation().map_or("", |operation| operation.target.as_str());
    match &safety.seen {
        Some(seen) if value_of(mdib, target).as_ref() != Some(seen) => Err(OperateError::OtherValue),
        _ => Ok(()),
    }
}

fn mode(state: Option<&StateKind>) -> Option<OperatingMode> {
    let operation: &OperationState = match state? {
        StateKind::SetValueOperation(s) => &s.operation,
        StateKind::SetStringOperation(s) => &s.operation,
        StateKind::ActivateOperation(s) => &s.operation,
        StateKind::SetContextStateOperation(s) => &s.operation,
        StateKind::SetMetricStateOperation(s) => &s.operation,
        StateKind::SetComponentStateOperation(s) => &s.operation,
        StateKind::SetAlertStateOperation(s) => &s.operation,
        _ => return None,
    };
    Some(operation.mode)
}

fn value_of(mdib: &Mdib, handle: &str) -> Option<Seen> {
    value_in(mdib.state(handle)?)
}

/// The value that a metric's state holds.
pub(super) fn value_in(state: &State) -> Option<Seen> {
    match &state.kind {
        StateKind::NumericMetric(s) => s.value.as_ref()?.value.map(Seen::Number),
        StateKind::StringMetric(s) => s.value.as_ref()?.value.clone().map(Seen::Text),
        StateKind::EnumStringMetric(s) => s.value.as_ref()?.value.clone().map(Seen::Text),
        _ => None,
    }
}

/// Whether nothing more will come of a call, and whether it was done as asked.
#[must_use]
pub fn is_done(info: &InvocationInfo) -> Option<bool> {
    info.state.is_final().then_some(info.state == InvocationState::Finished)
}
