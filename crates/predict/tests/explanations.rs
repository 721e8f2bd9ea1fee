//! Explanations in words: inputs and what is said of them when one of them led.

mod common;

use common::{file, model, stump};
use predict::model::Input;

/// What the model says when the first of these inputs moved the risk.
fn said(inputs: &[(&str, f32)]) -> String {
    let names: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
    let row: Vec<f32> = inputs.iter().map(|(_, value)| *value).collect();
    // The reference is on the other side of the question, whether the input is known or missing.
    let mut file = file(&names, vec![stump(0, -1e9, 0.0, 1.0)]);
    if row[0].is_nan() {
        file.features[0] = Input { reference: Some(1.0), ..file.features[0].clone() };
    }
    let because = model(&file).judge(&row).because;
    assert_eq!(because.len(), 1, "{inputs:?}");
    because[0].text.clone()
}

const NAN: f32 = f32::NAN;

#[test]
fn sentences() {
    let table: &[(&[(&str, f32)], &str)] = &[
        (&[("Resp.last", 26.0), ("Resp.from6", 18.0), ("Resp.span6", 5.0)], "respiratory rate rising 18→26 over 5 h"),
        (&[("Resp.slope6", 1.6), ("Resp.last", 26.0), ("Resp.from6", 18.0), ("Resp.span6", 5.0)], "respiratory rate rising 18→26 over 5 h"),
        (&[("Resp.last", 26.0), ("Resp.from6", 25.0), ("Resp.span6", 5.0)], "respiratory rate high, 26/min"),
        (&[("Resp.last", 16.0)], "respiratory rate 16/min"),
        (&[("Lactate.last", NAN)], "lactate missing"),
        (&[("Lactate.age", NAN), ("Lactate.last", NAN)], "lactate missing"),
        (&[("Lactate.count", 0.0), ("Lactate.last", NAN)], "lactate missing"),
        (&[("Lactate.age", NAN)], "lactate missing"),
        (&[("Lactate.last", 4.2), ("Lactate.age", 8.0)], "lactate high, 4.2 mmol/L, 8 h ago"),
        (&[("Lactate.age", 14.0), ("Lactate.last", 1.1)], "lactate last measured 14 h ago"),
        (&[("Lactate.count", 5.0), ("Lactate.last", 1.1)], "lactate measured in 5 h of the stay"),
        (&[("SBP.last", 88.0)], "systolic pressure low, 88 mmHg"),
        (&[("SBP.last", 88.0), ("SBP.from12", 121.0), ("SBP.span12", 9.0)], "systolic pressure falling 121→88 mmHg over 9 h"),
        (&[("SBP.min12", 82.0), ("SBP.last", 110.0)], "systolic pressure down to 82 mmHg in 12 h"),
        (&[("SBP.sd12", 17.6), ("SBP.last", 110.0)], "systolic pressure varying by ±18 mmHg over 12 h"),
        (&[("WBC.last", 18.2), ("WBC.change", 6.1), ("WBC.gap", 7.0)], "white cells high, 18.2×10⁹/L (+6.1 in 7 h)"),
        (&[("Platelets.last", 90.0), ("Platelets.change", -80.0), ("Platelets.gap", 12.0)], "platelets low, 90×10⁹/L (−80 in 12 h)"),
        (&[("Temp.last", 39.2), ("Temp.from6", 37.1), ("Temp.span6", 4.0)], "temperature rising 37.1→39.2 °C over 4 h"),
        (&[("Temp.max12", 39.2), ("Temp.last", 37.0)], "temperature up to 39.2 °C in 12 h"),
        (&[("Temp.rate", 0.8), ("Temp.last", 37.0)], "temperature measured in 80% of hours"),
        (&[("O2Sat.last", 91.0), ("O2Sat.age", 3.0)], "oxygen saturation low, 91%, 3 h ago"),
        (&[("HR.mean12", 112.0), ("HR.last", 118.0)], "heart rate 112/min on average over 12 h"),
        (&[("HR.slope12", 2.26)], "heart rate rising by 2.3/min an hour over 12 h"),
        (&[("GCS.last", 9.0), ("GCS.from12", 14.0), ("GCS.span12", 8.0)], "Glasgow coma scale falling 14→9 over 8 h"),
        (&[("BaseExcess.last", -8.0)], "base excess low, −8 mmol/L"),
        (&[("pH.last", 7.21)], "arterial pH low, 7.21"),
        (&[("Urine.sum6", 90.0), ("Urine.hours6", 6.0)], "urine output 90 mL in 6 h"),
        (&[("MechVent.last", 1.0)], "mechanically ventilated"),
        (&[("shock-index", 1.25)], "shock index: 1.25"),
        (&[("shock-index", NAN)], "shock index unknown"),
        (&[("sirs", 3.0)], "SIRS criteria met: 3"),
        (&[("labs-measured.24", 31.0)], "31 laboratory values measured within 24 h"),
        (&[("vitals-measured.6", 0.0)], "no vital signs measured within 6 h"),
        (&[("age", 84.7)], "age 84 years"),
        (&[("male", 0.0)], "female"),
        (&[("surgical-unit", 1.0)], "surgical unit"),
        (&[("hospital-hours", -30.4)], "in hospital 30 h before the unit"),
        (&[("stay-hours", 14.0)], "14 h in the unit"),
    ];
    for (inputs, expected) in table {
        assert_eq!(said(inputs), *expected, "{inputs:?}");
    }
}

#[test]
fn features_of_one_variable_speak_together_and_the_greatest_first() {
    let trees = vec![stump(0, -1e9, 0.0, 0.25), stump(1, -1e9, 0.0, 0.5), stump(2, -1e9, 0.0, -0.5), stump(3, -1e9, 0.0, 0.01)];
    let model = model(&file(&["Resp.last", "Resp.mean6", "SBP.last", "HR.last"], trees));
    let because = model.judge(&[26.0, 24.0, 118.0, 70.0]).because;
    let told: Vec<_> = because.iter().map(|one| (one.feature, one.log_odds, one.text.as_str())).collect();
    assert_eq!(
        told,
        [(1, 0.75, "respiratory rate 24/min on average over 6 h"), (2, -0.5, "systolic pressure 118 mmHg")]
    );
}
