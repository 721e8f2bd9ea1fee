//! What an edge sent on. It comes in order, each piece counts once, and some of it comes late.
//!
//! An edge judges its patients itself when it takes a value in; so what comes late raises nothing
//! here: it goes into its series, marked, and the alerts that the edge raised come with it. While an
//! edge delivers what it held back, time alone judges none of its patients; when it has caught up,
//! they are judged as they are then. An alert that an edge holds open is open here (AL-1).

use std::collections::BTreeMap;

use alert::{ChangeKind, Episode, EpisodeState};
use serde::{Deserialize, Serialize};
use vitals::time::{DAY, SECOND};
use vitals::{
    DeviceId, EpisodeId, Passed, PassedAlert, PassedScore, PatientId, Point, Quality, ReadingRef, RelayLine, Relayed,
};

use crate::effect::{AlertRecord, Effect};
use crate::{Engine, Step};

/// What an edge received this long before it is here comes late.
const LATE_AFTER: i64 = 10 * SECOND;
/// After something late, time alone judges nobody for this long: more may come.
const CATCHING_UP: i64 = 5 * SECOND;
/// An edge that was not heard for so long holds no alert open any more.
const LOST_AFTER: i64 = DAY;

/// What is known of edges.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Relays {
    edges: BTreeMap<DeviceId, Lines>,
    /// Edges' names for alerts, and whose and which alert of ours each is.
    alerts: BTreeMap<(DeviceId, EpisodeId), (PatientId, EpisodeId)>,
    /// Until when time alone judges a patient not.
    catching_up: BTreeMap<PatientId, i64>,
    /// Through which edge a patient is heard.
    fed: BTreeMap<PatientId, DeviceId>,
    /// The edge that the message at hand came through; none between steps.
    #[serde(skip)]
    through: Option<DeviceId>,
    /// Whether the message at hand comes late; false between steps.
    #[serde(skip)]
    pub(crate) late: bool,
    #[serde(skip)]
    pub(crate) unsaved: bool,
}

/// How far an edge's spool has come.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Lines {
    spool: u64,
    seen: BTreeMap<RelayLine, u64>,
    heard_at: i64,
}

impl Relays {
    /// Whether this has not been taken in before.
    fn is_new(&mut self, relayed: &Relayed, now: i64) -> bool {
        let lines = self.edges.entry(relayed.edge.clone()).or_default();
        if lines.spool != relayed.spool {
            *lines = Lines { spool: relayed.spool, ..Lines::default() };
        }
        lines.heard_at = now;
        self.unsaved = true;
        let seen = lines.seen.entry(relayed.line).or_default();
        let new = relayed.number > *seen;
        *seen = relayed.number.max(*seen);
        new
    }

    /// Until when time alone judges a patient not.
    pub(crate) fn until(&self, patient: &PatientId) -> i64 {
        self.catching_up.get(patient).copied().unwrap_or(0)
    }

    /// Whether there is nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    pub(crate) fn forget(&mut self, records: &[PatientId]) {
        self.alerts.retain(|_, (patient, _)| !records.contains(patient));
        self.catching_up.retain(|patient, _| !records.contains(patient));
        self.fed.retain(|patient, _| !records.contains(patient));
        self.unsaved = true;
    }
}

impl Engine {
    /// Takes in what an edge sent on, unless it was before.
    pub(crate) fn relayed(&mut self, relayed: &Relayed, cx: &mut Step, out: &mut Vec<Effect>) {
        let now = self.now.0;
        if !self.relays.is_new(relayed, now) {
            out.push(Effect::Counted("edge-repeated"));
            return;
        }
        match &relayed.what {
            Passed::Message(message) => {
                self.relays.late = now.saturating_sub(message.received.0) > LATE_AFTER;
                if self.relays.late {
                    out.push(Effect::Counted("edge-late"));
                }
                self.relays.through = Some(relayed.edge.clone());
                self.message(message, cx, out);
                self.relays.through = None;
                self.relays.late = false;
            }
            Passed::Alert(alert) => self.passed_alert(&relayed.edge, alert, cx, out),
            Passed::Action(actor, action) => self.action(actor, action, cx, out),
            Passed::Score(score) => self.passed_score(&relayed.edge, score, cx, out),
        }
    }

    /// Notes of a patient that the message at hand came through an edge, and maybe late.
    pub(crate) fn came_through(&mut self, patient: &PatientId) {
        let Some(edge) = &self.relays.through else { return };
        if self.relays.fed.get(patient) != Some(edge) {
            self.relays.fed.insert(patient.clone(), edge.clone());
        }
        if self.relays.late {
            self.relays.catching_up.insert(patient.clone(), self.now.0.saturating_add(CATCHING_UP));
            if let Some(state) = self.patients.get_mut(patient) {
                state.conditions.interrupt();
            }
        } else {
            self.relays.catching_up.remove(patient);
        }
    }

    /// While the edge of a patient is away, what held goes on holding: the edge tells when it ended.
    pub(crate) fn hold_for_edge(&mut self, patient: &PatientId) {
        let relays = &self.relays;
        let Some(edge) = relays.fed.get(patient) else { return };
        let heard = relays.edges.get(edge).map_or(0, |lines| lines.heard_at);
        let away = self.now.0.saturating_sub(heard);
        let hold = if (LATE_AFTER..LOST_AFTER).contains(&away) { LOST_AFTER } else { 0 };
        if let Some(state) = self.patients.get_mut(patient) {
            state.conditions.hold_longer(hold);
        }
    }

    /// A score of an edge. What came in time we scored ourselves; of what came late nothing was judged
    /// here, so the edge's score is kept, with the edge as the device that says it.
    fn passed_score(&mut self, edge: &DeviceId, score: &PassedScore, cx: &Step, out: &mut Vec<Effect>) {
        if self.now.0.saturating_sub(score.received.0) <= LATE_AFTER {
            out.push(Effect::Counted("edge-score-in-time"));
            return;
        }
        let patient = self.directory.resolve(&score.patient).clone();
        self.ensure_patient(&patient);
        self.announce(edge, out);
        let series = self.series_of(edge, Some(&patient), score.metric, 0, out);
        let quality = Quality::DERIVED | Quality::LATE;
        let (time, received, value) = (score.at, score.received, score.value);
        out.push(Effect::Point(series, Point { time, received, value, offset: cx.offset, index: 0, quality }));
        self.touch_device(edge);
        self.touch_patient(&patient);
    }

    fn passed_alert(
        &mut self,
        edge: &DeviceId,
        alert: &PassedAlert,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let Ok(record) = serde_json::from_str::<AlertRecord>(&alert.record) else {
            out.push(Effect::Counted("edge-alert-unreadable"));
            return;
        };
        let patient = self.directory.resolve(&alert.patient).clone();
        self.ensure_patient(&patient);
        let begins = out.len();
        let late = self.now.0.saturating_sub(record.at.0) > LATE_AFTER
            || self.relays.until(&patient) > self.now.0;
        let key = (edge.clone(), alert.episode);
        let known = self.relays.alerts.get(&key).map(|(_, id)| *id);
        let open = known.filter(|id| {
            self.patients.get(&patient).is_some_and(|state| state.episodes.get(*id).is_some())
        });
        match (open, record.kind) {
            (id, ChangeKind::Resolved) => {
                self.relays.alerts.remove(&key);
                if let Some(id) = id {
                    self.over_elsewhere(&patient, id, &record, out);
                }
            }
            // It waits for somebody to reset it, there or here.
            (Some(id), ChangeKind::Latched) => {
                if let Some(state) = self.patients.get_mut(&patient) {
                    state.conditions.over(&record.episode.group);
                }
                self.followed(&patient, id, &record, out);
            }
            // In time, we judge the same values ourselves; what people did is news in any case.
            (Some(id), _) if late || record.actor != "system" => {
                self.followed(&patient, id, &record, out);
            }
            (Some(_), _) => {}
            (None, _) if known.is_some() => out.push(Effect::Counted("edge-alert-closed-here")),
            (None, _) => self.raised_elsewhere(&patient, key, (alert, &record), cx, out),
        }
        // History has it when it was, not when it came.
        for effect in &mut out[begins..] {
            if let (Effect::Alert(told), true) = (effect, late) {
                told.at = record.at;
            }
        }
        self.touch_patient(&patient);
        self.set_patient_timer(&patient);
    }

    /// An alert of an edge that is not known yet: what it is about may have one here.
    fn raised_elsewhere(
        &mut self,
        patient: &PatientId,
        key: (DeviceId, EpisodeId),
        (alert, record): (&PassedAlert, &AlertRecord),
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        if record.episode.state == EpisodeState::Resolved {
            return;
        }
        let Some(state) = self.patients.get_mut(patient) else { return };
        let mut changes = Vec::new();
        let ours = state.episodes.open_in(&record.episode.group).map(|episode| episode.id);
        let id = ours.unwrap_or_else(|| {
            let mut episode = record.episode.clone();
            episode.id = EpisodeId { offset: cx.offset, index: cx.next_episode };
            cx.next_episode += 1;
            let value = |metric| state.values.get(metric).map(|current| current.reading);
            let score = |metric| state.scores.trend(metric).and_then(|trend| trend.reading);
            let readings = alert.because.iter().filter_map(|metric| value(*metric).or_else(|| score(*metric)));
            episode.readings = readings.collect::<Vec<ReadingRef>>();
            let id = episode.id;
            state.episodes.bring(episode, &record.actor, &record.detail, &mut changes);
            id
        });
        state.episodes.judged_elsewhere(id);
        self.relays.alerts.insert(key, (patient.clone(), id));
        self.relays.unsaved = true;
        self.push_alerts(patient, changes, out);
    }

    /// An alert of ours that an edge holds open changed there.
    fn followed(&mut self, patient: &PatientId, id: EpisodeId, record: &AlertRecord, out: &mut Vec<Effect>) {
        let mut changes = Vec::new();
        if let Some(state) = self.patients.get_mut(patient) {
            // What somebody did here went down to the edge and comes back: it is so already.
            let same = |ours: &Episode| ours.state == record.episode.state && ours.taken == record.episode.taken;
            let deed = matches!(record.kind, ChangeKind::Acknowledged | ChangeKind::Snoozed);
            if deed && state.episodes.get(id).is_some_and(same) {
                return;
            }
            let told = (record.kind, record.actor.as_str(), record.detail.as_str(), record.at.0);
            state.episodes.follow(id, &record.episode, told, &mut changes);
        }
        self.push_alerts(patient, changes, out);
    }

    /// An alert that an edge held open is over there. If it still holds by what we see, it is raised
    /// when it has held for its time.
    fn over_elsewhere(&mut self, patient: &PatientId, id: EpisodeId, record: &AlertRecord, out: &mut Vec<Effect>) {
        let mut changes = Vec::new();
        if let Some(state) = self.patients.get_mut(patient) {
            state.conditions.over(&record.episode.group);
            let told = (record.actor.as_str(), record.detail.as_str(), record.at.0);
            state.episodes.end(id, told, &mut changes);
        }
        self.push_alerts(patient, changes, out);
    }

    /// Alerts that lost edges held open are ours again.
    pub(crate) fn lose_edges(&mut self, out: &mut Vec<Effect>) {
        let now = self.now.0;
        let edges = self.relays.edges.iter();
        let lost: Vec<DeviceId> = edges
            .filter(|(_, lines)| now.saturating_sub(lines.heard_at) > LOST_AFTER)
            .map(|(edge, _)| edge.clone())
            .collect();
        if lost.is_empty() {
            return;
        }
        let alerts = std::mem::take(&mut self.relays.alerts);
        for (key, (patient, id)) in alerts {
            if !lost.contains(&key.0) {
                self.relays.alerts.insert(key, (patient, id));
                continue;
            }
            if let Some(state) = self.patients.get_mut(&patient) {
                state.episodes.judged_here(id);
            }
            self.relays.unsaved = true;
            out.push(Effect::Counted("edge-alert-let-go"));
            self.touch_patient(&patient);
            self.set_patient_timer(&patient);
        }
    }

    /// After a restart: says again which alerts edges hold open.
    pub(crate) fn wake_relays(&mut self) {
        for (patient, id) in self.relays.alerts.values() {
            if let Some(state) = self.patients.get_mut(patient) {
                state.episodes.judged_elsewhere(*id);
            }
        }
    }
}
