//! The wave message: samples, or pairs of lowest and highest, of one unbroken stretch, as bytes
//! (`docs/interfaces/waveforms.md`).

/// Version of the layout.
const VERSION: u8 = 1;
/// Bytes before the numbers.
pub(crate) const HEADER_BYTES: usize = 36;
/// The number that stands for no sample.
pub(crate) const MISSING: i16 = i16::MIN;

/// Flag: samples were left out because the viewer's link is slow.
pub(crate) const THINNED: u16 = 1;
/// Flag: the samples need more than 16 bits and were rounded.
pub(crate) const ROUNDED: u16 = 2;

/// What the numbers of a message are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One number a sample.
    Samples = 1,
    /// Two numbers, lowest and highest, for some samples.
    Pairs = 2,
}

/// What stands before the numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) flags: u16,
    /// Number of the view; over HTTP, of the series.
    pub(crate) view: u32,
    /// Time of the first sample, in microseconds since 1970.
    pub(crate) start_us: i64,
    /// Samples or pairs a second, as a fraction.
    pub(crate) rate: (u32, u32),
    /// value = number × scale + offset.
    pub(crate) scale: f32,
    pub(crate) offset: f32,
}

/// A message; of pairs, `numbers` holds lowest and highest in turn.
pub(crate) fn message(head: &Head, numbers: &[i16]) -> Vec<u8> {
    let count = match head.kind {
        Kind::Samples => numbers.len(),
        Kind::Pairs => numbers.len() / 2,
    };
    let mut out = Vec::with_capacity(HEADER_BYTES + 2 * numbers.len());
    out.push(VERSION);
    out.push(head.kind as u8);
    out.extend_from_slice(&head.flags.to_le_bytes());
    out.extend_from_slice(&head.view.to_le_bytes());
    out.extend_from_slice(&(head.start_us as f64 / 1_000.0).to_le_bytes());
    out.extend_from_slice(&head.rate.0.to_le_bytes());
    out.extend_from_slice(&head.rate.1.to_le_bytes());
    out.extend_from_slice(&head.scale.to_le_bytes());
    out.extend_from_slice(&head.offset.to_le_bytes());
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_as_documented() {
        let head = Head {
            kind: Kind::Pairs,
            flags: THINNED,
            view: 7,
            start_us: 1_700_000_000_123_500,
            rate: (125, 2),
            scale: 0.5,
            offset: -1.0,
        };
        let bytes = message(&head, &[-3, 4, MISSING, MISSING]);
        assert_eq!(bytes.len(), HEADER_BYTES + 8);
        assert_eq!(bytes[..8], [1, 2, 1, 0, 7, 0, 0, 0]);
        assert_eq!(bytes[8..16], 1_700_000_000_123.5_f64.to_le_bytes());
        assert_eq!(bytes[16..24], [125, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[24..32], [0, 0, 0, 0x3f, 0, 0, 0x80, 0xbf]);
        assert_eq!(bytes[32..], [2, 0, 0, 0, 0xfd, 0xff, 4, 0, 0, 0x80, 0, 0x80]);
    }
}
