//! What scores are computed from: last values with their times, and how old they may be.

use serde::{Deserialize, Serialize};
use vitals::EffectiveTime;
use vitals::time::SECOND;

/// A value and when it was true.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Aged<T> {
    /// The value.
    pub value: T,
    /// When it was true.
    pub time: EffectiveTime,
}

impl<T> Aged<T> {
    /// A value at a time.
    pub const fn new(value: T, time: EffectiveTime) -> Self {
        Self { value, time }
    }
}

/// The last known values of one patient. None: never measured, or not usable (doubtful values are
/// the caller's to leave out). Numbers that are not finite count as missing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// Breaths a minute.
    pub resp_rate: Option<Aged<f64>>,
    /// Oxygen saturation by pulse oximetry in percent.
    pub spo2: Option<Aged<f64>>,
    /// Whether the patient is given oxygen.
    pub supplemental_oxygen: Option<Aged<bool>>,
    /// Inspired oxygen in percent (21 to 100).
    pub fio2: Option<Aged<f64>>,
    /// Oxygen given in L/min.
    pub oxygen_flow: Option<Aged<f64>>,
    /// Systolic blood pressure in mmHg.
    pub systolic: Option<Aged<f64>>,
    /// Diastolic blood pressure in mmHg.
    pub diastolic: Option<Aged<f64>>,
    /// Pulse or heart rate in beats a minute.
    pub pulse: Option<Aged<f64>>,
    /// Level of consciousness.
    pub consciousness: Option<Aged<Consciousness>>,
    /// Body temperature in degrees Celsius.
    pub temperature: Option<Aged<f64>>,
    /// Glasgow coma scale, total of 3 to 15.
    pub gcs: Option<Aged<f64>>,
    /// White cells in 10⁹/L.
    pub wbc: Option<Aged<f64>>,
    /// Partial pressure of CO2 in arterial blood in mmHg.
    pub paco2: Option<Aged<f64>>,
    /// Partial pressure of oxygen in arterial blood in mmHg.
    pub pao2: Option<Aged<f64>>,
    /// Ratio of PaO2 to FiO2 in mmHg, where an analyser or a record gives it itself.
    pub pf_ratio: Option<Aged<f64>>,
    /// Mean blood pressure in mmHg.
    pub mean_pressure: Option<Aged<f64>>,
    /// Platelets in 10⁹/L.
    pub platelets: Option<Aged<f64>>,
    /// Total bilirubin in mg/dL.
    pub bilirubin: Option<Aged<f64>>,
    /// Creatinine in serum in mg/dL.
    pub creatinine: Option<Aged<f64>>,
    /// Whether the patient is ventilated.
    pub ventilated: Option<Aged<bool>>,
    /// Drugs that hold up the circulation.
    pub vasoactive: Option<Aged<Vasoactive>>,
    /// Whether the patient is pregnant, or gave birth not long ago.
    pub obstetric: Option<Aged<Obstetric>>,
    /// Capillary refill time in seconds.
    pub capillary_refill: Option<Aged<f64>>,
    /// Effort of breathing.
    pub respiratory_effort: Option<Aged<Effort>>,
    /// Age in years, with its fraction; none if unknown.
    pub age_years: Option<f64>,
    /// Which SpO2 scale of NEWS2 applies to this patient.
    pub spo2_scale: Scale,
}

/// The SpO2 scale of NEWS2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Scale {
    /// Scale 1: for everybody, unless decided otherwise.
    #[default]
    One,
    /// Scale 2: hypercapnic respiratory failure with a prescribed target of 88–92%; a competent
    /// clinician decides on it and it is written in the notes.
    Two,
}

/// Level of consciousness, ACVPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Consciousness {
    /// Awake and oriented.
    Alert,
    /// Newly confused, disoriented or agitated.
    Confusion,
    /// Reacts to voice.
    Voice,
    /// Reacts to pain.
    Pain,
    /// Does not react.
    Unresponsive,
}

impl Consciousness {
    /// From the number of the metric [`vitals::metric::code::CONSCIOUSNESS`]: 0 alert, 1 new
    /// confusion, 2 voice, 3 pain, 4 unresponsive; none for another number.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Alert,
            1 => Self::Confusion,
            2 => Self::Voice,
            3 => Self::Pain,
            4 => Self::Unresponsive,
            _ => return None,
        })
    }

    /// From one of the letters A, C, V, P, U in either case.
    #[must_use]
    pub const fn from_letter(letter: char) -> Option<Self> {
        Some(match letter.to_ascii_uppercase() {
            'A' => Self::Alert,
            'C' => Self::Confusion,
            'V' => Self::Voice,
            'P' => Self::Pain,
            'U' => Self::Unresponsive,
            _ => return None,
        })
    }

    /// The number of the metric.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// Effort of breathing as Bedside PEWS sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effort {
    /// Normal.
    Normal,
    /// Mildly increased.
    Mild,
    /// Moderately increased.
    Moderate,
    /// Severely increased, or any apnoea.
    Severe,
}

impl Effort {
    /// From the number of the metric [`vitals::metric::code::RESPIRATORY_EFFORT`], 0 to 3.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Normal,
            1 => Self::Mild,
            2 => Self::Moderate,
            3 => Self::Severe,
            _ => return None,
        })
    }

    /// The number of the metric.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// Drugs that hold up the circulation, in the steps of SOFA: μg/kg/min, for an hour or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Vasoactive {
    /// None.
    None,
    /// Dopamine up to 5, or dobutamine in any dose.
    Low,
    /// Dopamine above 5, or adrenaline or noradrenaline up to 0.1.
    Medium,
    /// Dopamine above 15, or adrenaline or noradrenaline above 0.1.
    High,
}

impl Vasoactive {
    /// From the number of the metric [`vitals::metric::code::VASOACTIVE`], 0 to 3.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::Low,
            2 => Self::Medium,
            3 => Self::High,
            _ => return None,
        })
    }

    /// The number of the metric.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// Whether a patient is an obstetric one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Obstetric {
    /// Neither pregnant nor within six weeks of a birth.
    No,
    /// Pregnant.
    Pregnant,
    /// Gave birth within the last six weeks.
    Postpartum,
}

impl Obstetric {
    /// From the number of the metric [`vitals::metric::code::OBSTETRIC`], 0 to 2.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::No,
            1 => Self::Pregnant,
            2 => Self::Postpartum,
            _ => return None,
        })
    }
}

/// How old, in seconds, each input may be to count (SC-2). An input of exactly that age counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxAge {
    /// Respiratory rate.
    pub resp_rate_s: u32,
    /// SpO2.
    pub spo2_s: u32,
    /// Supplemental oxygen, FiO2, oxygen flow, ventilation and drugs for the circulation: a state that
    /// lasts until charted otherwise.
    pub oxygen_s: u32,
    /// Blood pressure.
    pub blood_pressure_s: u32,
    /// Pulse.
    pub pulse_s: u32,
    /// ACVPU and Glasgow coma scale.
    pub consciousness_s: u32,
    /// Temperature.
    pub temperature_s: u32,
    /// Blood counts and blood gases.
    pub laboratory_s: u32,
    /// Capillary refill and respiratory effort.
    pub examination_s: u32,
    /// Pregnancy and the time after a birth.
    pub obstetric_s: u32,
}

const HOUR_S: u32 = 3_600;

impl MaxAge {
    /// For a ward where observations are taken in rounds: four hours for what changes fast (the
    /// interval of the chart from a NEWS of 1), twelve for what a nurse charts as a state or takes
    /// less often (the longest interval of the chart), a day for the laboratory, six weeks for a
    /// pregnancy or a birth (the end of the time that MEOWS is for).
    pub const WARD: Self = Self {
        resp_rate_s: 4 * HOUR_S,
        spo2_s: 4 * HOUR_S,
        oxygen_s: 12 * HOUR_S,
        blood_pressure_s: 4 * HOUR_S,
        pulse_s: 4 * HOUR_S,
        consciousness_s: 12 * HOUR_S,
        temperature_s: 12 * HOUR_S,
        laboratory_s: 24 * HOUR_S,
        examination_s: 4 * HOUR_S,
        obstetric_s: 42 * 24 * HOUR_S,
    };

    /// For a bed with continuous monitoring: five minutes for what the monitor measures all the
    /// time, an hour for a cuff pressure; the rest as on a ward.
    pub const MONITORED: Self = Self {
        resp_rate_s: 300,
        spo2_s: 300,
        blood_pressure_s: HOUR_S,
        pulse_s: 300,
        ..Self::WARD
    };
}

impl Default for MaxAge {
    /// [`MaxAge::WARD`].
    fn default() -> Self {
        Self::WARD
    }
}

/// An input as a score may see it at a moment.
#[derive(Clone, Copy)]
pub(crate) enum Seen<T> {
    Missing,
    Aged(Aged<T>),
    Fresh(Aged<T>),
}

/// Whether an input counts at `now` (SC-2).
pub(crate) fn see<T: Copy>(input: Option<Aged<T>>, now: EffectiveTime, max_age_s: u32) -> Seen<T> {
    match input {
        None => Seen::Missing,
        Some(input) => {
            let age = now.micros().saturating_sub(input.time.micros());
            if age > i64::from(max_age_s) * SECOND {
                Seen::Aged(input)
            } else {
                Seen::Fresh(input)
            }
        }
    }
}

/// The same for a number, of which only finite ones are there at all.
pub(crate) fn see_number(
    input: Option<Aged<f64>>,
    now: EffectiveTime,
    max_age_s: u32,
) -> Seen<f64> {
    see(
        input.filter(|input| input.value.is_finite()),
        now,
        max_age_s,
    )
}
