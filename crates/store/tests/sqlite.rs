//! The SQLite store passes the conformance suite, and its blocks give back what they were given.

use proptest::prelude::*;
use store::series::{self, Columns, merge};
use store::{Commit, SqliteStore, Store, StoreError};
use vitals::{EffectiveTime, Point, Quality, ReceiveTime};

#[test]
fn conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    store::conformance::run(folder.path(), |folder| {
        SqliteStore::open(&folder.join("store.sqlite")).expect("the store opens")
    });
}

#[test]
fn a_newer_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("store.sqlite");
    drop(SqliteStore::open(&file).expect("the store opens"));
    let database = rusqlite::Connection::open(&file).expect("SQLite opens");
    database
        .pragma_update(None, "user_version", 99)
        .expect("the version is set");
    assert!(matches!(
        SqliteStore::open(&file),
        Err(StoreError::Newer {
            found: 99,
            known: 7
        })
    ));
}

#[test]
fn an_older_database_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("store.sqlite");
    let database = rusqlite::Connection::open(&file).expect("SQLite opens");
    let tables = include_str!("../src/sqlite/schema-1.sql");
    database.execute_batch(tables).expect("tables are made");
    let name = "insert into reading_identifiers values ('urn:x|1', 3, 7, 2)";
    database.execute_batch(name).expect("a row is written");
    let version = database.pragma_update(None, "user_version", 1);
    version.expect("the version is set");
    drop(database);
    let store = SqliteStore::open(&file).expect("the store opens");
    let found = store.reader().identified("urn:x|1").expect("it can be read");
    let names: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["r3-7-2"]);
}

fn arbitrary_point() -> impl Strategy<Value = Point> {
    let value = prop_oneof![
        (0..300_i32).prop_map(f64::from),
        (0..3_000_i32).prop_map(|tenths| f64::from(tenths) / 10.0),
        any::<f64>(),
    ];
    let time = -4_102_444_800_000_000..4_102_444_800_000_000_i64;
    (
        time,
        -1_000_000_000..1_000_000_000_i64,
        value,
        any::<u64>(),
        any::<u16>(),
        any::<u16>(),
    )
        .prop_map(|(time, delay, value, offset, index, quality)| Point {
            time: EffectiveTime(time),
            received: ReceiveTime(time + delay * 1_000),
            value,
            offset,
            index,
            quality: Quality::from_bits_retain(quality),
        })
}

fn bits(points: &[Point]) -> Vec<(i64, i64, u64, u64, u16, u16)> {
    points
        .iter()
        .map(|p| {
            (
                p.time.0,
                p.received.0,
                p.value.to_bits(),
                p.offset,
                p.index,
                p.quality.bits(),
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_give_back_what_they_were_given(
        points in proptest::collection::vec(arbitrary_point(), 1..400),
    ) {
        let bytes = series::encode(&points);
        let decoded = series::decode(&bytes).expect("it was just encoded");
        prop_assert_eq!(bits(&decoded), bits(&points));
        let mut columns = Columns::default();
        series::decode_columns(&bytes, &mut columns).expect("it was just encoded");
        prop_assert_eq!(&columns.times, &points.iter().map(|p| p.time.0).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_blocks_never_panic(
        points in proptest::collection::vec(arbitrary_point(), 1..200),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = series::encode(&points);
        let position = at.index(bytes.len());
        bytes[position] ^= flip;
        // A pco header may ask for more than there is; all that matters is that nothing breaks.
        let _ = series::decode(&bytes);
        let _ = series::decode(&bytes[..cut.index(bytes.len())]);
        let _ = series::decode_columns(&bytes, &mut Columns::default());
    }

    #[test]
    fn tidying_keeps_each_value_of_a_time_once(
        times in proptest::collection::vec((0..20_i64, 0..3_u8), 0..200),
    ) {
        let mut points: Vec<Point> = (0_u64..).zip(&times).map(|(offset, (time, value))| Point {
            time: EffectiveTime(*time),
            received: ReceiveTime(*time),
            value: f64::from(*value),
            offset,
            index: 0,
            quality: Quality::empty(),
        }).collect();
        merge::tidy(&mut points);
        let mut expected = times.clone();
        expected.sort_unstable();
        expected.dedup();
        let mut found: Vec<(i64, u8)> =
            points.iter().map(|p| (p.time.0, p.value as u8)).collect();
        prop_assert!(points.is_sorted_by_key(|p| p.time));
        found.sort_unstable();
        prop_assert_eq!(found, expected);
        for (time, value) in &times {
            let first = times.iter().position(|t| t == &(*time, *value)).expect("it is there");
            prop_assert!(points.iter().any(|p| p.offset == first as u64));
        }
    }
}

#[test]
fn a_commit_survives_reopening_without_closing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("store.sqlite");
    let mut writer = SqliteStore::open(&file).expect("the store opens");
    writer
        .commit(&Commit {
            checkpoint: 5,
            ..Commit::default()
        })
        .expect("a commit succeeds");
    let other = SqliteStore::open(&file).expect("the store opens");
    assert_eq!(
        other
            .reader()
            .checkpoint()
            .expect("the checkpoint can be read"),
        5
    );
}

#[test]
fn a_sealed_store_conforms_and_shows_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = seal::Key::new([7; 32]);
    store::conformance::run(folder.path(), |folder| {
        SqliteStore::open_sealed(&folder.join("store.sqlite"), &key).expect("the store opens")
    });
    let mut files = 0;
    let mut folders = vec![folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).expect("listed") {
            let path = item.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("read");
            let shows = ["SQLite format", "create table", "reading_names", "monitor"].map(str::as_bytes);
            let shown = shows.iter().find(|word| bytes.windows(word.len()).any(|w| w == **word));
            // The log's index has page numbers only.
            assert_eq!(shown, None, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 0);
}

#[test]
fn another_key_does_not_open_a_sealed_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("store.sqlite");
    drop(SqliteStore::open_sealed(&file, &seal::Key::new([7; 32])).expect("made"));
    assert!(SqliteStore::open_sealed(&file, &seal::Key::new([8; 32])).is_err());
    assert!(SqliteStore::open(&file).is_err());
    drop(SqliteStore::open_sealed(&file, &seal::Key::new([7; 32])).expect("opened"));
}
