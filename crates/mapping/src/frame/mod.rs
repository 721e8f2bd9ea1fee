//! The waveform frame: some samples of one or more waveforms of one device, in binary.
//!
//! Everything is little-endian. `docs/interfaces/mqtt-native.md` has the layout as tables and
//! encoders in Python and C beside it, which are tested to give the same bytes as [`Frame::encode`].

mod read;
mod write;

pub use read::{FrameError, decode};
pub use vitals::SampleEncoding as Encoding;

use vitals::{DeviceId, DeviceTime, MetricCode, Quality, Rate, SampleArray, Scale, TimeBase, Unit};

use crate::measure::unknown_metric;
use crate::{Details, Mapped, RawMessage, dedup_key, measure_samples};

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"VWWF";
/// The version that this crate writes and reads.
pub const VERSION: u8 = 1;
/// Bytes before the first channel.
pub const HEADER_LEN: usize = 20;
/// Bytes of a channel before its samples.
pub const CHANNEL_LEN: usize = 52;
/// The most channels in one frame.
pub const MAX_CHANNELS: usize = 64;
/// The most samples in one frame, all channels together.
pub const MAX_SAMPLES: usize = 262_144;

/// Flag: the times are a recording's, played back.
pub const FLAG_RECORDED: u8 = 1;
/// Flag: the device has a clock, and `time` is by it. Without the flag `time` is ignored.
pub const FLAG_HAS_TIME: u8 = 2;
/// Flag: test or demonstration data.
pub const FLAG_TEST: u8 = 4;

/// A frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Flags, see the constants.
    pub flags: u8,
    /// Counts the device's frames; it may begin anywhere and wraps.
    pub sequence: u32,
    /// When the first sample was taken, by the device's clock.
    pub time: DeviceTime,
    /// The waveforms.
    pub channels: Vec<Channel>,
}

/// One waveform in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// What it is.
    pub metric: MetricCode,
    /// Which of several like channels.
    pub channel: u32,
    /// Context-free IEEE 11073-10101 code of the unit; 0: the metric's own unit.
    pub unit_mdc: u32,
    /// Sampling rate in hertz as a fraction.
    pub rate_numerator: u32,
    /// Denominator of the rate, at least 1.
    pub rate_denominator: u32,
    /// First sample, in microseconds after the frame's time.
    pub delay_us: i32,
    /// What the device says against the samples: the low byte of [`Quality`].
    pub quality: u8,
    /// How samples are written.
    pub encoding: Encoding,
    /// value = raw × scale + offset
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// Raw samples; [`vitals::samples::MISSING`] where the device has none.
    pub samples: Vec<i32>,
}

/// The encodings' numbers in a frame, from 0.
const ENCODINGS: [Encoding; 4] = [Encoding::I16, Encoding::I24, Encoding::I32, Encoding::DeltaVarint];

fn encoding_number(encoding: Encoding) -> u8 {
    ENCODINGS.iter().position(|other| *other == encoding).map_or(u8::MAX, |at| at as u8)
}

/// Maps a frame from the native waveform topic.
pub(crate) fn map(raw: &RawMessage<'_>, device: &DeviceId, profile: &str) -> Mapped {
    let mut mapped = Mapped::new(profile);
    mapped.lane_is_waveform = true;
    let (frame, faults) = match read::scan(raw.payload) {
        Ok(read) => read,
        Err(error) => {
            mapped.problem(error.kind(), error.path(), error.to_string());
            return mapped;
        }
    };
    for fault in faults {
        mapped.problem(fault.kind(), fault.path(), fault.to_string());
    }
    if frame.flags & FLAG_RECORDED != 0 {
        mapped.time_base = TimeBase::Recorded;
    }
    let has_time = frame.flags & FLAG_HAS_TIME != 0;
    if mapped.time_base == TimeBase::Recorded && !has_time {
        mapped.problem(vitals::ProblemKind::Missing, "byte 5", "a recording needs the time flag and a time");
        return mapped;
    }
    for (at, (channel, samples)) in frame.channels.iter().enumerate() {
        let samples = SampleArray {
            rate: Rate::new(channel.rate_numerator, channel.rate_denominator)
                .expect("the scan refuses a rate of 0"),
            scale: Scale { factor: channel.scale, divisor: 1.0, offset: channel.offset },
            sequence: Some(frame.sequence),
            samples: samples.clone(),
        };
        let device_time = has_time.then(|| frame.time.plus(i64::from(channel.delay_us)));
        match channel_measurement(channel, samples, device_time, frame.flags) {
            Ok(measurement) => mapped.push(device, None, measurement),
            Err(mut problem) => {
                problem.path = format!("channel[{at}]");
                mapped.problems.push(problem);
            }
        }
    }
    if has_time {
        mapped.dedup = Some(dedup_key(raw));
    }
    mapped
}

fn channel_measurement(
    channel: &Channel,
    samples: SampleArray,
    device_time: Option<DeviceTime>,
    flags: u8,
) -> Result<vitals::Measurement, vitals::Problem> {
    let metric = channel.metric.metric().ok_or_else(|| unknown_metric(String::new()))?;
    let unit = match channel.unit_mdc {
        0 => None,
        code => Some(Unit::from_mdc(code).ok_or_else(|| crate::measure::unknown_unit(String::new()))?),
    };
    let mut quality = Quality::from_bits_truncate(u16::from(channel.quality)) & DEVICE_FLAGS;
    if flags & FLAG_TEST != 0 {
        quality |= Quality::TEST;
    }
    measure_samples(metric, samples, unit, Details { device_time, quality, channel: channel.channel })
}

/// The quality flags that a device may set: those that tell of its own doubts.
pub(crate) const DEVICE_FLAGS: Quality =
    Quality::QUESTIONABLE.union(Quality::INVALID).union(Quality::CALIBRATING).union(Quality::TEST);

#[cfg(test)]
mod tests;
