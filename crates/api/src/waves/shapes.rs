//! The shapes of `/api/v1/patients/{id}/waveforms` and its kin. Times are milliseconds since 1970.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The waveforms of a patient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaveChannels {
    /// One line a channel, by series.
    pub channels: Vec<WaveChannel>,
}

/// A waveform.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaveChannel {
    /// Its number, by which it is asked for.
    pub series: u32,
    /// Device that sends it.
    pub device: String,
    /// Reference id (`MDC_ECG_ELEC_POTL_II`).
    pub metric: String,
    /// Short label (`ECG II`).
    pub label: String,
    /// Unit of the values.
    pub unit: String,
    /// Samples a second as a fraction: `[125, 2]` is 62.5 Hz.
    pub rate: [u32; 2],
    /// Time of the first sample.
    pub first_ms: i64,
    /// Time of the last sample.
    pub last_ms: i64,
    /// Whether samples are coming now.
    pub live: bool,
    /// Whether they are played back from a recording.
    pub recorded: bool,
    /// `good`, or why the signal is not to be believed: `flat`, `clipped`, `baseline-wander`,
    /// `motion`, `mains`, `lead-off`, `noise`.
    pub quality: String,
    /// How good the signal is, 0 to 100; none when it was not judged.
    pub quality_index: Option<u8>,
    /// How much slower than its nominal rate the channel runs by the device's clock, in parts per
    /// million; none when no drift was seen.
    pub drift_ppm: Option<i32>,
    /// What did not fit, by reason (`wave-gap`, `wave-repeated` …), since the device was first heard.
    pub counted: BTreeMap<String, u64>,
}

/// An interval of a waveform.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaveInterval {
    /// The channel.
    pub series: u32,
    /// Reference id of what was measured.
    pub metric: String,
    /// Unit of the values.
    pub unit: String,
    /// Unbroken stretches, in order of time.
    pub strips: Vec<WaveStripView>,
}

/// An unbroken stretch: whole samples, or lowest and highest of each column.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct WaveStripView {
    /// Time of the first sample or column.
    pub start_ms: f64,
    /// Samples or columns a second, as a fraction.
    pub rate: [u32; 2],
    /// Samples; null where there is none. Empty when columns were asked for and needed.
    pub values: Vec<Option<f64>>,
    /// Lowest value of each column.
    pub low: Vec<Option<f64>>,
    /// Highest value of each column.
    pub high: Vec<Option<f64>>,
}

/// Beats, rhythms and bad signal of an interval.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BeatPage {
    /// Time and kind of each beat: `N` normal, `S` supraventricular, `V` ventricular, `P` paced, `F`
    /// fusion, `Q` not classifiable.
    #[schema(value_type = Vec<(i64, String)>)]
    pub beats: Vec<(i64, char)>,
    /// Which rhythm held when.
    pub rhythms: Vec<RhythmSpan>,
    /// When a signal was not to be believed.
    pub quality: Vec<QualitySpan>,
}

/// A rhythm while it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RhythmSpan {
    /// From when, within the interval asked for.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Its name: `regular`, `atrial-fibrillation`, `asystole` …
    pub rhythm: String,
}

/// A time in which a signal was not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QualitySpan {
    /// The channel.
    pub series: u32,
    /// From when, within the interval asked for.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Why.
    pub reason: String,
}

/// What became of a recording that was sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaveImport {
    /// Name of the device that stands for the recording.
    pub device: String,
    /// Channels taken.
    pub channels: Vec<ImportedChannel>,
    /// Samples taken, of all channels.
    pub samples: u64,
    /// Time of the first sample.
    pub from_ms: i64,
    /// Time of the last sample.
    pub to_ms: i64,
    /// What was not taken, or not as it was: one line each.
    pub problems: Vec<String>,
}

/// A channel of a recording that was sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImportedChannel {
    /// Its name in the file.
    pub label: String,
    /// What it was taken for.
    pub metric: String,
    /// Samples a second as a fraction.
    pub rate: [u32; 2],
    /// Samples, missing ones included.
    pub samples: u64,
}

/// Intervals that are kept for ever.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HoldList {
    /// By their begin.
    pub holds: Vec<HoldView>,
}

/// An interval that is kept for ever.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HoldView {
    /// Its name.
    pub id: String,
    /// Its begin.
    pub from_ms: i64,
    /// Its end.
    pub to_ms: i64,
    /// Why; may be empty.
    pub reason: String,
    /// Who said so.
    pub by: String,
    /// When that was said.
    pub at_ms: i64,
}

/// An interval to be kept for ever.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HoldRequest {
    /// Its begin.
    pub from_ms: i64,
    /// Its end; 31 days later at most.
    pub to_ms: i64,
    /// Why.
    #[serde(default)]
    pub reason: String,
}
