//! Medians, plain and weighted.

/// The median; of an even number, the mean of the two in the middle. None of nothing. The order of
/// `values` makes no difference; none of them may be NaN.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(values[n / 2]),
        _ => Some(f64::midpoint(values[n / 2 - 1], values[n / 2])),
    }
}

/// The weighted median of `(value, weight)`: the value at which half of the weight is reached; where
/// it is reached exactly, the mean of it and the next. None without any weight above 0. Values and
/// weights must be finite; the order makes no difference but to sums of weights in their last bits.
#[must_use]
pub fn weighted_median(pairs: &mut [(f64, f64)]) -> Option<f64> {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = pairs.iter().map(|(_, weight)| weight.max(0.0)).sum();
    if total <= 0.0 {
        return None;
    }
    let mut reached = 0.0;
    for (at, (value, weight)) in pairs.iter().enumerate() {
        reached += weight.max(0.0);
        if reached > total / 2.0 {
            return Some(*value);
        }
        if (reached - total / 2.0).abs() < f64::EPSILON * total {
            let next = pairs[at + 1..].iter().find(|(_, weight)| *weight > 0.0);
            return Some(next.map_or(*value, |(next, _)| f64::midpoint(*value, *next)));
        }
    }
    pairs.last().map(|(value, _)| *value)
}

/// The weight of what is `age` old: 1 now, 1/2 after one half-life, 1/4 after two; straight lines
/// between, since a power of two would need a function that differs between machines. 0 after 60.
#[must_use]
pub fn halving(age: i64, half_life: i64) -> f64 {
    let (age, half_life) = (age.max(0), half_life.max(1));
    let whole = age / half_life;
    if whole >= 60 {
        return 0.0;
    }
    let part = (age % half_life) as f64 / half_life as f64;
    (1.0 - part / 2.0) / (1_u64 << whole) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(weighted_median(&mut [(1.0, 1.0), (2.0, 1.0), (9.0, 1.0)]), Some(2.0));
        assert_eq!(weighted_median(&mut [(1.0, 1.0), (2.0, 1.0)]), Some(1.5));
        assert_eq!(weighted_median(&mut [(1.0, 5.0), (2.0, 1.0), (9.0, 1.0)]), Some(1.0));
        assert_eq!(weighted_median(&mut [(1.0, 0.0)]), None);
    }

    #[test]
    fn weights_halve() {
        assert_eq!([0, 10, 20, 15].map(|age| halving(age, 10)), [1.0, 0.5, 0.25, 0.375]);
        assert_eq!(halving(i64::MAX, 1), 0.0);
    }
}
