//! Effects on their way into the store, as rows.

use std::sync::Arc;

use alert::EpisodeState;
use engine::{AlertRecord, PathwayRecord, Effect, PredictionRecord};
use journal::Entry;
use live::Live;
use serde_json::json;
use store::{
    AlertEventRow, AlertRow, AssociationRow, Commit, DeviceRow, DirectoryRow, DocumentRow,
    EncounterRow, KvRow, LocationRow, PatientRow, PredictionRow, QuarantineRow, QuarantineStatus, StatePart, Reader,
};
use vitals::{Message, Offset, Point, Protocol, Quality, ReadingRef, SeriesId};

use crate::beats::Beats;
use crate::scores::Scores;
use crate::erasure::{self, STRAYS};
use crate::strays::Strays;
use crate::manager::{self, AlertManager};
use crate::webhook::{self, Webhook};

/// Which receivers have heard of which episodes.
const TOLD: &str = "webhook-told";
/// Changes of alerts that wait to be sent on: by offset and order within the entry, both of fixed
/// length; each an [`AlertRecord`] in JSON.
pub const RELAYED_ALERTS: &str = "relayed-alerts";
/// What the event is called by which somebody said what an alert was.
pub const JUDGED: &str = "judged";

pub(crate) struct Pending {
    webhooks: Vec<Webhook>,
    relay_alerts: bool,
    scores: Scores,
    managers: Vec<AlertManager>,
    reader: Reader,
    beats: Beats,
    commit: Commit,
    /// Parts of the engine's state that the store has and the engine may not.
    old_parts: Vec<String>,
    next_event: (Offset, u16),
    /// Care unit of the alert that is taken in next.
    pub(crate) unit: String,
    strays: Strays,
    /// Values of the entries being taken in.
    pub(crate) points: Vec<(SeriesId, Point)>,
    /// Alerts that nobody was told of yet.
    pub(crate) fresh_alerts: Vec<Arc<AlertRecord>>,
}

impl Pending {
    pub(crate) fn new(
        (webhooks, managers): (Vec<Webhook>, Vec<AlertManager>),
        relay_alerts: bool,
        reader: Reader,
    ) -> Self {
        Self {
            webhooks,
            relay_alerts,
            managers,
            beats: Beats::known(&reader),
            scores: Scores::known(&reader, relay_alerts),
            strays: Strays::new(&reader),
            reader,
            commit: Commit::default(),
            old_parts: Vec::new(),
            next_event: (0, 0),
            unit: String::new(),
            points: Vec::new(),
            fresh_alerts: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.commit == Commit::default() && self.old_parts.is_empty()
    }

    /// Everything gathered, as one commit.
    pub(crate) fn commit(
        &mut self,
        checkpoint: Offset,
        engine_state: Vec<(String, StatePart)>,
        points: Vec<(SeriesId, Vec<Point>)>,
        counters: Vec<(String, u64)>,
    ) -> Commit {
        let gathered = std::mem::take(&mut self.commit);
        let mut engine_state = engine_state;
        for name in std::mem::take(&mut self.old_parts) {
            if engine_state.iter().all(|(other, _)| *other != name) {
                engine_state.push((name, Vec::new().into()));
            }
        }
        let mut kv = gathered.kv;
        kv.extend(self.strays.take().map(|(patient, last)| KvRow {
            bucket: STRAYS.to_owned(),
            key: patient.to_string(),
            value: Some(last.to_le_bytes().to_vec()),
        }));
        Commit { checkpoint, engine_state, points, counters, kv, ..gathered }
    }

    /// The engine was made anew: its old parts go, series that the store lacks come, and alerts
    /// that could not be taken over end.
    pub(crate) fn begin_anew(&mut self, old: Vec<String>, series: Vec<Effect>, ended: Vec<AlertRow>) {
        self.old_parts = old;
        for effect in series {
            if let Effect::SeriesOpened(id, key) = effect {
                self.beats.opened(id, &key);
                self.scores.opened(id, &key);
                self.strays.opened(id, &key);
                self.commit.series.push((id, key));
            }
        }
        self.commit.alerts.extend(ended.into_iter().map(|row| AlertRow {
            state: EpisodeState::Resolved.name().to_owned(),
            open: false,
            ..row
        }));
    }

    /// Takes in one effect of one entry.
    pub(crate) fn take(&mut self, entry: &Entry, effect: Effect, live: &Live) {
        self.strays.look(entry, &effect);
        match effect {
            Effect::SeriesOpened(id, key) => {
                self.beats.opened(id, &key);
                self.scores.opened(id, &key);
                self.commit.series.push((id, key));
            }
            Effect::Point(id, point) => {
                count_quality(point.quality, live);
                self.beats.show(id, &point, live);
                self.commit.kv.extend(self.scores.row(id, &point));
                self.points.push((id, point));
            }
            Effect::Text(id, point, text) => {
                count_quality(point.quality, live);
                self.commit.texts.push((id, point, text));
            }
            Effect::Samples(id, run) => {
                count_quality(run.quality, live);
                live.waves().push(id, &run, live.progress().stored());
                self.commit.waves.push((id, run));
            }
            Effect::Alert(record) => {
                self.alert(entry, *record);
            }
            Effect::Judged { episode, verdict, by, note, at } => {
                self.judged(entry, AlertEventRow {
                    episode,
                    offset: entry.offset,
                    index: 0,
                    at,
                    kind: JUDGED.to_owned(),
                    actor: by,
                    body: json!({ "verdict": verdict.name(), "detail": note }).to_string().into_bytes(),
                });
            }
            Effect::Predicted(record) => {
                self.commit.predictions.push(predicted(&record));
            }
            Effect::Pathway(record) => {
                self.commit.documents.push(pathway_row(&record));
            }
            Effect::QuarantineEnded { offset, released, by } => {
                live.add_quarantined(-1);
                self.end_quarantine(offset, released, &by, entry);
            }
            Effect::Held(hold) => {
                self.commit.holds.push(*hold);
            }
            Effect::HoldReleased { hold, by, at } => {
                self.commit.holds_released.push((hold, by, at));
            }
            Effect::Erased(erased) => {
                live.waves().forget(&erased.series, &erased.records);
                self.commit.erasures.push(erasure::row(&erased));
            }
            Effect::Counted(reason) => {
                live.count(reason, 1);
            }
            other => {
                let row = self.directory_row(entry, other, live);
                self.commit.directory.extend(row);
            }
        }
    }

    /// The row of the directory that an effect makes; none if it makes none.
    fn directory_row(&self, entry: &Entry, effect: Effect, live: &Live) -> Option<DirectoryRow> {
        let (version, updated) = (entry.offset + 1, entry.at);
        Some(match effect {
            Effect::Patient(patient) => {
                DirectoryRow::Patient(PatientRow { patient: *patient, merged_into: None, updated, version })
            }
            Effect::Merged(survivor, retired) => {
                let patient = self.known_patient(&retired);
                DirectoryRow::Patient(PatientRow { patient, merged_into: Some(survivor), updated, version })
            }
            Effect::Encounter(encounter) => {
                DirectoryRow::Encounter(EncounterRow { encounter: *encounter, updated, version })
            }
            Effect::Location(location) => {
                DirectoryRow::Location(LocationRow { location: *location, updated, version })
            }
            Effect::Device(device) => DirectoryRow::Device(DeviceRow {
                device: *device,
                link: None,
                last_heard: None,
                updated,
                version,
            }),
            Effect::Association(association) => {
                let on = association.end.is_none().then(|| association.patient.clone());
                live.set_on(&association.device, on);
                DirectoryRow::Association(AssociationRow { association, updated })
            }
            _ => return None,
        })
    }

    /// Notes the names that the sender gave to readings of the entry, so that they are found by
    /// them. Called after the entry's effects.
    pub(crate) fn names(&mut self, entry: &Entry, message: &Message) {
        if message.origin.protocol != Protocol::Fhir {
            return;
        }
        for (index, name) in wire_fhir::names::decode(&message.origin.message_id) {
            let of = |(series, offset, at): (SeriesId, Offset, u16)| {
                (offset == entry.offset && at == index)
                    .then_some(ReadingRef { series, offset, index })
            };
            let points = self.points.iter().rev().map(|(id, p)| (*id, p.offset, p.index));
            let beside = self.commit.texts.iter().rev();
            let beside = beside.map(|(id, p, _)| (*id, p.offset, p.index));
            let waves = self.commit.waves.iter().rev();
            let waves = waves.map(|(id, run)| (*id, run.offset, run.index));
            let found = points
                .take_while(|(_, offset, _)| *offset == entry.offset)
                .find_map(of)
                .or_else(|| beside.take_while(|(_, o, _)| *o == entry.offset).find_map(of))
                .or_else(|| waves.take_while(|(_, o, _)| *o == entry.offset).find_map(of));
            self.commit.identifiers.extend(found.map(|reading| (name.to_owned(), reading)));
        }
    }

    fn known_patient(&self, id: &vitals::PatientId) -> vitals::Patient {
        let waiting = self.commit.directory.iter().rev().find_map(|row| match row {
            DirectoryRow::Patient(row) if row.patient.id == *id => Some(row.patient.clone()),
            _ => None,
        });
        let query = store::DirectoryQuery { ids: vec![id.to_string()], ..Default::default() };
        waiting
            .or_else(|| Some(self.reader.patients(&query).ok()?.rows.into_iter().next()?.patient))
            .unwrap_or_else(|| vitals::Patient::unknown(id.clone()))
    }

    /// Keeps what somebody said of an alert in its history, unless retention took the alert away.
    fn judged(&mut self, entry: &Entry, row: AlertEventRow) {
        let waits = self.commit.alerts.iter().any(|alert| alert.episode == row.episode);
        if waits || self.reader.alert(row.episode).is_ok_and(|alert| alert.is_some()) {
            self.next_event = (entry.offset, 1);
            self.commit.alert_events.push(row);
        }
    }

    fn alert(&mut self, entry: &Entry, record: AlertRecord) {
        let episode = &record.episode;
        metrics::counter!("vitalwire_alerts_total", "change" => record.kind.name()).increment(1);
        let index = if self.next_event.0 == entry.offset { self.next_event.1 } else { 0 };
        self.next_event = (entry.offset, index + 1);
        let body = serde_json::to_vec(&record).unwrap_or_default();
        if self.relay_alerts {
            self.commit.kv.push(KvRow {
                bucket: RELAYED_ALERTS.to_owned(),
                key: format!("{:020}-{index:05}", entry.offset),
                value: Some(body.clone()),
            });
        }
        self.commit.alerts.push(AlertRow {
            episode: episode.id,
            patient: Some(record.patient.clone()),
            device: record.device.clone(),
            unit: std::mem::take(&mut self.unit),
            condition: format!("{:?}", episode.condition),
            priority: episode.priority as u8 + 1,
            state: episode.state.name().to_owned(),
            open: episode.state != EpisodeState::Resolved,
            raised: vitals::ReceiveTime(episode.raised_at),
            changed: record.at,
            body,
        });
        let detail = json!({ "priority": episode.priority.name(), "detail": record.detail });
        self.commit.alert_events.push(AlertEventRow {
            episode: episode.id,
            offset: entry.offset,
            index,
            at: record.at,
            kind: record.kind.name().to_owned(),
            actor: record.actor.clone(),
            body: detail.to_string().into_bytes(),
        });
        for hook in self.webhooks.clone() {
            self.notify(&hook, entry, &record);
        }
        for manager in self.managers.clone() {
            self.report(&manager, entry, &record);
        }
        self.fresh_alerts.push(Arc::new(record));
    }

    /// What a receiver was told before.
    fn told(&self, key: &str) -> Option<String> {
        let waiting = self.commit.kv.iter().rev().find(|row| row.bucket == TOLD && row.key == key);
        let told = match waiting {
            Some(row) => row.value.clone(),
            None => self.reader.kv(TOLD, key).ok().flatten(),
        };
        told.map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// Queues a report to an alert manager, if it is to hear of this change.
    fn report(&mut self, manager: &AlertManager, entry: &Entry, record: &AlertRecord) {
        let key = format!("{}/{}", manager::target(manager), record.episode.id);
        let told = self.told(&key);
        let Some((row, told)) = manager::notice(manager, entry, record, told.as_deref()) else { return };
        self.commit.outbox.push(row);
        let value = told.map(String::into_bytes);
        self.commit.kv.push(KvRow { bucket: TOLD.to_owned(), key, value });
    }

    /// Queues a notification, if the receiver is to hear of this change (AL-4).
    fn notify(&mut self, hook: &Webhook, entry: &Entry, record: &AlertRecord) {
        let key = format!("{}/{}", hook.name, record.episode.id);
        let told = self.told(&key);
        let Some(notice) = webhook::notice(hook, record, told.as_deref()) else { return };
        self.commit.outbox.push(webhook::outbox_row(hook, entry, record, &notice));
        let value = notice.told.map(String::into_bytes);
        self.commit.kv.push(KvRow { bucket: TOLD.to_owned(), key, value });
    }

    /// Keeps a message that was not understood, or not wholly.
    pub(crate) fn quarantine(&mut self, offset: Offset, message: &Message, live: &Live) {
        let mut kinds: Vec<_> = message.problems.iter().map(|problem| problem.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in &kinds {
            live.count(&format!("quarantine-{}", kind.name()), 1);
        }
        live.add_quarantined(1);
        let understood: usize =
            message.readings().map(|(_, _, _)| 1).sum::<usize>();
        let problems: Vec<_> = message
            .problems
            .iter()
            .map(|p| json!({ "kind": p.kind.name(), "path": p.path, "detail": p.detail }))
            .collect();
        let problems = json!({
            "understood": understood,
            "size": message.payload.len(),
            "message_id": message.origin.message_id,
            "problems": problems,
        });
        self.commit.quarantine.push(QuarantineRow {
            offset,
            received: message.received,
            protocol: message.origin.protocol.name().to_owned(),
            address: message.origin.address.clone(),
            sender: message.origin.sender.clone(),
            profile: message.origin.profile.clone(),
            kinds,
            status: QuarantineStatus::New,
            resolution: Vec::new(),
            problems: problems.to_string().into_bytes(),
            payload: message.payload.clone(),
        });
    }

    fn end_quarantine(&mut self, offset: Offset, released: bool, by: &str, entry: &Entry) {
        let status =
            if released { QuarantineStatus::Released } else { QuarantineStatus::Discarded };
        let resolution = json!({ "by": by, "at_ms": entry.at.millis() }).to_string().into_bytes();
        let waiting = self.commit.quarantine.iter_mut().find(|row| row.offset == offset);
        if let Some(row) = waiting {
            row.status = status;
            row.resolution = resolution;
            return;
        }
        if let Ok(Some(row)) = self.reader.quarantine_item(offset) {
            self.commit.quarantine.push(QuarantineRow { status, resolution, ..row });
        }
    }
}

/// A prediction as a row.
fn predicted(record: &PredictionRecord) -> PredictionRow {
    let class = record.said.class();
    metrics::counter!(
        "vitalwire_predictions_total",
        "model" => record.model.clone(), "role" => record.role.name(), "class" => class
    )
    .increment(1);
    PredictionRow {
        id: record.id,
        patient: record.patient.clone(),
        model: record.model.clone(),
        version: record.version.clone(),
        role: record.role.name().to_owned(),
        class: class.to_owned(),
        probability: record.said.probability().map(f64::from),
        at: record.at,
        made: record.made,
        inputs: record.input_bytes(),
        body: serde_json::to_vec(record).unwrap_or_default(),
    }
}

/// What kind of document a care pathway of a patient is kept as.
const PATHWAYS: &str = "vitalwire-pathway";

/// A pathway after one thing that happened to it: each is a version, so that what was decided stays (AL-5).
fn pathway_row(record: &PathwayRecord) -> DocumentRow {
    metrics::counter!("vitalwire_pathways_total", "change" => record.event.kind.name()).increment(1);
    DocumentRow {
        kind: PATHWAYS.to_owned(),
        id: record.offer.id.to_string(),
        version: record.offer.version,
        updated: record.at,
        body: serde_json::to_vec(record).unwrap_or_default(),
        tokens: vec![("patient".to_owned(), record.patient.to_string())],
    }
}

fn count_quality(quality: Quality, live: &Live) {
    for (flag, reason) in [
        (Quality::LATE, "late"),
        (Quality::IMPLAUSIBLE, "implausible"),
        (Quality::ARTEFACT, "artefact"),
        (Quality::CLOCK_CORRECTED, "clock-corrected"),
    ] {
        if quality.contains(flag) {
            live.count(reason, 1);
        }
    }
}
