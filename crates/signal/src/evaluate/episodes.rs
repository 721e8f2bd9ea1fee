//! Episodes (atrial fibrillation, ventricular tachycardia and fibrillation) by number and by time.
//!
//! ANSI/AAMI EC57:2012, 4.4: an episode is found if a detected one overlaps it at all; the duration that
//! both have in common is set against the duration of each.

use serde::{Deserialize, Serialize};

use super::beats::share;

/// A stretch of time, from inclusive, to exclusive, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its start.
    pub from_us: i64,
    /// Its end.
    pub to_us: i64,
}

impl Span {
    /// Whether the time lies within.
    #[must_use]
    pub fn contains(&self, time_us: i64) -> bool {
        (self.from_us..self.to_us).contains(&time_us)
    }

    /// How long both last at once, microseconds.
    #[must_use]
    pub fn overlap_us(&self, other: &Span) -> i64 {
        (self.to_us.min(other.to_us) - self.from_us.max(other.from_us)).max(0)
    }

    /// Its length, microseconds; 0 if it ends before it begins.
    #[must_use]
    pub fn length_us(&self) -> i64 {
        (self.to_us - self.from_us).max(0)
    }
}

/// Spans in order that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episodes(Vec<Span>);

impl Episodes {
    /// Puts spans in order, joins those that overlap or touch, and leaves out what lies before `from_us`.
    #[must_use]
    pub fn new(mut spans: Vec<Span>, from_us: i64) -> Self {
        for span in &mut spans {
            span.from_us = span.from_us.max(from_us);
        }
        spans.retain(|span| span.length_us() > 0);
        spans.sort_by_key(|span| span.from_us);
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.from_us <= last.to_us => last.to_us = last.to_us.max(span.to_us),
                _ => joined.push(span),
            }
        }
        Self(joined)
    }

    /// The spans.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// How long they last together, microseconds.
    #[must_use]
    pub fn length_us(&self) -> i64 {
        self.0.iter().map(Span::length_us).sum()
    }
}

/// Agreement about episodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodeTally {
    /// Reference episodes that a detected one overlaps.
    pub found: u64,
    /// Reference episodes that none overlaps.
    pub missed: u64,
    /// Detected episodes that overlap a reference one.
    pub right: u64,
    /// Detected episodes that overlap none.
    pub extra: u64,
    /// Time that is in both, microseconds.
    pub common_us: i64,
    /// Duration of the reference episodes, microseconds.
    pub reference_us: i64,
    /// Duration of the detected episodes, microseconds.
    pub found_us: i64,
}

impl EpisodeTally {
    /// Compares detected episodes with reference episodes of one record.
    #[must_use]
    pub fn new(reference: &Episodes, found: &Episodes) -> Self {
        let meets = |span: &Span, others: &Episodes| others.0.iter().any(|other| span.overlap_us(other) > 0);
        let count = |spans: &Episodes, others: &Episodes| {
            spans.0.iter().filter(|span| meets(span, others)).count() as u64
        };
        let hit = count(reference, found);
        let right = count(found, reference);
        Self {
            found: hit,
            missed: reference.0.len() as u64 - hit,
            right,
            extra: found.0.len() as u64 - right,
            common_us: reference
                .0
                .iter()
                .flat_map(|span| found.0.iter().map(move |other| span.overlap_us(other)))
                .sum(),
            reference_us: reference.length_us(),
            found_us: found.length_us(),
        }
    }

    /// Adds the counts of another record.
    pub fn add(&mut self, other: &Self) {
        self.found += other.found;
        self.missed += other.missed;
        self.right += other.right;
        self.extra += other.extra;
        self.common_us += other.common_us;
        self.reference_us += other.reference_us;
        self.found_us += other.found_us;
    }

    /// Share of reference episodes that were found.
    #[must_use]
    pub fn episode_sensitivity(&self) -> Option<f64> {
        share(self.found, self.found + self.missed)
    }

    /// Share of detected episodes that are true.
    #[must_use]
    pub fn episode_predictivity(&self) -> Option<f64> {
        share(self.right, self.right + self.extra)
    }

    /// Share of the reference episodes' duration that was found.
    #[must_use]
    pub fn duration_sensitivity(&self) -> Option<f64> {
        (self.reference_us > 0).then(|| self.common_us as f64 / self.reference_us as f64)
    }

    /// Share of the detected episodes' duration that is true.
    #[must_use]
    pub fn duration_predictivity(&self) -> Option<f64> {
        (self.found_us > 0).then(|| self.common_us as f64 / self.found_us as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episodes(spans: &[(i64, i64)]) -> Episodes {
        Episodes::new(spans.iter().map(|&(from_us, to_us)| Span { from_us, to_us }).collect(), 0)
    }

    #[test]
    fn spans_are_joined_and_cut() {
        assert_eq!(episodes(&[(5, 7), (1, 3), (3, 4), (6, 9), (8, 8)]), episodes(&[(1, 4), (5, 9)]));
        assert_eq!(episodes(&[(-5, -1), (-2, 3)]), episodes(&[(0, 3)]));
    }

    #[test]
    fn by_episode_and_by_duration() {
        let tally = EpisodeTally::new(&episodes(&[(0, 10), (20, 30)]), &episodes(&[(5, 25), (40, 50)]));
        assert_eq!((tally.found, tally.missed, tally.right, tally.extra), (2, 0, 1, 1));
        assert_eq!(tally.duration_sensitivity(), Some(0.5));
        assert_eq!(tally.duration_predictivity(), Some(10.0 / 30.0));
        assert_eq!(tally.episode_sensitivity(), Some(1.0));
        assert_eq!(tally.episode_predictivity(), Some(0.5));
        assert_eq!(EpisodeTally::default().duration_sensitivity(), None);
    }
}
