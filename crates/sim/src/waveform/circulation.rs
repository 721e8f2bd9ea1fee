//! What a rhythm does to the numbers: the body's vitals as they are while the heart beats too
//! fast, or not at all. In wall time: an arrest of thirty seconds lasts thirty seconds, whatever the
//! speed of the illness.

use super::Rhythm;
use crate::body::{Consciousness, Vitals};

/// Rate of a ventricular tachycardia, /min.
pub(super) const TACHYCARDIA: f64 = 186.0;
/// Rate of a pacemaker, /min.
pub(super) const PACEMAKER: f64 = 70.0;
/// What pressures fall to when nothing flows, mmHg.
pub(super) const STANDSTILL: f64 = 12.0;

/// How much blood flows, as a fraction of what the body thinks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circulation {
    flow: f64,
    breathing: f64,
    without_s: u32,
}

impl Default for Circulation {
    fn default() -> Self {
        Self { flow: 1.0, breathing: 1.0, without_s: 0 }
    }
}

impl Circulation {
    /// A second under `rhythm`: what is true of a patient of whom `vitals` were true otherwise.
    pub fn second(&mut self, vitals: &Vitals, rhythm: Rhythm) -> Vitals {
        let flow = match rhythm {
            Rhythm::VentricularFibrillation | Rhythm::Asystole => 0.0,
            Rhythm::VentricularTachycardia => 0.5,
            _ => 1.0,
        };
        self.flow += (flow - self.flow) * 0.35;
        self.without_s = if self.flow < 0.3 { self.without_s + 1 } else { 0 };
        let breathing = if self.without_s > 10 { 0.0 } else { 1.0 };
        self.breathing += (breathing - self.breathing) * 0.12;
        let f = self.flow;
        let pressure = |value: f64| STANDSTILL + (value - STANDSTILL) * f;
        let (heart_rate, pulse_rate) = match rhythm {
            Rhythm::VentricularFibrillation | Rhythm::Asystole => (0.0, 0.0),
            Rhythm::VentricularTachycardia => (TACHYCARDIA, TACHYCARDIA),
            Rhythm::Paced => (PACEMAKER, PACEMAKER),
            _ => (vitals.heart_rate, vitals.pulse_rate),
        };
        // Half the stroke at a normal diastolic pressure, then less and less of everything.
        let diastolic = pressure(vitals.diastolic + 0.1 * (1.0 - f) * vitals.mean);
        let systolic = diastolic + (vitals.systolic - vitals.diastolic) * f;
        Vitals {
            heart_rate,
            pulse_rate,
            systolic,
            diastolic,
            mean: diastolic + (systolic - diastolic) / 3.0,
            resp_rate: vitals.resp_rate * self.breathing,
            etco2: vitals.etco2 * (0.2 + 0.8 * f),
            consciousness: if self.without_s > 8 { Consciousness::Unresponsive } else { vitals.consciousness },
            ..*vitals
        }
    }
}
