//! What a policy raised, alert by alert, made of what the engine says of each.

use std::collections::HashMap;

use alert::{ChangeKind, ConditionKey, EpisodeState, Priority};
use engine::AlertRecord;
use vitals::{EpisodeId, Role};

/// One alert, from its beginning to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raised {
    /// Number of the patient.
    pub(crate) patient: u32,
    pub(crate) id: EpisodeId,
    /// The rule, limit or device behind it when it began.
    pub(crate) cause: String,
    /// What people read first.
    pub(crate) title: String,
    /// What it belongs together with.
    pub(crate) group: String,
    /// About a device, not about the patient.
    pub(crate) technical: bool,
    /// The highest that it had.
    pub(crate) priority: Priority,
    /// The one that it began with.
    pub(crate) first_priority: Priority,
    /// On the patient's clock, in microseconds.
    pub(crate) begin: i64,
    pub(crate) end: Option<i64>,
    /// When somebody first took it.
    pub(crate) taken: Option<i64>,
    /// Who was asked, and when.
    pub(crate) calls: Vec<(i64, Role)>,
    /// Whether somebody has it now: when it sounds again, somebody is called.
    has: bool,
}

impl Raised {
    /// When it was over; `last` if it is not yet.
    pub(crate) fn until(&self, last: i64) -> i64 {
        self.end.unwrap_or(last).max(self.begin)
    }
}

/// The alerts of one run.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) raised: Vec<Raised>,
    open: HashMap<EpisodeId, usize>,
}

impl Watch {
    /// Takes in a change of an alert. What began before the run is not followed.
    pub(crate) fn note(&mut self, patient: u32, record: &AlertRecord) {
        let (episode, at) = (&record.episode, record.at.0);
        if record.kind == ChangeKind::Raised {
            self.open.insert(episode.id, self.raised.len());
            self.raised.push(Raised {
                patient,
                id: episode.id,
                cause: cause(&episode.condition),
                title: episode.title.clone(),
                group: episode.group.clone(),
                technical: technical(&episode.condition, &episode.group),
                priority: episode.priority,
                first_priority: episode.priority,
                begin: at,
                end: None,
                taken: None,
                calls: vec![(at, episode.assigned)],
                has: false,
            });
            return;
        }
        let Some(alert) = self.open.get(&episode.id).and_then(|at| self.raised.get_mut(*at)) else { return };
        alert.priority = alert.priority.max(episode.priority);
        let again = alert.has && episode.state.sounding();
        if again || record.kind == ChangeKind::Escalated {
            alert.calls.push((at, episode.assigned));
        }
        alert.has = matches!(episode.state, EpisodeState::Acknowledged | EpisodeState::Snoozed);
        if alert.has && alert.taken.is_none() {
            alert.taken = Some(at);
        }
        if episode.state == EpisodeState::Resolved {
            alert.end = Some(at);
            self.open.remove(&episode.id);
        }
    }
}

/// What a policy calls the condition: `rule.ID`, `limit.METRIC`; `silence` and `device-alarm` for
/// what devices are the cause of.
fn cause(key: &ConditionKey) -> String {
    match key {
        ConditionKey::Rule(id) => format!("rule.{id}"),
        ConditionKey::Limit(metric) => {
            format!("limit.{}", metric.metric().map_or("metric", |row| row.refid))
        }
        ConditionKey::Gap(_) => "silence".to_owned(),
        ConditionKey::Alarm(_) => "device-alarm".to_owned(),
    }
}

/// The group of what is wrong with devices, as the engine and the built-in policy call it.
const DEVICES: &str = "device";

fn technical(key: &ConditionKey, group: &str) -> bool {
    matches!(key, ConditionKey::Gap(_)) || group == DEVICES
}
