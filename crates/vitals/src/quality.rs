//! Quality flags that travel with every value (TI-1, TI-2).

use serde::{Deserialize, Serialize};

bitflags::bitflags! {
    /// What is known against a value, or about how it was timed. No flag: nothing is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
    pub struct Quality: u16 {
        /// The device itself calls the value questionable (IEEE 11073 `questionable`).
        const QUESTIONABLE = 1;
        /// The device itself calls the value invalid (`invalid`, not available, sensor off).
        const INVALID = 1 << 1;
        /// Outside what is physiologically possible for the metric.
        const IMPLAUSIBLE = 1 << 2;
        /// A jump that no body makes: taken for an artefact.
        const ARTEFACT = 1 << 3;
        /// The device is calibrating or in start-up (`calibration-ongoing`).
        const CALIBRATING = 1 << 4;
        /// Test or demonstration data (`test-data`, `demo-data`).
        const TEST = 1 << 5;
        /// The device gave no time of its own; ours stands in.
        const NO_DEVICE_TIME = 1 << 6;
        /// The device's clock is off; the effective time was corrected.
        const CLOCK_CORRECTED = 1 << 7;
        /// It arrived long after it was measured.
        const LATE = 1 << 8;
        /// Played back from a recording: never live.
        const RECORDED = 1 << 9;
        /// The unit was converted from the one sent.
        const UNIT_CONVERTED = 1 << 10;
        /// Entered by a person, not measured by a device.
        const MANUAL = 1 << 11;
        /// Computed by the platform from other values.
        const DERIVED = 1 << 12;
        /// The value was changed after it was first sent (HL7 `C`, FHIR `amended`).
        const AMENDED = 1 << 13;
    }
}

impl Quality {
    /// Flags under which a value is kept and shown as doubtful but judged by no rule or score.
    pub const DOUBTFUL: Self = Self::QUESTIONABLE
        .union(Self::INVALID)
        .union(Self::IMPLAUSIBLE)
        .union(Self::ARTEFACT)
        .union(Self::CALIBRATING);

    /// Whether rules and scores may use the value.
    #[must_use]
    pub const fn usable(self) -> bool {
        !self.intersects(Self::DOUBTFUL)
    }

    /// The flags' names in lower kebab case, in bit order.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        self.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubtful_values_are_not_usable() {
        assert!(Quality::empty().usable());
        assert!((Quality::LATE | Quality::RECORDED).usable());
        assert!(!(Quality::LATE | Quality::ARTEFACT).usable());
        assert_eq!((Quality::LATE | Quality::NO_DEVICE_TIME).names(), ["no-device-time", "late"]);
    }
}
