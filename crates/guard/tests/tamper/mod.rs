//! Ways to tamper with a log, and what the log then is.

use std::path::Path;

use guard::{AUDIT_FILE, AuditError, Damage};

/// Numbers from a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end` − 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// How many lines the log of a folder has.
pub fn records(folder: &Path) -> u64 {
    let log = std::fs::read_to_string(folder.join(AUDIT_FILE)).expect("text");
    log.lines().inspect(|line| assert!(line.starts_with("{\"n\":"))).count() as u64
}

pub fn damage_of(error: &AuditError) -> Option<Damage> {
    match error {
        AuditError::Line { damage, .. } => Some(*damage),
        _ => None,
    }
}

/// One random manipulation of a log: what was done, the outcome, and the line that has to be
/// named (from 1).
pub fn manipulate(random: &mut Random, log: &[u8]) -> (&'static str, Vec<u8>, u64) {
    let lines: Vec<&[u8]> = log.split_inclusive(|b| *b == b'\n').collect();
    let count = lines.len() as u64;
    let line = random.below(count);
    let byte = random.below(log.len() as u64) as usize;
    let line_at = |byte: usize| 1 + log[..byte].iter().filter(|b| **b == b'\n').count() as u64;
    let mut changed = log.to_vec();
    let mut moved: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
    let index = line as usize;
    match random.below(8) {
        0 => {
            changed[byte] ^= 1 << random.below(8);
            ("a bit flipped", changed, line_at(byte))
        }
        1 => {
            moved.remove(index);
            ("a line removed", moved.concat(), line + 1)
        }
        2 => {
            let other = (line + 1 + random.below(count - 1)) % count;
            moved.swap(index, other as usize);
            ("two lines exchanged", moved.concat(), line.min(other) + 1)
        }
        3 => {
            let copy = moved[index].clone();
            moved.insert(index, copy);
            ("a line doubled", moved.concat(), line + 2)
        }
        4 => {
            changed.truncate(byte);
            ("the end cut off", changed, line_at(byte))
        }
        5 => {
            changed.remove(byte);
            // Of several equal bytes in a row any may be the one removed, all in one line.
            ("a byte removed", changed, line_at(byte))
        }
        6 => {
            let text = String::from_utf8(moved[index].clone()).expect("text");
            moved[index] = text.replace("\"actor\":\"", "\"actor\":\"x").into_bytes();
            ("another name put in", moved.concat(), line + 1)
        }
        _ => {
            let first = line.saturating_sub(random.below(5)) as usize;
            moved.drain(first..=index);
            ("several lines removed", moved.concat(), first as u64 + 1)
        }
    }
}
