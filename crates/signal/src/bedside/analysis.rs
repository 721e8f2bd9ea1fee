//! What looks at the samples of a channel, and what it finds.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use crate::WaveKind;
use crate::ecg;
use crate::line::Line;
use crate::pulse::{Detector, Pulse, PulseKind};
use crate::quality::Verdict;
use crate::respiration::Breaths;

/// What looks at the samples, by the kind of wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Analysis {
    Ecg(Lead),
    Pulse(Detector),
    Breath(Breaths),
    None,
}

/// One lead: its detector counts the time of the samples that it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lead {
    detector: ecg::Detector,
    /// Samples given, and what is to be added to the detector's times.
    given: u64,
    begun_us: i64,
}

/// What was found in one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Found {
    /// Something in a lead that stands out, with its time.
    Detection(i64, ecg::Detection),
    /// All that stands out in a lead up to this time is known; whether samples come at present.
    Complete(i64, bool),
    /// A pulse with the time of its foot.
    Pulse(i64, Pulse),
    /// A breath with the time of its peak.
    Breath(i64),
    /// A second of the signal.
    Verdict(Verdict),
}

impl Found {
    /// Of what is known at the same time, beats come before the second that they lie in.
    pub fn order(&self) -> u8 {
        match self {
            Found::Detection(..) => 0,
            Found::Complete(..) => 1,
            Found::Pulse(..) => 2,
            Found::Breath(_) => 3,
            Found::Verdict(_) => 4,
        }
    }

    /// When it was.
    pub fn time_us(&self) -> i64 {
        match self {
            Found::Detection(time_us, _) | Found::Complete(time_us, _) => *time_us,
            Found::Pulse(time_us, _) | Found::Breath(time_us) => *time_us,
            Found::Verdict(verdict) => verdict.time_us,
        }
    }
}

/// A channel with fewer samples a second than this is kept in time, but not analysed.
fn least_hz(kind: WaveKind) -> f64 {
    match kind {
        WaveKind::Ecg => 60.0,
        WaveKind::Pleth | WaveKind::ArterialPressure => 25.0,
        WaveKind::Respiration | WaveKind::Other => 5.0,
    }
}

impl Analysis {
    pub fn new(kind: WaveKind, rate: Rate, start_us: i64) -> Self {
        if rate.hz() < least_hz(kind) {
            return Self::None;
        }
        match kind {
            WaveKind::Pleth => Self::Pulse(Detector::new(PulseKind::Volume, rate)),
            WaveKind::ArterialPressure => Self::Pulse(Detector::new(PulseKind::Pressure, rate)),
            WaveKind::Respiration => Self::Breath(Breaths::new(rate)),
            WaveKind::Ecg => Self::Ecg(Lead { detector: ecg::Detector::new(rate), given: 0, begun_us: start_us }),
            WaveKind::Other => Self::None,
        }
    }

    /// Samples are missing; the next is at `start_us`.
    pub fn gap(&mut self, start_us: i64, found: impl FnMut(Found)) {
        match self {
            Self::Ecg(lead) => lead.gap(start_us, found),
            Self::Pulse(detector) => detector.gap(),
            Self::Breath(breaths) => breaths.gap(),
            Self::None => {}
        }
    }

    /// The time line was corrected: the next sample is at `start_us`.
    pub fn moved(&mut self, start_us: i64) {
        if let Self::Ecg(lead) = self {
            lead.begun_us = start_us.saturating_sub(lead.detector.rate().micros(lead.given));
        }
    }

    /// A step has ended.
    pub fn step(&self, found: impl FnMut(Found)) {
        if let Self::Ecg(lead) = self {
            lead.step(found);
        }
    }

    /// Takes samples and moves the line on with each.
    pub fn take(&mut self, values: &[f32], line: &mut Line, mut found: impl FnMut(Found)) {
        match self {
            Self::Ecg(lead) => {
                lead.take(values, found);
                line.advance_by(values.len());
            }
            Self::Pulse(detector) => {
                for &value in values {
                    line.advance();
                    if let Some(pulse) = detector.sample(value) {
                        found(Found::Pulse(line.last_us() - pulse.foot_ago_us, pulse));
                    }
                }
            }
            Self::Breath(breaths) => {
                for &value in values {
                    line.advance();
                    if let Some(breath) = breaths.sample(value) {
                        found(Found::Breath(line.last_us() - breath.peak_ago_us));
                    }
                }
            }
            Self::None => line.advance_by(values.len()),
        }
    }
}

impl Lead {
    fn take(&mut self, values: &[f32], found: impl FnMut(Found)) {
        // No room is taken before something is found: no allocation for each sample.
        let mut detections = Vec::new();
        self.detector.push(values, &mut detections);
        self.given += values.len() as u64;
        self.hand_on(&detections, found);
    }

    fn gap(&mut self, start_us: i64, found: impl FnMut(Found)) {
        let mut detections = Vec::new();
        self.detector.gap(&mut detections);
        self.hand_on(&detections, found);
        (self.given, self.begun_us) = (0, start_us);
    }

    fn step(&self, mut found: impl FnMut(Found)) {
        let complete_us = self.begun_us.saturating_add(self.detector.complete_us());
        found(Found::Complete(complete_us, !self.detector.is_interrupted()));
    }

    fn hand_on(&self, detections: &[ecg::Detection], mut found: impl FnMut(Found)) {
        for detection in detections {
            found(Found::Detection(self.begun_us.saturating_add(detection.at_us), *detection));
        }
    }
}
