//! What the embedded journal does when power, disks and people fail it (DU-1, SE-2).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::conformance::event;
use journal::faults::FaultyDisk;
use journal::{
    Disk, EmbeddedJournal, Encoded, Entry, Journal, JournalError, Options, RealDisk, Verified,
};
use proptest::prelude::*;
use vitals::ReceiveTime;

fn small() -> Options {
    Options {
        segment_bytes: 16 * 1024,
        ..Options::default()
    }
}

fn folder() -> PathBuf {
    PathBuf::from("/journal")
}

fn open(disk: &FaultyDisk) -> Result<EmbeddedJournal, JournalError> {
    EmbeddedJournal::open_on(Arc::new(disk.clone()), &folder(), small())
}

fn encoded(number: u64, size: usize) -> Encoded {
    Encoded::new(&event(number, size), None).expect("it can be encoded")
}

fn filled(disk: &FaultyDisk, entries: u64, size: usize) -> EmbeddedJournal {
    let mut journal = open(disk).expect("the journal opens");
    for number in 0..entries {
        journal
            .append(ReceiveTime(1), &[encoded(number, size)])
            .expect("an append succeeds");
    }
    journal
}

fn segments(disk: &FaultyDisk) -> Vec<PathBuf> {
    let mut names = disk.list(&folder()).expect("the folder can be listed");
    names.retain(|name| name.ends_with(".vwj"));
    names.sort();
    names.into_iter().map(|name| folder().join(name)).collect()
}

fn check_entries(journal: &EmbeddedJournal, expected: impl Iterator<Item = u64>, size: usize) {
    let entries = journal.read(0, usize::MAX).expect("entries can be read");
    let numbers: Vec<u64> = expected.collect();
    assert_eq!(entries.len(), numbers.len());
    for (entry, number) in entries.iter().zip(numbers) {
        let Entry {
            offset,
            event: found,
            ..
        } = entry;
        assert_eq!((*offset, found), (number, &event(number, size)));
    }
}

#[test]
fn conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    journal::conformance::run(folder.path(), |folder| {
        EmbeddedJournal::open_on(Arc::new(RealDisk), folder, small()).expect("the journal opens")
    });
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = EmbeddedJournal::open(folder.path()).expect("the journal opens");
    assert!(matches!(
        EmbeddedJournal::open(folder.path()),
        Err(JournalError::InUse(_))
    ));
}

#[test]
fn a_frame_cut_off_at_any_byte_loses_only_itself() {
    let disk = FaultyDisk::new();
    drop(filled(&disk, 5, 60));
    let path = segments(&disk).remove(0);
    let before = disk.content(&path).expect("the segment is there");
    let mut journal = open(&disk).expect("the journal opens");
    journal
        .append(ReceiveTime(1), &[encoded(5, 60), encoded(6, 60)])
        .expect("an append succeeds");
    drop(journal);
    let whole = disk.content(&path).expect("the segment is there");
    for length in before.len()..whole.len() {
        disk.alter(&path, |bytes| *bytes = whole[..length].to_vec());
        let mut journal = open(&disk).expect("a torn tail is no error");
        assert_eq!(
            journal.recovery().torn_bytes,
            (length - before.len()) as u64
        );
        check_entries(&journal, 0..5, 60);
        // It goes on as if nothing had been.
        let stamp = journal
            .append(ReceiveTime(1), &[encoded(5, 60)])
            .expect("an append succeeds");
        assert_eq!(stamp.first, 5);
        drop(journal);
        let journal = open(&disk).expect("the journal opens");
        check_entries(&journal, 0..6, 60);
        journal.verify().expect("nothing was altered");
    }
}

#[test]
fn torn_bytes_are_set_aside() {
    let disk = FaultyDisk::new();
    drop(filled(&disk, 3, 60));
    let path = segments(&disk).remove(0);
    disk.alter(&path, |bytes| bytes.extend_from_slice(b"half a frame"));
    drop(open(&disk).expect("a torn tail is no error"));
    let aside = disk.content(&folder().join("torn-3.bin"));
    assert_eq!(aside.as_deref(), Some(b"half a frame".as_slice()));
}

/// What a manipulation of the files leads to, seen at opening or by `verify`.
fn found(disk: &FaultyDisk) -> Result<Verified, JournalError> {
    open(disk).and_then(|journal| journal.verify())
}

#[test]
fn every_flipped_bit_before_the_last_frame_is_named() {
    let disk = FaultyDisk::new();
    drop(filled(&disk, 12, 1_800));
    let paths = segments(&disk);
    assert!(paths.len() > 1, "{}", paths.len());
    let last = paths.last().expect("there are several").clone();
    let clean = found(&disk).expect("nothing was altered");
    for path in &paths {
        let whole = disk.content(path).expect("the segment is there");
        // Of the newest segment, the last frame may be taken for a torn one.
        let end = if *path == last {
            whole.len() - 1_950
        } else {
            whole.len()
        };
        for at in (0..end).step_by(37).chain(0..60.min(end)) {
            disk.alter(path, |bytes| bytes[at] ^= 1 << (at % 8));
            match found(&disk) {
                Err(JournalError::Corrupt { file, position, .. }) => {
                    assert!(position <= at as u64, "byte {at} found at {position}");
                    let next = paths.iter().position(|p| p == path).map(|at| at + 1);
                    let here = file == *path || next.and_then(|n| paths.get(n)) == Some(&file);
                    assert!(here, "{}", file.display());
                }
                other => panic!("byte {at} of {}: {other:?}", path.display()),
            }
            disk.alter(path, |bytes| *bytes = whole.clone());
        }
    }
    assert_eq!(found(&disk).expect("all is as it was"), clean);
}

#[test]
fn content_rewritten_with_a_matching_checksum_breaks_the_chain() {
    // Whoever knows the format can mend the checksums, but not without the key the chain.
    let disk = FaultyDisk::new();
    let keyed = Options {
        key: Some([7; 32]),
        ..small()
    };
    let open = |key| {
        let options = Options {
            key,
            ..keyed.clone()
        };
        EmbeddedJournal::open_on(Arc::new(disk.clone()), &folder(), options)
    };
    let mut journal = open(keyed.key).expect("the journal opens");
    for number in 0..3 {
        journal
            .append(ReceiveTime(1), &[encoded(number, 10)])
            .expect("an append succeeds");
    }
    drop(journal);
    let refused = open(Some([8; 32])).map(|_| ());
    assert!(
        matches!(refused, Err(JournalError::Corrupt { position: 60, .. })),
        "{refused:?}"
    );
    open(keyed.key)
        .and_then(|journal| journal.verify())
        .expect("with the key all is well");
}

#[test]
fn a_missing_or_shortened_segment_is_found() {
    let disk = FaultyDisk::new();
    drop(filled(&disk, 40, 1_800));
    let paths = segments(&disk);
    assert!(paths.len() >= 4);
    let middle = disk.content(&paths[1]).expect("the segment is there");
    disk.alter(&paths[1], |bytes| bytes.truncate(bytes.len() - 1));
    assert!(matches!(found(&disk), Err(JournalError::Corrupt { file, .. }) if file == paths[1]));
    // Cut exactly between two frames.
    let frame = (middle.len() - 60) / (middle.len() / 1_860);
    disk.alter(&paths[1], |bytes| {
        *bytes = middle[..middle.len() - frame].to_vec()
    });
    let cut = found(&disk);
    assert!(matches!(cut, Err(JournalError::Corrupt { .. })), "{cut:?}");
    disk.remove(&paths[1]).expect("the segment can be removed");
    assert!(matches!(found(&disk), Err(JournalError::Corrupt { file, .. }) if file == paths[2]));
    let journal = open(&disk).expect("the newest segment is whole");
    assert!(matches!(
        journal.read(0, usize::MAX),
        Err(JournalError::Corrupt { .. })
    ));
}

#[test]
fn a_payload_that_imitates_a_frame_stops_no_recovery() {
    let disk = FaultyDisk::new();
    drop(filled(&disk, 3, 60));
    let path = segments(&disk).remove(0);
    // Bytes of a real frame of another journal, as a payload might carry them.
    let other = FaultyDisk::new();
    drop(filled(&other, 5, 60));
    let frames = other
        .content(&segments(&other).remove(0))
        .expect("the segment is there");
    disk.alter(&path, |bytes| bytes.extend_from_slice(&frames[70..]));
    let journal = open(&disk).expect("a torn tail is no error");
    check_entries(&journal, 0..3, 60);
}

#[test]
fn a_full_disk_fails_appends_and_nothing_else() {
    let disk = FaultyDisk::new();
    let mut journal = filled(&disk, 10, 500);
    disk.set_capacity(Some(6_500));
    for _ in 0..3 {
        let refused = journal.append(ReceiveTime(1), &[encoded(10, 3_000)]);
        assert!(
            matches!(refused, Err(JournalError::DiskFull { .. })),
            "{refused:?}"
        );
        check_entries(&journal, 0..10, 500);
    }
    disk.set_capacity(None);
    for number in 10..40 {
        journal
            .append(ReceiveTime(1), &[encoded(number, 500)])
            .expect("there is space again");
    }
    // Full at the moment a new segment is begun.
    let before = segments(&disk).len();
    disk.set_capacity(Some(0));
    let refused = journal.append(ReceiveTime(1), &[encoded(40, 16_000)]);
    assert!(
        matches!(refused, Err(JournalError::DiskFull { .. })),
        "{refused:?}"
    );
    assert_eq!(segments(&disk).len(), before);
    disk.set_capacity(None);
    drop(journal);
    let journal = open(&disk).expect("the journal opens");
    check_entries(&journal, 0..40, 500);
    journal.verify().expect("nothing was altered");
}

/// xorshift64*: repeatable.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// Appends, faults and power cuts at random; whatever an append returned is there ever after.
fn survives(seed: u64) {
    let disk = FaultyDisk::new();
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut number = 0;
    for _ in 0..12 {
        let mut journal = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let entries = journal.read(0, usize::MAX).expect("entries can be read");
        journal
            .verify()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        // Everything acknowledged is there at its offset; what was not may be too, at the end.
        assert!(entries.len() >= acknowledged.len(), "seed {seed}");
        for (entry, number) in entries.iter().zip(&acknowledged) {
            assert_eq!(
                entry.event,
                event(*number, (*number % 900) as usize),
                "seed {seed}"
            );
        }
        for entry in &entries[acknowledged.len()..] {
            let vitals::Event::Action(_, vitals::Action::Note { subject, .. }) = &entry.event
            else {
                panic!("seed {seed}: an event that was never appended");
            };
            acknowledged.push(subject.parse().expect("a number"));
        }
        if random.next() % 2 == 0 {
            disk.fail_after(random.next() % 60);
        }
        for _ in 0..random.next() % 30 {
            let batch: Vec<u64> = (0..1 + random.next() % 5).map(|n| number + n).collect();
            number += batch.len() as u64;
            let drafts: Vec<Encoded> = batch
                .iter()
                .map(|n| encoded(*n, (*n % 900) as usize))
                .collect();
            match journal.append(ReceiveTime(1), &drafts) {
                Ok(stamp) => {
                    assert_eq!(stamp.first, acknowledged.len() as u64, "seed {seed}");
                    acknowledged.extend(batch);
                }
                Err(_) if random.next() % 3 == 0 => disk.heal(),
                Err(_) => {}
            }
        }
        disk.crash(|| random.next());
        drop(journal);
    }
}

#[test]
fn acknowledged_entries_survive_random_faults_and_power_cuts() {
    let seeds = std::env::var("VITALWIRE_TEST_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(200) {
        survives(seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_batches_read_back(
        sizes in proptest::collection::vec(proptest::collection::vec(0..6_000_usize, 1..8), 1..12),
        from in any::<prop::sample::Index>(),
        max in 0..20_000_usize,
    ) {
        let disk = FaultyDisk::new();
        let mut journal = open(&disk).expect("the journal opens");
        let mut all = Vec::new();
        for batch in &sizes {
            let drafts: Vec<Encoded> = batch.iter().map(|size| encoded(7, *size)).collect();
            journal.append(ReceiveTime(1), &drafts).expect("an append succeeds");
            all.extend(batch.iter().map(|size| event(7, *size)));
        }
        drop(journal);
        let journal = open(&disk).expect("the journal opens");
        let start = from.index(all.len());
        let read = journal.read(start as u64, max).expect("entries can be read");
        prop_assert!(!read.is_empty());
        for (entry, expected) in read.iter().zip(&all[start..]) {
            prop_assert_eq!(&entry.event, expected);
        }
        prop_assert_eq!(journal.verify().expect("all is well").next_offset, all.len() as u64);
    }

    #[test]
    fn any_bytes_for_a_segment_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let disk = FaultyDisk::new();
        drop(filled(&disk, 1, 10));
        let path = segments(&disk).remove(0);
        disk.alter(&path, |content| {
            content.truncate(60);
            content.extend_from_slice(&bytes);
        });
        let _ = found(&disk);
        disk.alter(&path, |content| *content = bytes.clone());
        let _ = found(&disk);
    }
}

#[test]
fn paths_outside_the_folder_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("a file can be written");
    let mut journal = EmbeddedJournal::open(folder.path()).expect("the journal opens");
    journal
        .append(ReceiveTime(1), &[encoded(0, 1)])
        .expect("an append succeeds");
    journal.truncate_before(1).expect("truncation succeeds");
    assert!(Path::new(&folder.path().join("notes.txt")).exists());
    assert_eq!(journal.next_offset(), 1);
}
