//! Pulses on their way: a foot, a rise, a notch, and a run-off that the next pulse ends.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// A pulse to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pulse {
    /// When it arrives, s.
    pub(super) foot_s: f64,
    /// Its peak.
    pub(super) peak: f64,
    /// What it runs off to, should none follow.
    pub(super) rest: f64,
    /// Time constant of the run-off, s.
    pub(super) tau_s: f64,
    /// From the foot to the peak, s.
    pub(super) rise_s: f64,
    /// Depth of the dicrotic notch and height of the wave behind it, in the unit of the peak.
    pub(super) notch: f64,
    /// From the foot to the notch, s.
    pub(super) notch_s: f64,
}

impl Pulse {
    /// A pulse between `low` and `high` that comes every `interval_s` and is back at `low` then.
    pub(super) fn between(low: f64, high: f64, rest: f64, interval_s: f64, rise_s: f64) -> Self {
        let rise_s = rise_s.min(0.4 * interval_s);
        let fall = ((high - rest).max(1e-6) / (low - rest).max(1e-6)).ln().max(0.05);
        Self {
            foot_s: 0.0,
            peak: high,
            rest,
            tau_s: (interval_s - rise_s).max(0.05) / fall,
            rise_s,
            notch: 0.09 * (high - low),
            notch_s: 0.33 * interval_s.clamp(0.3, 1.3).sqrt(),
        }
    }
}

/// An artery with the pulses in it.
#[derive(Debug, Clone)]
pub(super) struct Artery {
    now: Pulse,
    from: f64,
    coming: VecDeque<Pulse>,
}

impl Artery {
    /// At rest at a level.
    pub(super) const fn new(level: f64) -> Self {
        let now = Pulse { foot_s: 0.0, peak: level, rest: level, tau_s: 1.0, rise_s: 0.1, notch: 0.0, notch_s: 0.3 };
        Self { now, from: level, coming: VecDeque::new() }
    }

    /// A pulse sets out.
    pub(super) fn push(&mut self, pulse: Pulse) {
        self.coming.push_back(pulse);
    }

    /// Where an unfed artery runs off to.
    pub(super) fn rest_at(&mut self, rest: f64) {
        self.now.rest += 0.3 * (rest - self.now.rest);
    }

    /// The level at `t_s`; times must not go back.
    pub(super) fn at(&mut self, t_s: f64) -> f64 {
        while let Some(next) = self.coming.front().copied() {
            if next.foot_s > t_s {
                break;
            }
            self.from = self.level(next.foot_s);
            self.now = Pulse { peak: next.peak.max(self.from), ..next };
            self.coming.pop_front();
        }
        self.level(t_s)
    }

    fn level(&self, t_s: f64) -> f64 {
        let p = &self.now;
        let u = t_s - p.foot_s;
        if u < p.rise_s {
            return self.from + (p.peak - self.from) * 0.5 * (1.0 - (PI * (u / p.rise_s).max(0.0)).cos());
        }
        let run_off = p.rest + (p.peak - p.rest) * (-(u - p.rise_s) / p.tau_s).exp();
        let bump = |centre: f64, width: f64| {
            let z = (u - centre) / width;
            if z.abs() > 4.0 { 0.0 } else { (-0.5 * z * z).exp() }
        };
        run_off - p.notch * bump(p.notch_s, 0.016) + 0.6 * p.notch * bump(p.notch_s + 0.06, 0.035)
    }
}
