//! What spoils a waveform: noise of the person, of the skin, of the mains, and sensors that have
//! come off.

use std::f64::consts::TAU;

use super::Channel;
use crate::random::Random;

/// What is wrong at a moment. Heights are of an ECG, mV; other waveforms suffer in proportion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Artefacts {
    /// Deviation of the noise that is always there, mV.
    pub noise_mv: f64,
    /// Wandering of the baseline with breath and posture, mV.
    pub wander_mv: f64,
    /// Muscle tremor, deviation, mV.
    pub muscle_mv: f64,
    /// The mains: height, mV, and frequency, Hz.
    pub mains: (f64, f64),
    /// The patient moves: baseline, finger and chest jump.
    pub motion: bool,
    /// An electrode slips on the skin: slow steps that look like beats.
    pub electrode: bool,
    /// ECG electrodes are off: the amplifier stands at its rail, the mains come in.
    pub lead_off: bool,
    /// The finger clip is off: no light through a finger.
    pub finger_off: bool,
    /// The signal stands still.
    pub flat: bool,
    /// The amplifier is set too high: nothing above this many mV (or this part of the range).
    pub clipped: Option<f64>,
}

impl Default for Artefacts {
    fn default() -> Self {
        Self {
            noise_mv: 0.008,
            wander_mv: 0.05,
            muscle_mv: 0.0,
            mains: (0.0, 50.0),
            motion: false,
            electrode: false,
            lead_off: false,
            finger_off: false,
            flat: false,
            clipped: None,
        }
    }
}

/// The state of what spoils one channel.
#[derive(Debug, Clone)]
pub struct Noise {
    random: Random,
    /// Movement, as a slow random walk.
    walk: f64,
    /// A step of an electrode that runs off.
    step: f64,
    /// The last two values of white noise: muscle tremor is their difference.
    before: f64,
}

impl Noise {
    /// One seed, one noise.
    #[must_use]
    pub const fn new(random: Random) -> Self {
        Self { random, walk: 0.0, step: 0.0, before: 0.0 }
    }

    /// `value` of `channel` at `t_s` as it comes out of the sensor.
    pub fn spoil(&mut self, channel: Channel, t_s: f64, value: f64, a: &Artefacts) -> f64 {
        // One mV of an ECG is as much as this of the others.
        let (unit, dt_s) = match channel {
            Channel::Ecg(_) => (1.0, 0.004),
            Channel::Pleth => (0.4, 0.008),
            Channel::ArterialPressure => (20.0, 0.008),
            Channel::Respiration => (0.6, 0.016),
            Channel::Co2 => (10.0, 0.016),
        };
        let ecg = matches!(channel, Channel::Ecg(_));
        if a.flat {
            return 0.0;
        }
        if ecg && a.lead_off {
            return 4.8 + 0.002 * self.random.normal();
        }
        if channel == Channel::Pleth && a.finger_off {
            return 0.02 + 0.0004 * self.random.normal();
        }
        let mut spoilt = value + unit * a.noise_mv * self.random.normal() * if ecg { 1.0 } else { 0.3 };
        // Multiples of 1/60 Hz: a lap of a minute closes.
        spoilt += unit * a.wander_mv * ((TAU * t_s / 20.0).sin() + 0.6 * (TAU * t_s / 7.5).sin()) * if ecg { 1.0 } else { 0.1 };
        if a.muscle_mv > 0.0 && ecg {
            let white = self.random.normal();
            spoilt += a.muscle_mv * (white - 0.5 * self.before);
            self.before = white;
        }
        if ecg {
            spoilt += a.mains.0 * (TAU * a.mains.1 * t_s).sin();
        }
        spoilt += self.movement(a, dt_s) * unit;
        a.clipped.map_or(spoilt, |most| spoilt.clamp(-most * unit, most * unit))
    }

    fn movement(&mut self, a: &Artefacts, dt_s: f64) -> f64 {
        let r = &mut self.random;
        if a.motion {
            // A walk of large steps with a memory of a fifth of a second.
            self.walk += -self.walk * dt_s / 0.2 + 2.2 * (dt_s / 0.2).sqrt() * r.normal();
        } else {
            self.walk *= 1.0 - dt_s / 0.3;
        }
        if a.electrode && r.chance(1.5 * dt_s) {
            self.step += if r.chance(0.5) { 1.2 } else { -1.2 } * r.between(0.5, 1.0);
        }
        self.step *= 1.0 - dt_s / 0.25;
        self.walk + self.step
    }
}
