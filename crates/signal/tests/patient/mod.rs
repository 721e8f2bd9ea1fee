//! A made-up patient whose heart beats when it is told to: electrocardiogram, arterial pressure,
//! pleth and respiration of the same beats and breaths, at any rate.
#![allow(dead_code)]

use signal::bedside::{Bedside, Finding};
use signal::{Block, WaveKind};
use vitals::Rate;

/// Systolic, diastolic (mmHg), and where the foot of the pulse follows the R peak (s).
pub const SYSTOLIC: f64 = 121.0;
pub const DIASTOLIC: f64 = 74.0;
pub const PRESSURE_DELAY: f64 = 0.18;
pub const PLETH_DELAY: f64 = 0.27;

/// When the heart beats and the chest breathes.
pub struct Patient {
    /// Times of the R peaks, seconds.
    pub beats: Vec<f64>,
    /// Times at which a pulse starts out, seconds; usually those of the beats.
    pub pulses: Vec<f64>,
    /// Breaths a minute.
    pub breaths: f64,
}

impl Patient {
    /// Beats every `rr` seconds, a little sooner while breathing in.
    pub fn steady(seconds: f64, rr: f64, breaths: f64) -> Self {
        let mut beats = Vec::new();
        let mut at = 0.4;
        while at < seconds {
            beats.push(at);
            at += rr * (1.0 + 0.03 * (at * breaths / 60.0 * std::f64::consts::TAU).sin());
        }
        Self { pulses: beats.clone(), beats, breaths }
    }

    fn breath(&self, t: f64) -> f64 {
        (t * self.breaths / 60.0 * std::f64::consts::TAU).sin()
    }

    /// Millivolts.
    pub fn ecg(&self, t: f64) -> f64 {
        let bump = |d: f64, height: f64, width: f64| height * (-d * d / (2.0 * width * width)).exp();
        let near = self.beats.partition_point(|beat| *beat < t - 0.6);
        let waves = self.beats[near..].iter().take_while(|beat| **beat < t + 0.4).map(|beat| {
            let d = t - beat;
            let qrs = bump(d, 1.1, 0.011) - bump(d + 0.025, 0.15, 0.008) - bump(d - 0.03, 0.25, 0.01);
            bump(d + 0.16, 0.12, 0.02) + qrs * (1.0 + 0.1 * self.breath(t)) + bump(d - 0.26, 0.25, 0.045)
        });
        // A little of the mains and of muscle, as no real lead is without.
        waves.sum::<f64>() + 0.01 * (t * 911.0).sin() + 0.008 * (t * 313.0 + (t * 77.0).sin()).sin()
    }

    /// The shape of a pulse `since` its foot, 0 to 1, above what is left of the one before.
    fn pulse(&self, t: f64, delay: f64, rise: f64, decay: f64) -> f64 {
        let last = self.pulses.partition_point(|pulse| pulse + delay <= t);
        let mut left = 0.0;
        for index in last.saturating_sub(3)..last {
            let since = t.min(self.pulses.get(index + 1).map_or(t, |next| next + delay)) - self.pulses[index] - delay;
            left = if since < rise {
                left + (1.0 - left) * (1.0 - (since / rise * std::f64::consts::PI).cos()) / 2.0
            } else {
                let d = since - rise - 0.28;
                (-(since - rise) / decay).exp() + 0.07 * (-d * d / 0.003).exp()
            };
        }
        left
    }

    /// mmHg.
    pub fn pressure(&self, t: f64) -> f64 {
        let left = (-(0.8 - 0.12) / 0.4_f64).exp();
        DIASTOLIC + (SYSTOLIC - DIASTOLIC) * (self.pulse(t, PRESSURE_DELAY, 0.12, 0.4) - left) / (1.0 - left)
            + 1.5 * self.breath(t)
    }

    /// Any unit.
    pub fn pleth(&self, t: f64) -> f64 {
        0.5 + 0.3 * self.pulse(t, PLETH_DELAY, 0.2, 0.3) * (1.0 + 0.1 * self.breath(t)) + 0.03 * self.breath(t)
    }

    /// Any unit.
    pub fn chest(&self, t: f64) -> f64 {
        0.4 * self.breath(t)
    }
}

/// One channel with all its samples.
pub struct Channel {
    pub number: u32,
    pub kind: WaveKind,
    pub rate: Rate,
    pub values: Vec<f32>,
}

/// Samples a wave.
pub fn channel(number: u32, kind: WaveKind, rate: (u32, u32), seconds: f64, wave: impl Fn(f64) -> f64) -> Channel {
    let rate = Rate::new(rate.0, rate.1).expect("a rate");
    let count = (seconds * rate.hz()) as u64;
    let values = (0..count).map(|index| wave(rate.micros(index) as f64 / 1e6) as f32).collect();
    Channel { number, kind, rate, values }
}

/// A monitored bed: electrocardiogram 250 Hz, pleth 125, arterial pressure 125, respiration 62.5.
pub fn bed(patient: &Patient, seconds: f64) -> Vec<Channel> {
    vec![
        channel(1, WaveKind::Ecg, (250, 1), seconds, |t| patient.ecg(t)),
        channel(2, WaveKind::Pleth, (125, 1), seconds, |t| patient.pleth(t)),
        channel(3, WaveKind::ArterialPressure, (125, 1), seconds, |t| patient.pressure(t)),
        channel(4, WaveKind::Respiration, (125, 2), seconds, |t| patient.chest(t)),
    ]
}

/// The time that the made-up recordings begin at.
pub const BEGIN_US: i64 = 1_700_000_000_300_000;

/// Pushes what a channel has between two times (microseconds since the beginning).
pub fn push(bedside: &mut Bedside, channel: &Channel, from_us: i64, to_us: i64, out: &mut Vec<Finding>) {
    let end = channel.values.len();
    let first = (channel.rate.index_at(from_us) as usize).min(end);
    let past = (channel.rate.index_at(to_us) as usize).min(end);
    if first < past {
        let start_us = BEGIN_US + channel.rate.micros(first as u64);
        let values = &channel.values[first..past];
        bedside.push(channel.number, channel.kind, &Block { start_us, rate: channel.rate, values, gap_before: false }, out);
    }
}

/// Plays all channels in frames of a second.
pub fn play(bedside: &mut Bedside, channels: &[Channel], seconds: i64) -> Vec<Finding> {
    let mut out = Vec::new();
    for second in 0..seconds {
        for channel in channels {
            push(bedside, channel, second * 1_000_000, (second + 1) * 1_000_000, &mut out);
        }
    }
    out
}
