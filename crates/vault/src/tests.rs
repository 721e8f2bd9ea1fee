//! The keyring through its life: made, opened again, rotated, torn, erased from.

use seal::{Domain, Found, Keyring};
use vitals::{PatientId, ReceiveTime};

use crate::{KEYRING_FILE, MASTER_FILE, Source, Vault, VaultError};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
    fn source(&self) -> Source {
        Source::File(self.0.path().join(MASTER_FILE))
    }
    fn open(&self) -> Vault {
        Vault::open(self.0.path(), self.source()).expect("it opens")
    }
    fn keyring(&self) -> Vec<u8> {
        std::fs::read(self.0.path().join(KEYRING_FILE)).expect("it is there")
    }
}

fn patient(name: &str) -> Domain {
    Domain::Patient(PatientId::new(name).expect("valid"))
}

fn id(name: &str) -> PatientId {
    PatientId::new(name).expect("valid")
}

#[test]
fn keys_come_back_and_are_for_the_owner_alone() {
    let folder = Folder::new();
    let domains = [Domain::Store, Domain::House, patient("p-1"), patient("p-2")];
    let first = folder.open().writing(&domains).expect("keys");
    assert_eq!(folder.open().writing(&domains).expect("keys"), first);
    for name in [KEYRING_FILE, MASTER_FILE] {
        assert!(crate::private(&folder.0.path().join(name)), "{name}");
    }
    let file = folder.keyring();
    for (_, key) in &first {
        assert!(!file.windows(32).any(|window| window == key.bytes()), "a key stands in the open");
    }
    assert!(!file.windows(3).any(|window| window == b"p-1"), "a patient's id stands in the open");
}

#[test]
fn two_processes_share_a_keyring() {
    let folder = Folder::new();
    let (one, other) = (folder.open(), folder.open());
    let (number, key) = one.writing(&[patient("p-1")]).expect("a key").remove(0);
    match other.reading(number) {
        Found::Key(domain, found) => assert_eq!((domain, found), (patient("p-1"), key)),
        found => panic!("{found:?}"),
    }
    let (next, _) = other.writing(&[patient("p-2")]).expect("a key").remove(0);
    assert_ne!(number, next);
    one.destroy(&[id("p-1")], ReceiveTime(7)).expect("destroyed");
    assert_eq!(other.tombs(&id("p-1")).len(), 1);
    assert!(matches!(other.reading(number), Found::Destroyed));
    assert!(matches!(one.reading(next), Found::Key(..)));
}

#[test]
fn a_destroyed_key_is_nowhere_and_its_number_never_comes_again() {
    let folder = Folder::new();
    let vault = folder.open();
    let (number, _) = vault.writing(&[patient("p-1")]).expect("a key").remove(0);
    let before = vault.epoch();
    assert_eq!(vault.destroy(&[id("p-1")], ReceiveTime(7)).expect("gone"), [number]);
    assert!(vault.epoch() > before);
    let again = folder.open();
    assert!(matches!(again.reading(number), Found::Destroyed));
    assert!(again.all().iter().all(|(other, ..)| *other != number));
    let tombs = again.tombs(&id("p-1"));
    assert_eq!((tombs.len(), tombs[0].at, &tombs[0].numbers[..]), (1, 7, &[number][..]));
    let (next, _) = again.writing(&[patient("p-1")]).expect("a new person").remove(0);
    assert!(next > number);
}

#[test]
fn the_master_key_is_rotated_without_losing_a_key() {
    let folder = Folder::new();
    let vault = folder.open();
    let keys = vault.writing(&[Domain::Store, patient("p-1")]).expect("keys");
    let old_master = std::fs::read(folder.0.path().join(MASTER_FILE)).expect("there");
    let old_ring = folder.keyring();
    vault.rotate_master(None).expect("rotated");
    let new_master = std::fs::read(folder.0.path().join(MASTER_FILE)).expect("there");
    assert_ne!(old_master, new_master);
    assert_eq!(vault.writing(&[Domain::Store, patient("p-1")]).expect("keys"), keys);
    assert_eq!(folder.open().writing(&[Domain::Store, patient("p-1")]).expect("keys"), keys);
    // The running one goes on making keys, and the old master opens nothing any more.
    vault.writing(&[patient("p-2")]).expect("a key");
    std::fs::write(folder.0.path().join(MASTER_FILE), &old_master).expect("written");
    assert!(matches!(
        Vault::open(folder.0.path(), folder.source()),
        Err(VaultError::WrongMaster { .. })
    ));
    std::fs::write(folder.0.path().join(KEYRING_FILE), &old_ring).expect("written");
    folder.open();
}

#[test]
fn new_data_keys_count_and_old_ones_still_open() {
    let folder = Folder::new();
    let vault = folder.open();
    let old = vault.writing(&[patient("p-1"), Domain::Store]).expect("keys");
    assert_eq!(vault.rotate_data(ReceiveTime(1)).expect("rotated"), 1);
    let new = vault.writing(&[patient("p-1"), Domain::Store]).expect("keys");
    assert_ne!(old[0], new[0]);
    assert_eq!(old[1], new[1], "a database's key is not one of those");
    assert!(matches!(vault.reading(old[0].0), Found::Key(..)));
}

#[test]
fn a_torn_record_is_passed_over_and_any_other_damage_is_told() {
    let folder = Folder::new();
    let vault = folder.open();
    vault.writing(&[patient("p-1")]).expect("a key");
    let whole = folder.keyring();
    vault.writing(&[patient("p-2")]).expect("a key");
    let longer = folder.keyring();
    drop(vault);
    let path = folder.0.path().join(KEYRING_FILE);
    for end in whole.len()..longer.len() {
        std::fs::write(&path, &longer[..end]).expect("written");
        let again = folder.open();
        assert_eq!(again.status().patients, 1, "cut at {end}");
    }
    folder.open().writing(&[patient("p-3")]).expect("a key after a torn one");
    assert_eq!(folder.open().status().patients, 2);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).expect("written");
        let opened = Vault::open(folder.0.path(), folder.source());
        // A length that grew past the end looks like a torn record: then a key is missing.
        assert!(opened.is_err() || opened.is_ok_and(|v| v.status().patients == 0), "byte {at}");
    }
}

#[test]
fn without_the_master_key_nothing_opens_and_none_is_made_up() {
    let folder = Folder::new();
    folder.open();
    std::fs::remove_file(folder.0.path().join(MASTER_FILE)).expect("removed");
    assert!(matches!(Vault::open(folder.0.path(), folder.source()), Err(VaultError::NoMaster(_))));
    for text in ["", "xyz", "0123"] {
        std::fs::write(folder.0.path().join(MASTER_FILE), text).expect("written");
        let opened = Vault::open(folder.0.path(), folder.source());
        assert!(matches!(opened, Err(VaultError::NotAKey(_))), "{text:?}");
    }
}

#[test]
fn the_master_key_moves_while_somebody_has_the_folder_open() {
    let folder = Folder::new();
    let running = folder.open();
    let keys = running.writing(&[patient("p-1")]).expect("a key");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let to = Source::File(elsewhere.path().join("moved.key"));
    folder.open().rotate_master(Some(&to)).expect("moved");
    std::fs::remove_file(folder.0.path().join(MASTER_FILE)).expect("the old one goes");
    assert_eq!(running.writing(&[patient("p-1")]).expect("known"), keys);
    running.writing(&[patient("p-2")]).expect("a new key");
    running.destroy(&[id("p-1")], ReceiveTime(1)).expect("destroyed");
    assert_eq!(running.status().source, to);
    let again = Vault::open(folder.0.path(), to).expect("it opens");
    assert_eq!((again.status().patients, again.status().destroyed), (1, 1));
}
