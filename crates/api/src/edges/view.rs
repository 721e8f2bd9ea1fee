//! What is shown of edges.

use edge::{Edge, Gap, LeftOut, Rules, Urgency, WaveRule};
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
    /// Around alerts at least so urgent: `low`, `medium` or `high`; without it `low`, all of them.
    #[serde(default = "low")]
    pub around_priority: String,
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
            around_priority: match rules.around_priority {
                Urgency::Low => low(),
                Urgency::Medium => "medium".to_owned(),
                Urgency::High => "high".to_owned(),
            },
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
        let around_priority = match self.around_priority.as_str() {
            "low" => Urgency::Low,
            "medium" => Urgency::Medium,
            "high" => Urgency::High,
            _ => return None,
        };
        let good = self.around_alerts_s <= 3_600 && self.numerics_every_s <= 3_600;
        good.then_some(Rules {
            waveforms,
            around_alerts_s: self.around_alerts_s,
            around_priority,
            numerics_every_s: self.numerics_every_s,
        })
    }
}

fn low() -> String {
    "low".to_owned()
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
    /// What of the wanted configuration the edge refused, and why.
    pub refused: Vec<String>,
    /// The edge's version beside the centre's: `same`, `older`, `newer`, or `unknown`.
    pub age: String,
    /// The centre's version.
    pub centre_version: String,
    /// When the edge's program started.
    pub started_ms: Option<i64>,
    /// Alerts that are open there.
    pub open_alerts: u64,
    /// Since when its token holds.
    pub token_since_ms: Option<i64>,
    /// Since when it shows a certificate, which it must from then on.
    pub certificate_since_ms: Option<i64>,
    /// What it is to send.
    pub rules: EdgeRules,
}

/// How long an edge may be silent, microseconds.
const SILENT_AFTER: i64 = 30_000_000;
/// What waits there longer than this makes an edge one that is behind, microseconds.
const BEHIND_AFTER: i64 = 30_000_000;

impl EdgeView {
    pub(crate) fn of(edge: &Edge, now: i64, wanted: &str) -> Self {
        let health = edge.health.clone().unwrap_or_default();
        let state = match edge.heard {
            _ if edge.waits() => "waits",
            Some(heard) if now.saturating_sub(heard) > SILENT_AFTER => "silent",
            Some(_) if health.oldest.is_some_and(|oldest| now.saturating_sub(oldest) > BEHIND_AFTER) => "behind",
            Some(_) => "online",
            None => "silent",
        };
        Self {
            id: edge.id.clone(),
            name: edge.name.clone(),
            state: state.to_owned(),
            registered_ms: edge.since / 1_000,
            enrolled_ms: edge.enrolled.map(|at| at / 1_000),
            heard_ms: edge.heard.map(|at| at / 1_000),
            clock_ahead_ms: edge.ahead_us.map(|us| us / 1_000),
            configured: health.configuration == wanted && health.refused.is_empty(),
            refused: health.refused,
            age: age(&health.version, env!("CARGO_PKG_VERSION")).to_owned(),
            version: health.version,
            centre_version: env!("CARGO_PKG_VERSION").to_owned(),
            started_ms: health.started.map(|at| at / 1_000),
            open_alerts: health.open_alerts,
            token_since_ms: edge.token_since.map(|at| at / 1_000),
            certificate_since_ms: edge.certificate.map(|at| at / 1_000),
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

/// How one version stands to another: `same`, `older`, `newer`, or `unknown`.
fn age(version: &str, ours: &str) -> &'static str {
    let numbers = |text: &str| {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        plain.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>()
    };
    match (numbers(version), numbers(ours)) {
        _ if version == ours => "same",
        (Some(theirs), Some(ours)) if theirs < ours => "older",
        (Some(theirs), Some(ours)) if theirs > ours => "newer",
        _ => "unknown",
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

/// What an edge left out in all, of a class for a reason.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EdgeLeftOut {
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

impl From<LeftOut> for EdgeLeftOut {
    fn from(one: LeftOut) -> Self {
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

/// How this edge gets on, as it says itself. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ThisEdgeView {
    /// Its id.
    pub id: String,
    /// Version of the program.
    pub version: String,
    /// `away`: the centre does not answer; `behind`: something that was acknowledged is not at the centre
    /// yet; `in-step`: all that was acknowledged before this request is.
    pub state: String,
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
    /// What is in the journal and not in the spool yet, entries.
    pub behind: u64,
    /// What waits in the spool, pieces.
    pub spool_pieces: u64,
    /// What waits, bytes.
    pub spool_bytes: u64,
    /// What may wait, bytes.
    pub spool_bytes_max: u64,
    /// What was left out, pieces.
    pub left_out: u64,
    /// The same by class and reason.
    pub left_out_by: Vec<EdgeLeftOut>,
    /// Which configuration is in force, or was the last that was looked at.
    pub configuration: String,
    /// What of it was refused, and why.
    pub refused: Vec<String>,
    /// Alerts that are open here.
    pub open_alerts: usize,
    /// The first journal position that is not in the spool.
    #[serde(skip)]
    pub cursor: u64,
}

impl ThisEdgeView {
    /// As of now; `next`: where the journal ended before this was looked at.
    pub(crate) fn seen(mut self, next: u64) -> Self {
        self.behind = next.saturating_sub(self.cursor);
        let state = match (self.linked, self.behind, self.spool_pieces) {
            (false, ..) => "away",
            (true, 0, 0) => "in-step",
            _ => "behind",
        };
        state.clone_into(&mut self.state);
        env!("CARGO_PKG_VERSION").clone_into(&mut self.version);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{ThisEdgeView, age};

    #[test]
    fn versions_are_told_apart_by_their_numbers() {
        for (version, expected) in
            [("0.10.0", "same"), ("0.9.2", "older"), ("1.0.0", "newer"), ("", "unknown"), ("0.10.0-rc1", "unknown")]
        {
            assert_eq!(age(version, "0.10.0"), expected, "{version}");
        }
    }

    #[test]
    fn in_step_is_only_what_has_nothing_on_its_way() {
        let cases = [((false, 5, 0), "away"), ((true, 5, 0), "in-step"), ((true, 4, 0), "behind"), ((true, 5, 1), "behind")];
        for ((linked, cursor, spool_pieces), state) in cases {
            let view = ThisEdgeView { linked, cursor, spool_pieces, ..ThisEdgeView::default() };
            assert_eq!(view.seen(5).state, state);
        }
    }
}
