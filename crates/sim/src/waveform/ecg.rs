//! What a beat looks like in a lead: waves as Gaussians around its R peak, in mV.

use super::{BeatKind, Lead};
use super::heart::Beat;

/// One wave: from the R peak, s; height, mV; width (deviation), s.
type Wave = (f64, f64, f64);

/// Nothing of a beat is to be seen earlier than this before its R peak, s.
pub(super) const BEFORE_S: f64 = 0.26;
/// Nor later than this after it, s.
pub(super) const AFTER_S: f64 = 0.72;

/// P, Q, R, S, then T as two halves, for an interval of 0.86 s.
const NARROW: [(Lead, [Wave; 6]); 4] = [
    (Lead::I, [(-0.16, 0.07, 0.022), (-0.026, -0.05, 0.009), (0.0, 0.62, 0.0105), (0.028, -0.08, 0.010), (0.235, 0.07, 0.045), (0.28, 0.12, 0.033)]),
    (Lead::II, [(-0.16, 0.13, 0.023), (-0.026, -0.09, 0.009), (0.0, 1.15, 0.0105), (0.029, -0.20, 0.010), (0.235, 0.11, 0.045), (0.28, 0.21, 0.033)]),
    (Lead::V1, [(-0.15, 0.06, 0.020), (-0.02, 0.0, 0.009), (0.0, 0.26, 0.0085), (0.030, -0.92, 0.012), (0.24, -0.03, 0.045), (0.28, -0.05, 0.033)]),
    (Lead::V5, [(-0.16, 0.09, 0.022), (-0.026, -0.11, 0.009), (0.0, 1.38, 0.0105), (0.030, -0.30, 0.010), (0.235, 0.14, 0.045), (0.28, 0.26, 0.033)]),
];

/// A beat from a ventricle: wide, notched, with a T wave against it.
const WIDE: [Wave; 5] =
    [(-0.03, 0.35, 0.022), (0.0, 1.05, 0.028), (0.05, 0.45, 0.030), (0.12, -0.30, 0.035), (0.30, -0.42, 0.060)];

/// The mark of the pacemaker, then a wide beat after it.
const PACED: [Wave; 4] = [(-0.072, 1.2, 0.0022), (0.0, 0.85, 0.030), (0.07, -0.35, 0.028), (0.31, -0.33, 0.055)];

/// Height of the wide shapes in a lead.
const fn wide_in(lead: Lead) -> f64 {
    match lead {
        Lead::I => -0.45,
        Lead::II => 1.0,
        Lead::III => 1.45,
        Lead::V1 => 1.1,
        Lead::V5 => -0.7,
    }
}

/// The potential of `beat` in `lead` at `t_s` from its R peak, mV.
pub(super) fn potential(lead: Lead, beat: &Beat, t_s: f64) -> f64 {
    match beat.kind {
        BeatKind::Ventricular => wide_in(lead) * wide(&WIDE, beat.rr_s, t_s),
        BeatKind::Paced => wide_in(lead).abs() * wide(&PACED, beat.rr_s, t_s),
        _ => match lead {
            Lead::III => narrow(Lead::II, beat, t_s) - narrow(Lead::I, beat, t_s),
            lead => narrow(lead, beat, t_s),
        },
    }
}

fn narrow(lead: Lead, beat: &Beat, t_s: f64) -> f64 {
    let Some((_, waves)) = NARROW.iter().find(|(of, _)| *of == lead) else { return 0.0 };
    let stretch = stretch(beat.rr_s);
    let mut sum = 0.0;
    for (at, (centre, height, width)) in waves.iter().enumerate() {
        sum += match (at, beat.kind) {
            (0, BeatKind::Fibrillating) => 0.0,
            // Another place in the atria: a smaller wave, nearer to the beat.
            (0, BeatKind::Supraventricular) => gauss(t_s - centre * 0.75, -0.6 * height, *width),
            (0, _) => gauss(t_s - centre * stretch.min(1.05), *height, *width),
            (4.., _) => gauss(t_s - centre * stretch, *height, width * stretch),
            _ => gauss(t_s - centre, *height, *width),
        };
    }
    sum
}

fn wide(waves: &[Wave], rr_s: f64, t_s: f64) -> f64 {
    let stretch = stretch(rr_s).min(1.0);
    let all = waves.iter().enumerate().map(|(at, (centre, height, width))| {
        let last = at + 1 == waves.len();
        let factor = if last { stretch } else { 1.0 };
        gauss(t_s - centre * factor, *height, width * factor)
    });
    all.sum()
}

/// How the interval stretches what follows the beat: with its square root (Bazett 1920).
fn stretch(rr_s: f64) -> f64 {
    (rr_s / 0.86).clamp(0.3, 1.6).sqrt()
}

fn gauss(t: f64, height: f64, width: f64) -> f64 {
    let z = t / width;
    if z.abs() > 4.5 { 0.0 } else { height * (-0.5 * z * z).exp() }
}
