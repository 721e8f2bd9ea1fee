//! Beat-by-beat comparison.
//!
//! ANSI/AAMI EC57:2012, 4.3: a detected beat and a reference beat belong together if they are no more
//! than 150 ms apart; each takes part in one pair at most, the nearest; the first five minutes are for
//! learning and do not count; nor does anything while the ventricles fibrillate or flutter.

use serde::{Deserialize, Serialize};

use super::Span;
use crate::BeatClass;

/// How far apart two marks of one beat may be, microseconds.
pub const MATCH_WINDOW_US: i64 = 150_000;

/// A beat that was marked, by an expert or by a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When, in the time of the record, microseconds.
    pub time_us: i64,
    /// Its type.
    pub class: BeatClass,
}

/// What part of a record counts.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Marks before this time are not counted, microseconds.
    pub from_us: i64,
    /// Marks within these are not counted (ventricular fibrillation and flutter).
    pub excluded: Vec<Span>,
}

impl Scope {
    fn counts(&self, time_us: i64) -> bool {
        time_us >= self.from_us && !self.excluded.iter().any(|span| span.contains(time_us))
    }
}

/// Counts of pairs and of marks without a partner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Reference beats that were found.
    pub found: u64,
    /// Reference beats that were missed.
    pub missed: u64,
    /// Detected beats that are none.
    pub extra: u64,
}

impl Tally {
    /// Sensitivity: the share of reference beats that were found; none if there are none.
    #[must_use]
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.found, self.found + self.missed)
    }

    /// Positive predictivity: the share of detections that are beats; none if there are none.
    #[must_use]
    pub fn predictivity(&self) -> Option<f64> {
        share(self.found, self.found + self.extra)
    }

    /// Adds the counts of another record.
    pub fn add(&mut self, other: &Tally) {
        self.found += other.found;
        self.missed += other.missed;
        self.extra += other.extra;
    }
}

/// `part / whole`, if there is a whole.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Pairs of beats by reference class (row) and found class (column), in the order N S V F Q; paced
/// beats count as Q, as in EC57. The sixth row is of detections without a reference beat, the sixth
/// column of reference beats that were missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// The counts.
    pub counts: [[u64; 6]; 6],
}

impl Classes {
    /// The row and column of a class.
    #[must_use]
    pub fn index(class: BeatClass) -> usize {
        match class {
            BeatClass::Normal => 0,
            BeatClass::Supraventricular => 1,
            BeatClass::Ventricular => 2,
            BeatClass::Fusion => 3,
            BeatClass::Paced | BeatClass::Unclassifiable => 4,
        }
    }

    /// Supraventricular or ventricular ectopic beats as EC57:2012, 4.3.3 counts them.
    ///
    /// For V, a fusion or unclassifiable reference beat called ventricular is no error; for S, a
    /// ventricular, fusion or unclassifiable one called supraventricular is left out likewise only if
    /// it is unclassifiable. A detection without any reference beat is a false one.
    #[must_use]
    pub fn tally(&self, class: BeatClass) -> Tally {
        let own = Self::index(class);
        let row = &self.counts[own];
        let found = row[own];
        let missed = row.iter().sum::<u64>() - found;
        let excused: &[usize] = if class == BeatClass::Ventricular { &[3, 4] } else { &[4] };
        let extra = (0..6)
            .filter(|row| *row != own && !(excused.contains(row) && class != BeatClass::Normal))
            .map(|row| self.counts[row][own])
            .sum();
        Tally { found, missed, extra }
    }

    /// Adds the counts of another record.
    pub fn add(&mut self, other: &Classes) {
        for (row, others) in self.counts.iter_mut().zip(&other.counts) {
            for (count, more) in row.iter_mut().zip(others) {
                *count += more;
            }
        }
    }
}

/// What the comparison of one record gave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Beats found, missed and invented.
    pub beats: Tally,
    /// The same by class.
    pub classes: Classes,
    /// Sum of the squares of the distances within pairs, milliseconds squared.
    pub squares_ms2: f64,
    /// Times of missed reference beats, microseconds.
    pub missed_us: Vec<i64>,
    /// Times of detections that are no beats, microseconds.
    pub extra_us: Vec<i64>,
}

impl Comparison {
    /// Root mean square distance between the two marks of a beat, milliseconds.
    #[must_use]
    pub fn jitter_ms(&self) -> Option<f64> {
        (self.beats.found > 0).then(|| (self.squares_ms2 / self.beats.found as f64).sqrt())
    }
}

/// Compares detected beats with reference beats; both in order of time.
#[must_use]
pub fn compare(reference: &[Mark], found: &[Mark], scope: &Scope) -> Comparison {
    let mut result = Comparison::default();
    let (mut i, mut j) = (0, 0);
    while i < reference.len() || j < found.len() {
        match pairing(reference, found, i, j) {
            Pairing::Both => {
                let (one, other) = (reference[i], found[j]);
                if scope.counts(one.time_us) {
                    result.beats.found += 1;
                    let distance_ms = (one.time_us - other.time_us) as f64 / 1_000.0;
                    result.squares_ms2 += distance_ms * distance_ms;
                    result.classes.counts[Classes::index(one.class)][Classes::index(other.class)] += 1;
                }
                i += 1;
                j += 1;
            }
            Pairing::Missed => {
                let one = reference[i];
                if scope.counts(one.time_us) {
                    result.beats.missed += 1;
                    result.classes.counts[Classes::index(one.class)][5] += 1;
                    result.missed_us.push(one.time_us);
                }
                i += 1;
            }
            Pairing::Extra => {
                let other = found[j];
                if scope.counts(other.time_us) {
                    result.beats.extra += 1;
                    result.classes.counts[5][Classes::index(other.class)] += 1;
                    result.extra_us.push(other.time_us);
                }
                j += 1;
            }
        }
    }
    result
}

/// What to do with the next reference beat and the next detection.
enum Pairing {
    Both,
    Missed,
    Extra,
}

fn pairing(reference: &[Mark], found: &[Mark], i: usize, j: usize) -> Pairing {
    let (Some(one), Some(other)) = (reference.get(i), found.get(j)) else {
        return if i < reference.len() { Pairing::Missed } else { Pairing::Extra };
    };
    let distance = (one.time_us - other.time_us).abs();
    if distance > MATCH_WINDOW_US {
        return if one.time_us < other.time_us { Pairing::Missed } else { Pairing::Extra };
    }
    // The earlier of the two gives way if the later one has a nearer partner to come.
    let nearer = |next: Option<&Mark>, to: i64| next.is_some_and(|mark| (mark.time_us - to).abs() < distance);
    if one.time_us <= other.time_us && nearer(reference.get(i + 1), other.time_us) {
        Pairing::Missed
    } else if other.time_us < one.time_us && nearer(found.get(j + 1), one.time_us) {
        Pairing::Extra
    } else {
        Pairing::Both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(times_ms: &[i64]) -> Vec<Mark> {
        times_ms.iter().map(|ms| Mark { time_us: ms * 1_000, class: BeatClass::Normal }).collect()
    }

    fn tally(reference: &[i64], found: &[i64]) -> (u64, u64, u64) {
        let result = compare(&marks(reference), &marks(found), &Scope::default()).beats;
        (result.found, result.missed, result.extra)
    }

    #[test]
    fn each_beat_is_paired_once_with_the_nearest() {
        assert_eq!(tally(&[], &[]), (0, 0, 0));
        assert_eq!(tally(&[1_000], &[1_150]), (1, 0, 0));
        assert_eq!(tally(&[1_000], &[1_151]), (0, 1, 1));
        assert_eq!(tally(&[1_000], &[900, 1_010]), (1, 0, 1));
        assert_eq!(tally(&[1_000], &[1_010, 1_020]), (1, 0, 1));
        assert_eq!(tally(&[1_000, 1_200], &[1_120]), (1, 1, 0));
        assert_eq!(tally(&[1_000, 2_000, 3_000], &[3_010]), (1, 2, 0));
        assert_eq!(tally(&[5_000], &[1_000, 2_000]), (0, 1, 2));
    }

    #[test]
    fn learning_time_and_fibrillation_do_not_count() {
        let reference = marks(&[1_000, 2_000, 3_000, 4_000]);
        let found = marks(&[1_500, 2_010, 3_500]);
        let scope = Scope {
            from_us: 1_900_000,
            excluded: vec![Span { from_us: 2_900_000, to_us: 3_600_000 }],
        };
        let result = compare(&reference, &found, &scope);
        assert_eq!(result.beats, Tally { found: 1, missed: 1, extra: 0 });
        assert_eq!(result.missed_us, [4_000_000]);
        assert_eq!(result.jitter_ms(), Some(10.0));
        assert_eq!(result.beats.sensitivity(), Some(0.5));
        assert_eq!(result.beats.predictivity(), Some(1.0));
        assert_eq!(Tally::default().sensitivity(), None);
    }

    #[test]
    fn classes_follow_the_standard() {
        let class = |time_ms: i64, class| Mark { time_us: time_ms * 1_000, class };
        use BeatClass::{Fusion, Normal, Paced, Supraventricular, Ventricular};
        let reference = [
            class(1_000, Normal),
            class(2_000, Ventricular),
            class(3_000, Ventricular),
            class(4_000, Fusion),
            class(5_000, Supraventricular),
            class(6_000, Paced),
            class(7_000, Ventricular),
        ];
        let found = [
            class(1_000, Ventricular),
            class(2_000, Ventricular),
            class(3_000, Normal),
            class(4_000, Ventricular),
            class(5_000, Ventricular),
            class(6_000, Ventricular),
            class(8_000, Ventricular),
        ];
        let classes = compare(&reference, &found, &Scope::default()).classes;
        // Of three one is found; false are the normal, the supraventricular and the one of no beat.
        assert_eq!(classes.tally(Ventricular), Tally { found: 1, missed: 2, extra: 3 });
        assert_eq!(classes.tally(Supraventricular), Tally { found: 0, missed: 1, extra: 0 });
        assert_eq!(classes.counts[4][2], 1);
    }
}
