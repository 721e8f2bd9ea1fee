//! Reading and writing fields: little-endian, each read under a name, so that an error says which
//! field at which byte is at fault.

use medfloat::{Float, Sfloat};

use crate::time::DateTime;

/// What is wrong with a payload. The values themselves are not repeated: they are a patient's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {offset}: {fault}")]
pub struct GattError {
    /// The field, as the GATT Specification Supplement names it, in lower case.
    pub field: &'static str,
    /// Where it begins, from 0.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The payload ends inside the field.
    #[error("{needed} bytes are needed, {left} are left")]
    TooShort {
        /// Bytes that the field has.
        needed: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// Bytes are left after the last field that the flags announce.
    #[error("{extra} bytes more than the flags announce")]
    TooLong {
        /// How many.
        extra: usize,
    },
    /// The check sum is another.
    #[error("the check sum does not fit the bytes before it")]
    Checksum,
    /// A length that can't be.
    #[error("a length of {length} can't be")]
    Length {
        /// As sent.
        length: usize,
    },
    /// A number that has no meaning here.
    #[error("the code {code} is not one of this field's")]
    Code {
        /// As sent.
        code: u32,
    },
    /// Text that is not UTF-8.
    #[error("the text is not UTF-8")]
    Text,
    /// The characteristic is none that is known here.
    #[error("no known characteristic has the number {number:#06x}")]
    Unknown {
        /// The 16-bit UUID.
        number: u16,
    },
}

/// Takes fields off the front of a payload.
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
        pub fn $name(&mut self, field: &'static str) -> Result<$type, GattError> {
            const SIZE: usize = size_of::<$type>();
            let bytes = self.take(field, SIZE)?;
            let mut raw = [0; SIZE];
            raw.copy_from_slice(bytes);
            Ok(<$type>::from_le_bytes(raw))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// At the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    integers!(u8 u8, i8 i8, u16 u16, i16 i16, u32 u32);

    /// The next 24-bit integer.
    ///
    /// # Errors
    /// When too few bytes are left.
    pub fn u24(&mut self, field: &'static str) -> Result<u32, GattError> {
        let bytes = self.take(field, 3)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// The next SFLOAT.
    ///
    /// # Errors
    /// When too few bytes are left.
    pub fn sfloat(&mut self, field: &'static str) -> Result<Sfloat, GattError> {
        self.u16(field).map(Sfloat::from_bits)
    }

    /// The next FLOAT.
    ///
    /// # Errors
    /// When too few bytes are left.
    pub fn float(&mut self, field: &'static str) -> Result<Float, GattError> {
        self.u32(field).map(Float::from_bits)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], GattError> {
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
    pub fn part(&mut self, field: &'static str, count: usize) -> Result<Self, GattError> {
        let at = self.at;
        self.take(field, count)?;
        Ok(Self { bytes: &self.bytes[..self.at], at })
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// `read`, if the flag is set that announces the field.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn when<T>(
        &mut self,
        flag: bool,
        read: impl FnOnce(&mut Self) -> Result<T, GattError>,
    ) -> Result<Option<T>, GattError> {
        flag.then(|| read(self)).transpose()
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Where the next field begins.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// What has been read since `start`.
    #[must_use]
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// An error at the place where the next field begins.
    #[must_use]
    pub const fn error(&self, field: &'static str, fault: Fault) -> GattError {
        GattError { field, offset: self.at, fault }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When there is.
    pub const fn end(&self) -> Result<(), GattError> {
        match self.left() {
            0 => Ok(()),
            extra => Err(self.error("end", Fault::TooLong { extra })),
        }
    }
}

/// Builds a payload.
#[derive(Debug, Default)]
pub struct Writer {
    /// What has been written.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// Appends bytes as they are; integers by their `to_le_bytes`.
    pub fn put(&mut self, bytes: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(bytes.as_ref());
    }

    /// Appends the lower 24 bits.
    pub fn u24(&mut self, number: u32) {
        self.put(&number.to_le_bytes()[..3]);
    }

    /// Appends an SFLOAT.
    pub fn sfloat(&mut self, number: Sfloat) {
        self.put(number.bits().to_le_bytes());
    }

    /// Appends a FLOAT.
    pub fn float(&mut self, number: Float) {
        self.put(number.bits().to_le_bytes());
    }

    /// Appends a byte if there is one.
    pub fn byte(&mut self, number: Option<u8>) {
        if let Some(number) = number {
            self.put([number]);
        }
    }

    /// Appends an integer of 16 bits if there is one.
    pub fn short(&mut self, number: Option<u16>) {
        if let Some(number) = number {
            self.put(number.to_le_bytes());
        }
    }

    /// Appends a date and time if there is one.
    pub fn time(&mut self, time: Option<DateTime>) {
        if let Some(time) = time {
            self.put(time.bytes());
        }
    }

    /// Appends an SFLOAT if there is one.
    pub fn decimal(&mut self, number: Option<Sfloat>) {
        if let Some(number) = number {
            self.sfloat(number);
        }
    }
}

/// Sets bit `bit` in a field of flags where `present`.
pub(crate) const fn flag(present: bool, bit: u32) -> u32 {
    if present { 1 << bit } else { 0 }
}

/// Whether bit `bit` is set.
pub(crate) const fn bit(flags: u32, bit: u32) -> bool {
    flags >> bit & 1 == 1
}

/// An enumeration over a number on the wire; what the table lacks is kept as `Other`.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident : $int:ty { $($(#[$each:meta])* $variant:ident = $code:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)*
            /// A number that is reserved for future use, as sent.
            Other($int),
        }

        impl $name {
            /// From its number.
            #[must_use]
            pub const fn from_code(code: $int) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// Its number.
            #[must_use]
            pub const fn code(self) -> $int {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }
        }
    };
}
pub(crate) use codes;

/// A field of status bits; bits without a name are kept.
macro_rules! status {
    ($(#[$doc:meta])* $name:ident : $int:ty { $($(#[doc = $each:literal])* $flag:ident = $bit:literal),* $(,)? }) => {
        bitflags::bitflags! {
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
            pub struct $name: $int {
                $($(#[doc = $each])* const $flag = 1 << $bit;)*
            }
        }
    };
}
pub(crate) use status;
