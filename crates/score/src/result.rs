//! A score with its working.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};
use vitals::{EffectiveTime, MetricCode};

/// A computed score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Its name (`NEWS2`).
    pub name: &'static str,
    /// The metric that its value is stored as.
    pub metric: MetricCode,
    /// The value: for a sum of points the sum of what is known; none when nothing is, or when the
    /// score was not made for this person.
    pub value: Option<f64>,
    /// Whether everything that the score needs was there and fresh enough. If not, the value is a
    /// lower bound.
    pub complete: bool,
    /// Each parameter in the order of the chart.
    pub parts: Parts,
    /// The band that the value falls in; while not complete, the least that it can be.
    pub band: Band,
    /// What the source says to do in that band, in our words; empty without a band.
    pub response: &'static str,
    /// What else one should know; may be empty.
    pub note: &'static str,
    /// The publication.
    pub source: &'static str,
}

/// One parameter of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Part {
    /// What it is.
    pub metric: MetricCode,
    /// The last value, also when it was too old to count; enumerations as their number.
    pub value: Option<f64>,
    /// When that value was true.
    pub time: Option<EffectiveTime>,
    /// Points given; none when it was not counted.
    pub points: Option<u8>,
    /// Whether it was counted.
    pub state: PartState,
    /// The cell of the chart that it fell in (`≥ 25`); empty when it was not counted.
    pub cell: &'static str,
}

/// Whether a part was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PartState {
    /// Counted.
    Used,
    /// Never measured.
    Missing,
    /// Measured too long ago.
    Aged,
    /// Measured, but it cannot be judged without another part that is missing or aged.
    Undecided,
}

/// How much concern a score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Band {
    /// None to tell.
    None,
    /// Low.
    Low,
    /// Low to medium: one parameter alone is extreme.
    LowMedium,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// The most parts that a score has.
const MOST: usize = 8;

/// The parts of a score: a short list kept in place, so that computing a score allocates nothing.
#[derive(Clone, Copy)]
pub struct Parts {
    items: [Part; MOST],
    count: usize,
}

impl Parts {
    /// No parts.
    pub(crate) const fn new() -> Self {
        const EMPTY: Part = Part {
            metric: MetricCode(0),
            value: None,
            time: None,
            points: None,
            state: PartState::Missing,
            cell: "",
        };
        Self {
            items: [EMPTY; MOST],
            count: 0,
        }
    }

    /// Adds one; no score here has more than eight.
    pub(crate) fn push(&mut self, part: Part) {
        debug_assert!(self.count < MOST, "a score has at most {MOST} parts");
        if let Some(place) = self.items.get_mut(self.count) {
            *place = part;
            self.count += 1;
        }
    }

    /// Sum of the points given; none when no part was counted.
    pub(crate) fn sum(&self) -> Option<u8> {
        self.iter()
            .filter_map(|part| part.points)
            .reduce(u8::saturating_add)
    }

    /// Whether all parts were counted.
    pub(crate) fn complete(&self) -> bool {
        self.iter().all(|part| part.state == PartState::Used)
    }
}

impl Deref for Parts {
    type Target = [Part];

    fn deref(&self) -> &[Part] {
        &self.items[..self.count]
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Score {
    /// A score that is not given, and why (SC-4).
    pub(crate) fn not_given(
        name: &'static str,
        metric: MetricCode,
        note: &'static str,
        source: &'static str,
    ) -> Self {
        Self {
            name,
            metric,
            value: None,
            complete: false,
            parts: Parts::new(),
            band: Band::None,
            response: "",
            note,
            source,
        }
    }

    /// The parts that were not counted.
    pub fn missing(&self) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(|part| part.state != PartState::Used)
    }
}

impl fmt::Display for Score {
    /// One line for people: value, what gave points, what was not counted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = |part: &Part| part.metric.metric().map_or("?", |metric| metric.label);
        write!(f, "{} ", self.name)?;
        match self.value {
            Some(value) if self.complete => write!(f, "{value}")?,
            Some(value) => write!(f, "at least {value}")?,
            None => write!(f, "not given")?,
        }
        let mut before = ": ";
        for part in self.parts.iter() {
            let Some(points) = part.points.filter(|points| *points > 0) else {
                continue;
            };
            write!(f, "{before}{} {} +{points}", label(part), part.cell)?;
            before = ", ";
        }
        before = "; not counted: ";
        for part in self.missing() {
            let why = match part.state {
                PartState::Aged => "too old",
                PartState::Undecided => "depends on another",
                PartState::Missing | PartState::Used => "missing",
            };
            write!(f, "{before}{} ({why})", label(part))?;
            before = ", ";
        }
        if !self.note.is_empty() {
            write!(f, ". {}", self.note)?;
        }
        Ok(())
    }
}
