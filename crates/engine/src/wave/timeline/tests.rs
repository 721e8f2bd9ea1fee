//! Every way in which a message can fail to fit has its stated behaviour.

use proptest::prelude::*;
use vitals::time::{DAY, SECOND};

use super::*;

const START: i64 = 1_700_000_000_000_000;

fn rate(numerator: u32, denominator: u32) -> Rate {
    Rate::new(numerator, denominator).expect("neither is 0")
}

/// A second at 250 Hz, received when it is over.
fn arrival(second: f64, sequence: Option<u32>) -> Arrival {
    let time = START + (second * 1e6) as i64;
    Arrival {
        time,
        own_clock: true,
        received: Some(time + SECOND),
        sequence,
        rate: rate(250, 1),
        count: 250,
    }
}

/// Places arrivals of 250 samples: begin in seconds, running number, and what is expected of it: the
/// stored spans as (begin in milliseconds after the start, samples), and what is counted.
#[allow(clippy::type_complexity, reason = "a table")]
fn check(table: &[(f64, Option<u32>, &[(i64, u64)], &[(&str, u64)])]) {
    let mut line = Timeline::default();
    for (at, (second, sequence, spans, counted)) in table.iter().enumerate() {
        let placed = line.place(&arrival(*second, *sequence));
        let got: Vec<(i64, u64)> = placed
            .parts
            .iter()
            .map(|part| {
                let start = part.anchor + rate(250, 1).micros(part.first);
                ((start - START) / 1_000, part.to - part.from)
            })
            .collect();
        assert_eq!(&got, spans, "row {at}");
        assert_eq!(placed.counted.as_slice(), *counted, "row {at}");
    }
}

#[test]
fn what_fits_goes_on_in_one_stretch() {
    check(&[
        (0.0, Some(1), &[(0, 250)], &[]),
        (1.0, Some(2), &[(1_000, 250)], &[]),
        (2.001, Some(3), &[(2_000, 250)], &[]),
    ]);
    check(&[(0.0, None, &[(0, 250)], &[]), (1.02, None, &[(1_000, 250)], &[])]);
}

#[test]
fn a_gap_stays_a_gap() {
    check(&[
        (0.0, Some(1), &[(0, 250)], &[]),
        (3.0, Some(4), &[(3_000, 250)], &[("wave-gap", 1), ("wave-frame-missing", 2)]),
        (4.0, Some(5), &[(4_000, 250)], &[]),
    ]);
    check(&[(0.0, None, &[(0, 250)], &[]), (1.1, None, &[(1_100, 250)], &[("wave-gap", 1)])]);
}

#[test]
fn what_is_there_is_not_stored_again() {
    check(&[
        (0.0, Some(1), &[(0, 250)], &[]),
        (1.0, Some(2), &[(1_000, 250)], &[]),
        (0.0, Some(1), &[], &[("wave-repeated", 250)]),
        (1.5, None, &[(2_000, 125)], &[("wave-overlap", 125)]),
        (2.5, None, &[(2_500, 250)], &[]),
    ]);
}

#[test]
fn a_late_frame_fills_its_hole() {
    check(&[
        (0.0, Some(1), &[(0, 250)], &[]),
        (2.0, Some(3), &[(2_000, 250)], &[("wave-gap", 1), ("wave-frame-missing", 1)]),
        (1.0, Some(2), &[(1_000, 250)], &[("wave-late", 250)]),
        (1.0, Some(2), &[], &[("wave-repeated", 250)]),
        (3.0, Some(4), &[(3_000, 250)], &[]),
    ]);
}

#[test]
fn a_frame_across_the_end_of_what_is_known_goes_on() {
    check(&[
        (0.0, None, &[(0, 250)], &[]),
        (1.5, None, &[(1_500, 250)], &[("wave-gap", 1)]),
        (0.752, None, &[(1_000, 125)], &[("wave-overlap", 125), ("wave-late", 125)]),
    ]);
}

#[test]
fn a_device_that_counts_anew_goes_on() {
    check(&[
        (0.0, Some(700), &[(0, 250)], &[]),
        (1.0, Some(0), &[(1_000, 250)], &[]),
        (2.0, Some(1), &[(2_000, 250)], &[]),
    ]);
}

#[test]
fn a_clock_that_jumps_moves_no_sample() {
    for jump in [-3_600.0, -5.0, 5.0, 3_600.0] {
        let mut line = Timeline::default();
        for n in 0..10_u32 {
            let mut next = arrival(f64::from(n), Some(n));
            if n >= 5 {
                next.time += (jump * 1e6) as i64;
            }
            let placed = line.place(&next);
            assert_eq!(placed.parts.len(), 1, "{jump}");
            assert_eq!((placed.parts[0].anchor, placed.parts[0].first), (START, u64::from(n) * 250));
            assert_eq!(placed.counted.len(), usize::from(n >= 5), "{jump}");
        }
    }
}

#[test]
fn a_true_pause_is_a_gap_though_the_numbers_go_on() {
    check(&[
        (0.0, Some(1), &[(0, 250)], &[]),
        (1.0, Some(2), &[(1_000, 250)], &[]),
        (9.0, Some(3), &[(9_000, 250)], &[("wave-gap", 1)]),
    ]);
}

#[test]
fn another_rate_begins_anew() {
    let mut line = Timeline::default();
    line.place(&arrival(0.0, Some(1)));
    let other = Arrival { rate: rate(500, 1), count: 500, ..arrival(1.0, Some(2)) };
    let placed = line.place(&other);
    assert_eq!(placed.counted.as_slice(), [("wave-rate-changed", 1)]);
    assert_eq!((placed.parts[0].anchor, placed.parts[0].to), (START + SECOND, 500));
    // Another rate for a time that is there already is not stored over it.
    let placed = line.place(&arrival(1.0, Some(3)));
    assert!(placed.parts.is_empty(), "{placed:?}");
}

/// A week of 62.5 Hz with jittering times: one stretch, and the last sample is where it belongs.
#[test]
fn a_week_at_62_and_a_half_hertz_does_not_drift_by_a_sample() {
    let mut line = Timeline::default();
    let rate = rate(125, 2);
    let frames = 7 * DAY / (2 * SECOND);
    let mut random = 1_u64;
    for n in 0..frames {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let jitter = if n == 0 { 0 } else { (random >> 40) as i64 % 1_000 - 500 };
        let time = START + n * 2 * SECOND + jitter;
        let sequence = Some(n as u32);
        let received = Some(time + 2 * SECOND);
        let placed = line.place(&Arrival { time, own_clock: true, received, sequence, rate, count: 125 });
        assert!(placed.counted.is_empty());
        assert_eq!(placed.parts[0].anchor + rate.micros(placed.parts[0].first), START + n * 2 * SECOND);
    }
    assert_eq!(line.end(), Some(START + 7 * DAY));
}

/// A sampling clock that runs 50 parts per million slow for six hours stays within two samples of
/// the device's clock, and the drift is known.
#[test]
fn a_drift_is_corrected_and_recorded() {
    for ppm in [50_i64, -50] {
        let mut line = Timeline::default();
        let mut corrected = 0;
        for n in 0..6 * 3_600_i64 {
            let time = START + n * SECOND + n * ppm;
            let next = Arrival { time, received: Some(time + SECOND), ..arrival(0.0, Some(n as u32)) };
            let placed = line.place(&next);
            corrected += placed.counted.iter().filter(|(why, _)| *why == "wave-drift-corrected").count();
            assert_eq!(placed.parts.len(), 1);
            let part = placed.parts[0];
            assert!((part.anchor + next.rate.micros(part.first) - time).abs() <= 8_000, "{n}");
            assert_eq!(part.begins, n == 0);
        }
        assert!((200..400).contains(&corrected), "{corrected}");
        let found = i64::from(line.drift_ppm().expect("corrected"));
        assert!((found - ppm).abs() <= 5, "{found} for {ppm}");
    }
}

proptest! {
    /// Whatever comes, samples are stored at most once and never out of the arrival's own range; and
    /// no two stored runs overlap by more than a drift correction.
    #[test]
    fn nothing_is_stored_twice(arrivals in proptest::collection::vec(
        (0..40_i64, 0..4_u32, any::<bool>(), -20_000..20_000_i64, 1..600_u64), 1..60)) {
        let mut line = Timeline::default();
        let mut stored: Vec<(i64, i64)> = Vec::new();
        for (second, number, numbered, jitter, count) in arrivals {
            let time = START + second * SECOND + jitter;
            let sequence = numbered.then_some(second as u32 + number);
            let rate = rate(250, 1);
            let placed = line.place(&Arrival { time, own_clock: true, received: None, sequence, rate, count });
            let mut last = 0;
            for part in &placed.parts {
                prop_assert!(part.from >= last && part.from < part.to && part.to <= count);
                last = part.to;
                let start = part.anchor + rate.micros(part.first);
                let end = part.anchor + rate.micros(part.first + part.to - part.from);
                if stored.len() < REMEMBERED {
                    for (from, to) in &stored {
                        prop_assert!(end <= from + 40_000 || start >= to - 40_000,
                            "{start} .. {end} over {from} .. {to}");
                    }
                }
                stored.push((start, end));
            }
        }
    }
}
