//! Checking a journal from outside: file by file, without opening it, repairing it or holding it.
//!
//! Whoever notes a [`Place`] elsewhere (the audit log does) can prove later that nothing up to it
//! was cut off, put back or rewritten.

use std::path::{Path, PathBuf};

use vitals::{Offset, ReceiveTime};

use crate::cursor::Cursor;
use crate::disk::{Disk, RealDisk};
use crate::embedded::Options;
use crate::entry::Verified;
use crate::frame::{Chain, HEADER_BYTES};
use crate::recover::{self, Tail};
use crate::segment::Segment;
use crate::JournalError;

/// A place in the journal: between two batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The entry to come.
    pub next: Offset,
    /// The chain's hash so far.
    pub chain: [u8; 32],
}

/// What was found on a walk through a journal's files.
#[derive(Debug)]
pub struct Inspected {
    /// What is whole, from the first entry kept.
    pub verified: Verified,
    /// The file that was read last.
    pub file: PathBuf,
    /// How far it is whole, in bytes.
    pub position: u64,
    /// What is wrong there; none when all is whole.
    pub damage: Option<JournalError>,
}

/// Whether a process has the journal open.
#[must_use]
pub fn in_use(folder: &Path) -> bool {
    folder.exists()
        && RealDisk.lock(folder).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock)
}

/// Reads all files of a journal and checks every checksum and the hash chain (SE-2), up to the
/// first damage; tells every place between two batches, with its file and position, the beginning
/// included. Changes nothing. While a process writes, the last batch may be there by half.
///
/// # Errors
/// [`JournalError::Io`] when files cannot be read; what is wrong with them is in
/// [`Inspected::damage`].
pub fn inspect(
    folder: &Path,
    options: &Options,
    mut visit: impl FnMut(Place, &Path, u64),
) -> Result<Inspected, JournalError> {
    let chain = Chain::new(options.key);
    let verified = Verified {
        first_offset: 0,
        next_offset: 0,
        frames: 0,
        bytes: 0,
        files: 0,
        head: [0; 32],
    };
    let mut found =
        Inspected { verified, file: folder.to_owned(), position: 0, damage: None };
    let mut tail: Option<Tail> = None;
    for path in recover::segment_paths(&RealDisk, folder)? {
        found.file.clone_from(&path);
        found.position = 0;
        let walked = walk(path, &chain, &mut tail, &mut found, &mut visit);
        match walked {
            Ok(()) => found.verified.files += 1,
            Err(error @ JournalError::Corrupt { .. }) => {
                found.damage = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Walks one file; `tail` is where the one before ended.
fn walk(
    path: PathBuf,
    chain: &Chain,
    tail: &mut Option<Tail>,
    found: &mut Inspected,
    visit: &mut impl FnMut(Place, &Path, u64),
) -> Result<(), JournalError> {
    let segment = Segment::open(&RealDisk, path)?;
    let header = segment.header;
    let named = segment.path.file_name().and_then(|name| name.to_str());
    if named != Some(Segment::name(header.base).as_str()) {
        return Err(segment.corrupt(8, "the file's name and its first entry differ"));
    }
    let mut at = match tail.take() {
        Some(tail) => tail,
        None => {
            found.verified.first_offset = header.base;
            begin(&header, found)
        }
    };
    found.position = HEADER_BYTES as u64;
    visit(Place { next: at.next, chain: at.chain }, &segment.path, found.position);
    if header.base != at.next {
        return Err(segment.corrupt(8, "entries before this file are missing"));
    }
    if header.chain_before != at.chain || header.at_before != at.at {
        return Err(segment.corrupt(16, "this file does not continue the one before"));
    }
    let mut cursor = Cursor::new(&segment, HEADER_BYTES as u64);
    while let Some((position, frame)) = cursor.next()? {
        recover::check(&segment, position, &frame, &at, chain)?;
        at = Tail { next: at.next + Offset::from(frame.count), at: frame.at, chain: frame.chain };
        found.position = cursor.position();
        found.verified.frames += 1;
        found.verified.next_offset = at.next;
        found.verified.head = at.chain;
        visit(Place { next: at.next, chain: at.chain }, &segment.path, found.position);
    }
    found.verified.bytes += found.position;
    *tail = Some(at);
    Ok(())
}

/// Time and chain's hash where a journal's files come to entry `next`; none if no batch ends there.
/// Reads one file at most.
///
/// # Errors
/// [`JournalError::Io`]; [`JournalError::Corrupt`] before that place.
pub fn ended_at(
    folder: &Path,
    next: Offset,
) -> Result<Option<(ReceiveTime, [u8; 32])>, JournalError> {
    let name = folder.join(Segment::name(next));
    let paths = recover::segment_paths(&RealDisk, folder)?;
    let at = paths.partition_point(|path| *path <= name);
    let Some(path) = at.checked_sub(1).and_then(|at| paths.get(at)) else { return Ok(None) };
    let segment = Segment::open(&RealDisk, path.clone())?;
    let mut place = (segment.header.base, segment.header.at_before, segment.header.chain_before);
    let mut cursor = Cursor::new(&segment, HEADER_BYTES as u64);
    while place.0 < next {
        let Some((_, frame)) = cursor.next()? else { break };
        place = (place.0 + Offset::from(frame.count), frame.at, frame.chain);
    }
    Ok((place.0 == next).then_some((place.1, place.2)))
}

/// The first entry of a journal's files, and how many entries are sealed with one of these keys.
/// Needs no key, and not the journal's lock.
///
/// # Errors
/// [`JournalError::Io`]; [`JournalError::Corrupt`]. Half a batch at the end is passed over.
pub fn sealed_with(
    folder: &Path,
    numbers: &[seal::KeyNumber],
) -> Result<(Offset, u64), JournalError> {
    let (mut first, mut count) = (None, 0);
    let paths = recover::segment_paths(&RealDisk, folder)?;
    let last = paths.len();
    for (at, path) in (1..).zip(paths) {
        let segment = Segment::open(&RealDisk, path)?;
        first = first.or(Some(segment.header.base));
        let mut cursor = Cursor::new(&segment, HEADER_BYTES as u64);
        loop {
            let (position, frame) = match cursor.next() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(JournalError::Corrupt { .. }) if at == last => break,
                Err(error) => return Err(error),
            };
            for entry in frame.entries() {
                let raw = entry.map_err(|reason| segment.corrupt(position, reason))?;
                count += u64::from(raw.numbers.iter().any(|number| numbers.contains(number)));
            }
        }
    }
    Ok((first.unwrap_or(0), count))
}

fn begin(header: &crate::frame::Header, found: &mut Inspected) -> Tail {
    found.verified.next_offset = header.base;
    found.verified.head = header.chain_before;
    let at: ReceiveTime = header.at_before;
    Tail { next: header.base, at, chain: header.chain_before }
}
