//! What is shown of edges.

use edge::{Edge, Gap, Rules, WaveRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an edge sends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeRules {
    /// Which waveforms: `all`, `around-alerts` or `none`.
    pub waveforms: String,
    /// How far around an alert waveforms and all numerics are sent, seconds, to 3,600.
    pub around_alerts_s: u32,
    /// Of a metric of a device a value at most this often, seconds, to 3,600; 0: every one.
    pub numerics_every_s: u32,
}

impl EdgeRules {
    pub(crate) fn of(rules: &Rules) -> Self {
        let waveforms = match rules.waveforms {
            WaveRule::All => "all",
            WaveRule::AroundAlerts => "around-alerts",
            WaveRule::None => "none",
        };
        Self {
            waveforms: waveforms.to_owned(),
            around_alerts_s: rules.around_alerts_s,
            numerics_every_s: rules.numerics_every_s,
        }
    }

    /// None when something is out of its range.
    pub(crate) fn read(&self) -> Option<Rules> {
        let waveforms = match self.waveforms.as_str() {
            "all" => WaveRule::All,
            "around-alerts" => WaveRule::AroundAlerts,
            "none" => WaveRule::None,
            _ => return None,
        };
        let good = self.around_alerts_s <= 3_600 && self.numerics_every_s <= 3_600;
        good.then_some(Rules {
            waveforms,
            around_alerts_s: self.around_alerts_s,
            numerics_every_s: self.numerics_every_s,
        })
    }
}

/// An edge that is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeRequest {
    /// Its id: 1 to 64 characters of `A-Z a-z 0-9 - .`.
    pub id: String,
    /// Its name for people, to 200 characters.
    #[serde(default)]
    pub name: String,
}

/// With what an edge enrols.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeCode {
    /// The code: holds once, for a day.
    pub code: String,
}

/// With what an edge speaks from then on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EdgeToken {
    /// The token; it is shown once.
    pub token: String,
}

/// An edge, as its centre knows it. Times are milliseconds since 1970.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EdgeView {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// `waits` for its enrolment, `online`, or `silent` for more than 30 s.
    pub state: String,
    /// When it was registered.
    pub registered_ms: i64,
    /// When it enrolled.
    pub enrolled_ms: Option<i64>,
    /// When it was last heard.
    pub heard_ms: Option<i64>,
    /// How far its clock is ahead of ours.
    pub clock_ahead_ms: Option<i64>,
    /// Version of its program.
    pub version: String,
    /// What waits there, pieces.
    pub spool_pieces: u64,
    /// What waits there, bytes.
    pub spool_bytes: u64,
    /// What may wait there, bytes.
    pub spool_bytes_max: u64,
    /// When the oldest of that was received.
    pub oldest_ms: Option<i64>,
    /// Memory in use there, bytes; 0: not known.
    pub memory_bytes: u64,
    /// Pieces that it delivered.
    pub delivered: u64,
    /// Devices heard through it.
    pub devices: usize,
    /// Whether the configuration in force there is the one wanted here.
    pub configured: bool,
    /// What it is to send.
    pub rules: EdgeRules,
}

/// How long an edge may be silent, microseconds.
const SILENT_AFTER: i64 = 30_000_000;

impl EdgeView {
    pub(crate) fn of(edge: &Edge, now: i64, wanted: &str) -> Self {
        let health = edge.health.clone().unwrap_or_default();
        let state = match edge.heard {
            _ if edge.waits() => "waits",
            Some(heard) if now.saturating_sub(heard) <= SILENT_AFTER => "online",
            _ => "silent",
        };
        Self {
            id: edge.id.clone(),
            name: edge.name.clone(),
            state: state.to_owned(),
            registered_ms: edge.since / 1_000,
            enrolled_ms: edge.enrolled.map(|at| at / 1_000),
            heard_ms: edge.heard.map(|at| at / 1_000),
            clock_ahead_ms: edge.ahead_us.map(|us| us / 1_000),
            configured: health.configuration == wanted,
            version: health.version,
            spool_pieces: health.spool_pieces,
            spool_bytes: health.spool_bytes,
            spool_bytes_max: health.spool_bytes_max,
            oldest_ms: health.oldest.map(|at| at / 1_000),
            memory_bytes: health.memory_bytes,
            delivered: edge.delivered,
            devices: edge.devices.len(),
            rules: EdgeRules::of(&edge.rules),
        }
    }
}

/// What an edge left out in an hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EdgeGap {
    /// `waveforms`, `numerics` or `alerts`.
    pub class: String,
    /// `full`, `rule` or `journal`.
    pub reason: String,
    /// Messages or alerts.
    pub pieces: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// When the first of them was received.
    pub from_ms: i64,
    /// When the last.
    pub to_ms: i64,
}

impl From<Gap> for EdgeGap {
    fn from(gap: Gap) -> Self {
        let one = gap.thinned;
        Self {
            class: one.class,
            reason: one.reason,
            pieces: one.pieces,
            bytes: one.bytes,
            from_ms: one.from / 1_000,
            to_ms: one.to / 1_000,
        }
    }
}

/// An edge with what it left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EdgeDetail {
    /// The edge.
    pub edge: EdgeView,
    /// Devices heard through it.
    pub devices: Vec<String>,
    /// What it left out, newest first, by hour.
    pub left_out: Vec<EdgeGap>,
}

/// How this edge gets on, as it says itself. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ThisEdgeView {
    /// Its id.
    pub id: String,
    /// The centre's address.
    pub centre: String,
    /// Whether the centre answered the last request.
    pub linked: bool,
    /// Why not, if it did not.
    pub trouble: String,
    /// When the centre last answered.
    pub synced_ms: Option<i64>,
    /// How far the centre's clock is ahead of ours.
    pub centre_ahead_ms: Option<i64>,
    /// What waits, pieces.
    pub spool_pieces: u64,
    /// What waits, bytes.
    pub spool_bytes: u64,
    /// What may wait, bytes.
    pub spool_bytes_max: u64,
    /// What was left out, pieces.
    pub left_out: u64,
    /// Which configuration is in force.
    pub configuration: String,
    /// Alerts that are open here.
    pub open_alerts: usize,
}
