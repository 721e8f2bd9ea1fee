//! What the analysis of the waveforms found, as values of the patient: beats, rates, pressures,
//! rhythm and signal quality, each kept as a series of ours and marked as derived (PR-1).

use signal::bedside::{Derived, Finding};
use vitals::metric::code;
use vitals::time::{MINUTE, SECOND};
use vitals::{EffectiveTime, MetricCode, PatientId, Point, Quality, ReadingRef};

use super::Owner;
use crate::effect::Effect;
use crate::value::Arriving;
use crate::{Engine, Step};

/// A rhythm that lasts is kept as a value this often.
const RHYTHM_KEPT_EVERY: i64 = MINUTE;
/// A value less sure than this is kept as doubtful.
const SURE: f32 = 0.5;

/// One found value.
struct Found {
    metric: MetricCode,
    channel: u32,
    value: f64,
    time: i64,
    quality: Quality,
    /// Whether it is kept in its series, rather than only shown.
    kept: bool,
}

impl Engine {
    /// Takes up what was found of a patient; `shown`: it may be the present. Whether the patient
    /// is to be judged.
    pub(super) fn take_findings(
        &mut self,
        patient: &PatientId,
        shown: bool,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) -> bool {
        let mut judge = false;
        for finding in std::mem::take(&mut self.findings) {
            let found = match finding {
                Finding::Beat { beat, .. } => Found {
                    metric: code::BEAT,
                    channel: 0,
                    value: f64::from(beat.class.code()),
                    time: beat.time_us,
                    quality: doubt(beat.confidence),
                    kept: true,
                },
                Finding::Derived { what, value, time_us, confidence } => Found {
                    metric: metric_of(what),
                    channel: 0,
                    value,
                    time: time_us,
                    quality: doubt(confidence),
                    kept: true,
                },
                Finding::Rhythm { rhythm, time_us, since_us, .. } => {
                    self.rhythm(patient, rhythm.code(), time_us, since_us)
                }
                Finding::Quality { channel, index, reason, time_us } => {
                    let reason = reason.map_or(0, signal::Reason::code);
                    for found in self.signal_quality(patient, channel, (index, reason), time_us) {
                        self.keep_found(patient, &found, false, cx, out);
                    }
                    continue;
                }
            };
            judge |= self.keep_found(patient, &found, shown, cx, out);
        }
        judge
    }

    /// The rhythm as a value: kept when it changes and each minute, shown each time.
    fn rhythm(&mut self, patient: &PatientId, rhythm: u8, time: i64, since: i64) -> Found {
        let waves = self.waves.entry(Owner::Patient(patient.clone())).or_default();
        let changed = waves.rhythm.is_none_or(|(before, _)| before != rhythm);
        if changed {
            waves.rhythm = Some((rhythm, EffectiveTime(since)));
        }
        let kept = changed || time.saturating_sub(waves.rhythm_kept) >= RHYTHM_KEPT_EVERY;
        if kept {
            waves.rhythm_kept = time;
        }
        let (value, quality) = (f64::from(rhythm), Quality::empty());
        Found { metric: code::RHYTHM, channel: 0, value, time, quality, kept }
    }

    /// The quality of one waveform as two values.
    fn signal_quality(
        &mut self,
        patient: &PatientId,
        series: u32,
        (index, reason): (u8, u8),
        time: i64,
    ) -> Vec<Found> {
        let waves = self.waves.entry(Owner::Patient(patient.clone())).or_default();
        let Some(line) = waves.channels.iter_mut().find(|line| line.series.0 == series) else {
            return Vec::new();
        };
        let before = line.quality.replace((index, reason));
        let channel = (line.metric.0 & 0xffff) | (line.channel << 16);
        let value = |metric, value: u8| Found {
            metric,
            channel,
            value: f64::from(value),
            time,
            quality: Quality::empty(),
            kept: true,
        };
        let mut found = vec![value(code::SIGNAL_QUALITY, index)];
        if before.is_none_or(|(_, reason_before)| reason_before != reason) {
            found.push(value(code::SIGNAL_REASON, reason));
        }
        found
    }

    /// Keeps a found value, and shows it unless a device of its own says the same metric. Whether
    /// rules may look at it now.
    fn keep_found(
        &mut self,
        patient: &PatientId,
        found: &Found,
        shown: bool,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) -> bool {
        let series = self.derived_series(patient, found.metric, found.channel, out);
        let Some(state) = self.patients.get_mut(patient) else { return false };
        let recorded = if state.recorded { Quality::RECORDED } else { Quality::empty() };
        let index = cx.next_derived;
        cx.next_derived = cx.next_derived.saturating_add(1);
        let quality = found.quality | Quality::DERIVED | recorded;
        let point = Point {
            time: EffectiveTime(found.time),
            received: self.now,
            value: found.value,
            offset: cx.offset,
            index,
            quality,
        };
        if found.kept {
            out.push(Effect::Point(series, point));
        }
        // A beat is no state that lasts.
        if !shown || found.metric == code::BEAT {
            return false;
        }
        let own = &self.self_device;
        let said = state.values.usable(found.metric, state.clock);
        if said.is_some_and(|current| current.device != *own) {
            return false;
        }
        let arriving = Arriving {
            metric: found.metric,
            row: found.metric.metric(),
            value: found.value,
            text: None,
            device: own,
            reading: ReadingRef { series, offset: cx.offset, index },
            time: point.time,
            received: self.now,
            quality,
            until: None,
        };
        let clock = state.clock;
        if !state.values.take(&arriving, clock) {
            return false;
        }
        if let (Some(row), true) = (arriving.row, quality.usable()) {
            state.past.note(row, found.value, found.time);
        }
        // What is long past is history: nobody is called for it.
        clock.saturating_sub(found.time) < MINUTE + SECOND
    }
}

fn doubt(confidence: f32) -> Quality {
    if confidence < SURE { Quality::QUESTIONABLE } else { Quality::empty() }
}

fn metric_of(what: Derived) -> MetricCode {
    match what {
        Derived::HeartRate => code::HEART_RATE,
        Derived::PulseRate => code::PULSE_RATE,
        Derived::Systolic => code::ABP_SYS,
        Derived::Diastolic => code::ABP_DIA,
        Derived::Mean => code::ABP_MEAN,
        Derived::RespRate => code::RESP_RATE,
        Derived::PulseArrival => code::PULSE_ARRIVAL_TIME,
        Derived::Sdnn => code::SDNN,
        Derived::Rmssd => code::RMSSD,
    }
}
