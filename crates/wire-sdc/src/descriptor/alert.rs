//! Alert systems, conditions and signals.

use crate::basic::{Described, LocalizedText, Range, Span};
use crate::shape::shape;
use crate::words::{AlertConditionKind, AlertPriority, Manifestation};

shape! {
    /// Watches conditions and gives signals.
    AlertSystemDescriptor {
        attr max_physiological: Option<u32> = "MaxPhysiologicalParallelAlarms",
        attr max_technical: Option<u32> = "MaxTechnicalParallelAlarms",
        attr self_check_period: Option<Span> = "SelfCheckPeriod",
    }
    /// What may be the cause, and what helps.
    CauseInfo {
        elem remedy: Option<Described> = "RemedyInfo",
        elem descriptions: Vec<LocalizedText> = "Description",
    }
    /// Something that people are told of when it is so.
    AlertConditionDescriptor {
        elem sources: Vec<String> = "Source",
        elem causes: Vec<CauseInfo> = "CauseInfo",
        attr kind: AlertConditionKind = "Kind",
        attr priority: AlertPriority = "Priority",
        attr generation_delay: Option<Span> = "DefaultConditionGenerationDelay",
        attr can_escalate: Option<AlertPriority> = "CanEscalate",
        attr can_deescalate: Option<AlertPriority> = "CanDeescalate",
    }
    /// A condition of a metric that leaves its limits.
    LimitAlertConditionDescriptor {
        base condition: AlertConditionDescriptor = "AlertConditionDescriptor",
        elem max_limits: Range = "MaxLimits",
        attr auto_limit: Option<bool> = "AutoLimitSupported",
    }
    /// How people are told of a condition.
    AlertSignalDescriptor {
        attr condition: Option<String> = "ConditionSignaled",
        attr manifestation: Manifestation = "Manifestation",
        attr latching: bool = "Latching",
        attr default_delay: Option<Span> = "DefaultSignalGenerationDelay",
        attr min_delay: Option<Span> = "MinSignalGenerationDelay",
        attr max_delay: Option<Span> = "MaxSignalGenerationDelay",
        attr delegation: Option<bool> = "SignalDelegationSupported",
        attr acknowledgement: Option<bool> = "AcknowledgementSupported",
        attr acknowledge_timeout: Option<Span> = "AcknowledgeTimeout",
    }
}
