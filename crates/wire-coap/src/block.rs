//! Requests and notifications in blocks (RFC 7959, Block1 and Block2), put together again.

use coap_lite::Packet;

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

/// A notification of which the first block came, while the others are fetched.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// The token that the blocks are asked for with.
    pub(crate) token: Vec<u8>,
    /// The observation that it is of.
    pub(crate) observation: Vec<u8>,
    /// The first message, which is acknowledged when everything is kept.
    pub(crate) first: Packet,
    bytes: Vec<u8>,
    etag: Option<Vec<u8>>,
}

impl Fetch {
    pub(crate) fn new(token: Vec<u8>, first: Packet, etag: Option<Vec<u8>>) -> Self {
        let (observation, bytes) = (first.get_token().to_vec(), first.payload.clone());
        Self { token, observation, first, bytes, etag }
    }

    /// Takes a block; its option's number and ETag stand beside it.
    pub(crate) fn take(&mut self, option: u32, etag: Option<&[u8]>, payload: &[u8], most: usize) -> Joined {
        let (number, more, exponent) = (option >> 4, option & 8 != 0, option & 7);
        let size = 16_usize << exponent;
        let follows = exponent < 7 && number as usize * size == self.bytes.len() && etag == self.etag.as_deref();
        let full = if more { payload.len() == size } else { payload.len() <= size };
        if !follows || !full {
            return Joined::Gap;
        }
        if self.bytes.len() + payload.len() > most {
            return Joined::TooLarge;
        }
        self.bytes.extend(payload);
        if more { Joined::Continue } else { Joined::Whole(std::mem::take(&mut self.bytes)) }
    }

    /// The next block's option: its number in blocks of the size at hand.
    pub(crate) fn next(&self, exponent: u32) -> u32 {
        let number = self.bytes.len() / (16_usize << (exponent & 7));
        u32::try_from(number).unwrap_or(u32::MAX >> 4) << 4 | exponent & 7
    }
}
