//! Features: names, and numbers worked out by hand.

mod common;

use std::collections::HashSet;

use common::stay;
use predict::feature::{self, Feature, Plan, Windows};
use predict::history::HOUR_US;
use predict::{History, Person, Variable as V};

fn row(history: &History, plan: &Plan) -> Vec<f32> {
    let mut row = Vec::new();
    plan.fill(history, &mut Windows::default(), &mut row);
    row
}

#[test]
fn every_feature_has_one_name() {
    let all = feature::all();
    let names: HashSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), all.len());
    for feature in all {
        assert_eq!(feature.to_string().parse(), Ok(feature));
    }
}

#[test]
fn other_names_are_refused() {
    for name in
        ["", ".", "HR", "HR.", "HR.mean", "HR.mean0", "HR.mean06", "HR.mean25", "HR.mean-6", "hr.last", "HR.last6", "Sepsis.last", "vitals-measured", "vitals-measured.0", "age.6"]
    {
        // `HR.mean` is the stay's mean.
        assert_eq!(name.parse::<Feature>().is_ok(), name == "HR.mean", "{name:?}");
    }
    let error = Plan::new(["HR.last", "ECG.last"]).expect_err("no such variable");
    assert_eq!(error.to_string(), "no feature is called \"ECG.last\"; `HR.last`, `Resp.slope6` and `age` are some");
}

#[test]
fn a_part_of_the_plan_gives_the_same_numbers() {
    let history = stay(&[(V::HeartRate, 0.0, 80.0), (V::HeartRate, 3.0, 95.0), (V::Lactate, 2.0, 4.0)]);
    let all = feature::all();
    let whole = row(&history, &Plan::of(all.clone()));
    for (feature, value) in all.iter().zip(whole) {
        assert_eq!(row(&history, &Plan::of(vec![*feature]))[0].to_bits(), value.to_bits(), "{feature}");
    }
}

#[test]
fn numbers_by_hand() {
    let mut history = stay(&[
        (V::RespRate, 0.0, 14.0),
        (V::RespRate, 2.0, 18.0),
        (V::RespRate, 4.0, 20.0),
        (V::RespRate, 7.0, 26.0),
        (V::HeartRate, 7.0, 120.0),
        (V::Systolic, 7.0, 96.0),
        (V::Diastolic, 7.0, 60.0),
        (V::OxygenSaturation, 7.0, 91.0),
        (V::InspiredOxygen, 6.0, 50.0),
        (V::ArterialO2, 6.0, 70.0),
        (V::Temperature, 6.0, 38.6),
        (V::WhiteCells, 1.0, 12.1),
        (V::WhiteCells, 6.0, 18.2),
        (V::MeanPressure, 5.0, 60.0),
        (V::MeanPressure, 6.0, 64.0),
        (V::MeanPressure, 7.0, 72.0),
        (V::Chloride, 2.0, 100.0),
        (V::Bicarbonate, 2.0, 16.0),
        (V::ComaScale, 3.0, 14.0),
    ]);
    history.advance(8 * HOUR_US + 5);
    for (name, expected) in [
        ("Resp.last", 26.0),
        ("Resp.age", 1.0),
        ("Resp.count", 4.0),
        ("Resp.rate", 4.0 / 9.0),
        ("Resp.change", 6.0),
        ("Resp.gap", 3.0),
        ("Resp.own", 26.0 - 19.5),
        ("Resp.first", 14.0),
        ("Resp.low", 14.0),
        ("Resp.high", 26.0),
        ("Resp.mean6", 23.0),
        ("Resp.from6", 20.0),
        ("Resp.span6", 3.0),
        ("Resp.hours6", 2.0),
        ("Resp.slope6", 2.0),
        ("Resp.sd6", 4.242_640_5),
        ("Resp.mean24", 19.5),
        ("WBC.change", 18.2 - 12.1),
        ("WBC.gap", 5.0),
        ("Lactate.last", f32::NAN),
        ("Lactate.age", f32::NAN),
        ("Lactate.count", 0.0),
        ("Lactate.change", f32::NAN),
        ("HR.slope6", f32::NAN),
        ("shock-index", 1.25),
        ("pulse-pressure", 36.0),
        ("saturation-to-oxygen", 182.0),
        ("oxygen-to-oxygen", 140.0),
        ("anion-gap", 24.0),
        ("sirs", 4.0),
        ("qsofa", 3.0),
        ("news", 11.0),
        ("sofa", 4.0),
        ("low-pressure-hours", 2.0),
        ("mean-pressure-own-lowest", 12.0),
        ("vitals-measured.1", 0.0),
        ("vitals-measured.6", 11.0),
        ("labs-measured.6", 3.0),
        ("labs-known", 5.0),
        ("stay-hours", 9.0),
        ("age", 60.0),
        ("male", f32::NAN),
        ("body-mass-index", f32::NAN),
    ] {
        let found = row(&history, &Plan::new([name]).expect("a feature"))[0];
        let same = (found - expected).abs() <= 1e-6 || (found.is_nan() && expected.is_nan());
        assert!(same, "{name}: {found}, not {expected}");
    }
}

#[test]
fn what_cannot_be_divided_is_missing() {
    let person = Person { height: 0.0, ..Person::UNKNOWN };
    let mut history = History::new(person, 0);
    history.observe(V::Weight, 0, 70.0);
    assert!(row(&history, &Plan::new(["body-mass-index"]).expect("a feature"))[0].is_nan());
}

#[test]
fn what_left_the_window_counts_for_the_stay() {
    let mut values: Vec<(V, f64, f32)> = (0..60).map(|hour| (V::HeartRate, f64::from(hour), 60.0 + hour as f32)).collect();
    values.extend([(V::Lactate, 1.0, 2.0), (V::Lactate, 3.0, 5.0)]);
    values.sort_by(|a, b| a.1.total_cmp(&b.1));
    let history = stay(&values);
    for (name, expected) in [
        ("HR.count", 60.0),
        ("HR.mean", 89.5),
        ("HR.low", 60.0),
        ("HR.high", 119.0),
        ("HR.first", 60.0),
        ("HR.min24", 96.0),
        ("HR.slope12", 1.0),
        ("Lactate.last", 5.0),
        ("Lactate.age", 56.0),
        ("Lactate.change", 3.0),
        ("Lactate.gap", 2.0),
        ("Lactate.own", 1.5),
        ("Lactate.hours24", 0.0),
    ] {
        assert_eq!(row(&history, &Plan::new([name]).expect("a feature"))[0], expected, "{name}");
    }
}
