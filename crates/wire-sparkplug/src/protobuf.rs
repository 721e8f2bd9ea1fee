//! As much of protobuf's wire format as the payload needs: fields one after the other.

use crate::SparkplugError;

/// One field's content.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Field<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
}

impl<'b> Field<'b> {
    pub(crate) fn bytes(self) -> Option<&'b [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(crate) fn text(self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// Fields of a message, in order.
pub(crate) struct Fields<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Where `bytes` begin in the whole payload, for errors.
    base: usize,
}

impl<'b> Fields<'b> {
    pub(crate) fn new(bytes: &'b [u8], base: usize) -> Self {
        Self { bytes, at: 0, base }
    }

    /// The next field: its number, its content and where that begins in the whole payload.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Field<'b>, usize)>, SparkplugError> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| self.broken())?;
                Field::Bytes(self.slice(length)?)
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(self.broken()),
        };
        let length = field.bytes().map_or(0, <[u8]>::len);
        Ok(Some((key >> 3, field, self.base + self.at - length)))
    }

    fn varint(&mut self) -> Result<u64, SparkplugError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.broken())?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.broken())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SparkplugError> {
        let slice = self.slice(N)?;
        slice.try_into().map_err(|_| self.broken())
    }

    fn slice(&mut self, length: usize) -> Result<&'b [u8], SparkplugError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.broken())?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    const fn broken(&self) -> SparkplugError {
        SparkplugError::Protobuf(self.base + self.at)
    }
}

/// Appends a varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a field with a varint.
pub(crate) fn put_number(out: &mut Vec<u8>, field: u64, number: u64) {
    put_varint(out, field << 3);
    put_varint(out, number);
}

/// Appends a field with bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
