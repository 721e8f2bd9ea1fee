//! How one value moves.

use serde::{Deserialize, Serialize};

/// Pairs of neighbouring values before a track is known.
const KNOWN_AFTER: u16 = 200;
/// Values further apart than this are no neighbours, milliseconds.
pub(super) const NEIGHBOURS_MS: u32 = 90_000;

/// One metric and channel of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Track {
    /// Hash of metric and channel; 0: not in use.
    pub(super) key: u32,
    last: f32,
    at_ms: u32,
    /// Mean of the differences between neighbours.
    step: f32,
    /// Mean length of runs of the same value, seconds, and the longest, which fades.
    run_s: f32,
    longest_s: f32,
    run_since_ms: u32,
    /// Mean time between neighbours, seconds.
    gap_s: f32,
    pairs: u16,
    runs: u16,
}

/// What a value was like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    /// The first, or much later than the one before.
    Fresh,
    /// As usual, and whether it differs from the one before.
    Usual(bool),
    /// Further than values of this device ever go from one to the next: usual step, and this one.
    Jump(f32, f32),
    /// The same for too long: usual and present length, seconds.
    Stuck(f32, f32),
}

impl Track {
    pub(super) fn new(key: u32) -> Self {
        Self { key, ..Self::default() }
    }

    /// Takes a value in; `at_ms` counts from when the habit began.
    pub(super) fn take(&mut self, value: f32, at_ms: u32) -> Move {
        let gap_ms = at_ms.saturating_sub(self.at_ms);
        let (last, first) = (self.last, self.pairs == 0 && self.runs == 0 && self.at_ms == 0);
        self.last = value;
        self.at_ms = at_ms.max(1);
        if first || gap_ms > NEIGHBOURS_MS {
            self.run_since_ms = at_ms;
            return Move::Fresh;
        }
        self.gap_s += (gap_ms as f32 / 1e3 - self.gap_s) / f32::from(self.pairs.clamp(1, 64));
        let difference = (value - last).abs();
        if difference == 0.0 {
            self.learn_step(0.0);
            return self.stands(at_ms);
        }
        let run_s = at_ms.saturating_sub(self.run_since_ms) as f32 / 1e3;
        self.run_since_ms = at_ms;
        self.runs = self.runs.saturating_add(1);
        self.run_s += (run_s - self.run_s) / f32::from(self.runs.min(32));
        self.longest_s = run_s.max(self.longest_s * 0.995);
        // A third of the value, and far beyond all differences so far.
        let far = 15.0 * self.step + 0.33 * value.abs().max(last.abs());
        // To nought and back: the sensor is off, which is nothing strange.
        let lost = value == 0.0 || last == 0.0;
        if self.pairs >= KNOWN_AFTER && difference > far && !lost {
            return Move::Jump(self.step, difference);
        }
        self.learn_step(difference);
        Move::Usual(true)
    }

    fn stands(&self, at_ms: u32) -> Move {
        let run_s = at_ms.saturating_sub(self.run_since_ms) as f32 / 1e3;
        let long = run_s > 900.0 && run_s > 30.0 * self.run_s && run_s > 4.0 * self.longest_s;
        if self.runs >= 40 && self.pairs >= KNOWN_AFTER && long {
            Move::Stuck(self.run_s, run_s)
        } else {
            Move::Usual(false)
        }
    }

    fn learn_step(&mut self, difference: f32) {
        self.pairs = self.pairs.saturating_add(1);
        self.step += (difference - self.step) / f32::from(self.pairs.min(256));
    }

    /// Whether it usually changes within seconds, or with nearly every value: what is set by hand, or stands at its limit, does not.
    pub(super) fn is_lively(&self) -> bool {
        self.runs >= LIVELY_RUNS && self.run_s <= LIVELY_S.max(3.0 * self.gap_s)
    }

    /// When the last value came, milliseconds since the habit began.
    pub(super) fn at_ms(&self) -> u32 {
        self.at_ms
    }
}

/// Runs of the same value after which it is known whether a value is lively, and their usual length,
/// seconds.
const LIVELY_RUNS: u16 = 20;
const LIVELY_S: f32 = 20.0;
/// Lively values that have to stand still together.
const LIVELY_MIN: u8 = 2;
/// Changes of any value before it is known how long none changes.
const STILL_KNOWN_AFTER: u16 = 200;
/// Nothing is said of a shorter standstill, seconds.
const STILL_MIN_S: f32 = 120.0;

/// How long a device goes on without any of its lively values changing. One value may well stand still, as
/// the saturation of the healthy does; a monitor all of whose values do has hung, or is replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Stillness {
    at_ms: u32,
    since_ms: u32,
    /// Mean time between changes, seconds, and the longest, which fades.
    mean_s: f32,
    longest_s: f32,
    changes: u16,
}

impl Stillness {
    /// Takes in how many lively values are in a message and whether one of them changed; the usual and the
    /// present standstill in seconds when it is far beyond what this device ever did. Once no two lively
    /// values come any more, as when a sensor is off, it begins anew.
    pub(super) fn take(&mut self, lively: u8, changed: bool, at_ms: u32) -> Option<(f32, f32)> {
        let gap_ms = at_ms.saturating_sub(self.at_ms);
        let first = self.at_ms == 0;
        self.at_ms = at_ms.max(1);
        if first || gap_ms > NEIGHBOURS_MS || lively < LIVELY_MIN {
            self.since_ms = at_ms;
            return None;
        }
        let still_s = at_ms.saturating_sub(self.since_ms) as f32 / 1e3;
        if changed {
            self.since_ms = at_ms;
            self.changes = self.changes.saturating_add(1);
            self.mean_s += (still_s - self.mean_s) / f32::from(self.changes.min(256));
            self.longest_s = still_s.max(self.longest_s * 0.9995);
            return None;
        }
        let far = still_s > STILL_MIN_S && still_s > 20.0 * self.mean_s && still_s > 4.0 * self.longest_s;
        (far && self.changes >= STILL_KNOWN_AFTER).then_some((self.mean_s, still_s))
    }
}
