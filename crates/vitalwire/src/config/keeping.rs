//! How long what is kept, and who may see it where no consent speaks.

use std::time::Duration;

use serde::Deserialize;

/// `[retention]`: days that each kind is kept; 0: for ever.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Retention {
    pub(crate) waveforms_days: u32,
    pub(crate) numerics_days: u32,
    pub(crate) alerts_days: u32,
    pub(crate) quarantine_days: u32,
    pub(crate) directory_history_days: u32,
    pub(crate) audit_days: u32,
    pub(crate) security_events_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            waveforms_days: 7,
            numerics_days: 3_650,
            alerts_days: 0,
            quarantine_days: 0,
            directory_history_days: 0,
            audit_days: 0,
            security_events_days: 0,
        }
    }
}

impl Retention {
    /// As the runtime takes it.
    pub(crate) fn limits(&self) -> runtime::Retention {
        let days = |days: u32| (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400));
        runtime::Retention {
            waves: days(self.waveforms_days),
            points: days(self.numerics_days),
            alerts: days(self.alerts_days),
            quarantine: days(self.quarantine_days),
            directory: days(self.directory_history_days),
        }
    }
}

/// `[privacy]`: what the house does where no consent speaks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Privacy {
    /// Whether those who treat a patient may see the record without a consent.
    pub(crate) treatment_without_consent: bool,
    /// Whether researchers may see data without names without a consent.
    pub(crate) research_without_consent: bool,
    /// Whether an emergency opens what a consent refuses without a word on emergencies.
    pub(crate) emergency_overrides: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            treatment_without_consent: true,
            research_without_consent: false,
            emergency_overrides: false,
        }
    }
}

impl Privacy {
    pub(crate) const fn stance(&self) -> guard::Stance {
        guard::Stance {
            treatment: self.treatment_without_consent,
            research: self.research_without_consent,
            emergency_overrides: self.emergency_overrides,
        }
    }
}
