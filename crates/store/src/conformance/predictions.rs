//! Predictions: once, found by what is asked for, gone when they are too old or their patient is erased.

use std::path::Path;

use vitals::{EffectiveTime, PatientId, PredictionId, ReceiveTime};

use crate::{Commit, Erasure, Page, PredictionQuery, PredictionRow, RecordExpiry, Span, Store};

fn row(offset: u64, patient: &str, model: &str, class: &str) -> PredictionRow {
    PredictionRow {
        id: PredictionId { offset, index: 0 },
        patient: PatientId::new(patient).expect("a valid id"),
        model: model.to_owned(),
        version: "1.0.0+0123456789ab".to_owned(),
        role: if model == "new" { "shadow" } else { "champion" }.to_owned(),
        class: class.to_owned(),
        probability: (class != "abstained").then_some(0.25),
        at: EffectiveTime(offset as i64 * 10),
        made: ReceiveTime(offset as i64),
        inputs: [1.5_f32, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect(),
        body: b"{\"because\":[]}".to_vec(),
    }
}

pub(super) fn kept_found_expired<S: Store>(folder: &Path, make: &impl Fn(&Path) -> S) {
    let rows = vec![
        row(1, "p1", "sepsis", "low"),
        row(2, "p1", "sepsis", "high"),
        row(3, "p2", "sepsis", "abstained"),
        row(4, "p1", "new", "low"),
    ];
    let mut store = make(folder);
    let commit = Commit { checkpoint: 5, predictions: rows.clone(), ..Commit::default() };
    store.commit(&commit).expect("a commit succeeds");
    // The same again is the same, also after it was opened anew.
    drop(store);
    let mut store = make(folder);
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let found = |query: PredictionQuery| {
        let found = reader.predictions(&query).expect("predictions can be read");
        (found.total, found.rows.iter().map(|row| row.id.offset).collect::<Vec<_>>())
    };
    let patient = |id: &str| vec![PatientId::new(id).expect("a valid id")];
    let all = PredictionQuery::default;
    let whole = reader.predictions(&all()).expect("predictions can be read");
    assert_eq!(whole.rows.last(), Some(&rows[0]), "as it was written, with inputs to the bit");
    for (query, expected) in [
        (all(), vec![4, 3, 2, 1]),
        (PredictionQuery { patients: patient("p1"), ..all() }, vec![4, 2, 1]),
        (PredictionQuery { models: vec!["sepsis".into()], oldest_first: true, ..all() }, vec![1, 2, 3]),
        (PredictionQuery { role: Some("shadow".into()), ..all() }, vec![4]),
        (PredictionQuery { classes: vec!["high".into(), "abstained".into()], ..all() }, vec![3, 2]),
        (PredictionQuery { at: Span { from: Some(20), to: Some(40) }, ..all() }, vec![3, 2]),
        (PredictionQuery { made: Span { from: Some(4), to: None }, ..all() }, vec![4]),
        (PredictionQuery { ids: vec![rows[1].id, rows[2].id], ..all() }, vec![3, 2]),
    ] {
        assert_eq!(found(query.clone()), (expected.len() as u64, expected), "{query:?}");
    }
    let version = "1.0.0+0123456789ab";
    let walk = |model: &str, after: Option<u64>, limit: u64| {
        let after = after.map(|offset| PredictionId { offset, index: 0 });
        let found = reader.predictions_after((model, version), after, limit).expect("predictions can be read");
        found.iter().map(|row| row.id.offset).collect::<Vec<_>>()
    };
    assert_eq!((walk("sepsis", None, 9), walk("sepsis", Some(1), 1), walk("sepsis", Some(3), 9)), (vec![1, 2, 3], vec![2], vec![]));
    assert_eq!((walk("new", Some(1), 9), walk("none", None, 9)), (vec![4], vec![]));
    let first = |id: &str, model: &str, at: Span| {
        reader.first_judged(&patient(id)[0], model, at).expect("predictions can be read").map(|at| at.0)
    };
    assert_eq!((first("p1", "sepsis", Span::ALL), first("p1", "new", Span::ALL)), (Some(10), Some(40)));
    assert_eq!(first("p1", "sepsis", Span { from: Some(11), to: Some(20) }), None, "its end is not in it");
    assert_eq!(first("p1", "sepsis", Span { from: Some(11), to: None }), Some(20));
    assert_eq!((first("p2", "sepsis", Span::ALL), first("p3", "sepsis", Span::ALL)), (None, None), "an abstention is no judgement");
    let risks = |span: Span, limit: u64| {
        let found = reader.risks(("sepsis", version), span, limit).expect("risks can be read");
        found.iter().map(|row| (row.at.0, row.class.clone(), row.probability)).collect::<Vec<_>>()
    };
    let (high, none) = ((20, "high".to_owned(), Some(0.25)), (30, "abstained".to_owned(), None));
    assert_eq!(risks(Span::ALL, 2), vec![none.clone(), high.clone()], "the newest");
    assert_eq!(risks(Span { from: Some(2), to: Some(4) }, 9), vec![none, high]);
    let part = PredictionQuery { page: Page { skip: 1, limit: 2 }, ..all() };
    assert_eq!(found(part), (4, vec![3, 2]));

    let never = ReceiveTime(i64::MIN);
    let step = RecordExpiry {
        alerts_before: ReceiveTime(2),
        quarantine_before: never,
        directory_before: never,
        rows_max: 1,
    };
    let gone = store.expire_records(&step).expect("a step succeeds");
    assert_eq!((gone.predictions, found(all()).1), (1, vec![4, 3, 2]));
    assert_eq!(reader.expired_records().expect("they can be read").predictions, 1);

    let erasure = Erasure {
        offset: 6,
        patient: patient("p1").remove(0),
        records: patient("p1"),
        devices: Vec::new(),
        by: "grace".to_owned(),
        reason: "asked for".to_owned(),
        at: ReceiveTime(9),
        words: Vec::new(),
    };
    store.commit(&Commit { checkpoint: 7, erasures: vec![erasure], ..Commit::default() }).expect("a commit succeeds");
    assert_eq!(found(all()).1, [3]);
    let left = reader.left_of(&patient("p1")).expect("it can be counted");
    assert!(left.iter().all(|(_, rows)| *rows == 0), "{left:?}");
}
