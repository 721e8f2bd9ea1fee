//! Heart beats in one lead, as its samples come.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use super::decide::{Decider, Hump, LINE, REFRACTORY_US, Stage, Verdict};
use super::form::Form;
use super::front::Front;
use crate::filter::Decimator;

/// The lowest envelope that a QRS complex makes, millivolts: a triangle of 80 ms and 0.15 mV, below
/// which IEC 60601-2-27 (201.12.1.101.15) wants nothing to be detected.
const FLOOR_MV: f32 = 0.02;

/// Something in a lead that stands out: a beat, or what might have been one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Time of the middle of its QRS complex, microseconds of signal since the detector began or its
    /// line was last interrupted.
    pub at_us: i64,
    /// Height of its envelope, millivolts.
    pub height: f32,
    /// Usual height of beats in this lead at that time.
    pub beats: f32,
    /// Usual height of what is no beat.
    pub rest: f32,
    /// What is known of it by now.
    pub stage: Stage,
    /// What its shape is like.
    pub form: Form,
}

impl Detection {
    /// Whether it is a beat.
    #[must_use]
    pub fn is_beat(&self) -> bool {
        self.stage == Stage::Beat
    }

    /// Where it stands between the rest (0) and beats (1).
    #[must_use]
    pub fn score(&self) -> f32 {
        ((self.height - self.rest) / (self.beats - self.rest).max(f32::MIN_POSITIVE)).clamp(0.0, 1.5)
    }

    /// How far it is to be believed, 0 to 1: by its own height, and by how far beats stand out at all.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        self.score().min(1.0) * (1.0 - self.rest / self.beats.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0)
    }
}

/// Finds the beats of one lead.
///
/// A beat is given 0.4 to 0.6 s after it, one that is found in the second look (see the module's
/// documentation) up to one and a half RR intervals later. Detections come in order of the time at
/// which they are known, beats among them in order of their own time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    rate: Rate,
    decimator: Decimator,
    front: Front,
    decider: Decider<Form>,
    /// Samples of the envelope so far.
    steps: u64,
    /// Length of a working sample, and from the first sample to the middle of the first mean.
    step_us: f64,
    middle_us: f64,
    /// The two newest heights, and the highest maximum of the last 200 ms.
    heights: [f32; 2],
    highest: Option<Peak>,
    refractory: u64,
    /// The envelope near the newest sample is not to be believed.
    doubtful: bool,
}

/// A maximum of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Peak {
    step: u64,
    fraction: f32,
    at_us: i64,
    height: f32,
}

impl Detector {
    /// A detector for a lead of this rate; its samples are millivolts.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let decimator = Front::decimator(rate);
        let sample_us = 1e6 / rate.hz();
        let step_us = sample_us * f64::from(decimator.by());
        Self {
            rate,
            middle_us: sample_us * f64::from(decimator.by() - 1) / 2.0,
            decimator,
            front: Front::new(1e6 / step_us),
            decider: Decider::new(FLOOR_MV, LINE),
            steps: 0,
            step_us,
            heights: [0.0; 2],
            highest: None,
            refractory: libm::ceil(REFRACTORY_US as f64 / step_us) as u64,
            doubtful: true,
        }
    }

    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Height of beats and of the rest in this lead, millivolts: how well beats stand out.
    #[must_use]
    pub fn levels(&self) -> (f32, f32) {
        self.decider.levels()
    }

    /// Takes the next samples, millivolts; NaN is a missing one. What stands out is added to `out`.
    pub fn push(&mut self, values: &[f32], out: &mut Vec<Detection>) {
        // Taken out meanwhile, so that it can call what it is part of.
        let mut decimator = self.decimator.clone();
        decimator.slice(values, |mean| self.step(mean, out));
        self.decimator = decimator;
    }

    /// The line is interrupted: what was found before is given, and time begins anew at zero with the
    /// next sample. What was learned of the height of beats stays.
    pub fn gap(&mut self, out: &mut Vec<Detection>) {
        self.end_of_run(out);
        self.decider.gap(0, &mut |verdict| out.push(detection(verdict)));
        self.decimator.restart();
        self.front.gap();
        self.steps = 0;
        self.doubtful = true;
    }

    /// Microseconds of signal taken since the detector began or its line was last interrupted, to the
    /// last whole working sample.
    #[must_use]
    pub fn taken_us(&self) -> i64 {
        (self.steps as f64 * self.step_us) as i64
    }

    /// Everything that stands out up to this time, in the time of the detections, has been given as
    /// seen.
    #[must_use]
    pub fn complete_us(&self) -> i64 {
        match self.decider.first_learning_us() {
            Some(since_us) if !self.doubtful => since_us.max(0),
            _ => self.time_us(self.steps, 0.0) - self.refractory_us() - self.step_us as i64,
        }
    }

    /// Whether samples are missing at present.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.doubtful
    }

    fn refractory_us(&self) -> i64 {
        (self.refractory as f64 * self.step_us) as i64
    }

    fn time_us(&self, step: u64, fraction: f32) -> i64 {
        let steps = step as f64 - f64::from(self.front.delay()) + f64::from(fraction);
        (steps * self.step_us + self.middle_us) as i64
    }

    #[inline]
    fn step(&mut self, mean: f32, out: &mut Vec<Detection>) {
        let step = self.front.step(mean);
        let now = self.steps;
        self.steps += 1;
        if step.doubtful {
            if !self.doubtful {
                self.doubtful = true;
                self.end_of_run(out);
                let seen_us = self.time_us(now, 0.0);
                self.decider.gap(seen_us, &mut |verdict| out.push(detection(verdict)));
            }
            return;
        }
        if self.doubtful {
            self.doubtful = false;
            self.heights = [f32::MAX; 2];
        }
        let [before, middle] = self.heights;
        self.heights = [middle, step.height];
        if middle > before && middle >= step.height {
            self.maximum(now, before, middle, step.height);
        }
        if let Some(peak) = self.highest.filter(|peak| now - peak.step >= self.refractory) {
            self.highest = None;
            self.found(peak, out);
        }
        let coming = self.highest.map(|peak| peak.at_us);
        self.decider.pass(self.time_us(now, 0.0), coming, &mut |verdict| out.push(detection(verdict)));
    }

    /// The sample before the newest is higher than its neighbours.
    fn maximum(&mut self, now: u64, before: f32, middle: f32, after: f32) {
        if self.highest.is_some_and(|peak| peak.height >= middle) {
            return;
        }
        // The vertex of the parabola through the three.
        let bend = before - 2.0 * middle + after;
        let fraction = if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 };
        let step = now - 1;
        self.highest = Some(Peak { step, fraction, at_us: self.time_us(step, fraction), height: middle });
    }

    /// A maximum that nothing near exceeded.
    fn found(&mut self, peak: Peak, out: &mut Vec<Detection>) {
        let samples = self.front.working();
        // The envelope runs behind the newest working sample by the filters' delay.
        let behind = (self.steps - 1 - peak.step) as f32 + self.front.delay() as f32 - peak.fraction;
        let more = Form::new(samples, samples.len() as f32 - 1.0 - behind, (1e6 / self.step_us) as f32);
        let hump = Hump { at_us: peak.at_us, height: peak.height, more };
        self.decider.hump(hump, &mut |verdict| out.push(detection(verdict)));
    }

    /// No more samples follow for now: the highest maximum stands if all of it was seen.
    fn end_of_run(&mut self, out: &mut Vec<Detection>) {
        let now = self.steps.saturating_sub(1);
        if let Some(peak) = self.highest.take().filter(|peak| now - peak.step >= u64::from(self.front.bridged())) {
            self.found(peak, out);
        }
    }
}

fn detection(verdict: Verdict<Form>) -> Detection {
    let Verdict { hump, beats, rest, stage } = verdict;
    Detection { at_us: hump.at_us, height: hump.height, beats, rest, stage, form: hump.more }
}
