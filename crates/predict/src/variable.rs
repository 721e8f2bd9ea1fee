//! What models look at: vital signs, laboratory values and what is counted up over time.
//!
//! The union of what PhysioNet's Challenges 2019 and 2012 record. Every variable has the unit of its metric in
//! the table of [`vitals`], so a value that the engine holds needs no conversion. Which metrics feed which
//! variable stands in [`Variable::of`].
//!
//! Plausible ranges are wide: outside them a value is an error of measuring or of typing. Usual ranges are of
//! adults and only choose words ("low", "high"): vital signs as textbooks give them, laboratory values after the
//! American Board of Internal Medicine's laboratory reference ranges, those of women and men taken together.

use serde::{Deserialize, Serialize};
use vitals::MetricCode;

/// How a variable is measured, which decides what an hour's value is and what is computed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Measured often: windows, trends. An hour's value is the mean of its values.
    Vital,
    /// Measured now and then: last value, its age, the change since the value before.
    Lab,
    /// Collected, like urine: an hour's value is the sum of its values.
    Amount,
}

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident $column:literal $kind:ident $unit:literal $low:literal..$high:literal
        usual $from:literal..$to:literal $decimals:literal $words:literal;)*) => {
        /// A thing measured.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the table says name, unit and ranges")]
        pub enum Variable { $($(#[$doc])* $name),* }

        impl Variable {
            /// All of them: first the 34 of the Challenge 2019 in the order of its columns, then what only the
            /// Challenge 2012 has.
            pub const ALL: [Self; COUNT] = [$(Self::$name),*];

            /// Its name in features (`HR`): the column of the Challenge 2019, or the parameter of 2012.
            #[must_use]
            pub const fn column(self) -> &'static str {
                match self { $(Self::$name => $column),* }
            }

            /// How it is measured.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind),* }
            }

            /// Its unit in UCUM.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$name => $unit),* }
            }

            /// Least and greatest value that a living person can have; what is outside is not taken.
            #[must_use]
            pub const fn plausible(self) -> (f32, f32) {
                match self { $(Self::$name => ($low, $high)),* }
            }

            /// Between what an adult's value usually is; only words depend on it.
            #[must_use]
            pub const fn usual(self) -> (f32, f32) {
                match self { $(Self::$name => ($from, $to)),* }
            }

            /// Decimal places that people read.
            #[must_use]
            pub const fn decimals(self) -> usize {
                match self { $(Self::$name => $decimals),* }
            }

            /// What clinicians call it within a sentence ("respiratory rate").
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }
        }
    };
}

/// How many variables there are.
pub const COUNT: usize = 44;

variables! {
    HeartRate "HR" Vital "/min" 10.0..300.0 usual 60.0..100.0 0 "heart rate";
    OxygenSaturation "O2Sat" Vital "%" 20.0..100.0 usual 95.0..100.0 0 "oxygen saturation";
    Temperature "Temp" Vital "Cel" 20.0..45.0 usual 36.0..38.0 1 "temperature";
    Systolic "SBP" Vital "mm[Hg]" 20.0..320.0 usual 100.0..140.0 0 "systolic pressure";
    MeanPressure "MAP" Vital "mm[Hg]" 10.0..300.0 usual 70.0..105.0 0 "mean pressure";
    Diastolic "DBP" Vital "mm[Hg]" 5.0..300.0 usual 60.0..90.0 0 "diastolic pressure";
    RespRate "Resp" Vital "/min" 1.0..100.0 usual 12.0..20.0 0 "respiratory rate";
    EndTidalCo2 "EtCO2" Vital "mm[Hg]" 1.0..120.0 usual 35.0..45.0 0 "end-tidal CO2";
    BaseExcess "BaseExcess" Lab "mmol/L" -50.0..100.0 usual -2.0..2.0 0 "base excess";
    Bicarbonate "HCO3" Lab "mmol/L" 0.0..100.0 usual 23.0..28.0 0 "bicarbonate";
    InspiredOxygen "FiO2" Lab "%" 15.0..100.0 usual 21.0..30.0 0 "inspired oxygen";
    ArterialPh "pH" Lab "[pH]" 6.3..8.2 usual 7.35..7.45 2 "arterial pH";
    ArterialCo2 "PaCO2" Lab "mm[Hg]" 5.0..200.0 usual 35.0..45.0 0 "arterial CO2";
    ArterialSaturation "SaO2" Lab "%" 10.0..100.0 usual 95.0..100.0 0 "arterial saturation";
    Ast "AST" Lab "U/L" 1.0..20000.0 usual 10.0..40.0 0 "AST";
    UreaNitrogen "BUN" Lab "mg/dL" 1.0..300.0 usual 8.0..20.0 0 "urea nitrogen";
    AlkalinePhosphatase "Alkalinephos" Lab "U/L" 1.0..5000.0 usual 30.0..120.0 0 "alkaline phosphatase";
    Calcium "Calcium" Lab "mg/dL" 0.5..30.0 usual 8.6..10.2 1 "calcium";
    Chloride "Chloride" Lab "mmol/L" 20.0..180.0 usual 98.0..106.0 0 "chloride";
    Creatinine "Creatinine" Lab "mg/dL" 0.05..60.0 usual 0.5..1.3 1 "creatinine";
    BilirubinDirect "Bilirubin_direct" Lab "mg/dL" 0.0..60.0 usual 0.1..0.3 1 "direct bilirubin";
    Glucose "Glucose" Lab "mg/dL" 5.0..2000.0 usual 70.0..180.0 0 "glucose";
    Lactate "Lactate" Lab "mmol/L" 0.1..50.0 usual 0.5..2.0 1 "lactate";
    Magnesium "Magnesium" Lab "mg/dL" 0.1..20.0 usual 1.6..2.6 1 "magnesium";
    Phosphate "Phosphate" Lab "mg/dL" 0.1..30.0 usual 3.0..4.5 1 "phosphate";
    Potassium "Potassium" Lab "mmol/L" 1.0..30.0 usual 3.5..5.0 1 "potassium";
    BilirubinTotal "Bilirubin_total" Lab "mg/dL" 0.0..100.0 usual 0.3..1.0 1 "bilirubin";
    TroponinI "TroponinI" Lab "ng/mL" 0.0..1000.0 usual 0.0..0.04 2 "troponin I";
    Hematocrit "Hct" Lab "%" 3.0..80.0 usual 36.0..51.0 0 "haematocrit";
    Hemoglobin "Hgb" Lab "g/dL" 1.0..30.0 usual 12.0..18.0 1 "haemoglobin";
    Ptt "PTT" Lab "s" 5.0..300.0 usual 25.0..35.0 0 "partial thromboplastin time";
    WhiteCells "WBC" Lab "10*9/L" 0.0..500.0 usual 4.0..11.0 1 "white cells";
    Fibrinogen "Fibrinogen" Lab "mg/dL" 10.0..2000.0 usual 200.0..400.0 0 "fibrinogen";
    Platelets "Platelets" Lab "10*9/L" 0.5..3000.0 usual 150.0..450.0 0 "platelets";
    Albumin "Albumin" Lab "g/dL" 0.3..8.0 usual 3.5..5.5 1 "albumin";
    Alt "ALT" Lab "U/L" 1.0..20000.0 usual 10.0..40.0 0 "ALT";
    Cholesterol "Cholesterol" Lab "mg/dL" 10.0..1500.0 usual 100.0..200.0 0 "cholesterol";
    ComaScale "GCS" Vital "1" 3.0..15.0 usual 15.0..15.0 0 "Glasgow coma scale";
    Sodium "Na" Lab "mmol/L" 80.0..220.0 usual 136.0..145.0 0 "sodium";
    ArterialO2 "PaO2" Lab "mm[Hg]" 10.0..700.0 usual 75.0..100.0 0 "arterial oxygen";
    TroponinT "TroponinT" Lab "ng/mL" 0.0..1000.0 usual 0.0..0.01 2 "troponin T";
    Urine "Urine" Amount "mL" 0.0..5000.0 usual 30.0..200.0 0 "urine output";
    Ventilation "MechVent" Lab "1" 0.0..1.0 usual 0.0..0.0 0 "mechanical ventilation";
    Weight "Weight" Lab "kg" 15.0..400.0 usual 40.0..120.0 0 "weight";
}

impl Variable {
    /// The variable with this name in features ([`Variable::column`]).
    #[must_use]
    pub fn by_column(column: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.column() == column)
    }

    /// Whether records only ever say that it is going on. In the Challenge 2012 `MechVent` is 1 or not recorded, so
    /// that a bedside's "not ventilated" is what training knows as nothing recorded.
    #[must_use]
    pub const fn is_told_by_presence(self) -> bool {
        matches!(self, Self::Ventilation)
    }

    /// The variable that a metric measures, if models look at it. Its values are in the metric's own unit. Skin,
    /// finger and venous temperatures, rates that a ventilator is set to and glucose of the tissue are something
    /// else and feed none; total CO2 is not taken for bicarbonate.
    #[must_use]
    pub fn of(metric: MetricCode) -> Option<Self> {
        Some(match metric.canonical().0 {
            147_842 | 149_530 | 149_514 | 149_546 | 149_522 => Self::HeartRate,
            150_456 => Self::OxygenSaturation,
            150_364 | 150_344 | 150_368 | 150_392 | 188_420 | 188_424 | 188_428 | 188_452 | 150_372 | 150_380 | 192_708
            | 188_436 | 150_352 => Self::Temperature,
            150_021 | 150_037 | 150_033 | 150_017 | 150_029 | 192_701 | 192_705 => Self::Systolic,
            150_023 | 150_039 | 150_035 | 150_019 | 150_031 | 192_703 | 192_707 => Self::MeanPressure,
            150_022 | 150_038 | 150_034 | 150_018 | 150_030 | 192_702 | 192_706 => Self::Diastolic,
            151_562 | 151_578 | 151_594 | 151_570 | 151_658 | 151_650 => Self::RespRate,
            151_728 => Self::EndTidalCo2,
            67_108_867 => Self::ComaScale,
            157_744 => Self::Urine,
            188_736 => Self::Weight,
            67_108_874 => Self::Ventilation,
            152_196 | 67_269_784 => Self::InspiredOxygen,
            code => return laboratory(code),
        })
    }
}

fn laboratory(code: u32) -> Option<Variable> {
    Some(match code {
        160_108 => Variable::BaseExcess,
        160_008 => Variable::Bicarbonate,
        159_748 => Variable::ArterialPh,
        159_752 => Variable::ArterialCo2,
        159_756 => Variable::ArterialO2,
        150_324 => Variable::ArterialSaturation,
        192_900 => Variable::Ast,
        192_903 => Variable::Alt,
        192_655 => Variable::UreaNitrogen,
        194_589 => Variable::AlkalinePhosphatase,
        194_596 => Variable::Calcium,
        192_863 => Variable::Chloride,
        194_599 => Variable::Creatinine,
        192_890 => Variable::BilirubinDirect,
        192_887 => Variable::BilirubinTotal,
        194_602 | 160_020 | 160_184..=160_207 | 160_364 => Variable::Glucose,
        192_884 => Variable::Lactate,
        192_860 => Variable::Magnesium,
        192_862 => Variable::Phosphate,
        194_607 => Variable::Potassium,
        159_960 => Variable::Sodium,
        192_756 => Variable::TroponinI,
        67_108_901 => Variable::TroponinT,
        160_132 => Variable::Hematocrit,
        159_764 => Variable::Hemoglobin,
        194_725 => Variable::Ptt,
        67_108_900 => Variable::WhiteCells,
        67_108_902 => Variable::Fibrinogen,
        192_871 => Variable::Platelets,
        192_867 => Variable::Albumin,
        192_878 => Variable::Cholesterol,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use vitals::Metric;

    use super::*;

    #[test]
    fn every_variable_has_a_metric_in_its_own_unit() {
        let mut fed = HashSet::new();
        for metric in Metric::all() {
            if let Some(variable) = Variable::of(metric.code) {
                fed.insert(variable);
                assert_eq!(metric.unit.ucum(), variable.unit(), "{} and {}", metric.refid, variable.column());
            }
        }
        for variable in Variable::ALL {
            assert!(fed.contains(&variable), "no metric feeds {}", variable.column());
        }
    }

    #[test]
    fn the_table_is_consistent() {
        for variable in Variable::ALL {
            let ((low, high), (from, to)) = (variable.plausible(), variable.usual());
            assert!(low <= from && from <= to && to <= high, "{}", variable.column());
            assert_eq!(Variable::by_column(variable.column()), Some(variable));
        }
        let names: HashSet<_> = Variable::ALL.iter().map(|variable| variable.words()).collect();
        assert_eq!(names.len(), COUNT);
    }
}
