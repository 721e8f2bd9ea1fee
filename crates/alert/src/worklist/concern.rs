//! How worrying a vital sign's value is, without steps: so that a change shows before any threshold
//! is crossed.

use vitals::MetricCode;
use vitals::metric::code;

/// A vital sign whose trend is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// Respiratory rate.
    RespiratoryRate,
    /// Oxygen saturation.
    OxygenSaturation,
    /// Systolic pressure.
    Systolic,
    /// Heart or pulse rate.
    Pulse,
    /// Temperature.
    Temperature,
}

impl Sign {
    /// What a metric measures, if it is one of these.
    #[must_use]
    pub fn of(metric: MetricCode) -> Option<Self> {
        Some(match metric {
            code::RESP_RATE => Self::RespiratoryRate,
            code::SPO2 => Self::OxygenSaturation,
            code::NIBP_SYS | code::ABP_SYS | code::ART_SYS => Self::Systolic,
            code::HEART_RATE | code::PULSE_RATE => Self::Pulse,
            code::TEMPERATURE | code::TEMP => Self::Temperature,
            _ => return None,
        })
    }

    /// As one says it in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::RespiratoryRate => "respiratory rate",
            Self::OxygenSaturation => "oxygen saturation",
            Self::Systolic => "systolic pressure",
            Self::Pulse => "heart rate",
            Self::Temperature => "temperature",
        }
    }

    /// Unit behind the number, where it says more than the name does.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::OxygenSaturation => " %",
            Self::Temperature => " °C",
            _ => "",
        }
    }
}

/// Concern of an adult's value, in NEWS2 points: the points of NEWS2 (RCP 2017, chart 1) at the middle
/// or the near edge of their bands, joined by straight lines, a little of it already within the band
/// of 0 and 4 where it is far past the band of 3. `scale` is the SpO2 scale, 1 or 2.
#[must_use]
pub fn concern(sign: Sign, value: f64, scale: u8) -> f64 {
    let curve: &[(f64, f64)] = match (sign, scale) {
        (Sign::RespiratoryRate, _) => {
            &[(5.0, 4.0), (8.0, 3.0), (10.0, 1.0), (12.0, 0.3), (14.0, 0.0), (16.0, 0.0), (20.0, 0.8), (22.5, 2.0), (25.0, 3.0), (34.0, 4.0)]
        }
        (Sign::OxygenSaturation, 2) => {
            &[(78.0, 4.0), (83.0, 3.0), (84.5, 2.0), (86.5, 1.0), (88.0, 0.3), (90.0, 0.0)]
        }
        (Sign::OxygenSaturation, _) => {
            &[(84.0, 4.0), (91.0, 3.0), (92.5, 2.0), (94.5, 1.0), (96.0, 0.3), (97.5, 0.0)]
        }
        (Sign::Systolic, _) => {
            &[(75.0, 4.0), (90.0, 3.0), (95.5, 2.0), (105.5, 1.0), (111.0, 0.5), (125.0, 0.0), (180.0, 0.0), (220.0, 3.0)]
        }
        (Sign::Pulse, _) => {
            &[(34.0, 4.0), (40.0, 3.0), (45.5, 1.0), (51.0, 0.3), (58.0, 0.0), (80.0, 0.0), (90.0, 0.5), (100.5, 1.0), (120.5, 2.0), (131.0, 3.0), (155.0, 4.0)]
        }
        (Sign::Temperature, _) => {
            &[(34.0, 4.0), (35.0, 3.0), (35.5, 1.0), (36.1, 0.3), (36.5, 0.0), (37.4, 0.0), (38.0, 0.5), (38.5, 1.0), (39.1, 2.0), (41.0, 3.0)]
        }
    };
    along(curve, value)
}

/// The curve at a value; level beyond its ends.
fn along(curve: &[(f64, f64)], value: f64) -> f64 {
    let next = curve.iter().position(|(x, _)| value < *x);
    match next {
        Some(0) => curve.first().map_or(0.0, |(_, y)| *y),
        None => curve.last().map_or(0.0, |(_, y)| *y),
        Some(at) => {
            let ((x0, y0), (x1, y1)) = (curve[at - 1], curve[at]);
            y0 + (y1 - y0) * (value - x0) / (x1 - x0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concern_is_news2_in_the_middle_of_its_bands() {
        for (sign, value, points) in [
            (Sign::RespiratoryRate, 25.0, 3.0),
            (Sign::RespiratoryRate, 22.5, 2.0),
            (Sign::RespiratoryRate, 15.0, 0.0),
            (Sign::RespiratoryRate, 8.0, 3.0),
            (Sign::OxygenSaturation, 91.0, 3.0),
            (Sign::OxygenSaturation, 92.5, 2.0),
            (Sign::OxygenSaturation, 99.0, 0.0),
            (Sign::Systolic, 90.0, 3.0),
            (Sign::Systolic, 105.5, 1.0),
            (Sign::Systolic, 150.0, 0.0),
            (Sign::Pulse, 131.0, 3.0),
            (Sign::Pulse, 70.0, 0.0),
            (Sign::Temperature, 39.1, 2.0),
            (Sign::Temperature, 36.8, 0.0),
        ] {
            let found = concern(sign, value, 1);
            assert!((found - points).abs() < 1e-9, "{sign:?} {value}: {found}");
        }
        assert!(concern(Sign::OxygenSaturation, 90.0, 2) < 1e-9);
    }

    #[test]
    fn further_from_the_middle_is_never_less() {
        for (sign, middle) in [
            (Sign::RespiratoryRate, 15.0),
            (Sign::OxygenSaturation, 98.0),
            (Sign::Systolic, 140.0),
            (Sign::Pulse, 70.0),
            (Sign::Temperature, 37.0),
        ] {
            for scale in [1, 2] {
                for direction in [1.0, -1.0] {
                    let along = (0..400).map(|step| concern(sign, middle + direction * f64::from(step) * 0.5, scale));
                    let all: Vec<f64> = along.collect();
                    assert!(all.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{sign:?} {scale} {direction}");
                }
            }
        }
    }
}
