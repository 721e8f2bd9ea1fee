//! Facts of a person and a stay that are known when it begins.

use serde::{Deserialize, Serialize};

/// Facts of person and stay. NaN where unknown; write the rest as `..Person::UNKNOWN`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Person {
    /// Years.
    #[serde(with = "crate::nan")]
    pub age: f32,
    /// 1 male, 0 female.
    #[serde(with = "crate::nan")]
    pub male: f32,
    /// 1 in a medical intensive care unit, 0 in another.
    #[serde(with = "crate::nan")]
    pub medical: f32,
    /// 1 in a surgical intensive care unit, 0 in another.
    #[serde(with = "crate::nan")]
    pub surgical: f32,
    /// 1 in a coronary care unit, 0 in another.
    #[serde(with = "crate::nan")]
    pub coronary: f32,
    /// 1 in a unit for recovery after heart surgery, 0 in another.
    #[serde(with = "crate::nan")]
    pub heart_surgery: f32,
    /// Hours from the admission to the unit back to that to the hospital; negative where the hospital came first.
    #[serde(with = "crate::nan")]
    pub hospital_hours: f32,
    /// Body height in cm.
    #[serde(with = "crate::nan")]
    pub height: f32,
}

impl Person {
    /// Nobody known.
    pub const UNKNOWN: Self = Self {
        age: f32::NAN,
        male: f32::NAN,
        medical: f32::NAN,
        surgical: f32::NAN,
        coronary: f32::NAN,
        heart_surgery: f32::NAN,
        hospital_hours: f32::NAN,
        height: f32::NAN,
    };
}

impl Person {
    const fn bits(&self) -> [u32; 8] {
        let Self { age, male, medical, surgical, coronary, heart_surgery, hospital_hours, height } = *self;
        [
            age.to_bits(),
            male.to_bits(),
            medical.to_bits(),
            surgical.to_bits(),
            coronary.to_bits(),
            heart_surgery.to_bits(),
            hospital_hours.to_bits(),
            height.to_bits(),
        ]
    }
}

/// The same facts; what is unknown of both is the same.
impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::UNKNOWN
    }
}
