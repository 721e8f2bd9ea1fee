//! Annotation files in the MIT format: 16-bit words of a six-bit code and a ten-bit interval.

use vitals::Rate;

use super::code;
use crate::{Annotation, Problem, decimal};

const SKIP: u16 = 59;
const NUMBER: u16 = 60;
const SUBTYPE: u16 = 61;
const CHANNEL: u16 = 62;
const TEXT: u16 = 63;

/// A note at the file's beginning says how long its ticks are, if not as long as samples.
const RESOLUTION: &str = "## time resolution:";

/// Reads an annotation file (`.atr`, `.qrs` …). `rate` is the record's frame rate, in which the
/// intervals are counted unless the file says otherwise. A file that ends too early gives what came
/// before, and a problem.
#[must_use]
pub fn read_annotations(file: &str, rate: Rate, bytes: &[u8]) -> (Vec<Annotation>, Vec<Problem>) {
    let mut reader = Reader { words: bytes, rate, tick: 0, channel: 0, number: 0, found: Vec::new() };
    let mut problems = Vec::new();
    loop {
        match reader.step() {
            Step::More => {}
            Step::End => break,
            Step::Short => {
                problems.push(Problem::new(file, "ends before its end mark"));
                break;
            }
        }
    }
    (reader.found, problems)
}

struct Reader<'a> {
    words: &'a [u8],
    rate: Rate,
    tick: i64,
    channel: u8,
    number: i8,
    found: Vec<Annotation>,
}

enum Step {
    More,
    End,
    Short,
}

impl Reader<'_> {
    fn word(&mut self) -> Option<u16> {
        let (word, rest) = self.words.split_first_chunk::<2>()?;
        self.words = rest;
        Some(u16::from_le_bytes(*word))
    }

    fn step(&mut self) -> Step {
        let Some(word) = self.word() else { return Step::Short };
        let (kind, low) = (word >> 10, word & 0x3ff);
        match kind {
            0 if low == 0 => return Step::End,
            SKIP => {
                // The high word stands first.
                let (Some(high), Some(low)) = (self.word(), self.word()) else { return Step::Short };
                let ticks = (u32::from(high) << 16 | u32::from(low)) as i32;
                self.tick = self.tick.saturating_add(i64::from(ticks));
            }
            NUMBER => {
                self.number = low as i8;
                self.change(|last| last.number = low as i8);
            }
            SUBTYPE => self.change(|last| last.subtype = low as i8),
            CHANNEL => {
                self.channel = low as u8;
                self.change(|last| last.channel = low as u8);
            }
            TEXT => return self.text(usize::from(low)),
            kind => {
                self.tick = self.tick.saturating_add(i64::from(low));
                // Code 0 only moves the time.
                if kind != 0 {
                    self.found.push(self.annotation(kind as u8));
                }
            }
        }
        Step::More
    }

    fn annotation(&self, code: u8) -> Annotation {
        Annotation {
            tick: self.tick,
            rate: self.rate,
            duration_us: None,
            code,
            subtype: 0,
            channel: self.channel,
            number: self.number,
            text: String::new(),
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Annotation)) {
        if let Some(last) = self.found.last_mut() {
            change(last);
        }
    }

    fn text(&mut self, length: usize) -> Step {
        let padded = length + length % 2;
        let (Some(bytes), rest) = (self.words.get(..length), self.words.get(padded..)) else { return Step::Short };
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            // Old files have Latin-1.
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        };
        self.words = rest.unwrap_or_default();
        let alone = self.found.len() == 1 && self.tick == 0;
        let ticks = text.strip_prefix(RESOLUTION).and_then(|rest| decimal::rate(rest.trim()));
        match ticks {
            Some(rate) if alone && self.found[0].code == code::NOTE => {
                self.rate = rate;
                self.found.clear();
            }
            _ => self.change(|last| last.text = text),
        }
        Step::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[u16]) -> (Vec<Annotation>, Vec<Problem>) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let rate = Rate::new(360, 1).expect("not zero");
        read_annotations("a.atr", rate, &bytes)
    }

    fn word(kind: u16, low: u16) -> u16 {
        kind << 10 | low
    }

    #[test]
    fn all_fields_are_read() {
        let (found, problems) = read(&[
            word(1, 100),
            word(SKIP, 0),
            0x0001,
            0x0002,
            word(5, 8),
            word(SUBTYPE, 0xff),
            word(CHANNEL, 1),
            word(NUMBER, 3),
            word(TEXT, 5),
            u16::from_le_bytes(*b"(A"),
            u16::from_le_bytes(*b"FI"),
            u16::from_le_bytes(*b"B\0"),
            word(28, 1),
            0,
        ]);
        assert!(problems.is_empty());
        let seen: Vec<_> =
            found.iter().map(|a| (a.tick, a.code, a.subtype, a.channel, a.number, a.text.as_str())).collect();
        assert_eq!(
            seen,
            [(100, 1, 0, 0, 0, ""), (65_646, 5, -1, 1, 3, "(AFIB"), (65_647, 28, 0, 1, 3, "")]
        );
    }

    #[test]
    fn ticks_may_be_finer_than_samples() {
        let note: Vec<u8> = b"## time resolution: 1000".to_vec();
        let mut words = vec![word(22, 0), word(TEXT, 24)];
        words.extend(note.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
        words.extend([word(1, 500), 0]);
        let (found, _) = read(&words);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].tick, found[0].time_us()), (500, 500_000));
    }

    #[test]
    fn a_cut_file_gives_what_came_before() {
        for words in [&[word(1, 5)][..], &[word(1, 5), word(SKIP, 0), 1], &[word(1, 5), word(TEXT, 9)]] {
            let (found, problems) = read(words);
            assert_eq!((found.len(), problems.len()), (1, 1));
        }
    }
}
