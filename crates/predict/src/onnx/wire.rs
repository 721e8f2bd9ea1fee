//! Protocol buffers, as far as ONNX files need them: fields of a message, one after the other.

use super::OnnxError;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Number(u64),
    Single(f32),
    Bytes(&'a [u8]),
    /// Of eight bytes; nothing here needs one.
    Double,
}

impl<'a> Value<'a> {
    pub fn bytes(self) -> Result<&'a [u8], OnnxError> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(OnnxError::Broken) }
    }

    pub fn text(self) -> Result<&'a str, OnnxError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| OnnxError::Broken)
    }

    /// Adds one number, or several that are packed.
    pub fn singles(self, to: &mut Vec<f32>) -> Result<(), OnnxError> {
        match self {
            Self::Single(value) => to.push(value),
            Self::Bytes(bytes) => {
                let (whole, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(OnnxError::Broken);
                }
                to.extend(whole.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            Self::Number(_) | Self::Double => return Err(OnnxError::Broken),
        }
        Ok(())
    }

    /// Adds one whole number, or several that are packed.
    pub fn wholes(self, to: &mut Vec<i64>) -> Result<(), OnnxError> {
        match self {
            Self::Number(value) => to.push(value as i64),
            Self::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    to.push(varint(&mut bytes)? as i64);
                }
            }
            Self::Single(_) | Self::Double => return Err(OnnxError::Broken),
        }
        Ok(())
    }
}

/// The fields of a message: number and value.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), OnnxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field(&mut self.0);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Value<'a>), OnnxError> {
    let key = varint(rest)?;
    let value = match key & 7 {
        0 => Value::Number(varint(rest)?),
        1 => {
            take(rest, 8)?;
            Value::Double
        }
        2 => {
            let length = usize::try_from(varint(rest)?).map_err(|_| OnnxError::Broken)?;
            Value::Bytes(take(rest, length)?)
        }
        5 => {
            let bytes = take(rest, 4)?.try_into().map_err(|_| OnnxError::Broken)?;
            Value::Single(f32::from_le_bytes(bytes))
        }
        _ => return Err(OnnxError::Broken),
    };
    Ok((key >> 3, value))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], OnnxError> {
    let (taken, after) = rest.split_at_checked(length).ok_or(OnnxError::Broken)?;
    *rest = after;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64, OnnxError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(OnnxError::Broken)
}
