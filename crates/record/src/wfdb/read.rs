//! Reading a record: its header, the files that the header names, segments put in their place.

use std::collections::HashMap;

use vitals::{Rate, Scale};

use super::header::{Header, SegmentLine, Segmented, SignalLine, read_header};
use super::signal::{Format, decode, decode_flac, kept};
use super::{Finder, MAX_SAMPLES};
use crate::{Channel, Error, Problem, Recording, Segment, decimal, labels};

/// Reads the record `name`: a record of signals, or of segments with a fixed or a variable layout.
///
/// A segment whose files are not there becomes a gap, and a checksum that does not fit the samples
/// is told, both as problems of the recording. Annotations are files of their own: see
/// [`super::read_annotations`].
///
/// # Errors
/// If the header or the files of a record of signals are missing or malformed.
pub fn read(name: &str, find: &mut Finder<'_>) -> Result<Recording, Error> {
    let header = header_of(name, find)?;
    let mut budget = MAX_SAMPLES;
    let mut recording = Recording { start: header.start, notes: header.comments.clone(), ..Recording::default() };
    match &header.lines {
        Segmented::No(lines) => {
            recording.channels = channels(&header, lines)?;
            let signals = signals(&header, lines, find, &mut budget, &mut recording.problems)?;
            for ((channel, line), samples) in recording.channels.iter_mut().zip(lines).zip(signals) {
                append(channel, 0, scale(line), samples);
            }
        }
        Segmented::Yes(segments) => {
            read_segments(&header, segments, find, &mut budget, &mut recording)?;
        }
    }
    Ok(recording)
}

fn header_of(name: &str, find: &mut Finder<'_>) -> Result<Header, Error> {
    let file = format!("{name}.hea");
    let bytes = find(&file).ok_or(Error::Missing(file))?;
    read_header(name, &bytes)
}

fn channels(header: &Header, lines: &[SignalLine]) -> Result<Vec<Channel>, Error> {
    let channel = |line: &SignalLine| {
        let rate = rate_of(header.rate, line.per_frame)
            .ok_or_else(|| Error::malformed(&header.name, "a sampling rate out of range"))?;
        let (metric, unit) = (labels::metric(&line.label), line.unit.clone());
        Ok(Channel { label: line.label.clone(), metric, unit, rate, segments: Vec::new() })
    };
    lines.iter().map(channel).collect()
}

fn rate_of(frames: Rate, per_frame: u32) -> Option<Rate> {
    let numerator = u64::from(frames.numerator()) * u64::from(per_frame);
    decimal::reduced(numerator, u64::from(frames.denominator()))
}

/// (count − baseline) ÷ gain, as factor, divisor and offset.
fn scale(line: &SignalLine) -> Scale {
    // No −0, which would not be the same as 0 to the bit.
    let offset = if line.baseline == 0 { 0.0 } else { -f64::from(line.baseline) / line.gain };
    Scale { factor: 1.0, divisor: line.gain, offset }
}

/// Puts samples behind what the channel has; `first` counts from the record's start.
fn append(channel: &mut Channel, first: u64, scale: Scale, samples: Vec<i32>) {
    if samples.is_empty() {
        return;
    }
    if let Some(last) = channel.segments.last_mut() {
        if last.first + last.samples.len() as u64 == first && last.scale.is_same(&scale) {
            last.samples.extend(samples);
            return;
        }
    }
    channel.segments.push(Segment { anchor_us: 0, first, scale, samples });
}

fn read_segments(
    header: &Header,
    segments: &[SegmentLine],
    find: &mut Finder<'_>,
    budget: &mut u64,
    recording: &mut Recording,
) -> Result<(), Error> {
    let mut at = 0_u64;
    let mut laid_out = false;
    for segment in segments {
        let begins = at;
        at = at.saturating_add(segment.frames);
        let Some(name) = &segment.name else { continue };
        let own = match header_of(name, find) {
            Ok(own) => own,
            Err(Error::Missing(file)) => {
                recording.problems.push(Problem::new(file, "is missing; its time is a gap"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let Segmented::No(lines) = &own.lines else {
            return Err(Error::malformed(format!("{name}.hea"), "a segment that is made of segments"));
        };
        if own.rate != header.rate {
            recording.problems.push(Problem::new(name, "has another frame rate; its time is a gap"));
            continue;
        }
        if !laid_out {
            // The layout of a variable record, or the first segment of a fixed one.
            recording.channels = channels(&own, lines)?;
            laid_out = true;
        }
        if segment.frames > 0 {
            read_segment(&own, lines, (begins, segment.frames), find, budget, recording)?;
        }
    }
    if header.frames.is_some_and(|frames| frames != at) {
        recording.problems.push(Problem::new(&header.name, "its segments are not as long as it says"));
    }
    Ok(())
}

fn read_segment(
    own: &Header,
    lines: &[SignalLine],
    (begins, frames): (u64, u64),
    find: &mut Finder<'_>,
    budget: &mut u64,
    recording: &mut Recording,
) -> Result<(), Error> {
    let samples = match signals(own, lines, find, budget, &mut recording.problems) {
        Ok(samples) => samples,
        Err(Error::Missing(file)) => {
            recording.problems.push(Problem::new(file, "is missing; its time is a gap"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (line, mut samples) in lines.iter().zip(samples) {
        let nth = seen.entry(&line.label).or_default();
        let same = recording.channels.iter_mut().filter(|channel| channel.label == line.label);
        let channel = same.into_iter().nth(*nth);
        *nth += 1;
        let Some(channel) = channel.filter(|c| Some(c.rate) == rate_of(own.rate, line.per_frame)) else {
            let what = format!("signal `{}` is not in the layout; left out", line.label);
            recording.problems.push(Problem::new(&own.name, what));
            continue;
        };
        let per_frame = u64::from(line.per_frame);
        samples.truncate(usize::try_from(frames.saturating_mul(per_frame)).unwrap_or(usize::MAX));
        append(channel, begins.saturating_mul(per_frame), scale(line), samples);
    }
    Ok(())
}

/// The counts of each signal of a record of signals.
fn signals(
    header: &Header,
    lines: &[SignalLine],
    find: &mut Finder<'_>,
    budget: &mut u64,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Vec<i32>>, Error> {
    let mut all = Vec::with_capacity(lines.len());
    // Signals of one file stand one after the other in the header, and take turns in the file.
    for group in lines.chunk_by(|a, b| a.file == b.file) {
        let file = group.first().and_then(|line| line.file.as_ref());
        let Some(file) = file.filter(|_| group[0].format != Format::Null) else {
            all.extend(group.iter().map(|_| Vec::new()));
            continue;
        };
        let bytes = find(file).ok_or_else(|| Error::Missing(file.clone()))?;
        let mut raw = group_samples(header, file, group, &bytes, *budget)?;
        *budget = budget.saturating_sub(raw.iter().map(|samples| samples.len() as u64).sum());
        for (line, samples) in group.iter().zip(&mut raw) {
            finish(header, line, samples, problems);
        }
        all.append(&mut raw);
    }
    Ok(all)
}

/// The counts of each signal of one file, as they stand there.
fn group_samples(
    header: &Header,
    file: &str,
    group: &[SignalLine],
    bytes: &[u8],
    budget: u64,
) -> Result<Vec<Vec<i32>>, Error> {
    let first = &group[0];
    if group.iter().any(|line| line.format != first.format || line.offset != first.offset) {
        return Err(Error::malformed(file, "its signals have different formats or offsets"));
    }
    let a_frame: u64 = group.iter().map(|line| u64::from(line.per_frame)).sum();
    let limit = usize::try_from(budget).unwrap_or(usize::MAX);
    if first.format.is_flac() {
        if group.iter().any(|line| line.per_frame != first.per_frame) {
            return Err(Error::malformed(file, "signals of different rates in one FLAC file"));
        }
        let skip = usize::try_from(first.offset).unwrap_or(usize::MAX);
        let mut channels = decode_flac(file, first.format, group.len(), bytes, limit)?;
        channels.iter_mut().for_each(|samples| {
            samples.drain(..skip.min(samples.len()));
        });
        return Ok(channels);
    }
    let skip = usize::try_from(first.offset).unwrap_or(usize::MAX);
    let bytes = bytes.get(skip..).unwrap_or_default();
    let there = first.format.samples_in(bytes.len() as u64);
    let skew = group.iter().map(|line| u64::from(line.skew)).max().unwrap_or(0);
    let expected = header.frames.map_or(there, |frames| frames.saturating_add(skew).saturating_mul(a_frame));
    let wanted = there.min(expected);
    if wanted > budget {
        return Err(Error::too_large(format!("samples in `{file}`"), MAX_SAMPLES));
    }
    let flat = decode(first.format, bytes, usize::try_from(wanted).unwrap_or(usize::MAX));
    Ok(by_signal(group, &flat, a_frame as usize))
}

fn by_signal(group: &[SignalLine], flat: &[i32], a_frame: usize) -> Vec<Vec<i32>> {
    let mut begin = 0;
    let signal = |line: &SignalLine| {
        let from = begin;
        begin += line.per_frame as usize;
        let to = begin;
        let mut samples = Vec::with_capacity(flat.len() / a_frame * line.per_frame as usize);
        for frame in flat.chunks_exact(a_frame) {
            samples.extend_from_slice(&frame[from..to]);
        }
        samples
    };
    group.iter().map(signal).collect()
}

/// Sums differences, checks the sum, takes the skew and the record's length into account, and turns
/// the format's missing sample into ours.
fn finish(header: &Header, line: &SignalLine, samples: &mut Vec<i32>, problems: &mut Vec<Problem>) {
    if line.format == Format::F8 {
        let mut level = line.initial;
        for sample in samples.iter_mut() {
            level = level.wrapping_add(*sample);
            *sample = level;
        }
    }
    let per_frame = line.per_frame as usize;
    let length = header.frames.map(|frames| usize::try_from(frames).unwrap_or(usize::MAX).saturating_mul(per_frame));
    let summed = length.map_or(samples.len(), |length| length.min(samples.len()));
    let sum = samples[..summed].iter().fold(0_i16, |sum, sample| sum.wrapping_add(*sample as i16));
    if let Some(expected) = line.checksum.filter(|expected| *expected != sum) {
        let what = format!("the checksum of `{}` is {sum}, the header says {expected}", line.label);
        problems.push(Problem::new(&header.name, what));
    }
    let skew = (line.skew as usize).saturating_mul(per_frame);
    samples.drain(..skew.min(samples.len()));
    if let Some(length) = length {
        samples.truncate(length);
        if samples.len().saturating_add(skew) < length {
            let what = format!("`{}` has {} of {length} samples", line.label, samples.len());
            problems.push(Problem::new(&header.name, what));
        }
    }
    for sample in samples.iter_mut() {
        *sample = kept(line.format, *sample);
    }
}
