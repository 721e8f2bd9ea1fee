//! The shape that all formats share: channels of segments of counts, annotations, a start.

use vitals::samples::MISSING;
use vitals::{MetricCode, Rate, Scale};

use crate::Problem;

/// A stretch of waveforms of one patient.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    /// When it began.
    pub start: Start,
    /// Its waveforms.
    pub channels: Vec<Channel>,
    /// What is marked in it, in order of time.
    pub annotations: Vec<Annotation>,
    /// Free lines that came with it (WFDB comments, EDF's patient and recording fields).
    pub notes: Vec<String>,
    /// What was not as it should be while it was read.
    pub problems: Vec<Problem>,
}

/// What is known about when a recording began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// Nothing.
    #[default]
    Unknown,
    /// Only the time of day, as microseconds since midnight.
    TimeOfDay(i64),
    /// Microseconds since 1970. Recording formats know no time zone: their clock is taken as UTC.
    At(i64),
}

/// One waveform.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its name in the file (`II`, `ABP`).
    pub label: String,
    /// What it measures, where the label says so (see [`crate::labels`]).
    pub metric: Option<MetricCode>,
    /// Unit of the values as the file writes it (`mV`, `NU`).
    pub unit: String,
    /// Sampling rate.
    pub rate: Rate,
    /// Its samples in order of time, without overlap; between segments there are none.
    pub segments: Vec<Segment>,
}

/// An unbroken row of samples.
///
/// Sample `i` of it is at `anchor_us` + [`Rate::micros`]`(first + i)` after the recording's start:
/// a segment that continues another one after a gap on the same clock shares its anchor.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Time of the sample 0 that is counted from, in microseconds after the recording's start.
    pub anchor_us: i64,
    /// Number of the first sample here, counted from the anchor.
    pub first: u64,
    /// From counts to values.
    pub scale: Scale,
    /// Counts, [`MISSING`] where there is none.
    pub samples: Vec<i32>,
}

/// A mark: a beat, a change of rhythm or quality, a note.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Time after the recording's start, in ticks of `rate`; negative before it.
    pub tick: i64,
    /// Ticks in a second: the sampling rate in WFDB files.
    pub rate: Rate,
    /// How long what is marked lasts, in microseconds, where the file says so (EDF+).
    pub duration_us: Option<i64>,
    /// WFDB's code of its kind (see [`crate::wfdb::code`]); [`crate::wfdb::code::NOTE`] for free text.
    pub code: u8,
    /// WFDB's subtype.
    pub subtype: i8,
    /// The channel that it is about.
    pub channel: u8,
    /// WFDB's free number.
    pub number: i8,
    /// Its text: a rhythm's name, a note.
    pub text: String,
}

impl Annotation {
    /// Time after the recording's start, in microseconds.
    #[must_use]
    pub fn time_us(&self) -> i64 {
        let micros = self.rate.micros(self.tick.unsigned_abs());
        if self.tick < 0 { -micros } else { micros }
    }
}

impl Segment {
    /// Time of sample `at` after the recording's start, in microseconds.
    #[must_use]
    pub fn time_us(&self, rate: Rate, at: u64) -> i64 {
        self.anchor_us.saturating_add(rate.micros(self.first.saturating_add(at)))
    }

    /// The values, NaN where there is none.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.samples.iter().map(|count| self.scale.value(*count))
    }
}

impl Channel {
    /// Number of samples that are not missing.
    #[must_use]
    pub fn present(&self) -> usize {
        let counts = self.segments.iter().flat_map(|segment| &segment.samples);
        counts.filter(|count| **count != MISSING).count()
    }

    /// When the first sample is, and when the one after the last would be, in microseconds after
    /// the recording's start; none without samples.
    #[must_use]
    pub fn span_us(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.segments.first()?, self.segments.last()?);
        Some((first.time_us(self.rate, 0), last.time_us(self.rate, last.samples.len() as u64)))
    }
}

impl Recording {
    /// When the earliest sample is, and when the one after the latest would be, in microseconds
    /// after the recording's start; none without samples.
    #[must_use]
    pub fn span_us(&self) -> Option<(i64, i64)> {
        let spans = self.channels.iter().filter_map(Channel::span_us);
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The start in microseconds since 1970, if date and time are known.
    #[must_use]
    pub fn start_us(&self) -> Option<i64> {
        match self.start {
            Start::At(micros) => Some(micros),
            Start::Unknown | Start::TimeOfDay(_) => None,
        }
    }
}
