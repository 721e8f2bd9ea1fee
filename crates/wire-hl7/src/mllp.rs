//! MLLP framing: `0x0B message 0x1C 0x0D`, decoded from whatever pieces a socket delivers.
//!
//! The decoder keeps one frame at most and never more than its limit. What is not a frame is
//! reported, not lost: bytes between frames, frames that a new start cut off, frames that are too
//! long. Nothing here knows what is inside a frame.
//!
//! Source: HL7 Version 2 Transport Specification, MLLP Release 1 and 2.

use bytes::{Bytes, BytesMut};

/// First byte of a frame.
pub const START: u8 = 0x0b;
/// Last but one byte of a frame.
pub const END: u8 = 0x1c;
/// Last byte of a frame.
pub const CARRIAGE_RETURN: u8 = 0x0d;
/// The longest frame that is taken unless configured otherwise, in bytes.
pub const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;
/// How much of a frame that is too long is kept, in bytes: enough to know whom to answer.
pub const HEAD: usize = 4 * 1024;

/// What the decoder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A whole frame, without its three framing bytes.
    Frame(Bytes),
    /// A frame that ended where another one began: its end was never sent.
    CutOff(Bytes),
    /// A frame longer than the limit; it has been skipped up to its end.
    TooLong {
        /// Its first bytes, [`HEAD`] at most.
        head: Bytes,
        /// Its length in bytes.
        length: u64,
    },
    /// This many bytes stood outside of any frame and were skipped.
    Garbage(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between frames.
    Outside,
    /// Within a frame that starts at the buffer's first byte; scanned up to this position.
    Inside { scanned: usize },
    /// Within a frame that is too long.
    Skipping { length: u64 },
}

/// Takes bytes in any pieces and gives back items.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    state: State,
    limit: usize,
    head: Bytes,
    garbage: u64,
}

impl Decoder {
    /// A decoder that takes frames up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            state: State::Outside,
            limit,
            head: Bytes::new(),
            garbage: 0,
        }
    }

    /// Where to read into; call [`Decoder::next_item`] until it has nothing more before the next read.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes held for a frame that is not complete.
    #[must_use]
    pub fn pending(&self) -> usize {
        match self.state {
            State::Outside => 0,
            State::Inside { .. } => self.buffer.len() + 1,
            State::Skipping { .. } => self.head.len() + 1,
        }
    }

    /// Bytes outside of frames that have not been reported yet: a peer that sends many and never
    /// starts a frame does not speak MLLP.
    #[must_use]
    pub fn garbage(&self) -> u64 {
        self.garbage
    }

    /// The next item; none until more bytes come.
    pub fn next_item(&mut self) -> Option<Item> {
        loop {
            match self.state {
                State::Outside => {
                    if !self.find_start() {
                        return None;
                    }
                    if self.garbage > 0 {
                        return Some(Item::Garbage(std::mem::take(&mut self.garbage)));
                    }
                }
                State::Inside { scanned } => match self.scan(scanned) {
                    Scan::Item(item) => return Some(item),
                    Scan::More => return None,
                    Scan::Again => {}
                },
                State::Skipping { length } => return self.skip(length),
            }
        }
    }

    /// To be called when the connection ends: bytes outside of frames not yet reported, and what
    /// there was of a last frame. It was never acknowledged, so its sender still has it.
    pub fn finish(&mut self) -> Option<Item> {
        if self.garbage > 0 {
            return Some(Item::Garbage(std::mem::take(&mut self.garbage)));
        }
        let state = std::mem::replace(&mut self.state, State::Outside);
        let rest = std::mem::take(&mut self.buffer).freeze();
        match state {
            State::Outside => None,
            State::Inside { .. } => Some(Item::CutOff(rest)),
            State::Skipping { length } => {
                let head = std::mem::take(&mut self.head);
                Some(Item::TooLong { head, length: length + rest.len() as u64 })
            }
        }
    }

    /// Skips to behind the next start byte; false if there is none yet.
    fn find_start(&mut self) -> bool {
        let at = self.buffer.iter().position(|byte| *byte == START);
        let skipped = &self.buffer[..at.unwrap_or(self.buffer.len())];
        // Line ends between frames are common and harmless.
        self.garbage += skipped.iter().filter(|b| !matches!(b, b'\r' | b'\n')).count() as u64;
        match at {
            Some(at) => {
                let _ = self.buffer.split_to(at + 1);
                self.state = State::Inside { scanned: 0 };
                true
            }
            None => {
                self.buffer.clear();
                false
            }
        }
    }

    /// Looks for the end of the frame from `scanned` on.
    fn scan(&mut self, scanned: usize) -> Scan {
        let mut at = scanned;
        while let Some(found) = find_control(&self.buffer, at) {
            if found > self.limit {
                break;
            }
            match boundary(&self.buffer[found..]) {
                Boundary::End(length) => {
                    let frame = self.buffer.split_to(found).freeze();
                    let _ = self.buffer.split_to(length);
                    self.state = State::Outside;
                    return Scan::Item(Item::Frame(frame));
                }
                Boundary::NewStart => {
                    let frame = self.buffer.split_to(found).freeze();
                    let _ = self.buffer.split_to(1);
                    self.state = State::Inside { scanned: 0 };
                    return Scan::Item(Item::CutOff(frame));
                }
                Boundary::Unknown => {
                    self.state = State::Inside { scanned: found };
                    return Scan::More;
                }
                Boundary::None => at = found + 1,
            }
        }
        if self.buffer.len() > self.limit {
            self.head = Bytes::copy_from_slice(&self.buffer[..HEAD.min(self.limit)]);
            self.state = State::Skipping { length: 0 };
            return Scan::Again;
        }
        self.state = State::Inside { scanned: self.buffer.len() };
        Scan::More
    }

    /// Skips a frame that is too long.
    fn skip(&mut self, length: u64) -> Option<Item> {
        let mut at = 0;
        while let Some(found) = find_control(&self.buffer, at) {
            let rest = match boundary(&self.buffer[found..]) {
                Boundary::End(end) => found + end,
                Boundary::NewStart => found,
                Boundary::Unknown => {
                    let _ = self.buffer.split_to(found);
                    self.state = State::Skipping { length: length + found as u64 };
                    return None;
                }
                Boundary::None => {
                    at = found + 1;
                    continue;
                }
            };
            let _ = self.buffer.split_to(rest);
            self.state = State::Outside;
            let head = std::mem::take(&mut self.head);
            return Some(Item::TooLong { head, length: length + found as u64 });
        }
        self.state = State::Skipping { length: length + self.buffer.len() as u64 };
        self.buffer.clear();
        None
    }
}

/// Puts `message` into a frame.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend_from_slice(&[END, CARRIAGE_RETURN]);
    framed
}

enum Scan {
    Item(Item),
    More,
    Again,
}

enum Boundary {
    /// The frame ends here; its end takes this many bytes.
    End(usize),
    /// Another frame starts here.
    NewStart,
    /// More bytes are needed to tell.
    Unknown,
    /// Just a byte of the message (two-byte characters may contain these).
    None,
}

fn find_control(buffer: &[u8], from: usize) -> Option<usize> {
    buffer[from..].iter().position(|b| *b == END || *b == START).map(|at| at + from)
}

/// What the control byte at the beginning of `bytes` means. A start within a frame counts only
/// before a header segment: in UTF-16 the same byte may be half of a letter.
fn boundary(bytes: &[u8]) -> Boundary {
    const HEADERS: [&[u8]; 3] = [b"MSH", b"BHS", b"FHS"];
    match bytes {
        [END, CARRIAGE_RETURN, ..] => Boundary::End(2),
        [END, START, ..] => Boundary::End(1),
        [END] => Boundary::Unknown,
        [START, rest @ ..] => {
            let seen = &rest[..rest.len().min(3)];
            if seen.len() == 3 && HEADERS.contains(&seen) {
                Boundary::NewStart
            } else if seen.len() < 3 && HEADERS.iter().any(|h| h.starts_with(seen)) {
                Boundary::Unknown
            } else {
                Boundary::None
            }
        }
        _ => Boundary::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(limit: usize, pieces: &[&[u8]]) -> Vec<Item> {
        let mut decoder = Decoder::new(limit);
        let mut found = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(item) = decoder.next_item() {
                found.push(item);
            }
        }
        found.extend(decoder.finish());
        found
    }

    fn whole(bytes: &'static [u8]) -> Item {
        Item::Frame(Bytes::from_static(bytes))
    }

    #[test]
    fn frames_in_any_pieces() {
        for (pieces, expected) in [
            (vec![b"\x0bMSH|a\x1c\x0d".as_slice()], vec![whole(b"MSH|a")]),
            (vec![b"\x0bMS", b"H|a\x1c", b"\x0d"], vec![whole(b"MSH|a")]),
            (vec![b"\x0ba\x1c\x0d\x0bb\x1c\x0d"], vec![whole(b"a"), whole(b"b")]),
            (vec![b"xyz\x0ba\x1c\x0d\r\n"], vec![Item::Garbage(3), whole(b"a")]),
            // The carriage return is missing.
            (vec![b"\x0ba\x1c", b"\x0bb\x1c\x0d"], vec![whole(b"a"), whole(b"b")]),
            // The first frame was never finished; the second is unharmed.
            (
                vec![b"\x0bMSH|1", b"\x0bM", b"SH|2\x1c\x0d"],
                vec![Item::CutOff(Bytes::from_static(b"MSH|1")), whole(b"MSH|2")],
            ),
            (vec![b"\x0bMSH|half"], vec![Item::CutOff(Bytes::from_static(b"MSH|half"))]),
            (vec![b"\x0ba\x0bb\x1cc\x1c\x0d"], vec![whole(b"a\x0bb\x1cc")]),
            (vec![b"\x0b\x1c\x0d"], vec![whole(b"")]),
        ] {
            assert_eq!(items(64, &pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_leaves_the_next_unharmed() {
        let mut bytes = frame(&[b'x'; 100]);
        bytes.extend(frame(b"good"));
        let long = Item::TooLong { head: Bytes::from(vec![b'x'; 99]), length: 100 };
        assert_eq!(items(99, &[&bytes]), [long, whole(b"good")]);
        assert_eq!(items(100, &[&bytes]).len(), 2);
        let pieces: Vec<&[u8]> = bytes.chunks(7).collect();
        let found = items(50, &pieces);
        assert!(matches!(&found[0], Item::TooLong { length: 100, .. }), "{found:?}");
        assert_eq!(found[1], whole(b"good"));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_frames(
            bytes in proptest::collection::vec(
                prop_oneof![Just(START), Just(END), Just(13_u8), Just(b'M'), any::<u8>()], 0..200),
            size in 1_usize..20,
        ) {
            let frames = |found: Vec<Item>| -> Vec<Item> {
                found.into_iter().filter(|i| matches!(i, Item::Frame(_) | Item::CutOff(_))).collect()
            };
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(frames(items(1000, &pieces)), frames(items(1000, &[&bytes])));
            items(16, &pieces);
        }

        #[test]
        fn framed_messages_come_back(messages in proptest::collection::vec("[ -~\r]{0,80}", 0..5)) {
            let bytes: Vec<u8> = messages.iter().flat_map(|m| frame(m.as_bytes())).collect();
            let expected: Vec<Item> =
                messages.iter().map(|m| Item::Frame(Bytes::from(m.clone()))).collect();
            prop_assert_eq!(items(1000, &[&bytes]), expected);
        }
    }
}
