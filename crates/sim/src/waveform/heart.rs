//! When the heart beats and the chest moves: beats and breaths one after the other, from a seed.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use super::Rhythm;
use crate::random::Random;

/// Where a beat came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeatKind {
    /// From the sinus node.
    Sinus,
    /// From the atria in fibrillation: narrow, without P wave.
    Fibrillating,
    /// An early one from the atria.
    Supraventricular,
    /// From a ventricle.
    Ventricular,
    /// Set off by a pacemaker.
    Paced,
}

/// One heartbeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// Its R peak, s.
    pub time_s: f64,
    /// The interval before it, s.
    pub rr_s: f64,
    /// Where it came from.
    pub kind: BeatKind,
    /// Its stroke as a fraction of the usual one; 0 is not felt at the wrist.
    pub strength: f64,
}

/// One breath, from the beginning of inspiration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breath {
    /// Its beginning, s.
    pub time_s: f64,
    /// How long it takes, s.
    pub period_s: f64,
    /// Its depth as a fraction of the usual one.
    pub depth: f64,
}

/// Early beats, a minute.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ectopy {
    /// From a ventricle.
    pub ventricular_per_min: f64,
    /// From the atria.
    pub supraventricular_per_min: f64,
}

/// How fast and how it beats and breathes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// What drives the heart.
    pub rhythm: Rhythm,
    /// Beats a minute, on average.
    pub heart_rate: f64,
    /// Breaths a minute; below 1 none.
    pub resp_rate: f64,
    /// How much breathing changes the interval between beats: 0.03 at rest in middle age.
    pub sinus_arrhythmia: f64,
    /// Early beats.
    pub ectopy: Ectopy,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rhythm: Rhythm::Sinus,
            heart_rate: 72.0,
            resp_rate: 15.0,
            sinus_arrhythmia: 0.03,
            ectopy: Ectopy::default(),
        }
    }
}

/// Fraction of beats in atrial fibrillation that come too early to be felt: one in eight, as
/// [`crate::body::Vitals::pulse_rate`] has it.
const TOO_EARLY: f64 = 0.72;
/// A pause comes once in so many beats, and lasts so many intervals.
const PAUSE: (u32, f64) = (24, 4.2);

/// A heart and a chest.
#[derive(Debug, Clone)]
pub struct Heart {
    random: Random,
    last_s: f64,
    /// Multiplies the next interval: the pause after an early beat.
    owed: f64,
    beats: u32,
    breath: Breath,
}

impl Heart {
    /// At rest at second 0.
    #[must_use]
    pub const fn new(random: Random) -> Self {
        let breath = Breath { time_s: 0.0, period_s: 4.0, depth: 1.0 };
        Self { random, last_s: 0.0, owed: 1.0, beats: 0, breath }
    }

    /// Beats and breathes until both have happened at or after second `until_s`.
    pub fn live(
        &mut self,
        until_s: f64,
        pace: &Pace,
        beats: &mut VecDeque<Beat>,
        breaths: &mut VecDeque<Breath>,
    ) {
        while self.breath.time_s < until_s {
            self.breathe(pace);
            breaths.push_back(self.breath);
        }
        if !pace.rhythm.has_output() {
            self.last_s = self.last_s.max(until_s);
            self.owed = 1.0;
            return;
        }
        while self.last_s < until_s {
            beats.push_back(self.beat(pace));
        }
    }

    fn breathe(&mut self, pace: &Pace) {
        let time_s = self.breath.time_s + self.breath.period_s;
        let period_s = 60.0 / pace.resp_rate.max(2.0) * (1.0 + 0.06 * self.random.normal()).max(0.7);
        // Apnoea: time passes in steps that move nothing.
        self.breath = if pace.resp_rate < 1.0 {
            Breath { time_s, period_s: 1.0, depth: 0.0 }
        } else {
            Breath { time_s, period_s, depth: (1.0 + 0.08 * self.random.normal()).max(0.4) }
        };
    }

    fn beat(&mut self, pace: &Pace) -> Beat {
        self.beats += 1;
        let usual = 60.0 / pace.heart_rate.clamp(15.0, 300.0);
        let (rr_s, kind, strength) = match pace.rhythm {
            Rhythm::AtrialFibrillation => self.fibrillating(usual),
            Rhythm::Paced => (usual, BeatKind::Paced, 0.95),
            Rhythm::VentricularTachycardia => {
                (usual * (1.0 + 0.01 * self.random.normal()), BeatKind::Ventricular, 0.5)
            }
            Rhythm::Bigeminy if self.beats.is_multiple_of(2) => self.early(usual, 0.62, BeatKind::Ventricular),
            Rhythm::Pauses if self.beats.is_multiple_of(PAUSE.0) => (usual * PAUSE.1, BeatKind::Sinus, 1.15),
            _ => self.sinus(usual, pace),
        };
        self.last_s += rr_s;
        Beat { time_s: self.last_s, rr_s, kind, strength }
    }

    fn fibrillating(&mut self, usual: f64) -> (f64, BeatKind, f64) {
        let part = (1.0 + 0.24 * self.random.normal()).clamp(0.5, 1.9);
        let strength =
            if part < TOO_EARLY { 0.0 } else { (0.35 + 0.65 * (part - TOO_EARLY) / 0.28).min(1.15) };
        (usual * part, BeatKind::Fibrillating, strength)
    }

    fn sinus(&mut self, usual: f64, pace: &Pace) -> (f64, BeatKind, f64) {
        let chance = |per_min: f64| per_min * usual / 60.0;
        if self.owed == 1.0 && self.random.chance(chance(pace.ectopy.ventricular_per_min)) {
            return self.early(usual, 0.6, BeatKind::Ventricular);
        }
        if self.owed == 1.0 && self.random.chance(chance(pace.ectopy.supraventricular_per_min)) {
            // The sinus node is reset: no full pause follows.
            return (usual * 0.7, BeatKind::Supraventricular, 0.6);
        }
        let owed = std::mem::replace(&mut self.owed, 1.0);
        let phase = (self.last_s - self.breath.time_s) / self.breath.period_s;
        let breathing = 1.0 - pace.sinus_arrhythmia * (TAU * phase).sin();
        let rr_s = usual * owed * breathing * (1.0 + 0.012 * self.random.normal());
        (rr_s, BeatKind::Sinus, if owed > 1.0 { 1.12 } else { 1.0 })
    }

    /// An early beat, after which the next comes when it would have come without it.
    fn early(&mut self, usual: f64, part: f64, kind: BeatKind) -> (f64, BeatKind, f64) {
        self.owed = 2.0 - part;
        (usual * part, kind, 0.45)
    }
}
