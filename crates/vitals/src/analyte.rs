//! Substances whose concentration some laboratories report by mass and others by amount.
//!
//! mg/dL and mmol/L measure different things; what lies between them is the substance. So the
//! conversion is asked for by name, never done by the unit table. Molar masses are of the
//! conventional reporting form (urea as its nitrogen, phosphate as phosphorus), computed from the
//! IUPAC 2021 abridged standard atomic weights.

use crate::{MetricCode, Unit};

/// A substance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analyte {
    /// Glucose, C6H12O6.
    Glucose,
    /// Creatinine, C4H7N3O.
    Creatinine,
    /// Urea, whose mass is that of its two nitrogen atoms (BUN).
    UreaNitrogen,
    /// Bilirubin, C33H36N4O6.
    Bilirubin,
    /// Lactate as lactic acid, C3H6O3.
    Lactate,
    /// Cholesterol, C27H46O.
    Cholesterol,
    /// Triglycerides, as triolein, C57H104O6.
    Triglycerides,
    /// Inorganic phosphate as phosphorus.
    Phosphate,
    /// Calcium, divalent.
    Calcium,
    /// Magnesium, divalent.
    Magnesium,
    /// Sodium.
    Sodium,
    /// Potassium.
    Potassium,
    /// Chloride.
    Chloride,
    /// Bicarbonate, HCO3.
    Bicarbonate,
    /// Haemoglobin by monomer (a quarter of the tetramer).
    Haemoglobin,
}

impl Analyte {
    /// The substance that a metric measures, if it is one of these.
    #[must_use]
    pub fn of(metric: MetricCode) -> Option<Self> {
        Some(match metric.canonical().0 {
            160_020 | 160_184..=160_212 | 160_364 | 160_368 | 194_602 => Self::Glucose,
            194_599 => Self::Creatinine,
            192_655 => Self::UreaNitrogen,
            192_887 | 192_890 => Self::Bilirubin,
            192_884 => Self::Lactate,
            192_878 | 192_880 | 192_881 => Self::Cholesterol,
            192_879 => Self::Triglycerides,
            192_862 => Self::Phosphate,
            194_596 | 160_024 => Self::Calcium,
            192_860 => Self::Magnesium,
            159_960 => Self::Sodium,
            194_607 => Self::Potassium,
            192_863 => Self::Chloride,
            160_008 | 194_597 | 160_108 | 192_929 => Self::Bicarbonate,
            159_764 => Self::Haemoglobin,
            _ => return None,
        })
    }

    /// Grams in one mole, as laboratories report it.
    #[must_use]
    pub fn grams_per_mole(self) -> f64 {
        match self {
            Self::Glucose => 180.156,
            Self::Creatinine => 113.120,
            Self::UreaNitrogen => 28.014,
            Self::Bilirubin => 584.673,
            Self::Lactate => 90.078,
            Self::Cholesterol => 386.664,
            Self::Triglycerides => 885.453,
            Self::Phosphate => 30.974,
            Self::Calcium => 40.078,
            Self::Magnesium => 24.305,
            Self::Sodium => 22.990,
            Self::Potassium => 39.098,
            Self::Chloride => 35.45,
            Self::Bicarbonate => 61.016,
            Self::Haemoglobin => 16_114.5,
        }
    }

    /// Equivalents in one mole (the charge of the ion); none for what is not an ion.
    #[must_use]
    pub fn equivalents_per_mole(self) -> Option<f64> {
        match self {
            Self::Sodium | Self::Potassium | Self::Chloride | Self::Bicarbonate => Some(1.0),
            Self::Calcium | Self::Magnesium => Some(2.0),
            _ => None,
        }
    }

    /// Converts a concentration of this substance between units of mass, amount and equivalents a
    /// volume; none when either unit is none of these.
    #[must_use]
    pub fn convert(self, value: f64, from: Unit, to: Unit) -> Option<f64> {
        let moles = value * self.moles_per_litre(from)?;
        Some(moles / self.moles_per_litre(to)?)
    }

    /// Moles of the substance in a litre at a concentration of one `unit`.
    fn moles_per_litre(self, unit: Unit) -> Option<f64> {
        let base = |code: &str| {
            let base = Unit::from_ucum(code)?;
            unit.convert(1.0, base)
        };
        match unit.dimension() {
            "mass-concentration" => base("g/L").map(|grams| grams / self.grams_per_mole()),
            "substance-concentration" => base("mol/L"),
            "equivalent-concentration" => {
                Some(base("meq/L")? * 1e-3 / self.equivalents_per_mole()?)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metric;

    /// The factors in everyday use (AMA Manual of Style, 11th edition, table of SI conversions),
    /// which are rounded: within half a percent.
    #[test]
    fn agrees_with_the_published_factors() {
        for (refid, value, from, expected) in [
            ("MDC_CONC_GLU_GEN", 5.5, "mmol/L", 99.1),
            ("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", 10.0, "mmol/L", 180.2),
            ("MDC_CONC_GLU_ISF", 100.0, "mg/dL", 100.0),
            ("MDC_CONC_CREA_SER", 88.4, "umol/L", 1.0),
            ("MDC_CONC_BLD_UREA_NITROGEN", 0.357, "mmol/L", 1.0),
            ("MDC_CONC_BILI_TOT", 17.104, "umol/L", 1.0),
            ("MDC_CONC_LACT", 9.009, "mg/dL", 1.0),
            ("MDC_CONC_CA_SER", 0.25, "mmol/L", 1.0),
            ("MDC_CONC_CA_SER", 0.5, "meq/L", 1.0),
            ("MDC_CONC_MG_SER", 0.411, "mmol/L", 1.0),
            ("MDC_CONC_P_SER", 0.323, "mmol/L", 1.0),
            ("MDC_CONC_K_SER", 4.1, "meq/L", 4.1),
            ("MDC_CONC_HCO3_GEN", 24.0, "meq/L", 24.0),
            ("MDC_CONC_CHOLESTEROL", 0.0259, "mmol/L", 1.0),
            ("MDC_CONC_TGL", 0.0113, "mmol/L", 1.0),
            ("MDC_CONC_HB_ART", 8.7, "mmol/L", 14.02),
        ] {
            let metric = Metric::by_refid(refid).expect("in the table");
            let from = Unit::from_ucum(from).expect("in the table");
            let got = metric.normalise(value, from).expect("convertible");
            assert!((got - expected).abs() < 0.005 * expected, "{refid}: {got} != {expected}");
        }
    }

    #[test]
    fn needs_the_substance() {
        let mmol = Unit::from_ucum("mmol/L").expect("in the table");
        let crp = Metric::by_refid("MDC_CONC_CRP").expect("in the table");
        assert_eq!(crp.normalise(1.0, mmol), None);
        assert_eq!(Analyte::Glucose.convert(1.0, mmol, Unit::MMHG), None);
        let meq = Unit::from_ucum("meq/L").expect("in the table");
        assert_eq!(Analyte::Glucose.convert(1.0, meq, mmol), None);
    }
}
