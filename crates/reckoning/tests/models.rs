//! Risk models watched over and compared in a real store: what is counted is counted once, what came is matched with what
//! was foretold, and models are compared on the same moments.

use std::sync::Arc;

use predict::Model;
use predict::forest::{Forest, Node, Tree, Way};
use predict::model::{Calibration, Card, Distribution, Doubt, FORMAT, File, Input, Outcome, Requires, Threshold};
use reckoning::models::{EventKind, Look, Watched, Watcher};
use reckoning::{Asked, House};
use serde_json::json;
use store::{
    AlertEventRow, AlertRow, Commit, DirectoryRow, DocumentRow, EncounterRow, LocationRow, PatientRow, PredictionRow,
    SqliteStore, Store,
};
use vitals::metric::code;
use vitals::{
    Bed, DeviceId, EffectiveTime, Encounter, EncounterId, EncounterStatus, EpisodeId, Location, MetricCode, ModelRole,
    Patient, PatientId, Point, PredictionId, Quality, ReceiveTime, SeriesId, SeriesKey,
};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 16 November 2026, 0:00 UTC.
const BEGIN: i64 = 1_794_787_200_000_000;
const HORIZON_H: i64 = 12;

/// One input, even between 0 and 100 in training.
fn model(id: &str, version: &str) -> Arc<Model> {
    let file = File {
        format: FORMAT.to_owned(),
        id: id.to_owned(),
        version: version.to_owned(),
        title: format!("Test {id}"),
        outcome: Outcome { words: "an event".to_owned(), definition: "made up".to_owned(), horizon_h: HORIZON_H as f32 },
        population: "nobody".to_owned(),
        intended_use: "tests".to_owned(),
        requires: Requires { checks: Vec::new(), unusual_most: u16::MAX },
        calibration: Calibration::none(),
        doubt: Doubt { level: 0.9, event_from: 0.3, none_up_to: 0.6, fitted: "not fitted".to_owned() },
        thresholds: vec![Threshold { id: "alert".to_owned(), probability: 0.6, chosen: "for tests".to_owned() }],
        card: Card::default(),
        features: vec![Input {
            name: "HR.last".to_owned(),
            reference: None,
            distribution: Distribution::of(&mut (0..1_000).map(|n| n as f32 / 10.0).collect()),
        }],
        forest: Forest {
            base: 0.0,
            trees: vec![Tree {
                nodes: vec![
                    Node::Split { feature: 0, threshold: 50.0, missing: Way::Low, low: 1 },
                    Node::Leaf { value: -1.0 },
                    Node::Leaf { value: 1.0 },
                ],
            }],
        },
    };
    Arc::new(Model::read(&serde_json::to_vec(&file).expect("written")).expect("a sound file"))
}

fn watched(id: &str, role: ModelRole, events: &[EventKind]) -> Watched {
    Watched { model: model(id, "1.0.0"), role, owner: "Ada".to_owned(), events: events.to_vec() }
}

fn patient(name: &str) -> PatientId {
    PatientId::new(name).expect("an id")
}

struct Made {
    store: SqliteStore,
    commit: Commit,
    offset: u64,
    folder: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("store.db")).expect("a store");
        let mut made = Self { store, commit: Commit::default(), offset: 0, folder };
        for unit in ["ICU", "Ward"] {
            let location = Location::from_bed(Bed { unit: unit.into(), room: String::new(), bed: "1".into() });
            made.commit.directory.push(DirectoryRow::Location(LocationRow { location, updated: ReceiveTime(1), version: 1 }));
        }
        made
    }

    fn person(&mut self, name: &str, deceased: bool, at: i64, version: u64) {
        let patient = Patient { deceased, ..Patient::unknown(patient(name)) };
        let row = PatientRow { patient, merged_into: None, updated: ReceiveTime(at), version };
        self.commit.directory.push(DirectoryRow::Patient(row));
    }

    /// What a model said of somebody so many hours after the beginning.
    fn said(&mut self, of: &Watched, who: &str, hour: i64, (input, probability): (f32, Option<f64>)) {
        self.offset += 1;
        let at = BEGIN + hour * HOUR;
        self.commit.predictions.push(PredictionRow {
            id: PredictionId { offset: self.offset, index: 0 },
            patient: patient(who),
            model: of.model.id().to_owned(),
            version: of.model.version().to_owned(),
            role: of.role.name().to_owned(),
            class: match probability {
                None => "abstained",
                Some(probability) if probability >= 0.6 => "high",
                Some(_) => "low",
            }
            .to_owned(),
            probability,
            at: EffectiveTime(at),
            made: ReceiveTime(at),
            inputs: input.to_le_bytes().to_vec(),
            body: br#"{"recorded":false}"#.to_vec(),
        });
    }

    fn done(&mut self) {
        self.commit.checkpoint = self.offset + 1;
        self.store.commit(&self.commit).expect("a commit");
        self.commit = Commit::default();
    }

    fn watcher(&self, watched: Vec<Watched>) -> Watcher {
        Watcher::new(self.store.reader(), self.store.side(), watched)
    }

    fn reopened(mut self) -> Self {
        let folder = self.folder;
        drop(self.store);
        self.store = SqliteStore::open(&folder.path().join("store.db")).expect("a store");
        Self { store: self.store, commit: Commit::default(), offset: self.offset, folder }
    }
}

fn house() -> House {
    House { higher_care: vec!["ICU".to_owned()], ..House::default() }
}

/// 300 patients with four judgements each, of low values, as no ward had in training.
fn shifted_ward(made: &mut Made, of: &Watched) {
    for number in 0..300 {
        let name = format!("p{number}");
        made.person(&name, false, BEGIN, 1);
        for hour in 0..4 {
            made.said(of, &name, hour, ((number % 10) as f32, Some(0.1)));
        }
    }
    made.done();
}

#[test]
fn dw_2_a_judgement_is_counted_once_whenever_the_program_stops() {
    let of = watched("mortality-test", ModelRole::Champion, &[]);
    let mut made = Made::new();
    shifted_ward(&mut made, &of);
    let now = BEGIN + 5 * HOUR;
    made.watcher(vec![of.clone()]).step(&house(), now).expect("works");
    for _ in 0..3 {
        // As after a restart: nothing but the store is left.
        made = made.reopened();
        let watcher = made.watcher(vec![of.clone()]);
        watcher.step(&house(), now).expect("works");
        let view = watcher.view(&of).expect("read");
        assert_eq!((view.judgements, view.patients > 280), (1_200, true), "{view:?}");
    }
    made.said(&of, "p1", 4, (3.0, None));
    made.done();
    let watcher = made.watcher(vec![of.clone()]);
    watcher.step(&house(), now).expect("works");
    let view = watcher.view(&of).expect("read");
    assert_eq!((view.judgements, view.since_ms), (1_201, Some(BEGIN / 1_000)));
    assert!((view.abstained.expect("a share") - 1.0 / 1_201.0).abs() < 1e-9);
}

#[test]
fn dw_1_the_owner_hears_once_and_again_after_somebody_looked() {
    let of = watched("mortality-test", ModelRole::Shadow, &[]);
    let mut made = Made::new();
    shifted_ward(&mut made, &of);
    let now = BEGIN + 5 * HOUR;
    let watcher = made.watcher(vec![of.clone()]);
    watcher.step(&house(), now).expect("works");
    let untold = watcher.untold().expect("read");
    assert_eq!(untold.len(), 1);
    let (_, notice) = &untold[0];
    assert_eq!((notice.number, notice.matters[0].matter.as_str(), notice.matters[0].level), (1, "inputs", 2));
    assert!(notice.matters[0].text.contains("HR.last"), "{notice:?}");
    watcher.told(&of, 1).expect("written");
    for _ in 0..2 {
        watcher.step(&house(), now).expect("works");
        assert!(watcher.untold().expect("read").is_empty(), "told once");
    }
    assert_eq!(watcher.view(&of).expect("read").notice.map(|notice| notice.number), Some(1), "and stands until looked into");
    let look = Look { at_ms: now / 1_000, by: "ada".to_owned(), why: "a new monitor".to_owned() };
    watcher.looked_into(&of, look.clone()).expect("written");
    let view = watcher.view(&of).expect("read");
    assert_eq!((view.judgements, view.notice, view.looks), (0, None, vec![look]));
    shifted_ward(&mut made, &of);
    let watcher = made.watcher(vec![of.clone()]);
    watcher.step(&house(), now).expect("works");
    assert_eq!(watcher.untold().expect("read")[0].1.number, 2, "the same again is news again");
}

#[test]
fn another_version_has_a_watch_of_its_own() {
    let of = watched("mortality-test", ModelRole::Champion, &[]);
    let newer = Watched { model: model("mortality-test", "2.0.0"), ..of.clone() };
    let mut made = Made::new();
    shifted_ward(&mut made, &of);
    let watcher = made.watcher(vec![of.clone(), newer.clone()]);
    watcher.step(&house(), BEGIN + DAY).expect("works");
    assert_eq!((watcher.view(&of).expect("read").judgements, watcher.view(&newer).expect("read").judgements), (1_200, 0));
}

#[test]
fn dw_3_one_risk_a_patient_and_horizon_is_compared_with_what_came() {
    let of = watched("mortality-test", ModelRole::Champion, &[EventKind::Death]);
    let mut made = Made::new();
    made.person("a", false, BEGIN, 1);
    made.person("b", false, BEGIN, 1);
    made.person("b", true, BEGIN + 20 * HOUR, 2);
    made.said(&of, "a", 0, (1.0, None));
    for hour in 1..30 {
        made.said(&of, "a", hour, (1.0, Some(0.25)));
        if hour < 20 {
            made.said(&of, "b", hour, (1.0, Some(0.5)));
        }
    }
    made.done();
    let watcher = made.watcher(vec![of.clone()]);
    let settled = |now: i64| {
        watcher.step(&house(), now).expect("works");
        let outcomes = watcher.view(&of).expect("read").outcomes;
        (outcomes.risks, outcomes.observed, (outcomes.expected * 100.0).round() as i64)
    };
    assert_eq!(settled(BEGIN + 36 * HOUR), (0, 0, 0), "a day is waited for what is told late");
    // Of hours 1, 13 and 25, by 12 hours; b died at hour 20, which hour 13 foretold and hour 1 did not.
    assert_eq!(settled(BEGIN + 37 * HOUR), (2, 0, 75));
    assert_eq!(settled(BEGIN + 60 * HOUR), (4, 1, 150));
    assert_eq!(settled(BEGIN + 60 * HOUR), (4, 1, 150), "no risk twice");
    assert_eq!(settled(BEGIN + 90 * HOUR), (5, 1, 175));
}

#[test]
fn a_recording_is_as_far_as_its_patients_clock() {
    let of = watched("mortality-test", ModelRole::Champion, &[EventKind::Death]);
    let mut made = Made::new();
    made.person("a", false, BEGIN, 1);
    for hour in [0, 6, 12] {
        made.said(&of, "a", hour, (1.0, Some(0.25)));
    }
    for row in &mut made.commit.predictions {
        row.body = br#"{"recorded":true}"#.to_vec();
        row.made = ReceiveTime(BEGIN + 300 * DAY);
    }
    made.done();
    let watcher = made.watcher(vec![of.clone()]);
    let settled = |now: i64| {
        watcher.step(&house(), now).expect("works");
        watcher.view(&of).expect("read").outcomes.risks
    };
    assert_eq!(settled(BEGIN + 300 * DAY), 1, "hour 12 is known, hours 18 and 24 are not");
    assert_eq!(settled(BEGIN + 302 * DAY), 1, "it ended before");
}

/// What came, and whether it counts: `(kind, hour it came, expected)`; the risk is of hour 10.
#[test]
fn what_counts_as_the_event_is_what_the_owner_says() {
    let episode = |number: u64| EpisodeId { offset: number, index: 0 };
    let all = ["death", "higher-care", "arrest", "actionable", "pathway:sepsis-hour-1"];
    for (came, hour, expected) in [
        ("death", 12, true),
        ("death", 9, false),
        ("death", 23, false),
        ("higher-care", 20, true),
        ("higher-care", 9, false),
        ("arrest", 11, true),
        ("actionable", 11, true),
        ("actionable", 30, false),
        ("pathway:sepsis-hour-1", 14, true),
        ("pathway:sepsis-hour-1", 9, false),
    ] {
        let mut made = Made::new();
        let at = BEGIN + hour * HOUR;
        made.person("a", false, BEGIN, 1);
        match came {
            "death" => made.person("a", true, at, 2),
            "higher-care" => {
                for (version, unit, at) in [(1, "Ward", BEGIN), (2, "ICU", at)] {
                    let location = Location::from_bed(Bed { unit: unit.into(), room: String::new(), bed: "1".into() }).id;
                    let encounter = Encounter {
                        id: EncounterId::new("enc-a").expect("an id"),
                        patient: patient("a"),
                        status: EncounterStatus::InProgress,
                        class: "IMP".into(),
                        location: Some(location),
                        start: Some(EffectiveTime(BEGIN)),
                        end: None,
                        document: None,
                    };
                    let row = EncounterRow { encounter, updated: ReceiveTime(at), version };
                    made.commit.directory.push(DirectoryRow::Encounter(row));
                }
            }
            "arrest" | "actionable" => {
                let condition = if came == "arrest" { "Rule(\"asystole\")" } else { "Rule(\"news2\")" };
                made.commit.alerts.push(AlertRow {
                    episode: episode(500),
                    patient: Some(patient("a")),
                    device: None,
                    unit: "Ward".into(),
                    condition: condition.into(),
                    priority: 2,
                    state: "resolved".into(),
                    open: false,
                    raised: ReceiveTime(at),
                    changed: ReceiveTime(at),
                    body: b"{}".to_vec(),
                });
                made.commit.alert_events.push(AlertEventRow {
                    episode: episode(500),
                    offset: 501,
                    index: 0,
                    at: ReceiveTime(at),
                    kind: "judged".into(),
                    actor: "anna".into(),
                    body: json!({ "verdict": "actionable" }).to_string().into_bytes(),
                });
            }
            _ => made.commit.documents.push(DocumentRow {
                kind: "vitalwire-pathway".to_owned(),
                id: "e7-0".to_owned(),
                version: 1,
                updated: ReceiveTime(at),
                body: json!({ "offer": { "pathway": "sepsis-hour-1", "started_at": at } }).to_string().into_bytes(),
                tokens: vec![("patient".to_owned(), "a".to_owned())],
            }),
        }
        for (number, kind) in all.into_iter().enumerate() {
            let of = watched(&format!("other-{number}"), ModelRole::Champion, &[kind.parse().expect("a kind")]);
            made.said(&of, "a", 10, (1.0, Some(0.5)));
            made.done();
            let watcher = made.watcher(vec![of.clone()]);
            watcher.step(&house(), BEGIN + 9 * DAY).expect("works");
            let outcomes = watcher.view(&of).expect("read").outcomes;
            assert_eq!(outcomes.risks, 1, "{came} at {hour}, asked for {kind}");
            assert_eq!(outcomes.observed == 1, expected && kind == came, "{came} at {hour}, asked for {kind}");
        }
    }
}

fn series(made: &mut Made, id: u32, metric: MetricCode, values: &[(i64, f64)]) {
    let key = SeriesKey { subject: Some(patient("a")), device: DeviceId::new("m").expect("an id"), metric, channel: 0 };
    made.commit.series.push((SeriesId(id), key));
    let points = values.iter().map(|(hour, value)| Point {
        time: EffectiveTime(BEGIN + hour * HOUR),
        received: ReceiveTime(BEGIN + hour * HOUR),
        value: *value,
        offset: 0,
        index: 0,
        quality: Quality::empty(),
    });
    made.commit.points.push((SeriesId(id), points.collect()));
}

#[test]
fn decline_is_what_models_of_deterioration_learned_it_to_be() {
    // `(hours of low saturation, risks counted, events)`; the risk is of hour 10.
    for (low, risks, events) in [
        (vec![], 1, 0),
        (vec![15], 1, 0),
        (vec![15, 16], 1, 1),
        (vec![30, 31], 1, 0),
        // Who is in decline already is not asked about.
        (vec![9, 10, 11], 0, 0),
    ] {
        let of = watched("deterioration-test", ModelRole::Champion, &EventKind::usual("deterioration-test"));
        let mut made = Made::new();
        made.person("a", false, BEGIN, 1);
        let values: Vec<(i64, f64)> =
            (0..40).map(|hour| (hour, if low.contains(&hour) { 80.0 } else { 97.0 })).collect();
        series(&mut made, 1, code::SPO2, &values);
        made.said(&of, "a", 10, (1.0, Some(0.5)));
        made.done();
        let watcher = made.watcher(vec![of.clone()]);
        watcher.step(&house(), BEGIN + 9 * DAY).expect("works");
        let outcomes = watcher.view(&of).expect("read").outcomes;
        assert_eq!((outcomes.risks, outcomes.observed), (risks, events), "{low:?}");
    }
}

#[test]
fn usual_events_are_those_that_the_program_knows() {
    assert_eq!(EventKind::usual("mortality-48h"), [EventKind::Death]);
    assert_eq!(EventKind::usual("deterioration-vitals"), [EventKind::Decline]);
    assert!(EventKind::usual("sepsis").is_empty());
    for text in ["death", "higher-care", "arrest", "actionable", "decline", "pathway:sepsis-hour-1"] {
        assert_eq!(text.parse::<EventKind>().expect("a kind").to_string(), text);
    }
    for text in ["", "sepsis", "pathway:"] {
        assert!(text.parse::<EventKind>().is_err(), "{text}");
    }
}

fn asked() -> Asked {
    Asked { from: BEGIN, to: BEGIN + 20 * DAY, now: BEGIN + 20 * DAY, units: None }
}

/// Sixty patients of whom every third dies; the champion knows, the challenger says a half of everybody.
fn two_models() -> (Made, Watched, Watched) {
    let champion = watched("mortality-test", ModelRole::Champion, &[EventKind::Death]);
    let challenger = watched("mortality-other", ModelRole::Shadow, &[]);
    let mut made = Made::new();
    for number in 0..60 {
        let (name, dies) = (format!("p{number}"), number % 3 == 0);
        made.person(&name, false, BEGIN, 1);
        if dies {
            made.person(&name, true, BEGIN + 8 * HOUR, 2);
        }
        for hour in 0..6 {
            made.said(&champion, &name, hour, (1.0, Some(if dies { 0.8 } else { 0.1 })));
            let half = (number != 5).then_some(0.5);
            made.said(&challenger, &name, hour, (1.0, half));
        }
        // Moments of one model alone are no comparison.
        made.said(&champion, &name, 7, (1.0, Some(0.9)));
    }
    made.done();
    (made, champion, challenger)
}

#[test]
fn models_are_compared_on_the_same_moments() {
    let (made, champion, challenger) = two_models();
    let watcher = made.watcher(vec![challenger, champion]);
    let told = watcher.compare(&house(), "mortality-test", &asked()).expect("read").expect("they judge");
    assert_eq!((told.patients, told.moments, told.settled, told.observed), (60, 360, 59, 20));
    assert!((told.bed_days - 15.0).abs() < 1e-9 && !told.cut);
    let names: Vec<&str> = told.models.iter().map(|one| one.model.as_str()).collect();
    assert_eq!(names, ["mortality-test", "mortality-other"], "the champion first");
    let (first, other) = (&told.models[0], &told.models[1]);
    assert_eq!((first.judged, first.abstained, other.judged, other.abstained), (360, 0, 354, 6));
    assert_eq!((first.alerts, other.alerts), (20, 0));
    let auroc = |one: &reckoning::models::Compared| one.auroc.expect("enough events").value;
    assert!((auroc(first) - 1.0).abs() < 1e-9 && (auroc(other) - 0.5).abs() < 1e-9);
    // 20 × 0.8 + 39 × 0.1 and 59 × 0.5 were to be expected.
    assert!((first.expected.expect("some") - 19.9).abs() < 1e-9 && (other.expected.expect("some") - 29.5).abs() < 1e-9);
    let ratio = other.ratio.expect("some");
    assert!(ratio.value < 0.7 && ratio.low < Some(ratio.value) && ratio.high > Some(ratio.value), "{ratio:?}");
    assert_eq!(told.changes.len(), 1);
    let change = &told.changes[0];
    assert_eq!((change.both, change.no_longer, change.newly), (0, 120, 0));
    assert_eq!((change.no_longer_right.of, change.no_longer_right.all), (20, 20));
    assert_eq!((change.agree.of, change.agree.all), (234, 354));
    assert!((change.alerts_per_bed_day.expect("bed-days") + 20.0 / 15.0).abs() < 1e-9);
}

#[test]
fn without_events_nothing_is_said_of_how_right_a_model_is() {
    let (made, champion, challenger) = two_models();
    let champion = Watched { events: Vec::new(), ..champion };
    let watcher = made.watcher(vec![champion, challenger]);
    let told = watcher.compare(&house(), "mortality-other", &asked()).expect("read").expect("they judge");
    assert_eq!((told.settled, told.models[0].auroc, told.models[0].ratio, told.moments), (0, None, None, 360));
    assert!(told.events_words.is_empty() && told.models[0].curve.is_empty());
    assert!(watcher.compare(&house(), "none", &asked()).expect("read").is_none());
    let early = Asked { to: BEGIN - 1, from: BEGIN - DAY, ..asked() };
    let none = watcher.compare(&house(), "mortality-test", &early).expect("read").expect("they judge");
    assert_eq!((none.moments, none.models[0].alerts_per_bed_day, none.models[0].mean_risk), (0, None, None));
}

#[test]
fn published_scores_stand_beside_models() {
    let (mut made, champion, _) = two_models();
    series(&mut made, 1, code::NEWS2, &[(0, 7.0), (1, 2.0)]);
    made.person("a", false, BEGIN, 1);
    made.said(&champion, "a", 2, (1.0, Some(0.2)));
    made.said(&champion, "a", 9, (1.0, Some(0.2)));
    made.done();
    let watcher = made.watcher(vec![champion]);
    let told = watcher.compare(&house(), "mortality-test", &asked()).expect("read").expect("it judges");
    let score = told.models.last().expect("a score");
    assert_eq!((score.role.as_str(), score.title.as_str(), score.judged, score.alerts), ("score", "NEWS2", 1, 1));
    assert_eq!((score.abstained, score.auroc, score.expected), (told.moments - 1, None, None));
}
