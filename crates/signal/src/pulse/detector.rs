//! From the slope sum to pulses: adaptive threshold, foot and peak.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use super::slope::{Slope, Taken};

/// The threshold that the first seconds teach: three times the mean of the slope sum (Zong).
const FIRST_MEANS: f32 = 3.0;
/// The hump has only begun while the slope sum is under this share of the threshold.
const RESTING: f32 = 0.12;
/// How fast the mean hump follows a new one.
const FOLLOW: f32 = 0.2;
/// The first so many seconds only teach the threshold.
const LEARN_S: f32 = 2.5;
/// Of the highest hump of that time, so much is taken as the usual one.
const LEARNED: f32 = 0.8;
/// No two pulses lie closer than this, seconds: 240 a minute.
const REFRACTORY_S: f32 = 0.24;
/// Without a pulse for so long the threshold begins to fall (Zong: 2.5 s).
const PATIENCE_S: f32 = 2.5;
/// The peak is past when the signal has fallen from it by this share of the rise.
const FALLEN: f32 = 0.12;
/// The peak is looked for no longer than this, seconds.
const PEAK_S: f32 = 0.55;
/// A beat longer than this has no mean and no interval, seconds.
const BEAT_MAX_S: f32 = 4.0;
/// What the pulse is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PulseKind {
    /// The pleth: blood volume, any unit.
    Volume,
    /// Arterial pressure, mmHg.
    Pressure,
}

impl PulseKind {
    /// Window of the slope sum, seconds: about the length of an upstroke.
    fn window_s(self) -> f32 {
        match self {
            PulseKind::Pressure => 0.128,
            PulseKind::Volume => 0.17,
        }
    }

    /// The threshold, as a share of the mean hump. Zong has 60%; breathing makes single pulses, of
    /// the pleth above all, lower than that.
    fn threshold(self) -> f32 {
        match self {
            PulseKind::Pressure => 0.5,
            PulseKind::Volume => 0.42,
        }
    }

    /// A hump below this is no pulse. The unit of a pleth is any, so it has no such limit.
    fn hump_min(self) -> f32 {
        match self {
            PulseKind::Pressure => 4.0,
            PulseKind::Volume => 1e-6,
        }
    }
}

/// One pulse, in times before the newest sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// The foot lies so many microseconds before the newest sample.
    pub foot_ago_us: i64,
    /// The peak lies so many microseconds before the newest sample.
    pub peak_ago_us: i64,
    /// From the foot of the pulse before to this one's, milliseconds; none after a break.
    pub interval_ms: Option<f32>,
    /// Level of the foot: the diastolic pressure.
    pub foot: f32,
    /// Level of the peak: the systolic pressure.
    pub peak: f32,
    /// Integral over the beat that ended at this foot, divided by its length.
    pub mean_before: Option<f32>,
    /// The path that the signal went since the last pulse, over twice the height of this one: 1 is
    /// a single clean wave, noise makes it long.
    pub roughness: f32,
    /// From the trough to the peak, milliseconds.
    pub rise_ms: f32,
    /// The steepest rise, in heights of this pulse a second: an artery needs some hundredths of a
    /// second to fill.
    pub steepness: f32,
}

/// What is being followed of the rise that may become a pulse.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Rise {
    /// Inner sample of the trough, and its level.
    trough_at: u64,
    trough: f32,
    /// Steepest step since the trough, the inner sample after it, and the level in its middle.
    slope: f32,
    slope_at: u64,
    slope_level: f32,
    /// Sum and number of the samples of the beat before, up to the trough.
    sum: f32,
    count: u32,
}

/// A rise whose slope sum has passed the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Climb {
    crossed_at: u64,
    peak_at: u64,
    peak: f32,
    hump: f32,
}

/// A streaming pulse detector for one channel, of 25 samples a second or more.
///
/// Takes samples one by one and gives each pulse when its peak is past, 0.1 to 0.3 s after it. The
/// delays of averaging and smoothing are taken off the times that it gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    kind: PulseKind,
    slope: Slope,
    /// Inner samples taken, ever.
    taken: u64,
    /// The newest level.
    level: f32,
    /// Inner samples learned from, and what they taught.
    learned: u32,
    learned_sum: f32,
    /// The mean hump.
    hump: f32,
    rise: Rise,
    climb: Option<Climb>,
    /// Whether the slope sum has been below the threshold since the last pulse.
    armed: bool,
    accepted_at: u64,
    /// The foot of the last pulse: inner sample, and what is to be added to it.
    foot_at: Option<(u64, f32)>,
    path: f32,
    sum: f32,
    count: u32,
}

impl Detector {
    /// A detector for a channel of this rate.
    #[must_use]
    pub fn new(kind: PulseKind, rate: Rate) -> Self {
        Self {
            kind,
            slope: Slope::new(rate, kind.window_s()),
            taken: 0,
            level: 0.0,
            learned: 0,
            learned_sum: 0.0,
            hump: 0.0,
            rise: Rise {
                trough_at: 0,
                trough: 0.0,
                slope: 0.0,
                slope_at: 0,
                slope_level: 0.0,
                sum: 0.0,
                count: 0,
            },
            climb: None,
            armed: false,
            accepted_at: 0,
            foot_at: None,
            path: 0.0,
            sum: 0.0,
            count: 0,
        }
    }

    /// Samples are missing before the next: nothing is concluded across the hole. What was learned
    /// of the height of the pulses stays.
    pub fn gap(&mut self) {
        self.slope.gap();
        self.over();
    }

    /// What was under way is over.
    fn over(&mut self) {
        self.climb = None;
        self.foot_at = None;
    }

    /// Takes one sample; NaN is a missing one. A pulse, if one has just been completed.
    pub fn sample(&mut self, value: f32) -> Option<Pulse> {
        match self.slope.take(value) {
            Taken::Kept => None,
            Taken::Missing => {
                self.over();
                None
            }
            Taken::First(level) => {
                self.taken += 1;
                self.begin(level);
                None
            }
            Taken::Inner(level, step, humps) => self.inner(level, step, humps),
        }
    }

    /// A stretch begins.
    fn begin(&mut self, level: f32) {
        self.level = level;
        (self.path, self.sum, self.count) = (0.0, level, 1);
        self.rise = self.new_rise();
        self.armed = true;
        self.accepted_at = self.taken;
    }

    fn inner(&mut self, level: f32, step: f32, humps: f32) -> Option<Pulse> {
        self.level = level;
        self.taken += 1;
        self.path += step.abs();
        self.sum += level;
        self.count += 1;
        if self.count as f32 > BEAT_MAX_S * self.slope.hz() {
            (self.sum, self.count, self.foot_at) = (0.0, 0, None);
            (self.rise.sum, self.rise.count) = (0.0, 0);
        }
        if !self.learn(humps) {
            return None;
        }
        let threshold = self.kind.threshold() * self.hump;
        self.follow_rise(step, humps, threshold);
        self.climb(humps, threshold)
    }

    /// Whether the threshold is known; the first seconds teach it (Zong: three times the mean).
    fn learn(&mut self, humps: f32) -> bool {
        let needed = LEARN_S * self.slope.hz();
        if (self.learned as f32) < needed {
            self.learned += 1;
            self.learned_sum += humps;
            self.hump = self.hump.max(humps);
            if self.learned as f32 >= needed {
                let mean = self.learned_sum / self.learned as f32;
                let learned = (LEARNED * self.hump).min(mean * FIRST_MEANS / self.kind.threshold());
                self.hump = learned.max(self.kind.hump_min());
                self.accepted_at = self.taken;
            }
            return false;
        }
        if (self.taken - self.accepted_at) as f32 > PATIENCE_S * self.slope.hz() {
            let kept = 1.0 - 0.7 / self.slope.hz();
            self.hump = (self.hump * kept).max(self.kind.hump_min());
        }
        true
    }

    /// Where the present rise began, and where it is steepest.
    fn follow_rise(&mut self, step: f32, humps: f32, threshold: f32) {
        let resting = humps <= RESTING * threshold && step <= 0.0;
        let at_rest = self.climb.is_none() && (resting || self.level <= self.rise.trough);
        if at_rest {
            self.rise = self.new_rise();
        } else if step > self.rise.slope {
            self.rise.slope = step;
            self.rise.slope_at = self.taken;
            self.rise.slope_level = self.level - step / 2.0;
        }
    }

    /// A rise that begins at the newest inner sample.
    fn new_rise(&self) -> Rise {
        let (at, level) = (self.taken, self.level);
        Rise {
            trough_at: at,
            trough: level,
            slope: 0.0,
            slope_at: at,
            slope_level: level,
            sum: self.sum,
            count: self.count,
        }
    }

    fn climb(&mut self, humps: f32, threshold: f32) -> Option<Pulse> {
        self.armed |= humps <= threshold;
        let Some(climb) = &mut self.climb else {
            let rested = (self.taken - self.accepted_at) as f32 >= REFRACTORY_S * self.slope.hz();
            if self.armed && rested && humps > threshold {
                let (at, peak) = (self.taken, self.level);
                self.climb = Some(Climb { crossed_at: at, peak_at: at, peak, hump: humps });
            }
            return None;
        };
        climb.hump = climb.hump.max(humps);
        if self.level > climb.peak {
            (climb.peak, climb.peak_at) = (self.level, self.taken);
        }
        let fallen = climb.peak - self.level > FALLEN * (climb.peak - self.rise.trough);
        let late = (self.taken - climb.crossed_at) as f32 > PEAK_S * self.slope.hz();
        let climb = *climb;
        (fallen || late).then(|| self.complete(climb))
    }

    fn complete(&mut self, climb: Climb) -> Pulse {
        let rise = self.rise;
        // The tangent of the steepest step, down to the level of the trough.
        let run = ((rise.slope_level - rise.trough) / rise.slope.max(f32::MIN_POSITIVE)).max(0.0) + 0.5;
        let back = run.min((rise.slope_at - rise.trough_at) as f32);
        let foot = (rise.slope_at, -back);
        let interval = self.foot_at.map(|(at, part)| (foot.0 - at) as f32 + (foot.1 - part));
        let height = (climb.peak - rise.trough).max(f32::MIN_POSITIVE);
        let pulse = Pulse {
            foot_ago_us: self.ago_us((self.taken - foot.0) as f32 - foot.1),
            peak_ago_us: self.ago_us((self.taken - climb.peak_at) as f32),
            interval_ms: interval.map(|samples| samples / self.slope.hz() * 1_000.0),
            foot: rise.trough,
            peak: climb.peak,
            mean_before: (self.foot_at.is_some() && rise.count > 0).then(|| rise.sum / rise.count as f32),
            roughness: (self.path / (2.0 * height)).min(1e6),
            steepness: (rise.slope * self.slope.hz() / height).min(1e6),
            rise_ms: (climb.peak_at - rise.trough_at) as f32 / self.slope.hz() * 1_000.0,
        };
        let hungry = (climb.crossed_at - self.accepted_at) as f32 > PATIENCE_S * self.slope.hz();
        self.hump = if hungry {
            climb.hump
        } else {
            self.hump + FOLLOW * (climb.hump.min(2.0 * self.hump) - self.hump)
        };
        self.foot_at = Some(foot);
        self.accepted_at = climb.crossed_at;
        self.sum -= rise.sum;
        self.count -= rise.count;
        self.path = 0.0;
        self.climb = None;
        self.armed = false;
        self.rise = self.new_rise();
        pulse
    }

    /// Inner samples before the newest, as microseconds before the newest sample taken.
    fn ago_us(&self, samples: f32) -> i64 {
        ((f64::from(samples) + self.slope.delay()) * 1e6 / f64::from(self.slope.hz())) as i64
    }
}
