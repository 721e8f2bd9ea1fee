//! A journal checked from outside: whole, damaged, cut, in use.

use std::path::Path;
use std::sync::Arc;

use journal::{EmbeddedJournal, Encoded, Journal, Options, Place, RealDisk, inspect};
use vitals::{DeviceId, Event, LinkState, ReceiveTime};

fn options() -> Options {
    Options { segment_bytes: 2_000, key: None }
}

fn write(folder: &Path, batches: u64) -> Vec<Place> {
    let mut journal =
        EmbeddedJournal::open_on(Arc::new(RealDisk), folder, options()).expect("it opens");
    let mut places = vec![journal.reader().head().expect("a chain")];
    for n in 0..batches {
        let event = Event::Link {
            device: DeviceId::sanitised(&format!("monitor-{n}")),
            state: LinkState::Online,
            reason: "it came".to_owned(),
        };
        let encoded = Encoded::new(&event, None).expect("it encodes");
        journal.append(ReceiveTime(n as i64), &[encoded.clone(), encoded]).expect("written");
        places.push(journal.reader().head().expect("a chain"));
    }
    assert!(journal::in_use(folder), "we hold it");
    places
}

#[test]
fn every_place_that_was_noted_is_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let places = write(folder.path(), 100);
    assert!(!journal::in_use(folder.path()));
    let mut seen = Vec::new();
    let found = inspect(folder.path(), &options(), |place, _, _| seen.push(place)).expect("read");
    assert!(found.damage.is_none(), "{:?}", found.damage);
    assert!(found.verified.files > 3);
    assert_eq!(found.verified.next_offset, 200);
    seen.dedup();
    assert_eq!(seen, places);
}

#[test]
fn damage_is_named_by_file_and_position_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let places = write(folder.path(), 40);
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|f| f.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "vwj"));
    files.sort();
    let last = files.last().expect("a segment");
    let bytes = std::fs::read(last).expect("read");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        std::fs::write(last, &changed).expect("written");
        let found = inspect(folder.path(), &options(), |_, _, _| {}).expect("read");
        assert!(found.damage.is_some() && found.file == *last, "byte {at}");
        assert!(found.position <= at as u64, "byte {at}: {}", found.position);
        assert_eq!(std::fs::read(last).expect("read"), changed, "nothing is repaired");
    }
    // The end cut off between two frames: the files are whole, the noted place is not in them.
    std::fs::remove_file(last).expect("removed");
    let mut seen = Vec::new();
    let found = inspect(folder.path(), &options(), |place, _, _| seen.push(place)).expect("read");
    assert!(found.damage.is_none());
    assert!(!seen.contains(places.last().expect("places")));
}

#[test]
fn a_journal_in_use_is_read_beside_its_writer() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut journal =
        EmbeddedJournal::open_on(Arc::new(RealDisk), folder.path(), options()).expect("it opens");
    assert_eq!(journal::peek(folder.path(), &options(), None).expect("read").next_offset(), 0);
    let event = Event::Link {
        device: DeviceId::sanitised("monitor"),
        state: LinkState::Online,
        reason: "it came".to_owned(),
    };
    let encoded = Encoded::new(&event, None).expect("it encodes");
    for n in 0..100 {
        journal.append(ReceiveTime(n), &[encoded.clone()]).expect("written");
    }
    let beside = journal::peek(folder.path(), &options(), None).expect("read");
    journal.append(ReceiveTime(100), &[encoded]).expect("written");
    let all = beside.read(0, usize::MAX).expect("read");
    assert_eq!((all.len(), beside.next_offset()), (100, 100), "what comes later is not shown");
    assert_eq!(all, journal.read(0, usize::MAX).expect("read")[..100]);
    let missing = tempfile::tempdir().expect("a folder");
    assert!(journal::peek(missing.path(), &options(), None).is_err());
}
