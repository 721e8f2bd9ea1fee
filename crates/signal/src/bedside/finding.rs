//! What is concluded of a patient's waveforms.

use serde::{Deserialize, Serialize};

use crate::{Beat, Reason, Rhythm, WaveKind};

/// One conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Finding {
    /// One heart beat of the ECG, once however many leads see it. Times only rise.
    Beat {
        /// The beat.
        beat: Beat,
        /// The channel whose view of it was taken.
        channel: u32,
    },
    /// A value of the last seconds or minutes.
    Derived {
        /// Which.
        what: Derived,
        /// In the unit that [`Derived`] says.
        value: f64,
        /// The end of the time that it is about, microseconds since 1970 UTC.
        time_us: i64,
        /// How far it is to be believed, 0 to 1.
        confidence: f32,
    },
    /// The rhythm: when it changes, and every five seconds while it is not regular.
    Rhythm {
        /// The rhythm. [`Rhythm::Undetermined`] if another channel contradicts the ECG.
        rhythm: Rhythm,
        /// When this was concluded, microseconds since 1970 UTC.
        time_us: i64,
        /// Since when the rhythm lasts, microseconds since 1970 UTC.
        since_us: i64,
        /// How far it is to be believed, 0 to 1.
        confidence: f32,
        /// A channel of this kind shows the same: no pulse any more, or a pulse just as fast.
        confirmed_by: Option<WaveKind>,
        /// A channel of this kind shows regular pulses, so that the ECG is not to be believed.
        contradicted_by: Option<WaveKind>,
    },
    /// The quality of a channel changed.
    Quality {
        /// The channel.
        channel: u32,
        /// 0 (not to be used) to 100 (good).
        index: u8,
        /// Why it is not good; none if it is.
        reason: Option<Reason>,
        /// Since when, microseconds since 1970 UTC.
        time_us: i64,
    },
}

/// What a derived value is of. Values but those of heart rate variability come every five seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Derived {
    /// Heart rate from the ECG, beats a minute.
    HeartRate,
    /// Pulse rate from pressure or pleth, beats a minute.
    PulseRate,
    /// Systolic arterial pressure, mmHg: median of the beats of ten seconds.
    Systolic,
    /// Diastolic arterial pressure, mmHg: likewise.
    Diastolic,
    /// Mean arterial pressure, mmHg: integral over each beat; median of the beats of ten seconds.
    Mean,
    /// Breaths a minute.
    RespRate,
    /// From the R peak to the foot of the pulse, milliseconds.
    PulseArrival,
    /// Standard deviation of the normal intervals of five minutes, milliseconds.
    Sdnn,
    /// Root mean square of successive differences of five minutes, milliseconds.
    Rmssd,
}
