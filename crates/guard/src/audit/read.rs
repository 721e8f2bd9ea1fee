//! Finding lines of the log by their numbers, in whichever file they are.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::chain::{LINE_MAX, number, parts};
use super::segments;
use crate::GuardError;

/// A line with its number, without its line break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

/// Walks the lines of a folder's log from record `from` on until `visit` says that it is enough.
/// Lines that are none are passed over: `verify` is who judges.
pub(super) fn walk(
    folder: &Path,
    from: u64,
    mut visit: impl FnMut(Line) -> bool,
) -> Result<(), GuardError> {
    let mut paths = segments::all(folder)?;
    // Files before the one that has the record are not looked at.
    let begins = |path: &Path| first_number(path).ok().flatten();
    let last_before = paths.iter().rposition(|path| begins(path).is_some_and(|n| n <= from));
    paths.drain(..last_before.unwrap_or(0));
    for path in paths {
        let failed = |e| GuardError::file(&path, e);
        let mut file = File::open(&path).map_err(failed)?;
        let start = position(&file, from).map_err(failed)?;
        file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut lines = BufReader::with_capacity(1 << 16, file);
        loop {
            let mut line = Vec::new();
            let read = (&mut lines).take(LINE_MAX as u64).read_until(b'\n', &mut line);
            if read.map_err(failed)? == 0 {
                break;
            }
            let Some(number) = parts(&line).and_then(|parts| number(parts.body)) else { continue };
            line.pop();
            if number >= from && !visit(Line { number, bytes: line }) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The line of a record.
pub(super) fn line(folder: &Path, wanted: u64) -> Result<Option<Vec<u8>>, GuardError> {
    let mut found = None;
    walk(folder, wanted, |line| {
        if line.number == wanted {
            found = Some(line.bytes);
        }
        false
    })?;
    Ok(found)
}

/// The number of a file's first record.
pub(super) fn first_number(path: &Path) -> std::io::Result<Option<u64>> {
    number_behind(&File::open(path)?, 0)
}

/// Where in a file to begin to read for a record: at most a window before it, at a line's begin.
fn position(file: &File, wanted: u64) -> std::io::Result<u64> {
    const NEAR: u64 = 64 << 10;
    let (mut low, mut high) = (0, file.metadata()?.len());
    while high - low > NEAR {
        let middle = low + (high - low) / 2;
        let start = line_behind(file, middle)?.filter(|start| *start < high);
        let found = start.map(|start| number_behind(file, start)).transpose()?;
        match (start, found) {
            (Some(start), Some(Some(found))) if found <= wanted => low = start,
            // Damaged here: to be on the safe side, from the place known to be before it.
            (Some(_), Some(None)) => break,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Where the first line begins that begins behind `at`.
fn line_behind(file: &File, at: u64) -> std::io::Result<Option<u64>> {
    let piece = piece(file, at)?;
    Ok(piece.iter().position(|b| *b == b'\n').map(|index| at + index as u64 + 1))
}

/// The number of the line that begins at `at`.
fn number_behind(file: &File, at: u64) -> std::io::Result<Option<u64>> {
    let mut bytes = [0; 40];
    let mut got = 0;
    while got < bytes.len() {
        match file.read_at(&mut bytes[got..], at + got as u64)? {
            0 => break,
            more => got += more,
        }
    }
    Ok(number(&bytes[..got]))
}

fn piece(file: &File, at: u64) -> std::io::Result<Vec<u8>> {
    const STEP: usize = 4 << 10;
    let mut bytes = Vec::new();
    // Most lines are short: no need to read on once one has ended.
    while bytes.len() < LINE_MAX && !bytes.contains(&b'\n') {
        let have = bytes.len();
        bytes.resize(have + STEP, 0);
        let got = file.read_at(&mut bytes[have..], at + have as u64)?;
        bytes.truncate(have + got);
        if got == 0 {
            break;
        }
    }
    Ok(bytes)
}
