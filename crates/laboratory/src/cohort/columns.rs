//! The clinical columns of Challenge 2019 (physionet.org/content/challenge-2019): metric and unit.
//!
//! The set does not say how pressures were taken; most patients have no arterial line, so they count
//! as non-invasive. FiO2 is a fraction, lactate mmol/L, magnesium mg/dL, as their numbers show.

use vitals::{Metric, MetricCode, Unit};

/// Column, reference id, UCUM unit of the file's numbers.
const COLUMNS: [(&str, &str, &str); 34] = [
    ("HR", "MDC_ECG_HEART_RATE", "/min"),
    ("O2Sat", "MDC_PULS_OXIM_SAT_O2", "%"),
    ("Temp", "MDC_TEMP_BODY", "Cel"),
    ("SBP", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    ("MAP", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    ("DBP", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    ("Resp", "MDC_RESP_RATE", "/min"),
    ("EtCO2", "MDC_AWAY_CO2_ET", "mm[Hg]"),
    ("BaseExcess", "MDC_BASE_EXCESS_BLD_ART", "mmol/L"),
    ("HCO3", "MDC_CONC_HCO3_GEN", "mmol/L"),
    ("FiO2", "MDC_CONC_AWAY_O2_INSP", "1"),
    ("pH", "MDC_CONC_PH_ART", "[pH]"),
    ("PaCO2", "MDC_CONC_PCO2_ART", "mm[Hg]"),
    ("SaO2", "MDC_SAT_O2_ART", "%"),
    ("AST", "MDC_CONC_AST", "U/L"),
    ("BUN", "MDC_CONC_BLD_UREA_NITROGEN", "mg/dL"),
    ("Alkalinephos", "MDC_CONC_ALP", "U/L"),
    ("Calcium", "MDC_CONC_CA_SER", "mg/dL"),
    ("Chloride", "MDC_CONC_CHLOR_SER", "mmol/L"),
    ("Creatinine", "MDC_CONC_CREA_SER", "mg/dL"),
    ("Bilirubin_direct", "MDC_CONC_BILI_DIRECT", "mg/dL"),
    ("Glucose", "MDC_CONC_GLU_SER", "mg/dL"),
    ("Lactate", "MDC_CONC_LACT", "mmol/L"),
    ("Magnesium", "MDC_CONC_MG_SER", "mg/dL"),
    ("Phosphate", "MDC_CONC_P_SER", "mg/dL"),
    ("Potassium", "MDC_CONC_K_SER", "mmol/L"),
    ("Bilirubin_total", "MDC_CONC_BILI_TOT", "mg/dL"),
    ("TroponinI", "MDC_CARDIAC_TROPONIN_I", "ng/mL"),
    ("Hct", "MDC_CONC_HCT_GEN", "%"),
    ("Hgb", "MDC_CONC_HB_ART", "g/dL"),
    ("PTT", "MDC_TIME_PD_PTT", "s"),
    ("WBC", "VW_WBC", "10*9/L"),
    ("Fibrinogen", "VW_FIBRINOGEN", "mg/dL"),
    ("Platelets", "MDC_PLTS_CNT", "10*9/L"),
];

/// How a column's numbers become values of a metric: `value = number × factor + offset`, in its unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) metric: MetricCode,
    pub(super) unit: Unit,
    pub(super) factor: f64,
    pub(super) offset: f64,
}

/// The column of this name, if it is a clinical one.
pub(super) fn column(name: &str) -> Option<Column> {
    let (_, refid, unit) = COLUMNS.iter().find(|(other, ..)| *other == name)?;
    let metric = Metric::by_refid(refid)?;
    let unit = Unit::from_ucum(unit)?;
    let offset = unit.convert(0.0, metric.unit)?;
    let factor = unit.convert(1.0, metric.unit)? - offset;
    Some(Column { metric: metric.code, unit: metric.unit, factor, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_known_metric_in_a_unit_that_converts() {
        for (name, ..) in COLUMNS {
            assert!(column(name).is_some(), "{name}");
        }
        let inspired = column("FiO2").expect("known");
        assert!((0.4_f64.mul_add(inspired.factor, inspired.offset) - 40.0).abs() < 1e-9);
        assert!(column("ICULOS").is_none());
    }
}
