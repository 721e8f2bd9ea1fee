//! A request in blocks (RFC 7959, Block1), put together again.

/// What a block did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Joined {
    /// That was the last: the whole.
    Whole(Vec<u8>),
    /// Go on.
    Continue,
    /// It does not follow what came before.
    Gap,
    /// More than is taken.
    TooLarge,
}

/// What came of one request so far.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    path: String,
    bytes: Vec<u8>,
}

impl Blocks {
    /// Takes a block of the request to `path`; `option` is the Block1 option's number.
    pub(crate) fn take(&mut self, path: &str, option: u32, payload: &[u8], most: usize) -> Joined {
        let (number, more, exponent) = (option >> 4, option & 8 != 0, option & 7);
        let size = 16_usize << exponent;
        if number == 0 {
            *self = Self { path: path.to_owned(), bytes: Vec::new() };
        }
        let fits = exponent < 7 && self.path == path && number as usize * size == self.bytes.len();
        let full = if more { payload.len() == size } else { payload.len() <= size };
        if !fits || !full {
            *self = Self::default();
            return Joined::Gap;
        }
        if self.bytes.len() + payload.len() > most {
            *self = Self::default();
            return Joined::TooLarge;
        }
        self.bytes.extend(payload);
        if more { Joined::Continue } else { Joined::Whole(std::mem::take(self).bytes) }
    }
}
