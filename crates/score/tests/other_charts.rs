//! qSOFA, SIRS, shock index, MEWS and Bedside PEWS against their published tables.

use score::{
    Aged, Band, Consciousness, Effort, Inputs, MaxAge, PartState, Score, mews, pews, qsofa,
    shock_index, sirs,
};
use vitals::EffectiveTime;
use vitals::metric::code;

const NOW: EffectiveTime = EffectiveTime(1_700_000_000_000_000);

fn now<T>(value: T) -> Option<Aged<T>> {
    Some(Aged::new(value, NOW))
}

/// An adult with nothing wrong by any score.
fn well() -> Inputs {
    Inputs {
        resp_rate: now(14.0),
        spo2: now(97.0),
        supplemental_oxygen: now(false),
        systolic: now(120.0),
        diastolic: now(70.0),
        pulse: now(70.0),
        consciousness: now(Consciousness::Alert),
        temperature: now(37.0),
        wbc: now(7.0),
        capillary_refill: now(1.0),
        respiratory_effort: now(Effort::Normal),
        ..Inputs::default()
    }
}

/// Sets one input of `base` and expects a total.
fn check(
    score: fn(&Inputs, EffectiveTime, &MaxAge) -> Score,
    base: &Inputs,
    name: &str,
    value: f64,
    expected: u8,
) {
    let mut inputs = *base;
    match name {
        "resp_rate" => inputs.resp_rate = now(value),
        "spo2" => inputs.spo2 = now(value),
        "systolic" => inputs.systolic = now(value),
        "pulse" => inputs.pulse = now(value),
        "temperature" => inputs.temperature = now(value),
        "wbc" => inputs.wbc = now(value),
        "paco2" => inputs.paco2 = now(value),
        "gcs" => inputs.gcs = now(value),
        "capillary_refill" => inputs.capillary_refill = now(value),
        "consciousness" => {
            inputs.consciousness = Consciousness::from_number(value as i32).and_then(now)
        }
        "effort" => inputs.respiratory_effort = Effort::from_number(value as i32).and_then(now),
        other => panic!("no such input: {other}"),
    }
    let score = score(&inputs, NOW, &MaxAge::WARD);
    assert_eq!(
        score.value,
        Some(f64::from(expected)),
        "{} {name} {value}",
        score.name
    );
    assert!(score.complete, "{} {name} {value}", score.name);
}

#[test]
fn qsofa_criteria() {
    for (name, value, expected) in [
        ("resp_rate", 21.0, 0),
        ("resp_rate", 22.0, 1),
        ("systolic", 101.0, 0),
        ("systolic", 100.0, 1),
        ("gcs", 15.0, 0),
        ("gcs", 14.0, 1),
        ("consciousness", 0.0, 0),
        ("consciousness", 1.0, 1),
        ("consciousness", 4.0, 1),
    ] {
        check(qsofa, &well(), name, value, expected);
    }
    let mut inputs = well();
    inputs.resp_rate = now(22.0);
    inputs.systolic = now(100.0);
    assert_eq!(qsofa(&inputs, NOW, &MaxAge::WARD).band, Band::High);
    inputs.consciousness = None;
    let score = qsofa(&inputs, NOW, &MaxAge::WARD);
    assert_eq!((score.value, score.complete), (Some(2.0), false));
}

#[test]
fn sirs_criteria() {
    for (name, value, expected) in [
        ("temperature", 35.9, 1),
        ("temperature", 36.0, 0),
        ("temperature", 38.0, 0),
        ("temperature", 38.1, 1),
        ("pulse", 90.0, 0),
        ("pulse", 91.0, 1),
        ("resp_rate", 20.0, 0),
        ("resp_rate", 21.0, 1),
        ("paco2", 31.9, 1),
        ("paco2", 32.0, 0),
        ("wbc", 3.9, 1),
        ("wbc", 4.0, 0),
        ("wbc", 12.0, 0),
        ("wbc", 12.1, 1),
    ] {
        check(sirs, &well(), name, value, expected);
    }
    // Either respiratory rate or PaCO2 judges respiration, and only once.
    let mut inputs = well();
    inputs.resp_rate = now(30.0);
    inputs.paco2 = now(25.0);
    assert_eq!(sirs(&inputs, NOW, &MaxAge::WARD).value, Some(1.0));
    inputs.resp_rate = None;
    let score = sirs(&inputs, NOW, &MaxAge::WARD);
    assert_eq!((score.value, score.complete), (Some(1.0), true));
    inputs.paco2 = None;
    let score = sirs(&inputs, NOW, &MaxAge::WARD);
    assert_eq!((score.value, score.complete), (Some(0.0), false));
    assert_eq!(
        score.missing().next().map(|part| part.metric),
        Some(code::RESP_RATE)
    );
}

#[test]
fn shock_index_by_age() {
    for (pulse, systolic, age, value, band) in [
        (70.0, 140.0, Some(40.0), 0.5, Band::Low),
        (70.0, 100.0, None, 0.7, Band::Low),
        (80.0, 100.0, None, 0.8, Band::LowMedium),
        (90.0, 100.0, None, 0.9, Band::Medium),
        (100.0, 100.0, None, 1.0, Band::High),
        (122.0, 100.0, Some(5.0), 1.22, Band::Low),
        (123.0, 100.0, Some(6.9), 1.23, Band::High),
        (100.0, 100.0, Some(10.0), 1.0, Band::Low),
        (101.0, 100.0, Some(12.5), 1.01, Band::High),
        (90.0, 100.0, Some(15.0), 0.9, Band::Low),
        (91.0, 100.0, Some(16.5), 0.91, Band::High),
        (180.0, 90.0, Some(1.0), 2.0, Band::None),
    ] {
        let mut inputs = well();
        inputs.pulse = now(pulse);
        inputs.systolic = now(systolic);
        inputs.age_years = age;
        let score = shock_index(&inputs, NOW, &MaxAge::WARD);
        assert_eq!(
            (score.value, score.band),
            (Some(value), band),
            "{pulse}/{systolic} {age:?}"
        );
        assert!(score.complete);
    }
    let mut inputs = well();
    inputs.systolic = now(0.0);
    let score = shock_index(&inputs, NOW, &MaxAge::WARD);
    assert_eq!((score.value, score.complete), (None, false));
}

#[test]
fn mews_chart() {
    for (name, cells) in [
        (
            "systolic",
            &[
                (70, 3),
                (71, 2),
                (80, 2),
                (81, 1),
                (100, 1),
                (101, 0),
                (199, 0),
                (200, 2),
            ][..],
        ),
        (
            "pulse",
            &[
                (39, 2),
                (40, 2),
                (41, 1),
                (50, 1),
                (51, 0),
                (100, 0),
                (101, 1),
                (110, 1),
                (111, 2),
                (129, 2),
                (130, 3),
            ],
        ),
        (
            "resp_rate",
            &[
                (8, 2),
                (9, 0),
                (14, 0),
                (15, 1),
                (20, 1),
                (21, 2),
                (29, 2),
                (30, 3),
            ],
        ),
        ("consciousness", &[(0, 0), (1, 1), (2, 1), (3, 2), (4, 3)]),
    ] {
        for (value, points) in cells {
            check(mews, &well(), name, f64::from(*value), *points);
        }
    }
    for (value, points) in [(34.9, 2), (35.0, 0), (38.4, 0), (38.5, 2)] {
        check(mews, &well(), "temperature", value, points);
    }
}

/// Parshuram 2009, table 1: age in years, then for pulse, systolic pressure and respiratory rate
/// the limits for 4, 2 and 1 points from below, then for 1, 2 and 4 from above.
const PEWS_ROWS: [(f64, [[i32; 6]; 3]); 5] = [
    (
        0.1,
        [
            [80, 90, 110, 150, 180, 190],
            [45, 50, 60, 80, 100, 130],
            [15, 19, 29, 61, 81, 91],
        ],
    ),
    (
        0.5,
        [
            [70, 80, 100, 150, 170, 180],
            [60, 70, 80, 100, 120, 150],
            [15, 19, 24, 51, 71, 81],
        ],
    ),
    (
        2.0,
        [
            [60, 70, 90, 120, 150, 170],
            [65, 75, 90, 110, 125, 160],
            [12, 15, 19, 41, 61, 71],
        ],
    ),
    (
        8.0,
        [
            [50, 60, 70, 110, 130, 150],
            [70, 80, 90, 120, 140, 170],
            [10, 14, 19, 31, 41, 51],
        ],
    ),
    (
        15.0,
        [
            [40, 50, 60, 100, 120, 140],
            [75, 85, 100, 130, 150, 190],
            [9, 10, 11, 17, 23, 30],
        ],
    ),
];

#[test]
fn pews_chart() {
    for (age, rows) in PEWS_ROWS {
        let middle = |row: [i32; 6]| f64::from(i32::midpoint(row[2], row[3]));
        let mut base = well();
        base.age_years = Some(age);
        base.pulse = now(middle(rows[0]));
        base.systolic = now(middle(rows[1]));
        base.resp_rate = now(middle(rows[2]));
        for (name, row) in ["pulse", "systolic", "resp_rate"].into_iter().zip(rows) {
            let [a, b, c, d, e, f] = row;
            for (value, points) in [
                (a - 1, 4),
                (a, 4),
                (a + 1, 2),
                (b, 2),
                (b + 1, 1),
                (c, 1),
                (c + 1, 0),
                (d - 1, 0),
                (d, 1),
                (e - 1, 1),
                (e, 2),
                (f - 1, 2),
                (f, 4),
                (f + 1, 4),
            ] {
                // Where two limits touch (10 and 11 breaths over 12 years) the lower cell wins.
                let points = match value {
                    value if value <= a => 4,
                    value if value <= b => 2,
                    value if value <= c => 1,
                    _ => points,
                };
                check(pews, &base, name, f64::from(value), points);
            }
        }
        for (name, value, points) in [
            ("capillary_refill", 2.9, 0),
            ("capillary_refill", 3.0, 4),
            ("spo2", 95.0, 0),
            ("spo2", 94.0, 1),
            ("spo2", 91.0, 1),
            ("spo2", 90.0, 2),
            ("effort", 0.0, 0),
            ("effort", 1.0, 1),
            ("effort", 2.0, 2),
            ("effort", 3.0, 4),
        ] {
            check(pews, &base, name, value, points);
        }
        for (fio2, flow, points) in [
            (None, None, 2),
            (Some(49.0), Some(3.9), 2),
            (Some(50.0), None, 4),
            (None, Some(4.0), 4),
        ] {
            let mut inputs = base;
            inputs.supplemental_oxygen = now(true);
            inputs.fio2 = fio2.and_then(now);
            inputs.oxygen_flow = flow.and_then(now);
            let score = pews(&inputs, NOW, &MaxAge::WARD);
            assert_eq!(score.value, Some(f64::from(points)), "{fio2:?} {flow:?}");
        }
    }
}

#[test]
fn pews_age_bands() {
    // A pulse of 115: normal to 3 months, normal to 12 months and to 4 years, fast above.
    for (age, points) in [
        (0.0, Some(0)),
        (0.249, Some(0)),
        (0.25, Some(0)),
        (0.999, Some(0)),
        (1.0, Some(0)),
        (4.0, Some(0)),
        (4.01, Some(1)),
        (12.0, Some(1)),
        (12.01, Some(1)),
        (17.99, Some(1)),
        (18.0, None),
        (-1.0, None),
    ] {
        let mut inputs = Inputs {
            age_years: Some(age),
            ..Inputs::default()
        };
        inputs.pulse = now(115.0);
        let score = pews(&inputs, NOW, &MaxAge::WARD);
        assert_eq!(score.value, points.map(f64::from), "{age}");
        assert!(!score.note.is_empty());
    }
    let score = pews(&well(), NOW, &MaxAge::WARD);
    assert_eq!((score.value, score.note), (None, "PEWS needs the age."));
}

#[test]
fn adult_scores_are_not_given_to_children() {
    let mut inputs = well();
    inputs.age_years = Some(10.0);
    for score in [qsofa, sirs, mews] {
        let score = score(&inputs, NOW, &MaxAge::WARD);
        assert_eq!(
            (score.value, score.parts.len()),
            (None, 0),
            "{}",
            score.name
        );
        assert!(!score.note.is_empty() && !score.source.is_empty());
    }
}

#[test]
fn monitored_beds_age_faster() {
    let mut inputs = well();
    inputs.pulse = Some(Aged::new(70.0, NOW.plus(-301_000_000)));
    assert!(mews(&inputs, NOW, &MaxAge::WARD).complete);
    let score = mews(&inputs, NOW, &MaxAge::MONITORED);
    assert_eq!(
        score.missing().map(|p| p.state).collect::<Vec<_>>(),
        [PartState::Aged]
    );
}
