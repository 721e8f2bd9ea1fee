//! The rhythm of the heart, from its beats and the waveform.
//!
//! A [`Watcher`] is fed with every fused beat, with one [`Verdict`] a second (of the electrocardiogram lead
//! that is best at the time) and with the passing of time; it says what rhythm holds, since when and how surely. Of several
//! rhythms that hold at once the most urgent is given ([`Rhythm`] is in rising urgency).
//!
//! The beats found in the samples of a second are to be given before the verdict of that second, with which the
//! rhythm is told: what beats in a second that is not believed seem to show is taken back. Then any division of the samples into blocks gives the same rhythms at the same times.
//!
//! | Rhythm | Begins when | Ends when |
//! |---|---|---|
//! | asystole | no beat for 4 s in a signal that is believed | two beats came |
//! | ventricular fibrillation or flutter | the waveform of 4 s oscillates evenly at 2 to 10 Hz ([`Oscillation`]) | for 3 s it does not |
//! | ventricular tachycardia | 5 ventricular beats in a row at 100/min or more | two other beats in a row, or a pause |
//! | extreme tachycardia | 17 beats in a row at more than 140/min | 9 beats at less than 135/min |
//! | extreme bradycardia | 5 beats in a row at less than 40/min | 5 beats at more than 42/min |
//! | pause | no beat for 3 s ([`Limits::pause_ms`]) in a signal that is believed | 10 s after it |
//! | ventricular run, couplet | 3 or more, 2 ventricular beats in a row | 10 s after the last |
//! | trigeminy, bigeminy | every third, second beat ventricular, three times over | the pattern was not seen for 6 beats |
//! | atrial fibrillation | see [`irregular`] | |
//! | tachycardia, bradycardia | 9 beats at more than 100, less than 50/min | 13 beats at less than 95, more than 54/min |
//!
//! The first five are those of the PhysioNet/CinC Challenge 2015 (Clifford et al., Physiol. Meas. 2016;37:E5).
//! While the signal is not to be believed, or no beat was ever seen, the rhythm is undetermined.
//!
//! [`Verdict`]: crate::quality::Verdict
//! [`Oscillation`]: crate::quality::Oscillation
//! [`Rhythm`]: crate::Rhythm

pub mod entropy;
pub mod irregular;
pub mod measures;
mod model;
mod pattern;
mod rate;
mod record;
mod table;
mod watcher;

pub use record::{Judgement, RecordClass, classify_record, record_measures, record_window};
pub use watcher::{Limits, State, Watcher};
