//! Files of risk models, and values of a stay: what is read judges, the same again from the inputs that it stored.
#![no_main]

use libfuzzer_sys::fuzz_target;
use predict::history::HOUR_US;
use predict::{History, Judged, Model, Person, Prediction, Scratch, Variable};

fuzz_target!(|bytes: &[u8]| {
    let model = match Model::read(bytes) {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut history = History::new(Person { age: 60.0, ..Person::UNKNOWN }, 0);
    for (at, byte) in bytes.iter().take(2_000).enumerate() {
        let variable = Variable::ALL[usize::from(*byte) % Variable::ALL.len()];
        let (low, high) = variable.plausible();
        let value = low + (high - low) * (at % 17) as f32 / 16.0;
        history.observe(variable, at as i64 * HOUR_US / 20, value);
    }
    let prediction = model.predict(&history, &mut Scratch::default());
    let stored = serde_json::to_string(&prediction).expect("what is said can be written");
    let read: Prediction = serde_json::from_str(&stored).expect("and read");
    assert_eq!(model.judge(&read.inputs), prediction);
    match &prediction.judged {
        Judged::Risk { probability, low, high, .. } => {
            assert!((0.0..=1.0).contains(probability) && low <= probability && probability <= high);
            assert!(prediction.because.iter().all(|because| !because.text.is_empty()));
        }
        Judged::Abstained(reasons) => assert!(reasons.iter().all(|reason| !reason.to_string().is_empty())),
    }
});
