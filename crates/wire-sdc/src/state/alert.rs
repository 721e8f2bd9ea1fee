//! How alerts are.

use crate::basic::{Handles, Range, Span, Timestamp};
use crate::shape::shape;
use crate::words::{AlertActivation, AlertPriority, Manifestation, MonitoredLimits, SignalLocation, SignalPresence};

shape! {
    /// Whether signals of one manifestation are given.
    SystemSignalActivation {
        attr manifestation: Manifestation = "Manifestation",
        attr state: AlertActivation = "State",
    }
    /// How an alert system is.
    AlertSystemState {
        elem signals: Vec<SystemSignalActivation> = "SystemSignalActivation",
        attr activation: AlertActivation = "ActivationState",
        attr last_self_check: Option<Timestamp> = "LastSelfCheck",
        attr self_checks: Option<i64> = "SelfCheckCount",
        attr present_physiological: Option<Handles> = "PresentPhysiologicalAlarmConditions",
        attr present_technical: Option<Handles> = "PresentTechnicalAlarmConditions",
    }
    /// How an alert condition is.
    AlertConditionState {
        attr activation: AlertActivation = "ActivationState",
        attr generation_delay: Option<Span> = "ActualConditionGenerationDelay",
        attr priority: Option<AlertPriority> = "ActualPriority",
        attr rank: Option<i32> = "Rank",
        attr presence: Option<bool> = "Presence",
        attr determined: Option<Timestamp> = "DeterminationTime",
    }
    /// How a limit alert condition is.
    LimitAlertConditionState {
        base condition: AlertConditionState = "AlertConditionState",
        elem limits: Range = "Limits",
        attr monitored: MonitoredLimits = "MonitoredAlertLimits",
        attr auto_limit: Option<AlertActivation> = "AutoLimitActivationState",
    }
    /// How an alert signal is.
    AlertSignalState {
        attr activation: AlertActivation = "ActivationState",
        attr generation_delay: Option<Span> = "ActualSignalGenerationDelay",
        attr presence: Option<SignalPresence> = "Presence",
        attr location: Option<SignalLocation> = "Location",
        attr slot: Option<u32> = "Slot",
    }
}
