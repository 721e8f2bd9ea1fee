//! The data types of MQTT (1.5): integers, strings and binary data, read from a slice.

use crate::MqttError;

/// Reads from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], MqttError> {
        let (front, back) =
            self.0.split_at_checked(count).ok_or(MqttError::Malformed("packet ends early"))?;
        self.0 = back;
        Ok(front)
    }

    pub(super) fn u8(&mut self) -> Result<u8, MqttError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, MqttError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, MqttError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A variable byte integer of at most four bytes.
    pub(super) fn varint(&mut self) -> Result<u32, MqttError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(MqttError::Malformed("variable byte integer"))
    }

    pub(super) fn binary(&mut self) -> Result<&'a [u8], MqttError> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }

    /// A UTF-8 string without U+0000, which neither version allows (1.5.4-2).
    pub(super) fn text(&mut self) -> Result<&'a str, MqttError> {
        let bytes = self.binary()?;
        let text = std::str::from_utf8(bytes).map_err(|_| MqttError::Malformed("not UTF-8"))?;
        if bytes.contains(&0) {
            return Err(MqttError::Malformed("U+0000 in a string"));
        }
        Ok(text)
    }

    /// A packet identifier, which is never 0 (2.2.1).
    pub(super) fn packet_id(&mut self) -> Result<u16, MqttError> {
        match self.u16()? {
            0 => Err(MqttError::Malformed("packet id 0")),
            id => Ok(id),
        }
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}
