//! Models at the bedside: when they judge, what is recorded, who is shown it, rules on risks, and that a restart in any
//! hour, a merge or an erasure leaves what it should.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use alert::Policy;
use alert::worklist::ReasonKind;
use common::*;
use engine::{Effect, Engine, Foretold, Models, PredictionRecord, RiskClass};
use predict::Model;
use vitals::metric::code::{HEART_RATE, RESP_RATE, RISK_SEPSIS, RISK_SEPSIS_AHEAD, SPO2};
use vitals::{Action, Event, MetricCode, ModelInUse, ModelRole, TimeBase};

const HOUR: f64 = 3_600.0;

/// A model of two questions: heart rate above 100, respiratory rate above 20. It wants both measured within two hours.
fn model(id: &str, version: &str) -> Arc<Model> {
    from(0.0, id, version)
}

/// The same, whose log-odds start from `base`.
fn from(base: f64, id: &str, version: &str) -> Arc<Model> {
    let input = |name: &str| {
        serde_json::json!({"name": name, "reference": null,
            "distribution": {"missing": 0.5, "low": -1e9, "high": 1e9, "edges": [0.0], "shares": [0.5, 0.5]}})
    };
    let stump = |feature: i32, threshold: f32| {
        serde_json::json!({"feature": [feature, -1, -1], "value": [threshold, -1.5, 1.5], "missing": [1, 0, 0], "low": [1, 0, 0]})
    };
    let file = serde_json::json!({
        "format": predict::model::FORMAT, "id": id, "version": version, "title": format!("Test of {id}"),
        "outcome": {"words": "sepsis", "definition": "made up", "horizon_h": 12.0},
        "population": "nobody", "intended_use": "tests",
        "requires": {"checks": [{"measured": {"variables": ["HR", "Resp"], "at_least": 2, "within_h": 2.0}}],
            "unusual_most": 9},
        "calibration": {"intercept": 0.0, "slope": 1.0, "curve": [], "interval": [], "fitted": "not"},
        "doubt": {"level": 0.9, "event_from": 0.3, "none_up_to": 0.7, "fitted": "not"},
        "thresholds": [], "card": {"data": "", "command": "", "training": "", "figures": [], "limits": []},
        "features": [input("HR.last"), input("Resp.last"), input("HR.age"), input("Resp.age")],
        "forest": {"base": base, "trees": [stump(0, 100.0), stump(1, 20.0)]},
    });
    Arc::new(Model::read(file.to_string().as_bytes()).expect("a sound file"))
}

fn library() -> Models {
    Models::new(vec![model("sepsis", "1.0.0"), model("sepsis", "2.0.0")])
}

fn version(number: &str) -> String {
    let library = library();
    let found = library.iter().find(|model| model.version().starts_with(number));
    found.expect("one of both").version().to_owned()
}

fn use_both() -> Event {
    let used = |number: &str, role| ModelInUse { id: "sepsis".into(), version: version(number), role };
    act(Action::UseModels { models: vec![used("1.0.0", ModelRole::Champion), used("2.0.0", ModelRole::Shadow)] })
}

fn plays(second: f64, values: &[(MetricCode, f64)]) -> Event {
    let mut message = message("m", second, Some(second), values);
    message.time_base = TimeBase::Recorded;
    Event::Message(message)
}

/// A recording of a patient with a value every ten minutes, who gets worse after six hours.
fn journal() -> Run {
    let mut run = Run::new();
    run.engine.set_models(library());
    run.at(0.0, associate("m", "a", None));
    run.at(0.0, use_both());
    for step in 1..60 {
        let second = f64::from(step) * 600.0;
        let ill = second > 6.0 * HOUR;
        let values = [(HEART_RATE, if ill { 118.0 } else { 80.0 }), (RESP_RATE, if ill { 27.0 } else { 15.0 }), (SPO2, 96.0)];
        run.step(at(second), plays(second, &values));
    }
    run
}

fn predictions(run: &Run) -> Vec<&PredictionRecord> {
    let each = run.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Predicted(record) => Some(&**record),
        _ => None,
    });
    each.collect()
}

#[test]
fn what_models_say_is_recorded_each_hour_and_when_the_class_changes() {
    let run = journal();
    let all = predictions(&run);
    let of = |role| all.iter().filter(|record| record.role == role).collect::<Vec<_>>();
    let told: Vec<(f64, &str)> = of(ModelRole::Champion)
        .iter()
        .map(|record| ((record.at.0 - at(0.0).0) as f64 / 1e6 / 60.0, record.said.class()))
        .collect();
    let low: Vec<(f64, &str)> = (0..6).map(|hour| (10.0 + f64::from(hour) * 60.0, "low")).collect();
    assert_eq!(told[..6], low, "{told:?}");
    assert_eq!(told[6], (370.0, "high"), "at once, not in an hour");
    assert_eq!(told.len(), 10, "{told:?}");
    assert_eq!(of(ModelRole::Shadow).len(), 10, "the shadow at the same moments");
    let worse = of(ModelRole::Champion)[6];
    assert_eq!(worse.basis.len(), 3, "the readings that it rests on");
    let library = library();
    for record in &all {
        let model = library.find(&record.model, &record.version).expect("of this version");
        assert!(record.equals(&model.judge(&record.inputs)), "said again, it is the same");
        let bytes = record.input_bytes();
        let back = PredictionRecord::inputs_of(&bytes);
        assert!(record.equals(&model.judge(&back)), "also from bytes");
        let stored = serde_json::to_vec(record).expect("a record is written");
        let mut read: PredictionRecord = serde_json::from_slice(&stored).expect("and read");
        read.inputs = back;
        assert!(read.equals(&model.judge(&read.inputs)), "also from JSON");
    }
}

#[test]
fn only_the_champion_is_shown_and_kept_as_a_value() {
    let run = journal();
    let view = run.engine.patient_view(&patient("a")).expect("known");
    assert_eq!(view.risks.len(), 1);
    let risk = &view.risks[0];
    assert_eq!((risk.last.role, risk.outcome.as_str()), (ModelRole::Champion, "sepsis"));
    assert!(matches!(risk.last.said, Foretold::Risk { class: RiskClass::High, .. }), "{risk:?}");
    assert!(risk.last.because[0].contains("rate"), "{:?}", risk.last.because);
    let values = run.stored().into_iter().filter(|(_, _, metric, ..)| *metric == RISK_SEPSIS).count();
    assert_eq!(values, risk.last.trend.len(), "each point of the trend is a value of its series, once");
    let high = run.stored().into_iter().rfind(|(_, _, metric, ..)| *metric == RISK_SEPSIS).map(|(.., value, _)| value);
    assert!(high.is_some_and(|value| value > 0.9), "{high:?}");
}

#[test]
fn rules_may_use_a_risk() {
    let text = "[[rule]]\nid = \"sepsis-risk\"\ntitle = \"Raised risk of sepsis\"\ngroup = \"risk\"\n\
                level = [{ priority = \"medium\", when = \"VW_RISK_SEPSIS >= 0.5\" }]\n";
    let policy = Policy::parse(&format!("{}\n{text}", Policy::built_in().text)).expect("a policy");
    let mut run = Run::with(policy);
    run.engine.set_models(library());
    run.at(0.0, associate("m", "a", None));
    run.at(0.0, use_both());
    for minute in 1..5 {
        let second = f64::from(minute) * 60.0;
        run.at(second, says("m", second, &[(HEART_RATE, 118.0), (RESP_RATE, 27.0)]));
    }
    let open = run.engine.patient(&patient("a")).map(|state| state.episodes.open().to_vec()).unwrap_or_default();
    let open = open.into_iter().find(|episode| episode.reason.contains("Raised risk")).expect("an alert of the risk");
    assert!(open.reason.contains("Sepsis risk 0.95"), "{}", open.reason);
    assert!(open.reason.contains("respiratory rate"), "{}", open.reason);
    assert_eq!(open.readings.len(), 1, "the risk's own reading leads to its record");
}

#[test]
fn two_models_of_one_event_are_kept_apart_and_weigh_once() {
    let models = vec![model("sepsis", "1.0.0"), from(0.5, "sepsis-ahead", "1.0.0")];
    let used = |model: &Arc<Model>| ModelInUse { id: model.id().into(), version: model.version().into(), role: ModelRole::Champion };
    let action = Action::UseModels { models: models.iter().map(used).collect() };
    let mut run = Run::new();
    run.engine.set_models(Models::new(models));
    run.at(0.0, associate("m", "a", None));
    run.at(0.0, act(action));
    for minute in 1..5 {
        let second = f64::from(minute) * 60.0;
        run.at(second, says("m", second, &[(HEART_RATE, 118.0), (RESP_RATE, 27.0)]));
    }
    let kept: Vec<MetricCode> = run.stored().into_iter().map(|(_, _, metric, ..)| metric).collect();
    assert!(kept.contains(&RISK_SEPSIS) && kept.contains(&RISK_SEPSIS_AHEAD), "{kept:?}");
    let view = run.engine.patient_view(&patient("a")).expect("known");
    let reasons = view.standing.reasons.iter();
    let risks: Vec<&str> = reasons.filter(|reason| reason.kind == ReasonKind::Risk).map(|reason| reason.text.as_str()).collect();
    assert_eq!(risks.len(), 1, "{risks:?}");
    assert!(risks[0].starts_with("risk of sepsis in 6 to 24 hours 97 %"), "the greater of both: {risks:?}");
}

#[test]
fn a_model_that_does_not_judge_says_why_once_an_hour() {
    let mut run = Run::new();
    run.engine.set_models(library());
    run.at(0.0, associate("m", "a", None));
    run.at(0.0, use_both());
    for step in 1..12 {
        let second = f64::from(step) * 600.0;
        run.step(at(second), plays(second, &[(HEART_RATE, 80.0)]));
    }
    let all = predictions(&run);
    assert_eq!(all.len(), 4, "two hours, two models");
    assert!(matches!(&all[0].said, Foretold::Abstained(reasons) if reasons[0].contains("respiratory rate")), "{all:?}");
    assert_eq!(run.stored().iter().filter(|(_, _, metric, ..)| *metric == RISK_SEPSIS).count(), 0);
}

#[test]
fn models_that_are_not_here_are_counted_and_say_nothing() {
    let mut run = Run::new();
    run.at(0.0, use_both());
    let missing = run.effects.iter().filter(|(_, effect)| *effect == Effect::Counted("model-missing")).count();
    assert_eq!(missing, 2);
    run.at(0.0, associate("m", "a", None));
    run.at(60.0, says("m", 60.0, &[(HEART_RATE, 118.0), (RESP_RATE, 27.0)]));
    assert!(predictions(&run).is_empty());
    // Found later, they know what came before.
    run.engine.set_models(library());
    run.at(121.0, says("m", 121.0, &[(HEART_RATE, 118.0)]));
    assert!(matches!(predictions(&run)[0].said, Foretold::Risk { class: RiskClass::High, .. }));
}

#[test]
fn en_1_a_restart_in_any_hour_changes_nothing() {
    let run = journal();
    let whole: Vec<String> = run.effects.iter().map(|(offset, effect)| format!("{offset} {effect:?}")).collect();
    for cut in (0..run.entries.len()).step_by(7) {
        let mut engine = Engine::new(Policy::built_in());
        engine.set_models(library());
        let (mut parts, mut effects, mut out) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (offset, (at, event)) in run.entries.iter().enumerate() {
            if offset == cut {
                parts.extend(engine.snapshot().into_iter().map(|(name, part)| (name, part.bytes())));
                engine = Engine::new(Policy::built_in());
                engine.set_models(library());
                engine.restore(parts.clone()).expect("a state of this program");
            }
            engine.step(offset as u64, *at, event, &mut out);
            effects.extend(out.drain(..).map(|effect| format!("{offset} {effect:?}")));
        }
        let differs = whole.iter().zip(&effects).find(|(a, b)| a != b);
        assert_eq!((differs, effects.len()), (None, whole.len()), "cut at {cut}");
        assert_eq!(engine.whole_state(), run.engine.whole_state(), "cut at {cut}");
    }
}

#[test]
fn another_stay_begins_anew_and_an_erased_patient_is_forgotten() {
    let mut run = journal();
    let end = 60.0 * 600.0;
    run.step(at(end), act(Action::Erase { patient: patient("a"), reason: "asked for".into() }));
    assert!(run.engine.patient_view(&patient("a")).is_none());
    run.step(at(end + 1.0), associate("m", "a", None));
    run.step(at(end + 2.0), plays(end + 2.0, &[(HEART_RATE, 80.0)]));
    let last = predictions(&run);
    assert!(matches!(last.last().map(|record| &record.said), Some(Foretold::Abstained(_))), "nothing is known of before");
}
