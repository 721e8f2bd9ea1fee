//! Writing a record: a plain one where one segment holds all channels, else one of segments with a
//! variable layout, in which time without samples costs nothing.

use std::fmt::Write as _;

use vitals::samples::MISSING;
use vitals::{Rate, Scale};

use super::pack::{checksum, narrowest, pack};
use super::signal::Format;
use crate::calendar::Civil;
use crate::grid::{self, Row};
use crate::{Channel, Error, Problem, Recording, Start, decimal, labels};

/// Gaps of a channel shorter than this are written as missing samples; longer ones end a segment.
const BRIDGE_US: i64 = 10 * vitals::time::SECOND;

/// Files that were written, and what could not be said in them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// Names and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the format could not hold.
    pub problems: Vec<Problem>,
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Two samples in three bytes (format 212) where all counts of a segment have 12 bits.
    pub packed: bool,
}

/// Writes `recording` as the record `name`: its headers and signal files, without annotations
/// (see [`super::write_annotations`]).
///
/// Counts are written as they are, in the narrowest format that holds them. Samples keep their place
/// to half a sampling interval: a record has one grid of sample times.
///
/// # Errors
/// If the name is no record name, there is nothing to write, a sample lies before the start, or the
/// rates have no common frame.
pub fn write(recording: &Recording, name: &str, options: Options) -> Result<Written, Error> {
    if name.is_empty() || name.len() > 100 || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(Error::DoesNotFit("a record's name has only letters, digits, - and _".to_owned()));
    }
    grid::require_samples(recording)?;
    let (rate, per_frame) = grid::frames(&recording.channels)?;
    let mut written = Written::default();
    let mut tracks = Vec::new();
    for (channel, per_frame) in recording.channels.iter().zip(per_frame) {
        let rows = grid::place(channel, BRIDGE_US, &mut written.problems)?;
        tracks.push(Track { channel, per_frame: u64::from(per_frame), rows });
    }
    let writer = Writer { recording, name, rate, tracks, options };
    writer.run(&mut written)?;
    Ok(written)
}

/// A channel and its rows.
struct Track<'a> {
    channel: &'a Channel,
    per_frame: u64,
    rows: Vec<Row>,
}

impl Track<'_> {
    /// First and last frame (exclusive) of a row.
    fn frames_of(&self, row: &Row) -> (u64, u64) {
        (row.first / self.per_frame, row.end().div_ceil(self.per_frame))
    }

    /// The counts of frames `from` to `to` in the scale of the first row in them, and that scale;
    /// none without a row.
    fn cut(&self, from: u64, to: u64, problems: &mut Vec<Problem>) -> Option<(Scale, Vec<i32>)> {
        let (begin, end) = (from * self.per_frame, to * self.per_frame);
        let mut inside = self.rows.iter().filter(|row| row.first < end && row.end() > begin).peekable();
        let scale = inside.peek()?.scale;
        let mut counts = vec![MISSING; (end - begin) as usize];
        let mut rescaled = 0;
        for row in inside {
            let (first, last) = (row.first.max(begin), row.end().min(end));
            let samples = &row.samples[(first - row.first) as usize..(last - row.first) as usize];
            let place = &mut counts[(first - begin) as usize..(last - begin) as usize];
            if row.scale.is_same(&scale) {
                place.copy_from_slice(samples);
                continue;
            }
            // Only where the scale changes within one frame.
            rescaled += samples.len();
            for (place, sample) in place.iter_mut().zip(samples) {
                *place = if *sample == MISSING { MISSING } else { nearest(&scale, row.scale.value(*sample)) };
            }
        }
        if rescaled > 0 {
            let what = format!("{rescaled} samples where the scale changes are rounded to the scale before");
            problems.push(Problem::new(&self.channel.label, what));
        }
        Some((scale, counts))
    }
}

fn nearest(scale: &Scale, value: f64) -> i32 {
    let count = ((value - scale.offset) * scale.divisor / scale.factor).round();
    // The conversion stops at the ends of the range; the lowest is the missing sample.
    (count as i32).max(-i32::MAX)
}

struct Writer<'a> {
    recording: &'a Recording,
    name: &'a str,
    rate: Rate,
    tracks: Vec<Track<'a>>,
    options: Options,
}

impl Writer<'_> {
    fn run(&self, written: &mut Written) -> Result<(), Error> {
        let cuts = self.cuts();
        let a_frame = self.tracks.iter().map(|track| track.per_frame).sum();
        let covered = cuts.windows(2).filter(|pair| self.tracks.iter().any(|track| covers(track, pair[0], pair[1])));
        grid::check_size(covered.map(|pair| pair[1] - pair[0]).sum(), a_frame)?;
        let whole = self.tracks.iter().all(|track| !track.rows.is_empty()) && cuts.len() == 2;
        if whole {
            return self.segment(self.name, (0, cuts[1]), true, written);
        }
        let mut lines = vec![format!("{}_layout 0", self.name)];
        for (number, pair) in cuts.windows(2).enumerate() {
            let (from, to) = (pair[0], pair[1]);
            if self.tracks.iter().all(|track| !covers(track, from, to)) {
                lines.push(format!("~ {}", to - from));
                continue;
            }
            let name = format!("{}_{:04}", self.name, number + 1);
            self.segment(&name, (from, to), false, written)?;
            lines.push(format!("{name} {}", to - from));
        }
        let frames = cuts.last().copied().unwrap_or(0);
        let mut text = format!("{}/{} {} {} {frames}", self.name, lines.len(), self.tracks.len(), decimal::text(self.rate));
        text.push_str(&start_text(self.recording.start, 0));
        text.push('\n');
        text.push_str(&lines.join("\n"));
        text.push('\n');
        self.comments(&mut text);
        written.files.insert(0, (format!("{}.hea", self.name), text.into_bytes()));
        self.layout(written);
        Ok(())
    }

    /// Frames at which a segment begins or ends, from 0 on.
    fn cuts(&self) -> Vec<u64> {
        let spans = self.tracks.iter().flat_map(|track| track.rows.iter().map(|row| track.frames_of(row)));
        let mut cuts: Vec<u64> = std::iter::once(0).chain(spans.flat_map(|(from, to)| [from, to])).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    fn layout(&self, written: &mut Written) {
        let mut text = format!("{}_layout {} {} 0", self.name, self.tracks.len(), decimal::text(self.rate));
        text.push_str(&start_text(self.recording.start, 0));
        text.push('\n');
        for track in &self.tracks {
            let scale = track.rows.first().map_or(Scale::ONE, |row| row.scale);
            let line = signal_line("~", Format::Null, track, &scale, (0, 0));
            text.push_str(&line.0);
        }
        written.files.insert(1, (format!("{}_layout.hea", self.name), text.into_bytes()));
    }

    /// Writes the header and the signal file of the frames `from` to `to`.
    fn segment(&self, name: &str, (from, to): (u64, u64), alone: bool, written: &mut Written) -> Result<(), Error> {
        let cut = |track, problems: &mut Vec<Problem>| Some((track, Track::cut(track, from, to, problems)?));
        let cuts: Vec<_> = self.tracks.iter().filter_map(|track| cut(track, &mut written.problems)).collect();
        let counts = cuts.iter().flat_map(|(_, (_, counts))| counts.iter());
        let format = narrowest(counts, self.options.packed);
        let micros = self.rate.micros(from);
        let mut text = format!("{name} {} {} {}", cuts.len(), decimal::text(self.rate), to - from);
        // Only a record has a date: a segment's time tells nothing that its place does not.
        text.push_str(&start_text(if alone { self.recording.start } else { time_only(self.recording.start) }, micros));
        text.push('\n');
        let file = format!("{name}.dat");
        for (track, (scale, counts)) in &cuts {
            let first = counts.first().copied().unwrap_or(0);
            let initial = if first == MISSING { format.missing().unwrap_or(0) } else { first };
            let (line, inexact) = signal_line(&file, format, track, scale, (initial, checksum(format, counts)));
            text.push_str(&line);
            written.problems.extend(inexact);
        }
        if alone {
            self.comments(&mut text);
        }
        let mut flat = Vec::with_capacity(cuts.iter().map(|(_, (_, counts))| counts.len()).sum());
        for frame in 0..(to - from) as usize {
            for (track, (_, counts)) in &cuts {
                let size = track.per_frame as usize;
                flat.extend_from_slice(&counts[frame * size..(frame + 1) * size]);
            }
        }
        written.files.push((format!("{name}.hea"), text.into_bytes()));
        written.files.push((file, pack(format, &flat)));
        Ok(())
    }

    fn comments(&self, text: &mut String) {
        for note in self.recording.notes.iter().flat_map(|note| note.lines()) {
            let _ = writeln!(text, "# {note}");
        }
    }
}

fn covers(track: &Track<'_>, from: u64, to: u64) -> bool {
    track.rows.iter().map(|row| track.frames_of(row)).any(|(first, last)| first < to && last > from)
}

/// One signal line, and what the line can't say of the scale.
fn signal_line(
    file: &str,
    format: Format,
    track: &Track<'_>,
    scale: &Scale,
    (initial, sum): (i32, i16),
) -> (String, Option<Problem>) {
    let gain = gain(scale);
    let exact = -scale.offset * gain;
    let baseline = exact.round().clamp(f64::from(-i32::MAX), f64::from(i32::MAX));
    let off = (exact - baseline).abs();
    let inexact = (off > 1e-6).then(|| {
        let what = format!("a zero between two counts: values read {off:.3} counts off");
        Problem::new(&track.channel.label, what)
    });
    let layout = match track.per_frame {
        1 => format.code().to_string(),
        many => format!("{}x{many}", format.code()),
    };
    let (unit, label) = (unit(&track.channel.unit), one_line(&track.channel.label));
    let line = format!(
        "{file} {layout} {gain}({})/{unit} {} 0 {initial} {sum} 0 {label}\n",
        baseline as i64,
        if format == Format::Null { 0 } else { format.bits() }
    );
    (line, inexact)
}

/// Counts in a unit. A scale whose factor came from a gain (0.005 of 200) has that gain again, and no
/// neighbour of it: the roundest number whose inverse is the factor.
fn gain(scale: &Scale) -> f64 {
    let exact = scale.divisor / scale.factor;
    let step = scale.factor / scale.divisor;
    let rounder = (1..=15).filter_map(|digits| format!("{exact:.digits$e}").parse::<f64>().ok());
    rounder.into_iter().find(|gain| 1.0 / gain == step && scale.divisor == 1.0).unwrap_or(exact)
}

/// A unit without the characters that end a header's field.
fn unit(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "^-?%/_".contains(c);
    let known = if text.chars().all(plain) { text } else { labels::unit(text).map_or(text, |unit| labels::unit_text(unit)) };
    let known: String = known.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if known.is_empty() { "NU".to_owned() } else { known }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn time_only(start: Start) -> Start {
    match start {
        Start::At(micros) => Start::TimeOfDay(micros.rem_euclid(vitals::time::DAY)),
        other => other,
    }
}

/// ` HH:MM:SS.sss DD/MM/YYYY` of the start plus `micros`, as far as it is known.
fn start_text(start: Start, micros: i64) -> String {
    let clock = |civil: Civil| {
        let part = match civil.micros {
            0 => String::new(),
            micros if micros % 1_000 == 0 => format!(".{:03}", micros / 1_000),
            micros => format!(".{micros:06}"),
        };
        format!(" {:02}:{:02}:{:02}{part}", civil.hour, civil.minute, civil.second)
    };
    match start {
        Start::Unknown => String::new(),
        Start::TimeOfDay(of_day) => clock(Civil::from_micros(of_day.saturating_add(micros))),
        Start::At(at) => {
            let civil = Civil::from_micros(at.saturating_add(micros));
            format!("{} {:02}/{:02}/{:04}", clock(civil), civil.day, civil.month, civil.year)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_as_round_as_they_were() {
        for wanted in [200.0, 7_247.0, 10_520.0, 12_530.0, 0.75, 64.02, 1.0 / 3.0, 6_554.0, 174.83] {
            let scale = Scale { factor: 1.0 / wanted, divisor: 1.0, offset: 0.0 };
            assert_eq!(gain(&scale), wanted);
            assert_eq!(gain(&Scale { factor: 1.0, divisor: wanted, offset: 0.0 }), wanted);
        }
    }
}
