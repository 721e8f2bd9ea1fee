//! The keyring as bytes, and in memory. No files.
//!
//! ```text
//! magic 8 | generation 8 | wraps 1 | each: length 2, the ring key wrapped | records
//! record  length 4 | nonce 12 | sealed | tag 16
//! ```
//!
//! Numbers are little-endian. Records are sealed with the ring key for their place: generation and
//! index. A new ring key is made whenever the file is written anew.

use std::collections::{BTreeMap, HashMap};

use seal::{Domain, Key, KeyNumber};
use serde::{Deserialize, Serialize};
use vitals::PatientId;

use crate::{VaultError, random};

const MAGIC: &[u8; 8] = b"VWKEYS01";

/// What is left of a patient's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tomb {
    /// Fingerprint of the patient's id under a key of the keyring: nobody without it can tell whose.
    pub(crate) whom: [u8; 32],
    /// The keys that were destroyed.
    pub numbers: Vec<KeyNumber>,
    /// When, in microseconds since 1970, UTC.
    pub at: i64,
}

/// A line of the keyring.
#[derive(Serialize, Deserialize)]
enum Record {
    /// The key of fingerprints.
    Names([u8; 32]),
    /// A key: number, what for, when it was made.
    Key { number: KeyNumber, kind: u8, patient: Option<PatientId>, key: [u8; 32], made: i64 },
    /// Keys that are no more.
    Tomb(Tomb),
}

/// A key and its circumstances.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) domain: Domain,
    pub(crate) key: Key,
    pub(crate) made: i64,
}

/// Everything in the keyring.
pub(crate) struct Ring {
    pub(crate) ring_key: Key,
    pub(crate) generation: u64,
    names: Key,
    pub(crate) keys: BTreeMap<KeyNumber, Line>,
    pub(crate) active: HashMap<Domain, KeyNumber>,
    pub(crate) tombs: Vec<Tomb>,
    destroyed: std::collections::HashSet<KeyNumber>,
    next: KeyNumber,
    /// Records in the file.
    records: u64,
}

impl Ring {
    /// A keyring without keys.
    pub(crate) fn new() -> Result<Self, VaultError> {
        Ok(Self {
            ring_key: random::new_key()?,
            generation: 0,
            names: random::new_key()?,
            keys: BTreeMap::new(),
            active: HashMap::new(),
            tombs: Vec::new(),
            destroyed: Default::default(),
            next: 1,
            records: 0,
        })
    }

    /// A new key, which counts from now on; its record is still to be written.
    pub(crate) fn add(&mut self, domain: Domain, made: i64) -> Result<KeyNumber, VaultError> {
        let number = self.next;
        self.put(number, Line { domain, key: random::new_key()?, made });
        Ok(number)
    }

    fn put(&mut self, number: KeyNumber, line: Line) {
        self.next = self.next.max(number + 1);
        let newest = self.active.entry(line.domain.clone()).or_insert(number);
        *newest = (*newest).max(number);
        self.keys.insert(number, line);
    }

    /// Takes the keys of these patients out, and leaves a tombstone each.
    pub(crate) fn destroy(&mut self, patients: &[PatientId], at: i64) -> Vec<KeyNumber> {
        let mut all = Vec::new();
        for patient in patients {
            let domain = Domain::Patient(patient.clone());
            let theirs = self.keys.iter().filter(|(_, line)| line.domain == domain);
            let numbers: Vec<KeyNumber> = theirs.map(|(number, _)| *number).collect();
            numbers.iter().for_each(|number| drop(self.keys.remove(number)));
            self.active.remove(&domain);
            all.extend(&numbers);
            self.bury(Tomb { whom: self.whom(patient), numbers, at });
        }
        all
    }

    fn bury(&mut self, tomb: Tomb) {
        self.next = self.next.max(tomb.numbers.iter().max().map_or(0, |number| number + 1));
        self.destroyed.extend(&tomb.numbers);
        self.tombs.push(tomb);
    }

    /// The fingerprint of a patient.
    pub(crate) fn whom(&self, patient: &PatientId) -> [u8; 32] {
        self.names.fingerprint(patient.as_str().as_bytes())
    }

    /// Whether this key was destroyed.
    pub(crate) fn is_destroyed(&self, number: KeyNumber) -> bool {
        self.destroyed.contains(&number)
    }

    /// The whole file, under a new ring key that each of `wrap` has wrapped.
    pub(crate) fn write(
        &mut self,
        wrap: &[&dyn Fn(&Key) -> Result<Vec<u8>, VaultError>],
    ) -> Result<Vec<u8>, VaultError> {
        self.ring_key = random::new_key()?;
        self.generation += 1;
        self.records = 0;
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&self.generation.to_le_bytes());
        file.push(wrap.len() as u8);
        for wrap in wrap {
            let wrapped = wrap(&self.ring_key)?;
            file.extend_from_slice(&(wrapped.len() as u16).to_le_bytes());
            file.extend_from_slice(&wrapped);
        }
        let names = Record::Names(*self.names.bytes());
        self.append(&mut file, &names)?;
        let numbers: Vec<KeyNumber> = self.keys.keys().copied().collect();
        self.append_keys(&mut file, &numbers)?;
        for tomb in self.tombs.clone() {
            self.append(&mut file, &Record::Tomb(tomb))?;
        }
        Ok(file)
    }

    /// The records of these keys, to stand behind what the file has.
    pub(crate) fn append_keys(
        &mut self,
        out: &mut Vec<u8>,
        numbers: &[KeyNumber],
    ) -> Result<(), VaultError> {
        for number in numbers {
            let Some(line) = self.keys.get(number) else { continue };
            let (kind, patient) = kind(&line.domain);
            let (key, made) = (*line.key.bytes(), line.made);
            self.append(out, &Record::Key { number: *number, kind, patient, key, made })?;
        }
        Ok(())
    }

    fn append(&mut self, out: &mut Vec<u8>, record: &Record) -> Result<(), VaultError> {
        let text = zeroize::Zeroizing::new(
            postcard::to_extend(record, Vec::new()).expect("a record holds nothing that postcard can't write"),
        );
        let place = place(self.generation, self.records);
        let sealed = seal::seal_envelope(&self.ring_key, random::new_nonce()?, &place, &text);
        out.extend_from_slice(&(sealed.len() as u32).to_le_bytes());
        out.extend_from_slice(&sealed);
        self.records += 1;
        Ok(())
    }

    /// Reads a whole file; gives the bytes that were whole. A record that is cut off at the end was
    /// never used for anything.
    pub(crate) fn read(
        bytes: &[u8],
        unwrap: &dyn Fn(&[u8]) -> Result<Option<Key>, VaultError>,
    ) -> Result<Result<(Self, usize), &'static str>, VaultError> {
        let Some((generation, wraps, mut at)) = header(bytes) else {
            return Ok(Err("its beginning is cut off or of another program"));
        };
        let mut ring_key = None;
        for wrapped in wraps {
            if ring_key.is_none() {
                ring_key = unwrap(wrapped)?;
            }
        }
        let Some(ring_key) = ring_key else { return Ok(Err(WRONG)) };
        let mut ring = Self { ring_key, generation, names: Key::new([0; 32]), ..Self::new()? };
        match ring.take(&bytes[at..]) {
            Ok(taken) => at += taken,
            Err(reason) => return Ok(Err(reason)),
        }
        Ok(Ok((ring, at)))
    }

    /// Takes in the records of these bytes; gives how many bytes were whole.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        let mut at = 0;
        while let Some(length) = bytes.get(at..at + 4) {
            let length = u32::from_le_bytes(length.try_into().map_err(|_| "impossible")?) as usize;
            let Some(sealed) = bytes.get(at + 4..at + 4 + length) else { break };
            let place = place(self.generation, self.records);
            let text = seal::open_envelope(&self.ring_key, &place, sealed);
            let text = zeroize::Zeroizing::new(text.map_err(|_| "a record was altered or moved")?);
            match postcard::from_bytes(&text).map_err(|_| "a record is of another version")? {
                Record::Names(key) => self.names = Key::new(key),
                Record::Key { number, kind, patient, key, made } => {
                    let domain = domain(kind, patient).ok_or("a key is of another version")?;
                    self.put(number, Line { domain, key: Key::new(key), made });
                }
                Record::Tomb(tomb) => self.bury(tomb),
            }
            self.records += 1;
            at += 4 + length;
        }
        Ok(at)
    }
}

/// Why a file whose ring key does not open is not read.
pub(crate) const WRONG: &str = "the master key is another";

fn header(bytes: &[u8]) -> Option<(u64, Vec<&[u8]>, usize)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (count, mut rest) = rest.split_first()?;
    let mut wraps = Vec::new();
    for _ in 0..*count {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let (wrapped, tail) = tail.split_at_checked(u16::from_le_bytes(*length).into())?;
        wraps.push(wrapped);
        rest = tail;
    }
    Some((u64::from_le_bytes(*generation), wraps, bytes.len() - rest.len()))
}

fn place(generation: u64, index: u64) -> [u8; 16] {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&generation.to_le_bytes());
    place[8..].copy_from_slice(&index.to_le_bytes());
    place
}

fn kind(domain: &Domain) -> (u8, Option<PatientId>) {
    match domain {
        Domain::Store => (0, None),
        Domain::Guard => (1, None),
        Domain::House => (2, None),
        Domain::Audit => (3, None),
        Domain::Backup => (4, None),
        Domain::Patient(id) => (5, Some(id.clone())),
    }
}

fn domain(kind: u8, patient: Option<PatientId>) -> Option<Domain> {
    match (kind, patient) {
        (0, None) => Some(Domain::Store),
        (1, None) => Some(Domain::Guard),
        (2, None) => Some(Domain::House),
        (3, None) => Some(Domain::Audit),
        (4, None) => Some(Domain::Backup),
        (5, Some(id)) => Some(Domain::Patient(id)),
        _ => None,
    }
}
