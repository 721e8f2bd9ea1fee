//! ONNX files of others: refused with a word, or a model that judges.
#![no_main]

use libfuzzer_sys::fuzz_target;
use predict::Model;

const MAP: &[u8] = include_bytes!("../../crates/predict/tests/data/onnx/map.json");

fuzz_target!(|bytes: &[u8]| match predict::onnx::import(bytes, MAP) {
    Ok(file) => {
        let written = serde_json::to_vec(&file).expect("numbers are finite");
        let model = Model::read(&written).expect("what was taken is a model");
        let inputs = vec![1.0; model.inputs().len()];
        assert_eq!(model.judge(&inputs).margin, file.forest.margin(&inputs));
    }
    Err(error) => assert!(!error.to_string().is_empty()),
});
