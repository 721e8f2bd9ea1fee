//! The sums over one second of one channel, kept sample by sample.

use serde::{Deserialize, Serialize};

use crate::filter::Biquad;
use crate::shape::WaveKind;

/// Two resonators that measure the mains' two frequencies (Goertzel, Am. Math. Monthly 1958;65:34).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Tone {
    /// 2 cos(2πf/rate); 0 with `on` false where the rate is too low for it.
    turn: f32,
    on: bool,
    last: f32,
    before: f32,
}

impl Tone {
    fn new(hz: f32, rate: f32) -> Self {
        let on = rate > 2.05 * hz;
        let turn = if on { 2.0 * libm::cosf(core::f32::consts::TAU * hz / rate) } else { 0.0 };
        Tone { turn, on, last: 0.0, before: 0.0 }
    }

    /// Amplitude over `count` samples; begins anew.
    fn finish(&mut self, count: u32) -> f32 {
        let power = self.last * self.last + self.before * self.before - self.turn * self.last * self.before;
        (self.last, self.before) = (0.0, 0.0);
        if !self.on || count == 0 {
            return 0.0;
        }
        2.0 * power.max(0.0).sqrt() / count as f32
    }
}

/// The sums of the second under way, and the filters that feed them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Second {
    high_pass: Option<Biquad>,
    tones: [Tone; 2],
    // Set once a stretch.
    origin: f32,
    begun: bool,
    shortest_run: u32,
    // The sample before, and the run of equal samples that it ends.
    last: f32,
    run: u32,
    entry: f32,
    // Sums of the second.
    count: u32,
    missing: u32,
    low: f32,
    high: f32,
    equal: u32,
    stuck: [Stuck; 2],
    longest_run: u32,
    jump: f32,
    energy: f32,
    eighth_count: u32,
    eighth_sum: f32,
    eighth_energy: f32,
    levels: [f32; 8],
    energies: [f32; 8],
    closed: u8,
}

/// The most extreme run of equal samples on one side.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Stuck {
    /// The value at which it stands.
    pub value: f32,
    /// Samples in such runs.
    pub samples: u32,
    /// The greatest step that led into one.
    pub step: f32,
}

/// What a finished second was like. Values are in the channel's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    /// Samples with a value, and without.
    pub count: u32,
    pub missing: u32,
    pub low: f32,
    pub high: f32,
    /// Samples equal to the one before.
    pub equal: u32,
    /// Runs of equal samples at the smallest and the greatest value.
    pub stuck: [Stuck; 2],
    /// Samples of the longest run of equal ones, if it is longer than 20 ms.
    pub longest_run: u32,
    /// Greatest difference of two samples in a row.
    pub jump: f32,
    /// Root mean square above the high-pass, of the whole second.
    pub fast: f32,
    /// The same of its second-quietest eighth: what lies between the beats.
    pub floor: f32,
    /// The same of its loudest eighth: the beats.
    pub loud: f32,
    /// Amplitudes at 50 and 60 Hz.
    pub mains: [f32; 2],
    /// Middle of the eighths' means: the baseline.
    pub level: f32,
    /// Greatest change from one eighth's mean to the next.
    pub step: f32,
}

impl Sums {
    pub(super) fn range(&self) -> f32 {
        if self.count == 0 { 0.0 } else { self.high - self.low }
    }
}

/// Corner of the high-pass, above what the kind of signal is made of.
fn corner_hz(kind: WaveKind, rate: f32) -> f32 {
    let wanted = match kind {
        WaveKind::Ecg => 12.0,
        WaveKind::Pleth | WaveKind::ArterialPressure => 15.0,
        WaveKind::Respiration => 5.0,
        WaveKind::Other => 30.0,
    };
    f32::min(wanted, 0.3 * rate)
}

impl Second {
    /// Begins a stretch.
    pub(super) fn begin(&mut self, kind: WaveKind, rate: f32) {
        let corner = f64::from(corner_hz(kind, rate));
        *self = Second {
            high_pass: Some(Biquad::high_pass(corner, core::f64::consts::FRAC_1_SQRT_2, f64::from(rate))),
            tones: match kind {
                WaveKind::Ecg => [Tone::new(50.0, rate), Tone::new(60.0, rate)],
                _ => [Tone::default(); 2],
            },
            shortest_run: ((0.02 * rate) as u32).max(3),
            ..Second::default()
        };
    }

    /// Samples taken in the second under way, missing ones included.
    pub(super) fn samples(&self) -> u32 {
        self.count + self.missing
    }

    /// Counts samples that never came.
    pub(super) fn lack(&mut self, samples: u32) {
        self.missing = self.missing.saturating_add(samples);
        self.close_eighth();
    }

    /// Takes a sample; whether it has a value.
    #[inline]
    pub(super) fn take(&mut self, value: f32) -> bool {
        if !value.is_finite() {
            self.missing += 1;
            self.run = 0;
            return false;
        }
        if !self.begun {
            (self.begun, self.origin, self.last) = (true, value, value);
        }
        if self.count == 0 {
            (self.low, self.high) = (value, value);
        }
        self.count += 1;
        self.low = if value < self.low { value } else { self.low };
        self.high = if value > self.high { value } else { self.high };
        let step = value - self.last;
        self.last = value;
        self.jump = self.jump.max(step.abs());
        if step == 0.0 {
            self.equal += 1;
            self.run += 1;
            if self.run >= self.shortest_run {
                self.stands(value);
            }
        } else {
            self.run = 0;
            self.entry = step.abs();
        }
        // The level is taken from the stretch's first value, which keeps the filter's start quiet.
        let input = value - self.origin;
        let fast = self.high_pass.as_mut().map_or(0.0, |filter| filter.step(input));
        self.eighth_energy += fast * fast;
        self.eighth_sum += input;
        self.eighth_count += 1;
        for tone in &mut self.tones {
            let next = fast + tone.turn * tone.last - tone.before;
            tone.before = tone.last;
            tone.last = next;
        }
        true
    }

    /// A run of equal samples goes on at `value`: kept if none stands further out.
    #[cold]
    fn stands(&mut self, value: f32) {
        self.longest_run = self.longest_run.max(self.run);
        for (side, stuck) in self.stuck.iter_mut().enumerate() {
            let outer = if side == 0 { value < stuck.value } else { value > stuck.value };
            if stuck.samples == 0 || outer {
                *stuck = Stuck { value, samples: self.run, step: self.entry };
            } else if stuck.value == value {
                stuck.samples += 1;
                stuck.step = stuck.step.max(self.entry);
            }
        }
    }

    /// An eighth of a second has ended.
    pub(super) fn close_eighth(&mut self) {
        let at = usize::from(self.closed.min(7));
        let count = self.eighth_count.max(1) as f32;
        let empty = self.eighth_count == 0;
        self.levels[at] = if empty && at > 0 { self.levels[at - 1] } else { self.eighth_sum / count };
        self.energies[at] = if empty { f32::MAX } else { self.eighth_energy / count };
        self.energy += self.eighth_energy;
        (self.eighth_count, self.eighth_sum, self.eighth_energy) = (0, 0.0, 0.0);
        self.closed = (self.closed + 1).min(8);
    }

    /// The second has ended: what it was like. Begins the next.
    pub(super) fn finish(&mut self) -> Sums {
        let closed = usize::from(self.closed);
        let mut levels = self.levels;
        let step = levels[..closed].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        levels[..closed].sort_by(f32::total_cmp);
        let mut energies = self.energies;
        energies[..closed].sort_by(f32::total_cmp);
        let quiet = energies[..closed].get(1).or(energies.first()).copied().unwrap_or(0.0);
        let loud = energies[..closed].iter().rev().find(|e| **e < f32::MAX).copied().unwrap_or(0.0);
        let sums = Sums {
            loud: loud.sqrt(),
            count: self.count,
            missing: self.missing,
            low: self.low,
            high: self.high,
            equal: self.equal,
            stuck: self.stuck,
            longest_run: self.longest_run,
            jump: self.jump,
            fast: (self.energy / self.count.max(1) as f32).sqrt(),
            floor: if quiet < f32::MAX { quiet.sqrt() } else { 0.0 },
            mains: [self.tones[0].finish(self.count), self.tones[1].finish(self.count)],
            level: self.origin + levels[closed / 2 % 8],
            step,
        };
        (self.count, self.missing, self.equal, self.energy, self.closed) = (0, 0, 0, 0.0, 0);
        self.stuck = [Stuck::default(); 2];
        (self.longest_run, self.jump) = (0, 0.0);
        // Values beyond any sense (or a filter driven there) must not stay in the state.
        if !(sums.fast < 1e15 && sums.level.abs() < 1e15) {
            self.begun = false;
            if let Some(filter) = &mut self.high_pass {
                filter.settle(0.0);
            }
        }
        sums
    }
}
