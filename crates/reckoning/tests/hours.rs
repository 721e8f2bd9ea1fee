//! Hours that are kept say the same as the rows they were read from, whatever happens in between.

use alert::Policy;
use proptest::prelude::*;
use reckoning::{Asked, House, keep_hours, reckon};
use serde_json::json;
use store::{AlertEventRow, AlertRow, Commit, DirectoryRow, Erasure, LocationRow, RecordExpiry, SqliteStore, Store};
use vitals::metric::code;
use vitals::time::{DAY, HOUR, MINUTE};
use vitals::{
    Bed, DeviceId, EffectiveTime, EpisodeId, Location, PatientId, Point, Quality, ReceiveTime, SeriesId, SeriesKey,
};

/// Hours in which alerts are raised; the time after is now.
const HOURS: i64 = 6;
const BEDS: u32 = 4;

/// What may happen to a house.
#[derive(Debug, Clone)]
enum Happens {
    Raised { number: u64, bed: u32, minute: i64, limit: bool, device: bool },
    /// Something is said of an alert: what, by whom, so many seconds after.
    Said { number: u64, kind: usize, word: usize, after_s: i64 },
    Ended { number: u64 },
    Moved { bed: u32, unit: bool },
    Expired { hour: i64 },
    Erased { bed: u32 },
    Kept,
    Restarted,
}

const KINDS: [&str; 7] = ["raised", "sounding", "worsened", "escalated", "acknowledged", "snoozed", "judged"];
const WORDS: [&str; 4] = ["high", "actionable", "not-actionable", "artefact"];

fn happens() -> impl Strategy<Value = Happens> {
    let number = 0..40_u64;
    prop_oneof![
        8 => (number.clone(), 0..BEDS, 0..HOURS * 60, any::<bool>(), any::<bool>())
            .prop_map(|(number, bed, minute, limit, device)| Happens::Raised { number, bed, minute, limit, device }),
        8 => (number.clone(), 0..KINDS.len(), 0..WORDS.len(), 0..900_i64)
            .prop_map(|(number, kind, word, after_s)| Happens::Said { number, kind, word, after_s }),
        4 => number.prop_map(|number| Happens::Ended { number }),
        1 => (0..BEDS, any::<bool>()).prop_map(|(bed, unit)| Happens::Moved { bed, unit }),
        1 => (0..HOURS).prop_map(|hour| Happens::Expired { hour }),
        1 => (0..BEDS).prop_map(|bed| Happens::Erased { bed }),
        4 => Just(Happens::Kept),
        1 => Just(Happens::Restarted),
    ]
}

fn patient(bed: u32) -> PatientId {
    PatientId::new(&format!("p-{bed}")).expect("an id")
}

fn place(bed: u32) -> Location {
    Location::from_bed(Bed { unit: "Ward".into(), room: String::new(), bed: bed.to_string() })
}

/// A store, and what is known of its alerts.
struct Made {
    store: SqliteStore,
    folder: tempfile::TempDir,
    raised: std::collections::BTreeMap<u64, AlertRow>,
    checkpoint: u64,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("store.db")).expect("a store");
        let mut made = Self { store, folder, raised: std::collections::BTreeMap::new(), checkpoint: 0 };
        let mut first = Commit::default();
        for bed in 0..BEDS {
            first.directory.push(listed(place(bed)));
            let key = SeriesKey {
                subject: Some(patient(bed)),
                device: DeviceId::new(&format!("mon-{bed}")).expect("an id"),
                metric: code::SPO2,
                channel: 0,
            };
            first.series.push((SeriesId(bed), key));
            let points = (0..HOURS * 60).map(|minute| Point {
                time: EffectiveTime(minute * MINUTE),
                received: ReceiveTime(minute * MINUTE),
                value: 80.0 + (minute % 8) as f64,
                offset: minute as u64,
                index: 0,
                quality: Quality::empty(),
            });
            first.points.push((SeriesId(bed), points.collect()));
        }
        made.commit(first);
        made
    }

    fn commit(&mut self, commit: Commit) {
        self.checkpoint += 1;
        self.store.commit(&Commit { checkpoint: self.checkpoint, ..commit }).expect("a commit");
    }

    fn happen(&mut self, what: &Happens, keeps: bool) {
        match *what {
            Happens::Raised { number, bed, minute, limit, device } => {
                if self.raised.contains_key(&number) {
                    return;
                }
                let row = raised(number, bed, minute, limit, device);
                self.raised.insert(number, row.clone());
                self.commit(Commit { alerts: vec![row], ..Commit::default() });
            }
            Happens::Said { number, kind, word, after_s } => self.say(number, KINDS[kind], word, after_s * 1_000_000),
            Happens::Ended { number } => {
                if let Some(row) = self.raised.get_mut(&number) {
                    (row.open, row.changed) = (false, ReceiveTime(row.raised.0 + 20 * MINUTE));
                    let alerts = vec![row.clone()];
                    self.commit(Commit { alerts, ..Commit::default() });
                }
            }
            Happens::Moved { bed, unit } => {
                let mut location = place(bed);
                location.bed.unit = if unit { "ICU" } else { "Elsewhere" }.into();
                self.commit(Commit { directory: vec![listed(location)], ..Commit::default() });
            }
            Happens::Expired { hour } => {
                let never = ReceiveTime(i64::MIN);
                let expiry = RecordExpiry {
                    alerts_before: ReceiveTime(hour * HOUR),
                    quarantine_before: never,
                    directory_before: never,
                    rows_max: 1_000,
                };
                self.store.expire_records(&expiry).expect("retention runs");
            }
            Happens::Erased { bed } => self.erase(bed),
            Happens::Kept if keeps => {
                let side = self.store.side();
                keep_hours(self.store.reader().as_ref(), side.as_ref(), HOURS * HOUR).expect("kept");
            }
            Happens::Restarted => {
                self.store = SqliteStore::open(&self.folder.path().join("store.db")).expect("a store");
            }
            Happens::Kept => {}
        }
    }

    fn say(&mut self, number: u64, kind: &str, word: usize, after: i64) {
        let Some(row) = self.raised.get(&number) else { return };
        let event = AlertEventRow {
            episode: row.episode,
            offset: self.checkpoint,
            index: 0,
            at: ReceiveTime(row.raised.0 + after),
            kind: kind.to_owned(),
            actor: if word == 0 { "anna" } else { "bob" }.to_owned(),
            body: json!({ "priority": WORDS[word], "verdict": WORDS[word] }).to_string().into_bytes(),
        };
        self.commit(Commit { alert_events: vec![event], ..Commit::default() });
    }

    fn erase(&mut self, bed: u32) {
        let erasure = Erasure {
            offset: self.checkpoint,
            patient: patient(bed),
            records: vec![patient(bed)],
            devices: Vec::new(),
            by: "root".into(),
            reason: String::new(),
            at: ReceiveTime(HOURS * HOUR),
            words: Vec::new(),
        };
        self.commit(Commit { erasures: vec![erasure], ..Commit::default() });
    }

    fn told(&self, from: i64, units: Option<&str>) -> reckoning::Reckoned {
        let now = HOURS * HOUR + 30 * MINUTE;
        let asked = Asked { from, to: now, now, units: units.map(|unit| vec![unit.to_owned()]) };
        let role = |name: &str| (name == "anna").then(|| "nurse".to_owned());
        reckon(self.store.reader().as_ref(), &House::default(), &Policy::built_in(), &asked, &role).expect("read")
    }
}

fn listed(location: Location) -> DirectoryRow {
    DirectoryRow::Location(LocationRow { location, updated: ReceiveTime(1), version: 1 })
}

fn raised(number: u64, bed: u32, minute: i64, limit: bool, device: bool) -> AlertRow {
    let condition = if limit { json!({ "Limit": code::SPO2.0 }) } else { json!({ "Rule": "news2" }) };
    let title = if limit { "Oxygen saturation low" } else { "News" };
    let body = json!({
        "episode": {
            "condition": condition, "title": title, "reason": "Oxygen saturation low (SpO2 < 88 for 15 s): SpO2 84 %",
            "readings": [{ "series": bed, "offset": 0, "index": 0 }],
        },
        "location": place(bed).id,
    });
    AlertRow {
        episode: EpisodeId { offset: number, index: 0 },
        patient: Some(patient(bed)),
        device: device.then(|| DeviceId::new("own").expect("an id")),
        unit: if bed == 0 { "ICU".into() } else { String::new() },
        condition: "c".into(),
        priority: 1 + (number % 3) as u8,
        state: "raised".into(),
        open: true,
        raised: ReceiveTime(minute * MINUTE),
        changed: ReceiveTime(minute * MINUTE),
        body: body.to_string().into_bytes(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_kept_says_what_the_rows_say(story in prop::collection::vec(happens(), 1..80)) {
        let (mut keeping, mut plain) = (Made::new(), Made::new());
        for what in &story {
            keeping.happen(what, true);
            plain.happen(what, false);
        }
        for (from, units) in [(0, None), (90 * MINUTE, None), (0, Some("ICU")), (-DAY, Some("Ward"))] {
            prop_assert_eq!(keeping.told(from, units), plain.told(from, units));
        }
        // All kept, and asked again.
        keeping.happen(&Happens::Kept, true);
        prop_assert_eq!(keeping.told(0, None), plain.told(0, None));
    }
}

#[test]
fn the_second_time_there_is_nothing_left_to_keep() {
    let mut made = Made::new();
    for number in 0..5 {
        made.happen(&Happens::Raised { number, bed: 1, minute: number as i64 * 61, limit: true, device: false }, true);
    }
    let (reader, side) = (made.store.reader(), made.store.side());
    let keep = |now| keep_hours(reader.as_ref(), side.as_ref(), now).expect("kept");
    assert_eq!((keep(3 * HOUR), keep(3 * HOUR + MINUTE)), (3, 0), "hours that are over");
    assert_eq!(keep(HOURS * HOUR), 2);
    let told = made.told(0, None);
    assert_eq!((told.figures.alerts, told.figures.limits[0].alerts), (5, 5));
}
