//! Time-stamped annotation lists: the annotations of a record, and where the record stands in time.

const TEXT_ENDS: u8 = 0x14;
const DURATION: u8 = 0x15;

/// One annotation of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Microseconds after the file's start.
    pub(super) onset_us: i64,
    /// Microseconds that it lasts.
    pub(super) duration_us: Option<i64>,
    /// What it says.
    pub(super) text: String,
}

/// What one record's annotation signal says: the record's onset, if the list keeps time, and marks.
/// A list that can't be understood is counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lists {
    pub(super) onset_us: Option<i64>,
    pub(super) marks: Vec<Mark>,
    pub(super) broken: usize,
}

impl Lists {
    /// Reads the bytes of an annotation signal in one record.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut lists = Self::default();
        for list in bytes.split(|byte| *byte == 0).filter(|list| !list.is_empty()) {
            if lists.list(list).is_none() {
                lists.broken += 1;
            }
        }
        lists
    }

    fn list(&mut self, list: &[u8]) -> Option<()> {
        let end = list.iter().position(|byte| *byte == TEXT_ENDS)?;
        let (stamp, texts) = (&list[..end], &list[end + 1..]);
        let mut stamp = stamp.split(|byte| *byte == DURATION);
        let onset_us = micros(stamp.next()?)?;
        let duration_us = match stamp.next() {
            Some(text) if !text.is_empty() => Some(micros(text)?),
            _ => None,
        };
        for (at, text) in texts.strip_suffix(&[TEXT_ENDS])?.split(|byte| *byte == TEXT_ENDS).enumerate() {
            if !text.is_empty() {
                let text = String::from_utf8_lossy(text).into_owned();
                self.marks.push(Mark { onset_us, duration_us, text });
            } else if at == 0 && self.onset_us.is_none() {
                self.onset_us = Some(onset_us);
            }
        }
        Some(())
    }
}

impl Mark {
    /// The mark as a list of its own.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = seconds(self.onset_us).into_bytes();
        if let Some(duration) = self.duration_us {
            out.push(DURATION);
            out.extend_from_slice(seconds(duration).trim_start_matches('+').as_bytes());
        }
        out.push(TEXT_ENDS);
        // The bytes that end texts and lists can't be in one.
        out.extend(self.text.bytes().map(|byte| if matches!(byte, 0 | TEXT_ENDS | DURATION) { b' ' } else { byte }));
        out.extend_from_slice(&[TEXT_ENDS, 0]);
        out
    }
}

/// The list that says where a record stands in time.
pub(super) fn keep_time(onset_us: i64) -> Vec<u8> {
    let mut out = seconds(onset_us).into_bytes();
    out.extend_from_slice(&[TEXT_ENDS, TEXT_ENDS, 0]);
    out
}

/// `+12.345`
fn seconds(micros: i64) -> String {
    let (sign, micros) = (if micros < 0 { '-' } else { '+' }, micros.unsigned_abs());
    let text = format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Decimal seconds as microseconds, rounded.
fn micros(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    if whole.is_empty() || whole.len() > 11 || !plain.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let digits: String = part.chars().chain("0000000".chars()).take(7).collect();
    let tenths: i64 = whole.parse::<i64>().ok()?.checked_mul(10_000_000)?.checked_add(digits.parse().ok()?)?;
    let micros = (tenths + 5) / 10;
    Some(if text.starts_with('-') { -micros } else { micros })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let bytes = b"+180.25\x14\x14\0+180.5\x1525.5\x14Apnoea\x14again\x14\0-0.065\x14Pre\x14\0\0\0";
        let mark = |onset_us, duration_us, text: &str| Mark { onset_us, duration_us, text: text.to_owned() };
        let expected = vec![
            mark(180_500_000, Some(25_500_000), "Apnoea"),
            mark(180_500_000, Some(25_500_000), "again"),
            mark(-65_000, None, "Pre"),
        ];
        assert_eq!(Lists::read(bytes), Lists { onset_us: Some(180_250_000), marks: expected, broken: 0 });
        let broken = Lists::read(b"+1.2.3\x14x\x14\0hello\0+5\x14unfinished\0");
        assert_eq!((broken.broken, broken.marks.len()), (3, 0));
    }

    #[test]
    fn marks_come_back() {
        for (onset_us, duration_us, text) in
            [(0, None, "ä"), (1_500_000, Some(20), "Beat N"), (-1, Some(0), "x"), (86_400_000_001, None, "y")]
        {
            let mark = Mark { onset_us, duration_us, text: text.to_owned() };
            assert_eq!(Lists::read(&mark.write()).marks, [mark]);
        }
        assert_eq!(Lists::read(&keep_time(2_000_500)).onset_us, Some(2_000_500));
    }
}
