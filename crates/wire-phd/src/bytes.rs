//! Reading and writing in the medical device encoding rules (MDER, IEEE 11073-20601 annex F):
//! big-endian, lists with a count and a length in bytes, choices with a number and a length.

/// What is wrong with an APDU. Values are not repeated: they are a patient's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {offset}: {fault}")]
pub struct PhdError {
    /// The field, as the standard names it.
    pub field: &'static str,
    /// Where it begins, from 0, in the APDU.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes end inside the field.
    #[error("{needed} bytes are needed, {left} are left")]
    TooShort {
        /// Bytes that the field has.
        needed: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// Bytes are left after the last field.
    #[error("{extra} bytes too many")]
    TooLong {
        /// How many.
        extra: usize,
    },
    /// A number without a meaning here.
    #[error("{code:#06x} is not one of this field's")]
    Code {
        /// As sent.
        code: u32,
    },
}

/// Takes fields off the front.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

macro_rules! integers {
    ($($name:ident $type:ty),*) => {$(
        /// The next integer.
        ///
        /// # Errors
        /// When too few bytes are left.
        pub fn $name(&mut self, field: &'static str) -> Result<$type, PhdError> {
            const SIZE: usize = size_of::<$type>();
            let mut raw = [0; SIZE];
            raw.copy_from_slice(self.take(field, SIZE)?);
            Ok(<$type>::from_be_bytes(raw))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// At the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    integers!(u8 u8, u16 u16, u32 u32);

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], PhdError> {
        let left = self.left();
        if count > left {
            return Err(self.error(field, Fault::TooShort { needed: count, left }));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    /// A reader over the next `count` bytes alone, whose offsets go on from here.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn part(&mut self, field: &'static str, count: usize) -> Result<Self, PhdError> {
        let at = self.at;
        self.take(field, count)?;
        Ok(Self { bytes: &self.bytes[..self.at], at })
    }

    /// The bytes behind a 16-bit length.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn counted(&mut self, field: &'static str) -> Result<Self, PhdError> {
        let length = self.u16(field)?;
        self.part(field, usize::from(length))
    }

    /// A list: count, length, items. The items must fill the length.
    ///
    /// # Errors
    /// When the items and their length don't agree, and those of `item`.
    pub fn list<T>(
        &mut self,
        field: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<T, PhdError>,
    ) -> Result<Vec<T>, PhdError> {
        let count = self.u16(field)?;
        let mut part = self.counted(field)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(&mut part)?);
        }
        part.end(field)?;
        Ok(items)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// An error at the place where the next field begins.
    #[must_use]
    pub const fn error(&self, field: &'static str, fault: Fault) -> PhdError {
        PhdError { field, offset: self.at, fault }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When there is.
    pub const fn end(&self, field: &'static str) -> Result<(), PhdError> {
        match self.left() {
            0 => Ok(()),
            extra => Err(self.error(field, Fault::TooLong { extra })),
        }
    }
}

/// Builds an APDU.
#[derive(Debug, Default)]
pub struct Writer {
    /// What has been written.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// Appends bytes as they are.
    pub fn put(&mut self, bytes: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(bytes.as_ref());
    }

    /// Appends integers of 16 bits.
    pub fn shorts<const N: usize>(&mut self, numbers: [u16; N]) {
        for number in numbers {
            self.put(number.to_be_bytes());
        }
    }

    /// Appends an integer of 32 bits.
    pub fn long(&mut self, number: u32) {
        self.put(number.to_be_bytes());
    }

    /// Appends what `body` writes, behind its length.
    pub fn counted(&mut self, body: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.shorts([0]);
        body(self);
        let length = u16::try_from(self.bytes.len() - at - 2).unwrap_or(u16::MAX);
        self.bytes[at..at + 2].copy_from_slice(&length.to_be_bytes());
    }

    /// Appends a list: count, length, items.
    pub fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.shorts([u16::try_from(items.len()).unwrap_or(u16::MAX)]);
        self.counted(|writer| items.iter().for_each(|one| item(writer, one)));
    }
}
