//! Beats and breaths as lines: for each channel the value at a time.

use std::collections::VecDeque;
use std::f64::consts::{PI, TAU};

use super::circulation::STANDSTILL;
use super::pulse::{Artery, Pulse};
use super::{Beat, Breath, Channel, Rhythm, ecg};
use crate::body::Vitals;
use crate::random::Random;

/// From the R peak to the pulse at the wrist, s, at a systolic pressure of 120 mmHg.
const TO_THE_WRIST_S: f64 = 0.19;
/// From the wrist to the finger tip, s.
const TO_THE_FINGER_S: f64 = 0.06;

/// One patient's lines.
#[derive(Debug, Clone)]
pub struct Render {
    beats: VecDeque<Beat>,
    breaths: VecDeque<Breath>,
    wrist: Artery,
    finger: Artery,
    /// How the ECG of this person differs from the mean person's.
    gain: f64,
    rhythm: Rhythm,
    since_s: f64,
    etco2: f64,
    /// Phases of the chaos of fibrillation.
    phases: [f64; 4],
}

impl Render {
    /// A person's lines; the seed gives the person's own proportions.
    #[must_use]
    pub fn new(random: &mut Random) -> Self {
        Self {
            beats: VecDeque::new(),
            breaths: VecDeque::new(),
            wrist: Artery::new(80.0),
            finger: Artery::new(0.4),
            gain: random.between(0.8, 1.25),
            rhythm: Rhythm::Sinus,
            since_s: 0.0,
            etco2: 38.0,
            phases: std::array::from_fn(|_| random.uniform()),
        }
    }

    /// The rhythm and what is true of the patient from `t_s` on.
    pub fn under(&mut self, rhythm: Rhythm, vitals: &Vitals, t_s: f64) {
        if rhythm != self.rhythm {
            (self.rhythm, self.since_s) = (rhythm, t_s);
        }
        if !rhythm.has_output() {
            self.wrist.rest_at(STANDSTILL);
            self.finger.rest_at(0.2);
        }
        self.etco2 = vitals.etco2;
    }

    /// A beat, in order; its pulse sets out.
    pub fn beat(&mut self, beat: Beat, vitals: &Vitals) {
        self.beats.push_back(beat);
        if beat.strength <= 0.0 {
            return;
        }
        let interval_s = 60.0 / vitals.pulse_rate.clamp(20.0, 240.0);
        let pulse_pressure = (vitals.systolic - vitals.diastolic).max(2.0);
        // A stiffer wave is a faster one: a millisecond for each mmHg.
        let delay_s = (TO_THE_WRIST_S - 0.001 * (vitals.systolic - 120.0)).clamp(0.12, 0.28);
        let stroke = vitals.diastolic + pulse_pressure * beat.strength;
        let rest = STANDSTILL + 0.55 * (vitals.diastolic - STANDSTILL).max(0.0);
        let usual = Pulse::between(vitals.diastolic, vitals.systolic, rest, interval_s, 0.11);
        self.wrist.push(Pulse { foot_s: beat.time_s + delay_s, peak: stroke, ..usual });
        // What a finger shows is how much it fills: less in a weak circulation.
        let fills = 0.45 * (pulse_pressure / 45.0).clamp(0.1, 1.3);
        let usual = Pulse::between(0.4, 0.4 + fills, 0.3, interval_s, 0.16);
        let foot_s = beat.time_s + delay_s + TO_THE_FINGER_S;
        self.finger.push(Pulse { foot_s, peak: 0.4 + fills * beat.strength, notch: 0.4 * usual.notch, ..usual });
    }

    /// A breath, in order.
    pub fn breath(&mut self, breath: Breath) {
        self.breaths.push_back(breath);
    }

    /// Forgets what is over at `t_s`.
    pub fn forget(&mut self, t_s: f64) {
        while self.beats.front().is_some_and(|beat| beat.time_s + 2.0 * ecg::AFTER_S < t_s) {
            self.beats.pop_front();
        }
        while self.breaths.get(1).is_some_and(|breath| breath.time_s + 1.0 < t_s) {
            self.breaths.pop_front();
        }
    }

    /// The value of `channel` at `t_s`; the times of one channel must not go back.
    pub fn value(&mut self, channel: Channel, t_s: f64) -> f64 {
        match channel {
            Channel::Ecg(lead) => {
                let near = self.beats.iter().map(|beat| (beat, t_s - beat.time_s));
                let near = near.skip_while(|(_, t)| *t > ecg::AFTER_S).take_while(|(_, t)| *t > -ecg::BEFORE_S);
                let beats: f64 = near.map(|(beat, t)| ecg::potential(lead, beat, t)).sum();
                self.gain * (beats + self.without_beats(t_s))
            }
            Channel::Pleth => self.finger.at(t_s) * (1.0 + 0.03 * self.chest(t_s)),
            Channel::ArterialPressure => self.wrist.at(t_s) - 1.2 * self.chest(t_s),
            Channel::Respiration => self.chest(t_s),
            Channel::Co2 => self.airway(t_s),
        }
    }

    /// What there is between the beats, mV: f waves, or the chaos of the ventricles.
    fn without_beats(&self, t_s: f64) -> f64 {
        let wave = |at: usize, hertz: f64| {
            // Each wave's own frequency swings slowly around the mean.
            let swing = 0.35 * (TAU * (t_s / (3.1 + at as f64) + self.phases[at])).sin();
            (TAU * (hertz * t_s + self.phases[at] + swing)).sin()
        };
        match self.rhythm {
            Rhythm::AtrialFibrillation => 0.05 * wave(0, 6.1) + 0.03 * wave(1, 7.3),
            Rhythm::VentricularFibrillation => {
                // Coarse at first, finer by the minute.
                let coarse = (1.0 - (t_s - self.since_s) / 300.0).clamp(0.25, 1.0);
                coarse * (0.38 * wave(0, 4.4) + 0.26 * wave(1, 5.6) + 0.14 * wave(2, 3.4) + 0.07 * wave(3, 7.9))
            }
            _ => 0.0,
        }
    }

    /// How full the chest is, 0 to about 1.
    fn chest(&self, t_s: f64) -> f64 {
        let Some((breath, u)) = self.breath_at(t_s) else { return 0.0 };
        // Two fifths in, three fifths out.
        let full = if u < 0.4 { 0.5 * (1.0 - (PI * u / 0.4).cos()) } else { 0.5 * (1.0 + (PI * (u - 0.4) / 0.6).cos()) };
        breath.depth * full
    }

    /// Carbon dioxide: none while breathing in, a steep rise, a plateau that climbs a little.
    fn airway(&self, t_s: f64) -> f64 {
        let Some((breath, u)) = self.breath_at(t_s) else { return 0.0 };
        if breath.depth <= 0.0 {
            return 0.0;
        }
        let plateau = self.etco2 * (0.94 + 0.06 * ((u - 0.5) / 0.5).clamp(0.0, 1.0));
        let edge = |at: f64, width: f64| 1.0 / (1.0 + (-(u - at) / width).exp());
        plateau * (edge(0.47, 0.012) + 1.0 - edge(0.03, 0.006)).clamp(0.0, 1.0)
    }

    /// The breath of a time and how far it is, 0 to 1.
    fn breath_at(&self, t_s: f64) -> Option<(&Breath, f64)> {
        let breath = self.breaths.iter().rev().find(|breath| breath.time_s <= t_s)?;
        Some((breath, ((t_s - breath.time_s) / breath.period_s).clamp(0.0, 1.0)))
    }
}
