//! Walks the frames of one segment, reading the file in large pieces.

use crate::JournalError;
use crate::frame::{self, Frame};
use crate::segment::Segment;

const PIECE: usize = 256 * 1024;

/// A position in a segment, moving forward frame by frame.
pub(crate) struct Cursor<'a> {
    segment: &'a Segment,
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    /// File position of the buffer's first byte.
    origin: u64,
}

impl<'a> Cursor<'a> {
    /// Begins at the frame that stands at `position`; ends at the durable length as it is now.
    pub(crate) fn new(segment: &'a Segment, position: u64) -> Self {
        Self {
            segment,
            position,
            end: segment.len(),
            buffer: Vec::new(),
            origin: position,
        }
    }

    /// The next frame with its position; none at the end of the segment.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] at the position where no whole frame stands.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Frame<'_>)>, JournalError> {
        let position = self.position;
        if position == self.end {
            return Ok(None);
        }
        let corrupt = |reason| self.segment.corrupt(position, reason);
        let left = self.end - position;
        if left < 8 {
            return Err(corrupt("a frame is cut off"));
        }
        self.fill(position, 8)?;
        let at = (position - self.origin) as usize;
        let length = frame::frame_bytes(&self.buffer[at..])
            .map_err(|reason| self.segment.corrupt(position, reason))?;
        if left < length as u64 {
            return Err(self.segment.corrupt(position, "a frame is cut off"));
        }
        self.fill(position, length)?;
        let at = (position - self.origin) as usize;
        let frame = frame::decode(&self.segment.header, &self.buffer[at..at + length])
            .map_err(|reason| self.segment.corrupt(position, reason))?;
        self.position += length as u64;
        Ok(Some((position, frame)))
    }

    /// Where the next frame stands.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Makes sure that `length` bytes from `position` on are in the buffer.
    fn fill(&mut self, position: u64, length: usize) -> Result<(), JournalError> {
        let have = self.origin + self.buffer.len() as u64;
        if position >= self.origin && position + length as u64 <= have {
            return Ok(());
        }
        let want = length.max(PIECE).min((self.end - position) as usize);
        self.buffer.resize(want, 0);
        self.origin = position;
        let got = self
            .segment
            .file
            .read_at(&mut self.buffer, position)
            .map_err(|e| JournalError::io("reading", &self.segment.path, e))?;
        self.buffer.truncate(got);
        if got < length {
            return Err(self
                .segment
                .corrupt(position, "the file is shorter than it was"));
        }
        Ok(())
    }
}
