//! Alarm limits that follow a patient's own normal, within bounds that nothing leaves.

/// What a limit may do, and where it may lie. In the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The policy's low limit; where there is none, none follows.
    pub low: Option<f64>,
    /// The policy's high limit.
    pub high: Option<f64>,
    /// A low limit never lies at or below this: beneath it the policy alarms more urgently.
    pub critical_low: Option<f64>,
    /// A high limit never lies at or above this.
    pub critical_high: Option<f64>,
    /// How far below the normal the low limit is to lie; none: it stays.
    pub below: Option<f64>,
    /// How far above the normal the high limit is to lie; none: it stays.
    pub above: Option<f64>,
    /// A low limit never goes below this; none: not below the policy's.
    pub never_below: Option<f64>,
    /// A high limit never goes above this; none: not above the policy's.
    pub never_above: Option<f64>,
    /// A low limit never goes above this.
    pub low_at_most: Option<f64>,
    /// A high limit never goes below this.
    pub high_at_least: Option<f64>,
    /// Limits are rounded to whole multiples of this; above 0.
    pub step: f64,
}

/// How a limit lies against the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// As the policy says.
    Not,
    /// Closer to the normal: it alarms earlier.
    Tightened,
    /// Further from it: it alarms later.
    Widened,
}

/// Limits that follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Followed {
    /// Alarm below this.
    pub low: Option<f64>,
    /// How it lies.
    pub low_moved: Moved,
    /// Alarm above this.
    pub high: Option<f64>,
    /// How it lies.
    pub high_moved: Moved,
}

/// The limits for a normal level of `centre`. Whatever the level is, also one that is no number:
/// a low limit lies at or above `never_below` (or the policy's), above the critical mark, and below
/// the high limit; and the other way round.
#[must_use]
pub fn follow(centre: f64, bounds: &Bounds) -> Followed {
    let low = bounds.low.zip(bounds.below).map(|(policy, below)| {
        let wanted = round(centre - below.max(0.0), bounds.step);
        let floor = outer(policy, bounds.never_below, bounds.critical_low, f64::min, |a, b| a > b);
        let ceiling = bounds.low_at_most.map_or(f64::INFINITY, |most| most.max(policy));
        within(wanted, floor, ceiling, policy)
    });
    let high = bounds.high.zip(bounds.above).map(|(policy, above)| {
        let wanted = round(centre + above.max(0.0), bounds.step);
        let ceiling = outer(policy, bounds.never_above, bounds.critical_high, f64::max, |a, b| a < b);
        let floor = bounds.high_at_least.map_or(f64::NEG_INFINITY, |least| least.min(policy));
        within(wanted, floor, ceiling, policy)
    });
    let (low, high) = (low.or(bounds.low), high.or(bounds.high));
    // Limits that cross say nothing: the policy's stand.
    let crossed = low.zip(high).is_some_and(|(low, high)| low >= high);
    let (low, high) = if crossed { (bounds.low, bounds.high) } else { (low, high) };
    Followed {
        low,
        low_moved: moved(low, bounds.low, |limit, policy| limit > policy),
        high,
        high_moved: moved(high, bounds.high, |limit, policy| limit < policy),
    }
}

/// How far out a limit may go: to what the policy allows, unless that is at or past the critical
/// mark; else not past the policy's own.
fn outer(
    policy: f64,
    never: Option<f64>,
    critical: Option<f64>,
    wider: fn(f64, f64) -> f64,
    inside: fn(f64, f64) -> bool,
) -> f64 {
    let Some(never) = never.filter(|never| never.is_finite()) else { return policy };
    if critical.is_none_or(|critical| inside(never, critical)) { wider(never, policy) } else { policy }
}

fn within(wanted: f64, floor: f64, ceiling: f64, policy: f64) -> f64 {
    if !wanted.is_finite() || floor > ceiling { policy } else { wanted.max(floor).min(ceiling) }
}

fn round(value: f64, step: f64) -> f64 {
    if step > 0.0 && step.is_finite() { (value / step).round() * step } else { value }
}

fn moved(limit: Option<f64>, policy: Option<f64>, tighter: fn(f64, f64) -> bool) -> Moved {
    match limit.zip(policy) {
        Some((limit, policy)) if tighter(limit, policy) => Moved::Tightened,
        Some((limit, policy)) if limit != policy => Moved::Widened,
        _ => Moved::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        low: Some(40.0),
        high: Some(130.0),
        critical_low: Some(35.0),
        critical_high: Some(150.0),
        below: Some(30.0),
        above: Some(30.0),
        never_below: Some(38.0),
        never_above: Some(140.0),
        low_at_most: Some(60.0),
        high_at_least: Some(90.0),
        step: 1.0,
    };

    fn check(centre: f64, expected: (f64, Moved), high: (f64, Moved)) {
        let followed = follow(centre, &BOUNDS);
        assert_eq!((followed.low, followed.low_moved), (Some(expected.0), expected.1), "{centre}");
        assert_eq!((followed.high, followed.high_moved), (Some(high.0), high.1), "{centre}");
    }

    #[test]
    fn limits_follow_within_bounds() {
        use Moved::{Not, Tightened, Widened};
        check(80.4, (50.0, Tightened), (110.0, Tightened));
        check(100.0, (60.0, Tightened), (130.0, Not));
        check(106.0, (60.0, Tightened), (136.0, Widened));
        check(300.0, (60.0, Tightened), (140.0, Widened));
        check(50.0, (38.0, Widened), (90.0, Tightened));
        check(f64::NAN, (40.0, Not), (130.0, Not));
    }

    #[test]
    fn a_floor_past_the_critical_mark_widens_nothing() {
        let bounds = Bounds { never_below: Some(30.0), ..BOUNDS };
        assert_eq!(follow(50.0, &bounds).low, Some(40.0));
    }
}
