//! Other people's trees: what is imported says what onnxruntime says; what is not understood is refused with a word.
//!
//! `data/onnx` was written by `tests/independent/onnx_models.py --keep`: a classifier of scikit-learn on made-up patients
//! with all four kinds of comparison, its feature map, and rows with the probabilities that onnxruntime gave them.

use std::path::Path;

use predict::model::logistic;
use predict::onnx::import;
use predict::Model;
use proptest::prelude::*;
use serde_json::{Value, json};

fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx").join(name);
    std::fs::read(path).expect("the test's data are there")
}

#[test]
fn says_what_onnxruntime_says() {
    let file = import(&data("altered.onnx"), &data("map.json")).expect("understood");
    let model = Model::read(&serde_json::to_vec(&file).expect("written")).expect("a model");
    let rows: Vec<Value> = serde_json::from_slice(&data("altered.rows.json")).expect("rows");
    assert_eq!((model.id(), rows.len()), ("imported", 60));
    for row in rows {
        let inputs = row["row"].as_array().expect("a row").iter();
        let inputs: Vec<f32> = inputs.map(|value| value.as_f64().map_or(f32::NAN, |value| value as f32)).collect();
        let found = logistic(model.judge(&inputs).margin);
        let expected = row["probability"].as_f64().expect("a probability");
        assert!((found - expected).abs() < 1e-6, "{inputs:?}: {found}, not {expected}");
    }
}

#[test]
fn refusals() {
    let onnx = data("altered.onnx");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut map: Value = serde_json::from_slice(&data("map.json")).expect("a map");
        change(&mut map);
        serde_json::to_vec(&map).expect("written")
    };
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let mut bytes = onnx.clone();
        let places = |at: &usize| onnx[*at..].starts_with(from.as_bytes());
        for at in (0..onnx.len()).filter(places) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        assert_ne!(bytes, onnx, "{from} is in the file");
        bytes
    };
    let whole = with(&|_| {});
    for (onnx, map, expected) in [
        (Vec::new(), whole.clone(), "it holds: "),
        (b"not an ONNX file".to_vec(), whole.clone(), "this is not an ONNX file"),
        (onnx[..onnx.len() / 2].to_vec(), whole.clone(), "this is not an ONNX file"),
        (replaced("TreeEnsembleClassifier", "TreeEnsembleClassifies"), whole.clone(), "it holds: TreeEnsembleClassifies"),
        (replaced("LOGISTIC", "SOFTMAX0"), whole.clone(), "transform is not LOGISTIC"),
        (replaced("BRANCH_LEQ", "BRANCH_NEQ"), whole.clone(), "a question of the trees"),
        (onnx.clone(), b"{".to_vec(), "the map: "),
        (onnx.clone(), with(&|map| map["colour"] = json!("red")), "unknown field `colour`"),
        (onnx.clone(), with(&|map| { map["features"].as_array_mut().expect("a list").pop(); }), "take 5 columns, but the map declares 4"),
        (onnx.clone(), with(&|map| map["features"][0]["name"] = json!("ECG.last")), "no feature is called \"ECG.last\""),
        (onnx.clone(), with(&|map| map["calibration"]["slope"] = json!(0)), "`calibration`"),
    ] {
        let error = import(&onnx, &map).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error} does not say {expected}");
    }
}

proptest! {
    /// A damaged file is refused or gives a model; it never panics or hangs.
    #[test]
    fn damage_is_no_harm(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut onnx = data("altered.onnx");
        for (at, byte) in changes {
            let at = at.index(onnx.len());
            onnx[at] = byte;
        }
        if let Ok(file) = import(&onnx, &data("map.json")) {
            prop_assert!(Model::read(&serde_json::to_vec(&file).expect("written")).is_ok());
        }
    }
}
