//! Models: what is refused as a file, what is judged, when a model abstains, and that stored inputs are judged the same.

mod common;

use common::{bytes, file, model, stay, stump};
use predict::model::{Band, Check, Distribution, File, Knot, Threshold, logistic};
use predict::{Class, Judged, Model, Prediction, Reason, Scratch, Variable as V, Warning};
use proptest::prelude::*;

fn small() -> File {
    let mut small = file(&["HR.last", "HR.age", "Lactate.last", "age"], vec![stump(0, 100.0, -1.0, 1.0), stump(2, 2.0, 0.0, 1.5)]);
    small.thresholds.push(Threshold { id: "alert".to_owned(), probability: 0.7, chosen: "by hand".to_owned() });
    small
}

#[test]
fn a_model_says_what_it_is() {
    let model = model(&small());
    assert_eq!((model.id(), model.title(), model.horizon_h()), ("test", "Test", 12.0));
    let (version, hash) = model.version().split_once('+').expect("version and hash");
    assert_eq!((version, hash.len()), ("1.0.0", 12));
    let mut other = small();
    other.title.push('.');
    assert_ne!(Model::read(&bytes(&other)).expect("read").version(), model.version());
    assert_eq!(model.threshold("alert"), Some(0.7));
    assert_eq!(model.features().collect::<Vec<_>>(), ["HR.last", "HR.age", "Lactate.last", "age"]);
    assert_eq!(serde_json::from_slice::<File>(&bytes(&small())).expect("read"), small());
}

#[test]
fn wrong_files_are_told_what_is_wrong() {
    let table: &[(&dyn Fn(&mut File), &str)] = &[
        (&|f| f.format = "vitalwire-model/9".to_owned(), "the file's format is \"vitalwire-model/9\""),
        (&|f| f.id = "Sepsis 1".to_owned(), "not 1 to 64 lower-case letters, digits and hyphens in `id`"),
        (&|f| f.version = "1 0".to_owned(), "`version`"),
        (&|f| f.title = "x".repeat(20_001), "a text of more than 20,000 bytes"),
        (&|f| f.outcome.horizon_h = -1.0, "`outcome.horizon_h`"),
        (&|f| f.features.clear(), "`features`"),
        (&|f| f.features[1].name = "HR.last".to_owned(), "the same feature twice in `features.HR.last`"),
        (&|f| f.features[1].name = "HR.lust".to_owned(), "no feature is called \"HR.lust\""),
        (&|f| f.features[1].distribution.shares.clear(), "one share more than edges"),
        (&|f| f.features[1].distribution.missing = 1.5, "a share does not lie between 0 and 1"),
        (&|f| f.features[1].distribution.low = None, "`low` and `high`"),
        (&|f| f.calibration.slope = 0.0, "`calibration`"),
        (&|f| f.calibration.curve = vec![Knot { from: 0.5, to: 0.5 }, Knot { from: 0.5, to: 0.6 }], "`calibration.curve` must rise"),
        (&|f| f.calibration.interval = vec![Band { at: 0.5, low: 0.6, high: 0.4 }], "`calibration.interval`"),
        (&|f| f.doubt.event_from = 2.0, "`doubt`"),
        (&|f| f.thresholds[0].probability = 1.2, "`thresholds`"),
        (&|f| f.requires.checks = vec![range("sirs", Some(1.0), None)], "no feature of the model"),
        (&|f| f.requires.checks = vec![range("age", Some(2.0), Some(1.0))], "whose end is below its beginning"),
        (&|f| f.requires.checks = vec![measured(&["Lactate"], 1, 6.0)], "whose `.age` is no feature"),
        (&|f| f.requires.checks = vec![measured(&["HR"], 2, 6.0)], "more measurements asked for"),
        (&|f| f.forest.trees[1] = stump(4, 1.0, 0.0, 1.0), "tree 1 of the model asks about a feature that the model does not list"),
        (&|f| f.forest.trees[1].nodes.clear(), "tree 1 of the model has no nodes"),
        (&|f| { f.forest.trees[0].nodes.pop(); }, "tree 0 of the model has a child that does not stand behind its parent"),
        (&|f| { let leaf = f.forest.trees[0].nodes[1]; f.forest.trees[0].nodes.push(leaf); }, "a node that no question leads to"),
    ];
    for (spoil, expected) in table {
        let mut spoiled = small();
        spoil(&mut spoiled);
        let error = Model::read(&bytes(&spoiled)).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error} does not say {expected}");
    }
    for text in ["", "{}", "[]", "null", "{\"format\":\"vitalwire-model/1\"}"] {
        let error = Model::read(text.as_bytes()).expect_err("no model").to_string();
        assert!(error.contains("the file is not a model"), "{error}");
    }
    let unknown = String::from_utf8(bytes(&small())).expect("text").replacen('{', "{\"colour\":\"red\",", 1);
    let error = Model::read(unknown.as_bytes()).expect_err("unknown key").to_string();
    assert!(error.contains("unknown field `colour`"), "{error}");
}

#[test]
fn the_seed_of_the_fuzz_target_judges() {
    let model = Model::read(include_bytes!("../../../fuzz/seeds/risk_model/small.json")).expect("a model");
    let prediction = model.predict(&stay(&[(V::HeartRate, 0.0, 130.0), (V::Systolic, 0.0, 100.0)]), &mut Scratch::default());
    assert!((prediction.margin - (-1.0 + 0.9 + 0.6)).abs() < 1e-6, "{prediction:?}");
    assert_eq!(risk(&prediction).3, Class::High);
}

fn range(feature: &str, from: Option<f32>, to: Option<f32>) -> Check {
    Check::Range { feature: feature.to_owned(), words: feature.to_owned(), from, to, may_be_missing: false }
}

fn measured(variables: &[&str], at_least: u16, within_h: f32) -> Check {
    let variables = variables.iter().map(|name| (*name).to_owned()).collect();
    Check::Measured { variables, at_least, within_h }
}

fn risk(prediction: &Prediction) -> (f32, f32, f32, Class) {
    match &prediction.judged {
        Judged::Risk { probability, low, high, class } => (*probability, *low, *high, *class),
        Judged::Abstained(reasons) => panic!("abstained: {reasons:?}"),
    }
}

#[test]
fn risk_is_calibrated_with_an_interval_and_a_class() {
    let mut file = small();
    file.doubt.event_from = 0.3;
    file.doubt.none_up_to = 0.6;
    let plain = model(&file);
    for (heart, lactate, margin, class) in
        [(120.0, 4.0, 2.5, Class::High), (120.0, f32::NAN, 1.0, Class::High), (80.0, 4.0, 0.5, Class::High), (80.0, 1.0, -1.0, Class::Low)]
    {
        let prediction = plain.judge(&[heart, 0.0, lactate, 60.0]);
        let expected = logistic(margin) as f32;
        assert_eq!(prediction.margin, margin);
        assert_eq!(risk(&prediction), (expected, expected, expected, class), "{heart} {lactate}");
    }
    file.calibration.intercept = -1.0;
    file.calibration.slope = 0.5;
    file.calibration.curve = vec![Knot { from: 0.2, to: 0.0 }, Knot { from: 0.6, to: 0.8 }];
    file.calibration.interval = vec![Band { at: 0.0, low: 0.0, high: 0.1 }, Band { at: 0.8, low: 0.6, high: 0.9 }];
    let (probability, low, high, class) = risk(&model(&file).judge(&[120.0, 0.0, 4.0, 60.0]));
    let line = logistic(-1.0 + 0.5 * 2.5);
    assert!((f64::from(probability) - (line - 0.2) * 2.0).abs() < 1e-6);
    assert!(low < probability && probability < high && high < 0.9, "{low} {probability} {high}");
    assert_eq!(class, Class::High);
    let (probability, ..) = risk(&model(&file).judge(&[80.0, 0.0, 1.0, 60.0]));
    assert_eq!(probability, 0.0, "flat before the first knot");
    file.doubt.none_up_to = 0.9;
    assert_eq!(risk(&model(&file).judge(&[120.0, 0.0, 4.0, 60.0])).3, Class::Unsure, "both outcomes fit");
    (file.doubt.event_from, file.doubt.none_up_to) = (0.9, 0.1);
    assert_eq!(risk(&model(&file).judge(&[120.0, 0.0, 4.0, 60.0])).3, Class::Unsure, "neither outcome fits");
}

#[test]
fn abstains_with_reasons_in_words() {
    let mut file = small();
    file.requires.checks = vec![range("age", Some(18.0), None), measured(&["HR"], 1, 6.0)];
    file.requires.unusual_most = 0;
    file.features[2].distribution = Distribution { low: Some(0.5), high: Some(20.0), ..file.features[2].distribution.clone() };
    let model = model(&file);
    let nan = f32::NAN;
    let table: &[(&[f32], &[&str])] = &[
        (&[80.0, 0.0, 1.0, 60.0], &[]),
        (&[80.0, 6.0, nan, 18.0], &[]),
        (&[80.0, 0.0, 1.0, 17.5], &["age 17.5 is outside 18 and more, for which the model is made"]),
        (&[80.0, 0.0, 1.0, nan], &["age is not known"]),
        (&[80.0, 7.0, 1.0, 60.0], &["not measured within 6 h: heart rate"]),
        (&[nan, nan, 1.0, nan], &["age is not known", "not measured within 6 h: heart rate"]),
        (&[80.0, 0.0, 45.0, 60.0], &["a value lies outside what the model has learned from: lactate high, 45.0 mmol/L"]),
        (&[80.0], &["1 inputs where this model has 4: they belong to another model or version"]),
    ];
    for (inputs, expected) in table {
        let prediction = model.judge(inputs);
        match &prediction.judged {
            Judged::Abstained(reasons) => {
                let told: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                assert_eq!(&told, expected, "{inputs:?}");
                assert!(prediction.because.is_empty());
            }
            Judged::Risk { .. } => assert!(expected.is_empty(), "{inputs:?} is judged"),
        }
    }
}

#[test]
fn warns_of_what_is_unusual_and_what_is_missing() {
    let mut file = small();
    file.features[0].distribution.missing = 0.02;
    file.features[3].distribution = Distribution { low: Some(15.0), high: Some(95.0), ..file.features[3].distribution.clone() };
    let warnings = model(&file).judge(&[f32::NAN, f32::NAN, 1.0, 110.0]).warnings;
    let told: Vec<String> = warnings.iter().map(Warning::to_string).collect();
    assert_eq!(
        told,
        [
            "age 110 years is outside what the model has learned from",
            "heart rate is missing, which is known of 98 of 100 patients"
        ]
    );
}

#[test]
fn stored_predictions_are_computed_again() {
    let model = model(&small());
    let history = stay(&[(V::HeartRate, 0.0, 81.3), (V::HeartRate, 2.0, 120.7), (V::Lactate, 1.0, 4.1)]);
    let mut scratch = Scratch::default();
    let prediction = model.predict(&history, &mut scratch);
    assert_eq!(model.predict(&history, &mut scratch), prediction, "used room makes no difference");
    let stored = serde_json::to_string(&prediction).expect("written");
    let read: Prediction = serde_json::from_str(&stored).expect("read");
    assert_eq!(model.judge(&read.inputs), prediction, "FE-3");
    let unknown = model.predict(&predict::History::new(predict::Person::UNKNOWN, 0), &mut scratch);
    let stored = serde_json::to_string(&unknown).expect("missing inputs are stored too");
    let read: Prediction = serde_json::from_str(&stored).expect("read");
    assert_eq!(read, unknown);
    let packed = postcard::to_stdvec(&prediction).expect("packed");
    assert_eq!(postcard::from_bytes::<Prediction>(&packed).expect("unpacked"), prediction);
}

#[test]
fn distributions_of_values() {
    let nan = f32::NAN;
    let mut values: Vec<f32> = (0..10_000).map(|n| n as f32).collect();
    values.extend([nan; 2_500]);
    let found = Distribution::of(&mut values);
    assert_eq!((found.missing, found.low, found.high), (0.2, Some(10.0), Some(9_989.0)));
    assert_eq!(found.edges.len(), 9);
    assert!(found.shares.iter().all(|share| (share - 0.1).abs() < 1e-3));
    assert!(!found.unusual(0.0) && found.unusual(20_000.0) && found.unusual(-5_000.0));
    assert_eq!((found.bin(-1.0), found.bin(5_500.0), found.bin(1e9)), (0, 5, 9));
    let same = Distribution::of(&mut vec![1.0, 1.0, 1.0, 2.0]);
    assert_eq!((same.edges.as_slice(), same.shares.as_slice()), ([1.0].as_slice(), [0.75, 0.25].as_slice()));
    let never = Distribution::of(&mut vec![nan, nan]);
    assert_eq!((never.missing, never.low, never.shares.len()), (1.0, None, 0));
    assert!(never.unusual(1.0));
}

proptest! {
    /// Any change of a sound file's bytes is refused or read; it never panics, and what is read judges.
    #[test]
    fn spoiled_files_never_panic(at in 0usize..4_000, byte: u8, cut in 0usize..4_000) {
        let mut spoiled = bytes(&small());
        let length = spoiled.len();
        spoiled[at % length] = byte;
        if cut % 3 == 0 {
            spoiled.truncate(cut % length);
        }
        if let Ok(model) = Model::read(&spoiled) {
            let inputs = vec![1.0; model.inputs().len()];
            prop_assert!(model.judge(&inputs).margin.is_finite());
        }
    }
}
