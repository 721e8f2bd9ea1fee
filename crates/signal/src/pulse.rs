//! Pulses: the waves that the heart sends through the arteries, in arterial pressure (mmHg) and in
//! the pleth (PPG, any unit); their feet, peaks and pressures, the pulse rate, and the time that a
//! pulse takes from the heart.
//!
//! The detector is the slope sum of Zong et al. ("An open-source algorithm to detect onset of
//! arterial blood pressure pulses", Computers in Cardiology 2003;30:259-262): a smoothed signal's
//! rises are summed over about the length of an upstroke, which makes one hump of each pulse and
//! next to nothing of the dicrotic wave, and the hump is compared with a share of the humps before.
//! For the pleth the window is longer, as in the `qppg` of Vest et al. (Physiol Meas 2018;39:105004).
//! The foot is where the tangent of the steepest rise meets the level of the trough (Chiu et al.,
//! Am Heart J 1991;121:1460-1470), the point that damping moves least.
//!
//! Whether a pulse is to be believed follows Sun, Reisner and Mark ("A signal abnormality index for
//! arterial blood pressure waveforms", Computers in Cardiology 2006;33:13-16), with limits wide
//! enough for a newborn.

mod slope;
mod detector;
mod train;
mod arrival;

pub use arrival::Arrival;
pub use detector::{Detector, Pulse, PulseKind};
pub use train::{Evidence, Pressures, PulseRate, Train};
pub(crate) use train::median;
