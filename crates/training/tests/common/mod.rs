//! Patients made up by lot, as records of the Challenge 2019: some get worse over the hours, and get sepsis.

use std::fmt::Write;
use std::path::Path;

use training::draw::Draw;

const HEADER: &str = "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|BaseExcess|HCO3|FiO2|pH|PaCO2|SaO2|AST|BUN|Alkalinephos|Calcium|Chloride|Creatinine|Bilirubin_direct|Glucose|Lactate|Magnesium|Phosphate|Potassium|Bilirubin_total|TroponinI|Hct|Hgb|PTT|WBC|Fibrinogen|Platelets|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel";

/// Writes records of so many patients into a folder.
pub fn write(folder: &Path, patients: usize, seed: u64) {
    for patient in 0..patients {
        let mut draw = Draw::new(seed * 100_000 + patient as u64);
        let hours = 24 + draw.below(30);
        let worse_from = (draw.unit() < 0.3).then(|| 10 + draw.below(hours - 12));
        let mut text = String::from(HEADER);
        for hour in 0..hours {
            let bad = worse_from.map_or(0.0, |from| (hour as f64 - from as f64 + 8.0).clamp(0.0, 14.0));
            let mut fields = vec![String::from("NaN"); 34];
            let mut put = |column: usize, value: f64, share: f64| {
                if draw.unit() < share {
                    fields[column] = format!("{value:.1}");
                }
            };
            put(0, 80.0 + 4.0 * bad, 0.9);
            put(1, 97.0 - 0.4 * bad, 0.9);
            put(2, 36.8 + 0.1 * bad, 0.3);
            put(3, 125.0 - 4.0 * bad, 0.9);
            put(4, 88.0 - 2.5 * bad, 0.9);
            put(5, 70.0 - 2.0 * bad, 0.9);
            put(6, 16.0 + 0.8 * bad, 0.9);
            put(22, 1.2 + 0.3 * bad, 0.1);
            put(31, 9.0 + bad, 0.05);
            let noisy: Vec<String> = fields
                .iter()
                .map(|field| field.parse::<f64>().map_or(field.clone(), |value| if value.is_nan() { field.clone() } else { format!("{:.1}", value * (1.0 + 0.04 * (draw.unit() - 0.5))) }))
                .collect();
            let label = u8::from(worse_from.is_some_and(|from| hour >= from));
            let _ = write!(text, "\n{}|{}|{}|NaN|NaN|-10|{}|{label}", noisy.join("|"), 30 + patient % 60, patient % 2, hour + 1);
        }
        let path = folder.join(format!("p{:06}.psv", seed * 1_000 + patient as u64));
        std::fs::write(path, text).expect("records are written");
    }
}
