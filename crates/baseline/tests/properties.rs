//! What holds for any input.

use baseline::{Bounds, Learned, Moved, Normal, SLOTS_MAX, Settings, Trend, follow};
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000;

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        5 => -300.0..300.0_f64,
        1 => proptest::num::f64::ANY,
    ]
}

fn any_settings() -> impl Strategy<Value = Settings> {
    (any::<i64>(), any::<i64>(), 0..40_usize, proptest::num::f64::ANY, any::<bool>()).prop_map(
        |(half_life_us, warm_up_us, slots_min, spread_min, circadian)| Settings {
            half_life_us,
            warm_up_us,
            slots_min,
            spread_min,
            circadian,
        },
    )
}

fn any_bounds() -> impl Strategy<Value = Bounds> {
    let some = || proptest::option::of(any_number());
    ((some(), some(), some(), some()), (some(), some(), some(), some()), (some(), some()), any_number())
        .prop_map(|(policy, follows, inner, step)| Bounds {
            low: policy.0.filter(|v| v.is_finite()),
            high: policy.1.filter(|v| v.is_finite()),
            critical_low: policy.2,
            critical_high: policy.3,
            below: follows.0,
            above: follows.1,
            never_below: follows.2,
            never_above: follows.3,
            low_at_most: inner.0,
            high_at_least: inner.1,
            step,
        })
}

proptest! {
    /// No limit is ever wider than the policy's own or the bound that it gives, whichever is wider;
    /// nor past the critical mark; nor not a number.
    #[test]
    fn a_limit_never_leaves_its_bounds(centre in any_number(), bounds in any_bounds()) {
        let followed = follow(centre, &bounds);
        prop_assert_eq!(followed.low.is_some(), bounds.low.is_some());
        prop_assert_eq!(followed.high.is_some(), bounds.high.is_some());
        if let Some((low, policy)) = followed.low.zip(bounds.low) {
            let floor = bounds.never_below.filter(|n| n.is_finite()).map_or(policy, |n| n.min(policy));
            prop_assert!(low.is_finite() && low >= floor);
            if followed.low_moved == Moved::Widened {
                prop_assert!(bounds.critical_low.is_none_or(|critical| low > critical || critical.is_nan()));
            }
        }
        if let Some((high, policy)) = followed.high.zip(bounds.high) {
            let ceiling = bounds.never_above.filter(|n| n.is_finite()).map_or(policy, |n| n.max(policy));
            prop_assert!(high.is_finite() && high <= ceiling);
            if followed.high_moved == Moved::Widened {
                prop_assert!(bounds.critical_high.is_none_or(|critical| high < critical || critical.is_nan()));
            }
        }
    }

    /// Any values at any times: no panic, nothing that is not a number, bounded memory; and what was
    /// written and read back goes on the same.
    #[test]
    fn any_values_teach_or_are_passed_over(
        settings in any_settings(),
        values in proptest::collection::vec((any::<i64>(), any::<u8>(), any_number()), 0..300),
        steps in proptest::collection::vec((0..4_i64 * 3_600_000_000, 0..24_u8, any_number()), 0..300),
    ) {
        let mut normal = Normal::default();
        let mut clock = 0_i64;
        let stepped = steps.into_iter().map(|(by, hour, value)| {
            clock += by;
            (clock, hour, value)
        });
        for (time, hour, value) in stepped.chain(values) {
            let mut twin: Normal =
                postcard::from_bytes(&postcard::to_stdvec(&normal).expect("writes")).expect("reads");
            let learned = normal.observe(&settings, time, hour, value);
            prop_assert_eq!(learned, twin.observe(&settings, time, hour, value));
            prop_assert_eq!(&normal, &twin);
            prop_assert!(value.is_finite() || learned == Learned::Nothing);
            prop_assert!(normal.slots() <= SLOTS_MAX);
            if let Some(usual) = normal.usual(&settings, time, hour) {
                prop_assert!(usual.low < usual.centre && usual.centre < usual.high, "{:?}", usual);
                prop_assert!(usual.low.is_finite() && usual.high.is_finite() && usual.spread > 0.0);
            }
            if let Some(trend) = normal.trend(&settings, time) {
                prop_assert!(trend.z.is_finite() && trend.slope_per_h.is_finite());
            }
        }
    }

    /// Within a slot the order of arrival makes no difference.
    #[test]
    fn within_a_slot_the_order_makes_no_difference(
        mut values in proptest::collection::vec((0..30_i64 * MINUTE, -200.0..200.0_f64), 1..60),
        seed in any::<u64>(),
    ) {
        let settings = Settings {
            half_life_us: 24 * 60 * MINUTE, warm_up_us: 0, slots_min: 1, spread_min: 1.0, circadian: false,
        };
        let learnt = |values: &[(i64, f64)]| {
            let mut normal = Normal::default();
            for (time, value) in values {
                normal.observe(&settings, *time, 0, *value);
            }
            // The next slots close it.
            normal.observe(&settings, 31 * MINUTE, 0, 7.0);
            normal.observe(&settings, 61 * MINUTE, 0, 7.0);
            normal.usual(&settings, 61 * MINUTE, 0)
        };
        let before = learnt(&values);
        let mut state = seed | 1;
        for at in (1..values.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            values.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(before, learnt(&values));
        prop_assert!(before.is_some());
    }

    /// The trend does not depend on order, and turns with its values.
    #[test]
    fn a_trend_has_no_order_and_turns(values in proptest::collection::vec(-9..9_i32, 10..32)) {
        let points = |sign: f64| -> Vec<(i64, f64)> {
            (0..).zip(&values).map(|(at, v)| (at * MINUTE, sign * f64::from(*v))).collect()
        };
        let (up, mut back) = (Trend::of(&points(1.0)), points(1.0));
        back.reverse();
        prop_assert_eq!(up, Trend::of(&back));
        let down = Trend::of(&points(-1.0));
        prop_assert_eq!(up.map(|t| -t.s), down.map(|t| t.s));
        prop_assert_eq!(up.map(|t| t.z.abs()), down.map(|t| t.z.abs()));
    }
}
