//! The journal's files: a segment whose bytes are any, signed frame by frame where the first byte
//! says so, opens or is refused with the place; what opens can be read, verified and written on.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use journal::faults::FaultyDisk;
use journal::{Disk, EmbeddedJournal, Encoded, Journal, Options};
use libfuzzer_sys::fuzz_target;
use vitals::{Event, ReceiveTime};

const CHAIN: [u8; 32] = [7; 32];

/// A segment header as `docs/interfaces/journal.md` has it.
fn header() -> Vec<u8> {
    let mut bytes = b"VWJRNL01".to_vec();
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(&CHAIN);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// A frame around a body, checksum and chain hash right; moves the chain on.
fn frame(chain: &mut [u8; 32], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short body").to_le_bytes();
    let mut hasher = blake3::Hasher::new();
    hasher.update(chain).update(body);
    *chain = *hasher.finalize().as_bytes();
    let mut crc = crc32fast::Hasher::new();
    for part in [&CHAIN[..], &length, body, chain] {
        crc.update(part);
    }
    [&length[..], &crc.finalize().to_le_bytes(), body, chain].concat()
}

/// Bodies of one entry each; what is left of the bytes after the last length is put behind, unsigned.
fn segment(bytes: &[u8]) -> Vec<u8> {
    let mut file = header();
    let Some((mode, mut rest)) = bytes.split_first() else { return file };
    if *mode % 4 == 0 {
        file.extend_from_slice(rest);
        return file;
    }
    let mut chain = CHAIN;
    let mut first = 0_u64;
    while let Some(([low, high], tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let Some((part, tail)) = tail.split_at_checked(length) else { break };
        let mut body = Vec::new();
        if *mode % 4 == 1 {
            // Offset, time and count right; one entry without a key.
            body.extend_from_slice(&first.to_le_bytes());
            body.extend_from_slice(&first.to_le_bytes());
            body.extend_from_slice(&1_u32.to_le_bytes());
            body.extend_from_slice(&u32::from(u16::from_le_bytes([*low, *high])).to_le_bytes());
            body.push(0);
            first += 1;
        }
        body.extend_from_slice(part);
        file.extend_from_slice(&frame(&mut chain, &body));
        rest = tail;
    }
    file.extend_from_slice(rest);
    file
}

fuzz_target!(|bytes: &[u8]| {
    let disk = FaultyDisk::new();
    let folder = Path::new("/journal");
    let path = folder.join("00000000000000000000.vwj");
    let file = disk.create(&path).expect("a disk without faults");
    file.write_at(&segment(bytes), 0).expect("a disk without faults");
    let opened = EmbeddedJournal::open_on(Arc::new(disk), folder, Options::default());
    let Ok(mut journal) = opened else { return };
    let next = journal.next_offset();
    let _ = journal.verify();
    let mut at = 0;
    while at < next {
        // An entry of a later version is refused with its offset; those behind it are read.
        match journal.read(at, 1 << 20) {
            Ok(entries) => at = entries.last().expect("one at least").offset + 1,
            Err(_) => break,
        }
    }
    let _ = journal.reader().recent_keys(100);
    let entry = Encoded::new(&Event::Tick, Some(1)).expect("a small entry");
    let stamp = journal.append(ReceiveTime(0), &[entry]).expect("what opened can be written on");
    assert_eq!(stamp.first, next);
    let entries = journal.read(next, 1 << 20).expect("what was written can be read");
    assert_eq!(entries[0].event, Event::Tick);
});
