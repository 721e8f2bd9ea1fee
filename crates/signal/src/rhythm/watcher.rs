//! The watcher: what holds now, out of beats, seconds and the passing of time.

use serde::{Deserialize, Serialize};

use super::irregular::Irregularity;
use super::pattern::Pattern;
use super::rate::Rates;
use crate::quality::Verdict;
use crate::shape::{Beat, Rhythm};

/// Limits of the rhythms that hospitals set differently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Time without a beat that is a pause, milliseconds (2,000 or 3,000 are usual).
    pub pause_ms: u32,
    /// Time without a beat that is asystole, milliseconds.
    pub asystole_ms: u32,
    /// How long after a beat at the latest it is told of, milliseconds.
    pub delay_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { pause_ms: 3_000, asystole_ms: 4_000, delay_ms: 600 }
    }
}

/// The rhythm that holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The most urgent rhythm that holds.
    pub rhythm: Rhythm,
    /// When it was found or confirmed last, microseconds since 1970 UTC.
    pub time_us: i64,
    /// When it began.
    pub since_us: i64,
    /// How sure it is, 0 to 1.
    pub confidence: f32,
}

/// One rhythm that holds or lingers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Held {
    since_us: i64,
    /// It ends at this time unless it is seen again; `i64::MAX`: only by being released.
    until_us: i64,
    /// When it was found or confirmed last.
    seen_us: i64,
    confidence: f32,
}

/// Watches one patient's heart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watcher {
    limits: Limits,
    now_us: i64,
    last_beat_us: Option<i64>,
    /// Beats since the signal was believed again, or since asystole; up to 255.
    beats: u8,
    /// End of the last second that was not believed.
    doubt_us: Option<i64>,
    /// Seconds in a row that were not believed, and that were; up to 255.
    doubtful: u8,
    clear: u8,
    /// Seconds in a row that look like fibrillation, and that do not.
    fibrillating: u8,
    steady: u8,
    /// Index of the last second.
    index: u8,
    rates: Rates,
    pattern: Pattern,
    irregular: Irregularity,
    held: [Option<Held>; Rhythm::ALL.len()],
    told: Option<State>,
}

impl Default for Watcher {
    fn default() -> Self {
        Watcher::new(Limits::default())
    }
}

/// Seconds not believed in a row after which the rhythm is undetermined.
const DOUBTFUL: u8 = 3;
/// How long a rhythm of single events is given after the last of them, microseconds.
const LINGER_US: i64 = 10_000_000;
/// After this long without any news nothing is known, microseconds.
const SILENCE_US: i64 = 5_000_000;

impl Watcher {
    /// A watcher with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Watcher {
            limits,
            now_us: i64::MIN,
            last_beat_us: None,
            beats: 0,
            doubt_us: None,
            doubtful: 0,
            clear: 0,
            fibrillating: 0,
            steady: 0,
            index: 0,
            rates: Rates::default(),
            pattern: Pattern::default(),
            irregular: Irregularity::default(),
            held: [None; Rhythm::ALL.len()],
            told: None,
        }
    }

    /// What holds now.
    #[must_use]
    pub fn state(&self) -> State {
        self.told.unwrap_or(State {
            rhythm: Rhythm::Undetermined,
            time_us: self.now_us,
            since_us: self.now_us,
            confidence: 0.0,
        })
    }

    /// Since when a rhythm holds, if it does: also one that a more urgent one hides.
    #[must_use]
    pub fn since_us(&self, rhythm: Rhythm) -> Option<i64> {
        self.held[rhythm as usize].map(|held| held.since_us)
    }

    /// Takes a beat. What it changes is told with the next second, which says whether it is to be believed. A beat older
    /// than the last one is left out.
    pub fn beat(&mut self, beat: &Beat) {
        if self.last_beat_us.is_some_and(|last| beat.time_us <= last) {
            return;
        }
        self.now_us = self.now_us.max(beat.time_us);
        let before = self.last_beat_us.replace(beat.time_us);
        self.beats = self.beats.saturating_add(1);
        if self.beats >= 2 {
            self.release(Rhythm::Asystole);
        }
        // An interval counts if the signal was believed all through it and no beat can be missing for its length.
        let interval_ms = before.map(|before| beat.time_us.saturating_sub(before) as f32 / 1_000.0).filter(|_| {
            before >= self.doubt_us && self.held[Rhythm::VentricularFibrillation as usize].is_none()
        });
        self.rates.beat(interval_ms);
        self.pattern.beat(beat, interval_ms);
        self.irregular.beat(beat, interval_ms);
        if interval_ms.is_some_and(|ms| ms >= self.limits.pause_ms as f32) {
            self.hold_event(Rhythm::Pause, before.unwrap_or(beat.time_us), beat.time_us, 0.9);
        }
        self.weigh(beat.time_us);
    }

    /// Takes a second of the best electrocardiogram lead; gives the state if the rhythm changed.
    pub fn second(&mut self, second: &Verdict) -> Option<State> {
        self.now_us = self.now_us.max(second.time_us);
        self.index = second.index;
        if second.believable() {
            self.clear = self.clear.saturating_add(1);
            if self.clear >= 2 {
                self.doubtful = 0;
            }
        } else {
            self.clear = 0;
            self.doubtful = self.doubtful.saturating_add(1);
            self.doubt_us = self.doubt_us.max(Some(second.time_us));
            self.disbelieve(second.time_us);
            if self.doubtful >= DOUBTFUL {
                self.beats = 0;
                self.fibrillating = 0;
            }
        }
        self.fibrillation(second);
        self.silence(second.time_us);
        self.tell()
    }

    /// Time passes without samples; gives the state if the rhythm changed.
    pub fn pass(&mut self, now_us: i64) -> Option<State> {
        if self.now_us == i64::MIN || now_us <= self.now_us.saturating_add(SILENCE_US) {
            return None;
        }
        self.now_us = now_us;
        self.doubtful = u8::MAX;
        self.clear = 0;
        self.beats = 0;
        self.doubt_us = self.doubt_us.max(Some(now_us));
        self.tell()
    }

    /// The oscillation of the last four seconds: fibrillation begins or ends.
    fn fibrillation(&mut self, second: &Verdict) {
        let o = &second.oscillation;
        let looks = second.believable()
            && o.seconds >= 4
            && o.amplitude >= 0.15
            && o.like_fibrillation(0.45, 0.5);
        if looks {
            self.fibrillating = self.fibrillating.saturating_add(1);
            self.steady = 0;
        } else {
            self.fibrillating = 0;
            self.steady = self.steady.saturating_add(1);
        }
        if self.fibrillating >= 2 {
            if self.held[Rhythm::VentricularFibrillation as usize].is_none() {
                self.forget_beats();
            }
            let since = second.time_us.saturating_sub(5_000_000);
            let confidence = ((1.0 - o.leakage) * 1.4).min(1.0) * f32::from(second.index) / 100.0;
            self.hold(Rhythm::VentricularFibrillation, since, confidence);
        } else if self.steady >= 3 {
            self.release(Rhythm::VentricularFibrillation);
        }
    }

    /// No beat for long, in a signal that is believed: pause, asystole.
    fn silence(&mut self, now_us: i64) {
        let Some(last) = self.last_beat_us else { return };
        if self.doubt_us >= Some(last) || self.held[Rhythm::VentricularFibrillation as usize].is_some() {
            return;
        }
        let quiet_us = now_us.saturating_sub(last).saturating_sub(i64::from(self.limits.delay_ms) * 1_000);
        let confidence = f32::from(self.index) / 100.0;
        if quiet_us >= i64::from(self.limits.pause_ms) * 1_000 {
            self.hold_event(Rhythm::Pause, last, now_us, confidence);
        }
        if quiet_us >= i64::from(self.limits.asystole_ms) * 1_000 {
            self.beats = 0;
            self.forget_beats();
            self.hold(Rhythm::Asystole, last, confidence);
        }
    }

    /// What the beats say by now.
    fn weigh(&mut self, time_us: i64) {
        for (rhythm, verdict) in [
            (Rhythm::ExtremeTachycardia, self.rates.extreme_tachycardia()),
            (Rhythm::ExtremeBradycardia, self.rates.extreme_bradycardia()),
            (Rhythm::Tachycardia, self.rates.tachycardia()),
            (Rhythm::Bradycardia, self.rates.bradycardia()),
            (Rhythm::AtrialFibrillation, self.irregular.fibrillates()),
            (Rhythm::VentricularTachycardia, self.pattern.tachycardia()),
            (Rhythm::Bigeminy, self.pattern.bigeminy()),
            (Rhythm::Trigeminy, self.pattern.trigeminy()),
        ] {
            match verdict {
                Some(finding) if finding.holds => {
                    let since = time_us.saturating_sub((finding.since_ms * 1_000.0) as i64);
                    self.hold(rhythm, since, finding.confidence);
                }
                Some(_) => self.release(rhythm),
                None => {}
            }
        }
        let run = self.pattern.run();
        if run.beats >= 2 {
            let rhythm = if run.beats >= 3 { Rhythm::VentricularRun } else { Rhythm::Couplet };
            let since = time_us.saturating_sub((run.lasted_ms * 1_000.0) as i64);
            self.hold_event(rhythm, since, time_us, run.confidence);
        }
        if self.beats >= 3 {
            let since = self.held[Rhythm::Regular as usize].map_or(time_us, |held| held.since_us);
            self.hold(Rhythm::Regular, since, f32::from(self.index.max(50)) / 100.0);
        }
    }

    /// What the beats before told of rate and pattern holds no more: they are no part of what is now.
    fn forget_beats(&mut self) {
        self.rates.broken();
        self.pattern.broken();
        for rhythm in [
            Rhythm::Regular,
            Rhythm::Bradycardia,
            Rhythm::Tachycardia,
            Rhythm::Bigeminy,
            Rhythm::Trigeminy,
            Rhythm::ExtremeBradycardia,
            Rhythm::ExtremeTachycardia,
            Rhythm::VentricularTachycardia,
        ] {
            self.release(rhythm);
        }
    }

    /// The second that ended is not believed: what its beats seemed to show of patterns and rate is taken back.
    fn disbelieve(&mut self, time_us: i64) {
        const SECOND_US: i64 = 1_000_000;
        self.pattern.broken();
        self.rates.broken();
        let from_us = time_us.saturating_sub(SECOND_US);
        for rhythm in [Rhythm::Couplet, Rhythm::VentricularRun, Rhythm::VentricularTachycardia, Rhythm::Bigeminy, Rhythm::Trigeminy] {
            if self.held[rhythm as usize].is_some_and(|held| held.seen_us >= from_us) {
                self.release(rhythm);
            }
        }
    }

    fn hold(&mut self, rhythm: Rhythm, since_us: i64, confidence: f32) {
        let held = &mut self.held[rhythm as usize];
        let since_us = held.map_or(since_us, |held| held.since_us);
        *held = Some(Held { since_us, until_us: i64::MAX, seen_us: self.now_us, confidence });
    }

    fn hold_event(&mut self, rhythm: Rhythm, since_us: i64, time_us: i64, confidence: f32) {
        self.hold(rhythm, since_us, confidence);
        if let Some(held) = &mut self.held[rhythm as usize] {
            held.until_us = time_us.saturating_add(LINGER_US);
        }
    }

    fn release(&mut self, rhythm: Rhythm) {
        self.held[rhythm as usize] = None;
    }

    /// The most urgent rhythm that holds; told if it is another than before.
    fn tell(&mut self) -> Option<State> {
        let now_us = self.now_us;
        for held in &mut self.held {
            if held.is_some_and(|held| held.until_us <= now_us) {
                *held = None;
            }
        }
        if self.doubtful >= DOUBTFUL {
            // What the beats told is not carried over a time of doubt. The intervals behind atrial
            // fibrillation are: it is given again with the first beats if it was there.
            self.held = [None; Rhythm::ALL.len()];
            self.rates.broken();
            self.pattern.broken();
        }
        let found = Rhythm::ALL.iter().rev().find_map(|&rhythm| self.held[rhythm as usize].map(|held| (rhythm, held)));
        let before = self.told.map(|told| told.rhythm);
        let state = match found {
            Some((rhythm, held)) => {
                State { rhythm, time_us: now_us, since_us: held.since_us, confidence: held.confidence }
            }
            None => {
                let since_us = match self.told {
                    Some(told) if told.rhythm == Rhythm::Undetermined => told.since_us,
                    _ => now_us,
                };
                State { rhythm: Rhythm::Undetermined, time_us: now_us, since_us, confidence: 0.0 }
            }
        };
        self.told = Some(state);
        (before != Some(state.rhythm)).then_some(state)
    }
}
