//! Published scores at each moment of a stay, by the code that the product shows them with (crate `score`).

use predict::Variable;
use score::{Aged, Inputs, MaxAge};
use serde::Serialize;
use vitals::EffectiveTime;

use crate::cohort::Stay;

/// A published score, with the threshold at which its makers ask for somebody to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Published {
    /// NEWS2; 5 asks for an urgent response.
    News2,
    /// MEWS; 5 was associated with death and intensive care.
    Mews,
    /// qSOFA; 2 of 3.
    Qsofa,
    /// SIRS; 2 of 4.
    Sirs,
}

impl Published {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::News2, Self::Mews, Self::Qsofa, Self::Sirs];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::News2 => "NEWS2",
            Self::Mews => "MEWS",
            Self::Qsofa => "qSOFA",
            Self::Sirs => "SIRS",
        }
    }

    /// From which value on it asks for somebody.
    #[must_use]
    pub const fn threshold(self) -> f64 {
        match self {
            Self::News2 | Self::Mews => 5.0,
            Self::Qsofa | Self::Sirs => 2.0,
        }
    }

    fn of(self, inputs: &Inputs, now: EffectiveTime) -> f64 {
        let age = &MaxAge::WARD;
        let score = match self {
            Self::News2 => score::news2(inputs, now, age),
            Self::Mews => score::mews(inputs, now, age),
            Self::Qsofa => score::qsofa(inputs, now, age),
            Self::Sirs => score::sirs(inputs, now, age),
        };
        score.value.unwrap_or(f64::NAN)
    }
}

/// Each score at each moment of a stay, in the order of [`Published::ALL`]; NaN where nothing that it needs was known. As
/// the product gives them: values up to four hours old (temperature 12, laboratory 24), what is missing adds nothing.
/// The data tell nothing of consciousness but the coma scale, and of oxygen what was inspired.
#[must_use]
pub fn of(stay: &Stay) -> [Vec<f64>; 4] {
    let age = stay.person.age;
    let mut inputs = Inputs { age_years: (!age.is_nan()).then_some(f64::from(age)), ..Inputs::default() };
    let mut all = [const { Vec::new() }; 4];
    let mut next = 0;
    for moment in &stay.moments {
        while let Some(value) = stay.values.get(next).filter(|value| value.minute <= *moment) {
            let (low, high) = value.variable.plausible();
            if (low..=high).contains(&value.value) {
                take(&mut inputs, value.variable, f64::from(value.value), time(value.minute));
            }
            next += 1;
        }
        for (scores, score) in all.iter_mut().zip(Published::ALL) {
            scores.push(score.of(&inputs, time(*moment)));
        }
    }
    all
}

fn time(minute: u32) -> EffectiveTime {
    EffectiveTime::from_millis(i64::from(minute) * 60_000)
}

fn take(inputs: &mut Inputs, variable: Variable, value: f64, at: EffectiveTime) {
    let aged = Some(Aged::new(value, at));
    match variable {
        Variable::HeartRate => inputs.pulse = aged,
        Variable::OxygenSaturation => inputs.spo2 = aged,
        Variable::Temperature => inputs.temperature = aged,
        Variable::Systolic => inputs.systolic = aged,
        Variable::Diastolic => inputs.diastolic = aged,
        Variable::RespRate => inputs.resp_rate = aged,
        Variable::WhiteCells => inputs.wbc = aged,
        Variable::ArterialCo2 => inputs.paco2 = aged,
        Variable::ComaScale => inputs.gcs = aged,
        Variable::InspiredOxygen => {
            inputs.fio2 = aged;
            inputs.supplemental_oxygen = Some(Aged::new(value > 21.0, at));
        }
        _ => {}
    }
}
