//! Scores that are for some patients alone: MEOWS for obstetric ones, SOFA for those with a laboratory.

mod common;

use common::*;
use vitals::MetricCode;
use vitals::metric::code::{
    BILIRUBIN, CREATININE, GCS, HEART_RATE, MEOWS, NEWS2, NIBP_DIA, NIBP_MEAN, NIBP_SYS, OBSTETRIC, PACO2, PAO2,
    PF_RATIO, PLATELETS, RESP_RATE, SIRS, SOFA, SPO2,
};

fn value(run: &Run, metric: MetricCode) -> Option<f64> {
    run.engine.patient(&patient("a")).expect("the patient is known").scores.term(metric)
}

fn primary(run: &Run) -> MetricCode {
    run.engine.patient(&patient("a")).expect("the patient is known").scores.primary()
}

fn well() -> Run {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    run.at(1.0, says("m", 1.0, &WELL));
    run
}

#[test]
fn meows_is_for_whom_a_pregnancy_is_charted() {
    let mut run = well();
    assert_eq!((value(&run, MEOWS), primary(&run)), (None, NEWS2));
    run.at(2.0, says("m", 2.0, &[(OBSTETRIC, 1.0)]));
    assert_eq!((value(&run, MEOWS), primary(&run)), (Some(0.0), MEOWS));
    assert!(value(&run, NEWS2).is_some(), "no rule of a site loses what it looks at");
    run.at(3.0, says("m", 3.0, &[(OBSTETRIC, 0.0)]));
    assert_eq!((value(&run, MEOWS), primary(&run)), (None, NEWS2));
    run.at(4.0, says("m", 4.0, &[(OBSTETRIC, 2.0)]));
    assert_eq!(primary(&run), MEOWS, "six weeks after a birth");
}

#[test]
fn two_yellow_or_one_red_alert_and_are_told_in_words() {
    let mut run = well();
    run.at(2.0, says("m", 2.0, &[(OBSTETRIC, 1.0), (NIBP_SYS, 118.0), (NIBP_DIA, 70.0)]));
    for second in 3..=60 {
        run.at(f64::from(second), says("m", f64::from(second), &WELL));
    }
    assert_eq!(run.story(), []);
    for second in 61..100 {
        let values = [(HEART_RATE, 78.0), (RESP_RATE, 15.0), (SPO2, 97.0), (NIBP_SYS, 152.0), (NIBP_DIA, 96.0)];
        run.at(f64::from(second), says("m", f64::from(second), &values));
    }
    let (_, record) = run.alerts.first().expect("two yellow parameters raise an alert");
    let reason = &record.episode.reason;
    assert!(reason.contains("MEOWS 2"), "{reason}");
    assert!(reason.contains("SYS 152 mmHg (+1)") && reason.contains("DIA 96 mmHg (+1)"), "{reason}");
    assert_eq!(record.episode.priority, alert::Priority::Medium);
}

#[test]
fn sofa_is_told_with_a_laboratory_and_says_what_it_does_not_know() {
    let mut run = well();
    run.at(2.0, says("m", 2.0, &[(GCS, 14.0), (NIBP_MEAN, 64.0)]));
    assert_eq!(value(&run, SOFA), None, "little of it is known without a laboratory");
    run.at(3.0, associate("lab", "a", None));
    run.at(4.0, says("lab", 4.0, &[(CREATININE, 2.2), (BILIRUBIN, 0.7), (PLATELETS, 90.0), (PF_RATIO, 260.0)]));
    assert_eq!(value(&run, SOFA), Some(1.0 + 1.0 + 2.0 + 2.0 + 2.0));
    let state = run.engine.patient(&patient("a")).expect("the patient is known");
    let score = state.scores.get(SOFA).expect("SOFA is computed");
    assert!(!score.complete, "nobody said whether drugs are given");
}

#[test]
fn a_blood_gas_counts_for_sirs() {
    let mut run = well();
    let before = value(&run, SIRS);
    run.at(2.0, says("m", 2.0, &[(PACO2, 28.0), (PAO2, 70.0)]));
    assert_eq!(value(&run, SIRS), before.map(|points| points + 1.0));
}
