//! Writing annotation files in the MIT format.

use vitals::Rate;

use super::code;
use crate::{Annotation, Error, Problem, decimal, grid};

/// The longest text that readers take, in bytes.
const LONGEST: usize = 255;

/// Writes an annotation file for a record with the frame rate `frames`.
///
/// Ticks are those of the annotations: where they are not the record's frames, the file says so, as
/// readers expect it (`## time resolution`). With several rates the least common one is taken.
///
/// # Errors
/// If an annotation is more than 2³¹ ticks from its neighbour or before the record's start, its code
/// is not one of WFDB's, or the rates have no common multiple below a megahertz.
pub fn write_annotations(annotations: &[Annotation], frames: Rate) -> Result<(Vec<u8>, Vec<Problem>), Error> {
    let rate = ticks(annotations, frames)?;
    let mut sorted: Vec<(i64, &Annotation)> = Vec::with_capacity(annotations.len());
    for annotation in annotations {
        sorted.push((scaled(annotation, rate)?, annotation));
    }
    sorted.sort_by_key(|(tick, _)| *tick);
    let mut writer = Writer { out: Vec::new(), problems: Vec::new(), tick: 0, channel: 0, number: 0 };
    if rate != frames {
        writer.word(u16::from(code::NOTE), 0);
        writer.text(&format!("## time resolution: {}", decimal::text(rate)));
    }
    for (tick, annotation) in sorted {
        writer.annotation(tick, annotation)?;
    }
    writer.word(0, 0);
    Ok((writer.out, writer.problems))
}

/// The tick rate in which all annotations have whole numbers.
fn ticks(annotations: &[Annotation], frames: Rate) -> Result<Rate, Error> {
    let mut rates: Vec<Rate> = annotations.iter().map(|annotation| annotation.rate).collect();
    rates.dedup();
    let multiple = |a: Rate, b: Rate| {
        let (n, m) = (u64::from(a.numerator()), u64::from(b.numerator()));
        let over = n / decimal::gcd(n, m) * m;
        let under = decimal::gcd(u64::from(a.denominator()), u64::from(b.denominator()));
        decimal::reduced(over, under).filter(|rate| rate.hz() <= 1e6)
    };
    let found = rates.iter().try_fold(None, |so_far: Option<Rate>, rate| match so_far {
        None => Some(Some(*rate)),
        Some(so_far) => multiple(so_far, *rate).map(Some),
    });
    let found = found.ok_or_else(|| Error::DoesNotFit("the annotations' rates have no common multiple".to_owned()))?;
    Ok(found.unwrap_or(frames))
}

fn scaled(annotation: &Annotation, rate: Rate) -> Result<i64, Error> {
    let over = i128::from(rate.numerator()) * i128::from(annotation.rate.denominator());
    let under = i128::from(rate.denominator()) * i128::from(annotation.rate.numerator());
    let tick = i128::from(annotation.tick) * over / under;
    let tick = i64::try_from(tick).ok().filter(|tick| *tick >= 0);
    tick.ok_or_else(|| Error::DoesNotFit("an annotation before the record's start".to_owned()))
}

struct Writer {
    out: Vec<u8>,
    problems: Vec<Problem>,
    tick: i64,
    channel: u8,
    number: i8,
}

impl Writer {
    fn word(&mut self, kind: u16, low: u16) {
        self.out.extend_from_slice(&(kind << 10 | (low & 0x3ff)).to_le_bytes());
    }

    fn annotation(&mut self, tick: i64, annotation: &Annotation) -> Result<(), Error> {
        if !(1..=49).contains(&annotation.code) {
            return Err(Error::DoesNotFit(format!("an annotation with the code {}", annotation.code)));
        }
        let mut step = tick - self.tick;
        if step > 1_023 {
            let skip = i32::try_from(step)
                .map_err(|_| Error::DoesNotFit("annotations too far from each other".to_owned()))?;
            self.word(59, 0);
            self.out.extend_from_slice(&((skip >> 16) as u16).to_le_bytes());
            self.out.extend_from_slice(&(skip as u16).to_le_bytes());
            step = 0;
        }
        self.tick = tick;
        self.word(u16::from(annotation.code), step as u16);
        if annotation.subtype != 0 {
            self.word(61, u16::from(annotation.subtype as u8));
        }
        if annotation.channel != self.channel {
            self.channel = annotation.channel;
            self.word(62, u16::from(annotation.channel));
        }
        if annotation.number != self.number {
            self.number = annotation.number;
            self.word(60, u16::from(annotation.number as u8));
        }
        if !annotation.text.is_empty() {
            self.text(&annotation.text);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end < text.len() {
            self.problems.push(Problem::new("annotations", format!("a text is cut to {end} bytes")));
        }
        self.word(63, end as u16);
        self.out.extend_from_slice(&text.as_bytes()[..end]);
        if end % 2 == 1 {
            self.out.push(0);
        }
    }
}

/// The frame rate that [`super::write`] gives a record of these channels: what annotation files count in.
///
/// # Errors
/// If the rates have no common frame.
pub fn frame_rate(channels: &[crate::Channel]) -> Result<Rate, Error> {
    grid::frames(channels).map(|(rate, _)| rate)
}
