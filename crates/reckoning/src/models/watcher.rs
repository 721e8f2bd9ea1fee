//! The watch over the models that judge here: it goes through the stored predictions in the order of the journal, from
//! where it got to, and keeps that place and its counts in one piece.
//!
//! - DW-2: a prediction is counted once, whenever the program stops: place and counts are written together.
//! - DW-3: of a patient's risks one a horizon is compared with what came; the horizons are counted from the model's first
//!   judgement of the patient.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use predict::watch::{Matter, Watch};
use serde::{Deserialize, Serialize};
use store::{KvRow, Page, PredictionQuery, PredictionRow, Read, Reader, Side, Span, StoreError};
use training::draw::hash;
use vitals::PredictionId;
use vitals::time::DAY;

use super::compare::{Comparison, beside, compare};
use super::events::Events;
use super::views::{Look, MatterView, Notice, OutcomesView, ShiftView, WatchView};
use super::{EventKind, Watched};
use crate::{Asked, House};

/// Where watches are kept, by `id@version`.
pub const BUCKET: &str = "model-watch";
/// Predictions counted at a time, and so many times in one step.
const COUNTED: u64 = 1_000;
const TIMES: usize = 50;
/// Risks that are looked at in one step for what came.
const SETTLED: usize = 500;
/// Risks that wait for what comes; more are left out.
const WAITING_MAX: usize = 10_000;
/// What came is looked up so long after it could have come, since some of it is told late.
const TOLD_LATE: i64 = DAY;
/// Looks that are kept.
const LOOKS_MAX: usize = 20;

/// A risk whose outcome is to be looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waiting {
    id: PredictionId,
    /// When what came is known, in microseconds; of a recording, which has its own clock, when it is given up.
    over: i64,
    recorded: bool,
}

/// What is kept of the watch over one version of a model. It names no patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    watch: Watch,
    counted_to: Option<PredictionId>,
    waiting: Vec<Waiting>,
    since: Option<i64>,
    notice: Option<Notice>,
    /// Whether the notice has not gone out yet.
    untold: bool,
    notices: u32,
    looks: Vec<Look>,
}

impl Kept {
    fn new(watched: &Watched) -> Self {
        Self {
            watch: Watch::new(&watched.model),
            counted_to: None,
            waiting: Vec::new(),
            since: None,
            notice: None,
            untold: false,
            notices: 0,
            looks: Vec::new(),
        }
    }

    /// Counts what was said since, and notes which of it is to be compared with what comes; says whether there may be more.
    fn count(&mut self, outcomes: &Outcomes<'_>, watched: &Watched) -> Result<bool, StoreError> {
        let rows = outcomes.store.predictions_after(watched.name(), self.counted_to, COUNTED)?;
        for row in &rows {
            self.watch.count(&watched.model, &inputs(&row.inputs), row.probability.is_some(), hash(row.patient.as_str()));
            let room = !watched.events.is_empty() && self.waiting.len() < WAITING_MAX;
            if room && row.probability.is_some() && outcomes.is_first(row, watched)? {
                let recorded = recorded(&row.body);
                let known = if recorded { row.made.0 } else { end(row, watched) };
                self.waiting.push(Waiting { id: row.id, over: known.saturating_add(TOLD_LATE), recorded });
            }
            self.counted_to = Some(row.id);
            self.since.get_or_insert(row.made.0);
        }
        Ok(rows.len() as u64 == COUNTED)
    }

    /// Compares some of the risks that wait with what came.
    fn settle(&mut self, outcomes: &Outcomes<'_>, watched: &Watched, now: i64) -> Result<(), StoreError> {
        let (mut looked, mut still) = (0, Vec::with_capacity(self.waiting.len()));
        for one in std::mem::take(&mut self.waiting) {
            let over = one.over <= now;
            if looked >= SETTLED || !(over || one.recorded) {
                still.push(one);
                continue;
            }
            looked += 1;
            let Some(row) = outcomes.find(one.id)? else { continue };
            let known = if one.recorded { outcomes.is_past(&row, watched)? } else { over };
            if !known {
                still.extend((!over).then_some(one));
            } else if let (Some(probability), Some(came)) = (row.probability, outcomes.came(&row, watched)?) {
                self.watch.settle(probability as f32, came);
            }
        }
        self.waiting = still;
        Ok(())
    }

    /// Notes what is news.
    fn tell(&mut self, watched: &Watched, now: i64) {
        if self.watch.news(&watched.model).is_empty() {
            return;
        }
        self.notices += 1;
        let matters = matters(&self.watch, watched);
        self.notice = Some(Notice { number: self.notices, at_ms: now / 1_000, matters });
        self.untold = true;
    }
}

fn matters(watch: &Watch, watched: &Watched) -> Vec<MatterView> {
    let view = |found: predict::watch::Finding| MatterView {
        matter: found.matter.name().to_owned(),
        level: found.level,
        text: found.text,
    };
    watch.findings(&watched.model).into_iter().map(view).collect()
}

fn inputs(bytes: &[u8]) -> Vec<f32> {
    let each = bytes.chunks_exact(4).filter_map(|four| four.try_into().ok());
    each.map(f32::from_le_bytes).collect()
}

/// When what a risk foretold must have come, on its patient's clock.
fn end(row: &PredictionRow, watched: &Watched) -> i64 {
    row.at.0.saturating_add(watched.horizon_us())
}

/// What the settling of risks looks up.
struct Outcomes<'a> {
    store: &'a dyn Read,
    events: Events<'a>,
}

impl Outcomes<'_> {
    fn find(&self, id: PredictionId) -> Result<Option<PredictionRow>, StoreError> {
        let query = PredictionQuery { ids: vec![id], page: Page { skip: 0, limit: 1 }, ..PredictionQuery::default() };
        Ok(self.store.predictions(&query)?.rows.pop())
    }

    /// Whether no other judgement of this horizon of the patient came before it (DW-3).
    fn is_first(&self, row: &PredictionRow, watched: &Watched) -> Result<bool, StoreError> {
        let first = self.store.first_judged(&row.patient, &row.model, Span::ALL)?.map_or(row.at.0, |at| at.0);
        let horizon = watched.horizon_us().max(1);
        let begin = first + (row.at.0 - first).div_euclid(horizon) * horizon;
        Ok(!self.any(row, Span { from: Some(begin), to: Some(row.at.0) })?)
    }

    /// Whether a recording went on beyond a risk's horizon.
    fn is_past(&self, row: &PredictionRow, watched: &Watched) -> Result<bool, StoreError> {
        self.any(row, Span { from: Some(end(row, watched)), to: None })
    }

    /// Whether the model judged the patient within a span.
    fn any(&self, row: &PredictionRow, at: Span) -> Result<bool, StoreError> {
        Ok(self.store.first_judged(&row.patient, &row.model, at)?.is_some())
    }

    fn came(&self, row: &PredictionRow, watched: &Watched) -> Result<Option<bool>, StoreError> {
        self.events.came(&row.patient, (row.at.0, end(row, watched)), &watched.events)
    }
}

/// Whether a prediction is of a recording that was played back.
fn recorded(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        recorded: bool,
    }
    serde_json::from_slice(body).is_ok_and(|body: Body| body.recorded)
}

/// The watches over all models that judge here. One change at a time.
pub struct Watcher {
    reader: Reader,
    side: Arc<dyn Side>,
    watched: Vec<Watched>,
    changing: Mutex<()>,
    /// Held by whoever compares.
    comparing: Mutex<()>,
}

impl Watcher {
    /// Over these models.
    #[must_use]
    pub fn new(reader: Reader, side: Arc<dyn Side>, watched: Vec<Watched>) -> Self {
        Self { reader, side, watched, changing: Mutex::new(()), comparing: Mutex::new(()) }
    }

    /// The models.
    #[must_use]
    pub fn watched(&self) -> &[Watched] {
        &self.watched
    }

    /// Takes in what was said and what came since; notes what is news.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read or written; what was taken in before stays.
    pub fn step(&self, house: &House, now: i64) -> Result<(), StoreError> {
        let store = self.reader.as_ref();
        let outcomes = Outcomes { store, events: Events::new(store, house)? };
        for watched in &self.watched {
            for _ in 0..TIMES {
                if !self.change(watched, |kept| kept.count(&outcomes, watched))? {
                    break;
                }
            }
            self.change(watched, |kept| {
                kept.settle(&outcomes, watched, now)?;
                kept.tell(watched, now);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Notices that have not gone out yet.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read.
    pub fn untold(&self) -> Result<Vec<(&Watched, Notice)>, StoreError> {
        let mut untold = Vec::new();
        for watched in &self.watched {
            let kept = self.load(watched)?;
            untold.extend(kept.notice.filter(|_| kept.untold).map(|notice| (watched, notice)));
        }
        Ok(untold)
    }

    /// Notes that a notice has gone out, if it is the latest.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read or written.
    pub fn told(&self, watched: &Watched, number: u32) -> Result<(), StoreError> {
        self.change(watched, |kept| {
            kept.untold &= kept.notices != number;
            Ok(())
        })
    }

    /// Somebody looked into a model: its watch begins anew.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read or written.
    pub fn looked_into(&self, watched: &Watched, look: Look) -> Result<(), StoreError> {
        self.change(watched, |kept| {
            kept.watch.restart();
            kept.waiting.clear();
            kept.since = Some(look.at_ms.saturating_mul(1_000));
            (kept.notice, kept.untold) = (None, false);
            kept.looks.insert(0, look);
            kept.looks.truncate(LOOKS_MAX);
            Ok(())
        })
    }

    /// How a model does.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read.
    pub fn view(&self, watched: &Watched) -> Result<WatchView, StoreError> {
        let kept = self.load(watched)?;
        let (watch, outcomes) = (&kept.watch, kept.watch.outcomes());
        let shift = |shift: predict::drift::Shift| ShiftView {
            name: shift.name,
            index: shift.index,
            missing: shift.missing,
            missing_in_training: shift.missing_in_training,
        };
        Ok(WatchView {
            model: watched.model.id().to_owned(),
            version: watched.model.version().to_owned(),
            role: watched.role.name().to_owned(),
            owner: watched.owner.clone(),
            events: watched.events.iter().map(ToString::to_string).collect(),
            events_words: watched.events.iter().map(EventKind::words).collect(),
            since_ms: kept.since.map(|since| since.div_euclid(1_000)),
            judgements: watch.rows(),
            patients: watch.patients(),
            judgements_least: predict::drift::ROWS_LEAST,
            patients_least: predict::watch::PATIENTS_LEAST,
            abstained: watch.abstained(),
            shifted: watch.shifted(&watched.model).into_iter().map(shift).collect(),
            inputs: watched.model.inputs().len() as u32,
            outcomes: OutcomesView {
                risks: outcomes.count,
                observed: outcomes.observed,
                expected: outcomes.expected,
                ratio: outcomes.ratio(),
                deviation: outcomes.deviation(),
                more: outcomes.more,
                fewer: outcomes.fewer,
            },
            matters: matters(watch, watched),
            notice: kept.notice,
            looks: kept.looks,
        })
    }

    /// Compares the models of this one's outcome, if it judges here. One question at a time: whoever asks meanwhile waits.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read.
    pub fn compare(&self, house: &House, id: &str, asked: &Asked) -> Result<Option<Comparison>, StoreError> {
        let _one = self.comparing.lock();
        compare(self.reader.as_ref(), house, &beside(&self.watched, id), asked)
    }

    /// Of each matter its level now, 0 where nothing is the matter.
    #[must_use]
    pub fn levels(view: &WatchView) -> BTreeMap<&'static str, u8> {
        let level = |matter: Matter| {
            let found = view.matters.iter().find(|one| one.matter == matter.name());
            (matter.name(), found.map_or(0, |one| one.level))
        };
        Matter::ALL.into_iter().map(level).collect()
    }

    fn load(&self, watched: &Watched) -> Result<Kept, StoreError> {
        let kept = self.reader.kv(BUCKET, &key(watched))?;
        let kept: Option<Kept> = kept.and_then(|value| serde_json::from_slice(&value).ok());
        Ok(kept.filter(|kept| kept.watch.is_of(&watched.model)).unwrap_or_else(|| Kept::new(watched)))
    }

    /// Changes what is kept, in one piece (DW-2).
    fn change<T>(
        &self,
        watched: &Watched,
        change: impl FnOnce(&mut Kept) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _one = self.changing.lock();
        let before = self.load(watched)?;
        let mut kept = before.clone();
        let done = change(&mut kept)?;
        if kept != before {
            let value = Some(serde_json::to_vec(&kept).unwrap_or_default());
            self.side.put(&[KvRow { bucket: BUCKET.to_owned(), key: key(watched), value }])?;
        }
        Ok(done)
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.watched.iter().map(Watched::name)).finish()
    }
}

fn key(watched: &Watched) -> String {
    let (id, version) = watched.name();
    format!("{id}@{version}")
}
