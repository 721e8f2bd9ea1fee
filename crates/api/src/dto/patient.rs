//! One patient: series, trends, limits, where a reading came from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Alert, Limits, PatientBrief, RiskView, ScoreView, Tile};

/// Everything the patient page begins with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PatientPage {
    /// As on the ward.
    pub tile: Tile,
    /// All scores that can be computed.
    pub scores: Vec<ScoreView>,
    /// What predictive models say, as last judged.
    pub risks: Vec<RiskView>,
    /// Open alerts, most urgent first.
    pub alerts: Vec<Alert>,
    /// Every series of the patient.
    pub series: Vec<SeriesView>,
    /// Devices on the patient, now and before, newest first.
    pub associations: Vec<AssociationView>,
    /// Alarm limits by metric.
    pub limits: Vec<MetricLimits>,
    /// SpO2 scale of NEWS2: 1 or 2.
    pub spo2_scale: u8,
    /// Our clock when this was made.
    pub now_ms: i64,
    /// Position in the live stream.
    pub position: u64,
}

/// One stored series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesView {
    /// Number.
    pub id: u32,
    /// Reference id.
    pub metric: String,
    /// Short label.
    pub label: String,
    /// Name.
    pub name: String,
    /// Unit as people read it.
    pub unit: String,
    /// The device.
    pub device: String,
    /// Channel.
    pub channel: u32,
    /// `vital`, `gas`, …
    pub category: String,
}

/// A device on a patient for some time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssociationView {
    /// Device id.
    pub device: String,
    /// Device name.
    pub device_name: String,
    /// Patient.
    pub patient: PatientBrief,
    /// `person`, `location`, `message`.
    pub basis: String,
    /// Who or which bed; may be empty.
    pub by: String,
    /// Since.
    pub start_ms: i64,
    /// Until; none while it lasts.
    pub end_ms: Option<i64>,
}

/// Limits of one metric, as asked for or in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricLimits {
    /// Reference id.
    pub metric: String,
    /// Alarm below this.
    pub low: Option<f64>,
    /// Alarm above this.
    pub high: Option<f64>,
    /// `policy`, `patient` or `own-normal`; ignored when asked for.
    #[serde(default)]
    pub source: String,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// Which SpO2 scale NEWS2 uses.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Spo2Scale {
    /// 1, or 2 for a prescribed range of 88–92%.
    pub scale: u8,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// Trends to draw.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Trends {
    /// From.
    pub from_ms: i64,
    /// To.
    pub to_ms: i64,
    /// One line per metric (several devices joined), in the order asked.
    pub lines: Vec<TrendLine>,
}

/// One metric over time, thinned without losing extremes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrendLine {
    /// Reference id.
    pub metric: String,
    /// Short label.
    pub label: String,
    /// Unit as people read it.
    pub unit: String,
    /// Decimals to show.
    pub decimals: u8,
    /// Times, ascending.
    pub time_ms: Vec<i64>,
    /// Lowest value in the interval that begins at that time.
    pub low: Vec<f64>,
    /// Highest value in that interval.
    pub high: Vec<f64>,
    /// Last value in that interval.
    pub last: Vec<f64>,
    /// Name of the last reading in that interval.
    pub reading: Vec<String>,
    /// Whether any value of the interval is doubtful.
    pub doubtful: Vec<bool>,
    /// Limits in force now.
    pub limits: Option<Limits>,
}

/// Where a number comes from (PR-1).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReadingSource {
    /// Name of the reading.
    pub reading: String,
    /// Reference id.
    pub metric: String,
    /// Name of the metric.
    pub name: String,
    /// Number.
    pub value: Option<f64>,
    /// Text of an enumeration or text value.
    pub text: Option<String>,
    /// Unit.
    pub unit: String,
    /// On whom.
    pub patient: Option<PatientBrief>,
    /// By which device.
    pub device: String,
    /// Its name.
    pub device_name: String,
    /// When it was true.
    pub time_ms: i64,
    /// When the device said that it measured, as sent; none if it gave no time.
    pub device_time_ms: Option<i64>,
    /// When we received it.
    pub received_ms: i64,
    /// Names of the quality flags.
    pub flags: Vec<String>,
    /// Journal entry.
    pub offset: u64,
    /// Index within it.
    pub index: u16,
    /// The message, if the journal still has it.
    pub message: Option<MessageView>,
}

/// A message as received.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// `mqtt`, `mllp`, `fhir`, `http`, `internal`.
    pub protocol: String,
    /// Topic, message type or resource type.
    pub address: String,
    /// Client, application or account.
    pub sender: String,
    /// Control id; may be empty.
    pub message_id: String,
    /// Profile or codec.
    pub profile: String,
    /// When it was received.
    pub received_ms: i64,
    /// Size in bytes.
    pub size: usize,
    /// The payload as text where it is text, else hexadecimal; at most 64 KiB of it.
    pub payload: String,
    /// `text` or `hex`.
    pub payload_format: String,
}
