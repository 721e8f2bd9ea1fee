//! Every cell and every boundary of the NEWS2 chart (Royal College of Physicians, 2017, chart 1),
//! the aggregate bands (chart 2), and the rules for what is missing, old or not for the score.

use score::{Aged, Band, Consciousness, Inputs, MaxAge, PartState, Scale, Score, news2};
use vitals::EffectiveTime;
use vitals::metric::code;

const NOW: EffectiveTime = EffectiveTime(1_700_000_000_000_000);

fn now<T>(value: T) -> Option<Aged<T>> {
    Some(Aged::new(value, NOW))
}

/// A patient with every parameter in a cell of zero points.
fn well() -> Inputs {
    Inputs {
        resp_rate: now(16.0),
        spo2: now(97.0),
        supplemental_oxygen: now(false),
        systolic: now(120.0),
        pulse: now(70.0),
        consciousness: now(Consciousness::Alert),
        temperature: now(37.0),
        age_years: Some(60.0),
        ..Inputs::default()
    }
}

fn compute(inputs: &Inputs) -> Score {
    news2(inputs, NOW, &MaxAge::WARD)
}

fn with(name: &str, value: f64) -> Inputs {
    let mut inputs = well();
    match name {
        "resp_rate" => inputs.resp_rate = now(value),
        "systolic" => inputs.systolic = now(value),
        "pulse" => inputs.pulse = now(value),
        "temperature" => inputs.temperature = now(value),
        "spo2" => inputs.spo2 = now(value),
        "spo2 scale 2 air" => {
            inputs.spo2 = now(value);
            inputs.spo2_scale = Scale::Two;
        }
        "spo2 scale 2 oxygen" => {
            inputs.spo2 = now(value);
            inputs.spo2_scale = Scale::Two;
            inputs.supplemental_oxygen = now(true);
        }
        other => panic!("no such row: {other}"),
    }
    inputs
}

/// The chart as it is printed: row, resolution, then cells as first value, last value, points. The
/// outermost cells are open: 0 and a large number stand for their ends.
type Row = (&'static str, f64, &'static [(f64, f64, u8)]);
const CHART: &[Row] = &[
    (
        "resp_rate",
        1.0,
        &[
            (0.0, 8.0, 3),
            (9.0, 11.0, 1),
            (12.0, 20.0, 0),
            (21.0, 24.0, 2),
            (25.0, 99.0, 3),
        ],
    ),
    (
        "spo2",
        1.0,
        &[
            (0.0, 91.0, 3),
            (92.0, 93.0, 2),
            (94.0, 95.0, 1),
            (96.0, 100.0, 0),
        ],
    ),
    (
        "spo2 scale 2 air",
        1.0,
        &[
            (0.0, 83.0, 3),
            (84.0, 85.0, 2),
            (86.0, 87.0, 1),
            (88.0, 92.0, 0),
            (93.0, 100.0, 0),
        ],
    ),
    (
        "spo2 scale 2 oxygen",
        1.0,
        &[
            (0.0, 83.0, 3),
            (84.0, 85.0, 2),
            (86.0, 87.0, 1),
            (88.0, 92.0, 0),
            (93.0, 94.0, 1),
            (95.0, 96.0, 2),
            (97.0, 100.0, 3),
        ],
    ),
    (
        "systolic",
        1.0,
        &[
            (0.0, 90.0, 3),
            (91.0, 100.0, 2),
            (101.0, 110.0, 1),
            (111.0, 219.0, 0),
            (220.0, 350.0, 3),
        ],
    ),
    (
        "pulse",
        1.0,
        &[
            (0.0, 40.0, 3),
            (41.0, 50.0, 1),
            (51.0, 90.0, 0),
            (91.0, 110.0, 1),
            (111.0, 130.0, 2),
            (131.0, 350.0, 3),
        ],
    ),
    (
        "temperature",
        0.1,
        &[
            (20.0, 35.0, 3),
            (35.1, 36.0, 1),
            (36.1, 38.0, 0),
            (38.1, 39.0, 1),
            (39.1, 45.0, 2),
        ],
    ),
];

#[test]
fn every_cell_and_boundary() {
    let mut checked = 0;
    for (row, resolution, cells) in CHART {
        for (first, last, points) in *cells {
            let steps = ((last - first) / resolution).round() as u32;
            for step in 0..=steps {
                let value = first + f64::from(step) * resolution;
                let inputs = with(row, value);
                let score = compute(&inputs);
                let oxygen = if *row == "spo2 scale 2 oxygen" { 2 } else { 0 };
                let expected = f64::from(*points + oxygen);
                assert_eq!(score.value, Some(expected), "{row} {value}");
                assert!(score.complete);
                assert_eq!(score.parts.len(), 7);
                assert!(score.parts.iter().all(|part| !part.cell.is_empty()));
                checked += 1;
            }
        }
    }
    assert!(checked > 1_000, "{checked}");
}

/// Values between the chart's resolution are rounded half up (SC-3).
#[test]
fn values_between_cells_are_rounded_as_charted() {
    for (row, value, points) in [
        ("resp_rate", 8.49, 3),
        ("resp_rate", 8.5, 1),
        ("resp_rate", 24.5, 3),
        ("spo2", 91.4, 3),
        ("spo2", 91.5, 2),
        ("systolic", 90.5, 2),
        ("systolic", 219.5, 3),
        ("pulse", 130.4, 2),
        ("pulse", 130.5, 3),
        ("temperature", 35.04, 3),
        ("temperature", 35.05, 1),
        ("temperature", 38.04, 0),
        ("temperature", 38.05, 1),
        ("temperature", 39.049, 1),
        ("temperature", 39.05, 2),
        ("temperature", (102.2 - 32.0) / 1.8, 1),
        ("temperature", (95.0 - 32.0) / 1.8, 3),
        ("spo2 scale 2 air", 92.5, 0),
    ] {
        assert_eq!(
            compute(&with(row, value)).value,
            Some(f64::from(points)),
            "{row} {value}"
        );
    }
}

#[test]
fn oxygen_and_consciousness() {
    let mut inputs = well();
    inputs.supplemental_oxygen = now(true);
    assert_eq!(compute(&inputs).value, Some(2.0));
    for level in [
        Consciousness::Confusion,
        Consciousness::Voice,
        Consciousness::Pain,
        Consciousness::Unresponsive,
    ] {
        let mut inputs = well();
        inputs.consciousness = now(level);
        let score = compute(&inputs);
        assert_eq!(
            (score.value, score.band),
            (Some(3.0), Band::LowMedium),
            "{level:?}"
        );
    }
}

/// Chart 2: 0–4 low, 3 in one parameter low-medium, 5–6 medium, 7 and more high.
#[test]
fn aggregate_bands() {
    let mut inputs = well();
    let mut check = |change: &dyn Fn(&mut Inputs), value: f64, band: Band| {
        change(&mut inputs);
        let score = compute(&inputs);
        assert_eq!((score.value, score.band), (Some(value), band));
        assert!(!score.response.is_empty());
    };
    check(&|_| (), 0.0, Band::Low);
    check(&|i| i.pulse = now(95.0), 1.0, Band::Low);
    check(&|i| i.supplemental_oxygen = now(true), 3.0, Band::Low);
    check(&|i| i.temperature = now(38.5), 4.0, Band::Low);
    check(&|i| i.spo2 = now(95.0), 5.0, Band::Medium);
    check(&|i| i.systolic = now(105.0), 6.0, Band::Medium);
    check(&|i| i.spo2 = now(93.0), 7.0, Band::High);
    check(&|i| i.resp_rate = now(25.0), 10.0, Band::High);
    check(
        &|i| {
            *i = well();
            i.resp_rate = now(25.0);
        },
        3.0,
        Band::LowMedium,
    );
    check(&|i| i.pulse = now(95.0), 4.0, Band::LowMedium);
    check(&|i| i.temperature = now(38.5), 5.0, Band::Medium);
}

#[test]
fn the_worst_is_twenty() {
    let inputs = Inputs {
        resp_rate: now(40.0),
        spo2: now(80.0),
        supplemental_oxygen: now(true),
        systolic: now(60.0),
        pulse: now(150.0),
        consciousness: now(Consciousness::Unresponsive),
        temperature: now(34.0),
        ..Inputs::default()
    };
    assert_eq!(compute(&inputs).value, Some(20.0));
}

/// SC-1: the sum of what is known, and what is not.
#[test]
fn missing_is_reported_not_guessed() {
    let score = compute(&Inputs::default());
    assert_eq!(
        (score.value, score.complete, score.band),
        (None, false, Band::None)
    );
    assert_eq!(score.missing().count(), 7);

    let mut inputs = well();
    inputs.temperature = None;
    inputs.pulse = now(f64::NAN);
    inputs.resp_rate = now(25.0);
    let score = compute(&inputs);
    assert_eq!((score.value, score.complete), (Some(3.0), false));
    let missing: Vec<_> = score
        .missing()
        .map(|part| (part.metric, part.state))
        .collect();
    assert_eq!(
        missing,
        [
            (code::PULSE_RATE, PartState::Missing),
            (code::TEMPERATURE, PartState::Missing)
        ]
    );
    assert_eq!(
        score.to_string(),
        "NEWS2 at least 3: RR ≥ 25 +3; not counted: PR (missing), Temp (missing)"
    );
}

/// SC-2: exactly as old as allowed counts, a second more does not; the future counts as new.
#[test]
fn aged_inputs_are_left_out() {
    for (offset_s, state) in [
        (4 * 3_600, PartState::Used),
        (4 * 3_600 + 1, PartState::Aged),
        (-600, PartState::Used),
    ] {
        let mut inputs = well();
        inputs.pulse = Some(Aged::new(140.0, NOW.plus(-offset_s * 1_000_000)));
        let score = compute(&inputs);
        let part = score.parts[4];
        assert_eq!(part.state, state, "{offset_s}");
        assert_eq!(part.value, Some(140.0));
        assert_eq!(score.complete, state == PartState::Used);
        assert_eq!(
            score.value,
            Some(if state == PartState::Used { 3.0 } else { 0.0 })
        );
    }
}

/// Scale 2 above its target cannot be judged without knowing about oxygen.
#[test]
fn scale_two_needs_oxygen_above_its_target() {
    for (spo2, state) in [(93.0, PartState::Undecided), (92.0, PartState::Used)] {
        let mut inputs = with("spo2 scale 2 air", spo2);
        inputs.supplemental_oxygen = None;
        let score = compute(&inputs);
        assert_eq!(score.parts[1].state, state);
        assert_eq!((score.value, score.complete), (Some(0.0), false));
    }
}

/// SC-4.
#[test]
fn not_for_children() {
    let mut inputs = well();
    for (age, given) in [(Some(15.99), false), (Some(16.0), true), (None, true)] {
        inputs.age_years = age;
        let score = compute(&inputs);
        assert_eq!(score.value.is_some(), given, "{age:?}");
        assert_eq!(score.note.is_empty(), given);
    }
}
