//! Writing a file: EDF+C where the samples are one unbroken stretch, else EDF+D.

use vitals::samples::MISSING;
use vitals::{Rate, Scale};

use super::exact::Digital;
use super::fields::{Fields, Signal};
use super::read::MONTHS;
use super::tal::{Mark, keep_time};
use super::{ANNOTATIONS, MAX_RECORD};
use crate::calendar::Civil;
use crate::grid::{self, Row};
use crate::{Channel, Error, Problem, Recording, Start, labels, marks};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// One EDF+C file with missing samples instead of gaps, for readers without EDF+D.
    pub contiguous: bool,
    /// Channels whose counts span more than 16 bits are written with coarser steps, which is told,
    /// instead of refused.
    pub rescale: bool,
}

/// Writes `recording` as an EDF+ file, with its annotations; and what could not be said in it.
///
/// A record lasts as many seconds as give each channel a whole number of samples. Counts are kept;
/// where they don't fit 16 bits, but their range does, they are shifted. A channel whose scale
/// changes becomes one signal for each scale. Nothing is said of the patient.
///
/// # Errors
/// If there is nothing to write, a sample lies before the start, the rates have no common record, or
/// the counts of a channel span more than 16 bits.
pub fn write(recording: &Recording, options: Options) -> Result<(Vec<u8>, Vec<Problem>), Error> {
    grid::require_samples(recording)?;
    let mut problems = Vec::new();
    let (rate, per_frame) = grid::frames(&recording.channels)?;
    let mut parts = Vec::new();
    for (channel, per_frame) in recording.channels.iter().zip(per_frame) {
        parts.extend(split(channel, u64::from(per_frame), options, &mut problems)?);
    }
    let (frames, seconds) = record_length(rate, &parts)?;
    let starts = records(&parts, frames, options.contiguous)?;
    let mut fields = Fields { duration: seconds, records: starts.len().to_string(), ..Fields::default() };
    for part in &mut parts {
        fields.signals.push(part.finish(starts.len() as u64 * frames, frames, &mut problems)?);
    }
    let unbroken = starts.windows(2).all(|pair| pair[1] - pair[0] == frames);
    fields.kind = if unbroken { "EDF+C" } else { "EDF+D" }.to_owned();
    let begins_us = rate.micros(starts[0]);
    let origin_us = head(recording.start, begins_us, &mut fields);
    if recording.start == Start::Unknown && begins_us > 0 {
        problems.push(Problem::new("EDF file", "the time before the first sample is left out"));
    }
    if !recording.notes.is_empty() {
        problems.push(Problem::new("EDF file", "notes are left out"));
    }
    let onsets: Vec<i64> = starts.iter().map(|start| rate.micros(*start).saturating_sub(origin_us)).collect();
    let lists = annotation_lists(recording, &onsets, origin_us);
    let width = lists.iter().map(Vec::len).max().unwrap_or(0).next_multiple_of(2);
    fields.signals.push(annotation_signal(width));
    let size = fields.length() + starts.len() * (width + parts.iter().map(|part| part.bytes(frames)).sum::<usize>());
    let mut out = fields.write();
    out.reserve(size.saturating_sub(out.len()));
    for (start, mut list) in starts.into_iter().zip(lists) {
        for part in &parts {
            part.record(start, frames, &mut out);
        }
        list.resize(width, 0);
        out.extend(list);
    }
    Ok((out, problems))
}

/// The samples of one channel that share a scale.
struct Part<'a> {
    channel: &'a Channel,
    per_frame: u64,
    rows: Vec<Row>,
    digital: Digital,
}

fn split<'a>(
    channel: &'a Channel,
    per_frame: u64,
    options: Options,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Part<'a>>, Error> {
    let mut rows = grid::place(channel, 0, problems)?;
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut take = |scale: Scale, rows: Vec<Row>| {
        let digital = Digital { shift: 0, scale, missing: false };
        parts.push(Part { channel, per_frame, rows, digital });
    };
    if rows.is_empty() {
        take(Scale::ONE, Vec::new());
    }
    while let Some(first) = rows.first() {
        let scale = first.scale;
        let (same, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.scale.is_same(&scale));
        rows = others;
        take(scale, same);
    }
    for part in &mut parts {
        part.narrow(options.rescale, problems)?;
    }
    if parts.len() > 1 {
        let what = format!("its scale changes: written as {} signals", parts.len());
        problems.push(Problem::new(&channel.label, what));
    }
    Ok(parts)
}

impl Part<'_> {
    fn range(&self) -> (i32, i32) {
        grid::range(self.rows.iter().flat_map(|row| &row.samples)).unwrap_or((0, 0))
    }

    /// Makes steps coarser until the counts span at most 16 bits, if that is wanted and needed.
    fn narrow(&mut self, rescale: bool, problems: &mut Vec<Problem>) -> Result<(), Error> {
        let (low, high) = self.range();
        let span = i64::from(high) - i64::from(low);
        if span <= 65_534 {
            return Ok(());
        }
        let label = &self.channel.label;
        // 65,535 needs all 16 bits: it fits as long as nothing is missing, which `finish` finds out.
        if !rescale {
            return if span == 65_535 {
                Ok(())
            } else {
                let what = format!("channel `{label}` spans {span} counts, EDF holds 65,535; allow rescaling or take another format");
                Err(Error::DoesNotFit(what))
            };
        }
        let step = i32::try_from(span / 65_000 + 1).unwrap_or(i32::MAX);
        for sample in self.rows.iter_mut().flat_map(|row| &mut row.samples).filter(|sample| **sample != MISSING) {
            *sample = (f64::from(*sample) / f64::from(step)).round() as i32;
        }
        let scale = &mut self.digital.scale;
        scale.factor *= f64::from(step);
        let loss = (scale.factor / scale.divisor / 2.0).abs();
        let what = format!("counts rounded to steps of {step}: values are up to {loss:.3e} off");
        problems.push(Problem::new(label, what));
        Ok(())
    }

    /// Settles how counts become digital values, and gives the signal's header.
    fn finish(&mut self, total: u64, frames: u64, problems: &mut Vec<Problem>) -> Result<Signal, Error> {
        let (low, high) = self.range();
        let there = self.rows.iter().flat_map(|row| &row.samples).filter(|count| **count != MISSING).count();
        let missing = (there as u64) < total * self.per_frame;
        let (label, scale) = (&self.channel.label, self.digital.scale);
        self.digital = Digital::new(low, high, scale, missing).ok_or_else(|| {
            Error::DoesNotFit(format!("channel `{label}` has all 65,536 counts of EDF and missing samples beside them"))
        })?;
        let samples = (frames * self.per_frame).to_string();
        let unit = unit(&self.channel.unit);
        let mut signal = Signal { label: label.clone(), unit, samples, ..Signal::default() };
        let error = self.digital.write(low, high, &mut signal).ok_or_else(|| {
            Error::DoesNotFit(format!("the values of channel `{label}` have more digits than EDF's eight"))
        })?;
        if error > 1e-4 {
            let what = format!("EDF's eight digits make values {:.2} % off for other readers", error * 100.0);
            problems.push(Problem::new(label, what));
        }
        if label.len() > 16 || !label.is_ascii() {
            problems.push(Problem::new(label, "its name is cut to 16 ASCII characters"));
        }
        Ok(signal)
    }

    fn bytes(&self, frames: u64) -> usize {
        2 * (self.per_frame * frames) as usize
    }

    /// Appends the samples of the record that begins with frame `start`.
    fn record(&self, start: u64, frames: u64, out: &mut Vec<u8>) {
        let (begin, end) = (start * self.per_frame, (start + frames) * self.per_frame);
        let mut at = begin;
        let none = self.digital.of(MISSING).to_le_bytes();
        let from = self.rows.partition_point(|row| row.end() <= begin);
        for row in self.rows[from..].iter().take_while(|row| row.first < end) {
            let (first, last) = (row.first.max(begin), row.end().min(end));
            out.extend(std::iter::repeat_n(none, (first - at) as usize).flatten());
            let samples = &row.samples[(first - row.first) as usize..(last - row.first) as usize];
            out.extend(samples.iter().flat_map(|count| self.digital.of(*count).to_le_bytes()));
            at = last;
        }
        out.extend(std::iter::repeat_n(none, (end - at) as usize).flatten());
    }
}

/// Frames of a record, and its seconds as text: the shortest whole number of seconds, or parts of
/// one where that is too long a record.
fn record_length(rate: Rate, parts: &[Part<'_>]) -> Result<(u64, String), Error> {
    let (mut frames, mut seconds) = (u64::from(rate.numerator()), f64::from(rate.denominator()));
    let a_frame: u64 = parts.iter().map(|part| 2 * part.per_frame).sum();
    for divisor in [2, 2, 2, 5, 5, 5] {
        if frames * a_frame > MAX_RECORD && frames % divisor == 0 {
            frames /= divisor;
            seconds /= divisor as f64;
        }
    }
    let text = seconds.to_string();
    if frames * a_frame > MAX_RECORD || text.len() > 8 {
        return Err(Error::DoesNotFit("the channels' rates have no record of a practical length".to_owned()));
    }
    Ok((frames, text))
}

/// First frames of the records: one row of records for each stretch in which any channel has samples.
fn records(parts: &[Part<'_>], frames: u64, contiguous: bool) -> Result<Vec<u64>, Error> {
    let rows = parts.iter().flat_map(|part| part.rows.iter().map(|row| (row.first / part.per_frame, row.end().div_ceil(part.per_frame))));
    let mut spans: Vec<(u64, u64)> = rows.collect();
    spans.sort_unstable();
    let covered = |(from, to): &(u64, u64)| (to - from) + frames;
    let (first, last) = (spans.first().map_or(0, |span| span.0), spans.iter().map(|span| span.1).max().unwrap_or(0));
    let length = if contiguous { last - first } else { spans.iter().map(covered).sum() };
    grid::check_size(length, parts.iter().map(|part| part.per_frame).sum())?;
    let mut starts: Vec<u64> = Vec::new();
    for (from, to) in spans {
        let covered = starts.last().map(|start| start + frames);
        let mut next = match covered {
            Some(covered) if contiguous || from <= covered => covered,
            _ => from,
        };
        while next < to {
            starts.push(next);
            next += frames;
        }
    }
    if starts.len() > 99_999_999 {
        return Err(Error::too_large("records", 99_999_999));
    }
    Ok(starts)
}

/// Fills in date, time and what must be said of patient and recording; gives the microseconds from
/// the recording's start to the whole second that the file begins with.
fn head(start: Start, begins_us: i64, fields: &mut Fields) -> i64 {
    let (from_us, dated) = match start {
        Start::At(at) => (at, true),
        Start::TimeOfDay(of_day) => (of_day, false),
        Start::Unknown => (0, false),
    };
    let first_us = from_us.saturating_add(if start == Start::Unknown { begins_us % 1_000_000 } else { begins_us });
    let whole_us = first_us.div_euclid(1_000_000) * 1_000_000;
    let civil = Civil::from_micros(whole_us);
    fields.time = format!("{:02}.{:02}.{:02}", civil.hour, civil.minute, civil.second);
    fields.patient = "X X X X".to_owned();
    if dated {
        let month = MONTHS[(civil.month as usize - 1).min(11)];
        fields.recording = format!("Startdate {:02}-{month}-{:04} X X Vitalwire", civil.day, civil.year);
    } else {
        fields.recording = "Startdate X X X Vitalwire".to_owned();
    }
    // Two digits stand for 1985 to 2084; EDF+ says `yy` for other years, which the long date tells.
    fields.date = match (dated, civil.year) {
        (false, _) => "01.01.85".to_owned(),
        (true, 1985..=2084) => format!("{:02}.{:02}.{:02}", civil.day, civil.month, civil.year % 100),
        (true, _) => format!("{:02}.{:02}.yy", civil.day, civil.month),
    };
    begins_us - (first_us - whole_us)
}

fn unit(text: &str) -> String {
    if text.is_ascii() && text.len() <= 8 {
        return text.to_owned();
    }
    labels::unit(text).map_or(text, |unit| labels::unit_text(unit)).replace('µ', "u")
}

fn annotation_signal(width: usize) -> Signal {
    Signal {
        label: ANNOTATIONS.to_owned(),
        physical_min: "-1".to_owned(),
        physical_max: "1".to_owned(),
        digital_min: "-32768".to_owned(),
        digital_max: "32767".to_owned(),
        samples: (width / 2).to_string(),
        ..Signal::default()
    }
}

/// The annotation lists of each record: its own onset, and annotations that are due. What does not
/// fit an even share goes into a later record, as the description allows; what is left at the end,
/// into the last.
fn annotation_lists(recording: &Recording, onsets: &[i64], origin_us: i64) -> Vec<Vec<u8>> {
    let mut marks: Vec<Mark> = recording.annotations.iter().map(|annotation| mark(annotation, origin_us)).collect();
    marks.sort_by_key(|mark| mark.onset_us);
    let bytes: usize = marks.iter().map(|mark| mark.write().len()).sum();
    let share = (bytes / onsets.len().max(1) * 5 / 4 + 60).max(120);
    let mut marks = marks.into_iter().peekable();
    let mut lists = Vec::with_capacity(onsets.len());
    for (at, onset) in onsets.iter().enumerate() {
        let mut list = keep_time(*onset);
        let last = at + 1 == onsets.len();
        let until = onsets.get(at + 1).copied().unwrap_or(i64::MAX);
        while let Some(mark) = marks.next_if(|mark| last || mark.onset_us < until && list.len() < share) {
            list.extend(mark.write());
        }
        lists.push(list);
    }
    lists
}

fn mark(annotation: &crate::Annotation, origin_us: i64) -> Mark {
    Mark {
        onset_us: annotation.time_us().saturating_sub(origin_us),
        duration_us: annotation.duration_us,
        text: marks::to_text(annotation.code, &annotation.text),
    }
}
