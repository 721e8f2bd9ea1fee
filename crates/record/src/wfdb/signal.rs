//! Signal files: how counts are packed into bytes.

use vitals::samples::MISSING;

use crate::Error;

/// A signal format, by the number that headers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// No samples.
    Null,
    /// 8-bit first differences.
    F8,
    /// 16-bit two's complement, little-endian.
    F16,
    /// 24-bit two's complement, little-endian.
    F24,
    /// 32-bit two's complement, little-endian.
    F32,
    /// 16-bit two's complement, big-endian.
    F61,
    /// 8-bit offset binary.
    F80,
    /// 16-bit offset binary, little-endian.
    F160,
    /// 12-bit two's complement, two in three bytes.
    F212,
    /// 10-bit two's complement, three in four bytes, as some recorders left them.
    F310,
    /// 10-bit two's complement, three in four bytes.
    F311,
    /// FLAC, up to 8 bits.
    F508,
    /// FLAC, up to 16 bits.
    F516,
    /// FLAC, up to 24 bits.
    F524,
}

const FORMATS: [(u32, Format); 14] = [
    (0, Format::Null),
    (8, Format::F8),
    (16, Format::F16),
    (24, Format::F24),
    (32, Format::F32),
    (61, Format::F61),
    (80, Format::F80),
    (160, Format::F160),
    (212, Format::F212),
    (310, Format::F310),
    (311, Format::F311),
    (508, Format::F508),
    (516, Format::F516),
    (524, Format::F524),
];

impl Format {
    /// The format with this number.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        FORMATS.iter().find(|(number, _)| *number == code).map(|(_, format)| *format)
    }

    /// Its number.
    #[must_use]
    pub fn code(self) -> u32 {
        FORMATS.iter().find(|(_, format)| *format == self).map_or(0, |(number, _)| *number)
    }

    /// Bits of a count.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Null | Self::F8 | Self::F80 | Self::F508 => 8,
            Self::F310 | Self::F311 => 10,
            Self::F212 => 12,
            Self::F16 | Self::F61 | Self::F160 | Self::F516 => 16,
            Self::F24 | Self::F524 => 24,
            Self::F32 => 32,
        }
    }

    /// The count that says "no sample": the lowest of the width. Differences have none.
    #[must_use]
    pub const fn missing(self) -> Option<i32> {
        match self {
            Self::Null | Self::F8 => None,
            _ => Some(i32::MIN >> (32 - self.bits())),
        }
    }

    /// Whether the file is a FLAC stream.
    #[must_use]
    pub const fn is_flac(self) -> bool {
        matches!(self, Self::F508 | Self::F516 | Self::F524)
    }

    /// Number of whole samples in `bytes` bytes of a file that is not FLAC.
    #[must_use]
    pub const fn samples_in(self, bytes: u64) -> u64 {
        match self {
            Self::Null => 0,
            Self::F8 | Self::F80 | Self::F508 => bytes,
            Self::F16 | Self::F61 | Self::F160 | Self::F516 => bytes / 2,
            Self::F24 | Self::F524 => bytes / 3,
            Self::F32 => bytes / 4,
            // Two samples in three bytes, the first in two of them.
            Self::F212 => bytes / 3 * 2 + if bytes % 3 == 2 { 1 } else { 0 },
            // Three samples in four bytes; the first byte pair holds the first one.
            Self::F310 => bytes / 4 * 3 + if bytes % 4 >= 2 { 1 } else { 0 },
            // Packed low bits first: the second is complete with the third byte.
            Self::F311 => bytes / 4 * 3 + [0, 0, 1, 2][(bytes % 4) as usize],
        }
    }
}

/// The counts in a signal file that is not FLAC, in the order in which they stand there, and as
/// they stand there: differences (format 8) are not summed, missing samples have the format's own
/// count. At most `limit` samples.
#[must_use]
pub fn decode(format: Format, bytes: &[u8], limit: usize) -> Vec<i32> {
    let count = usize::try_from(format.samples_in(bytes.len() as u64)).unwrap_or(usize::MAX).min(limit);
    let mut out = Vec::with_capacity(count + 2);
    let pair = |b: &[u8]| i32::from(i16::from_le_bytes([b[0], b[1]]));
    match format {
        Format::Null => {}
        Format::F8 | Format::F508 => out.extend(bytes.iter().map(|b| i32::from(*b as i8))),
        Format::F80 => out.extend(bytes.iter().map(|b| i32::from(*b) - 128)),
        Format::F16 | Format::F516 => out.extend(bytes.chunks_exact(2).take(count).map(pair)),
        Format::F61 => out.extend(bytes.chunks_exact(2).map(|b| i32::from(i16::from_be_bytes([b[0], b[1]])))),
        Format::F160 => {
            out.extend(bytes.chunks_exact(2).map(|b| i32::from(u16::from_le_bytes([b[0], b[1]])) - 32_768));
        }
        Format::F24 | Format::F524 => {
            out.extend(bytes.chunks_exact(3).map(|b| i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8));
        }
        Format::F32 => out.extend(bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        Format::F212 => bytes.chunks(3).for_each(|chunk| packed_212(chunk, &mut out)),
        Format::F310 => bytes.chunks(4).for_each(|chunk| packed_310(chunk, &mut out)),
        Format::F311 => bytes.chunks(4).for_each(|chunk| packed_311(chunk, &mut out)),
    }
    out.truncate(count);
    out
}

/// The low `bits` bits of `raw` as a number with its sign.
const fn signed(raw: u32, bits: u32) -> i32 {
    ((raw << (32 - bits)) as i32) >> (32 - bits)
}

fn byte(chunk: &[u8], at: usize) -> u32 {
    chunk.get(at).copied().map_or(0, u32::from)
}

fn packed_212(chunk: &[u8], out: &mut Vec<i32>) {
    let (a, b, c) = (byte(chunk, 0), byte(chunk, 1), byte(chunk, 2));
    out.push(signed(a | (b & 0x0f) << 8, 12));
    out.push(signed(c | (b & 0xf0) << 4, 12));
}

fn packed_310(chunk: &[u8], out: &mut Vec<i32>) {
    let first = byte(chunk, 0) | byte(chunk, 1) << 8;
    let second = byte(chunk, 2) | byte(chunk, 3) << 8;
    out.push(signed(first >> 1, 10));
    out.push(signed(second >> 1, 10));
    out.push(signed(first >> 11 | (second >> 11) << 5, 10));
}

fn packed_311(chunk: &[u8], out: &mut Vec<i32>) {
    let word = byte(chunk, 0) | byte(chunk, 1) << 8 | byte(chunk, 2) << 16 | byte(chunk, 3) << 24;
    out.push(signed(word, 10));
    out.push(signed(word >> 10, 10));
    out.push(signed(word >> 20, 10));
}

/// The counts of a FLAC file, channel by channel, at most `limit` of all together.
///
/// # Errors
/// If it is no FLAC stream, is damaged, or has more bits or other channels than `format` and
/// `channels` say.
pub(super) fn decode_flac(
    file: &str,
    format: Format,
    channels: usize,
    bytes: &[u8],
    limit: usize,
) -> Result<Vec<Vec<i32>>, Error> {
    let broken = |error: claxon::Error| Error::malformed(file, format!("not a readable FLAC stream ({error})"));
    let mut reader = claxon::FlacReader::new(bytes).map_err(broken)?;
    let info = reader.streaminfo();
    if info.channels as usize != channels || info.bits_per_sample > format.bits() {
        let what = format!("{} channels of {} bits in the FLAC stream", info.channels, info.bits_per_sample);
        return Err(Error::malformed(file, what));
    }
    let mut out = vec![Vec::new(); channels];
    let (mut blocks, mut buffer, mut taken) = (reader.blocks(), Vec::new(), 0_usize);
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(broken)? {
        taken = taken.saturating_add(block.len() as usize);
        if taken > limit {
            return Err(Error::too_large(format!("samples in `{file}`"), limit as u64));
        }
        for (channel, out) in out.iter_mut().enumerate() {
            if channel < block.channels() as usize {
                out.extend_from_slice(block.channel(channel as u32));
            }
        }
        buffer = block.into_buffer();
    }
    Ok(out)
}

/// A count as it is kept: [`MISSING`] for the format's own missing sample.
pub(super) const fn kept(format: Format, raw: i32) -> i32 {
    match format.missing() {
        Some(missing) if raw == missing => MISSING,
        _ => raw,
    }
}
