//! Scales in EDF: two points of a line with eight characters each, and the exact scale beside them.

use vitals::Scale;
use vitals::samples::MISSING;

use super::fields::{Signal, eight};

/// How counts become EDF's digital values: shifted, with one value for missing samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Digital {
    /// digital = count − shift.
    pub(super) shift: i32,
    /// From counts to values.
    pub(super) scale: Scale,
    /// Whether −32,768 is a missing sample.
    pub(super) missing: bool,
}

/// The digital value of a missing sample.
pub(super) const NONE: i16 = i16::MIN;

const MARK: &str = "vitalwire ";

impl Digital {
    /// For counts from `low` to `high`; none if they don't fit 16 bits.
    pub(super) fn new(low: i32, high: i32, scale: Scale, missing: bool) -> Option<Self> {
        let bottom = if missing { -32_767 } else { -32_768 };
        let fits = i64::from(high) - i64::from(low) <= 32_767 - bottom;
        let shift = if i64::from(low) >= bottom && high <= 32_767 {
            0
        } else {
            // The middle of the counts becomes 0.
            i32::try_from((i64::from(low) + i64::from(high) + 1) / 2).ok()?
        };
        let inside = |count: i32| (bottom..=32_767).contains(&(i64::from(count) - i64::from(shift)));
        (fits && inside(low) && inside(high)).then_some(Self { shift, scale, missing })
    }

    /// The digital value of a count.
    pub(super) fn of(&self, count: i32) -> i16 {
        if count == MISSING {
            return NONE;
        }
        // `new` made sure that counts of the channel fit.
        (i64::from(count) - i64::from(self.shift)) as i16
    }

    /// The count of a digital value.
    pub(super) fn count(&self, digital: i16) -> i32 {
        if self.missing && digital == NONE {
            return MISSING;
        }
        i32::from(digital).saturating_add(self.shift)
    }

    fn value(&self, digital: i32) -> f64 {
        self.scale.value(digital.saturating_add(self.shift))
    }

    /// Writes the scale into a signal's fields: two points that take their eight characters without
    /// rounding where there are such, outside of the counts from `low` to `high`. Gives the relative
    /// error of the steps between counts for readers that know the two points only; none if the
    /// values don't fit at all.
    pub(super) fn write(&self, low: i32, high: i32, signal: &mut Signal) -> Option<f64> {
        let low = if self.missing { i32::from(NONE) } else { i32::from(self.of(low)) };
        let high = i32::from(self.of(high)).max(low + 1).min(32_767);
        let low = low.min(high - 1);
        let bottom = (-32_768..=low).find(|digital| self.is_short(*digital)).unwrap_or(-32_768);
        let top = (high..=32_767).rev().find(|digital| self.is_short(*digital)).unwrap_or(32_767);
        let (min, max) = (eight(self.value(bottom))?, eight(self.value(top))?);
        if min == max {
            return None;
        }
        let steps = f64::from(top - bottom);
        let written = (max.parse::<f64>().ok()? - min.parse::<f64>().ok()?) / steps;
        let exact = self.scale.factor / self.scale.divisor;
        (signal.physical_min, signal.physical_max) = (min, max);
        (signal.digital_min, signal.digital_max) = (bottom.to_string(), top.to_string());
        let Scale { factor, divisor, offset } = self.scale;
        let missing = if self.missing { "none=-32768" } else { "" };
        signal.transducer = format!("{MARK}{factor} / {divisor} + {offset} shift={} {missing}", self.shift);
        Some((written / exact - 1.0).abs())
    }

    fn is_short(&self, digital: i32) -> bool {
        let value = self.value(digital);
        // Eight characters have six decimal places at most; most values are ruled out by that.
        if ((value * 1e6).round() / 1e6 - value).abs() > value.abs() * 1e-15 {
            return false;
        }
        eight(value).and_then(|text| text.parse::<f64>().ok()).is_some_and(|read| {
            // Some units in the last place apart is the same number worked out another way.
            (read - value).abs() <= value.abs() * 1e-15
        })
    }

    /// Reads what [`Self::write`] wrote beside the two points.
    pub(super) fn read_exact(transducer: &str) -> Option<Self> {
        let mut words = transducer.strip_prefix(MARK)?.split(' ');
        let mut number = || {
            let number: f64 = words.next()?.parse().ok()?;
            words.next();
            Some(number)
        };
        let (factor, divisor, offset) = (number()?, number()?, number());
        let rest = transducer.split_once("shift=")?.1;
        let (shift, missing) = rest.split_once(' ').unwrap_or((rest, ""));
        let scale = Scale { factor, divisor, offset: offset? };
        let sound = [factor, divisor].iter().all(|n| n.is_finite() && *n != 0.0) && scale.offset.is_finite();
        let digital = Self { shift: shift.parse().ok()?, scale, missing: missing.starts_with("none=") };
        sound.then_some(digital)
    }

    /// From the two points; counts are then digital values. None if they make no line.
    pub(super) fn read_points(physical: (f64, f64), digital: (i32, i32)) -> Option<Self> {
        let factor = physical.1 - physical.0;
        let divisor = f64::from(digital.1) - f64::from(digital.0);
        let offset = physical.0 - f64::from(digital.0) * factor / divisor;
        let sound = factor != 0.0 && divisor != 0.0 && factor.is_finite() && offset.is_finite();
        sound.then_some(Self { shift: 0, scale: Scale { factor, divisor, offset }, missing: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_short_where_they_can_be() {
        for (low, high, gain, baseline, missing, expected) in [
            (-500, 900, 200.0, 0.0, false, Some(("-163.84", "163.835"))),
            (-500, 900, 200.0, 0.0, true, Some(("-163.84", "163.835"))),
            (-12_996, 9_000, 6_554.0, 0.0, false, Some(("-4.5", "4.5"))),
            (0, 100_000, 200.0, 0.0, false, None),
            (100_000, 160_000, 200.0, 0.0, true, Some(("486.16", "813.835"))),
        ] {
            let scale = Scale { factor: 1.0, divisor: gain, offset: -baseline / gain };
            let digital = Digital::new(low, high, scale, missing);
            assert_eq!(digital.is_some(), expected.is_some(), "{low} {high}");
            let (Some(digital), Some((min, max))) = (digital, expected) else { continue };
            let mut signal = Signal::default();
            let error = digital.write(low, high, &mut signal).expect("it has values");
            assert!(error < 1e-12, "{error}");
            if gain == 200.0 {
                assert_eq!((signal.physical_min.as_str(), signal.physical_max.as_str()), (min, max));
            }
            let back = Digital::read_exact(&signal.transducer).expect("ours");
            assert_eq!(back, digital);
            for count in [low, high, (low + high) / 2] {
                assert_eq!(back.count(digital.of(count)), count);
            }
        }
        assert_eq!(Digital::read_exact("AgAgCl electrode"), None);
        assert_eq!(Digital::read_exact("vitalwire 0 / 1 + 0 shift=0 "), None);
    }
}
