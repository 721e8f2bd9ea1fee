//! The services of an SDC device (IEEE 11073-20701, port types) and the actions of their messages.

use crate::names::SDC;

/// One service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Name of its port type, in the SDC namespace.
    pub name: &'static str,
    /// What can be asked of it; the answer to `X` is `XResponse`.
    pub requests: &'static [&'static str],
    /// What it tells those who subscribe.
    pub reports: &'static [&'static str],
}

/// Every service.
pub const SERVICES: &[Service] = &[
    Service { name: "GetService", requests: &["GetMdib", "GetMdDescription", "GetMdState"], reports: &[] },
    Service {
        name: "SetService",
        requests: &["SetValue", "SetString", "Activate", "SetAlertState", "SetMetricState", "SetComponentState"],
        reports: &["OperationInvokedReport"],
    },
    Service {
        name: "StateEventService",
        requests: &[],
        reports: &[
            "EpisodicMetricReport",
            "EpisodicAlertReport",
            "EpisodicComponentReport",
            "EpisodicOperationalStateReport",
            "PeriodicMetricReport",
            "PeriodicAlertReport",
            "PeriodicComponentReport",
            "PeriodicOperationalStateReport",
            "SystemErrorReport",
        ],
    },
    Service {
        name: "ContextService",
        requests: &[
            "GetContextStates",
            "GetContextStatesByIdentification",
            "GetContextStatesByFilter",
            "SetContextState",
        ],
        reports: &["EpisodicContextReport", "PeriodicContextReport"],
    },
    Service { name: "WaveformService", requests: &[], reports: &["WaveformStream"] },
    Service { name: "DescriptionEventService", requests: &[], reports: &["DescriptionModificationReport"] },
    Service {
        name: "LocalizationService",
        requests: &["GetLocalizedText", "GetSupportedLanguages"],
        reports: &[],
    },
    Service {
        name: "ContainmentTreeService",
        requests: &["GetContainmentTree", "GetDescriptor"],
        reports: &[],
    },
    Service { name: "ArchiveService", requests: &["GetStatesFromArchive", "GetDescriptorsFromArchive"], reports: &[] },
];

/// A service by its name.
#[must_use]
pub fn service(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

/// Action of a message of a service, such as `GetService` and `GetMdib`.
#[must_use]
pub fn action(service: &str, message: &str) -> String {
    format!("{SDC}/{service}/{message}")
}

/// Service and message of an action.
#[must_use]
pub fn of_action(action: &str) -> Option<(&str, &str)> {
    action.trim().strip_prefix(SDC)?.strip_prefix('/')?.split_once('/')
}
