//! Sample arrays: equidistant samples of one waveform, as whole numbers with a scale, the way a
//! converter counts them; and the four ways in which a native frame writes them as bytes.

use serde::{Deserialize, Serialize};

use crate::Rate;

/// The count that stands for "the device has no sample here".
pub const MISSING: i32 = i32::MIN;

/// From counts to values: value = count × factor ÷ divisor + offset.
///
/// Factor and divisor are apart so that decimal fractions come back to the last bit: 123 ÷ 100 is
/// the number that "1.23" reads as, 123 × 0.01 need not be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Multiplies the count; finite, not 0.
    pub factor: f64,
    /// Divides it then; finite, not 0.
    pub divisor: f64,
    /// Is added at last; finite.
    pub offset: f64,
}

impl Scale {
    /// Counts are values.
    pub const ONE: Self = Self { factor: 1.0, divisor: 1.0, offset: 0.0 };

    /// The value of a count; NaN for [`MISSING`].
    #[must_use]
    pub fn value(&self, count: i32) -> f64 {
        if count == MISSING {
            return f64::NAN;
        }
        f64::from(count) * self.factor / self.divisor + self.offset
    }

    /// Whether both give the same value to every count.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let bits = |scale: &Self| [scale.factor, scale.divisor, scale.offset].map(f64::to_bits);
        bits(self) == bits(other)
    }

    /// Whether both are of one gain: the same, or those that [`SampleArray::from_values`] gives to
    /// decimal values, which follow from how many digits happen to be there.
    #[must_use]
    pub fn is_same_gain(&self, other: &Self) -> bool {
        let decimal = |scale: &Self| {
            let plain = Self { divisor: scale.divisor, ..Self::ONE };
            scale.is_same(&plain) && (0..=9).any(|digits| scale.divisor == 10_f64.powi(digits))
        };
        self.is_same(other) || decimal(self) && decimal(other)
    }
}

/// Equidistant samples of one waveform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleArray {
    /// Sampling rate.
    pub rate: Rate,
    /// From counts to values in the measurement's unit.
    pub scale: Scale,
    /// The device's running number of the frame, if it has one; wraps.
    pub sequence: Option<u32>,
    /// The samples.
    pub samples: Samples,
}

/// The samples of a [`SampleArray`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Samples {
    /// Counts; [`MISSING`] where there is none.
    Counts(Vec<i32>),
    /// Values, where no scale makes whole numbers of them; NaN where there is none. The array's
    /// scale is then [`Scale::ONE`].
    Real(Vec<f64>),
    /// The counts stand in the message's payload, checked to be readable, so that the journal holds
    /// them once. [`SampleArray::resolve`] reads them.
    InPayload {
        /// How they are written.
        encoding: SampleEncoding,
        /// First byte.
        start: u32,
        /// Number of bytes.
        bytes: u32,
        /// Number of samples.
        count: u32,
    },
}

impl SampleArray {
    /// From values, NaN where there is none: as counts with a decimal or binary fraction as their
    /// scale if that loses no bit, else as they are.
    #[must_use]
    pub fn from_values(rate: Rate, values: Vec<f64>) -> Self {
        let decimal = (0..=9).map(|digits| 10_f64.powi(digits));
        let binary = (1..=16).map(|bits| f64::from(1_u32 << bits));
        let fitted = decimal.chain(binary).find_map(|divisor| Some((divisor, whole(&values, divisor)?)));
        let (scale, samples) = match fitted {
            Some((divisor, counts)) => (Scale { divisor, ..Scale::ONE }, Samples::Counts(counts)),
            None => (Scale::ONE, Samples::Real(values)),
        };
        Self { rate, scale, sequence: None, samples }
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.samples {
            Samples::Counts(counts) => counts.len(),
            Samples::Real(values) => values.len(),
            Samples::InPayload { count, .. } => *count as usize,
        }
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same with samples of its own, read from the message's payload if they stand there.
    /// Samples that can't be read, which a checked frame does not have, are missing.
    #[must_use]
    pub fn resolve(&self, payload: &[u8]) -> Self {
        let samples = match self.samples {
            Samples::InPayload { encoding, start, bytes, count } => {
                let (start, count) = (start as usize, count as usize);
                let data = payload.get(start..start.saturating_add(bytes as usize));
                let counts = data.and_then(|data| encoding.read(count, data));
                Samples::Counts(counts.unwrap_or_else(|| vec![MISSING; count]))
            }
            _ => self.samples.clone(),
        };
        Self { samples, ..*self }
    }

    /// The same in another unit, given a value's conversion, which must be a straight line: counts
    /// stay as they are and the scale changes. None if the conversion gives none.
    #[must_use]
    pub fn convert(mut self, convert: impl Fn(f64) -> Option<f64>) -> Option<Self> {
        if let Samples::Real(values) = &mut self.samples {
            for value in values {
                *value = convert(*value)?;
            }
        } else {
            let Scale { factor, divisor, offset } = self.scale;
            let slope = tidy(convert(1.0)? - convert(0.0)?);
            self.scale = Scale { factor: factor * slope, divisor, offset: tidy(convert(offset)?) };
        }
        Some(self)
    }

    /// The values in the measurement's unit, NaN where there is none. Empty for samples that
    /// stand in a payload: resolve them first.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        match &self.samples {
            Samples::Counts(counts) => counts.iter().map(|count| self.scale.value(*count)).collect(),
            Samples::Real(values) => values.clone(),
            Samples::InPayload { .. } => Vec::new(),
        }
    }
}

/// Without what floating-point arithmetic adds to decimal fractions.
fn tidy(value: f64) -> f64 {
    let rounded = (value * 1e12).round() / 1e12;
    if rounded != 0.0 && rounded.is_finite() { rounded } else { value }
}

/// The values as whole multiples of 1 ÷ divisor, if each comes back to the last bit.
fn whole(values: &[f64], divisor: f64) -> Option<Vec<i32>> {
    let mut counts = Vec::new();
    for value in values {
        if value.is_nan() {
            counts.push(MISSING);
            continue;
        }
        let count = (value * divisor).round();
        if count.abs() > f64::from(i32::MAX) || count / divisor != *value {
            return None;
        }
        counts.push(count as i32);
    }
    Some(counts)
}

/// How counts are written as bytes in a native frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SampleEncoding {
    /// 16 bits each, little-endian; −32,768 is a missing sample.
    I16,
    /// 24 bits each; −8,388,608 is a missing sample.
    I24,
    /// 32 bits each; −2,147,483,648 is a missing sample.
    I32,
    /// Differences as LEB128 numbers: 0 is a missing sample, else zigzag(difference) + 1.
    DeltaVarint,
}

impl SampleEncoding {
    const fn width(self) -> Option<usize> {
        match self {
            Self::I16 => Some(2),
            Self::I24 => Some(3),
            Self::I32 => Some(4),
            Self::DeltaVarint => None,
        }
    }

    /// Appends `counts` to `out`. A count that does not fit is written as the nearest that does.
    pub fn write(self, counts: &[i32], out: &mut Vec<u8>) {
        if let Some(width) = self.width() {
            let lowest = i32::MIN >> (32 - 8 * width);
            for count in counts {
                let raw = match *count {
                    MISSING => lowest,
                    count => count.clamp(lowest + 1, -(lowest + 1)),
                };
                out.extend_from_slice(&raw.to_le_bytes()[..width]);
            }
            return;
        }
        let mut previous = 0_i64;
        for count in counts {
            if *count == MISSING {
                out.push(0);
                continue;
            }
            let delta = i64::from(*count) - previous;
            previous = i64::from(*count);
            leb128(((delta << 1) ^ (delta >> 63)) as u64 + 1, out);
        }
    }

    /// Reads exactly `count` samples from exactly `data`; none when they don't come out even or a
    /// count leaves 32 bits.
    #[must_use]
    pub fn read(self, count: usize, data: &[u8]) -> Option<Vec<i32>> {
        if count > data.len() {
            return None;
        }
        let mut counts = Vec::with_capacity(count);
        self.each(count, data, |sample| counts.push(sample))?;
        Some(counts)
    }

    /// Whether [`Self::read`] gives samples.
    #[must_use]
    pub fn fits(self, count: usize, data: &[u8]) -> bool {
        self.each(count, data, |_| ()).is_some()
    }

    fn each(self, count: usize, data: &[u8], mut take: impl FnMut(i32)) -> Option<()> {
        let Some(width) = self.width() else { return each_delta(count, data, take) };
        if data.len() != count.checked_mul(width)? {
            return None;
        }
        for bytes in data.chunks_exact(width) {
            let mut wide = [0_u8; 4];
            wide[4 - width..].copy_from_slice(bytes);
            // The sign sits at the top: shifting back down keeps it, and the lowest number of the
            // width is the missing one.
            let raw = i32::from_le_bytes(wide);
            take(if raw == i32::MIN { MISSING } else { raw >> (32 - 8 * width) });
        }
        Some(())
    }
}

fn leb128(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn each_delta(count: usize, data: &[u8], mut take: impl FnMut(i32)) -> Option<()> {
    if count > data.len() {
        return None;
    }
    let mut previous = 0_i64;
    let mut rest = data;
    for _ in 0..count {
        let (byte, tail) = rest.split_first()?;
        rest = tail;
        let mut number = u64::from(byte & 0x7f);
        let (mut more, mut shift) = (byte & 0x80 != 0, 7);
        while more {
            // A difference of two 32-bit numbers takes 34 bits at most: five bytes.
            if shift > 28 {
                return None;
            }
            let (byte, tail) = rest.split_first()?;
            rest = tail;
            number |= u64::from(byte & 0x7f) << shift;
            more = byte & 0x80 != 0;
            shift += 7;
        }
        let Some(zigzag) = number.checked_sub(1) else {
            take(MISSING);
            continue;
        };
        previous += (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        // The lowest number means "missing" and can't be a count.
        let sample = i32::try_from(previous).ok().filter(|sample| *sample != MISSING)?;
        take(sample);
    }
    rest.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [SampleEncoding; 4] =
        [SampleEncoding::I16, SampleEncoding::I24, SampleEncoding::I32, SampleEncoding::DeltaVarint];

    fn rate() -> Rate {
        Rate::new(250, 1).expect("not zero")
    }

    #[test]
    fn decimal_values_become_counts_and_come_back_to_the_bit() {
        for (values, divisor) in [
            (vec![1.0, -2.0, 3.0], 1.0),
            (vec![0.1, 0.25, -1.07], 100.0),
            (vec![0.123_456_789], 1e9),
            (vec![0.004_882_812_5, -0.009_765_625], 1_024.0),
        ] {
            let array = SampleArray::from_values(rate(), values.clone());
            assert_eq!(array.scale.divisor, divisor, "{values:?}");
            assert_eq!(array.values(), values);
        }
        let odd = vec![std::f64::consts::PI, 1e300];
        let array = SampleArray::from_values(rate(), odd.clone());
        assert_eq!(array.samples, Samples::Real(odd));
    }

    #[test]
    fn digits_are_no_gain() {
        let scale = |values: &[f64]| SampleArray::from_values(rate(), values.to_vec()).scale;
        assert!(scale(&[1.25]).is_same_gain(&scale(&[1.2])));
        assert!(!scale(&[1.25]).is_same_gain(&Scale { divisor: 200.0, ..Scale::ONE }));
        assert!(!scale(&[1.25]).is_same_gain(&Scale { offset: 1.0, ..scale(&[1.2]) }));
    }

    #[test]
    fn samples_are_read_from_the_payload() {
        let mut payload = vec![9, 9];
        SampleEncoding::DeltaVarint.write(&[5, MISSING, -7], &mut payload);
        let bytes = payload.len() as u32 - 2;
        payload.push(9);
        let samples = Samples::InPayload { encoding: SampleEncoding::DeltaVarint, start: 2, bytes, count: 3 };
        let array = SampleArray { rate: rate(), scale: Scale::ONE, sequence: None, samples };
        assert_eq!(array.resolve(&payload).samples, Samples::Counts(vec![5, MISSING, -7]));
        assert_eq!(array.resolve(&[]).samples, Samples::Counts(vec![MISSING; 3]));
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(counts in proptest::collection::vec(prop_oneof![
            5 => -32_767..=32_767_i32, 1 => Just(MISSING)], 0..60)) {
            for encoding in ALL {
                let mut bytes = Vec::new();
                encoding.write(&counts, &mut bytes);
                prop_assert!(encoding.fits(counts.len(), &bytes));
                prop_assert_eq!(encoding.read(counts.len(), &bytes), Some(counts.clone()));
            }
        }

        #[test]
        fn extreme_counts_survive_where_they_fit(counts in proptest::collection::vec(-i32::MAX..=i32::MAX, 0..20)) {
            for encoding in [SampleEncoding::I32, SampleEncoding::DeltaVarint] {
                let mut bytes = Vec::new();
                encoding.write(&counts, &mut bytes);
                prop_assert_eq!(encoding.read(counts.len(), &bytes), Some(counts.clone()));
            }
        }

        #[test]
        fn values_are_never_changed(values in proptest::collection::vec(prop_oneof![
            any::<f64>().prop_filter("finite", |v| v.is_finite()),
            (-1_000_000..1_000_000_i32, 0..7_i32).prop_map(|(n, d)| f64::from(n) / 10_f64.powi(d))], 0..20)) {
            prop_assert_eq!(SampleArray::from_values(rate(), values.clone()).values(), values);
        }

        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..60), count in 0..70_usize) {
            for encoding in ALL {
                prop_assert_eq!(encoding.read(count, &bytes).is_some(), encoding.fits(count, &bytes));
            }
        }
    }
}
