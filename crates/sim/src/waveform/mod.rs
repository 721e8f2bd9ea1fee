//! Synthetic waveforms: what the electrodes, the finger clip, the arterial line and the airway
//! adapter see of a heart that beats and a chest that breathes.
//!
//! In the order of the data: a [`Heart`] under a [`Rhythm`] gives beats and breaths, one at a
//! time; [`Render`] draws them; [`Artefacts`] spoil the drawing; [`Channel`] says rate and scale and
//! turns values into counts. All is pure and seeded. Shapes are sums of Gaussians around each R
//! peak, as McSharry and others drew them (IEEE Trans Biomed Eng 2003;50:289), and pulses that
//! rise, carry a dicrotic notch and run off exponentially. For demonstrations and tests.

mod artefact;
mod circulation;
mod ecg;
mod heart;
mod lap;
mod pulse;
mod render;

pub use artefact::{Artefacts, Noise};
pub use circulation::Circulation;
pub use heart::{Beat, BeatKind, Breath, Ectopy, Heart, Pace};
pub use lap::Lap;
pub use render::Render;

use serde::{Deserialize, Serialize};
use vitals::Metric;

/// What drives the heart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rhythm {
    /// The sinus node.
    #[default]
    Sinus,
    /// No P waves, irregular conduction, and beats too early to be felt.
    AtrialFibrillation,
    /// Every second beat comes early, from a ventricle.
    Bigeminy,
    /// A ventricular pacemaker.
    Paced,
    /// Sinus rhythm that stops for some seconds now and then.
    Pauses,
    /// Wide and fast, with little output.
    VentricularTachycardia,
    /// Chaos without output.
    VentricularFibrillation,
    /// Nothing.
    Asystole,
}

impl Rhythm {
    /// Whether the heart moves any blood.
    #[must_use]
    pub const fn has_output(self) -> bool {
        !matches!(self, Self::VentricularFibrillation | Self::Asystole)
    }
}

/// An ECG lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lead {
    /// Lead I.
    I,
    /// Lead II.
    II,
    /// Lead III: II − I (Einthoven).
    III,
    /// Lead V1.
    V1,
    /// Lead V5.
    V5,
}

/// A waveform that a monitor sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// An ECG lead, mV, 250 Hz.
    Ecg(Lead),
    /// Plethysmogram, without unit, 125 Hz.
    Pleth,
    /// Arterial pressure, mmHg, 125 Hz.
    ArterialPressure,
    /// Respiration by impedance, Ω, 62.5 Hz.
    Respiration,
    /// Carbon dioxide in the airway, mmHg, 62.5 Hz.
    Co2,
}

impl Channel {
    /// The reference id of its metric.
    #[must_use]
    pub const fn refid(self) -> &'static str {
        match self {
            Self::Ecg(Lead::I) => "MDC_ECG_ELEC_POTL_I",
            Self::Ecg(Lead::II) => "MDC_ECG_ELEC_POTL_II",
            Self::Ecg(Lead::III) => "MDC_ECG_ELEC_POTL_III",
            Self::Ecg(Lead::V1) => "MDC_ECG_ELEC_POTL_V1",
            Self::Ecg(Lead::V5) => "MDC_ECG_ELEC_POTL_V5",
            Self::Pleth => "MDC_PULS_OXIM_PLETH",
            Self::ArterialPressure => "MDC_PRESS_BLD_ART_ABP",
            Self::Respiration => "MDC_IMPED_TTHOR",
            Self::Co2 => "MDC_AWAY_CO2",
        }
    }

    /// Context-free IEEE 11073-10101 code of its metric.
    #[must_use]
    pub fn code(self) -> u32 {
        Metric::by_refid(self.refid()).map_or(0, |metric| metric.code.0)
    }

    /// Samples a second, as a fraction.
    #[must_use]
    pub const fn rate(self) -> (u32, u32) {
        match self {
            Self::Ecg(_) => (250, 1),
            Self::Pleth | Self::ArterialPressure => (125, 1),
            Self::Respiration | Self::Co2 => (125, 2),
        }
    }

    /// Value of one count.
    #[must_use]
    pub const fn scale(self) -> f64 {
        match self {
            Self::Ecg(_) => 0.005,
            Self::Pleth | Self::Respiration => 0.001,
            Self::ArterialPressure | Self::Co2 => 0.1,
        }
    }

    /// The count of a value, as an analogue-digital converter of 16 bits gives it.
    #[must_use]
    pub fn count(self, value: f64) -> i32 {
        (value / self.scale()).round().clamp(-32_767.0, 32_767.0) as i32
    }

    /// The first sample at or after second `s`.
    #[must_use]
    pub const fn first_sample(self, s: u64) -> u64 {
        let (numerator, denominator) = self.rate();
        (s * numerator as u64).div_ceil(denominator as u64)
    }

    /// When sample `at` is taken, s.
    #[must_use]
    pub fn time_of(self, at: u64) -> f64 {
        let (numerator, denominator) = self.rate();
        (at * u64::from(denominator)) as f64 / f64::from(numerator)
    }

    /// Microseconds from second `s` to the first sample at or after it.
    #[must_use]
    pub const fn delay_us(self, s: u64) -> i32 {
        let (numerator, denominator) = self.rate();
        let at_us = self.first_sample(s) * denominator as u64 * 1_000_000 / numerator as u64;
        (at_us - s * 1_000_000) as i32
    }
}

#[cfg(test)]
mod tests;
