//! Which humps of the envelope are beats.
//!
//! Two levels are kept, of beats and of everything else, each the median of eight (P. S. Hamilton,
//! W. J. Tompkins, 1986). A hump above the line between them is a beat, unless it can only be the
//! T wave or the P wave of a neighbour; where a beat is overdue the line is halved and the humps since
//! the last beat are looked at once more (J. Pan, W. J. Tompkins, 1985).

use serde::{Deserialize, Serialize};

use super::level::Level;

/// After a beat the ventricles cannot answer; no two beats are nearer (Pan and Tompkins).
pub(super) const REFRACTORY_US: i64 = 200_000;
/// A T wave may follow within this time (Pan and Tompkins).
const T_WAVE_US: i64 = 360_000;
/// A T wave is lower than this part of the beat before it.
const T_WAVE_PART: f32 = 0.5;
/// A P wave comes before its beat by this at most: the longest usual PR interval and half a beat.
const P_WAVE_US: i64 = 300_000;
/// A P wave is lower than this part of its beat, and than `P_WAVE_LEVEL` of the beats' level.
const P_WAVE_PART: f32 = 0.6;
const P_WAVE_LEVEL: f32 = 0.7;
/// Two beats nearer than this are hardly possible: of two humps the lower one needs to be only this
/// much lower.
const NEAR_US: i64 = 250_000;
const NEAR_PART: f32 = 0.9;
/// The line lies this far up from the level of the rest to the level of the beats: in one lead,
pub(super) const LINE: f32 = 0.25;
/// and in every case this part of the rest's share of the beats higher: the more noise, the more is asked of a beat.
const LINE_OF_REST: f32 = 0.9;
/// Right after a beat the line is this part higher, less and less until one RR interval has passed.
const EARLY: f32 = 0.4;
/// A beat is overdue after this many RR intervals.
const OVERDUE: f32 = 1.5;
/// The line for an overdue beat, as part of the ordinary one.
const OVERDUE_LINE: f32 = 0.5;
/// After so long without a beat the levels are learned anew: the electrodes may have changed.
const LOST_US: i64 = 8_000_000;
/// So long the levels are learned before the first beat is given.
const LEARNING_US: i64 = 3_000_000;
/// The RR interval that is assumed before any is known.
const FIRST_RR_US: f32 = 800_000.0;
/// Of the level of beats, the part that the rest is assumed to have at first.
const FIRST_REST: f32 = 0.1;
/// Humps kept for a second look.
const KEPT: usize = 16;

/// A hump of the envelope, with what else is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Hump<T> {
    pub at_us: i64,
    pub height: f32,
    pub more: T,
}

/// What is known of a hump. Each is seen first and then rejected or taken for a beat; one that was
/// rejected may be taken for a beat after all when one is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It stands out; no more is said yet.
    Seen,
    /// It is no beat.
    Rejected,
    /// It is a beat.
    Beat,
}

/// What is said of a hump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict<T> {
    pub hump: Hump<T>,
    /// Height of beats and of the rest at that time.
    pub beats: f32,
    pub rest: f32,
    pub stage: Stage,
}

/// The state of the decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Decider<T> {
    /// Below this height no beat is ever seen: the smallest QRS complex there is.
    floor: f32,
    line: f32,
    beats: Level,
    rest: Level,
    rr: Level,
    /// The newest beat that has been given.
    given: Option<Hump<T>>,
    /// A beat that may still turn out to be the P wave of the next.
    held: Option<Hump<T>>,
    /// Humps since the last beat that were none; while learning, all.
    kept: Vec<Hump<T>>,
    /// Whether there is a new hump among them, or the beat has just become overdue.
    look_again: bool,
    learning_since_us: Option<i64>,
    /// Whether the levels have never been learned: only then what was seen meanwhile is told of.
    first: bool,
    last_beat_us: i64,
}

impl<T: Copy> Decider<T> {
    pub fn new(floor: f32, line: f32) -> Self {
        Self {
            floor,
            line,
            beats: Level::new(floor, 1),
            rest: Level::new(0.0, 1),
            rr: Level::new(FIRST_RR_US, 4),
            given: None,
            held: None,
            kept: Vec::with_capacity(KEPT),
            look_again: false,
            learning_since_us: Some(i64::MIN),
            first: true,
            last_beat_us: 0,
        }
    }

    /// One whose levels are known beforehand.
    pub fn with_levels(floor: f32, line: f32, beats: f32, rest: f32) -> Self {
        let mut decider = Self::new(floor, line);
        decider.set_levels(beats, rest);
        decider.first = false;
        decider
    }

    fn set_levels(&mut self, beats: f32, rest: f32) {
        self.beats = Level::new(beats, 4);
        self.rest = Level::new(rest, 4);
        self.learning_since_us = None;
    }

    /// Since when the levels are being learned for the first time: what is seen meanwhile is told later.
    pub fn first_learning_us(&self) -> Option<i64> {
        self.learning_since_us.filter(|_| self.first)
    }

    /// Height of beats and of the rest.
    pub fn levels(&self) -> (f32, f32) {
        (self.beats.median(), self.rest.median())
    }

    /// Takes the next hump; they come in order of time, at least the refractory time apart.
    pub fn hump(&mut self, hump: Hump<T>, out: &mut impl FnMut(Verdict<T>)) {
        if self.learning_since_us.is_some() {
            self.keep(hump);
        } else {
            self.see(hump, out);
            self.judge(hump, out);
        }
    }

    /// Time has passed up to `seen_us`. All humps have been given but that at `coming`, the highest of
    /// late, which may yet be followed by a higher one.
    #[inline]
    pub fn pass(&mut self, seen_us: i64, coming: Option<i64>, out: &mut impl FnMut(Verdict<T>)) {
        if let Some(held) = self.held {
            let over = seen_us - held.at_us > P_WAVE_US;
            if over && coming.is_none_or(|at_us| at_us - held.at_us > P_WAVE_US) {
                self.release(out);
            }
        }
        if let Some(since_us) = self.learning_since_us {
            if since_us == i64::MIN {
                self.learning_since_us = Some(seen_us);
            } else if seen_us - since_us > LEARNING_US {
                self.learn(seen_us, out);
            }
        } else if self.look_again {
            self.look_again(seen_us, out);
        } else if seen_us - self.last_beat_us > LOST_US {
            self.learning_since_us = Some(seen_us);
            self.kept.clear();
            self.given = None;
        }
    }

    /// The line is interrupted: what was found is given, and nothing is concluded across the hole.
    pub fn gap(&mut self, seen_us: i64, out: &mut impl FnMut(Verdict<T>)) {
        self.release(out);
        self.given = None;
        self.kept.clear();
        self.look_again = false;
        self.last_beat_us = seen_us;
        if self.learning_since_us.is_some() {
            self.learning_since_us = Some(i64::MIN);
        }
    }

    fn keep(&mut self, hump: Hump<T>) {
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(hump);
    }

    fn last(&self) -> Option<Hump<T>> {
        self.held.or(self.given)
    }

    /// Sets the levels from the humps of the learning time: the second highest is a beat.
    fn learn(&mut self, seen_us: i64, out: &mut impl FnMut(Verdict<T>)) {
        let (mut first, mut second) = (0.0_f32, 0.0_f32);
        for hump in &self.kept {
            if hump.height > first {
                (first, second) = (hump.height, first);
            } else if hump.height > second {
                second = hump.height;
            }
        }
        if second < self.floor {
            // No heart beats here: go on looking at the newest humps only.
            self.learning_since_us = Some(seen_us);
            self.first = false;
            self.kept.clear();
            return;
        }
        self.set_levels(second, second * FIRST_REST);
        self.last_beat_us = seen_us;
        let mut humps = core::mem::take(&mut self.kept);
        for hump in humps.drain(..) {
            if self.first {
                self.see(hump, out);
            }
            self.judge(hump, out);
        }
        self.first = false;
        // The room is used again, with what the judging kept.
        humps.append(&mut self.kept);
        self.kept = humps;
    }

    fn line(&self) -> f32 {
        let (beats, rest) = self.levels();
        let up = self.line + LINE_OF_REST * rest / beats;
        (rest + up * (beats - rest)).max(self.floor)
    }

    fn see(&self, hump: Hump<T>, out: &mut impl FnMut(Verdict<T>)) {
        let (beats, rest) = self.levels();
        out(Verdict { hump, beats, rest, stage: Stage::Seen });
    }

    fn judge(&mut self, hump: Hump<T>, out: &mut impl FnMut(Verdict<T>)) {
        let line = self.line();
        let mut beat = hump.height > line;
        if let Some(last) = self.last() {
            let after_us = hump.at_us - last.at_us;
            let early = (1.0 - after_us as f32 / self.rr.median()).max(0.0);
            beat = hump.height > line * (1.0 + EARLY * early);
            beat &= after_us >= T_WAVE_US || hump.height >= T_WAVE_PART * last.height;
        }
        if !beat {
            self.reject(hump, out);
            return;
        }
        if let Some(held) = self.held {
            if self.is_p_wave(&held, &hump) {
                self.held = None;
                self.reject(held, out);
            } else {
                self.release(out);
            }
        }
        self.accept(hump);
    }

    fn is_p_wave(&self, held: &Hump<T>, beat: &Hump<T>) -> bool {
        let after_us = beat.at_us - held.at_us;
        let lower = |part: f32, level: f32| {
            held.height < part * beat.height && held.height < level * self.beats.median()
        };
        (after_us < P_WAVE_US && lower(P_WAVE_PART, P_WAVE_LEVEL))
            || (after_us < NEAR_US && lower(NEAR_PART, NEAR_PART))
    }

    fn accept(&mut self, hump: Hump<T>) {
        self.held = Some(hump);
        self.last_beat_us = hump.at_us;
        self.kept.retain(|other| other.at_us > hump.at_us);
        self.look_again = true;
    }

    fn reject(&mut self, hump: Hump<T>, out: &mut impl FnMut(Verdict<T>)) {
        self.rest.add(hump.height);
        self.keep(hump);
        self.look_again = true;
        let (beats, rest) = self.levels();
        out(Verdict { hump, beats, rest, stage: Stage::Rejected });
    }

    /// Gives the held beat and learns from it.
    fn release(&mut self, out: &mut impl FnMut(Verdict<T>)) {
        let Some(hump) = self.held.take() else { return };
        let (beats, rest) = self.levels();
        if let Some(given) = self.given {
            self.rr.add((hump.at_us - given.at_us) as f32);
        }
        self.beats.add(hump.height);
        self.given = Some(hump);
        out(Verdict { hump, beats, rest, stage: Stage::Beat });
    }

    /// Where a beat is overdue, takes the highest hump since the last if it is high enough.
    fn look_again(&mut self, seen_us: i64, out: &mut impl FnMut(Verdict<T>)) {
        let Some(last) = self.last() else {
            self.look_again = false;
            return;
        };
        let waited_us = (seen_us - last.at_us - REFRACTORY_US) as f32;
        if waited_us <= OVERDUE * self.rr.median() {
            return;
        }
        self.look_again = false;
        let line = (OVERDUE_LINE * self.line()).max(self.floor);
        let highest = self
            .kept
            .iter()
            .filter(|hump| hump.at_us - last.at_us > T_WAVE_US && hump.height > line)
            .max_by(|a, b| a.height.total_cmp(&b.height));
        if let Some(hump) = highest.copied() {
            self.release(out);
            self.accept(hump);
        }
    }
}
