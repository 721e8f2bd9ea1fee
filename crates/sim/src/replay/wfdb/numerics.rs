//! Numerics of a MIMIC record: what its channels are called here.

use record::Recording;

use super::Track;

/// Labels, reference ids and units. Numbers of 0 stand for "not measured" there and are left out.
const NUMERICS: [(&str, &str, &str); 18] = [
    ("HR", "MDC_ECG_HEART_RATE", "/min"),
    ("PULSE", "MDC_PULS_OXIM_PULS_RATE", "/min"),
    ("RESP", "MDC_RESP_RATE", "/min"),
    ("SPO2", "MDC_PULS_OXIM_SAT_O2", "%"),
    ("NBPSYS", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    ("NBPDIAS", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    ("NBPMEAN", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    ("NBP SYS", "MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    ("NBP DIAS", "MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    ("NBP MEAN", "MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
    ("ABPSYS", "MDC_PRESS_BLD_ART_ABP_SYS", "mm[Hg]"),
    ("ABPDIAS", "MDC_PRESS_BLD_ART_ABP_DIA", "mm[Hg]"),
    ("ABPMEAN", "MDC_PRESS_BLD_ART_ABP_MEAN", "mm[Hg]"),
    ("ABP SYS", "MDC_PRESS_BLD_ART_ABP_SYS", "mm[Hg]"),
    ("ABP DIAS", "MDC_PRESS_BLD_ART_ABP_DIA", "mm[Hg]"),
    ("ABP MEAN", "MDC_PRESS_BLD_ART_ABP_MEAN", "mm[Hg]"),
    ("CVP", "MDC_PRESS_BLD_VEN_CENT", "mm[Hg]"),
    ("ETCO2", "MDC_AWAY_CO2_ET", "mm[Hg]"),
];

/// Values of one time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    /// Microseconds after the record's start.
    pub(super) time_us: i64,
    /// Reference id, unit, value.
    pub(super) values: Vec<(&'static str, &'static str, f64)>,
}

/// Takes the numerics of `beside` into the track.
pub(super) fn take(track: &mut Track, beside: &Recording) {
    let mut all: Vec<(i64, &'static str, &'static str, f64)> = Vec::new();
    for channel in &beside.channels {
        let label = channel.label.to_uppercase();
        let Some((_, metric, unit)) = NUMERICS.iter().find(|(name, _, _)| *name == label) else {
            *track.left_out.entry(format!("{}: no metric", channel.label)).or_default() += channel.present() as u64;
            continue;
        };
        for segment in &channel.segments {
            for (at, value) in segment.values().enumerate().filter(|(_, value)| value.is_finite()) {
                if value == 0.0 {
                    *track.left_out.entry(format!("{}: 0 stands for none", channel.label)).or_default() += 1;
                    continue;
                }
                all.push((segment.time_us(channel.rate, at as u64), metric, unit, value));
                *track.counts.entry((*metric).to_owned()).or_default() += 1;
            }
        }
    }
    all.sort_by_key(|(time_us, ..)| *time_us);
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        let values = group.iter().map(|(_, metric, unit, value)| (*metric, *unit, *value)).collect();
        track.numerics.push(Moment { time_us: group[0].0, values });
    }
}
