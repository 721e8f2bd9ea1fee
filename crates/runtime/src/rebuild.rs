//! What a journal concludes, taken in from its first entry by a fresh engine, without touching the
//! store: to compare with what the store holds (EN-1), and to audit how an alert came about.

use std::collections::BTreeMap;

use alert::Policy;
use blake3::Hasher;
use engine::{AlertRecord, Effect, Engine, Models};
use journal::{JournalError, ReadJournal};
use store::{Reader, SeriesFilter, Span};
use vitals::{Action, EffectiveTime, EpisodeId, Event, Offset, ReceiveTime, SeriesId, SeriesKey};

use crate::RuntimeError;
use crate::pending::JUDGED;
use crate::sums::WaveSum;

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 8 * 1024 * 1024;

/// What a journal concluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The oldest entry of the journal; above 0 it was cut, and what came before is not in this.
    pub first: Offset,
    /// The entry to come.
    pub next: Offset,
    /// Changes of alerts.
    pub alerts: u64,
    /// Values.
    pub values: u64,
    /// Samples of waveforms.
    pub samples: u64,
    /// BLAKE3 over every effect in order.
    pub effects: String,
    /// BLAKE3 over the engine's state at the end.
    pub state: String,
}

/// How the store compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Alerts, values and engine state are what the journal concludes, up to the store's place.
    Equal {
        /// That place: the next entry that the store would take in.
        checkpoint: Offset,
    },
    /// The first difference.
    Differs(String),
    /// The journal no longer has its first entries.
    Cut,
    /// Somebody was erased: the journal no longer tells what the store went by before.
    Erased,
}

/// Takes in the whole journal, with the models that there are; `told` hears of every change of an alert.
///
/// # Errors
/// [`RuntimeError::Journal`] when the journal can't be read.
pub fn rebuild(
    journal: &dyn ReadJournal,
    models: &Models,
    told: impl FnMut(Offset, &AlertRecord),
) -> Result<Rebuilt, RuntimeError> {
    let mut taking = Taking::new(journal, models, told);
    taking.until(journal.next_offset())?;
    Ok(taking.end())
}

/// The same, and compares with a store at its own place in the journal.
///
/// # Errors
/// [`RuntimeError`] when journal or store can't be read.
pub fn rebuild_and_compare(
    journal: &dyn ReadJournal,
    models: &Models,
    store: &Reader,
    told: impl FnMut(Offset, &AlertRecord),
) -> Result<(Rebuilt, Compared), RuntimeError> {
    let mut taking = Taking::new(journal, models, told);
    let checkpoint = store.checkpoint()?;
    let next = journal.next_offset();
    if checkpoint > next {
        return Err(RuntimeError::Ahead { checkpoint, next });
    }
    let compared = if journal.first_offset() > 0 {
        Compared::Cut
    } else {
        let alerts_before = store.expired_records()?.alerts_before;
            taking.kept = Some(Kept { expired: store.expired()?, alerts_before, ..Kept::default() });
        taking.until(checkpoint)?;
        let kept = taking.kept.take().unwrap_or_default();
        match kept.difference(&taking.engine, store)? {
            _ if taking.erased => Compared::Erased,
            None => Compared::Equal { checkpoint },
            Some(text) => Compared::Differs(text),
        }
    };
    taking.until(next)?;
    Ok((taking.end(), compared))
}

struct Taking<'a, F> {
    journal: &'a dyn ReadJournal,
    told: F,
    engine: Engine,
    from: Offset,
    alerts: u64,
    values: u64,
    samples: u64,
    hash: Hasher,
    /// Whether an entry was of somebody who is erased, or erased somebody.
    erased: bool,
    /// What is kept for the comparison with a store, while that is wanted.
    kept: Option<Kept>,
}

impl<'a, F: FnMut(Offset, &AlertRecord)> Taking<'a, F> {
    fn new(journal: &'a dyn ReadJournal, models: &Models, told: F) -> Self {
        let mut engine = Engine::new(Policy::built_in());
        engine.set_models(models.clone());
        Self {
            from: journal.first_offset(),
            journal,
            told,
            engine,
            alerts: 0,
            values: 0,
            samples: 0,
            hash: Hasher::new(),
            erased: false,
            kept: None,
        }
    }

    fn until(&mut self, end: Offset) -> Result<(), JournalError> {
        let mut out = Vec::new();
        while self.from < end {
            let entries = self.journal.read(self.from, READ_BYTES)?;
            if entries.is_empty() {
                break;
            }
            for entry in entries.iter().take_while(|entry| entry.offset < end) {
                self.from = entry.offset + 1;
                self.erased |= matches!(
                    entry.event,
                    Event::Erased | Event::Action(_, Action::Erase { .. })
                );
                self.engine.step(entry.offset, entry.at, &entry.event, &mut out);
                for effect in out.drain(..) {
                    self.note(entry.offset, effect);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, offset: Offset, effect: Effect) {
        // Every part of an effect is in its debug form, numbers to the last bit.
        self.hash.update(format!("{offset} {effect:?}\n").as_bytes());
        match &effect {
            Effect::Alert(record) => {
                self.alerts += 1;
                (self.told)(offset, record);
            }
            Effect::Point(..) | Effect::Text(..) => self.values += 1,
            Effect::Samples(_, run) => self.samples += run.samples.len() as u64,
            _ => {}
        }
        if let Some(kept) = &mut self.kept {
            kept.note(offset, effect);
        }
    }

    fn end(self) -> Rebuilt {
        let mut state = Hasher::new();
        for (name, bytes) in self.engine.whole_state() {
            state.update(name.as_bytes()).update(&[0]).update(&bytes);
        }
        Rebuilt {
            first: self.journal.first_offset(),
            next: self.from,
            alerts: self.alerts,
            values: self.values,
            samples: self.samples,
            effects: self.hash.finalize().to_hex().to_string(),
            state: state.finalize().to_hex().to_string(),
        }
    }
}

/// What a store should hold.
#[derive(Default)]
struct Kept {
    series: BTreeMap<SeriesId, SeriesKey>,
    /// Time and bits of every value.
    values: BTreeMap<SeriesId, Vec<(i64, u64)>>,
    /// Changes of alerts: entry, kind, body of the alert after it.
    alerts: Vec<(Offset, AlertRecord)>,
    /// What people said of alerts: entry and alert.
    judged: Vec<(Offset, EpisodeId)>,
    /// Sums over the samples of every waveform.
    waves: BTreeMap<SeriesId, WaveSum>,
    /// What retention has removed from the store: nothing older is compared.
    expired: store::Expired,
    /// Before this retention has removed alerts that ended.
    alerts_before: Option<ReceiveTime>,
}

impl Kept {
    fn note(&mut self, offset: Offset, effect: Effect) {
        match effect {
            Effect::SeriesOpened(id, key) => drop(self.series.insert(id, key)),
            Effect::Point(series, point) => {
                let value = (point.time.0, point.value.to_bits());
                self.values.entry(series).or_default().push(value);
            }
            Effect::Samples(series, run) => {
                let since = self.expired.waves_before.unwrap_or(EffectiveTime(i64::MIN));
                self.waves.entry(series).or_default().add(&run, since);
            }
            Effect::Alert(record) => self.alerts.push((offset, *record)),
            Effect::Judged { episode, .. } => self.judged.push((offset, episode)),
            _ => {}
        }
    }

    /// The first difference to a store, in words.
    fn difference(self, engine: &Engine, store: &Reader) -> Result<Option<String>, RuntimeError> {
        if let Some(text) = self.alerts_differ(store)? {
            return Ok(Some(text));
        }
        if let Some(text) = self.values_differ(store)? {
            return Ok(Some(text));
        }
        let stored: BTreeMap<String, Vec<u8>> = store.engine_state()?.into_iter().collect();
        // A store that was never written holds no state yet.
        if stored.is_empty() && store.checkpoint()? == 0 {
            return Ok(None);
        }
        let state: BTreeMap<String, Vec<u8>> = engine.whole_state().into_iter().collect();
        let names = stored.keys().chain(state.keys());
        let different = names.into_iter().find(|name| stored.get(*name) != state.get(*name));
        Ok(different.map(|name| format!("engine state `{name}`")))
    }

    fn alerts_differ(&self, store: &Reader) -> Result<Option<String>, RuntimeError> {
        let mut latest: BTreeMap<_, (&AlertRecord, Vec<(Offset, &str)>)> = BTreeMap::new();
        for (offset, record) in &self.alerts {
            let entry = latest.entry(record.episode.id).or_insert((record, Vec::new()));
            entry.0 = record;
            entry.1.push((*offset, record.kind.name()));
        }
        for (offset, episode) in &self.judged {
            if let Some((_, changes)) = latest.get_mut(episode) {
                changes.push((*offset, JUDGED));
                changes.sort_by_key(|(offset, _)| *offset);
            }
        }
        let mut gone = 0;
        for (id, (record, changes)) in &latest {
            let stored = store.alert(*id)?;
            if stored.is_none() && self.alerts_before.is_some_and(|before| record.at < before) {
                gone += 1;
                continue;
            }
            let body = serde_json::to_vec(record).unwrap_or_default();
            if stored.is_none_or(|row| row.body != body) {
                return Ok(Some(format!("alert {id}")));
            }
            let events = store.alert_events(*id)?;
            let kept = events.iter().map(|event| (event.offset, event.kind.as_str()));
            if !kept.eq(changes.iter().copied()) {
                return Ok(Some(format!("history of alert {id}")));
            }
        }
        let total = store.alerts(&store::AlertQuery::default())?.total;
        let due = latest.len() as u64 - gone;
        Ok((total != due).then(|| format!("number of alerts: {total} stored, {due} concluded")))
    }

    fn values_differ(&self, store: &Reader) -> Result<Option<String>, RuntimeError> {
        let stored = store.series(&SeriesFilter::default())?;
        if stored.len() != self.series.len() {
            let text = format!("number of series: {} stored, {} concluded", stored.len(), self.series.len());
            return Ok(Some(text));
        }
        for series in stored {
            if self.series.get(&series.id) != Some(&series.key) {
                return Ok(Some(format!("series {}", series.id.0)));
            }
            let since = self.expired.waves_before.unwrap_or(EffectiveTime(i64::MIN));
            let waves = self.waves.get(&series.id).copied().unwrap_or_default();
            let stored = WaveSum::stored(store, series.id, since)?;
            if stored != waves {
                let text = format!(
                    "samples of series {}: {} stored, {} concluded",
                    series.id.0, stored.samples, waves.samples
                );
                return Ok(Some(text));
            }
            let mut concluded = self.values.get(&series.id).cloned().unwrap_or_default();
            let points = store.points(series.id, Span::ALL)?;
            let mut kept: Vec<(i64, u64)> = points
                .iter()
                .filter(|point| !point.value.is_nan())
                .map(|point| (point.time.0, point.value.to_bits()))
                .collect();
            // The same value of the same time is one value, however often it was sent.
            let since = self.expired.points_before.map_or(i64::MIN, |time| time.0);
            for values in [&mut concluded, &mut kept] {
                values.retain(|(time, bits)| *time >= since && !f64::from_bits(*bits).is_nan());
                values.sort_unstable();
                values.dedup();
            }
            if concluded != kept {
                let text = format!(
                    "values of series {}: {} stored, {} concluded",
                    series.id.0,
                    kept.len(),
                    concluded.len()
                );
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}
