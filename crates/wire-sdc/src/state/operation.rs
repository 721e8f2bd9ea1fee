//! Whether operations can be called.

use crate::basic::Range;
use crate::shape::shape;
use crate::words::OperatingMode;

shape! {
    /// What all operations' states have.
    OperationState {
        attr mode: OperatingMode = "OperatingMode",
    }
    /// State of an operation that sets a number.
    SetValueOperationState {
        base operation: OperationState = "AbstractOperationState",
        elem allowed: Vec<Range> = "AllowedRange",
    }
    /// Texts that may be set.
    AllowedValues {
        elem values: Vec<String> = "Value",
    }
    /// State of an operation that sets a text.
    SetStringOperationState {
        base operation: OperationState = "AbstractOperationState",
        elem allowed: Option<AllowedValues> = "AllowedValues",
    }
    /// State of an operation that does something.
    ActivateOperationState {
        base operation: OperationState = "AbstractOperationState",
    }
    /// State of an operation that sets contexts.
    SetContextStateOperationState {
        base operation: OperationState = "AbstractOperationState",
    }
    /// State of an operation that sets metric states.
    SetMetricStateOperationState {
        base operation: OperationState = "AbstractOperationState",
    }
    /// State of an operation that sets component states.
    SetComponentStateOperationState {
        base operation: OperationState = "AbstractOperationState",
    }
    /// State of an operation that sets an alert state.
    SetAlertStateOperationState {
        base operation: OperationState = "AbstractOperationState",
    }
}
