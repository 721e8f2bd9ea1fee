//! What is to be predicted at each moment of a stay, and how much each moment teaches.

use predict::Variable;
use serde::Serialize;

use crate::cohort::{Fate, Stay};
use crate::measure::worth;

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Onset of sepsis within 12 hours (Challenge 2019).
    Sepsis,
    /// Onset of sepsis in 6 to 24 hours: for alerts that come in time (Challenge 2019).
    SepsisAhead,
    /// Decline to what intensive care treats, or onset of sepsis, within 24 hours (records of the Challenge 2019).
    Deterioration,
    /// Death in the hospital, told after 48 hours of intensive care (Challenge 2012).
    Mortality,
}

/// One moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lesson {
    /// What a forest learns: whether it is right to raise an alarm now.
    pub alarm: bool,
    /// How much that matters; 0 where nothing is learned.
    pub weight: f32,
    /// Whether the event comes within the horizon; none where that is not asked, since it has come already.
    pub event: Option<bool>,
}

/// Hours ahead that sepsis is predicted.
pub const SEPSIS_H: usize = 12;
/// Hours after onset that still count, as in the Challenge's utility.
const SEPSIS_LATE_H: usize = 3;
/// Least and greatest hours ahead at which an alert of sepsis is a warning, as [`crate::measure::Alerts`] counts.
const AHEAD_H: std::ops::RangeInclusive<usize> = 6..=24;
/// Hours ahead that deterioration is predicted.
pub const DETERIORATION_H: usize = 24;
/// Hours without decline before it counts as new.
const CALM_H: u32 = 6;

impl Task {
    /// The lessons of a stay, one a moment; none if the stay's data set is another one's.
    #[must_use]
    pub fn lessons(self, stay: &Stay) -> Option<Vec<Lesson>> {
        match (self, &stay.fate) {
            (Self::Sepsis, Fate::Sepsis(labels)) => Some(sepsis(labels)),
            (Self::SepsisAhead, Fate::Sepsis(labels)) => Some(ahead(stay.onset(), labels.len())),
            (Self::Deterioration, Fate::Sepsis(_)) => Some(deterioration(stay)),
            (Self::Mortality, Fate::Died(died)) => Some(vec![Lesson { alarm: *died, weight: 1.0, event: Some(*died) }]),
            _ => None,
        }
    }

    /// The moment of the event that alerts are to warn of, if there is one.
    #[must_use]
    pub fn event(self, stay: &Stay) -> Option<usize> {
        match self {
            Self::Sepsis | Self::SepsisAhead => stay.onset(),
            Self::Deterioration => first_decline(stay),
            Self::Mortality => None,
        }
    }
}

/// It is right to alarm where the Challenge's utility says so, and matters as much as the utility does.
fn sepsis(labels: &[bool]) -> Vec<Lesson> {
    let onset = labels.iter().position(|label| *label).map(|first| first + 6);
    let lesson = |(hour, (yes, no)): (usize, (f64, f64))| Lesson {
        alarm: yes > no,
        weight: (yes - no).abs() as f32,
        event: match onset {
            None => Some(false),
            Some(onset) => (hour <= onset + SEPSIS_LATE_H).then_some(hour + SEPSIS_H > onset),
        },
    };
    worth(labels).into_iter().enumerate().map(lesson).collect()
}

/// It is right to alarm where onset is far enough for a warning and near enough to be one. Hours nearer to onset are not
/// asked about. An onset with few such hours, early in a stay, counts less than one with many, but not as much less as it
/// has fewer: the weight of its hours grows with the root of how few they are.
fn ahead(onset: Option<usize>, hours: usize) -> Vec<Lesson> {
    let Some(onset) = onset else { return vec![Lesson { alarm: false, weight: 1.0, event: Some(false) }; hours] };
    let in_time = |hour: &usize| onset >= *hour && AHEAD_H.contains(&(onset - hour));
    let count = (0..hours).filter(in_time).count().max(1);
    let weight = libm::sqrt(AHEAD_H.count() as f64 / count as f64) as f32;
    let lesson = |hour: usize| match in_time(&hour) {
        true => Lesson { alarm: true, weight, event: Some(true) },
        false if hour + AHEAD_H.end() < onset => Lesson { alarm: false, weight: 1.0, event: Some(false) },
        false => Lesson::default(),
    };
    (0..hours).map(lesson).collect()
}

/// The first decline of a stay, or the onset of sepsis if that is first.
fn first_decline(stay: &Stay) -> Option<usize> {
    declines(stay).iter().position(|new| *new).into_iter().chain(stay.onset()).min()
}

/// Moments up to the first event; those in decline from the beginning are not asked about until it has passed.
fn deterioration(stay: &Stay) -> Vec<Lesson> {
    let event = first_decline(stay);
    let ill = in_decline(stay);
    let lesson = |hour: usize| {
        let over = event.is_some_and(|event| hour >= event);
        if over || ill[hour] {
            return Lesson::default();
        }
        let soon = event.is_some_and(|event| event - hour <= DETERIORATION_H);
        Lesson { alarm: soon, weight: 1.0, event: Some(soon) }
    };
    (0..stay.moments.len()).map(lesson).collect()
}

/// Whether decline begins at a moment: it is there, and was not in the hours before.
fn declines(stay: &Stay) -> Vec<bool> {
    let ill = in_decline(stay);
    let calm = |hour: usize| {
        let from = stay.moments[hour].saturating_sub(CALM_H * 60);
        hour > 0 && (0..hour).rev().take_while(|before| stay.moments[*before] >= from).all(|before| !ill[before])
    };
    (0..ill.len()).map(|hour| ill[hour] && calm(hour)).collect()
}

/// Whether at a moment the patient is as ill as intensive care treats: a vital sign beyond its limit in this hour and in
/// the next measured one within two hours, so that a single wrong value does not count.
fn in_decline(stay: &Stay) -> Vec<bool> {
    let mut ill = vec![false; stay.moments.len()];
    for (variable, beyond) in LIMITS {
        let mut before: Option<u32> = None;
        for value in stay.values.iter().filter(|value| value.variable == variable) {
            if !beyond(value.value) {
                before = None;
                continue;
            }
            if let Some(first) = before.filter(|first| value.minute - first <= 120) {
                for (at, moment) in stay.moments.iter().enumerate() {
                    ill[at] |= (first..=value.minute).contains(moment);
                }
            }
            before = Some(value.minute);
        }
    }
    ill
}

/// Limits of decline.
const LIMITS: [(Variable, fn(f32) -> bool); 5] = [
    (Variable::MeanPressure, |value| value < 60.0),
    (Variable::Systolic, |value| value < 90.0),
    (Variable::OxygenSaturation, |value| value < 85.0),
    (Variable::RespRate, |value| value >= 36.0 || value <= 6.0),
    (Variable::HeartRate, |value| value >= 150.0),
];

#[cfg(test)]
mod tests {
    use predict::Person;

    use super::*;
    use crate::cohort::Value;

    fn stay(hours: u32, labels: impl Fn(u32) -> bool, systolic: &[(u32, f32)]) -> Stay {
        let value = |(hour, value): &(u32, f32)| Value { minute: hour * 60, variable: Variable::Systolic, value: *value };
        Stay {
            id: "x".to_owned(),
            source: 0,
            person: Person::UNKNOWN,
            values: systolic.iter().map(value).collect(),
            moments: (0..hours).map(|hour| hour * 60).collect(),
            fate: Fate::Sepsis((0..hours).map(labels).collect()),
        }
    }

    #[test]
    fn sepsis_is_asked_about_from_twelve_hours_before_to_three_after() {
        let lessons = Task::Sepsis.lessons(&stay(40, |hour| hour >= 20, &[])).expect("hourly labels");
        let events: Vec<usize> = (0..40).filter(|hour| lessons[*hour].event == Some(true)).collect();
        assert_eq!((events.first(), events.last()), (Some(&15), Some(&29)), "onset is at hour 26");
        assert!(lessons[30].event.is_none() && lessons[30].weight.abs() < 1e-9);
        assert!(lessons[14..30].iter().skip(1).all(|lesson| lesson.alarm) && !lessons[14].alarm);
    }

    #[test]
    fn ahead_means_six_to_twenty_four_hours_before_onset() {
        let lessons = Task::SepsisAhead.lessons(&stay(50, |hour| hour >= 34, &[])).expect("hourly labels");
        let events: Vec<usize> = (0..50).filter(|hour| lessons[*hour].event == Some(true)).collect();
        assert_eq!((events.first(), events.last(), events.len()), (Some(&16), Some(&34), 19), "onset is at hour 40");
        assert!(lessons[..16].iter().all(|lesson| lesson.event == Some(false) && !lesson.alarm));
        assert!(lessons[35..].iter().all(|lesson| *lesson == Lesson::default()), "too late for a warning");
        let early = Task::SepsisAhead.lessons(&stay(20, |hour| hour >= 4, &[])).expect("hourly labels");
        assert!((early[0].weight - (19.0f32 / 5.0).sqrt()).abs() < 1e-6, "five hours speak of an onset at hour 10");
        let none = Task::SepsisAhead.lessons(&stay(9, |_| false, &[])).expect("hourly labels");
        assert!(none.iter().all(|lesson| lesson.event == Some(false) && (lesson.weight - 1.0).abs() < 1e-6));
    }

    #[test]
    fn decline_must_last_and_be_new() {
        let task = Task::Deterioration;
        let single = stay(40, |_| false, &[(20, 80.0), (21, 120.0)]);
        assert_eq!(task.event(&single), None, "one value is not decline");
        let lasting = stay(60, |_| false, &[(5, 120.0), (40, 80.0), (41, 80.0), (42, 120.0)]);
        assert_eq!(task.event(&lasting), Some(40));
        let lessons = task.lessons(&lasting).expect("hourly records");
        assert_eq!((lessons[15].event, lessons[16].event, lessons[39].event), (Some(false), Some(true), Some(true)));
        assert!(lessons[40..].iter().all(|lesson| lesson.event.is_none()));
        let from_start = stay(20, |_| false, &[(0, 80.0), (1, 80.0), (2, 120.0)]);
        assert_eq!(task.event(&from_start), None, "what was there at the beginning is not new");
        assert!(task.lessons(&from_start).expect("hourly records")[0].event.is_none());
    }

    #[test]
    fn sepsis_is_deterioration() {
        assert_eq!(Task::Deterioration.event(&stay(40, |hour| hour >= 20, &[])), Some(26));
    }
}
