//! What the files' columns and items are called here, and in which unit they are.

/// One column or item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The file's own name or number for it.
    pub name: &'static str,
    /// Reference id of the metric.
    pub metric: &'static str,
    /// UCUM unit of the file's values.
    pub unit: &'static str,
}

const fn column(name: &'static str, metric: &'static str, unit: &'static str) -> Column {
    Column { name, metric, unit }
}

/// Challenge 2019: the 34 clinical columns in file order (physionet.org/content/challenge-2019).
/// The set does not say how pressures were taken; most patients have no arterial line, so they
/// count as non-invasive. Three stated units do not fit the numbers and are read as what the
/// numbers are: FiO2 as a fraction, lactate as mmol/L, magnesium as mg/dL.
pub(super) const CINC2019: [Column; 34] = [
    column("HR", "MDC_ECG_HEART_RATE", "/min"),
    column("O2Sat", "MDC_PULS_OXIM_SAT_O2", "%"),
    column("Temp", "MDC_TEMP_BODY", "Cel"),
    column("SBP", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    column("MAP", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    column("DBP", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    column("Resp", "MDC_RESP_RATE", "/min"),
    column("EtCO2", "MDC_AWAY_CO2_ET", "mm[Hg]"),
    column("BaseExcess", "MDC_BASE_EXCESS_BLD_ART", "mmol/L"),
    column("HCO3", "MDC_CONC_HCO3_GEN", "mmol/L"),
    column("FiO2", "MDC_CONC_AWAY_O2_INSP", "1"),
    column("pH", "MDC_CONC_PH_ART", "[pH]"),
    column("PaCO2", "MDC_CONC_PCO2_ART", "mm[Hg]"),
    column("SaO2", "MDC_SAT_O2_ART", "%"),
    column("AST", "MDC_CONC_AST", "U/L"),
    column("BUN", "MDC_CONC_BLD_UREA_NITROGEN", "mg/dL"),
    column("Alkalinephos", "MDC_CONC_ALP", "U/L"),
    column("Calcium", "MDC_CONC_CA_SER", "mg/dL"),
    column("Chloride", "MDC_CONC_CHLOR_SER", "mmol/L"),
    column("Creatinine", "MDC_CONC_CREA_SER", "mg/dL"),
    column("Bilirubin_direct", "MDC_CONC_BILI_DIRECT", "mg/dL"),
    column("Glucose", "MDC_CONC_GLU_SER", "mg/dL"),
    column("Lactate", "MDC_CONC_LACT", "mmol/L"),
    column("Magnesium", "MDC_CONC_MG_SER", "mg/dL"),
    column("Phosphate", "MDC_CONC_P_SER", "mg/dL"),
    column("Potassium", "MDC_CONC_K_SER", "mmol/L"),
    column("Bilirubin_total", "MDC_CONC_BILI_TOT", "mg/dL"),
    column("TroponinI", "MDC_CARDIAC_TROPONIN_I", "ng/mL"),
    column("Hct", "MDC_CONC_HCT_GEN", "%"),
    column("Hgb", "MDC_CONC_HB_ART", "g/dL"),
    column("PTT", "MDC_TIME_PD_PTT", "s"),
    column("WBC", "VW_WBC", "10*9/L"),
    column("Fibrinogen", "VW_FIBRINOGEN", "mg/dL"),
    column("Platelets", "MDC_PLTS_CNT", "10*9/L"),
];

/// Challenge 2012 parameters (physionet.org/content/challenge-2012). Magnesium is stated in mmol/L
/// but its numbers are those of mg/dL.
pub(super) const CINC2012: [Column; 37] = [
    column("Albumin", "MDC_CONC_ALB_SER", "g/dL"),
    column("ALP", "MDC_CONC_ALP", "U/L"),
    column("ALT", "MDC_CONC_GPT", "U/L"),
    column("AST", "MDC_CONC_AST", "U/L"),
    column("Bilirubin", "MDC_CONC_BILI_TOT", "mg/dL"),
    column("BUN", "MDC_CONC_BLD_UREA_NITROGEN", "mg/dL"),
    column("Cholesterol", "MDC_CONC_CHOLESTEROL", "mg/dL"),
    column("Creatinine", "MDC_CONC_CREA_SER", "mg/dL"),
    column("DiasABP", "MDC_PRESS_BLD_ART_ABP_DIA", "mm[Hg]"),
    column("FiO2", "MDC_CONC_AWAY_O2_INSP", "1"),
    column("GCS", "VW_GCS", "1"),
    column("Glucose", "MDC_CONC_GLU_SER", "mg/dL"),
    column("HCO3", "MDC_CONC_HCO3_GEN", "mmol/L"),
    column("HCT", "MDC_CONC_HCT_GEN", "%"),
    column("Height", "MDC_LEN_BODY_ACTUAL", "cm"),
    column("HR", "MDC_ECG_HEART_RATE", "/min"),
    column("K", "MDC_CONC_K_SER", "mmol/L"),
    column("Lactate", "MDC_CONC_LACT", "mmol/L"),
    column("Mg", "MDC_CONC_MG_SER", "mg/dL"),
    column("MAP", "MDC_PRESS_BLD_ART_ABP_MEAN", "mm[Hg]"),
    column("Na", "MDC_CONC_NA_SERUM", "mmol/L"),
    column("NIDiasABP", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    column("NIMAP", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    column("NISysABP", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    column("PaCO2", "MDC_CONC_PCO2_ART", "mm[Hg]"),
    column("PaO2", "MDC_CONC_PO2_ART", "mm[Hg]"),
    column("pH", "MDC_CONC_PH_ART", "[pH]"),
    column("Platelets", "MDC_PLTS_CNT", "10*9/L"),
    column("RespRate", "MDC_RESP_RATE", "/min"),
    column("SaO2", "MDC_SAT_O2_ART", "%"),
    column("SysABP", "MDC_PRESS_BLD_ART_ABP_SYS", "mm[Hg]"),
    column("Temp", "MDC_TEMP_BODY", "Cel"),
    column("TroponinI", "MDC_CARDIAC_TROPONIN_I", "ng/mL"),
    column("TroponinT", "VW_TROPONIN_T", "ng/mL"),
    column("Urine", "MDC_VOL_URINE_COL", "mL"),
    column("WBC", "VW_WBC", "10*9/L"),
    column("Weight", "MDC_MASS_BODY_ACTUAL", "kg"),
];

/// MIMIC-III items (`d_items`), those of CareVue and of MetaVision.
pub(super) const MIMIC3: [Column; 32] = [
    column("211", "MDC_ECG_HEART_RATE", "/min"),
    column("220045", "MDC_ECG_HEART_RATE", "/min"),
    column("646", "MDC_PULS_OXIM_SAT_O2", "%"),
    column("220277", "MDC_PULS_OXIM_SAT_O2", "%"),
    column("618", "MDC_RESP_RATE", "/min"),
    column("220210", "MDC_RESP_RATE", "/min"),
    column("455", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    column("220179", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    column("8441", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    column("220180", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    column("456", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    column("220181", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    column("51", "MDC_PRESS_BLD_ART_ABP_SYS", "mm[Hg]"),
    column("220050", "MDC_PRESS_BLD_ART_ABP_SYS", "mm[Hg]"),
    column("8368", "MDC_PRESS_BLD_ART_ABP_DIA", "mm[Hg]"),
    column("220051", "MDC_PRESS_BLD_ART_ABP_DIA", "mm[Hg]"),
    column("52", "MDC_PRESS_BLD_ART_ABP_MEAN", "mm[Hg]"),
    column("220052", "MDC_PRESS_BLD_ART_ABP_MEAN", "mm[Hg]"),
    column("676", "MDC_TEMP_BODY", "Cel"),
    column("223762", "MDC_TEMP_BODY", "Cel"),
    column("678", "MDC_TEMP_BODY", "[degF]"),
    column("223761", "MDC_TEMP_BODY", "[degF]"),
    column("190", "MDC_CONC_AWAY_O2_INSP", "1"),
    column("223835", "MDC_CONC_AWAY_O2_INSP", "%"),
    column("113", "MDC_PRESS_BLD_VEN_CENT_MEAN", "mm[Hg]"),
    column("220074", "MDC_PRESS_BLD_VEN_CENT_MEAN", "mm[Hg]"),
    column("198", "VW_GCS", "1"),
    column("220739", "MDC_SCORE_EYE_SUBSC_GLAS_COMA", "1"),
    column("223900", "MDC_SCORE_SUBSC_VERBAL_GLAS_COMA", "1"),
    column("223901", "MDC_SCORE_MOTOR_SUBSC_GLAS_COMA", "1"),
    column("615", "MDC_RESP_RATE", "/min"),
    column("220224", "MDC_CONC_PO2_ART", "mm[Hg]"),
];

/// MIMIC-III laboratory items (`d_labitems`), those of blood. Blood gases are left out but for lactate and
/// ionised calcium: the tables don't say which are arterial.
pub(super) const MIMIC3_LABS: [Column; 31] = [
    column("51221", "MDC_CONC_HCT_GEN", "%"),
    column("50971", "MDC_CONC_K_SER", "mmol/L"),
    column("50822", "MDC_CONC_K_SER", "mmol/L"),
    column("50983", "MDC_CONC_NA_SERUM", "mmol/L"),
    column("50912", "MDC_CONC_CREA_SER", "mg/dL"),
    column("50902", "MDC_CONC_CHLOR_SER", "mmol/L"),
    column("51006", "MDC_CONC_BLD_UREA_NITROGEN", "mg/dL"),
    column("50882", "MDC_CONC_HCO3_GEN", "mmol/L"),
    column("50868", "MDC_CONC_AN_GAP_CALC", "mmol/L"),
    column("50931", "MDC_CONC_GLU_SER", "mg/dL"),
    column("50809", "MDC_CONC_GLU_GEN", "mg/dL"),
    column("51265", "MDC_PLTS_CNT", "10*9/L"),
    column("51222", "MDC_CONC_HB_ART", "g/dL"),
    column("51301", "VW_WBC", "10*9/L"),
    column("51279", "MDC_RB_CNT", "10*12/L"),
    column("50960", "MDC_CONC_MG_SER", "mg/dL"),
    column("50893", "MDC_CONC_CA_SER", "mg/dL"),
    column("50970", "MDC_CONC_P_SER", "mg/dL"),
    column("51275", "MDC_TIME_PD_PTT", "s"),
    column("51274", "MDC_TIME_PD_PT", "s"),
    column("51237", "MDC_PT_INTL_NORM_RATIO", "{INR}"),
    column("50885", "MDC_CONC_BILI_TOT", "mg/dL"),
    column("50861", "MDC_CONC_GPT", "U/L"),
    column("50878", "MDC_CONC_AST", "U/L"),
    column("50863", "MDC_CONC_ALP", "U/L"),
    column("50813", "MDC_CONC_LACT", "mmol/L"),
    column("50808", "MDC_CONC_CA_GEN", "mmol/L"),
    column("50862", "MDC_CONC_ALB_SER", "g/dL"),
    column("50910", "MDC_CONC_CREA_KIN_SER", "U/L"),
    column("51003", "VW_TROPONIN_T", "ng/mL"),
    column("51214", "VW_FIBRINOGEN", "mg/dL"),
];

/// Charted alarm limits of MIMIC-III (MetaVision): item, metric, and whether it is the upper one.
pub(super) const MIMIC3_LIMITS: [(&str, &str, bool); 10] = [
    ("220047", "MDC_ECG_HEART_RATE", false),
    ("220046", "MDC_ECG_HEART_RATE", true),
    ("220056", "MDC_PRESS_BLD_ART_ABP_SYS", false),
    ("220058", "MDC_PRESS_BLD_ART_ABP_SYS", true),
    ("223752", "MDC_PRESS_BLD_NONINV_SYS", false),
    ("223751", "MDC_PRESS_BLD_NONINV_SYS", true),
    ("223770", "MDC_PULS_OXIM_SAT_O2", false),
    ("223769", "MDC_PULS_OXIM_SAT_O2", true),
    ("224162", "MDC_RESP_RATE", false),
    ("224161", "MDC_RESP_RATE", true),
];

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::{Metric, Unit};

    #[test]
    fn every_column_is_a_known_metric_in_a_unit_that_converts() {
        for column in CINC2019.iter().chain(&CINC2012).chain(&MIMIC3).chain(&MIMIC3_LABS) {
            let metric = Metric::by_refid(column.metric)
                .unwrap_or_else(|| panic!("{}: no metric {}", column.name, column.metric));
            let unit = Unit::from_ucum(column.unit)
                .unwrap_or_else(|| panic!("{}: no unit {}", column.name, column.unit));
            assert!(unit.convert(1.0, metric.unit).is_some(), "{}", column.name);
        }
        for (item, metric, _) in MIMIC3_LIMITS {
            assert!(Metric::by_refid(metric).is_some(), "{item}: no metric {metric}");
        }
    }
}
