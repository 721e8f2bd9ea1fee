//! A backup as bytes: records one after another, each sealed by itself with the key of whom it is
//! about.
//!
//! ```text
//! magic 8 | records
//! record  length of the rest 4 | number of its key 4 | nonce 12 | sealed | tag 16
//! ```
//!
//! A record is bound to its place (its index) and to the number of its key; the last one counts the
//! others and has a digest of them, so that a part that is missing shows.

use std::io::{Read, Write};

use anyhow::{Context, bail};
use seal::{Cipher, Domain, Found, KeyNumber, Keyring};
use serde::{Deserialize, Serialize};
use vault::Vault;

const MAGIC: &[u8; 8] = b"VWBKUP01";
const PURPOSE: &str = "vitalwire 2026 backup record";
/// A longer record is damage.
const RECORD_MAX: usize = 1 << 30;

/// What a record holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Record {
    /// The first one: when the backup was made, the store's place in the journal, and the versions
    /// of both databases.
    Begin {
        made_us: i64,
        checkpoint: u64,
        /// The journal there: time of the last entry, and the chain's hash.
        chain: Option<(i64, [u8; 32])>,
        store: i64,
        accounts: i64,
    },
    /// Rows of a table, all about the same patient or about nobody.
    Rows { database: Database, table: String, columns: Vec<String>, rows: Vec<Vec<Cell>> },
    /// A file of the data folder.
    File { path: String, bytes: Vec<u8> },
    /// The last one: how many came before, and their digest.
    End { records: u64, digest: [u8; 32] },
}

/// Which database rows are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Database {
    Store,
    Accounts,
}

/// A value in a row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// Writes records.
pub(super) struct Writer<'a, W> {
    out: W,
    vault: &'a Vault,
    records: u64,
    digest: blake3::Hasher,
    ciphers: std::collections::HashMap<Domain, (KeyNumber, Cipher)>,
}

impl<'a, W: Write> Writer<'a, W> {
    pub(super) fn new(mut out: W, vault: &'a Vault) -> anyhow::Result<Self> {
        out.write_all(MAGIC)?;
        let (digest, ciphers) = (blake3::Hasher::new(), Default::default());
        Ok(Self { out, vault, records: 0, digest, ciphers })
    }

    /// Writes a record that is about this domain.
    pub(super) fn put(&mut self, domain: &Domain, record: &Record) -> anyhow::Result<()> {
        if !self.ciphers.contains_key(domain) {
            let keys = self.vault.writing(std::slice::from_ref(domain))?;
            let (number, key) = keys.into_iter().next().context("no key")?;
            self.ciphers.insert(domain.clone(), (number, Cipher::new(&key.derive(PURPOSE))));
        }
        let (number, cipher) = &self.ciphers[domain];
        let nonce = vault::new_nonce()?;
        let mut rest = number.to_le_bytes().to_vec();
        rest.extend_from_slice(&nonce);
        let start = rest.len();
        rest = postcard::to_extend(record, rest)?;
        cipher.seal(&nonce, &place(self.records, *number), &mut rest, start);
        let length = u32::try_from(rest.len()).context("a row is too large for a backup")?;
        self.digest.update(&length.to_le_bytes()).update(&rest);
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&rest)?;
        self.records += 1;
        Ok(())
    }

    /// Writes the last record; gives how many there are.
    pub(super) fn end(mut self) -> anyhow::Result<(W, u64)> {
        let (records, digest) = (self.records, *self.digest.finalize().as_bytes());
        self.put(&Domain::Backup, &Record::End { records, digest })?;
        self.out.flush()?;
        Ok((self.out, records))
    }
}

/// Reads records.
pub(super) struct Reader<'a, R> {
    input: R,
    vault: &'a Vault,
    records: u64,
    digest: blake3::Hasher,
    /// Records that nobody can read any more: their patients' keys were destroyed.
    pub(super) erased: u64,
    ended: bool,
}

impl<'a, R: Read> Reader<'a, R> {
    pub(super) fn new(mut input: R, vault: &'a Vault) -> anyhow::Result<Self> {
        let mut magic = [0; 8];
        input.read_exact(&mut magic).context("the file is no backup")?;
        if magic != *MAGIC {
            bail!("the file is no backup of this program, or of another version");
        }
        Ok(Self { input, vault, records: 0, digest: blake3::Hasher::new(), erased: 0, ended: false })
    }

    /// The next record that can be read; none after the last one.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Record>> {
        while !self.ended {
            let mut length = [0; 4];
            self.input.read_exact(&mut length).context("the backup is cut off")?;
            let size = u32::from_le_bytes(length) as usize;
            if !(32..=RECORD_MAX).contains(&size) {
                bail!("record {} of the backup is damaged", self.records);
            }
            let mut rest = vec![0; size];
            self.input.read_exact(&mut rest).context("the backup is cut off")?;
            let opened = self.open(&rest)?;
            if let Some(Record::End { records, digest }) = opened {
                if records != self.records || digest != *self.digest.finalize().as_bytes() {
                    bail!("records of the backup are missing or were altered");
                }
                self.ended = true;
                return Ok(None);
            }
            self.digest.update(&length).update(&rest);
            self.records += 1;
            match opened {
                Some(record) => return Ok(Some(record)),
                None => self.erased += 1,
            }
        }
        Ok(None)
    }

    fn open(&self, rest: &[u8]) -> anyhow::Result<Option<Record>> {
        let damaged = || format!("record {} of the backup was altered or moved", self.records);
        let (number, rest) = rest.split_first_chunk::<4>().with_context(damaged)?;
        let number = u32::from_le_bytes(*number);
        let key = match self.vault.reading(number) {
            Found::Key(_, key) => key,
            Found::Destroyed => return Ok(None),
            Found::Unknown => bail!(
                "the keyring does not have key {number}: restore with the copy of the keyring that \
                 was made with the backup, or later"
            ),
        };
        let (nonce, sealed) = rest.split_first_chunk::<12>().with_context(damaged)?;
        let cipher = Cipher::new(&key.derive(PURPOSE));
        let text = cipher.open(nonce, &place(self.records, number), sealed);
        let text = text.ok().with_context(damaged)?;
        Ok(Some(postcard::from_bytes(&text).with_context(damaged)?))
    }
}

fn place(index: u64, number: KeyNumber) -> [u8; 12] {
    let mut place = [0; 12];
    place[..8].copy_from_slice(&index.to_le_bytes());
    place[8..].copy_from_slice(&number.to_le_bytes());
    place
}
