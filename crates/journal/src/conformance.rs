//! The conformance suite that every journal passes: `run(|folder| backend)`.
//!
//! It panics with what does not hold, as tests do. `make` opens the journal in an empty folder,
//! and opens the same one again when called with the same folder, the first one dropped.

use std::path::Path;

use vitals::{Action, Actor, Event, Offset, ReceiveTime, Role};

use crate::{Encoded, Entry, Journal, JournalError};

/// Runs everything. `folder` must be empty.
///
/// # Panics
/// When the backend does not conform.
pub fn run<J: Journal>(folder: &Path, make: impl Fn(&Path) -> J) {
    let fresh = |name: &str| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("the test folder can be written");
        folder
    };
    in_order_across_restarts(&fresh("order"), &make);
    time_never_decreases(&fresh("time"), &make);
    reads_in_pieces(&mut make(&fresh("pieces")));
    keys_come_back(&fresh("keys"), &make);
    reads_beside_the_writer(&mut make(&fresh("beside")));
    truncates_only_what_is_before(&fresh("truncate"), &make);
}

/// A distinguishable event of about `size` bytes.
#[must_use]
pub fn event(number: u64, size: usize) -> Event {
    let actor = Actor {
        name: "conformance".to_owned(),
        role: Role::Service,
    };
    let detail = "x".repeat(size);
    Event::Action(
        actor,
        Action::Note {
            subject: number.to_string(),
            detail,
        },
    )
}

fn encoded(number: u64, size: usize) -> Encoded {
    Encoded::new(&event(number, size), None).expect("it can be encoded")
}

fn append(journal: &mut impl Journal, at: i64, numbers: std::ops::Range<u64>) -> Offset {
    let batch: Vec<Encoded> = numbers.map(|number| encoded(number, 40)).collect();
    journal
        .append(ReceiveTime(at), &batch)
        .expect("an append succeeds")
        .first
}

fn all(journal: &impl Journal) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut from = journal.first_offset();
    loop {
        let some = journal.read(from, 1_000).expect("entries can be read");
        let Some(last) = some.last() else {
            return entries;
        };
        from = last.offset + 1;
        entries.extend(some);
    }
}

fn in_order_across_restarts<J: Journal>(folder: &Path, make: &impl Fn(&Path) -> J) {
    let mut expected = 0;
    for round in 0..4_u64 {
        let mut journal = make(folder);
        assert_eq!(journal.next_offset(), expected);
        for batch in 1..=round + 3 {
            let first = append(&mut journal, 1, expected..expected + batch);
            assert_eq!(first, expected);
            expected += batch;
        }
        let nothing = journal
            .append(ReceiveTime(1), &[])
            .expect("nothing can be appended");
        assert_eq!((nothing.first, journal.next_offset()), (expected, expected));
    }
    let journal = make(folder);
    let entries = all(&journal);
    assert_eq!(entries.len() as u64, expected);
    for (number, entry) in (0..).zip(&entries) {
        assert_eq!((entry.offset, &entry.event), (number, &event(number, 40)));
    }
    let verified = journal.verify().expect("nothing was altered");
    assert_eq!((verified.first_offset, verified.next_offset), (0, expected));
}

fn time_never_decreases<J: Journal>(folder: &Path, make: &impl Fn(&Path) -> J) {
    let stamp = |journal: &mut J, at| {
        journal
            .append(ReceiveTime(at), &[encoded(0, 1)])
            .expect("an append succeeds")
            .at
            .0
    };
    let mut journal = make(folder);
    assert_eq!([5, 3, 9].map(|at| stamp(&mut journal, at)), [5, 5, 9]);
    drop(journal);
    let mut journal = make(folder);
    assert_eq!([1, 10].map(|at| stamp(&mut journal, at)), [9, 10]);
    assert_eq!(
        all(&journal).iter().map(|e| e.at.0).collect::<Vec<_>>(),
        [5, 5, 9, 9, 10]
    );
}

fn reads_in_pieces(journal: &mut impl Journal) {
    append(journal, 1, 0..100);
    append(journal, 2, 100..130);
    for from in [0, 1, 99, 100, 129] {
        let one = journal.read(from, 0).expect("entries can be read");
        assert_eq!(one.iter().map(|e| e.offset).collect::<Vec<_>>(), [from]);
    }
    let some = journal.read(95, 60 * 10).expect("entries can be read");
    assert!((2..20).contains(&some.len()), "{}", some.len());
    assert!(
        journal
            .read(130, 1_000)
            .expect("the end can be read")
            .is_empty()
    );
    assert_eq!(
        journal
            .read(0, usize::MAX)
            .expect("entries can be read")
            .len(),
        130
    );
}

fn keys_come_back<J: Journal>(folder: &Path, make: &impl Fn(&Path) -> J) {
    let mut journal = make(folder);
    for number in 0..20_u64 {
        let key = (number % 2 == 0).then_some(u128::MAX - u128::from(number));
        let draft = Encoded::new(&event(number, 3), key).expect("it can be encoded");
        journal
            .append(ReceiveTime(1), &[draft])
            .expect("an append succeeds");
    }
    drop(journal);
    let reader = make(folder).reader();
    let recent = reader.recent_keys(3).expect("keys can be read");
    assert_eq!(
        recent,
        [14_u64, 16, 18].map(|n| (u128::MAX - u128::from(n), n))
    );
    assert_eq!(reader.recent_keys(100).expect("keys can be read").len(), 10);
}

fn reads_beside_the_writer(journal: &mut impl Journal) {
    let reader = journal.reader();
    let thread = std::thread::spawn(move || {
        let mut next = 0;
        while next < 2_000 {
            for entry in reader.read(next, 10_000).expect("entries can be read") {
                assert_eq!((entry.offset, entry.event), (next, event(next, 40)));
                next += 1;
            }
        }
    });
    for first in (0..2_000).step_by(20) {
        append(journal, 1, first..first + 20);
    }
    thread.join().expect("the reader saw every entry once");
}

fn truncates_only_what_is_before<J: Journal>(folder: &Path, make: &impl Fn(&Path) -> J) {
    let mut journal = make(folder);
    for number in 0..200_u64 {
        journal
            .append(ReceiveTime(1), &[encoded(number, 5_000)])
            .expect("an append succeeds");
    }
    let point = journal.retention_point(ReceiveTime(2), 0, u64::MAX);
    journal
        .truncate_before(point.min(150))
        .expect("truncation succeeds");
    let first = journal.first_offset();
    assert!(first <= 150);
    drop(journal);
    let journal = make(folder);
    assert_eq!(
        (journal.first_offset(), journal.next_offset()),
        (first, 200)
    );
    assert_eq!(all(&journal).len() as u64, 200 - first);
    if let Some(gone) = first.checked_sub(1) {
        let refused = journal.read(gone, 10);
        assert!(matches!(refused, Err(JournalError::Gone { first: f, .. }) if f == first));
    }
    assert_eq!(
        journal.verify().expect("nothing was altered").first_offset,
        first
    );
}
