//! The newest samples of every waveform, and the newest heart beats: what live pages draw, and what
//! readers need that the store does not hold yet.
//!
//! One thread writes. A reader holds a channel for as long as it takes to copy some pointers, so it
//! never keeps the writer waiting; the samples themselves are shared with the store's commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use vitals::time::SECOND;
use vitals::{EffectiveTime, Offset, PatientId, ReceiveTime, SeriesId, WaveRun};

use crate::Live;

/// So much of each channel is kept, by its own rate, even when it is in the store: what a page that
/// opens draws at once.
const KEPT_US: i64 = 12 * SECOND;
/// Most runs of one channel that are kept once they are in the store.
const RUNS_MAX: usize = 1_024;
/// A channel that has been silent for this long is let go once it is in the store.
const SILENT_US: i64 = 60 * SECOND;
/// Beats kept of each patient.
const BEATS_MAX: usize = 128;

/// The newest samples and beats.
#[derive(Default)]
pub struct Waves {
    channels: RwLock<HashMap<SeriesId, Arc<Mutex<Channel>>>>,
    beats: RwLock<HashMap<PatientId, VecDeque<(u64, LiveBeat)>>>,
    /// Number of the last thing that came.
    last: AtomicU64,
    /// Samples that no commit has yet.
    waiting: AtomicUsize,
    /// Pages that look.
    viewers: AtomicUsize,
}

#[derive(Default)]
struct Channel {
    runs: VecDeque<(u64, WaveRun)>,
    samples: usize,
}

/// A heart beat as a live page marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveBeat {
    /// When.
    pub time: EffectiveTime,
    /// Its class as a number of `VW_BEAT`.
    pub class: u8,
    /// When it was found.
    pub found: ReceiveTime,
}

/// Counts one viewer for as long as it lives.
pub struct Viewing(Live);

impl Drop for Viewing {
    fn drop(&mut self) {
        self.0.waves().viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Waves {
    /// Adds samples. Called by the one writer, in order.
    pub fn push(&self, series: SeriesId, run: &WaveRun, stored: Offset) {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.waiting.fetch_add(run.samples.len(), Ordering::Relaxed);
        let known = self.channels.read().get(&series).map(Arc::clone);
        let channel =
            known.unwrap_or_else(|| Arc::clone(self.channels.write().entry(series).or_default()));
        let mut channel = channel.lock();
        channel.samples += run.samples.len();
        channel.runs.push_back((number, run.clone()));
        channel.trim(stored);
    }

    /// Adds a beat. Called by the one writer.
    pub fn push_beat(&self, patient: &PatientId, beat: LiveBeat) {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut all = self.beats.write();
        let beats = match all.get_mut(patient) {
            Some(beats) => beats,
            None => all.entry(patient.clone()).or_default(),
        };
        if beats.len() >= BEATS_MAX {
            beats.pop_front();
        }
        beats.push_back((number, beat));
    }

    /// Runs of a channel that came after number `after` (0: all that are kept), in order of
    /// arrival, with their numbers.
    #[must_use]
    pub fn since(&self, series: SeriesId, after: u64) -> Vec<(u64, WaveRun)> {
        let Some(channel) = self.channels.read().get(&series).map(Arc::clone) else {
            return Vec::new();
        };
        let channel = channel.lock();
        let from = channel.runs.partition_point(|(number, _)| *number <= after);
        channel.runs.range(from..).cloned().collect()
    }

    /// Beats of a patient that came after number `after`, in order of arrival.
    #[must_use]
    pub fn beats_since(&self, patient: &PatientId, after: u64) -> Vec<(u64, LiveBeat)> {
        let all = self.beats.read();
        let Some(beats) = all.get(patient) else { return Vec::new() };
        let from = beats.partition_point(|(number, _)| *number <= after);
        beats.range(from..).copied().collect()
    }

    /// Samples that no commit has yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// All samples so far are in a commit. They stay visible until it is in the store, and longer.
    pub fn leave(&self) {
        self.waiting.store(0, Ordering::Relaxed);
    }

    /// Entries before `stored` are in the store: what is old goes, and so do channels that have
    /// been silent for long. Called by the one writer.
    pub fn left(&self, stored: Offset, now: ReceiveTime) {
        let long_ago = now.plus(-SILENT_US);
        let mut empty = Vec::new();
        for (series, channel) in self.channels.read().iter() {
            let mut channel = channel.lock();
            channel.trim(stored);
            let newest = channel.runs.back();
            if newest.is_none_or(|(_, run)| run.received < long_ago && run.offset < stored) {
                empty.push(*series);
            }
        }
        if !empty.is_empty() {
            let mut channels = self.channels.write();
            for series in empty {
                channels.remove(&series);
            }
        }
        let silent = |beats: &VecDeque<(u64, LiveBeat)>| {
            beats.back().is_none_or(|(_, beat)| beat.found < long_ago)
        };
        if self.beats.read().values().any(silent) {
            self.beats.write().retain(|_, beats| !silent(beats));
        }
    }

    /// Lets go all that is kept of these series and these patients.
    pub fn forget(&self, series: &[SeriesId], patients: &[PatientId]) {
        self.channels.write().retain(|id, _| !series.contains(id));
        self.beats.write().retain(|id, _| !patients.contains(id));
    }

    /// How many look.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Channels and samples that are kept, for the metrics.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let channels = self.channels.read();
        (channels.len(), channels.values().map(|channel| channel.lock().samples).sum())
    }
}

impl Live {
    /// Counts a viewer until the answer is dropped; none if there are `most` already.
    #[must_use]
    pub fn view_waves(&self, most: usize) -> Option<Viewing> {
        let waves = self.waves();
        let one_more = |count| (count < most).then_some(count + 1);
        waves.viewers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Viewing(self.clone()))
    }
}

impl Channel {
    /// Lets go of what is in the store and older than a page draws.
    fn trim(&mut self, stored: Offset) {
        let Some((_, newest)) = self.runs.back() else { return };
        let kept = usize::try_from(newest.rate.samples_in(KEPT_US)).unwrap_or(0);
        while self.runs.len() > 1 {
            let Some((_, oldest)) = self.runs.front() else { return };
            let length = oldest.samples.len();
            let needed = self.samples - length < kept && self.runs.len() <= RUNS_MAX;
            if needed || oldest.offset >= stored {
                return;
            }
            self.samples -= length;
            self.runs.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::{Quality, Rate, Scale, WaveSamples};

    const SERIES: SeriesId = SeriesId(3);

    /// A tenth of a second at 100 Hz, from journal entry `offset`.
    fn run(offset: Offset) -> WaveRun {
        WaveRun {
            anchor: EffectiveTime(0),
            rate: Rate::new(100, 1).expect("not zero"),
            first: offset * 10,
            scale: Scale::ONE,
            samples: WaveSamples::Counts(Arc::from([offset as i32; 10])),
            received: ReceiveTime(offset as i64 * SECOND / 10),
            offset,
            index: 0,
            quality: Quality::empty(),
        }
    }

    fn offsets(waves: &Waves, after: u64) -> Vec<Offset> {
        waves.since(SERIES, after).iter().map(|(_, run)| run.offset).collect()
    }

    #[test]
    fn what_is_not_stored_stays_however_long() {
        let waves = Waves::default();
        for offset in 0..500 {
            waves.push(SERIES, &run(offset), 0);
        }
        assert_eq!(waves.waiting(), 5_000);
        assert_eq!(offsets(&waves, 0).len(), 500, "50 s, none of it stored");
        waves.leave();
        assert_eq!(waves.waiting(), 0);
        assert_eq!(offsets(&waves, 0).len(), 500, "on its way to the store");
        waves.left(500, ReceiveTime(50 * SECOND));
        assert_eq!(offsets(&waves, 0), (380..500).collect::<Vec<_>>(), "the newest 12 s");
        waves.push(SERIES, &run(500), 500);
        assert_eq!(offsets(&waves, 0), (381..=500).collect::<Vec<_>>());
        assert_eq!(waves.kept(), (1, 1_200));
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let waves = Waves::default();
        for offset in 0..10 {
            waves.push(SERIES, &run(offset), 0);
            waves.push(SeriesId(4), &run(offset), 0);
        }
        let (number, newest) = waves.since(SERIES, 0).pop().expect("ten runs");
        assert_eq!(newest.offset, 9);
        assert!(waves.since(SERIES, number).is_empty());
        waves.push(SERIES, &run(10), 0);
        assert_eq!(offsets(&waves, number), [10]);
        assert!(waves.since(SeriesId(9), 0).is_empty());
    }

    #[test]
    fn silent_channels_are_let_go_once_stored() {
        let waves = Waves::default();
        waves.push(SERIES, &run(0), 0);
        waves.left(0, ReceiveTime(600 * SECOND));
        assert_eq!(waves.kept().0, 1, "not stored yet");
        waves.left(1, ReceiveTime(30 * SECOND));
        assert_eq!(waves.kept().0, 1, "not silent for long");
        waves.left(1, ReceiveTime(600 * SECOND));
        assert_eq!(waves.kept(), (0, 0));
    }

    #[test]
    fn beats_are_kept_for_a_while() {
        let waves = Waves::default();
        let who = PatientId::new("p1").expect("an id");
        for second in 0..200 {
            let found = ReceiveTime(second * SECOND);
            waves.push_beat(&who, LiveBeat { time: EffectiveTime(found.0), class: 1, found });
        }
        let beats = waves.beats_since(&who, 0);
        assert_eq!(beats.len(), BEATS_MAX);
        assert_eq!(waves.beats_since(&who, beats[BEATS_MAX - 2].0).len(), 1);
        waves.left(0, ReceiveTime(300 * SECOND));
        assert!(waves.beats_since(&who, 0).is_empty());
    }

    #[test]
    fn viewers_are_counted_and_limited() {
        let live = Live::new(0);
        let first = live.view_waves(1);
        assert!(first.is_some() && live.view_waves(1).is_none());
        drop(first);
        assert_eq!(live.waves().viewers(), 0);
    }
}
