//! Entries sealed with the keys of whom they are about: what is on disk, and what is left of them
//! when a key is gone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use journal::{EmbeddedJournal, Encoded, Journal, JournalError, Options, RealDisk};
use parking_lot::Mutex;
use seal::{Domain, Found, Key, KeyNumber, Keyring, KeysError};
use vitals::{Action, Actor, Event, PatientId, ReceiveTime, Role};

/// Keys in memory.
#[derive(Default)]
struct Keys(Mutex<(BTreeMap<KeyNumber, Option<(Domain, Key)>>, u64)>);

impl Keys {
    fn destroy(&self, patient: &PatientId) {
        let mut inner = self.0.lock();
        let domain = Domain::Patient(patient.clone());
        for key in inner.0.values_mut() {
            if key.as_ref().is_some_and(|(other, _)| *other == domain) {
                *key = None;
            }
        }
        inner.1 += 1;
    }
}

impl Keyring for Keys {
    fn epoch(&self) -> u64 {
        self.0.lock().1
    }

    fn writing(&self, domains: &[Domain]) -> Result<Vec<(KeyNumber, Key)>, KeysError> {
        let keys = &mut self.0.lock().0;
        let mut found = Vec::new();
        for domain in domains {
            let known = keys.iter().find_map(|(number, key)| {
                let (_, key) = key.as_ref().filter(|(other, _)| other == domain)?;
                Some((*number, key.clone()))
            });
            let number = keys.len() as u32 + 1;
            found.push(known.unwrap_or_else(|| {
                let key = Key::new([number as u8; 32]);
                keys.insert(number, Some((domain.clone(), key.clone())));
                (number, key)
            }));
        }
        Ok(found)
    }

    fn reading(&self, number: KeyNumber) -> Found {
        match self.0.lock().0.get(&number) {
            Some(Some((domain, key))) => Found::Key(domain.clone(), key.clone()),
            Some(None) => Found::Destroyed,
            None => Found::Unknown,
        }
    }
}

fn open(folder: &Path, keys: &Arc<Keys>) -> EmbeddedJournal {
    let options = Options { segment_bytes: 4_000, ..Options::default() };
    let keyring = Some(Arc::clone(keys) as Arc<dyn Keyring>);
    EmbeddedJournal::open_sealed(Arc::new(RealDisk), folder, options, keyring).expect("it opens")
}

fn patient(name: &str) -> PatientId {
    PatientId::new(name).expect("valid")
}

fn event(text: &str) -> Event {
    let actor = Actor { name: "test".to_owned(), role: Role::Service };
    Event::Action(actor, Action::Note { subject: text.to_owned(), detail: String::new() })
}

fn encoded(text: &str, key: u128, about: &[&str]) -> Encoded {
    let encoded = Encoded::new(&event(text), Some(key)).expect("it can be encoded");
    encoded.about(about.iter().map(|name| patient(name)).collect())
}

fn texts(journal: &EmbeddedJournal) -> Vec<String> {
    let entries = journal.read(0, usize::MAX).expect("readable");
    let text = |event| match event {
        Event::Action(_, Action::Note { subject, .. }) => subject,
        Event::Erased => "erased".to_owned(),
        other => panic!("{other:?}"),
    };
    entries.into_iter().map(|entry| text(entry.event)).collect()
}

fn on_disk(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for item in std::fs::read_dir(folder).expect("listed") {
        all.extend(std::fs::read(item.expect("listed").path()).expect("read"));
    }
    all
}

const BATCH: [(&str, &[&str]); 5] = [
    ("of-nobody-0", &[]),
    ("of-anna-1", &["anna"]),
    ("of-bert-2", &["bert"]),
    ("of-both-3", &["anna", "bert"]),
    ("of-anna-4", &["anna"]),
];

fn filled(folder: &Path, keys: &Arc<Keys>) -> EmbeddedJournal {
    let mut journal = open(folder, keys);
    for (key, (text, about)) in (1000_u128..).zip(BATCH) {
        journal.append(ReceiveTime(1), &[encoded(text, key, about)]).expect("written");
    }
    journal
}

#[test]
fn a_sealed_journal_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Arc::new(Keys::default());
    journal::conformance::run(folder.path(), |folder| open(folder, &keys));
}

#[test]
fn entries_come_back_with_whom_they_are_about_and_nothing_shows_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Arc::new(Keys::default());
    drop(filled(folder.path(), &keys));
    let journal = open(folder.path(), &keys);
    assert_eq!(texts(&journal), BATCH.map(|(text, _)| text));
    let entries = journal.read(0, usize::MAX).expect("readable");
    let about = |at: usize| entries[at].subjects.iter().map(PatientId::as_str).collect::<Vec<_>>();
    assert_eq!([about(0), about(1), about(3)], [vec![], vec!["anna"], vec!["anna", "bert"]]);
    let disk = on_disk(folder.path());
    let keys = (1000_u128..1005).map(u128::to_le_bytes);
    let shown = keys.map(|key| key.to_vec()).chain([b"of-".to_vec(), b"anna".to_vec()]);
    for word in shown {
        assert!(!disk.windows(word.len()).any(|window| window == word), "{word:?}");
    }
}

#[test]
fn what_a_destroyed_key_sealed_is_erased_and_the_rest_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Arc::new(Keys::default());
    let journal = filled(folder.path(), &keys);
    let before = on_disk(folder.path());
    keys.destroy(&patient("anna"));
    let expected = ["of-nobody-0", "erased", "of-bert-2", "erased", "erased"];
    assert_eq!(texts(&journal), expected);
    drop(journal);
    let mut journal = open(folder.path(), &keys);
    assert_eq!(texts(&journal), expected);
    let known = journal.reader().recent_keys(10).expect("readable");
    assert_eq!(known, [(1000, 0), (1002, 2)]);
    assert_eq!(before, on_disk(folder.path()), "the chain needs no key");
    journal.verify().expect("the chain holds");
    // Somebody of the same name is another person.
    journal.append(ReceiveTime(2), &[encoded("of-anna-5", 7, &["anna"])]).expect("written");
    assert_eq!(texts(&journal)[5], "of-anna-5");
}

#[test]
fn without_the_keys_entries_are_refused_and_the_chain_still_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(filled(folder.path(), &Arc::new(Keys::default())));
    let journal = EmbeddedJournal::open(folder.path()).expect("it opens");
    assert!(matches!(journal.read(0, 1_000), Err(JournalError::Keys(_))));
    journal.verify().expect("the chain holds");
    drop(journal);
    let other = open(folder.path(), &Arc::new(Keys::default()));
    assert!(matches!(other.read(0, 1_000), Err(JournalError::Keys(_))));
}

#[test]
fn entries_written_before_there_were_keys_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut journal = EmbeddedJournal::open(folder.path()).expect("it opens");
    journal.append(ReceiveTime(1), &[encoded("plain", 1, &["anna"])]).expect("written");
    drop(journal);
    let keys = Arc::new(Keys::default());
    let mut journal = open(folder.path(), &keys);
    journal.append(ReceiveTime(1), &[encoded("sealed", 2, &["anna"])]).expect("written");
    assert_eq!(texts(&journal), ["plain", "sealed"]);
    assert_eq!(journal.reader().recent_keys(10).expect("readable"), [(1, 0), (2, 1)]);
}

#[test]
fn all_so_far_can_be_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Arc::new(Keys::default());
    let mut journal = filled(folder.path(), &keys);
    journal.begin_unit().expect("begun");
    journal.begin_unit().expect("an empty one is enough");
    journal.truncate_before(5).expect("removed");
    assert_eq!((journal.first_offset(), journal.next_offset()), (5, 5));
    journal.append(ReceiveTime(2), &[encoded("next", 9, &[])]).expect("written");
    drop(journal);
    assert_eq!(open(folder.path(), &keys).read(5, 1_000).expect("readable").len(), 1);
}
