//! How far an electrocardiogram looks like ventricular fibrillation or flutter: an even oscillation of 2 to 10 Hz
//! without QRS complexes.
//!
//! Two published measures over the last four seconds, made of additions and multiplications only:
//!
//! - *leakage* of the VF filter (Kuo and Dillman, Computers in Cardiology 1978:347): the signal is
//!   added to itself half a mean period later. An oscillation cancels (0), complexes do not (towards 1).
//! - *evenness*: the share of the QRS band (13 to 16.5 Hz) that its mean takes of its root mean square, squared: the moment form
//!   of Jekova and Krasteva's auxiliary counts (Physiol. Meas. 2004;25:1167). Complexes are rare and high (below 0.4),
//!   fibrillation is always there (0.6 and above; a sine has 0.81).
//!
//! Li, Rajagopalan and Clifford (IEEE Trans. Biomed. Eng. 2014;61:1607) found this pair to be the best of fourteen.

use serde::{Deserialize, Serialize};

use crate::filter::Biquad;

/// Half periods at which leakage is summed, seconds: 10 to 2.3 Hz in steps of a fifth.
const HALVES_S: [f32; 9] = [0.05, 0.06, 0.072, 0.0864, 0.1037, 0.1244, 0.1493, 0.1792, 0.215];
/// Length of the delay line: the longest half period at 200 Hz, and some.
const LINE: usize = 64;
/// Seconds that the measures look back.
const WINDOW: usize = 4;

/// How far the last four seconds look like fibrillation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Oscillation {
    /// VF filter leakage, 0 (one oscillation) to 1; 1 where nothing is known.
    pub leakage: f32,
    /// Evenness of the QRS band, 0 to 1.
    pub evenness: f32,
    /// Mean frequency, hertz.
    pub hz: f32,
    /// Peak to peak of a sine of the same power, millivolts.
    pub amplitude: f32,
    /// Seconds of signal behind it, up to 4.
    pub seconds: u8,
}

impl Oscillation {
    /// Whether it is as in fibrillation: at 2 to 10 Hz with no more leakage and no less evenness than these.
    #[must_use]
    pub fn like_fibrillation(&self, leakage: f32, evenness: f32) -> bool {
        (2.0..=10.0).contains(&self.hz) && self.leakage <= leakage && self.evenness >= evenness
    }
}

/// Sums of one second.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Sums {
    count: u32,
    size: f32,
    change: f32,
    power: f32,
    leaks: [f32; HALVES_S.len()],
    qrs: f32,
    qrs_power: f32,
}

/// Makes [`Oscillation`] out of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Oscillator {
    rate: f32,
    thinning: u32,
    gathered: u32,
    gathered_sum: f32,
    origin: Option<f32>,
    base: Biquad,
    band: Biquad,
    line: Vec<f32>,
    at: usize,
    delays: [u8; HALVES_S.len()],
    last: f32,
    now: Sums,
    past: [Sums; WINDOW],
}

impl Oscillator {
    pub(super) fn new(rate: f32) -> Self {
        let thinning = ((rate / 100.0) as u32).max(1);
        let rate = rate / thinning as f32;
        Oscillator {
            rate,
            thinning,
            gathered: 0,
            gathered_sum: 0.0,
            origin: None,
            base: Biquad::high_pass(1.0, core::f64::consts::FRAC_1_SQRT_2, f64::from(rate)),
            band: Biquad::band_pass(14.6, 14.6 / 3.5, f64::from(rate)),
            line: vec![0.0; LINE],
            at: 0,
            delays: HALVES_S.map(|s| ((s * rate + 0.5) as u8).clamp(1, LINE as u8 - 1)),
            last: 0.0,
            now: Sums::default(),
            past: [Sums::default(); WINDOW],
        }
    }

    /// Takes a sample that has a value.
    #[inline]
    pub(super) fn take(&mut self, value: f32) {
        let origin = *self.origin.get_or_insert(value);
        self.gathered_sum += value - origin;
        self.gathered += 1;
        if self.gathered == self.thinning {
            let mean = self.gathered_sum / self.thinning as f32;
            (self.gathered, self.gathered_sum) = (0, 0.0);
            self.thinned(mean);
        }
    }

    /// Takes a sample of the thinned signal, 100 to 200 a second.
    fn thinned(&mut self, value: f32) {
        let x = self.base.step(value);
        let qrs = self.band.step(value);
        let sums = &mut self.now;
        sums.count += 1;
        sums.size += x.abs();
        sums.change += (x - self.last).abs();
        sums.power += x * x;
        sums.qrs += qrs.abs();
        sums.qrs_power += qrs * qrs;
        self.last = x;
        if self.line.len() == LINE {
            for (leak, &delay) in sums.leaks.iter_mut().zip(&self.delays) {
                *leak += (x + self.line[(self.at + LINE - usize::from(delay)) % LINE]).abs();
            }
            self.line[self.at % LINE] = x;
            self.at = (self.at + 1) % LINE;
        }
    }

    /// A second has ended: the measures of the last four, and of this one alone.
    pub(super) fn finish(&mut self) -> (Oscillation, Oscillation) {
        let alone = self.measures(&self.now, u8::from(2 * self.now.count >= self.rate as u32));
        self.past.rotate_left(1);
        self.past[WINDOW - 1] = core::mem::take(&mut self.now);
        let mut all = Sums::default();
        let mut seconds = 0;
        for past in &self.past {
            all.count += past.count;
            all.size += past.size;
            all.change += past.change;
            all.power += past.power;
            all.qrs += past.qrs;
            all.qrs_power += past.qrs_power;
            all.leaks.iter_mut().zip(&past.leaks).for_each(|(sum, leak)| *sum += leak);
            seconds += u8::from(2 * past.count >= self.rate as u32);
        }
        if !(all.power < 1e30 && all.qrs_power < 1e30) {
            // Values beyond any sense must not stay in the filters.
            self.base.settle(0.0);
            self.band.settle(0.0);
            (self.origin, self.past) = (None, [Sums::default(); WINDOW]);
        }
        (self.measures(&all, seconds), alone)
    }

    fn measures(&self, sums: &Sums, seconds: u8) -> Oscillation {
        let count = sums.count.max(1) as f32;
        if !(sums.size > 0.0 && sums.change > 0.0 && sums.power < 1e30) {
            return Oscillation { leakage: 1.0, seconds, ..Oscillation::default() };
        }
        let half_s = core::f32::consts::PI * sums.size / sums.change / self.rate;
        let nearest = (1..HALVES_S.len())
            .fold(0, |best, i| if (HALVES_S[i] - half_s).abs() < (HALVES_S[best] - half_s).abs() { i } else { best });
        let mean = sums.qrs / count;
        Oscillation {
            leakage: (sums.leaks[nearest] / (2.0 * sums.size)).min(1.0),
            evenness: if sums.qrs_power > 0.0 { (mean * mean * count / sums.qrs_power).min(1.0) } else { 0.0 },
            hz: 0.5 / half_s,
            amplitude: (8.0 * sums.power / count).sqrt(),
            seconds,
        }
    }
}
