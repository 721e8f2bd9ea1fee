//! The ward: tiles, who lies where, what is current.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Alert, Load};

/// The whole ward, as the ward page shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Ward {
    /// Our clock when this was made.
    pub now_ms: i64,
    /// Position in the live stream from which to go on (`Last-Event-ID`).
    pub position: u64,
    /// One tile per patient in a bed, and per patient elsewhere with readings.
    pub tiles: Vec<Tile>,
    /// Names of the units that have beds.
    pub units: Vec<String>,
}

/// One patient at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tile {
    /// Who.
    pub patient: PatientBrief,
    /// Where; none when in no bed.
    pub location: Option<LocationBrief>,
    /// The present values, vital signs first, in a fixed order.
    pub values: Vec<CurrentValue>,
    /// The early-warning score for the patient: NEWS2, PEWS for a child, MEOWS in pregnancy and after a birth.
    pub score: Option<ScoreView>,
    /// What a predictive model says is raised, in words ("sepsis"); none: nothing is, or no model judges.
    pub risk: Option<String>,
    /// Bed-level summary of the open alerts.
    pub alarm: AlarmSummary,
    /// Devices on the patient.
    pub devices: Vec<DeviceBrief>,
    /// True when the values are played back from a recording.
    pub recorded: bool,
    /// Whether there are waveforms to look at.
    pub waves: bool,
    /// The heart's rhythm by analysis of the waveforms (`regular`, `atrial-fibrillation` …); none
    /// while it is not known.
    pub rhythm: Option<String>,
}

/// A patient in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PatientBrief {
    /// Logical id.
    pub id: String,
    /// `Family, Given`; empty if unknown.
    pub name: String,
    /// Record number; empty if unknown.
    pub mrn: String,
    /// ISO date of birth.
    pub birth_date: Option<String>,
    /// Age in whole years.
    pub age_years: Option<u32>,
    /// `male`, `female`, `other`, `unknown`.
    pub sex: String,
}

/// A place in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LocationBrief {
    /// Logical id.
    pub id: String,
    /// Unit name.
    pub unit: String,
    /// What people call the bed.
    pub name: String,
}

/// A list of places.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LocationView {
    /// The place.
    pub location: LocationBrief,
    /// Who is there.
    pub patient: Option<PatientBrief>,
}

/// One metric's present value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CurrentValue {
    /// Reference id (`MDC_ECG_HEART_RATE`).
    pub metric: String,
    /// Short label (`HR`).
    pub label: String,
    /// Full name (`Heart rate`).
    pub name: String,
    /// The number; none for a text.
    pub value: Option<f64>,
    /// The text of an enumeration or text value.
    pub text: Option<String>,
    /// Unit as people read it (`mmHg`).
    pub unit: String,
    /// Decimal places to show.
    pub decimals: u8,
    /// When it was true.
    pub time_ms: i64,
    /// When it was received.
    pub received_ms: i64,
    /// `live`, `stale`, `doubtful` or `recorded`. A live value turns stale at `stale_at_ms`.
    pub state: ValueState,
    /// When it stops being the present value.
    pub stale_at_ms: i64,
    /// Names of the quality flags that are set.
    pub flags: Vec<String>,
    /// Name of the reading, for `/api/v1/readings/{reading}` (PR-1).
    pub reading: String,
    /// The device that it came from.
    pub device: String,
    /// Points that this parameter adds to the score, if it does.
    pub points: Option<u8>,
    /// Alarm limits in force, if any.
    pub limits: Option<Limits>,
}

/// Whether a value may be taken for the present one (TI-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValueState {
    /// Present and believed.
    Live,
    /// Too old to be the present value.
    Stale,
    /// Present but not believed: see the flags.
    Doubtful,
    /// From a recording.
    Recorded,
}

/// Alarm limits of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Alarm below this.
    pub low: Option<f64>,
    /// Alarm above this.
    pub high: Option<f64>,
    /// `policy`, `patient` when set for this patient, `own-normal` when it follows what is usual for them.
    pub source: String,
}

/// A score, with what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreView {
    /// `NEWS2`, `PEWS`, `MEOWS`, `qSOFA`, `SOFA`, `SIRS`, `MEWS`, `Shock index`.
    pub name: String,
    /// Total; none when nothing could be computed.
    pub value: Option<f64>,
    /// False when a parameter is missing or too old: the total is then a lower bound.
    pub complete: bool,
    /// `none`, `low`, `low-medium`, `medium`, `high`.
    pub band: String,
    /// What the score's authors ask for in this band.
    pub response: String,
    /// What else one should know of it; may be empty.
    pub note: String,
    /// Where the score is published.
    pub source: String,
    /// Contributions.
    pub parts: Vec<ScorePart>,
    /// The last hours as `[time_ms, value]`, oldest first, at most 60 pairs.
    pub trend: Vec<(i64, f64)>,
    /// When it was computed.
    pub time_ms: i64,
}

/// One parameter's part in a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScorePart {
    /// Reference id of the parameter.
    pub metric: String,
    /// What people call it.
    pub label: String,
    /// The value used or left out.
    pub value: Option<f64>,
    /// Points.
    pub points: Option<u8>,
    /// `used`, `missing`, `aged`.
    pub state: String,
}

/// The open alerts of one patient in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlarmSummary {
    /// `high`, `medium`, `low` or `none` (IEC 60601-1-8).
    pub priority: String,
    /// Number of open alerts.
    pub count: u32,
    /// The most urgent one's title; empty if none.
    pub title: String,
    /// Its episode; empty if none.
    pub episode: String,
    /// Since when.
    pub since_ms: Option<i64>,
    /// Whether somebody has acknowledged every open alert.
    pub acknowledged: bool,
    /// Whether any alert's signal is on (not acknowledged, not snoozed).
    pub sounding: bool,
}

/// A device in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceBrief {
    /// Logical id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `online`, `offline`, `lost`, `silent`.
    pub link: String,
}

/// What the live stream (`/api/v1/live`, server-sent events) carries. The event's name is the
/// variant; its id is the stream position.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum LiveEvent {
    /// The whole ward: first, and when a resumption reaches too far back.
    Ward(Ward),
    /// A patient's tile changed.
    Tile(Box<Tile>),
    /// A patient left the ward page.
    Gone {
        /// Patient id.
        patient: String,
    },
    /// An alert was raised or changed.
    Alert(Box<Alert>),
    /// Devices or load changed: once in two seconds at most.
    Devices(Load),
    /// A patient's line in the worklist changed.
    Worklist(Box<crate::worklist::WorklistLine>),
    /// A command to a device was asked for or went on.
    Command {
        /// Which.
        command: String,
        /// To which device.
        device: String,
        /// Where it stands.
        state: String,
    },
    /// Something new in quarantine.
    Quarantine {
        /// How many are new.
        new: u64,
    },
    /// Our clock, every two seconds: without it the page says that it is not live.
    Time {
        /// Now.
        now_ms: i64,
    },
}
