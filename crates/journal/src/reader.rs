//! Reading and verifying while the writer goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use seal::KeyNumber;
use vitals::{Event, Offset, ReceiveTime};

use crate::JournalError;
use crate::cursor::Cursor;
use crate::embedded::Shared;
use crate::entry::{Entry, ReadJournal, Verified};
use crate::frame::{HEADER_BYTES, Raw};
use crate::inspect::Place;
use crate::recover::{self, Tail};
use crate::sealing::Opened;
use crate::segment::Segment;
use crate::subjects::Subjects;

/// At most so many bytes are read at a start to find recent keys.
const KEYS_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Reads the segments that writer and readers share.
pub(crate) struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn segments(&self) -> Vec<Arc<Segment>> {
        self.shared.segments.read().clone()
    }

    fn entry(&self, offset: Offset, at: ReceiveTime, raw: &Raw<'_>) -> Result<Entry, JournalError> {
        let (event, subjects) = match self.shared.opener.open(offset, raw)? {
            Opened::Erased => (Event::Erased, Subjects::new()),
            Opened::Event(bytes, subjects) => {
                let event = postcard::from_bytes(&bytes).map_err(|error| {
                    JournalError::Encoding { offset, reason: error.to_string() }
                })?;
                (event, subjects)
            }
        };
        Ok(Entry { offset, at, event, subjects })
    }
}

impl ReadJournal for Reader {
    fn read(&self, from: Offset, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        let segments = self.segments();
        let mut entries = Vec::new();
        let mut bytes = 0;
        let mut next = from;
        let end = self.next_offset();
        let start = segments.partition_point(|segment| segment.header.base <= from);
        let Some(start) = start.checked_sub(1) else {
            return Err(JournalError::Gone {
                wanted: from,
                first: self.first_offset(),
            });
        };
        for segment in &segments[start..] {
            if segment.header.base > next {
                return Err(segment.corrupt(8, "entries before this file are missing"));
            }
            let mut cursor = Cursor::new(segment, segment.seek(next)?);
            while let Some((position, frame)) = cursor.next()? {
                if frame.first + Offset::from(frame.count) <= next {
                    continue;
                }
                if frame.first > next {
                    return Err(segment.corrupt(position, "entries are missing before this"));
                }
                for (offset, entry) in (frame.first..).zip(frame.entries()) {
                    let raw = entry.map_err(|r| segment.corrupt(position, r))?;
                    if offset < next {
                        continue;
                    }
                    if !entries.is_empty() && bytes + raw.bytes.len() > max_bytes {
                        return Ok(entries);
                    }
                    bytes += raw.bytes.len();
                    entries.push(self.entry(offset, frame.at, &raw)?);
                    next = offset + 1;
                }
                if bytes >= max_bytes {
                    return Ok(entries);
                }
            }
        }
        if next < end {
            let last = segments.last().expect("a journal has a segment");
            return Err(last.corrupt(last.len(), "entries are missing at the end"));
        }
        Ok(entries)
    }

    fn next_offset(&self) -> Offset {
        self.shared.next.load(Ordering::Acquire)
    }

    fn first_offset(&self) -> Offset {
        self.shared
            .segments
            .read()
            .first()
            .map_or(0, |segment| segment.header.base)
    }

    fn head(&self) -> Option<Place> {
        Some(*self.shared.head.lock())
    }

    fn bytes(&self) -> u64 {
        self.shared
            .segments
            .read()
            .iter()
            .map(|segment| segment.len())
            .sum()
    }

    fn verify(&self) -> Result<Verified, JournalError> {
        let segments = self.segments();
        let first = segments.first().expect("a journal has a segment");
        let mut found = Verified {
            first_offset: first.header.base,
            next_offset: first.header.base,
            frames: 0,
            bytes: 0,
            files: segments.len(),
            head: first.header.chain_before,
        };
        let mut tail = Tail {
            next: first.header.base,
            at: first.header.at_before,
            chain: first.header.chain_before,
        };
        for segment in &segments {
            // What is on disk now, not what was read when the segment was opened.
            check_header(segment)?;
            let header = segment.header;
            if header.base != tail.next {
                return Err(segment.corrupt(8, "entries before this file are missing"));
            }
            if header.chain_before != tail.chain || header.at_before != tail.at {
                return Err(segment.corrupt(16, "this file does not continue the one before"));
            }
            let mut cursor = Cursor::new(segment, HEADER_BYTES as u64);
            while let Some((position, frame)) = cursor.next()? {
                recover::check(segment, position, &frame, &tail, &self.shared.chain)?;
                tail.next += Offset::from(frame.count);
                tail.at = frame.at;
                tail.chain = frame.chain;
                found.frames += 1;
            }
            found.bytes += cursor.position();
        }
        found.next_offset = tail.next;
        found.head = tail.chain;
        Ok(found)
    }

    fn sealed_with(&self, numbers: &[KeyNumber]) -> Result<u64, JournalError> {
        let mut count = 0;
        for segment in &self.segments() {
            let mut cursor = Cursor::new(segment, HEADER_BYTES as u64);
            while let Some((position, frame)) = cursor.next()? {
                for entry in frame.entries() {
                    let raw = entry.map_err(|r| segment.corrupt(position, r))?;
                    count += u64::from(raw.numbers.iter().any(|number| numbers.contains(number)));
                }
            }
        }
        Ok(count)
    }

    fn recent_keys(&self, keys: usize) -> Result<Vec<(u128, Offset)>, JournalError> {
        let mut newest_first: Vec<Vec<(u128, Offset)>> = Vec::new();
        let (mut count, mut bytes) = (0, 0);
        for segment in self.segments().iter().rev() {
            if count >= keys || bytes >= KEYS_BYTES_MAX {
                break;
            }
            let mut found = Vec::new();
            let mut cursor = Cursor::new(segment, HEADER_BYTES as u64);
            while let Some((position, frame)) = cursor.next()? {
                for (offset, entry) in (frame.first..).zip(frame.entries()) {
                    let raw = entry.map_err(|r| segment.corrupt(position, r))?;
                    let key = self.shared.opener.repeat(offset, &raw)?;
                    found.extend(key.map(|key| (key, offset)));
                }
            }
            count += found.len();
            bytes += segment.len();
            newest_first.push(found);
        }
        let all = newest_first.into_iter().rev().flatten();
        Ok(all.skip(count.saturating_sub(keys)).collect())
    }
}

fn check_header(segment: &Segment) -> Result<(), JournalError> {
    let mut bytes = [0; HEADER_BYTES];
    let got = segment
        .file
        .read_at(&mut bytes, 0)
        .map_err(|e| JournalError::io("reading", &segment.path, e))?;
    match crate::frame::Header::decode(&bytes[..got]) {
        Ok(header) if header == segment.header => Ok(()),
        Ok(_) => Err(segment.corrupt(0, "the header was altered")),
        Err(reason) => Err(segment.corrupt(0, reason)),
    }
}
