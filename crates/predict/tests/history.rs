//! Histories: what an hour's value is, what is refused, what does not depend on the order, how large they get.

mod common;

use common::{Numbers, stay};
use predict::feature::{self, Plan, Windows};
use predict::history::{HOUR_US, WINDOW};
use predict::{History, Person, Refused, Variable};
use proptest::prelude::*;

const MINUTE: i64 = HOUR_US / 60;

fn row(history: &History) -> Vec<u32> {
    let mut row = Vec::new();
    Plan::of(feature::all()).fill(history, &mut Windows::default(), &mut row);
    row.into_iter().map(f32::to_bits).collect()
}

fn value(history: &History, name: &str) -> f32 {
    let mut row = Vec::new();
    Plan::new([name]).expect("a feature").fill(history, &mut Windows::default(), &mut row);
    row[0]
}

#[test]
fn refusals() {
    let mut history = stay(&[(Variable::HeartRate, 30.0, 80.0)]);
    let before = history.clone();
    for (variable, hour, value, expected) in [
        (Variable::HeartRate, 30, f32::NAN, Refused::Implausible),
        (Variable::HeartRate, 30, f32::INFINITY, Refused::Implausible),
        (Variable::HeartRate, 30, 301.0, Refused::Implausible),
        (Variable::InspiredOxygen, 30, 0.4, Refused::Implausible),
        (Variable::Ventilation, 30, 0.0, Refused::Absent),
        (Variable::HeartRate, -1, 80.0, Refused::BeforeStay),
        (Variable::HeartRate, 30 - i64::from(WINDOW), 80.0, Refused::TooLate),
    ] {
        assert_eq!(history.take(variable, hour * HOUR_US, value), Err(expected), "{variable:?} {hour} {value}");
        assert_eq!(history, before, "what is refused changes nothing");
    }
    let oldest = 30 - i64::from(WINDOW) + 1;
    assert_eq!(history.take(Variable::HeartRate, oldest * HOUR_US, 90.0), Ok(()));
    assert_eq!(value(&history, "HR.last"), 80.0, "a late value is not the newest");
    assert_eq!(value(&history, "HR.max24"), 90.0);
}

#[test]
fn times_at_the_ends_of_the_scale_are_no_harm() {
    for (begin, time) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, i64::MAX), (0, i64::MIN)] {
        let mut history = History::new(Person::UNKNOWN, begin);
        let _ = history.take(Variable::HeartRate, time, 80.0);
        history.advance(time);
        let _ = row(&history);
    }
}

#[test]
fn an_hour_is_the_mean_of_its_values_and_what_is_collected_their_sum() {
    let history = stay(&[
        (Variable::HeartRate, 0.0, 80.0),
        (Variable::HeartRate, 0.5, 90.0),
        (Variable::HeartRate, 1.0, 100.0),
        (Variable::Urine, 0.2, 100.0),
        (Variable::Urine, 0.8, 50.0),
        (Variable::Urine, 1.5, 30.0),
    ]);
    for (name, expected) in [
        ("HR.last", 100.0),
        ("HR.first", 85.0),
        ("HR.mean6", 92.5),
        ("HR.change", 15.0),
        ("HR.count", 2.0),
        ("Urine.last", 30.0),
        ("Urine.sum6", 180.0),
        ("Urine.mean6", 90.0),
        ("Urine.first", 150.0),
    ] {
        assert_eq!(value(&history, name), expected, "{name}");
    }
}

#[test]
fn nothing_of_later_is_seen() {
    let early = [(Variable::HeartRate, 1.0, 80.0), (Variable::Lactate, 2.0, 1.5)];
    let late = [(Variable::HeartRate, 9.0, 150.0)];
    let before = stay(&early);
    let seen = row(&before);
    let mut both: Vec<_> = early.to_vec();
    both.extend(late);
    assert_ne!(row(&stay(&both)), seen);
    assert_eq!(row(&before), seen, "FE-2");
}

#[test]
fn size_is_bounded() {
    let mut history = History::new(Person::UNKNOWN, 0);
    let mut numbers = Numbers(1);
    for hour in 0..200 {
        for minute in 0..60 {
            for variable in &Variable::ALL[..8] {
                let (low, high) = variable.plausible();
                let value = low + (high - low) * numbers.below(1000) as f32 / 1000.0;
                history.observe(*variable, hour * HOUR_US + minute * MINUTE, value);
            }
        }
        if hour % 8 == 0 {
            for variable in &Variable::ALL[8..] {
                let (low, high) = variable.plausible();
                history.observe(*variable, hour * HOUR_US, low + (high - low) / 2.0);
            }
        }
    }
    let size = postcard::to_stdvec(&history).expect("written").len();
    assert!(size < 6_500, "{size} bytes");
    let back: History = postcard::from_bytes(&postcard::to_stdvec(&history).expect("written")).expect("read");
    assert_eq!(row(&back), row(&history));
    let back: History = serde_json::from_slice(&serde_json::to_vec(&history).expect("written")).expect("read");
    assert_eq!(row(&back), row(&history), "JSON keeps it, with what is unknown");
}

proptest! {
    /// FE-1: in order or shuffled within the window, the same to the bit.
    #[test]
    fn late_values_give_the_same(
        mut values in proptest::collection::vec((0..44usize, 0..20 * 60i64, 0..1000u32), 1..200),
        seed: u64,
    ) {
        // Of two values of one time the last to come is the newest; here each has a time of its own.
        values.sort_by_key(|(variable, minute, _)| (*variable, *minute));
        values.dedup_by_key(|(variable, minute, _)| (*variable, *minute));
        values.sort_by_key(|(_, minute, _)| *minute);
        let take = |order: &[(usize, i64, u32)]| {
            let mut history = History::new(Person::UNKNOWN, 0);
            for (variable, minute, part) in order {
                let variable = Variable::ALL[*variable];
                let (low, high) = variable.plausible();
                let value = (f64::from(low) + f64::from(high - low) * f64::from(*part) / 1000.0) as f32;
                history.observe(variable, minute * MINUTE, value);
            }
            history.advance(40 * HOUR_US);
            history
        };
        let ordered = take(&values);
        let mut numbers = Numbers(seed);
        for at in (1..values.len()).rev() {
            values.swap(at, numbers.below(at + 1));
        }
        prop_assert!(row(&take(&values)) == row(&ordered), "{values:?}");
    }
}
