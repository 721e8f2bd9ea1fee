//! Values out of bytes.

use crate::signature::{DEPTH_MAX, alignment, check, first};
use crate::{DbusError, Value};

/// Takes values off the front of bytes; places count from the beginning of the message.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    little: bool,
}

macro_rules! integers {
    ($($name:ident $type:ty),*) => {$(
        pub(crate) fn $name(&mut self) -> Result<$type, DbusError> {
            const SIZE: usize = size_of::<$type>();
            self.align(SIZE)?;
            let mut raw = [0; SIZE];
            raw.copy_from_slice(self.take(SIZE)?);
            Ok(if self.little { <$type>::from_le_bytes(raw) } else { <$type>::from_be_bytes(raw) })
        }
    )*};
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], at: usize, little: bool) -> Self {
        Self { bytes, at, little }
    }

    integers!(u8 u8, i16 i16, u16 u16, i32 i32, u32 u32, i64 i64, u64 u64);

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DbusError> {
        let end = self.at.checked_add(count).ok_or(DbusError::Short)?;
        let taken = self.bytes.get(self.at..end).ok_or(DbusError::Short)?;
        self.at = end;
        Ok(taken)
    }

    /// Passes over padding, which is zero.
    pub(crate) fn align(&mut self, to: usize) -> Result<(), DbusError> {
        let padding = self.take(self.at.next_multiple_of(to) - self.at)?;
        if padding.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(DbusError::Value) }
    }

    fn text(&mut self, length: usize) -> Result<String, DbusError> {
        let bytes = self.take(length)?;
        if self.take(1)? != [0] || bytes.contains(&0) {
            return Err(DbusError::Text);
        }
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DbusError::Text)
    }

    fn signature(&mut self) -> Result<String, DbusError> {
        let length = usize::from(self.u8()?);
        let signature = self.text(length)?;
        check(&signature)?;
        Ok(signature)
    }

    /// The value of one whole type.
    pub(crate) fn value(&mut self, kind: &str, depth: usize) -> Result<Value, DbusError> {
        if depth > DEPTH_MAX {
            return Err(DbusError::Limit);
        }
        let letter = *kind.as_bytes().first().ok_or(DbusError::Signature)?;
        Ok(match letter {
            b'y' => Value::Byte(self.u8()?),
            b'b' => match self.u32()? {
                0 => Value::Boolean(false),
                1 => Value::Boolean(true),
                _ => return Err(DbusError::Value),
            },
            b'n' => Value::Int16(self.i16()?),
            b'q' => Value::Uint16(self.u16()?),
            b'i' => Value::Int32(self.i32()?),
            b'u' => Value::Uint32(self.u32()?),
            b'x' => Value::Int64(self.i64()?),
            b't' => Value::Uint64(self.u64()?),
            b'd' => Value::Double(f64::from_bits(self.u64()?)),
            b'h' => Value::Descriptor(self.u32()?),
            b's' | b'o' => {
                let length = self.u32()? as usize;
                let text = self.text(length)?;
                if letter == b's' { Value::Text(text) } else { Value::Path(text) }
            }
            b'g' => Value::Signature(self.signature()?),
            b'v' => {
                let signature = self.signature()?;
                let (one, rest) = first(&signature)?;
                if !rest.is_empty() {
                    return Err(DbusError::Signature);
                }
                Value::Variant(Box::new(self.value(one, depth + 1)?))
            }
            b'a' => self.array(&kind[1..], depth + 1)?,
            b'(' => {
                self.align(8)?;
                Value::Struct(self.row(&kind[1..kind.len() - 1], depth + 1)?)
            }
            b'{' => {
                self.align(8)?;
                let mut both = self.row(&kind[1..kind.len() - 1], depth + 1)?.into_iter();
                match (both.next(), both.next()) {
                    (Some(key), Some(value)) => Value::Entry(Box::new((key, value))),
                    _ => return Err(DbusError::Signature),
                }
            }
            _ => return Err(DbusError::Signature),
        })
    }

    /// Values of all types of a signature.
    pub(crate) fn row(&mut self, mut signature: &str, depth: usize) -> Result<Vec<Value>, DbusError> {
        let mut values = Vec::new();
        while !signature.is_empty() {
            let (one, rest) = first(signature)?;
            values.push(self.value(one, depth)?);
            signature = rest;
        }
        Ok(values)
    }

    fn array(&mut self, element: &str, depth: usize) -> Result<Value, DbusError> {
        let length = self.u32()? as usize;
        self.align(alignment(*element.as_bytes().first().ok_or(DbusError::Signature)?))?;
        if element == "y" {
            return Ok(Value::Bytes(self.take(length)?.to_vec()));
        }
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(DbusError::Short)?;
        let mut items = Vec::new();
        while self.at < end {
            items.push(self.value(element, depth)?);
        }
        if self.at == end { Ok(Value::Array(element.to_owned(), items)) } else { Err(DbusError::Short) }
    }
}
