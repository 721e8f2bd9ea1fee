//! The fixed header: where one packet ends and the next begins (2.2 of 3.1.1, 2.1 of 5.0).

use crate::MqttError;

/// One whole packet, still undecoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// First byte: type and flags.
    pub header: u8,
    /// Everything after the fixed header.
    pub body: &'a [u8],
    /// Length with the fixed header, in bytes.
    pub length: usize,
}

/// The first packet in `bytes`, or none while it is incomplete.
///
/// # Errors
/// [`MqttError::Malformed`] for a bad length, [`MqttError::TooLarge`] as soon as the length field
/// says more than `max_bytes`, so that no memory is spent on waiting for it.
pub fn split(bytes: &[u8], max_bytes: usize) -> Result<Option<Frame<'_>>, MqttError> {
    let Some((&header, rest)) = bytes.split_first() else { return Ok(None) };
    let mut remaining = 0_usize;
    for (index, &byte) in rest.iter().take(4).enumerate() {
        remaining |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 != 0 {
            continue;
        }
        let start = index + 2;
        let length = start + remaining;
        if length > max_bytes {
            return Err(MqttError::TooLarge);
        }
        return Ok(bytes.get(start..length).map(|body| Frame { header, body, length }));
    }
    if rest.len() >= 4 { Err(MqttError::Malformed("remaining length")) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<Option<usize>, MqttError>) {
        assert_eq!(split(bytes, 1_000).map(|f| f.map(|f| f.length)), expected, "{bytes:02x?}");
    }

    #[test]
    fn frames() {
        check(&[], Ok(None));
        check(&[0xc0], Ok(None));
        check(&[0xc0, 0], Ok(Some(2)));
        check(&[0x30, 3, 1, 2], Ok(None));
        check(&[0x30, 3, 1, 2, 3, 9, 9], Ok(Some(5)));
        check(&[0x30, 0x80], Ok(None));
        check(&[0x30, 0x80, 0x80, 0x80], Ok(None));
        check(&[0x30, 0x80, 0x80, 0x80, 0x80], Err(MqttError::Malformed("remaining length")));
        check(&[0x30, 0xff, 0xff, 0xff, 0x7f], Err(MqttError::TooLarge));
        check(&[0x30, 0xe6, 0x07], Err(MqttError::TooLarge));
        check(&[0x30, 0xe5, 0x07], Ok(None));
    }
}
