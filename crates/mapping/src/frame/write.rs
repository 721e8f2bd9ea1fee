//! A frame as bytes.

use super::{Channel, Frame, MAGIC, VERSION, encoding_number};

impl Frame {
    /// The frame as bytes. Channels and samples beyond the limits are for the caller to avoid:
    /// [`super::decode`] refuses them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size_hint());
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        out.push(self.flags);
        out.extend_from_slice(&u16::try_from(self.channels.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.time.micros().to_le_bytes());
        for channel in &self.channels {
            write_channel(channel, &mut out);
        }
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        out
    }

    fn size_hint(&self) -> usize {
        self.channels.iter().map(|c| super::CHANNEL_LEN + 4 * c.samples.len()).sum::<usize>() + 24
    }
}

fn write_channel(channel: &Channel, out: &mut Vec<u8>) {
    let mut data = Vec::with_capacity(4 * channel.samples.len());
    channel.encoding.write(&channel.samples, &mut data);
    for word in [
        channel.metric.0,
        channel.channel,
        channel.unit_mdc,
        channel.rate_numerator,
        channel.rate_denominator,
    ] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&channel.delay_us.to_le_bytes());
    out.extend_from_slice(&[encoding_number(channel.encoding), channel.quality, 0, 0]);
    out.extend_from_slice(&channel.scale.to_le_bytes());
    out.extend_from_slice(&channel.offset.to_le_bytes());
    for length in [channel.samples.len(), data.len()] {
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
    out.extend_from_slice(&data);
}
