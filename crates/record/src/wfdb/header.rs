//! The header of a record: the record line, and signal lines or segment lines.

use vitals::Rate;

use super::signal::Format;
use super::{MAX_HEADER, MAX_SEGMENTS, MAX_SIGNALS};
use crate::{Error, Start, calendar, decimal};

/// What a header says.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The record's name.
    pub name: String,
    /// Number of signals, also of a record of segments.
    pub signals: usize,
    /// Frames in a second; a signal has one or more samples in each frame.
    pub rate: Rate,
    /// Frames of the record; none where the header leaves it to the signal file's size.
    pub frames: Option<u64>,
    /// When it began.
    pub start: Start,
    /// Its signals, or its segments.
    pub lines: Segmented,
    /// Its comments, without the `#`.
    pub comments: Vec<String>,
}

/// Of what a record is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Segmented {
    /// Signals.
    No(Vec<SignalLine>),
    /// Other records, one after the other.
    Yes(Vec<SegmentLine>),
}

/// One segment of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentLine {
    /// Its record's name; none for a gap.
    pub name: Option<String>,
    /// Its frames; 0 marks the layout, which has the names of all signals and no samples.
    pub frames: u64,
}

/// One signal.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalLine {
    /// The file that holds it; none in a layout, where it holds nothing.
    pub file: Option<String>,
    /// How its samples are written there.
    pub format: Format,
    /// Samples in each frame.
    pub per_frame: u32,
    /// Frames before its sample 0.
    pub skew: u32,
    /// Bytes before the first sample (in FLAC files: samples).
    pub offset: u64,
    /// Counts in one unit; 200 where the header does not say.
    pub gain: f64,
    /// The count that is 0 units.
    pub baseline: i32,
    /// Unit; `mV` where the header does not say.
    pub unit: String,
    /// First count.
    pub initial: i32,
    /// Sum of all counts, its low 16 bits.
    pub checksum: Option<i16>,
    /// Name of the signal.
    pub label: String,
}

/// Reads a header.
///
/// # Errors
/// If a line can't be understood, or it asks for more than the limits of this module.
pub fn read_header(name: &str, bytes: &[u8]) -> Result<Header, Error> {
    let file = format!("{name}.hea");
    if bytes.len() > MAX_HEADER {
        return Err(Error::too_large(format!("bytes of `{file}`"), MAX_HEADER as u64));
    }
    let text = String::from_utf8_lossy(bytes);
    let mut comments = Vec::new();
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end_matches(['\r', '\0']).trim_start_matches([' ', '\t']);
        if let Some(comment) = line.strip_prefix('#') {
            comments.push(comment.trim().to_owned());
        } else if !line.trim().is_empty() {
            lines.push((format!("{file} line {}", at + 1), line));
        }
    }
    let Some((place, first)) = lines.first() else {
        return Err(Error::malformed(&file, "no record line"));
    };
    let (mut header, segments) = record_line(place, first)?;
    header.comments = comments;
    let rest = lines[1..].iter();
    header.lines = match segments {
        Some(expected) => {
            let found: Result<Vec<_>, _> = rest.take(expected).map(|(at, line)| segment_line(at, line)).collect();
            Segmented::Yes(complete(&file, found?, expected, "segments")?)
        }
        None => {
            let expected = header.signals;
            let found: Result<Vec<_>, _> = rest.take(expected).map(|(at, line)| signal_line(at, line)).collect();
            Segmented::No(complete(&file, found?, expected, "signals")?)
        }
    };
    Ok(header)
}

fn complete<T>(file: &str, found: Vec<T>, expected: usize, what: &str) -> Result<Vec<T>, Error> {
    if found.len() < expected {
        return Err(Error::malformed(file, format!("{expected} {what} are promised, {} are there", found.len())));
    }
    Ok(found)
}

fn record_line(place: &str, line: &str) -> Result<(Header, Option<usize>), Error> {
    let mut fields = line.split_ascii_whitespace();
    let name = fields.next().unwrap_or_default();
    let (name, segments) = match name.split_once('/') {
        Some((name, count)) => (name, Some(number::<usize>(place, "the number of segments", count)?)),
        None => (name, None),
    };
    check_name(place, name)?;
    if segments.is_some_and(|count| count > MAX_SEGMENTS) {
        return Err(Error::too_large(format!("segments in {place}"), MAX_SEGMENTS as u64));
    }
    let Some(signals) = fields.next() else {
        return Err(Error::malformed(place, "no number of signals"));
    };
    let signals: usize = number(place, "the number of signals", signals)?;
    if signals > MAX_SIGNALS {
        return Err(Error::too_large(format!("signals in {place}"), MAX_SIGNALS as u64));
    }
    // `250/24000(7)`: the counter behind the slash is of no use for the samples.
    let rate = fields.next().map_or("250", |field| field.split(['/', '(']).next().unwrap_or(field));
    let rate = decimal::rate(rate).ok_or_else(|| Error::malformed(place, "the sampling rate is not one"))?;
    let frames = match fields.next() {
        Some(field) => number::<u64>(place, "the number of samples", field)?,
        None => 0,
    };
    let start = start(place, fields.next(), fields.next())?;
    let frames = (frames > 0).then_some(frames);
    let lines = Segmented::No(Vec::new());
    Ok((Header { name: name.to_owned(), signals, rate, frames, start, lines, comments: Vec::new() }, segments))
}

fn start(place: &str, time: Option<&str>, date: Option<&str>) -> Result<Start, Error> {
    let Some(time) = time else { return Ok(Start::Unknown) };
    let of_day = time_of_day(time).ok_or_else(|| Error::malformed(place, "the time is not one"))?;
    let Some(date) = date else { return Ok(Start::TimeOfDay(of_day)) };
    let mut parts = date.split('/').map(str::parse::<u32>);
    let mut part = || parts.next().and_then(Result::ok);
    let (day, month, year) = (part(), part(), part());
    let days = day.zip(month).zip(year).and_then(|((d, m), y)| calendar::days(i64::from(y), m, d));
    // A date that is none (`1/06/20000`, `00/00/0000`) is as good as no date.
    Ok(days.map_or(Start::TimeOfDay(of_day), |days| Start::At(days * vitals::time::DAY + of_day)))
}

/// `HH:MM:SS.sss`, `MM:SS.sss` or `SS.sss` as microseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, part) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds = 0_i64;
    for field in clock.split(':') {
        let field: i64 = if field.is_empty() { 0 } else { field.parse().ok()? };
        seconds = seconds.checked_mul(60)?.checked_add(field).filter(|_| field >= 0)?;
    }
    if clock.split(':').count() > 3 || seconds >= 100 * 3_600 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros: String = part.chars().chain("000000".chars()).take(6).collect();
    Some(seconds * 1_000_000 + micros.parse::<i64>().ok()?)
}

fn segment_line(place: &str, line: &str) -> Result<SegmentLine, Error> {
    let mut fields = line.split_ascii_whitespace();
    let name = fields.next().unwrap_or_default();
    let frames = number(place, "the segment's length", fields.next().unwrap_or_default())?;
    if name == "~" {
        return Ok(SegmentLine { name: None, frames });
    }
    check_name(place, name)?;
    Ok(SegmentLine { name: Some(name.to_owned()), frames })
}

fn signal_line(place: &str, line: &str) -> Result<SignalLine, Error> {
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_start_matches([' ', '\t']);
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        let (field, tail) = rest.split_at(end);
        rest = tail;
        field
    };
    let file = field();
    let layout = layout(place, field())?;
    let (gain, baseline, unit) = scale(place, field())?;
    let numbers = [field(), field(), field(), field(), field()];
    let whole = |at: usize, what: &str| match numbers[at] {
        "" => Ok(None),
        text => number::<i64>(place, what, text).map(Some),
    };
    let zero = whole(1, "the converter's zero")?.unwrap_or(0);
    let narrow = |value: i64| i32::try_from(value).map_err(|_| Error::malformed(place, "a count has more than 32 bits"));
    let initial = whole(2, "the first sample")?.unwrap_or(zero);
    let file = match file {
        "~" => None,
        "-" => return Err(Error::unsupported(place, "a signal on the standard input")),
        file => {
            check_name(place, file)?;
            Some(file.to_owned())
        }
    };
    Ok(SignalLine {
        file,
        format: layout.format,
        per_frame: layout.per_frame,
        skew: layout.skew,
        offset: layout.offset,
        gain,
        baseline: match baseline {
            Some(baseline) => baseline,
            None => narrow(zero)?,
        },
        unit,
        initial: narrow(initial)?,
        // Sums are written with or without their sign.
        checksum: whole(3, "the checksum")?.map(|sum| sum as i16),
        label: rest.trim().to_owned(),
    })
}

struct Layout {
    format: Format,
    per_frame: u32,
    skew: u32,
    offset: u64,
}

/// `16x4:2+24`: format, samples a frame, skew, offset.
fn layout(place: &str, field: &str) -> Result<Layout, Error> {
    let end = field.find(['x', ':', '+']).unwrap_or(field.len());
    let (format, mut rest) = field.split_at(end);
    let format: u32 = number(place, "the signal format", format)?;
    let format = Format::from_code(format)
        .ok_or_else(|| Error::unsupported(place, format!("signal format {format}")))?;
    let mut layout = Layout { format, per_frame: 1, skew: 0, offset: 0 };
    while let Some(sign) = rest.chars().next() {
        let tail = &rest[1..];
        let end = tail.find([':', '+', 'x']).unwrap_or(tail.len());
        let (text, tail) = tail.split_at(end);
        rest = tail;
        match sign {
            'x' => layout.per_frame = number(place, "samples per frame", text)?,
            ':' => layout.skew = number(place, "the skew", text)?,
            _ => layout.offset = number(place, "the byte offset", text)?,
        }
    }
    layout.per_frame = layout.per_frame.max(1);
    if layout.per_frame > 1 << 20 {
        return Err(Error::too_large(format!("samples per frame in {place}"), 1 << 20));
    }
    Ok(layout)
}

/// `200(1024)/mV`: gain, baseline, unit.
fn scale(place: &str, field: &str) -> Result<(f64, Option<i32>, String), Error> {
    let (numbers, unit) = field.split_once('/').unwrap_or((field, "mV"));
    let (gain, baseline) = match numbers.split_once('(') {
        Some((gain, baseline)) => {
            (gain, Some(number::<i32>(place, "the baseline", baseline.trim_end_matches(')'))?))
        }
        None => (numbers, None),
    };
    let gain: f64 = if gain.is_empty() { 0.0 } else { number(place, "the gain", gain)? };
    if !gain.is_finite() {
        return Err(Error::malformed(place, "the gain is not a number"));
    }
    // 0 says "not calibrated"; the format's default then stands.
    Ok((if gain == 0.0 { 200.0 } else { gain }, baseline, unit.to_owned()))
}

fn number<T: std::str::FromStr>(place: &str, what: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::malformed(place, format!("{what} is not a number that fits")))
}

/// File names are of the record's own folder.
fn check_name(place: &str, name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Error::malformed(place, "a file name that is not one of the record's own folder"));
    }
    Ok(())
}
