//! Metrics: what can be measured, by IEEE 11073-10101 code, with LOINC where one exists.
//!
//! The table is `metrics.csv` beside this file. A metric's code never changes; what is not in the
//! nomenclature lives in its private partition 1024. The last column lists other names of the same
//! thing, separated by spaces: reference ids, context-free codes and LOINC codes that devices and
//! laboratories send for it. Cardiac implants (IEEE 11073-10103) have a table of their own,
//! `implants.csv`, with the same columns: their codes are counted out by chamber, electrode and
//! step, as the messages show that the European project iCARDEA and the open viewer OpenPace
//! publish; where these name a code differently, both names are kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Unit;

/// A context-free IEEE 11073-10101 code: partition × 65,536 + code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MetricCode(pub u32);

/// What a metric's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Numbers.
    Numeric,
    /// A group of numerics, such as a blood pressure; its parts are metrics of their own.
    Compound,
    /// Named states with numbers.
    Enumeration,
    /// Waveforms.
    SampleArray,
    /// Free text.
    Text,
}

/// One row of the metric table.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Code.
    pub code: MetricCode,
    /// Reference id (`MDC_ECG_HEART_RATE`); ours begin with `VW_`.
    pub refid: &'static str,
    /// LOINC code, if there is one.
    pub loinc: Option<&'static str>,
    /// Short label for tiles (`HR`).
    pub label: &'static str,
    /// Name for people (`Heart rate`).
    pub name: &'static str,
    /// What its values are.
    pub kind: MetricKind,
    /// The unit that values are stored and shown in.
    pub unit: Unit,
    /// Group for pages: `vital`, `haemodynamic`, `cardiac`, `gas`, `ventilation`, `pump`,
    /// `glucose`, `body`, `activity`, `spirometry`, `fluid`, `lab`, `device`, `waveform`, `score`, `risk` (by a model).
    pub category: &'static str,
    /// What a living adult or child can have, inclusive; outside it a value is implausible.
    pub plausible: Option<(f64, f64)>,
    /// How long, in seconds, a value may stand as the present one.
    pub stale_after_s: u32,
    /// The largest change in one second that a body makes, in the metric's unit; 0: not checked.
    pub max_step_per_s: f64,
    /// Decimal places that people read.
    pub decimals: u8,
}

struct Table {
    rows: Vec<Metric>,
    by_code: HashMap<u32, usize>,
    by_refid: HashMap<&'static str, usize>,
    by_loinc: HashMap<&'static str, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        rows: Vec::new(),
        by_code: HashMap::new(),
        by_refid: HashMap::new(),
        by_loinc: HashMap::new(),
    };
    let mut aliases = Vec::new();
    let tables = [include_str!("metrics.csv"), include_str!("implants.csv")];
    for line in tables.iter().flat_map(|table| table.lines().skip(1)).filter(|l| !l.is_empty()) {
        let row = parse_row(line);
        aliases.extend(line.rsplit(',').next().map(|names| (table.rows.len(), names)));
        let at = table.rows.len();
        table.by_code.insert(row.code.0, at);
        table.by_refid.insert(row.refid, at);
        if let Some(loinc) = row.loinc {
            table.by_loinc.entry(loinc).or_insert(at);
        }
        table.rows.push(row);
    }
    // After all rows, so that a name of its own always goes before an alias.
    for (at, names) in aliases {
        for name in names.split(' ').filter(|name| !name.is_empty()) {
            if let Ok(code) = name.parse() {
                table.by_code.entry(code).or_insert(at);
            } else if name.contains('-') {
                table.by_loinc.entry(name).or_insert(at);
            } else {
                table.by_refid.entry(name).or_insert(at);
            }
        }
    }
    table
});

fn parse_row(line: &'static str) -> Metric {
    let f: Vec<&'static str> = line.split(',').collect();
    let number = |text: &str| text.parse::<f64>().ok();
    Metric {
        refid: f[0],
        code: MetricCode(f[1].parse().expect("metrics.csv: the code is a number")),
        loinc: (!f[2].is_empty()).then_some(f[2]),
        label: f[3],
        name: f[4],
        kind: match f[5] {
            "numeric" => MetricKind::Numeric,
            "compound" => MetricKind::Compound,
            "enumeration" => MetricKind::Enumeration,
            "samples" => MetricKind::SampleArray,
            _ => MetricKind::Text,
        },
        unit: Unit::from_ucum(f[6]).expect("metrics.csv: units are in units.csv"),
        category: f[7],
        plausible: number(f[8]).zip(number(f[9])),
        stale_after_s: f[10].parse().expect("metrics.csv: seconds are a whole number"),
        max_step_per_s: number(f[11]).unwrap_or(0.0),
        decimals: f[12].parse().expect("metrics.csv: decimals are a whole number"),
    }
}

impl Metric {
    /// Every metric, in table order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.rows.iter()
    }

    /// The metric with this reference id (`MDC_ECG_HEART_RATE`), its own or an alias.
    #[must_use]
    pub fn by_refid(refid: &str) -> Option<&'static Self> {
        TABLE.by_refid.get(refid).map(|at| &TABLE.rows[*at])
    }

    /// The metric with this LOINC code, its own or an alias; where several share one, the first in
    /// the table.
    #[must_use]
    pub fn by_loinc(loinc: &str) -> Option<&'static Self> {
        TABLE.by_loinc.get(loinc).map(|at| &TABLE.rows[*at])
    }
}

impl Metric {
    /// `value` in `from` as a value in the metric's own unit: within one dimension by the unit
    /// table, between mass and amount of substance by the metric's [`crate::Analyte`]; none when
    /// `from` measures something else.
    #[must_use]
    pub fn normalise(&self, value: f64, from: Unit) -> Option<f64> {
        from.convert(value, self.unit)
            .or_else(|| crate::Analyte::of(self.code)?.convert(value, from, self.unit))
    }
}

impl MetricCode {
    /// The code under which the table keeps the metric: itself, unless it is an alias (153728,
    /// `MDC_SCORE_GLAS_COMA`, is kept as [`code::GCS`]) or the table does not have it. Whoever
    /// makes a code from a number on a wire takes this.
    #[must_use]
    pub fn canonical(self) -> Self {
        self.metric().map_or(self, |metric| metric.code)
    }

    /// The metric's row, if the table has it under this code or an alias.
    #[must_use]
    pub fn metric(self) -> Option<&'static Metric> {
        TABLE.by_code.get(&self.0).map(|at| &TABLE.rows[*at])
    }

    /// The reference id, or the number where the table has none.
    #[must_use]
    pub fn refid(self) -> String {
        self.metric().map_or_else(|| self.0.to_string(), |metric| metric.refid.to_owned())
    }
}

impl fmt::Debug for MetricCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.refid())
    }
}

/// Codes that code names.
pub mod code {
    use super::MetricCode;

    /// Heart rate from the ECG.
    pub const HEART_RATE: MetricCode = MetricCode(147_842);
    /// Pulse rate from the oximeter.
    pub const PULSE_RATE: MetricCode = MetricCode(149_530);
    /// Oxygen saturation by pulse oximetry.
    pub const SPO2: MetricCode = MetricCode(150_456);
    /// Respiratory rate.
    pub const RESP_RATE: MetricCode = MetricCode(151_562);
    /// Body temperature.
    pub const TEMPERATURE: MetricCode = MetricCode(150_364);
    /// Non-invasive blood pressure, the compound.
    pub const NIBP: MetricCode = MetricCode(150_020);
    /// Its systolic part.
    pub const NIBP_SYS: MetricCode = MetricCode(150_021);
    /// Its diastolic part.
    pub const NIBP_DIA: MetricCode = MetricCode(150_022);
    /// Its mean part.
    pub const NIBP_MEAN: MetricCode = MetricCode(150_023);
    /// Arterial pressure, the compound and the waveform.
    pub const ABP: MetricCode = MetricCode(150_036);
    /// Its systolic part.
    pub const ABP_SYS: MetricCode = MetricCode(150_037);
    /// Its diastolic part.
    pub const ABP_DIA: MetricCode = MetricCode(150_038);
    /// Its mean part.
    pub const ABP_MEAN: MetricCode = MetricCode(150_039);
    /// Arterial pressure of an unnamed line, systolic.
    pub const ART_SYS: MetricCode = MetricCode(150_033);
    /// Arterial pressure of an unnamed line, diastolic.
    pub const ART_DIA: MetricCode = MetricCode(150_034);
    /// Temperature of an unnamed site.
    pub const TEMP: MetricCode = MetricCode(150_344);
    /// End-tidal CO2.
    pub const ETCO2: MetricCode = MetricCode(151_728);
    /// Level of consciousness as ACVPU: 0 alert, 1 new confusion, 2 voice, 3 pain, 4 unresponsive.
    pub const CONSCIOUSNESS: MetricCode = MetricCode(67_108_865);
    /// On supplemental oxygen: 0 air, 1 oxygen.
    pub const SUPPLEMENTAL_OXYGEN: MetricCode = MetricCode(67_108_866);
    /// Glasgow coma scale, total (LOINC 9269-2).
    pub const GCS: MetricCode = MetricCode(67_108_867);
    /// Mechanical ventilation: 0 no, 1 yes.
    pub const VENTILATION: MetricCode = MetricCode(67_108_874);
    /// Obstetric status (LOINC 82810-3): 0 not pregnant, 1 pregnant, 2 gave birth within six weeks.
    pub const OBSTETRIC: MetricCode = MetricCode(67_108_875);
    /// Drugs for the circulation by the steps of SOFA: 0 none, 1 dopamine up to 5 μg/kg/min or
    /// dobutamine, 2 dopamine above 5 or (nor)adrenaline up to 0.1, 3 dopamine above 15 or (nor)adrenaline above 0.1.
    pub const VASOACTIVE: MetricCode = MetricCode(67_108_876);
    /// Ratio of SpO2 in percent to the inspired fraction of oxygen.
    pub const SF_RATIO: MetricCode = MetricCode(67_108_877);
    /// NEWS2 total.
    pub const NEWS2: MetricCode = MetricCode(67_108_880);
    /// qSOFA.
    pub const QSOFA: MetricCode = MetricCode(67_108_881);
    /// SIRS criteria met.
    pub const SIRS: MetricCode = MetricCode(67_108_882);
    /// Shock index.
    pub const SHOCK_INDEX: MetricCode = MetricCode(67_108_883);
    /// MEWS.
    pub const MEWS: MetricCode = MetricCode(67_108_884);
    /// PEWS.
    pub const PEWS: MetricCode = MetricCode(67_108_885);
    /// Highest points of any one parameter of NEWS2: 3 is a red score. For policies only, never kept.
    pub const NEWS2_MAX: MetricCode = MetricCode(67_108_886);
    /// SOFA.
    pub const SOFA: MetricCode = MetricCode(67_108_887);
    /// MEOWS.
    pub const MEOWS: MetricCode = MetricCode(67_108_888);
    /// Risk of sepsis by a predictive model, 0 to 1.
    pub const RISK_SEPSIS: MetricCode = MetricCode(67_108_890);
    /// Risk of deterioration by a model of vital signs and laboratory values, 0 to 1.
    pub const RISK_DETERIORATION: MetricCode = MetricCode(67_108_891);
    /// Risk of deterioration by a model of vital signs alone, 0 to 1.
    pub const RISK_DETERIORATION_VITALS: MetricCode = MetricCode(67_108_892);
    /// Risk of death in hospital by a model, 0 to 1.
    pub const RISK_MORTALITY: MetricCode = MetricCode(67_108_893);
    /// Risk of sepsis in 6 to 24 hours by a model, 0 to 1.
    pub const RISK_SEPSIS_AHEAD: MetricCode = MetricCode(67_108_894);
    /// A heart beat: the code of its kind, 1 normal, 2 supraventricular, 3 ventricular, 4 paced,
    /// 5 fusion, 6 unclassifiable.
    pub const BEAT: MetricCode = MetricCode(67_109_070);
    /// The rhythm that holds, by analysis of the waveforms.
    pub const RHYTHM: MetricCode = MetricCode(67_109_071);
    /// A change of alarm limits that follow the patient's own normal, as a text.
    pub const LIMIT_CHANGE: MetricCode = MetricCode(67_109_132);
    /// Why a waveform is not to be believed; 0: it is.
    pub const SIGNAL_REASON: MetricCode = MetricCode(67_109_072);
    /// From the R peak to the foot of the pulse, in milliseconds.
    pub const PULSE_ARRIVAL_TIME: MetricCode = MetricCode(67_109_073);
    /// Signal quality, in percent.
    pub const SIGNAL_QUALITY: MetricCode = MetricCode(67_109_061);
    /// Heart rate variability: standard deviation of normal intervals, in milliseconds.
    pub const SDNN: MetricCode = MetricCode(67_109_034);
    /// Heart rate variability: root mean square of successive differences, in milliseconds.
    pub const RMSSD: MetricCode = MetricCode(67_109_032);
    /// Plethysmogram.
    pub const PLETH: MetricCode = MetricCode(150_452);
    /// Arterial pressure of an unnamed line, the waveform and the group.
    pub const ART: MetricCode = MetricCode(150_032);
    /// Respiration, method not stated.
    pub const RESP: MetricCode = MetricCode(151_552);
    /// Respiration by impedance.
    pub const IMPEDANCE: MetricCode = MetricCode(151_780);
    /// Battery level of the device.
    pub const BATTERY: MetricCode = MetricCode(67_996);
    /// Fraction of inspired oxygen.
    pub const FIO2: MetricCode = MetricCode(152_196);
    /// CO2 partial pressure of arterial blood.
    pub const PACO2: MetricCode = MetricCode(159_752);
    /// Oxygen partial pressure of arterial blood.
    pub const PAO2: MetricCode = MetricCode(159_756);
    /// Ratio of PaO2 to FiO2, in mmHg.
    pub const PF_RATIO: MetricCode = MetricCode(194_708);
    /// Mean arterial pressure of an unnamed line.
    pub const ART_MEAN: MetricCode = MetricCode(150_035);
    /// Platelets.
    pub const PLATELETS: MetricCode = MetricCode(192_871);
    /// Total bilirubin.
    pub const BILIRUBIN: MetricCode = MetricCode(192_887);
    /// Creatinine in serum.
    pub const CREATININE: MetricCode = MetricCode(194_599);
    /// White cell count (LOINC 6690-2).
    pub const WBC: MetricCode = MetricCode(67_108_900);
    /// Capillary refill time in seconds.
    pub const CAPILLARY_REFILL: MetricCode = MetricCode(67_108_868);
    /// Respiratory effort for PEWS: 0 none, 1 mild, 2 moderate, 3 severe.
    pub const RESPIRATORY_EFFORT: MetricCode = MetricCode(67_108_869);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        let mut refids = std::collections::HashSet::new();
        let mut codes = std::collections::HashSet::new();
        for metric in Metric::all() {
            assert!(refids.insert(metric.refid), "{} twice", metric.refid);
            assert!(codes.insert(metric.code.0), "{} twice", metric.code.0);
            assert!(!metric.label.is_empty() && !metric.name.is_empty(), "{}", metric.refid);
            if let Some((low, high)) = metric.plausible {
                assert!(low < high, "{}", metric.refid);
            }
            assert!(metric.loinc.is_none_or(valid_loinc), "{}", metric.refid);
            assert!(metric.refid.starts_with("VW_") == (metric.code.0 >> 16 == 1024));
            assert_eq!(metric.code.metric().map(|m| m.refid), Some(metric.refid));
        }
        assert!(codes.len() >= 200);
        for line in include_str!("metrics.csv").lines().chain(include_str!("implants.csv").lines()) {
            assert_eq!(line.split(',').count(), 14, "{line}");
        }
    }

    /// LOINC's check digit (mod 10, the Luhn way).
    fn valid_loinc(code: &str) -> bool {
        let Some((number, check)) = code.split_once('-') else { return false };
        let sum: u32 = number
            .bytes()
            .rev()
            .enumerate()
            .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 })
            .map(|n| n / 10 + n % 10)
            .sum();
        check.parse() == Ok((10 - sum % 10) % 10)
    }

    #[test]
    fn aliases_lead_to_the_metric() {
        for (name, refid) in [
            ("MDC_SCORE_GLAS_COMA", "VW_GCS"),
            ("MDC_ECG_CARD_BEAT_RATE", "MDC_ECG_HEART_RATE"),
            ("MDC_ECG_LEAD_II", "MDC_ECG_ELEC_POTL_II"),
        ] {
            assert_eq!(Metric::by_refid(name).map(|m| m.refid), Some(refid));
        }
        for (code, canonical) in [(153_728, code::GCS), (149_538, code::PULSE_RATE)] {
            assert_eq!(MetricCode(code).canonical(), canonical);
        }
        assert_eq!(MetricCode(1).canonical(), MetricCode(1));
        for loinc in ["2708-6", "59408-5"] {
            assert_eq!(Metric::by_loinc(loinc).map(|m| m.code), Some(code::SPO2));
        }
    }

    #[test]
    fn named_codes_are_in_the_table() {
        for (code, refid) in [
            (code::HEART_RATE, "MDC_ECG_HEART_RATE"),
            (code::SPO2, "MDC_PULS_OXIM_SAT_O2"),
            (code::RESP_RATE, "MDC_RESP_RATE"),
            (code::NIBP_SYS, "MDC_PRESS_BLD_NONINV_SYS"),
            (code::NEWS2, "VW_SCORE_NEWS2"),
            (code::SOFA, "VW_SCORE_SOFA"),
            (code::MEOWS, "VW_SCORE_MEOWS"),
            (code::OBSTETRIC, "VW_OBSTETRIC_STATUS"),
            (code::VENTILATION, "VW_MECHANICAL_VENTILATION"),
            (code::VASOACTIVE, "VW_VASOACTIVE"),
            (code::SF_RATIO, "VW_RATIO_SPO2_FIO2"),
            (code::PF_RATIO, "MDC_RATIO_PaO2_FIO2"),
            (code::PAO2, "MDC_CONC_PO2_ART"),
            (code::PACO2, "MDC_CONC_PCO2_ART"),
            (code::ART_MEAN, "MDC_PRESS_BLD_ART_MEAN"),
            (code::PLATELETS, "MDC_PLTS_CNT"),
            (code::BILIRUBIN, "MDC_CONC_BILI_TOT"),
            (code::CREATININE, "MDC_CONC_CREA_SER"),
            (code::RISK_SEPSIS, "VW_RISK_SEPSIS"),
            (code::RISK_MORTALITY, "VW_RISK_MORTALITY"),
            (code::RISK_SEPSIS_AHEAD, "VW_RISK_SEPSIS_AHEAD"),
        ] {
            assert_eq!(code.metric().map(|m| m.refid), Some(refid));
        }
    }
}
