//! The leads of one electrocardiogram in lock step.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use super::detector::{Detection, Detector};
use super::fuse::{Fused, Fuser, MAX_LEADS};
use super::types::Types;
use crate::Beat;

/// Leads of one rate whose samples come together; one lead alone, or several taken together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leads {
    detectors: Vec<Detector>,
    fuser: Fuser,
    types: Types,
    #[serde(skip)]
    detections: Vec<Detection>,
    #[serde(skip)]
    fused: Vec<Fused>,
}

impl Leads {
    /// So many leads of this rate, at most [`MAX_LEADS`].
    #[must_use]
    pub fn new(rate: Rate, leads: usize) -> Self {
        let leads = leads.min(MAX_LEADS);
        Self {
            detectors: vec![Detector::new(rate); leads],
            fuser: Fuser::new(leads),
            types: Types::new(leads),
            detections: Vec::new(),
            fused: Vec::new(),
        }
    }

    /// Takes the next samples of all leads, millivolts, as many of each; leads that are too many are left
    /// out. Beats are added to `out`, their times from the first sample.
    pub fn push(&mut self, values: &[&[f32]], out: &mut Vec<Beat>) {
        for (lead, (detector, values)) in self.detectors.iter_mut().zip(values).enumerate() {
            self.detections.clear();
            detector.push(values, &mut self.detections);
            give(&mut self.fuser, lead, &self.detections, &mut self.fused);
            self.fuser.complete(lead, detector.complete_us(), true);
        }
        self.fuser.conclude(&mut self.fused);
        self.tell(out);
    }

    /// The line is interrupted or ends: gives what was found; time begins anew.
    pub fn gap(&mut self, out: &mut Vec<Beat>) {
        for (lead, detector) in self.detectors.iter_mut().enumerate() {
            self.detections.clear();
            detector.gap(&mut self.detections);
            give(&mut self.fuser, lead, &self.detections, &mut self.fused);
        }
        self.fuser.gap(&mut self.fused);
        self.tell(out);
        self.types.gap();
    }

    fn tell(&mut self, out: &mut Vec<Beat>) {
        out.extend(self.fused.drain(..).map(|beat| self.types.beat(&beat)));
    }
}

fn give(fuser: &mut Fuser, lead: usize, detections: &[Detection], out: &mut Vec<Fused>) {
    for detection in detections {
        if fuser.is_single() {
            out.extend(detection.is_beat().then(|| Fused::single(detection)));
        } else {
            fuser.take(lead, detection.at_us, detection);
        }
    }
}
