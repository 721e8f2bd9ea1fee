//! The worklist: reasons as data, and what always holds of the order.

use alert::Priority;
use alert::worklist::{Alarm, Gain, Overdue, Rank, Risk, ScoreSeen, Sign, Situation, Slope, Standing, Step, Weights, gain, rank};
use proptest::prelude::*;
use vitals::time::{MINUTE, SECOND};

const HOUR: i64 = 60 * MINUTE;
const NOW: i64 = 1_000 * HOUR;

fn check(seen: &Situation<'_>, expected: &[&str]) {
    let found = rank(seen, &Weights::default());
    let texts: Vec<&str> = found.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert_eq!(texts, expected);
    assert!(found.reasons.windows(2).all(|pair| pair[0].points >= pair[1].points), "biggest first");
}

fn rising(sign: Sign, from: f64, to: f64, hours: i64) -> Gain {
    let slope = Slope { from, to, over_us: hours * HOUR, per_hour: (to - from) / hours as f64 };
    gain(sign, slope, 1, &Weights::default()).expect("a trend towards danger")
}

#[test]
fn reasons_are_a_nurses_words_biggest_first() {
    let seen = Situation { now: NOW, ..Situation::default() };
    check(&seen, &[]);
    check(
        &Situation {
            score: Some(ScoreSeen { name: "NEWS2", value: 3.0, before: Some((1.0, NOW - 4 * HOUR)) }),
            gains: &[rising(Sign::RespiratoryRate, 16.0, 24.0, 3)],
            unseen_since: Some(NOW - 5 * HOUR),
            ..seen.clone()
        },
        &["respiratory rate rising 16→24 over 3 h", "NEWS2 3, was 1 4 h ago", "not seen for 5 h"],
    );
    check(
        &Situation {
            gains: &[rising(Sign::OxygenSaturation, 97.0, 93.0, 2), rising(Sign::Temperature, 37.2, 38.4, 3)],
            risks: &[Risk { of: "sepsis", probability: 0.31, why: Some("lactate high, 4.1 mmol/L") }],
            ..seen.clone()
        },
        &["oxygen saturation falling 97→93 % over 2 h", "risk of sepsis 31 %: lactate high, 4.1 mmol/L", "temperature rising 37.2→38.4 °C over 3 h"],
    );
    check(
        &Situation {
            alerts: &[
                Alarm { title: "SpO2 low", priority: Priority::Medium, sounding_since: None },
                Alarm { title: "Asystole", priority: Priority::High, sounding_since: Some(NOW - 2 * MINUTE) },
            ],
            overdue: Some(Overdue { what: "systolic pressure", last: NOW - 9 * HOUR, every: 6 * HOUR }),
            steps: &[Step { pathway: "Sepsis: hour-1 bundle", title: "Give antibiotics", due_at: NOW - 12 * MINUTE }],
            waiting: &["NEWS2: urgent response"],
            ..seen.clone()
        },
        &[
            "high-priority alert untaken for 2 min: Asystole",
            "Sepsis: hour-1 bundle: Give antibiotics overdue for 12 min",
            "medium-priority alert, taken: SpO2 low",
            "NEWS2: urgent response suggested, nobody has decided",
            "systolic pressure last measured 9 h ago, due every 6 h",
        ],
    );
}

#[test]
fn a_trend_away_from_danger_is_none() {
    for (sign, from, to) in [
        (Sign::RespiratoryRate, 24.0, 16.0),
        (Sign::OxygenSaturation, 90.0, 97.0),
        (Sign::Systolic, 90.0, 130.0),
        (Sign::Pulse, 60.0, 70.0),
    ] {
        let slope = Slope { from, to, over_us: 3 * HOUR, per_hour: (to - from) / 3.0 };
        assert_eq!(gain(sign, slope, 1, &Weights::default()), None, "{sign:?}");
    }
}

fn of(points: f64) -> Rank {
    Rank { points, reasons: Vec::new() }
}

#[test]
fn a_standing_goes_up_at_once_and_down_when_it_lasts() {
    let weights = Weights::default();
    let mut standing = Standing::default();
    let mut at = |second: i64, points: f64, at_once: bool| {
        standing.settle(of(points), second * SECOND, at_once, &weights);
        standing.settled
    };
    assert!((at(0, 5.0, false) - 5.0).abs() < 1e-9);
    assert!((at(60, 5.9, false) - 5.0).abs() < 1e-9, "less than the margin");
    assert!((at(120, 6.0, false) - 6.0).abs() < 1e-9);
    assert!((at(180, 3.0, false) - 6.0).abs() < 1e-9, "better, but only now");
    assert!((at(600, 5.5, false) - 6.0).abs() < 1e-9, "not better by the margin: it begins anew");
    assert!((at(660, 3.0, false) - 6.0).abs() < 1e-9);
    assert!((at(1_260, 3.0, false) - 3.0).abs() < 1e-9, "better for ten minutes");
    assert!((at(1_300, 2.8, true) - 2.8).abs() < 1e-9, "somebody looked");
}

/// A patient by numbers: score, rise, trend, unseen hours, waiting minutes, late share, risk.
type Numbers = (f64, f64, f64, f64, i64, f64, f64);

fn points(n: Numbers) -> f64 {
    let (value, rise, concern, hours, minutes, late, risk) = n;
    let slope = Slope { from: 16.0, to: 20.0, over_us: HOUR, per_hour: 4.0 };
    let gains = [Gain { sign: Sign::RespiratoryRate, slope, concern }];
    let seen = Situation {
        now: NOW,
        score: Some(ScoreSeen { name: "NEWS2", value, before: Some((value - rise, NOW - HOUR)) }),
        gains: &gains,
        risks: &[Risk { of: "sepsis", probability: risk, why: None }],
        unseen_since: Some(NOW - (hours * HOUR as f64) as i64),
        alerts: &[Alarm { title: "t", priority: Priority::Medium, sounding_since: Some(NOW - minutes * MINUTE) }],
        overdue: Some(Overdue { what: "w", last: NOW - (HOUR as f64 * (1.0 + late)) as i64, every: HOUR }),
        ..Situation::default()
    };
    rank(&seen, &Weights::default()).points
}

fn numbers() -> impl Strategy<Value = Numbers> {
    (0.0..20.0_f64, 0.0..10.0_f64, 0.0..4.0_f64, 0.0..30.0_f64, 0_i64..90, 0.0..4.0_f64, 0.0..1.0_f64)
}

proptest! {
    #[test]
    fn worse_never_ranks_lower(a in numbers(), by in numbers()) {
        let worse = (a.0 + by.0, a.1 + by.1, a.2 + by.2, a.3 + by.3, a.4 + by.4, a.5 + by.5, a.6 + by.6);
        prop_assert!(points(worse) >= points(a) - 1e-9);
    }

    #[test]
    fn of_two_with_one_past_the_worse_never_stands_lower(
        past in proptest::collection::vec(0.0..30.0_f64, 0..20), a in 0.0..30.0_f64, b in 0.0..30.0_f64,
    ) {
        let weights = Weights::default();
        let mut one = Standing::default();
        for (minute, points) in past.iter().enumerate() {
            one.settle(of(*points), minute as i64 * MINUTE, false, &weights);
        }
        let mut other = one.clone();
        let now = past.len() as i64 * MINUTE;
        one.settle(of(a.min(b)), now, false, &weights);
        other.settle(of(a.max(b)), now, false, &weights);
        prop_assert!(other.settled >= one.settled);
    }

    #[test]
    fn ties_keep_their_order_whatever_the_order_of_asking(points in proptest::collection::vec(0..4_u8, 2..20)) {
        let weights = Weights::default();
        let standings: Vec<(usize, Standing)> = points.iter().enumerate().map(|(at, points)| {
            let mut standing = Standing::default();
            standing.settle(of(f64::from(*points) * 2.0), at as i64 * SECOND, false, &weights);
            (at, standing)
        }).collect();
        let sorted = |mut all: Vec<(usize, Standing)>| {
            all.sort_by(|a, b| a.1.before(&b.1).then(a.0.cmp(&b.0)));
            all.into_iter().map(|(at, _)| at).collect::<Vec<_>>()
        };
        let mut turned = standings.clone();
        turned.reverse();
        prop_assert_eq!(sorted(standings), sorted(turned));
    }
}
