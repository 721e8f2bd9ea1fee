//! What must hold for any inputs.

use proptest::prelude::*;
use score::{
    Aged, Consciousness, Effort, Inputs, MaxAge, Obstetric, PartState, Scale, Vasoactive, meows,
    mews, news2, pews, qsofa, shock_index, sirs, sofa,
};
use vitals::EffectiveTime;

const NOW: EffectiveTime = EffectiveTime(1_700_000_000_000_000);

fn aged<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<Aged<T>>> {
    proptest::option::of((value, -3_600_i64..90_000)).prop_map(|input| {
        input.map(|(value, age_s)| Aged::new(value, NOW.plus(-age_s * 1_000_000)))
    })
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0..250.0_f64, 1 => any::<f64>(), 1 => Just(f64::NAN)]
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let numbers = || aged(any_number());
    let states = (
        aged(any::<bool>()),
        aged((0..5).prop_map(|n| Consciousness::from_number(n).expect("0 to 4"))),
        aged((0..4).prop_map(|n| Effort::from_number(n).expect("0 to 3"))),
        proptest::option::of(0.0..100.0_f64),
        prop_oneof![Just(Scale::One), Just(Scale::Two)],
    );
    let vitals = (
        numbers(),
        numbers(),
        numbers(),
        numbers(),
        aged(30.0..43.0_f64),
    );
    let others = (
        numbers(),
        numbers(),
        numbers(),
        numbers(),
        numbers(),
        numbers(),
    );
    let organs = (
        (numbers(), numbers(), numbers()),
        (numbers(), numbers(), numbers()),
        aged(any::<bool>()),
        aged((0..4).prop_map(|n| Vasoactive::from_number(n).expect("0 to 3"))),
        aged((0..3).prop_map(|n| Obstetric::from_number(n).expect("0 to 2"))),
    );
    (states, vitals, others, organs).prop_map(|(s, v, o, organs)| Inputs {
        supplemental_oxygen: s.0,
        consciousness: s.1,
        respiratory_effort: s.2,
        age_years: s.3,
        spo2_scale: s.4,
        resp_rate: v.0,
        spo2: v.1,
        systolic: v.2,
        pulse: v.3,
        temperature: v.4,
        diastolic: o.0,
        gcs: o.1,
        wbc: o.2,
        paco2: o.3,
        capillary_refill: o.4,
        fio2: o.5,
        oxygen_flow: None,
        pao2: organs.0.0,
        pf_ratio: organs.0.1,
        mean_pressure: organs.0.2,
        platelets: organs.1.0,
        bilirubin: organs.1.1,
        creatinine: organs.1.2,
        ventilated: organs.2,
        vasoactive: organs.3,
        obstetric: organs.4,
    })
}

proptest! {
    /// Any inputs: no panic, the value is the sum of the points of the used parts and within the
    /// score's range, complete exactly when every part was used, parts without points are not used.
    #[test]
    fn scores_add_up(inputs in inputs()) {
        for (score, most) in
            [(news2 as fn(&Inputs, EffectiveTime, &MaxAge) -> score::Score, 20), (qsofa, 3), (sirs, 4), (mews, 14), (pews, 26), (meows, 14), (sofa, 24)]
        {
            let score = score(&inputs, NOW, &MaxAge::WARD);
            let sum: u32 = score.parts.iter().filter_map(|p| p.points).map(u32::from).sum();
            let used = score.parts.iter().filter(|p| p.state == PartState::Used).count();
            prop_assert!(sum <= most, "{score}");
            prop_assert_eq!(score.value, (used > 0).then_some(f64::from(sum)));
            prop_assert_eq!(score.complete, used > 0 && used == score.parts.len());
            for part in score.parts.iter() {
                prop_assert_eq!(part.points.is_some(), part.state == PartState::Used);
                prop_assert!(part.points.is_none() || !part.cell.is_empty());
                prop_assert!(part.metric.metric().is_some());
            }
        }
        let index = shock_index(&inputs, NOW, &MaxAge::WARD);
        prop_assert_eq!(index.value.is_some(), index.complete);
    }

    /// Further out is never better: moving a parameter away from the middle of its normal cell
    /// never lowers NEWS2.
    #[test]
    fn news2_is_monotone_outward(
        inputs in inputs(),
        which in 0..5_usize,
        near in 0.0..60.0_f64,
        further in 0.0..60.0_f64,
        up in any::<bool>(),
    ) {
        let mut base = Inputs { age_years: None, ..inputs };
        // A value on scale 2 above the target counts by oxygen; known, so that it can be compared.
        base.supplemental_oxygen = Some(Aged::new(up, NOW));
        let points = |distance: f64| {
            let mut inputs = base;
            let signed = if up { distance } else { -distance };
            let at = |middle: f64, scale: f64| Some(Aged::new(middle + signed * scale, NOW));
            match which {
                0 => inputs.resp_rate = at(16.0, 0.25),
                1 => inputs.systolic = at(165.0, 2.0),
                2 => inputs.pulse = at(70.0, 1.5),
                3 => inputs.temperature = at(37.0, 0.1),
                _ if base.spo2_scale == Scale::Two => inputs.spo2 = at(90.0, 0.16),
                _ => inputs.spo2 = Some(Aged::new(100.0 - distance * 0.5, NOW)),
            }
            news2(&inputs, NOW, &MaxAge::WARD).value
        };
        prop_assert!(points(near + further) >= points(near));
    }

    /// Whoever is worse in one organ and the same in the others never has a lower SOFA.
    #[test]
    fn a_failing_organ_never_lowers_sofa(inputs in inputs(), which in 0..6_usize, near in 0.0..1.0_f64, further in 0.0..1.0_f64) {
        let points = |ill: f64| {
            let mut inputs = Inputs { age_years: None, ventilated: Some(Aged::new(true, NOW)), ..inputs };
            let at = |value: f64| Some(Aged::new(value, NOW));
            match which {
                0 => inputs.platelets = at(300.0 * (1.0 - ill)),
                1 => inputs.bilirubin = at(20.0 * ill),
                2 => inputs.creatinine = at(8.0 * ill),
                3 => inputs.gcs = at((15.0 - 12.0 * ill).round()),
                4 => inputs.mean_pressure = at(120.0 * (1.0 - ill)),
                _ => inputs.pf_ratio = Some(Aged::new(500.0 * (1.0 - ill), NOW.plus(3_600_000_000))),
            }
            sofa(&inputs, NOW, &MaxAge::WARD).value
        };
        prop_assert!(points((near + further).min(1.0)) >= points(near));
    }

    /// An input that is too old counts exactly as much as one that is not there.
    #[test]
    fn aged_counts_as_missing(inputs in inputs()) {
        let mut aged = inputs;
        let mut missing = inputs;
        aged.pulse = Some(Aged::new(150.0, NOW.plus(-100_000_000_000)));
        missing.pulse = None;
        for score in [news2, sirs, mews, pews, meows] {
            let (aged, missing) = (score(&aged, NOW, &MaxAge::WARD), score(&missing, NOW, &MaxAge::WARD));
            prop_assert_eq!((aged.value, aged.complete, aged.band), (missing.value, missing.complete, missing.band));
        }
    }
}
