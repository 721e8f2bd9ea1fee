//! Entries sealed, each with the key of whom it is about.
//!
//! Key and nonce: an entry is sealed with the patient's own key (or the house's, for what is about
//! nobody; or one made of several patients', for what is about all of them), and its nonce is its
//! offset. A journal gives an offset once, but a write that fails or is torn gives it to another
//! text later, and so does a journal restored from a copy. AES-GCM-SIV is made for that: all that
//! then shows is whether two texts of the same offset were equal. Nothing random is needed, and
//! nothing but the number of the key is written beside the text.
//!
//! Speed: ciphers are kept, one a key, so that an entry costs no key schedule and no look-up in the
//! keyring; that is asked for a whole batch at once.
//!
//! The key by which a message is recognised when it comes again is a hash of the message. It is
//! hidden with a mask of the same key: from the bare hash one could try out what the message said.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use seal::{Cipher, Domain, Found, Key, KeyNumber, Keyring, Mask, Nonce};
use vitals::{Offset, PatientId};

use crate::frame::Raw;
use crate::subjects::Subjects;
use crate::{Encoded, JournalError};

/// Ciphers kept at most; beyond, all are let go and made again.
const KEPT_MAX: usize = 32_768;

/// A key made ready.
pub(crate) struct Ready {
    cipher: Cipher,
    mask: Mask,
}

impl Ready {
    fn new(key: &Key) -> Self {
        Self {
            cipher: Cipher::new(&key.derive("vitalwire 2026 journal entry")),
            mask: Mask::new(&key.derive("vitalwire 2026 journal repeat")),
        }
    }

    /// Puts a sealed entry behind what stands in `out`, from `place` on: what is in the open about it.
    pub(crate) fn seal(&self, out: &mut Vec<u8>, place: usize, offset: Offset, text: &[u8]) {
        let start = out.len();
        out.extend_from_slice(text);
        let mut open = [0; 32];
        let shown = &out[place..start];
        let length = shown.len().min(open.len());
        open[..length].copy_from_slice(&shown[..length]);
        self.cipher.seal(&nonce(offset), &open[..length], out, start);
    }

    pub(crate) fn hide(&self, key: u128) -> u128 {
        self.mask.hide(key)
    }

    pub(crate) fn show(&self, hidden: u128) -> u128 {
        self.mask.show(hidden)
    }
}

fn nonce(offset: Offset) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[..8].copy_from_slice(&offset.to_le_bytes());
    nonce
}

/// The writer's keys.
pub(crate) struct Sealer {
    keyring: Arc<dyn Keyring>,
    epoch: u64,
    house: Option<(KeyNumber, Arc<Ready>)>,
    known: HashMap<PatientId, (KeyNumber, Key, Arc<Ready>)>,
}

impl Sealer {
    pub(crate) fn new(keyring: Arc<dyn Keyring>) -> Self {
        Self { epoch: keyring.epoch(), keyring, house: None, known: HashMap::new() }
    }

    /// Sees to it that there is a key for everybody in a batch, durable before the batch is.
    pub(crate) fn prepare(&mut self, batch: &[Encoded]) -> Result<(), JournalError> {
        let epoch = self.keyring.epoch();
        if epoch != self.epoch || self.known.len() > KEPT_MAX {
            self.known.clear();
            self.house = None;
            self.epoch = epoch;
        }
        if self.house.is_none() {
            let (number, key) = self.writing(&[Domain::House])?.remove(0);
            self.house = Some((number, Arc::new(Ready::new(&key))));
        }
        let mut missing: Vec<PatientId> = Vec::new();
        for patient in batch.iter().flat_map(|entry| &entry.subjects) {
            if !self.known.contains_key(patient) {
                missing.push(patient.clone());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        let domains: Vec<Domain> = missing.iter().cloned().map(Domain::Patient).collect();
        for (patient, (number, key)) in missing.into_iter().zip(self.writing(&domains)?) {
            let ready = Arc::new(Ready::new(&key));
            self.known.insert(patient, (number, key, ready));
        }
        Ok(())
    }

    fn writing(&self, domains: &[Domain]) -> Result<Vec<(KeyNumber, Key)>, JournalError> {
        self.keyring.writing(domains).map_err(|error| JournalError::Keys(error.to_string()))
    }

    /// The keys' numbers and the cipher for an entry of a batch that was prepared.
    pub(crate) fn of(&self, subjects: &Subjects, numbers: &mut Vec<KeyNumber>) -> Option<Arc<Ready>> {
        numbers.clear();
        if let [one] = subjects.as_slice() {
            let (number, _, ready) = self.known.get(one)?;
            numbers.push(*number);
            return Some(Arc::clone(ready));
        }
        if subjects.is_empty() {
            let (number, ready) = self.house.as_ref()?;
            numbers.push(*number);
            return Some(Arc::clone(ready));
        }
        let mut keys = Vec::with_capacity(subjects.len());
        for patient in subjects {
            let (number, key, _) = self.known.get(patient)?;
            numbers.push(*number);
            keys.push(key.clone());
        }
        seal::combined(&keys).map(|key| Arc::new(Ready::new(&key)))
    }
}

/// What an entry turned out to be.
pub(crate) enum Opened {
    /// Its event as bytes, and whom it is about.
    Event(Vec<u8>, Subjects),
    /// A key of it was destroyed.
    Erased,
}

/// The readers' keys.
pub(crate) struct Opener {
    keyring: Option<Arc<dyn Keyring>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    epoch: u64,
    ready: HashMap<Vec<KeyNumber>, Option<(Arc<Ready>, Subjects)>>,
}

impl Opener {
    pub(crate) fn new(keyring: Option<Arc<dyn Keyring>>) -> Self {
        Self { keyring, kept: Mutex::default() }
    }

    /// Opens an entry.
    pub(crate) fn open(&self, offset: Offset, raw: &Raw<'_>) -> Result<Opened, JournalError> {
        if raw.numbers.is_empty() {
            return Ok(Opened::Event(raw.bytes.to_vec(), Subjects::new()));
        }
        let Some((ready, subjects)) = self.ready(offset, &raw.numbers)? else {
            return Ok(Opened::Erased);
        };
        let opened = ready.cipher.open(&nonce(offset), raw.open, raw.bytes);
        match opened {
            Ok(text) => Ok(Opened::Event(text, subjects)),
            Err(_) => Err(JournalError::Encoding {
                offset,
                reason: "it does not open with its key: it was altered, or moved here".to_owned(),
            }),
        }
    }

    /// The key by which its message is recognised; none if it is erased.
    pub(crate) fn repeat(&self, offset: Offset, raw: &Raw<'_>) -> Result<Option<u128>, JournalError> {
        let Some(hidden) = raw.dedup.filter(|_| !raw.numbers.is_empty()) else { return Ok(raw.dedup) };
        Ok(self.ready(offset, &raw.numbers)?.map(|(ready, _)| ready.show(hidden)))
    }

    fn ready(
        &self,
        offset: Offset,
        numbers: &[KeyNumber],
    ) -> Result<Option<(Arc<Ready>, Subjects)>, JournalError> {
        let missing = || JournalError::Keys(format!(
            "entry {offset} is sealed with key {numbers:?}, which the keyring does not have: it is \
             of another installation, or older than the journal"
        ));
        let keyring = self.keyring.as_ref().ok_or_else(missing)?;
        let mut kept = self.kept.lock();
        let epoch = keyring.epoch();
        if epoch != kept.epoch || kept.ready.len() > KEPT_MAX {
            kept.ready.clear();
            kept.epoch = epoch;
        }
        if let Some(ready) = kept.ready.get(numbers) {
            return Ok(ready.clone());
        }
        let (mut keys, mut subjects) = (Vec::new(), Subjects::new());
        let mut destroyed = false;
        for number in numbers {
            match keyring.reading(*number) {
                Found::Key(domain, key) => {
                    keys.push(key);
                    if let Domain::Patient(patient) = domain {
                        subjects.push(patient);
                    }
                }
                Found::Destroyed => destroyed = true,
                Found::Unknown => return Err(missing()),
            }
        }
        let ready = seal::combined(&keys).filter(|_| !destroyed);
        let ready = ready.map(|key| (Arc::new(Ready::new(&key)), subjects));
        kept.ready.insert(numbers.to_vec(), ready.clone());
        Ok(ready)
    }
}
