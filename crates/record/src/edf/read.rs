//! Reading a file: records of signals, put in their place by the annotation signal.

use vitals::samples::MISSING;
use vitals::{Rate, Scale};

use super::ANNOTATIONS;
use super::exact::Digital;
use super::fields::{Fields, Signal, number};
use super::tal::{Lists, Mark};
use crate::{Annotation, Channel, Error, Problem, Recording, Segment, Start, calendar, decimal, labels, marks};

/// Reads an EDF or EDF+ file.
///
/// # Errors
/// If the header can't be understood, or it is a 24-bit BDF file. A file that ends early gives the
/// records that are there, and a problem.
pub fn read(bytes: &[u8]) -> Result<Recording, Error> {
    let fields = Fields::read(bytes)?;
    let layout = Layout::new(&fields)?;
    let data = bytes.get(fields.length()..).unwrap_or_default();
    let mut recording = Recording { start: start(&fields), notes: notes(&fields), ..Recording::default() };
    let there = data.len() / layout.record.max(1);
    let promised: i64 = number("the number of records", &fields.records)?;
    let count = usize::try_from(promised).map_or(there, |promised| promised.min(there));
    if promised >= 0 && (there as u64) < promised as u64 {
        let what = format!("{there} of {promised} records are there");
        recording.problems.push(Problem::new("EDF file", what));
    }
    let mut builders = layout.builders(&fields, &mut recording.problems)?;
    let mut broken = 0;
    let mut marks = Vec::new();
    let mut clock = Clock { next_us: 0.0, seconds: layout.seconds, plain: !fields.kind.starts_with("EDF+D"), first: true };
    for record in data.chunks_exact(layout.record.max(1)).take(count) {
        let lists = layout.lists(record);
        broken += lists.broken;
        marks.extend(lists.marks);
        let (onset_us, continues) = clock.place(lists.onset_us);
        for builder in &mut builders {
            builder.take(record, onset_us, continues);
        }
    }
    if broken > 0 {
        recording.problems.push(Problem::new(ANNOTATIONS, format!("{broken} lists can't be understood")));
    }
    recording.channels = builders.into_iter().map(Builder::finish).collect();
    recording.annotations = marks.into_iter().map(annotation).collect();
    recording.annotations.sort_by_key(|annotation| annotation.tick);
    fold_fraction(&mut recording);
    Ok(recording)
}

/// Where the signals lie in a record.
struct Layout {
    /// Bytes of a record.
    record: usize,
    /// Seconds of a record.
    seconds: f64,
    /// First byte and number of samples of each signal.
    places: Vec<(usize, usize)>,
    /// Which signals are annotations.
    lists: Vec<usize>,
}

impl Layout {
    fn new(fields: &Fields) -> Result<Self, Error> {
        let seconds: f64 = number("the duration of a record", &fields.duration)?;
        let mut layout = Self { record: 0, seconds, places: Vec::new(), lists: Vec::new() };
        for (at, signal) in fields.signals.iter().enumerate() {
            let samples: u32 = number("the number of samples in a record", &signal.samples)?;
            let samples = samples as usize;
            layout.places.push((layout.record, samples));
            layout.record = layout.record.saturating_add(samples.saturating_mul(2));
            if signal.label == ANNOTATIONS {
                layout.lists.push(at);
            }
        }
        if !(0.0..1e8).contains(&seconds) || seconds == 0.0 && layout.lists.len() < fields.signals.len() {
            return Err(Error::malformed("EDF header", "the duration of a record is none"));
        }
        Ok(layout)
    }

    fn lists(&self, record: &[u8]) -> Lists {
        let mut all = Lists::default();
        for at in &self.lists {
            let (from, samples) = self.places[*at];
            let lists = Lists::read(&record[from..from + 2 * samples]);
            all.onset_us = all.onset_us.or(lists.onset_us);
            all.marks.extend(lists.marks);
            all.broken += lists.broken;
        }
        all
    }

    fn builders(&self, fields: &Fields, problems: &mut Vec<Problem>) -> Result<Vec<Builder>, Error> {
        let mut builders = Vec::new();
        for (at, signal) in fields.signals.iter().enumerate() {
            let place = self.places[at];
            if self.lists.contains(&at) || place.1 == 0 {
                continue;
            }
            let rate = rate(place.1, &fields.duration)
                .ok_or_else(|| Error::malformed(&signal.label, "a sampling rate out of range"))?;
            let digital = digital(signal).unwrap_or_else(|| {
                problems.push(Problem::new(&signal.label, "has no scale; values are counts"));
                Digital { shift: 0, scale: Scale::ONE, missing: false }
            });
            let (metric, unit) = (labels::metric(&signal.label), signal.unit.clone());
            let channel = Channel { label: signal.label.clone(), metric, unit, rate, segments: Vec::new() };
            builders.push(Builder { channel, digital, place });
        }
        Ok(builders)
    }
}

fn rate(samples: usize, duration: &str) -> Option<Rate> {
    let duration = duration.trim().trim_start_matches('+').replace(',', ".");
    // A duration is a fraction as a rate is: its inverse times the samples.
    let length = decimal::rate(&duration)?;
    decimal::reduced(samples as u64 * u64::from(length.denominator()), u64::from(length.numerator()))
}

fn digital(signal: &Signal) -> Option<Digital> {
    if let Some(exact) = Digital::read_exact(&signal.transducer) {
        return Some(exact);
    }
    let point = |text: &str| number::<f64>("", text).ok();
    let whole = |text: &str| number::<i32>("", text).ok();
    let physical = point(&signal.physical_min).zip(point(&signal.physical_max))?;
    let digital = whole(&signal.digital_min).zip(whole(&signal.digital_max))?;
    Digital::read_points(physical, digital)
}

/// One signal being read.
struct Builder {
    channel: Channel,
    digital: Digital,
    place: (usize, usize),
}

impl Builder {
    fn take(&mut self, record: &[u8], onset_us: i64, continues: bool) {
        let (from, samples) = self.place;
        let raw = record[from..from + 2 * samples].chunks_exact(2);
        let counts = raw.map(|pair| self.digital.count(i16::from_le_bytes([pair[0], pair[1]])));
        match self.channel.segments.last_mut().filter(|_| continues) {
            Some(segment) => segment.samples.extend(counts),
            None => {
                let samples: Vec<i32> = counts.collect();
                let scale = self.digital.scale;
                self.channel.segments.push(Segment { anchor_us: onset_us, first: 0, scale, samples });
            }
        }
    }

    fn finish(mut self) -> Channel {
        if self.digital.missing {
            self.channel.segments = self.channel.segments.into_iter().filter_map(trimmed).collect();
        }
        self.channel
    }
}

/// A segment without the missing samples at its ends, which fill records up; none if there is
/// nothing else.
fn trimmed(mut segment: Segment) -> Option<Segment> {
    let first = segment.samples.iter().position(|count| *count != MISSING)?;
    let last = segment.samples.iter().rposition(|count| *count != MISSING)?;
    segment.samples.truncate(last + 1);
    segment.samples.drain(..first);
    segment.first += first as u64;
    Some(segment)
}

/// Where records stand in time.
struct Clock {
    next_us: f64,
    seconds: f64,
    plain: bool,
    first: bool,
}

impl Clock {
    /// Onset of the record whose list says `said`, and whether it continues the one before.
    fn place(&mut self, said: Option<i64>) -> (i64, bool) {
        let expected = self.next_us.round() as i64;
        let onset_us = match said {
            Some(said) if self.first || !self.plain => said,
            _ => expected,
        };
        // Onsets are rounded to a microsecond, by some writers to less.
        let continues = !self.first && (onset_us - expected).abs() <= 100;
        self.first = false;
        let from = if continues { self.next_us } else { onset_us as f64 };
        self.next_us = from + self.seconds * 1e6;
        (onset_us, continues)
    }
}

fn start(fields: &Fields) -> Start {
    let parts = |text: &str| -> Option<[i64; 3]> {
        let mut numbers = text.split(['.', ':', '-', '/']).map(|part| part.trim().parse::<i64>().ok());
        Some([numbers.next()??, numbers.next()??, numbers.next()??])
    };
    let Some([hour, minute, second]) = parts(&fields.time) else { return Start::Unknown };
    let sound = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let of_day = if sound { ((hour * 60 + minute) * 60 + second) * 1_000_000 } else { 0 };
    let full = fields.recording.strip_prefix("Startdate ").and_then(|rest| rest.split(' ').next());
    let days = match full {
        Some("X") => None,
        Some(date) => long_date(date).or_else(|| short_date(parts(&fields.date)?)),
        None => parts(&fields.date).and_then(short_date),
    };
    match days {
        Some(days) => Start::At(days * vitals::time::DAY + of_day),
        None if of_day == 0 => Start::Unknown,
        None => Start::TimeOfDay(of_day),
    }
}

/// The two digits of EDF's year are of 1985 to 2084.
fn short_date([day, month, year]: [i64; 3]) -> Option<i64> {
    let year = if year >= 85 { 1_900 + year } else { 2_000 + year };
    calendar::days(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

/// `02-MAR-2002`
fn long_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as u32 + 1;
    calendar::days(year.parse().ok()?, month, day.parse().ok()?)
}

/// Months as EDF+ names them.
pub(super) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

fn notes(fields: &Fields) -> Vec<String> {
    let filled = |text: &&String| text.split(' ').any(|word| !word.is_empty() && word != "X" && word != "Startdate");
    [("patient", &fields.patient), ("recording", &fields.recording)]
        .into_iter()
        .filter(|(_, text)| filled(text))
        .map(|(name, text)| format!("{name}: {text}"))
        .collect()
}

fn annotation(mark: Mark) -> Annotation {
    let (code, text) = marks::from_text(&mark.text);
    Annotation {
        tick: mark.onset_us,
        rate: Rate::new(1_000_000, 1).expect("a million is not zero"),
        duration_us: mark.duration_us,
        code,
        subtype: 0,
        channel: 0,
        number: 0,
        text,
    }
}

/// EDF's start has whole seconds; the first record's onset is what is behind the point.
fn fold_fraction(recording: &mut Recording) {
    let firsts = recording.channels.iter().filter_map(|channel| Some(channel.segments.first()?.anchor_us));
    let Some(fraction) = firsts.min().filter(|onset| (1..1_000_000).contains(onset)) else { return };
    recording.start = match recording.start {
        Start::At(at) => Start::At(at + fraction),
        Start::TimeOfDay(of_day) => Start::TimeOfDay(of_day + fraction),
        Start::Unknown => return,
    };
    for segment in recording.channels.iter_mut().flat_map(|channel| &mut channel.segments) {
        segment.anchor_us -= fraction;
    }
    for annotation in &mut recording.annotations {
        annotation.tick -= fraction;
    }
}
