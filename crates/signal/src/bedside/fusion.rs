//! What the channels say together: heart beats, rhythm and derived values.

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::finding::{Derived, Finding};
use super::heart::Heart;
use super::leads::Leads;
use super::rhythm::Told;
use crate::pulse::{Arrival, Pulse};
use crate::respiration::{Modulation, RespRate, fuse};
use crate::WaveKind;

/// Values are derived so often.
const DERIVED_US: i64 = 5_000_000;

/// What is known of the patient as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fusion {
    pub leads: Leads,
    heart: Heart,
    rhythm: Told,
    arrival: Arrival,
    /// Height, level and interval of the pulses: what breathing does to them.
    modulation: Modulation<3>,
    /// The channel whose pulses these two are of: the best.
    pulses_of: Option<u32>,
}

impl Fusion {
    /// A good pulse.
    pub fn pulse(&mut self, channel: u32, foot_us: i64, pulse: &Pulse) {
        if self.pulses_of == Some(channel) {
            self.arrival.foot(foot_us);
            if let Some(interval_ms) = pulse.interval_ms {
                let level = (pulse.peak + pulse.foot) / 2.0;
                self.modulation.push(foot_us, [pulse.peak - pulse.foot, level, interval_ms]);
            }
        }
    }

    /// A step has ended.
    pub fn step(&mut self, channels: &mut [Channel], now_us: i64, out: &mut Vec<Finding>) {
        self.leads.step(channels, now_us);
        while let Some((beat, channel, height)) = self.leads.next() {
            self.heart.beat(&beat, height);
            self.arrival.beat(beat.time_us);
            self.rhythm.beat(&beat);
            out.push(Finding::Beat { beat, channel });
        }
        self.arrival.pass(now_us);
        self.rhythm.step(channels, &self.heart, now_us, out);
        if now_us % DERIVED_US == 0 {
            self.derive(channels, now_us, out);
            self.choose_pulses(channels, now_us);
        }
    }

    /// The pulses that are looked at together with the beats are of one channel: the best, changed
    /// only for a clearly better one.
    fn choose_pulses(&mut self, channels: &[Channel], now_us: i64) {
        let worth = |channel: &Channel| {
            let rate = channel.taken.train.as_ref().and_then(|train| train.rate(now_us));
            let kept = if self.pulses_of == Some(channel.number) { 0.3 } else { 0.0 };
            rate.map_or(0.0, |rate| rate.confidence + kept)
        };
        let best = channels.iter().rev().max_by(|a, b| worth(a).total_cmp(&worth(b)));
        let best = best.filter(|channel| worth(channel) >= 0.5).map(|channel| channel.number);
        if best.is_some() && best != self.pulses_of {
            self.pulses_of = best;
            self.arrival.other_channel();
            self.modulation = Modulation::default();
        }
    }

    /// The values of the last seconds.
    fn derive(&mut self, channels: &[Channel], now_us: i64, out: &mut Vec<Finding>) {
        let mut add = |what, value: f32, confidence| {
            out.push(Finding::Derived { what, value: f64::from(value), time_us: now_us, confidence });
        };
        if let Some(rate) = self.heart.rate(now_us).filter(|_| !self.rhythm.contradicted()) {
            add(Derived::HeartRate, rate.per_min, rate.confidence);
        }
        let trains = || channels.iter().filter_map(|channel| Some((channel.kind, channel.taken.train.as_ref()?)));
        let rates = trains().filter_map(|(_, train)| train.rate(now_us));
        if let Some(rate) = rates.max_by(|a, b| a.confidence.total_cmp(&b.confidence)) {
            add(Derived::PulseRate, rate.per_min, rate.confidence);
        }
        let lines = trains().filter(|(kind, _)| *kind == WaveKind::ArterialPressure);
        let pressures = lines.filter_map(|(_, train)| train.pressures(now_us));
        if let Some(pressures) = pressures.max_by(|a, b| a.confidence.total_cmp(&b.confidence)) {
            add(Derived::Systolic, pressures.systolic, pressures.confidence);
            add(Derived::Diastolic, pressures.diastolic, pressures.confidence);
            add(Derived::Mean, pressures.mean, pressures.confidence);
        }
        if let Some(rate) = self.resp_rate(channels, now_us) {
            add(Derived::RespRate, rate.per_min, rate.confidence);
        }
        if let Some((ms, confidence)) = self.arrival.median_ms(now_us) {
            add(Derived::PulseArrival, ms, confidence);
        }
    }

    /// Breaths a minute, of everything that shows breathing.
    fn resp_rate(&self, channels: &[Channel], now_us: i64) -> Option<RespRate> {
        let none = RespRate { per_min: 0.0, confidence: 0.0 };
        let (mut measured, mut derived) = ([none; 4], [none; 5]);
        let (mut of_measured, mut of_derived) = (0, 0);
        for channel in channels {
            if let Some(rate) = channel.taken.breathing.rate(now_us).filter(|_| of_measured < measured.len()) {
                let confidence = rate.confidence * channel.taken.worth();
                measured[of_measured] = RespRate { confidence, ..rate };
                of_measured += 1;
            }
        }
        let pulses = self.modulation.spectra(now_us).into_iter().flatten();
        let beats = self.heart.modulation.spectra(now_us).into_iter().flatten();
        for rate in pulses.chain(beats).filter_map(|spectrum| spectrum.rate()) {
            derived[of_derived] = rate;
            of_derived += 1;
        }
        fuse(&measured[..of_measured], &derived[..of_derived])
    }
}
