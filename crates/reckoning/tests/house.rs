//! A small house in a real store: who lay where, what alerted, what came of it.

use alert::Policy;
use reckoning::{Asked, House, due, keep, kept, kept_one, reckon, report, scores};
use serde_json::json;
use store::{
    AlertEventRow, AlertRow, AssociationRow, Commit, DirectoryRow, EncounterRow, LocationRow, PatientRow, Read,
    SqliteStore, Store,
};
use vitals::metric::code;
use vitals::{
    Association, AssociationBasis, Bed, DeviceId, EffectiveTime, Encounter, EncounterId, EncounterStatus,
    EpisodeId, Location, LocationId, MetricCode, Patient, PatientId, Point, Quality, ReceiveTime, SeriesId, SeriesKey,
};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Monday 16 November 2026, 0:00 UTC.
const MONDAY: i64 = 1_794_787_200_000_000;

struct Made {
    store: SqliteStore,
    commit: Commit,
    _folder: tempfile::TempDir,
}

fn place(unit: &str, bed: &str) -> Location {
    Location::from_bed(Bed { unit: unit.into(), room: String::new(), bed: bed.into() })
}

fn patient(name: &str) -> PatientId {
    PatientId::new(name).expect("an id")
}

fn device(name: &str) -> DeviceId {
    DeviceId::new(name).expect("an id")
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("store.db")).expect("a store");
        let mut made = Self { store, commit: Commit { checkpoint: 1, ..Commit::default() }, _folder: folder };
        for (unit, bed) in [("ICU", "1"), ("Ward", "7"), ("Ward", "8")] {
            let location = place(unit, bed);
            made.commit.directory.push(DirectoryRow::Location(LocationRow { location, updated: ReceiveTime(1), version: 1 }));
        }
        made
    }

    /// The store as a reader sees it.
    fn done(mut self) -> (std::sync::Arc<dyn Read>, Self) {
        self.store.commit(&self.commit).expect("a commit");
        self.commit = Commit { checkpoint: self.commit.checkpoint + 1, ..Commit::default() };
        (self.store.reader(), self)
    }

    fn lay(&mut self, who: &str, at: &LocationId, from: i64, version: u64) {
        let encounter = Encounter {
            id: EncounterId::new(&format!("enc-{who}")).expect("an id"),
            patient: patient(who),
            status: EncounterStatus::InProgress,
            class: "IMP".into(),
            location: Some(at.clone()),
            start: Some(EffectiveTime(MONDAY)),
            end: None,
            document: None,
        };
        let row = EncounterRow { encounter, updated: ReceiveTime(from), version };
        self.commit.directory.push(DirectoryRow::Encounter(row));
    }

    fn wear(&mut self, who: &str, what: &str, from: i64, to: Option<i64>) {
        let association = Association {
            device: device(what),
            patient: patient(who),
            basis: AssociationBasis::Person("anna".into()),
            start: EffectiveTime(from),
            end: to.map(EffectiveTime),
        };
        self.commit.directory.push(DirectoryRow::Association(AssociationRow { association, updated: ReceiveTime(from) }));
    }

    fn series(&mut self, id: u32, who: &str, what: &str, metric: MetricCode, values: &[(i64, f64)]) {
        let key = SeriesKey { subject: Some(patient(who)), device: device(what), metric, channel: 0 };
        self.commit.series.push((SeriesId(id), key));
        let points = values.iter().map(|(at, value)| Point {
            time: EffectiveTime(*at),
            received: ReceiveTime(*at),
            value: *value,
            offset: 0,
            index: 0,
            quality: Quality::empty(),
        });
        self.commit.points.push((SeriesId(id), points.collect()));
    }

    /// `history` is `(minutes after, kind, actor, word)`.
    fn alert(&mut self, number: u64, who: &str, at: i64, (condition, title, reason): (serde_json::Value, &str, &str), series: u32, history: &[(i64, &str, &str, &str)]) {
        let episode = EpisodeId { offset: number, index: 0 };
        let resolved = history.iter().any(|(_, kind, ..)| *kind == "resolved");
        let body = json!({
            "episode": {
                "condition": condition, "title": title, "reason": reason,
                "readings": [{ "series": series, "offset": 0, "index": 0 }],
            },
            "location": place("Ward", "7").id,
        });
        self.commit.alerts.push(AlertRow {
            episode,
            patient: Some(patient(who)),
            device: None,
            unit: "Ward".into(),
            condition: "Rule(\"news2\")".into(),
            priority: 2,
            state: if resolved { "resolved" } else { "raised" }.into(),
            open: !resolved,
            raised: ReceiveTime(at),
            changed: ReceiveTime(at),
            body: body.to_string().into_bytes(),
        });
        for (index, (minutes, kind, actor, word)) in history.iter().enumerate() {
            let key = if *kind == "judged" { "verdict" } else { "priority" };
            self.commit.alert_events.push(AlertEventRow {
                episode,
                offset: number + index as u64,
                index: 0,
                at: ReceiveTime(at + minutes * MINUTE),
                kind: (*kind).into(),
                actor: (*actor).into(),
                body: json!({ key: word }).to_string().into_bytes(),
            });
        }
    }
}

fn asked(units: Option<&[&str]>) -> Asked {
    let units = units.map(|units| units.iter().map(|unit| (*unit).to_owned()).collect());
    Asked { from: MONDAY, to: MONDAY + 7 * DAY, now: MONDAY + 8 * DAY, units }
}

fn house() -> House {
    House { higher_care: vec!["icu".into()], ..House::default() }
}

fn role_of(name: &str) -> Option<String> {
    (name == "anna").then(|| "nurse".to_owned())
}

fn saturation() -> (serde_json::Value, &'static str, &'static str) {
    (json!({ "Limit": code::SPO2.0 }), "Oxygen saturation low", "Oxygen saturation low (SpO2 < 88 for 15 s): SpO2 87 %")
}

fn a_week() -> Made {
    let mut made = Made::new();
    made.lay("a", &place("Ward", "7").id, MONDAY, 1);
    made.lay("a", &place("ICU", "1").id, MONDAY + 2 * DAY, 2);
    made.lay("b", &place("Ward", "8").id, MONDAY, 1);
    made.wear("a", "mon-7", MONDAY, Some(MONDAY + 4 * DAY));
    made.wear("b", "mon-8", MONDAY, Some(MONDAY + 12 * HOUR));
    let at = MONDAY + 3 * HOUR;
    let values: Vec<(i64, f64)> = [87.0, 85.0, 86.0, 92.0].iter().enumerate().map(|(i, v)| (at + i as i64 * MINUTE, *v)).collect();
    made.series(1, "a", "mon-7", code::SPO2, &values);
    let taken = [(0, "raised", "system", "medium"), (1, "worsened", "system", "high"), (2, "acknowledged", "anna", "high"), (5, "resolved", "system", "high"), (9, "judged", "anna", "not-actionable"), (10, "judged", "anna", "actionable")];
    made.alert(10, "a", at, saturation(), 1, &taken);
    made.alert(30, "a", at + HOUR, saturation(), 1, &[(0, "raised", "system", "medium"), (2, "escalated", "system", "medium")]);
    made
}

#[test]
fn alerts_are_read_with_their_histories_places_and_values() {
    let (store, _made) = a_week().done();
    let told = reckon(store.as_ref(), &house(), &Policy::built_in(), &asked(None), &role_of).expect("read");
    let figures = told.figures;
    assert_eq!((figures.alerts, figures.high, figures.medium, told.cut), (2, 1, 1, false));
    // Two days on the ward and two in intensive care, and half a day.
    assert!((figures.bed_days - 4.5).abs() < 1e-6, "{}", figures.bed_days);
    assert_eq!(figures.judged.actionable.of, 1, "the last word counts");
    assert_eq!((figures.handling.len(), figures.handling[0].role.as_str()), (1, "nurse"));
    assert_eq!(figures.handling[0].took.median_s, Some(120.0));
    assert_eq!((figures.night.calls, figures.night.passed_on, figures.never_taken), (3, 1, 1));
    assert_eq!((figures.beds.rows[0].name.as_str(), figures.beds.rows[0].unit.as_str()), ("7", "Ward"));
    assert_eq!(figures.devices.rows[0].name, "mon-7", "the device whose value decided it");
    assert_eq!(figures.standing.len(), 1, "nobody ended the second");
}

#[test]
fn a_unit_sees_its_own() {
    let (store, _made) = a_week().done();
    let of = |units: &[&str]| {
        reckon(store.as_ref(), &house(), &Policy::built_in(), &asked(Some(units)), &role_of).expect("read").figures
    };
    assert_eq!((of(&["Ward"]).alerts, of(&["ICU"]).alerts), (2, 0));
    assert!((of(&["Ward"]).bed_days - 2.5).abs() < 1e-6);
    assert!((of(&["ICU"]).bed_days - 2.0).abs() < 1e-6);
}

#[test]
fn limits_are_told_with_what_moving_them_would_have_spared() {
    let mut made = a_week();
    made.alert(50, "a", MONDAY + 3 * HOUR + 2 * MINUTE, saturation(), 1, &[(0, "raised", "system", "low"), (1, "resolved", "system", "low")]);
    // A patient's own limit is no question of the policy's.
    let own = (json!({ "Limit": code::SPO2.0 }), "Oxygen saturation low", "Oxygen saturation low (SpO2 < 80 for 15 s): SpO2 79 %");
    made.alert(70, "a", MONDAY + 3 * HOUR, own, 1, &[(0, "raised", "system", "low"), (1, "resolved", "system", "low")]);
    made.alert(90, "a", MONDAY + 3 * HOUR + MINUTE, saturation(), 1, &[(0, "raised", "system", "low"), (1, "resolved", "system", "low")]);
    let (store, _made) = made.done();
    let told = reckon(store.as_ref(), &house(), &Policy::built_in(), &asked(None), &role_of).expect("read");
    let limits = told.figures.limits;
    assert_eq!(limits.len(), 1, "{limits:?}");
    assert_eq!((limits[0].mark, limits[0].below, limits[0].alerts), (88.0, true, 3));
    assert_eq!((limits[0].steps[0].mark, limits[0].steps[0].spared), (86.0, 1), "one went to 86, two to 85");
    assert_eq!((limits[0].steps[1].mark, limits[0].steps[1].spared, limits[0].steps[1].spared_actionable), (84.0, 3, 1));
}

#[test]
fn warnings_are_right_when_something_real_follows() {
    let mut made = a_week();
    let hour = |hour: i64, value: f64| (MONDAY + hour * HOUR, value);
    // Patient a reaches 6 twelve hours before intensive care; b reaches 5 and nothing comes of it.
    made.series(5, "a", "vitalwire", code::NEWS2, &[hour(1, 2.0), hour(36, 6.0), hour(37, 6.0)]);
    made.series(6, "b", "vitalwire", code::NEWS2, &[hour(1, 2.0), hour(60, 5.0), hour(61, 2.0)]);
    let (store, _made) = made.done();
    let told = scores(store.as_ref(), &house(), &asked(None)).expect("read");
    let news = told.iter().find(|one| one.score == "NEWS2" && one.from == 5.0).expect("NEWS2");
    assert_eq!((news.right.followed.of, news.right.followed.all), (1, 2));
    assert_eq!(news.right.followed.share, None, "two are too few to tell");
    // The move and the alert that was actionable; the move was foreseen.
    assert_eq!((news.right.foreseen.of, news.right.foreseen.all), (1, 2));
    assert_eq!(news.right.lead_median_h, Some(12.0));
    let none = House::default();
    let told = scores(store.as_ref(), &none, &asked(None)).expect("read");
    assert_eq!(told[0].right.followed.of, 0, "without units of higher care a move is a move");
}

#[test]
fn who_died_is_an_event_of_the_day_it_was_told() {
    let mut made = a_week();
    let mut dead = Patient::unknown(patient("b"));
    dead.deceased = true;
    let at = ReceiveTime(MONDAY + 70 * HOUR);
    made.commit.directory.push(DirectoryRow::Patient(PatientRow { patient: dead, merged_into: None, updated: at, version: 1 }));
    made.series(6, "b", "vitalwire", code::NEWS2, &[(MONDAY + 60 * HOUR, 9.0)]);
    let (store, _made) = made.done();
    let told = scores(store.as_ref(), &House::default(), &asked(None)).expect("read");
    assert_eq!((told[1].from, told[1].right.followed.of, told[1].right.followed.all), (7.0, 1, 1));
}

#[test]
fn a_weeks_report_is_made_once_and_kept() {
    let (store, made) = a_week().done();
    let now = MONDAY + 7 * DAY + HOUR;
    let week = due(store.as_ref(), &house(), now).expect("read").expect("a week is due");
    assert_eq!((week.name.as_str(), week.from), ("2026-W47", MONDAY));
    let asked = Asked { from: week.from, to: week.to, now, units: None };
    let made_one = report(store.as_ref(), &house(), &Policy::built_in(), (&asked, &week.name), &role_of).expect("made");
    assert_eq!((made_one.figures.alerts, made_one.before.alerts), (2, 0));
    keep(made.store.side().as_ref(), &made_one).expect("kept");
    assert_eq!(due(store.as_ref(), &house(), now).expect("read"), None);
    assert_eq!(kept(store.as_ref()).expect("read")[0].name, "2026-W47");
    assert_eq!(kept_one(store.as_ref(), "2026-W47").expect("read"), Some(made_one));
    assert_eq!(kept_one(store.as_ref(), "2026-W46").expect("read"), None);
}
