//! From the sums of a second to an index and a reason.

use serde::{Deserialize, Serialize};

use super::second::Sums;
use crate::shape::{Reason, WaveKind};

/// The index from which a second is believed.
pub const BELIEVABLE: u8 = 50;

/// A wave of unknown shape is flat after so many seconds without movement.
const STILL_FOR: u8 = 20;

/// What is remembered of the seconds before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Baselines of the last seconds, newest last.
    levels: [f32; 4],
    known: u8,
    /// Usual range of a good second; 0 when none was seen.
    usual: f32,
    /// Usual greatest jump between two samples of a second, and usual longest run of equal samples as a share of it.
    usual_jump: f32,
    usual_run: f32,
    /// Smallest and greatest value ever seen, closing in on each other over minutes.
    rails: Option<(f32, f32)>,
    /// Seconds without movement, up to 255.
    still: u8,
}

/// What a kind of signal is allowed, in its own unit or as a share of its usual range.
struct Allowed {
    /// A range below this is no movement; absolute.
    still: f32,
    /// Wander of the baseline over four seconds that spoils the signal wholly; absolute, 0: three usual ranges. What is
    /// as slow as breath has no baseline of its own: it is all wander.
    wander: f32,
    /// Range of a second that only motion makes; absolute, 0: four usual ranges.
    wild: f32,
    /// Root mean square between beats, above the corner of the high-pass, that spoils the signal half; absolute, 0: only relative.
    floor: f32,
    /// The same as a share of the range, for what has no sharp beats.
    floor_share: f32,
}

fn allowed(kind: WaveKind) -> Allowed {
    match kind {
        WaveKind::Ecg => Allowed { still: 0.008, wander: 5.0, wild: 7.0, floor: 0.3, floor_share: 0.0 },
        WaveKind::ArterialPressure => Allowed { still: 0.3, wander: 80.0, wild: 200.0, floor: 8.0, floor_share: 0.2 },
        WaveKind::Pleth => Allowed { still: 0.0, wander: 0.0, wild: 0.0, floor: 0.0, floor_share: 0.12 },
        WaveKind::Respiration => Allowed { still: 0.0, wander: f32::INFINITY, wild: 0.0, floor: 0.0, floor_share: 0.25 },
        WaveKind::Other => Allowed { still: 0.0, wander: f32::INFINITY, wild: 0.0, floor: 0.0, floor_share: 0.5 },
    }
}

/// Values further from zero are of no channel.
const BEYOND: f32 = 1e9;

/// How much of the index a fault takes: nothing below `from`, all at `to`.
fn share(value: f32, from: f32, to: f32) -> f32 {
    if to > from { ((value - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 }
}

impl Memory {
    /// Index and reason of a second. What oscillates as in fibrillation is not noise for being always there.
    pub(super) fn judge(&mut self, kind: WaveKind, sums: &Sums, oscillates: bool) -> (u8, Option<Reason>) {
        let allowed = allowed(kind);
        let total = (sums.count + sums.missing).max(1) as f32;
        let missing = sums.missing as f32 / total;
        if missing > 0.5 {
            self.still = 0;
            return (0, Some(Reason::LeadOff));
        }
        let range = sums.range();
        if !(sums.low > -BEYOND && sums.high < BEYOND) {
            // Nothing is learned from values that no unit explains.
            return (0, Some(Reason::Noise));
        }
        if let Some(reason) = self.stands_still(kind, &allowed, sums) {
            // Of a wave of unknown shape (a capnogram) seconds without movement and steps are a part.
            let part = kind == WaveKind::Other && self.still < STILL_FOR;
            return if part { (100, None) } else { (0, Some(reason)) };
        }
        if kind == WaveKind::Other {
            let index = (100.0 * (1.0 - missing) + 0.5) as u8;
            return (index, (index < 80).then_some(Reason::LeadOff));
        }
        let wander = self.wander(sums.level);
        let at_rail = self.at_rail(sums);
        let usual = if self.usual > 0.0 { self.usual } else { range };
        let limit = |absolute: f32, ranges: f32| if absolute > 0.0 { absolute } else { ranges * usual };

        let tone = f32::max(sums.mains[0], sums.mains[1]);
        let tonal = tone * tone > sums.floor * sums.floor;
        let noise = if oscillates { 0.0 } else { noise(kind, &allowed, sums) };
        let contact = if kind == WaveKind::Ecg { self.contact(sums, range > 1.8 * usual) } else { (0.0, Reason::Motion) };
        let faults = [
            (share(missing, 0.0, 0.6), Reason::LeadOff),
            (share(at_rail, 0.01, 0.2), Reason::Clipped),
            (motion(sums, range, usual, limit(allowed.wild, 4.0)), Reason::Motion),
            (share(wander, 0.2 * limit(allowed.wander, 3.0), 1.6 * limit(allowed.wander, 3.0)), Reason::BaselineWander),
            (noise, if tonal { Reason::Mains } else { Reason::Noise }),
            contact,
        ];
        let (fault, reason) = faults.into_iter().fold((0.0, Reason::Noise), |worst, f| if f.0 > worst.0 { f } else { worst });
        let index = (100.0 * (1.0 - fault) + 0.5) as u8;
        if index >= BELIEVABLE && range > 0.0 {
            // Follows in about ten seconds, and at once at the start.
            self.usual = if self.usual > 0.0 { self.usual + 0.1 * (range - self.usual) } else { range };
        } else if range > self.usual {
            // What comes back after an arrest, or began between two breaths, is not movement for ever: believed in half
            // a minute, whatever it was before.
            self.usual = range.min(1.12 * self.usual);
        }
        if allowed.wild > 0.0 {
            // However wild it was, what comes back is no flat line beside it.
            self.usual = self.usual.min(3.0 * allowed.wild);
        }
        (index, (index < 80).then_some(reason))
    }

    /// An electrode that comes and goes: jumps that no QRS complex makes, and lines at rest between them. Complexes of the
    /// ventricles are wide, and jump less than usual ones.
    fn contact(&mut self, sums: &Sums, wide: bool) -> (f32, Reason) {
        const LEAST_JUMP_MV: f32 = 0.25;
        let run = sums.longest_run as f32 / sums.count.max(1) as f32;
        let (usual_jump, usual_run) = (self.usual_jump, self.usual_run);
        let leap = if usual_jump > 0.0 && sums.jump > LEAST_JUMP_MV { share(sums.jump / usual_jump, 2.5, 6.0) } else { 0.0 };
        let rest = if usual_run < 0.06 { share(run, if wide { 0.05 } else { 0.15 }, if wide { 0.2 } else { 0.5 }) } else { 0.0 };
        // A pacemaker's spikes that begin become usual within two minutes.
        let follow = if leap.max(rest) > 0.0 { 0.01 } else { 0.1 };
        self.usual_jump = if usual_jump > 0.0 { usual_jump + follow * (sums.jump - usual_jump) } else { sums.jump };
        self.usual_jump = self.usual_jump.min(2.0);
        self.usual_run += follow * (run - usual_run);
        if rest > leap { (rest, if wide { Reason::Clipped } else { Reason::Flat }) } else { (leap, Reason::Motion) }
    }

    /// A second without movement: flat, or off where it stands at the end of the range.
    fn stands_still(&mut self, kind: WaveKind, allowed: &Allowed, sums: &Sums) -> Option<Reason> {
        let range = sums.range();
        let equal = sums.equal as f32 / sums.count.max(1) as f32;
        let share_of_usual = if kind == WaveKind::Other { 0.0 } else { 0.002 * self.usual };
        let still = range <= allowed.still.max(share_of_usual) || equal > 0.97;
        if !still {
            self.still = 0;
            return None;
        }
        self.still = self.still.saturating_add(1);
        let (low, high) = self.rails.unwrap_or((sums.low, sums.high));
        let wide = high - low > 4.0 * self.usual.max(allowed.still);
        let outside = sums.low <= low + 0.002 * (high - low) || sums.high >= high - 0.002 * (high - low);
        self.widen(sums);
        Some(if wide && outside && self.usual > 0.0 { Reason::LeadOff } else { Reason::Flat })
    }

    /// Greatest distance between the baselines of the last four seconds, this one included.
    fn wander(&mut self, level: f32) -> f32 {
        self.levels.rotate_left(1);
        self.levels[3] = level;
        self.known = (self.known + 1).min(4);
        let seen = &self.levels[4 - usize::from(self.known)..];
        let low = seen.iter().copied().fold(f32::MAX, f32::min);
        let high = seen.iter().copied().fold(f32::MIN, f32::max);
        high - low
    }

    /// Share of the second's samples that stand at an end of the range.
    fn at_rail(&mut self, sums: &Sums) -> f32 {
        self.widen(sums);
        let Some((low, high)) = self.rails else { return 0.0 };
        let near = 0.002 * (high - low);
        let range = sums.range();
        let mut stuck = 0;
        for (side, run) in sums.stuck.iter().enumerate() {
            let end = if side == 0 { run.value <= low + near } else { run.value >= high - near };
            // A signal comes to a rail in one go, or from far away; the quiet line between complexes is reached softly.
            let abrupt = run.step > 0.02 * range || (self.usual > 0.0 && range > 2.0 * self.usual);
            if run.samples > 0 && end && abrupt {
                stuck += run.samples;
            }
        }
        stuck as f32 / sums.count.max(1) as f32
    }

    /// Widens the known range by this second, and lets it close by a thousandth.
    fn widen(&mut self, sums: &Sums) {
        let (low, high) = self.rails.unwrap_or((sums.low, sums.high));
        let close = 0.0005 * (high - low);
        self.rails = Some(((low + close).min(sums.low), (high - close).max(sums.high)));
    }
}

/// What lies between the beats: as a share of the beats in an electrocardiogram, whose complexes rise out of it, else of
/// the range. A faint hum in a quiet lead is no noise.
fn noise(kind: WaveKind, allowed: &Allowed, sums: &Sums) -> f32 {
    let relative = if kind == WaveKind::Ecg {
        let share_of_beats = if sums.loud > 0.0 { sums.floor / sums.loud } else { 0.0 };
        share(share_of_beats, 0.12, 0.42) * share(sums.floor, 0.008, 0.03)
    } else if sums.range() > 0.0 {
        share(sums.floor / sums.range(), 0.4 * allowed.floor_share, 2.0 * allowed.floor_share)
    } else {
        0.0
    };
    if allowed.floor > 0.0 { relative.max(share(sums.floor, 0.3 * allowed.floor, 1.7 * allowed.floor)) } else { relative }
}

/// Steps and swings that no heart makes.
fn motion(sums: &Sums, range: f32, usual: f32, wild: f32) -> f32 {
    let swing = share(range, 0.6 * wild, 1.4 * wild);
    let leap = share(sums.step, 0.3 * wild, 0.9 * wild);
    let unusual = share(range, 3.0 * usual, 9.0 * usual);
    swing.max(leap).max(unusual)
}
