//! The decimal floating-point numbers of personal health devices: [`Float`] (32 bits) and
//! [`Sfloat`] (16 bits), as IEEE 11073-20601 defines them in its annex F.7 and F.8 and the
//! Bluetooth GATT Specification Supplement takes them over.
//!
//! A number is mantissa × 10^exponent, both signed; five patterns are no numbers ([`Special`]).
//! Values keep the very bits that were sent: 36.6 and 36.60 are told apart, and writing what was
//! read gives the same bytes. The order of bytes on a wire is the wire crate's affair.

use std::fmt;

/// A pattern that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// Not a number: the device has no valid value.
    NaN,
    /// Not at this resolution: the value can't be written in this format.
    NRes,
    /// Above what the device measures.
    PositiveInfinity,
    /// Below what the device measures.
    NegativeInfinity,
    /// Reserved for future use.
    Reserved,
}

impl Special {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::NaN, Self::NRes, Self::PositiveInfinity, Self::NegativeInfinity, Self::Reserved];

    /// What it says, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NaN => "the device has no valid value (NaN)",
            Self::NRes => "the value can't be told at this resolution (NRes)",
            Self::PositiveInfinity => "above what the device measures (+INFINITY)",
            Self::NegativeInfinity => "below what the device measures (-INFINITY)",
            Self::Reserved => "a value that is reserved for future use",
        }
    }

    /// How far the pattern lies from the mantissa's largest value, which is NaN.
    const fn mantissa_bits(self, bits: u32) -> u32 {
        let largest = (1 << (bits - 1)) - 1;
        match self {
            Self::PositiveInfinity => largest - 1,
            Self::NaN => largest,
            Self::NRes => largest + 1,
            Self::Reserved => largest + 2,
            Self::NegativeInfinity => largest + 3,
        }
    }

    /// The special value that all the bits of a number with this size of mantissa stand for: the
    /// exponent is 0 in each.
    fn of(all: u32, bits: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|special| special.mantissa_bits(bits) == all)
    }
}

macro_rules! number_format {
    ($(#[$doc:meta])* $name:ident, $bits:ty, $mantissa:literal, $exponent:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name($bits);

        impl $name {
            /// The pattern of no valid value.
            pub const NAN: Self = Self(Special::NaN.mantissa_bits($mantissa) as $bits);

            /// From its bits, exponent in the uppermost.
            #[must_use]
            pub const fn from_bits(bits: $bits) -> Self {
                Self(bits)
            }

            /// Its bits.
            #[must_use]
            pub const fn bits(self) -> $bits {
                self.0
            }

            /// mantissa × 10^exponent; none where either does not fit or the pattern is special.
            #[must_use]
            pub fn new(mantissa: i32, exponent: i8) -> Option<Self> {
                let half: i32 = 1 << ($mantissa - 1);
                let reach: i8 = (1_i16 << ($exponent - 1)).wrapping_sub(1) as i8;
                if !(-half..half).contains(&mantissa) || !(-reach - 1..=reach).contains(&exponent) {
                    return None;
                }
                let low = (mantissa as u32) & ((1 << $mantissa) - 1);
                let high = (u32::from(exponent as u8) & ((1 << $exponent) - 1)) << $mantissa;
                let number = Self((low | high) as $bits);
                number.special().is_none().then_some(number)
            }

            /// The number nearest to `value` that keeps as many digits as there is room for; the
            /// special values for what is no finite number, infinity for what is out of reach.
            #[must_use]
            pub fn nearest(value: f64) -> Self {
                if value.is_nan() {
                    return Self::NAN;
                }
                let reach = (1_i32 << ($exponent - 1)) - 1;
                for exponent in -reach - 1..=reach {
                    let mantissa = scale(value, -exponent).round();
                    // The outermost mantissas are left out: with exponent 0 they are special.
                    let limit = f64::from((1_i32 << ($mantissa - 1)) - 3);
                    if mantissa.abs() <= limit {
                        let (mantissa, exponent) = shorten(mantissa as i32, exponent);
                        return Self::new(mantissa, exponent as i8).unwrap_or(Self::NAN);
                    }
                }
                Self::from(if value > 0.0 {
                    Special::PositiveInfinity
                } else {
                    Special::NegativeInfinity
                })
            }

            /// What the pattern means if it is no number.
            #[must_use]
            pub fn special(self) -> Option<Special> {
                Special::of(u32::from(self.0), $mantissa)
            }

            /// The mantissa, sign extended.
            #[must_use]
            pub const fn mantissa(self) -> i32 {
                ((self.0 as u32) << (32 - $mantissa)) as i32 >> (32 - $mantissa)
            }

            /// The power of ten.
            #[must_use]
            pub const fn exponent(self) -> i32 {
                let high = (self.0 as u32) >> $mantissa;
                (high << (32 - $exponent)) as i32 >> (32 - $exponent)
            }

            /// The number.
            ///
            /// # Errors
            /// What it means instead, where it is no number.
            pub fn value(self) -> Result<f64, Special> {
                self.scaled(0)
            }

            /// The number times 10^`power`, rounded once: 0.00098 kg/L is 98 mg/dL with `power` 5.
            ///
            /// # Errors
            /// What it means instead, where it is no number.
            pub fn scaled(self, power: i32) -> Result<f64, Special> {
                match self.special() {
                    Some(special) => Err(special),
                    None => Ok(scale(f64::from(self.mantissa()), self.exponent() + power)),
                }
            }
        }

        impl From<Special> for $name {
            fn from(special: Special) -> Self {
                Self(special.mantissa_bits($mantissa) as $bits)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.special() {
                    Some(special) => write!(f, "{special:?}"),
                    None => write!(f, "{}e{}", self.mantissa(), self.exponent()),
                }
            }
        }
    };
}

number_format! {
    /// The 32-bit form: a mantissa of 24 bits and an exponent of 8.
    Float, u32, 24, 8
}
number_format! {
    /// The 16-bit form: a mantissa of 12 bits and an exponent of 4.
    Sfloat, u16, 12, 4
}

/// `value` × 10^`power`, rounded once where `value` is a whole number: powers of ten up to the
/// 22nd are exact in binary, what lies beyond goes through decimal text.
fn scale(value: f64, power: i32) -> f64 {
    match power {
        0 => value,
        1..=22 => value * 10_f64.powi(power),
        -22..=-1 => value / 10_f64.powi(-power),
        _ => format!("{value:e}")
            .split_once('e')
            .and_then(|(digits, exponent)| {
                let exponent: i32 = exponent.parse().ok()?;
                format!("{digits}e{}", exponent + power).parse().ok()
            })
            .unwrap_or(value),
    }
}

/// Without the mantissa's trailing zeros, as far as the exponent stays at or below 0.
fn shorten(mut mantissa: i32, mut exponent: i32) -> (i32, i32) {
    if mantissa == 0 {
        return (0, 0);
    }
    while exponent < 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    (mantissa, exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bits and what they are, from the tables of IEEE 11073-20601 annex F.7 and F.8 and the
    /// examples of the Bluetooth thermometer and blood pressure services.
    #[test]
    fn the_standards_examples() {
        for (bits, expected) in [
            (0xff00_016c_u32, Ok(36.4)),
            (0xfe00_0e10, Ok(36.0)),
            (0x0000_0025, Ok(37.0)),
            (0xffff_ff9c, Ok(-10.0)),
            (0x007f_ffff, Err(Special::NaN)),
            (0x0080_0000, Err(Special::NRes)),
            (0x007f_fffe, Err(Special::PositiveInfinity)),
            (0x0080_0002, Err(Special::NegativeInfinity)),
            (0x0080_0001, Err(Special::Reserved)),
            (0x017f_ffff, Ok(83_886_070.0)),
        ] {
            assert_eq!(Float::from_bits(bits).value(), expected, "{bits:08x}");
        }
        for (bits, expected) in [
            (0x0072_u16, Ok(114.0)),
            (0xf3d5, Ok(98.1)),
            (0xb062, Ok(0.000_98)),
            (0x0fff, Ok(-1.0)),
            (0x8001, Ok(1e-8)),
            (0x7001, Ok(1e7)),
            (0x07ff, Err(Special::NaN)),
            (0x0800, Err(Special::NRes)),
            (0x07fe, Err(Special::PositiveInfinity)),
            (0x0802, Err(Special::NegativeInfinity)),
            (0x0801, Err(Special::Reserved)),
            (0x17ff, Ok(20_470.0)),
        ] {
            assert_eq!(Sfloat::from_bits(bits).value(), expected, "{bits:04x}");
        }
    }

    #[test]
    fn all_short_floats() {
        for bits in 0..=u16::MAX {
            let number = Sfloat::from_bits(bits);
            match number.value() {
                Ok(value) => {
                    let exponent = number.exponent() as i8;
                    assert_eq!(Sfloat::new(number.mantissa(), exponent), Some(number));
                    let decimal = format!("{}e{}", number.mantissa(), number.exponent());
                    assert_eq!(decimal.parse(), Ok(value), "{bits:04x} is rounded once");
                }
                Err(special) => assert_eq!(Sfloat::from(special), number),
            }
        }
        assert_eq!(Special::ALL.map(|s| Sfloat::from(s).special()), Special::ALL.map(Some));
        assert_eq!(Special::ALL.map(|s| Float::from(s).special()), Special::ALL.map(Some));
    }

    #[test]
    fn nearest_keeps_what_it_can() {
        for (value, mantissa, exponent) in
            [(36.6, 366, -1), (120.0, 120, 0), (0.0, 0, 0), (-4.2, -42, -1), (20_000.0, 2000, 1)]
        {
            let number = Sfloat::nearest(value);
            assert_eq!((number.mantissa(), number.exponent()), (mantissa, exponent), "{value}");
        }
        assert_eq!(Sfloat::nearest(f64::NAN), Sfloat::NAN);
        assert_eq!(Sfloat::nearest(1e12).special(), Some(Special::PositiveInfinity));
        assert_eq!(Float::nearest(f64::NEG_INFINITY).special(), Some(Special::NegativeInfinity));
        assert_eq!(Sfloat::new(0x7ff, 0), None);
        assert_eq!(Sfloat::new(2048, 0), None);
        assert_eq!(Sfloat::new(1, 8), None);
    }

    proptest! {
        #[test]
        fn any_float_reads_and_writes(bits: u32) {
            let number = Float::from_bits(bits);
            prop_assert_eq!(number.bits(), bits);
            match number.value() {
                Ok(value) => {
                    prop_assert!(value.is_finite());
                    let exponent = number.exponent() as i8;
                    prop_assert_eq!(Float::new(number.mantissa(), exponent), Some(number));
                }
                Err(special) => prop_assert_eq!(Float::from(special), number),
            }
        }

        #[test]
        fn nearest_is_near(mantissa in -8_388_600_i32..=8_388_600, exponent in -20_i8..=20) {
            let number = Float::new(mantissa, exponent).expect("within reach");
            let value = number.value().expect("a number");
            let back = Float::nearest(value).value().expect("a number");
            prop_assert!((back - value).abs() <= value.abs() * 1e-6, "{} {}", value, back);
        }
    }
}
