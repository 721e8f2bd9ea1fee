//! What retention removes, and what it removed.

use vitals::{DeviceId, EffectiveTime, PatientId, ReceiveTime};

/// One step of retention: what is older than this may go, block by block. A block that a hold or
/// the time around an alert of its patient touches stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Samples before this.
    pub waves_before: EffectiveTime,
    /// Values and texts before this.
    pub points_before: EffectiveTime,
    /// Look at no more series than this in one step …
    pub series_max: u32,
    /// … and remove no more blocks, roughly.
    pub blocks_max: u32,
}

/// Kept before and after the moment at which an alert of the patient was raised, in microseconds.
pub const ALERT_STRIP: (i64, i64) = (30 * vitals::time::SECOND, 60 * vitals::time::SECOND);

/// What retention removed (DU-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Blocks of samples.
    pub wave_blocks: u64,
    /// Samples in them.
    pub samples: u64,
    /// Blocks of values.
    pub point_blocks: u64,
    /// Values in them.
    pub points: u64,
    /// Texts.
    pub texts: u64,
    /// The latest time before which samples were removed; none if none were.
    pub waves_before: Option<EffectiveTime>,
    /// The same of values.
    pub points_before: Option<EffectiveTime>,
}

impl Expired {
    /// Whether nothing was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wave_blocks + self.point_blocks + self.texts == 0
    }
}

/// One step of retention of what stands row by row: what is older than this may go, unless a hold of
/// its patient touches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordExpiry {
    /// Alerts that ended, and changed last, before this, with their history; and predictions made before
    /// this.
    pub alerts_before: ReceiveTime,
    /// Quarantined messages received before this, whatever became of them.
    pub quarantine_before: ReceiveTime,
    /// Versions of patients, encounters, places and devices that another one followed before this.
    /// The latest always stays.
    pub directory_before: ReceiveTime,
    /// Look at no more rows of each kind in one step.
    pub rows_max: u32,
}

/// What retention removed, row by row (DU-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExpiredRecords {
    /// Alerts.
    pub alerts: u64,
    /// What happened to them.
    pub alert_events: u64,
    /// Predictions.
    pub predictions: u64,
    /// Quarantined messages.
    pub quarantine: u64,
    /// Older versions in the directory.
    pub versions: u64,
    /// The latest time before which alerts or predictions were removed; none if none were.
    pub alerts_before: Option<ReceiveTime>,
    /// The same of quarantined messages.
    pub quarantine_before: Option<ReceiveTime>,
    /// The same of older versions.
    pub versions_before: Option<ReceiveTime>,
}

impl ExpiredRecords {
    /// Whether nothing was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alerts + self.alert_events + self.predictions + self.quarantine + self.versions == 0
    }
}

/// A stretch of time of a patient that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Every record that is one with the patient's.
    pub records: Vec<PatientId>,
    /// Devices that were on the patient within the stretch.
    pub devices: Vec<DeviceId>,
    /// First time.
    pub from: EffectiveTime,
    /// First time after.
    pub to: EffectiveTime,
}
