//! Drift: what has shifted is seen, what has not is left alone, and counting stays bounded.

mod common;

use common::{Numbers, file, model, stump};
use predict::drift::{Drift, ROWS_LEAST, SUM_SHIFTED};
use predict::model::Distribution;
use predict::Model;

/// A model of two inputs, both even between 0 and 100 in training, one of ten missing.
fn even() -> Model {
    let mut file = file(&["HR.last", "Lactate.last"], vec![stump(0, 100.0, -1.0, 1.0)]);
    for input in &mut file.features {
        let mut values: Vec<f32> = (0..9_000).map(|n| n as f32 / 90.0).collect();
        values.resize(10_000, f32::NAN);
        input.distribution = Distribution::of(&mut values);
    }
    model(&file)
}

fn watch(rows: u32, mut row: impl FnMut(&mut Numbers) -> [f32; 2]) -> Drift {
    let model = even();
    let mut drift = Drift::new(&model);
    let mut numbers = Numbers(7);
    for _ in 0..rows {
        drift.count(&model, &row(&mut numbers));
    }
    drift
}

fn usual(numbers: &mut Numbers) -> f32 {
    if numbers.below(10) == 0 { f32::NAN } else { numbers.below(10_000) as f32 / 100.0 }
}

#[test]
fn inputs_that_shift_are_named() {
    let model = even();
    let names = |drift: &Drift| drift.shifted(&model).into_iter().map(|shift| shift.name).collect::<Vec<_>>();
    assert!(names(&watch(5_000, |n| [usual(n), usual(n)])).is_empty(), "the same population");
    assert!(names(&watch(ROWS_LEAST - 1, |_| [200.0, 200.0])).is_empty(), "too few to tell");
    assert_eq!(names(&watch(5_000, |n| [usual(n), usual(n) / 2.0])), ["Lactate.last"], "values halved");
    let missing = watch(5_000, |n| [usual(n), if n.below(2) == 0 { f32::NAN } else { usual(n) }]);
    assert_eq!(names(&missing), ["Lactate.last"], "missing more often");
    let told = missing.shifted(&model)[0].to_string();
    assert!(told.starts_with("Lactate.last: stability index 0.0") && told.ends_with("10% in training"), "{told}");
}

#[test]
fn the_past_fades() {
    let model = even();
    let mut drift = watch(60_000, |_| [90.0, f32::NAN]);
    assert!(drift.rows() < 50_000 && !drift.shifted(&model).is_empty());
    let mut numbers = Numbers(1);
    for _ in 0..400_000 {
        drift.count(&model, &[usual(&mut numbers), usual(&mut numbers)]);
    }
    assert!(drift.shifted(&model).is_empty(), "{:?}", drift.shifted(&model));
    let size = postcard::to_stdvec(&drift).expect("written").len();
    assert!(size < 200, "{size} bytes for two inputs");
}

#[test]
fn counts_of_another_version_are_not_mixed() {
    let mut other = file(&["HR.last", "Lactate.last"], vec![stump(0, 90.0, -1.0, 1.0)]);
    other.version = "2.0.0".to_owned();
    let other = model(&other);
    let mut drift = watch(10, |_| [80.0, 1.0]);
    drift.count(&other, &[80.0, 1.0]);
    drift.count(&even(), &[80.0]);
    assert_eq!(drift.rows(), 10);
    assert!(!drift.is_of(&other) && drift.compare(&other, 0).is_none());
}

#[test]
fn risks_that_no_longer_come_true_are_seen() {
    for (predicted, real, more, fewer) in [(0.1f32, 100, false, false), (0.1, 250, true, false), (0.2, 80, false, true)] {
        let model = even();
        let mut drift = Drift::new(&model);
        let mut numbers = Numbers(3);
        for _ in 0..400 {
            drift.count_outcome(predicted, numbers.below(1_000) < real);
        }
        let outcomes = drift.outcomes();
        assert_eq!((outcomes.more >= SUM_SHIFTED, outcomes.fewer >= SUM_SHIFTED), (more, fewer), "{outcomes:?}");
        assert_eq!(outcomes.shifted(), more || fewer);
        let ratio = outcomes.ratio().expect("events were to be expected");
        assert!((ratio - real as f64 / 1e3 / f64::from(predicted)).abs() < 0.4, "{ratio}");
        assert_eq!(outcomes.deviation().expect("variance").is_sign_positive(), ratio > 1.0);
        drift.restart();
        assert_eq!((drift.outcomes().count, drift.outcomes().ratio()), (0, None));
    }
}

#[test]
fn values_that_are_no_probability_are_left_out() {
    let mut drift = Drift::new(&even());
    for value in [f32::NAN, -0.1, 1.1] {
        drift.count_outcome(value, true);
    }
    assert_eq!(drift.outcomes().count, 0);
}
