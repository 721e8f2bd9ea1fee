//! The native waveform frame, version 1 (docs/interfaces/mqtt-native.md), as a monitor writes it.
//! Only differences (encoding 3) are written: it is what a device maker would choose.

use flate2::Crc;

/// Bytes before the first channel.
const HEADER: usize = 20;
/// The flag that says the times are a recording's.
pub const RECORDED: u8 = 1;
/// The flag that says the frame's time is set.
pub const HAS_TIME: u8 = 2;
/// Encoding 3: differences as zigzag + 1 in LEB128.
const DIFFERENCES: u8 = 3;

/// One channel of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel<'a> {
    /// Context-free IEEE 11073-10101 code of the metric.
    pub metric: u32,
    /// Which of several like channels.
    pub channel: u32,
    /// Samples a second, as a fraction.
    pub rate: (u32, u32),
    /// From the frame's time to this channel's first sample, µs.
    pub delay_us: i32,
    /// Quality bits; 0 is good.
    pub quality: u8,
    /// Value = count × scale + offset.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// The samples; `None` stands for one that is missing.
    pub samples: Samples<'a>,
}

/// Samples of a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Samples<'a> {
    /// All there.
    Counts(&'a [i32]),
    /// With gaps.
    Gapped(&'a [Option<i32>]),
}

/// Appends a live frame to `out`.
pub fn encode(out: &mut Vec<u8>, sequence: u32, time_us: i64, channels: &[Channel<'_>]) {
    encode_flagged(out, HAS_TIME, sequence, time_us, channels);
}

/// Appends a frame with these flags to `out`.
pub fn encode_flagged(
    out: &mut Vec<u8>,
    flags: u8,
    sequence: u32,
    time_us: i64,
    channels: &[Channel<'_>],
) {
    let begin = out.len();
    out.extend(b"VWWF");
    out.extend([1, flags]);
    out.extend((channels.len() as u16).to_le_bytes());
    out.extend(sequence.to_le_bytes());
    out.extend(time_us.to_le_bytes());
    debug_assert_eq!(out.len(), begin + HEADER, "the header has 20 bytes");
    for channel in channels {
        put_channel(out, channel);
    }
    let mut crc = Crc::new();
    crc.update(&out[begin..]);
    out.extend(crc.sum().to_le_bytes());
}

fn put_channel(out: &mut Vec<u8>, c: &Channel<'_>) {
    for number in [c.metric, c.channel, 0, c.rate.0, c.rate.1] {
        out.extend(number.to_le_bytes());
    }
    out.extend(c.delay_us.to_le_bytes());
    out.extend([DIFFERENCES, c.quality, 0, 0]);
    out.extend(c.scale.to_le_bytes());
    out.extend(c.offset.to_le_bytes());
    let count = match c.samples {
        Samples::Counts(counts) => counts.len(),
        Samples::Gapped(samples) => samples.len(),
    };
    out.extend((count as u32).to_le_bytes());
    let length_at = out.len();
    out.extend([0; 4]);
    let mut previous = 0_i32;
    match c.samples {
        Samples::Counts(counts) => {
            for count in counts {
                put_difference(out, i64::from(*count) - i64::from(previous));
                previous = *count;
            }
        }
        Samples::Gapped(samples) => {
            for sample in samples {
                let Some(count) = sample else {
                    out.push(0);
                    continue;
                };
                put_difference(out, i64::from(*count) - i64::from(previous));
                previous = *count;
            }
        }
    }
    let length = (out.len() - length_at - 4) as u32;
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

fn put_difference(out: &mut Vec<u8>, difference: i64) {
    let mut number = ((difference << 1) ^ (difference >> 63)) as u64 + 1;
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The platform's own reader understands what is written here without its help.
    #[test]
    fn the_platform_reads_it() {
        let counts = [-40, 0, 70_000, i32::MAX, i32::MIN + 1];
        let gapped = [Some(3), None, Some(-3)];
        let channel = Channel {
            metric: 131_330,
            channel: 0,
            rate: (250, 1),
            delay_us: 0,
            quality: 0,
            scale: 0.005,
            offset: 0.0,
            samples: Samples::Counts(&counts),
        };
        let second = Channel {
            metric: 151_780,
            rate: (125, 2),
            delay_us: 8_000,
            samples: Samples::Gapped(&gapped),
            ..channel
        };
        let mut bytes = Vec::new();
        encode(&mut bytes, 7, 1_700_000_000_000_000, &[channel, second]);
        let (frame, faults) = mapping::frame::decode(&bytes).expect("a frame");
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!((frame.sequence, frame.time.0), (7, 1_700_000_000_000_000));
        assert_eq!(frame.channels[0].samples, counts);
        assert_eq!(frame.channels[1].samples, [3, vitals::samples::MISSING, -3]);
        assert_eq!((frame.channels[1].rate_numerator, frame.channels[1].delay_us), (125, 8_000));
    }
}
