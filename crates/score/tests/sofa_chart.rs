//! SOFA against the table of Vincent and others, 1996, as Sepsis-3 prints it (JAMA 2016;315:801, table 1).

use score::{Aged, Band, Inputs, MaxAge, PartState, Score, Vasoactive, sofa};
use vitals::metric::code;
use vitals::time::HOUR;
use vitals::{EffectiveTime, MetricCode};

const NOW: EffectiveTime = EffectiveTime(1_700_000_000_000_000);

fn now<T>(value: T) -> Option<Aged<T>> {
    Some(Aged::new(value, NOW))
}

/// An adult in intensive care of whom all is known and nothing is wrong.
fn well() -> Inputs {
    Inputs {
        pao2: now(95.0),
        fio2: now(21.0),
        ventilated: now(false),
        platelets: now(220.0),
        bilirubin: now(0.6),
        mean_pressure: now(85.0),
        vasoactive: now(Vasoactive::None),
        gcs: now(15.0),
        creatinine: now(0.8),
        age_years: Some(61.0),
        ..Inputs::default()
    }
}

fn at(inputs: &Inputs) -> Score {
    sofa(inputs, NOW, &MaxAge::WARD)
}

fn points(score: &Score, metric: MetricCode) -> Option<u8> {
    score.parts.iter().find(|part| part.metric == metric)?.points
}

type Set = fn(&mut Inputs, f64);

/// What, its step, and from where on which points; the last number ends the row.
const CHART: &[(&str, Set, f64, &[(f64, u8)], f64)] = &[
    ("platelets", |i, v| i.platelets = now(v), 1.0, &[(1.0, 4), (20.0, 3), (50.0, 2), (100.0, 1), (150.0, 0)], 200.0),
    ("bilirubin", |i, v| i.bilirubin = now(v), 0.1, &[(0.1, 0), (1.2, 1), (2.0, 2), (6.0, 3), (12.0, 4)], 15.0),
    ("creatinine", |i, v| i.creatinine = now(v), 0.1, &[(0.3, 0), (1.2, 1), (2.0, 2), (3.5, 3), (5.0, 4)], 7.0),
    ("gcs", |i, v| i.gcs = now(v), 1.0, &[(3.0, 4), (6.0, 3), (10.0, 2), (13.0, 1), (15.0, 0)], 16.0),
    ("mean pressure", |i, v| i.mean_pressure = now(v), 1.0, &[(40.0, 1), (70.0, 0)], 120.0),
    ("P/F", |i, v| (i.pf_ratio, i.ventilated) = (now(v), now(true)), 1.0, &[(50.0, 4), (100.0, 3), (200.0, 2), (300.0, 1), (400.0, 0)], 500.0),
];

#[test]
fn every_cell_and_boundary() {
    for (name, set, step, cells, end) in CHART {
        for (number, (from, points)) in cells.iter().enumerate() {
            let until = cells.get(number + 1).map_or(*end, |next| next.0);
            let mut value = *from;
            while value < until - step / 2.0 {
                let mut inputs = well();
                set(&mut inputs, value);
                let score = at(&inputs);
                assert_eq!((score.value, score.complete), (Some(f64::from(*points)), true), "{name} {value}: {score}");
                value += step;
            }
        }
    }
}

#[test]
fn three_and_four_points_of_the_lung_are_for_the_ventilated() {
    for (ratio, ventilated, expected, complete) in [
        (90.0, Some(true), 4.0, true),
        (90.0, Some(false), 2.0, true),
        (90.0, None, 2.0, false),
        (150.0, Some(true), 3.0, true),
        (150.0, None, 2.0, false),
        (250.0, None, 2.0, true),
        (420.0, None, 0.0, true),
    ] {
        let inputs = Inputs { pf_ratio: now(ratio), ventilated: ventilated.and_then(now), ..well() };
        let score = at(&inputs);
        assert_eq!((score.value, score.complete), (Some(expected), complete), "{ratio} {ventilated:?}");
        let asked = score.missing().any(|part| part.metric == code::VENTILATION);
        assert_eq!(asked, !complete, "{ratio} {ventilated:?}");
    }
}

#[test]
fn drugs_for_the_circulation_count_before_the_pressure() {
    for (drugs, mean, expected, complete) in [
        (Some(Vasoactive::None), 65.0, 1.0, true),
        (Some(Vasoactive::Low), 90.0, 2.0, true),
        (Some(Vasoactive::Medium), 60.0, 3.0, true),
        (Some(Vasoactive::High), 90.0, 4.0, true),
        (None, 65.0, 1.0, false),
        (None, 90.0, 0.0, false),
    ] {
        let inputs = Inputs { vasoactive: drugs.and_then(now), mean_pressure: now(mean), ..well() };
        let score = at(&inputs);
        assert_eq!((score.value, score.complete), (Some(expected), complete), "{drugs:?} {mean}");
    }
}

#[test]
fn a_blood_gas_goes_with_the_oxygen_of_its_hour() {
    let gas = |pao2: f64, hours: i64| Inputs {
        pao2: Some(Aged::new(pao2, NOW.plus(-hours * HOUR))),
        fio2: now(50.0),
        ventilated: now(true),
        ..well()
    };
    assert_eq!(points(&at(&gas(70.0, 1)), code::PF_RATIO), Some(3));
    // Five hours ago on who knows what: SpO2 stands in, or nothing does.
    assert_eq!(points(&at(&gas(70.0, 5)), code::PF_RATIO), None);
    let saturation = Inputs { spo2: now(92.0), ..gas(70.0, 5) };
    assert_eq!(points(&at(&saturation), code::SF_RATIO), Some(3));
    // On room air it does not matter when that was charted.
    let air = Inputs { fio2: None, supplemental_oxygen: Some(Aged::new(false, NOW.plus(-8 * HOUR))), ..gas(60.0, 5) };
    assert_eq!(points(&at(&air), code::PF_RATIO), Some(2));
}

/// Grissom and others, 2010: above 400 none, to 400 one, to 315 two, to 235 three, to 150 four.
#[test]
fn saturation_stands_for_the_gas_up_to_97_percent() {
    for (spo2, fio2, ventilated, expected) in [
        (96.0, 21.0, false, Some(0)),
        (84.0, 21.0, false, Some(1)),
        (94.0, 24.0, false, Some(1)),
        (94.0, 30.0, false, Some(2)),
        (94.0, 40.0, true, Some(3)),
        (94.0, 40.0, false, Some(2)),
        (90.0, 60.0, true, Some(4)),
        (99.0, 60.0, true, None),
        (99.0, 21.0, false, Some(0)),
    ] {
        let inputs = Inputs { pao2: None, spo2: now(spo2), fio2: now(fio2), ventilated: now(ventilated), ..well() };
        let score = at(&inputs);
        assert_eq!(points(&score, code::SF_RATIO), expected, "{spo2} {fio2}");
        let undecided = score.parts.iter().any(|part| part.state == PartState::Undecided);
        assert_eq!((undecided, score.complete), (expected.is_none(), expected.is_some()), "{spo2} {fio2}");
    }
}

#[test]
fn what_is_missing_is_said_and_counts_nothing() {
    let nothing = at(&Inputs::default());
    assert_eq!((nothing.value, nothing.band), (None, Band::None));
    let some = at(&Inputs { creatinine: now(2.4), spo2: now(93.0), ..Inputs::default() });
    assert_eq!((some.value, some.complete, some.band), (Some(2.0), false, Band::Medium));
    let missing: Vec<_> = some.missing().map(|part| part.metric).collect();
    let expected = [code::FIO2, code::PLATELETS, code::BILIRUBIN, code::NIBP_MEAN, code::VASOACTIVE, code::GCS];
    assert_eq!(missing, expected);
    let old = Inputs { platelets: Some(Aged::new(10.0, NOW.plus(-25 * HOUR))), ..well() };
    assert_eq!((at(&old).value, at(&old).complete), (Some(0.0), false));
}

#[test]
fn bands_and_age() {
    let worse = |creatinine, bilirubin, platelets| Inputs {
        creatinine: now(creatinine),
        bilirubin: now(bilirubin),
        platelets: now(platelets),
        ..well()
    };
    for (inputs, value, band) in [
        (worse(1.3, 0.5, 200.0), 1.0, Band::Low),
        (worse(2.1, 0.5, 200.0), 2.0, Band::Medium),
        (worse(5.5, 13.0, 40.0), 11.0, Band::Medium),
        (worse(5.5, 13.0, 15.0), 12.0, Band::High),
    ] {
        let score = at(&inputs);
        assert_eq!((score.value, score.band), (Some(value), band));
    }
    let child = at(&Inputs { age_years: Some(9.0), ..well() });
    assert!(child.value.is_none() && child.note.contains("adults"));
}
