//! A frame from bytes: whatever the bytes, an answer.

use vitals::{DeviceTime, MetricCode, ProblemKind, Samples};

use super::{Channel, ENCODINGS, Encoding, Frame, HEADER_LEN, MAGIC, MAX_CHANNELS, MAX_SAMPLES, VERSION};

/// What is wrong with a frame, or with one channel of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It does not begin as a frame does.
    #[error("not a waveform frame: it must begin with VWWF")]
    Magic,
    /// A version that is not known.
    #[error("waveform frame version {0} is not known: 1 is")]
    Version(u8),
    /// It ends too early, or goes on too long.
    #[error("the frame's length does not agree with its counts")]
    Length,
    /// The checksum does not fit.
    #[error("the checksum does not fit: the frame was damaged or cut")]
    Checksum,
    /// More than the limits allow.
    #[error("more than 64 channels or 262,144 samples: send several frames")]
    TooLarge,
    /// A channel's encoding is not known, or its bytes don't fit it.
    #[error("the samples are not as their encoding and count say")]
    Samples(usize),
    /// A channel's scale or offset is not a finite number, or its rate is zero.
    #[error("rate, scale and offset must be finite, rate and scale not zero")]
    Numbers(usize),
}

impl FrameError {
    /// As problems are counted.
    #[must_use]
    pub const fn kind(self) -> ProblemKind {
        match self {
            Self::TooLarge => ProblemKind::Limit,
            Self::Samples(_) | Self::Numbers(_) => ProblemKind::BadValue,
            _ => ProblemKind::Syntax,
        }
    }

    /// Where in the frame.
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Samples(at) | Self::Numbers(at) => format!("channel[{at}]"),
            Self::Version(_) => "byte 4".to_owned(),
            Self::Checksum => "the last 4 bytes".to_owned(),
            _ => "frame".to_owned(),
        }
    }
}

/// Reads a frame; a channel that can't be read is left out and reported beside it.
///
/// # Errors
/// When the frame as a whole can't be believed.
pub fn decode(bytes: &[u8]) -> Result<(Frame, Vec<FrameError>), FrameError> {
    let (scanned, faults) = scan(bytes)?;
    let channels = scanned.channels.into_iter().map(|(channel, samples)| {
        let Samples::InPayload { encoding, start, bytes: length, count } = samples else { return channel };
        let (start, length) = (start as usize, length as usize);
        let data = bytes.get(start..start + length).unwrap_or_default();
        Channel { samples: encoding.read(count as usize, data).unwrap_or_default(), ..channel }
    });
    let Scanned { flags, sequence, time, .. } = scanned;
    Ok((Frame { flags, sequence, time, channels: channels.collect() }, faults))
}

/// A frame whose samples stay where they are.
pub(super) struct Scanned {
    pub(super) flags: u8,
    pub(super) sequence: u32,
    pub(super) time: DeviceTime,
    /// Each channel without its samples, and where in the frame those are: checked to be readable.
    pub(super) channels: Vec<(Channel, Samples)>,
}

/// Checks a frame as [`decode`] does, without taking its samples out.
pub(super) fn scan(bytes: &[u8]) -> Result<(Scanned, Vec<FrameError>), FrameError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(FrameError::Magic);
    }
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or(FrameError::Length)?;
    if body.len() < HEADER_LEN {
        return Err(FrameError::Length);
    }
    if body[4] != VERSION {
        return Err(FrameError::Version(body[4]));
    }
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    let mut cursor = Cursor(&body[MAGIC.len() + 1..]);
    let flags = cursor.take::<1>()?[0];
    let channel_count = usize::from(u16::from_le_bytes(cursor.take()?));
    if channel_count > MAX_CHANNELS {
        return Err(FrameError::TooLarge);
    }
    let sequence = u32::from_le_bytes(cursor.take()?);
    let time = DeviceTime(i64::from_le_bytes(cursor.take()?));
    let mut frame = Scanned { flags, sequence, time, channels: Vec::with_capacity(channel_count) };
    let mut faults = Vec::new();
    let mut total = 0_usize;
    for at in 0..channel_count {
        let header = ChannelHeader::read(&mut cursor)?;
        let start = body.len() - cursor.0.len();
        let data = cursor.slice(header.data_len)?;
        total = total.saturating_add(header.sample_count);
        if total > MAX_SAMPLES {
            return Err(FrameError::TooLarge);
        }
        match header.check(at, data) {
            Ok(encoding) => {
                let number = |length| u32::try_from(length).map_err(|_| FrameError::TooLarge);
                let (start, bytes, count) =
                    (number(start)?, number(data.len())?, number(header.sample_count)?);
                let samples = Samples::InPayload { encoding, start, bytes, count };
                frame.channels.push((header.channel, samples));
            }
            Err(fault) => faults.push(fault),
        }
    }
    if cursor.0.is_empty() { Ok((frame, faults)) } else { Err(FrameError::Length) }
}

struct ChannelHeader {
    channel: Channel,
    encoding: Option<Encoding>,
    sample_count: usize,
    data_len: usize,
}

impl ChannelHeader {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, FrameError> {
        let mut word = || cursor.take().map(u32::from_le_bytes);
        let [metric, channel, unit_mdc, rate_numerator, rate_denominator] =
            [word()?, word()?, word()?, word()?, word()?];
        let delay_us = i32::from_le_bytes(cursor.take()?);
        let [encoding, quality, _, _] = cursor.take::<4>()?;
        let scale = f64::from_le_bytes(cursor.take()?);
        let offset = f64::from_le_bytes(cursor.take()?);
        let sample_count = u32::from_le_bytes(cursor.take()?) as usize;
        let data_len = u32::from_le_bytes(cursor.take()?) as usize;
        let encoding = ENCODINGS.get(usize::from(encoding)).copied();
        let channel = Channel {
            metric: MetricCode(metric),
            channel,
            unit_mdc,
            rate_numerator,
            rate_denominator,
            delay_us,
            quality,
            encoding: encoding.unwrap_or(Encoding::I32),
            scale,
            offset,
            samples: Vec::new(),
        };
        Ok(Self { channel, encoding, sample_count, data_len })
    }

    fn check(&self, at: usize, data: &[u8]) -> Result<Encoding, FrameError> {
        let c = &self.channel;
        if !c.scale.is_finite()
            || c.scale == 0.0
            || !c.offset.is_finite()
            || c.rate_numerator == 0
            || c.rate_denominator == 0
        {
            return Err(FrameError::Numbers(at));
        }
        let encoding = self.encoding.filter(|encoding| encoding.fits(self.sample_count, data));
        encoding.ok_or(FrameError::Samples(at))
    }
}

/// Bytes not read yet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(FrameError::Length)?;
        self.0 = rest;
        Ok(*head)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], FrameError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(FrameError::Length)?;
        self.0 = rest;
        Ok(head)
    }
}
