//! Frames and segment headers as bytes: pure encoding and checking, no files.
//!
//! A frame is one committed batch. All numbers are little-endian.
//!
//! ```text
//! header  magic 8 | base offset 8 | at of the last entry before 8 | chain hash before 32 | crc32 4
//! frame   length of body 4 | crc32 4 | body | chain hash 32
//! body    first offset 8 | at 8 | count 4 | entries
//! entry   length of event 4 | flags 1 | key 16 or nothing | numbers of keys, 4 each | event
//! ```
//!
//! Bit 7 of the flags says whether there is a key by which the message is recognised; the other
//! bits how many keys of the keyring the event is sealed with, none: not at all. A sealed event has
//! its tag of 16 bytes behind it, and is bound to flags, hidden key and numbers in front of it.
//!
//! The CRC covers the segment's chain hash, then length, body and chain hash, so bytes copied from
//! elsewhere (a payload may hold anything) never pass for a frame.

use seal::KeyNumber;
use smallvec::SmallVec;
use vitals::{Offset, ReceiveTime};

use crate::Encoded;
use crate::sealing::{Ready, Sealer};

/// First bytes of a segment: name and version of the format, events included.
pub(crate) const MAGIC: [u8; 8] = *b"VWJRNL03";
/// The version before, which is read and not written: entries had no keys, and flags of 0 or 1 said
/// whether there is a key by which the message is recognised.
const MAGIC_02: [u8; 8] = *b"VWJRNL02";
/// Bytes of a segment header.
pub(crate) const HEADER_BYTES: usize = 60;
/// Bytes of a frame around its body.
pub(crate) const FRAME_BYTES: usize = 8 + HASH_BYTES;
/// Bytes of a body before its entries.
const BODY_BYTES: usize = 20;
const HASH_BYTES: usize = 32;
/// No frame is larger: above it a length is taken for damage.
pub(crate) const BODY_BYTES_MAX: usize = 96 * 1024 * 1024;

/// A link of the hash chain.
pub(crate) type Hash = [u8; HASH_BYTES];

/// What a segment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Offset of its first entry.
    pub(crate) base: Offset,
    /// Time of the last entry before.
    pub(crate) at_before: ReceiveTime,
    /// Chain hash before.
    pub(crate) chain_before: Hash,
    /// Written by the version before: nothing is added to it.
    pub(crate) old: bool,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.base.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.at_before.0.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.chain_before);
        let crc = crc32fast::hash(&bytes[..56]);
        bytes[56..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header, or what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let bytes: &[u8; HEADER_BYTES] = bytes.try_into().map_err(|_| "the header is cut off")?;
        if bytes[..6] != MAGIC[..6] {
            return Err("this is not a journal segment");
        }
        let old = bytes[..8] == MAGIC_02;
        if bytes[..8] != MAGIC && !old {
            return Err("the segment was written by another version of the program");
        }
        if crc32fast::hash(&bytes[..56]) != u32_at(bytes, 56) {
            return Err("the header's checksum does not hold");
        }
        let mut chain_before = [0; HASH_BYTES];
        chain_before.copy_from_slice(&bytes[24..56]);
        Ok(Self {
            base: u64_at(bytes, 8),
            at_before: ReceiveTime(u64_at(bytes, 16) as i64),
            chain_before,
            old,
        })
    }
}

/// Appends a batch as a frame to `out`; gives the new end of the chain.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    header: &Header,
    chain: &Chain,
    before: &Hash,
    (first, at): (Offset, ReceiveTime),
    (batch, sealer): (&[Encoded], Option<&Sealer>),
) -> Hash {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&first.to_le_bytes());
    out.extend_from_slice(&at.0.to_le_bytes());
    out.extend_from_slice(&(batch.len() as u32).to_le_bytes());
    let mut numbers = Vec::new();
    for (offset, entry) in (first..).zip(batch) {
        let ready = sealer.map(|sealer| {
            sealer.of(&entry.subjects, &mut numbers).expect("a batch is prepared before it is written")
        });
        put(out, offset, entry, ready.as_deref(), &numbers);
    }
    let body = start + 8;
    let length = ((out.len() - body) as u32).to_le_bytes();
    out[start..start + 4].copy_from_slice(&length);
    let hash = chain.link(before, &out[body..]);
    out.extend_from_slice(&hash);
    let crc = checksum(header, &length, &out[body..]);
    out[start + 4..body].copy_from_slice(&crc.to_le_bytes());
    hash
}

/// Puts an entry behind the others.
fn put(out: &mut Vec<u8>, offset: Offset, entry: &Encoded, ready: Option<&Ready>, numbers: &[KeyNumber]) {
    let tag = if ready.is_some() { seal::TAG_BYTES } else { 0 };
    out.extend_from_slice(&((entry.bytes.len() + tag) as u32).to_le_bytes());
    let place = out.len();
    out.push(u8::from(entry.dedup.is_some()) << 7 | numbers.len() as u8);
    if let Some(key) = entry.dedup {
        let key = ready.map_or(key, |ready| ready.hide(key));
        out.extend_from_slice(&key.to_le_bytes());
    }
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
    match ready {
        Some(ready) => ready.seal(out, place, offset, &entry.bytes),
        None => out.extend_from_slice(&entry.bytes),
    }
}

/// An entry as it stands in a frame.
pub(crate) struct Raw<'a> {
    /// The key by which its message is recognised, hidden if it is sealed.
    pub(crate) dedup: Option<u128>,
    /// The keys that it is sealed with; none: it is not.
    pub(crate) numbers: SmallVec<[KeyNumber; 4]>,
    /// What is in the open before the event.
    pub(crate) open: &'a [u8],
    /// The event, with its tag if it is sealed.
    pub(crate) bytes: &'a [u8],
}

/// A frame's bytes, found whole and with a matching checksum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// Offset of its first entry.
    pub(crate) first: Offset,
    /// When it was ordered.
    pub(crate) at: ReceiveTime,
    /// How many entries.
    pub(crate) count: u32,
    old: bool,
    /// The body, from the first offset on.
    pub(crate) body: &'a [u8],
    /// The chain hash as written.
    pub(crate) chain: Hash,
}

/// Bytes that the frame beginning with these eight takes, if they could begin one.
pub(crate) fn frame_bytes(start: &[u8]) -> Result<usize, &'static str> {
    let length = u32_at(start, 0) as usize;
    if (BODY_BYTES..=BODY_BYTES_MAX).contains(&length) {
        Ok(length + FRAME_BYTES)
    } else {
        Err("a frame's length is impossible")
    }
}

/// The frame in exactly these bytes.
pub(crate) fn decode<'a>(header: &Header, bytes: &'a [u8]) -> Result<Frame<'a>, &'static str> {
    if checksum(header, &bytes[..4], &bytes[8..]) != u32_at(bytes, 4) {
        return Err("a frame's checksum does not hold");
    }
    let (body, hash) = bytes[8..].split_at(bytes.len() - FRAME_BYTES);
    let mut chain = [0; HASH_BYTES];
    chain.copy_from_slice(hash);
    Ok(Frame {
        first: u64_at(body, 0),
        at: ReceiveTime(u64_at(body, 8) as i64),
        count: u32_at(body, 16),
        old: header.old,
        body,
        chain,
    })
}

impl<'a> Frame<'a> {
    /// The entries. Stops with an error where the body is cut off.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Result<Raw<'a>, &'static str>> + use<'a> {
        let mut rest = &self.body[BODY_BYTES..];
        let (count, old) = (self.count, self.old);
        (0..count).map(move |_| {
            let short = "a frame holds fewer entries than it says";
            let (start, tail) = rest.split_first_chunk::<4>().ok_or(short)?;
            let length = u32::from_le_bytes(*start) as usize;
            let flags = *tail.first().ok_or(short)?;
            let flags = if old { u8::from(flags != 0) << 7 } else { flags };
            let has_key = flags & 0x80 != 0;
            let open = 1 + if has_key { 16 } else { 0 } + 4 * usize::from(flags & 0x7f);
            let (open, tail) = tail.split_at_checked(open).ok_or(short)?;
            let dedup = open[1..].first_chunk::<16>().filter(|_| has_key);
            let numbers = open[if has_key { 17 } else { 1 }..].chunks_exact(4);
            let (bytes, tail) = tail.split_at_checked(length).ok_or(short)?;
            rest = tail;
            Ok(Raw {
                dedup: dedup.map(|key| u128::from_le_bytes(*key)),
                numbers: numbers.map(|number| u32_at(number, 0)).collect(),
                open,
                bytes,
            })
        })
    }
}

/// The hash that links frames: keyed, if the operator keeps a key elsewhere.
#[derive(Clone)]
pub(crate) struct Chain {
    key: Option<[u8; 32]>,
}

impl Chain {
    pub(crate) fn new(key: Option<[u8; 32]>) -> Self {
        Self { key }
    }

    /// The hash after a frame with this body.
    pub(crate) fn link(&self, before: &Hash, body: &[u8]) -> Hash {
        let mut hasher = self
            .key
            .as_ref()
            .map_or_else(blake3::Hasher::new, blake3::Hasher::new_keyed);
        hasher.update(before).update(body);
        *hasher.finalize().as_bytes()
    }
}

/// Whether a whole frame stands anywhere in `bytes` that could follow entry `next`. One frame is
/// written and synced before the next is begun, so behind a torn one there is none: if there is,
/// what precedes it was damaged, not torn.
pub(crate) fn any_frame_in(header: &Header, next: Offset, bytes: &[u8]) -> bool {
    let span = next..next.saturating_add(1 << 40);
    (0..bytes.len().saturating_sub(BODY_BYTES + FRAME_BYTES - 1)).any(|at| {
        span.contains(&u64_at(bytes, at + 8))
            && frame_bytes(&bytes[at..]).is_ok_and(|length| {
                bytes[at..]
                    .get(..length)
                    .is_some_and(|frame| decode(header, frame).is_ok())
            })
    })
}

fn checksum(header: &Header, length: &[u8], rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header.chain_before);
    crc.update(length);
    crc.update(rest);
    crc.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_the_version_before_are_read() {
        let mut header = Header {
            base: 7,
            at_before: ReceiveTime(1),
            chain_before: [9; HASH_BYTES],
            old: false,
        }
        .encode();
        header[..8].copy_from_slice(&MAGIC_02);
        let crc = crc32fast::hash(&header[..56]);
        header[56..].copy_from_slice(&crc.to_le_bytes());
        let header = Header::decode(&header).expect("it is known");
        assert!(header.old);
        let mut body = Vec::new();
        body.extend_from_slice(&7_u64.to_le_bytes());
        body.extend_from_slice(&2_i64.to_le_bytes());
        body.extend_from_slice(&2_u32.to_le_bytes());
        body.extend_from_slice(&[3, 0, 0, 0, 1]);
        body.extend_from_slice(&5_u128.to_le_bytes());
        body.extend_from_slice(b"one");
        body.extend_from_slice(&[3, 0, 0, 0, 0]);
        body.extend_from_slice(b"two");
        let length = (body.len() as u32).to_le_bytes();
        let mut rest = body.clone();
        rest.extend_from_slice(&Chain::new(None).link(&header.chain_before, &body));
        let mut frame = length.to_vec();
        frame.extend_from_slice(&checksum(&header, &length, &rest).to_le_bytes());
        frame.extend_from_slice(&rest);
        let frame = decode(&header, &frame).expect("it holds");
        let found: Vec<_> = frame.entries().map(|raw| raw.map(|raw| (raw.dedup, raw.numbers.len(), raw.bytes))).collect();
        assert_eq!(found, [Ok((Some(5), 0, &b"one"[..])), Ok((None, 0, &b"two"[..]))]);
    }
}
