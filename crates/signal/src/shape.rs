//! The shapes that the modules share: a block of samples, a beat, a rhythm, a reason for doubt.

use serde::{Deserialize, Serialize};
use vitals::Rate;

/// Consecutive samples of one channel.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Time of the first sample, microseconds since 1970 UTC.
    pub start_us: i64,
    /// Samples a second.
    pub rate: Rate,
    /// Physical values (mV, mmHg, …). NaN is a missing sample.
    pub values: &'a [f32],
    /// Whether samples are missing between the last block and this one, or the time line began anew.
    pub gap_before: bool,
}

/// What a channel's waveform is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WaveKind {
    /// An electrocardiogram, millivolts.
    Ecg,
    /// A photoplethysmogram, any unit.
    Pleth,
    /// Arterial blood pressure, mmHg.
    ArterialPressure,
    /// Respiration, by impedance or flow, any unit.
    Respiration,
    /// Anything else.
    Other,
}

/// The type of a heart beat, as ANSI/AAMI EC57:2012 groups them, with paced beats apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum BeatClass {
    /// From the sinus node; bundle branch block included (N).
    Normal = 1,
    /// Premature or escape beat from the atria or the AV node (S).
    Supraventricular = 2,
    /// From a ventricle (V).
    Ventricular = 3,
    /// From a pacemaker (P; EC57 counts it among Q).
    Paced = 4,
    /// A normal and a ventricular beat at once (F).
    Fusion = 5,
    /// A beat of which no type can be told (Q).
    Unclassifiable = 6,
}

impl BeatClass {
    /// All classes, by code.
    pub const ALL: [BeatClass; 6] = [
        BeatClass::Normal,
        BeatClass::Supraventricular,
        BeatClass::Ventricular,
        BeatClass::Paced,
        BeatClass::Fusion,
        BeatClass::Unclassifiable,
    ];

    /// The number that stands for it in a series of `VW_BEAT`: 1 to 6.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The class of a number of `VW_BEAT`, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<BeatClass> {
        BeatClass::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The letter of EC57: N, S, V, F, Q; P for a paced beat.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            BeatClass::Normal => 'N',
            BeatClass::Supraventricular => 'S',
            BeatClass::Ventricular => 'V',
            BeatClass::Paced => 'P',
            BeatClass::Fusion => 'F',
            BeatClass::Unclassifiable => 'Q',
        }
    }
}

/// One heart beat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Time of the QRS complex's main deflection, microseconds since 1970 UTC.
    pub time_us: i64,
    /// Its type.
    pub class: BeatClass,
    /// How far it is to be believed, 0 to 1.
    pub confidence: f32,
    /// Width of the QRS complex, milliseconds; 0 if it could not be measured.
    pub width_ms: f32,
}

/// Why a signal is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Reason {
    /// It does not move.
    Flat = 1,
    /// It stands at the end of the range.
    Clipped = 2,
    /// The baseline wanders.
    BaselineWander = 3,
    /// The patient or the electrode moves.
    Motion = 4,
    /// Mains interference.
    Mains = 5,
    /// A lead is off.
    LeadOff = 6,
    /// Noise of another kind.
    Noise = 7,
}

impl Reason {
    /// The number that stands for it in a series of `VW_SIGNAL_REASON`: 1 to 7 (0 is good).
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The rhythm of the heart, in rising urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Rhythm {
    /// Not known.
    Undetermined = 0,
    /// Regular, of usual rate.
    Regular = 1,
    /// Slow.
    Bradycardia = 2,
    /// Fast.
    Tachycardia = 3,
    /// Atrial fibrillation.
    AtrialFibrillation = 4,
    /// Every second beat is ventricular.
    Bigeminy = 5,
    /// Every third beat is ventricular.
    Trigeminy = 6,
    /// Two ventricular beats in a row.
    Couplet = 7,
    /// Three or more ventricular beats in a row.
    VentricularRun = 8,
    /// No beat for longer than a pause may last.
    Pause = 9,
    /// Dangerously slow.
    ExtremeBradycardia = 10,
    /// Dangerously fast.
    ExtremeTachycardia = 11,
    /// Ventricular tachycardia.
    VentricularTachycardia = 12,
    /// Ventricular fibrillation or flutter.
    VentricularFibrillation = 13,
    /// No beat at all.
    Asystole = 14,
}

impl Rhythm {
    /// All rhythms, by code.
    pub const ALL: [Rhythm; 15] = [
        Rhythm::Undetermined,
        Rhythm::Regular,
        Rhythm::Bradycardia,
        Rhythm::Tachycardia,
        Rhythm::AtrialFibrillation,
        Rhythm::Bigeminy,
        Rhythm::Trigeminy,
        Rhythm::Couplet,
        Rhythm::VentricularRun,
        Rhythm::Pause,
        Rhythm::ExtremeBradycardia,
        Rhythm::ExtremeTachycardia,
        Rhythm::VentricularTachycardia,
        Rhythm::VentricularFibrillation,
        Rhythm::Asystole,
    ];

    /// The number that stands for it in a series of `VW_RHYTHM`: 0 to 14.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The rhythm of a number of `VW_RHYTHM`, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Rhythm> {
        Rhythm::ALL.into_iter().find(|rhythm| rhythm.code() == code)
    }
}
