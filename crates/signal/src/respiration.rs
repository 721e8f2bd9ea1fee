//! Breaths, from a respiration signal (impedance, flow, carbon dioxide) and from what breathing
//! does to the heart beat and to the pulse.
//!
//! - [`Breaths`] counts the swings of a respiration signal that are large enough, measured by the
//!   third quartile of the swings before: the advanced counting of Schäfer and Kratky (Ann Biomed Eng
//!   2008;36:476-485), as a streaming form with a hysteresis.
//! - [`Modulation`] finds the strongest period in values taken once a beat: height of the R wave and
//!   interval (ECG), height, level and interval (pleth). The three of the pleth are those of Karlen et
//!   al. (IEEE Trans Biomed Eng 2013;60:1946-1953); all are surveyed by Charlton et al. (IEEE Rev
//!   Biomed Eng 2018;11:2-20). The period is found with a periodogram of unevenly spaced values
//!   (Scargle, Astrophys J 1982;263:835-853).
//! - [`fuse`] brings estimates together as the "smart fusion" of Karlen does: those that agree are
//!   averaged, and if none agree there is no rate.

mod breaths;
mod fusion;
mod modulation;

pub use breaths::{Breath, Breathing, Breaths};
pub use fusion::fuse;
pub use modulation::{Modulation, Spectrum};

/// A respiration rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RespRate {
    /// Breaths a minute.
    pub per_min: f32,
    /// How far it is to be believed, 0 to 1.
    pub confidence: f32,
}
