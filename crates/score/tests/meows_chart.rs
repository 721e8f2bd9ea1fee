//! MEOWS against table 1 of Singh and others, Anaesthesia 2012: every cell and both its edges.

use score::{Aged, Band, Consciousness, Inputs, MaxAge, Obstetric, PartState, meows, news2};
use vitals::EffectiveTime;
use vitals::metric::code;
use vitals::time::HOUR;

const NOW: EffectiveTime = EffectiveTime(1_700_000_000_000_000);

fn now<T>(value: T) -> Option<Aged<T>> {
    Some(Aged::new(value, NOW))
}

/// A woman in labour with nothing wrong.
fn well() -> Inputs {
    Inputs {
        obstetric: now(Obstetric::Pregnant),
        temperature: now(36.8),
        systolic: now(118.0),
        diastolic: now(72.0),
        pulse: now(84.0),
        resp_rate: now(16.0),
        spo2: now(98.0),
        consciousness: now(Consciousness::Alert),
        age_years: Some(29.0),
        ..Inputs::default()
    }
}

/// Which row, then where its cells begin, and 0 for white, 1 for yellow, 2 for red.
type Row = (&'static str, f64, &'static [(f64, u8)]);

/// Steps of the chart: a tenth of a degree, else whole numbers.
const CHART: &[Row] = &[
    ("temperature", 0.1, &[(34.0, 2), (35.0, 1), (36.1, 0), (38.1, 2), (41.0, 2)]),
    ("systolic", 1.0, &[(60.0, 2), (90.0, 1), (101.0, 0), (150.0, 1), (161.0, 2), (220.0, 2)]),
    ("diastolic", 1.0, &[(40.0, 0), (90.0, 1), (101.0, 2), (130.0, 2)]),
    ("pulse", 1.0, &[(30.0, 2), (40.0, 1), (51.0, 0), (100.0, 1), (121.0, 2), (180.0, 2)]),
    ("resp_rate", 1.0, &[(4.0, 2), (10.0, 0), (21.0, 1), (31.0, 2), (50.0, 2)]),
    ("spo2", 1.0, &[(70.0, 2), (95.0, 0), (100.0, 0)]),
];

fn with(row: &str, value: f64) -> Inputs {
    let mut inputs = well();
    match row {
        "temperature" => inputs.temperature = now(value),
        "systolic" => inputs.systolic = now(value),
        "diastolic" => inputs.diastolic = now(value),
        "pulse" => inputs.pulse = now(value),
        "resp_rate" => inputs.resp_rate = now(value),
        _ => inputs.spo2 = now(value),
    }
    inputs
}

#[test]
fn every_cell_and_boundary() {
    for (row, step, cells) in CHART {
        for (at, (from, points)) in cells.iter().enumerate() {
            let until = cells.get(at + 1).map_or(from + step, |next| next.0);
            let mut value = *from;
            while value < until - step / 2.0 {
                let score = meows(&with(row, value), NOW, &MaxAge::WARD);
                assert_eq!(score.value, Some(f64::from(*points)), "{row} {value}");
                assert!(score.complete, "{row} {value}");
                value += step;
            }
        }
    }
}

#[test]
fn consciousness_by_letter() {
    for (letter, points) in [('A', 0.0), ('C', 1.0), ('V', 1.0), ('P', 2.0), ('U', 2.0)] {
        let mut inputs = well();
        inputs.consciousness = Consciousness::from_letter(letter).and_then(now);
        assert_eq!(meows(&inputs, NOW, &MaxAge::WARD).value, Some(points), "{letter}");
    }
}

#[test]
fn one_red_or_two_yellow_trigger() {
    let mut inputs = well();
    assert_eq!(meows(&inputs, NOW, &MaxAge::WARD).band, Band::Low);
    inputs.pulse = now(105.0);
    assert_eq!(meows(&inputs, NOW, &MaxAge::WARD).band, Band::LowMedium);
    inputs.diastolic = now(94.0);
    assert_eq!(meows(&inputs, NOW, &MaxAge::WARD).band, Band::Medium);
    let red = meows(&with("systolic", 164.0), NOW, &MaxAge::WARD);
    assert_eq!((red.value, red.band), (Some(2.0), Band::Medium));
    assert!(red.response.contains("urgently"), "{}", red.response);
}

#[test]
fn only_for_pregnancy_and_six_weeks_after() {
    for (status, given) in [(None, false), (now(Obstetric::No), false), (now(Obstetric::Pregnant), true), (now(Obstetric::Postpartum), true)] {
        let inputs = Inputs { obstetric: status, ..well() };
        let score = meows(&inputs, NOW, &MaxAge::WARD);
        assert_eq!(score.value.is_some(), given, "{status:?}");
        assert!(!score.note.is_empty());
        let note = news2(&inputs, NOW, &MaxAge::WARD).note;
        assert_eq!(note.contains("MEOWS"), given, "{note}");
    }
    let weeks = |hours: i64| Inputs {
        obstetric: Some(Aged::new(Obstetric::Postpartum, NOW.plus(-hours * HOUR))),
        ..well()
    };
    assert!(meows(&weeks(42 * 24), NOW, &MaxAge::WARD).value.is_some());
    assert!(meows(&weeks(42 * 24 + 1), NOW, &MaxAge::WARD).value.is_none());
}

#[test]
fn what_is_missing_is_said() {
    let mut inputs = with("pulse", 130.0);
    inputs.diastolic = None;
    inputs.temperature = Some(Aged::new(40.0, NOW.plus(-13 * HOUR)));
    let score = meows(&inputs, NOW, &MaxAge::WARD);
    assert_eq!((score.value, score.complete), (Some(2.0), false));
    let missing: Vec<_> = score.missing().map(|part| (part.metric, part.state)).collect();
    assert_eq!(missing, [(code::TEMPERATURE, PartState::Aged), (code::NIBP_DIA, PartState::Missing)]);
}
