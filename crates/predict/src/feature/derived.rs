//! Features of several variables together: ratios that clinicians use, and points of published scores.
//!
//! Scores here are only inputs of models: computed of what is known, without consciousness and oxygen. What is shown
//! as a score comes from the crate `score`.

use crate::history::History;
use crate::variable::{Kind, Variable};

macro_rules! derived {
    ($($name:ident $text:literal $words:literal $decimals:literal;)*) => {
        /// A feature of several variables.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the table says what they are called")]
        pub enum Derived { $($name),* }

        impl Derived {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name (`shock-index`).
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What clinicians call it within a sentence.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }

            /// Decimal places that people read.
            #[must_use]
            pub const fn decimals(self) -> usize {
                match self { $(Self::$name => $decimals),* }
            }
        }
    };
}

derived! {
    ShockIndex "shock-index" "shock index" 2;
    PulsePressure "pulse-pressure" "pulse pressure" 0;
    SaturationToOxygen "saturation-to-oxygen" "saturation to inspired oxygen" 0;
    OxygenToOxygen "oxygen-to-oxygen" "arterial to inspired oxygen" 0;
    BunToCreatinine "bun-to-creatinine" "urea to creatinine" 0;
    AnionGap "anion-gap" "anion gap" 0;
    HeartToTemperature "heart-to-temperature" "heart rate beyond what fever explains" 0;
    BreathsToSaturation "breaths-to-saturation" "breaths to saturation" 2;
    Sirs "sirs" "SIRS criteria met" 0;
    Sofa "sofa" "SOFA points known" 0;
    Qsofa "qsofa" "qSOFA points known" 0;
    News "news" "NEWS2 points of vital signs" 0;
    LowPressureHours "low-pressure-hours" "hours of the last 12 with mean pressure below 65 mmHg" 0;
    MeanPressureAboveLowest "mean-pressure-own-lowest" "mean pressure above its lowest of 24 h" 0;
    LabsKnown "labs-known" "kinds of laboratory values known" 0;
}

impl Derived {
    /// Its value now, NaN where what it needs is missing.
    #[must_use]
    pub fn of(self, history: &History) -> f32 {
        use Variable as V;
        let last = |variable: V| history.track(variable).last();
        match self {
            Self::ShockIndex => last(V::HeartRate) / last(V::Systolic),
            Self::PulsePressure => last(V::Systolic) - last(V::Diastolic),
            Self::SaturationToOxygen => 100.0 * last(V::OxygenSaturation) / last(V::InspiredOxygen),
            Self::OxygenToOxygen => 100.0 * last(V::ArterialO2) / last(V::InspiredOxygen),
            Self::BunToCreatinine => last(V::UreaNitrogen) / last(V::Creatinine),
            Self::AnionGap => {
                let sodium = last(V::Sodium);
                (if sodium.is_nan() { 140.0 } else { sodium }) - last(V::Chloride) - last(V::Bicarbonate)
            }
            Self::HeartToTemperature => last(V::HeartRate) - 10.0 * (last(V::Temperature) - 37.0),
            Self::BreathsToSaturation => last(V::RespRate) / last(V::OxygenSaturation),
            Self::Sirs => sirs(&last),
            Self::Sofa => sofa(&last),
            Self::Qsofa => qsofa(&last),
            Self::News => news(&last),
            Self::LowPressureHours => {
                let hours = history.track(V::MeanPressure).recent(history.hour(), 12);
                hours.iter().filter(|one| one.value(Kind::Vital) < 65.0).count() as f32
            }
            Self::MeanPressureAboveLowest => {
                let hours = history.track(V::MeanPressure).recent(history.hour(), 24);
                let lowest = hours.iter().map(|one| one.value(Kind::Vital)).fold(f32::NAN, f32::min);
                last(V::MeanPressure) - lowest
            }
            Self::LabsKnown => {
                let known = |variable: &&V| variable.kind() == Kind::Lab && !last(**variable).is_nan();
                V::ALL.iter().filter(known).count() as f32
            }
        }
    }
}

/// How many hours with a value the variables of one kind had together within the last `hours` hours.
pub(super) fn measured(history: &History, kind: Kind, hours: u32) -> f32 {
    let of_kind = Variable::ALL.iter().filter(|variable| variable.kind() == kind);
    of_kind.map(|variable| history.track(*variable).recent(history.hour(), hours).len()).sum::<usize>() as f32
}

/// SIRS criteria met of those known (Bone and others, Chest 101 (1992) 1644).
#[expect(clippy::manual_range_contains, reason = "what is missing lies neither within a range nor outside")]
fn sirs(last: &impl Fn(Variable) -> f32) -> f32 {
    use Variable as V;
    let (temperature, white) = (last(V::Temperature), last(V::WhiteCells));
    let met = [
        temperature > 38.0 || temperature < 36.0,
        last(V::HeartRate) > 90.0,
        last(V::RespRate) > 20.0 || last(V::ArterialCo2) < 32.0,
        white > 12.0 || white < 4.0,
    ];
    met.iter().filter(|met| **met).count() as f32
}

/// Points of SOFA's organs that can be told here (Vincent and others, Intensive Care Med 22 (1996) 707): coagulation,
/// liver, circulation without drugs, kidney without urine; lungs by SpO2/FiO2 (Pandharipande and others, Crit Care Med
/// 37 (2009) 1317); nerves by the coma scale.
fn sofa(last: &impl Fn(Variable) -> f32) -> f32 {
    use Variable as V;
    let rising = |value: f32, limits: [f32; 4]| limits.iter().filter(|limit| value >= **limit).count() as f32;
    let falling = |value: f32, limits: [f32; 4]| limits.iter().filter(|limit| value < **limit).count() as f32;
    falling(last(V::Platelets), [150.0, 100.0, 50.0, 20.0])
        + rising(last(V::BilirubinTotal), [1.2, 2.0, 6.0, 12.0])
        + if last(V::MeanPressure) < 70.0 { 1.0 } else { 0.0 }
        + rising(last(V::Creatinine), [1.2, 2.0, 3.5, 5.0])
        + falling(100.0 * last(V::OxygenSaturation) / last(V::InspiredOxygen), [512.0, 357.0, 214.0, 89.0])
        + falling(last(V::ComaScale), [15.0, 13.0, 10.0, 6.0])
}

/// qSOFA points of what is known (Singer and others, JAMA 315 (2016) 801).
fn qsofa(last: &impl Fn(Variable) -> f32) -> f32 {
    let met = [
        last(Variable::RespRate) >= 22.0,
        last(Variable::Systolic) <= 100.0,
        last(Variable::ComaScale) < 15.0,
    ];
    met.iter().filter(|met| **met).count() as f32
}

/// NEWS2 points of what is known (Royal College of Physicians 2017), without consciousness and oxygen.
fn news(last: &impl Fn(Variable) -> f32) -> f32 {
    use Variable as V;
    let band = |value: f32, bands: &[(f32, f32)], above: f32| {
        let points = || bands.iter().find(|(end, _)| value <= *end).map_or(above, |(_, points)| *points);
        if value.is_nan() { 0.0 } else { points() }
    };
    band(last(V::RespRate), &[(8.0, 3.0), (11.0, 1.0), (20.0, 0.0), (24.0, 2.0)], 3.0)
        + band(last(V::OxygenSaturation), &[(91.0, 3.0), (93.0, 2.0), (95.0, 1.0)], 0.0)
        + band(last(V::Systolic), &[(90.0, 3.0), (100.0, 2.0), (110.0, 1.0), (219.0, 0.0)], 3.0)
        + band(last(V::HeartRate), &[(40.0, 3.0), (50.0, 1.0), (90.0, 0.0), (110.0, 1.0), (130.0, 2.0)], 3.0)
        + band(last(V::Temperature), &[(35.0, 3.0), (36.0, 1.0), (38.0, 0.0), (39.0, 1.0)], 2.0)
}
