//! The models that come with the program can be read, say what they are, and refuse whom they know nothing of.

use predict::{History, Judged, Model, Person, Scratch, Variable, shipped};

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn every_shipped_model_is_what_its_name_says_and_small() {
    assert!(!shipped().is_empty());
    for (id, bytes) in shipped() {
        let model = Model::read(bytes).expect("a shipped model is a model");
        assert_eq!(model.id(), *id);
        assert!(bytes.len() < 1_000_000, "{id} has {} bytes", bytes.len());
        assert!(model.threshold("alert").is_some() && !model.card().figures.is_empty(), "{id}");
    }
}

#[test]
fn nobody_known_and_children_are_not_judged() {
    for (id, bytes) in shipped() {
        let model = Model::read(bytes).expect("a shipped model is a model");
        let mut scratch = Scratch::default();
        let nobody = History::new(Person::UNKNOWN, 0);
        assert!(matches!(model.predict(&nobody, &mut scratch).judged, Judged::Abstained(_)), "{id}");
        let mut child = History::new(Person { age: 6.0, ..Person::UNKNOWN }, 0);
        for (variable, value) in usual() {
            child.observe(variable, 0, value);
        }
        assert!(matches!(model.predict(&child, &mut scratch).judged, Judged::Abstained(_)), "{id}");
    }
}

#[test]
fn a_falling_pressure_and_fast_breath_are_a_greater_risk_than_rest() {
    let (_, bytes) = shipped().iter().find(|(id, _)| *id == "deterioration-vitals").expect("the model is shipped");
    let model = Model::read(bytes).expect("a shipped model is a model");
    let risk = |worse: f32| {
        let mut history = History::new(Person { age: 71.0, male: 1.0, ..Person::UNKNOWN }, 0);
        for hour in 0..8u8 {
            let step = f32::from(hour) * worse;
            for (variable, value) in usual() {
                let value = match variable {
                    Variable::RespRate => value + 1.5 * step,
                    Variable::HeartRate => value + 4.0 * step,
                    Variable::Systolic | Variable::MeanPressure | Variable::Diastolic => value - 3.0 * step,
                    _ => value,
                };
                history.observe(variable, i64::from(hour) * HOUR_US, value);
            }
        }
        let prediction = model.predict(&history, &mut Scratch::default());
        let Judged::Risk { probability, .. } = prediction.judged else { panic!("{:?}", prediction.judged) };
        (probability, prediction.because)
    };
    let ((rest, _), (worse, because)) = (risk(0.0), risk(1.0));
    assert!(worse > 1.5 * rest, "{rest} at rest, {worse} when it gets worse");
    assert!(!because.is_empty());
}

#[test]
fn not_ventilated_is_what_training_knows_as_nothing_recorded() {
    let (_, bytes) = shipped().iter().find(|(id, _)| *id == "mortality-48h").expect("the model is shipped");
    let model = Model::read(bytes).expect("a shipped model is a model");
    let said = |ventilation: &[f32]| {
        let mut history = History::new(Person { age: 66.0, male: 0.0, ..Person::UNKNOWN }, 0);
        for hour in 0..48 {
            for (variable, value) in usual() {
                history.observe(variable, i64::from(hour) * HOUR_US, value);
            }
            for value in ventilation {
                history.observe(Variable::Ventilation, i64::from(hour) * HOUR_US, *value);
            }
        }
        model.predict(&history, &mut Scratch::default())
    };
    assert_eq!(said(&[0.0]), said(&[]), "a bedside's zero is no input that training does not have");
    assert_ne!(said(&[1.0]), said(&[]), "a ventilated patient is told apart");
}

fn usual() -> [(Variable, f32); 7] {
    [
        (Variable::HeartRate, 78.0),
        (Variable::OxygenSaturation, 97.0),
        (Variable::Temperature, 36.8),
        (Variable::Systolic, 122.0),
        (Variable::MeanPressure, 88.0),
        (Variable::Diastolic, 70.0),
        (Variable::RespRate, 15.0),
    ]
}
