//! SenML (RFC 8428): from records with base fields to measurements, whatever the encoding.
//!
//! Names are IEEE 11073 reference ids, optionally after a base name of any kind and with a
//! `/channel` behind. Extension fields: `vwq` carries quality flags, `vwr` and `vws` a waveform.

use std::borrow::Cow;

use vitals::{DeviceId, DeviceTime, Measurement, Metric, Problem, ProblemKind, Quality, TimeBase, measurement};

use super::senml_wave;
use crate::measure::{unknown_metric, unknown_unit};
use crate::{Details, MAX_RECORDS, Mapped, RawMessage, dedup_key, measure, measure_text, unit_from_text};

/// Times below this many seconds are relative to now (RFC 8428 §4.5.3).
const ABSOLUTE_FROM_S: f64 = 268_435_456.0;
/// The SenML version that we read; a pack of a later one is refused (RFC 8428 §4.4).
const VERSION: f64 = 10.0;

/// One record as sent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) bver: Option<f64>,
    pub(super) bn: Option<Cow<'a, str>>,
    pub(super) bt: Option<f64>,
    pub(super) bu: Option<Cow<'a, str>>,
    pub(super) bv: Option<f64>,
    pub(super) n: Option<Cow<'a, str>>,
    pub(super) u: Option<Cow<'a, str>>,
    pub(super) v: Option<f64>,
    pub(super) vs: Option<Cow<'a, str>>,
    pub(super) vb: Option<bool>,
    pub(super) t: Option<f64>,
    pub(super) vwq: Option<Cow<'a, str>>,
    pub(super) vwr: Option<Cow<'a, str>>,
    pub(super) vws: Option<Vec<Option<f64>>>,
    /// The record has a data value or a sum, which no metric has.
    pub(super) other_value: bool,
    /// The record has a field that must be understood (its label ends with `_`).
    pub(super) must_understand: bool,
}

impl Record<'_> {
    /// What stays of a record that is no good: its base fields, which hold for those that follow.
    pub(super) fn bases(self) -> Self {
        Self { bn: self.bn, bt: self.bt, bu: self.bu, bv: self.bv, ..Self::default() }
    }
}

/// What the base fields have come to, and what came out so far.
pub(super) struct Pack<'m, 'a> {
    raw: &'m RawMessage<'m>,
    device: &'m DeviceId,
    mapped: Mapped,
    measurements: Vec<Measurement>,
    base_name: Cow<'a, str>,
    base_unit: Option<Cow<'a, str>>,
    base_time_s: Option<f64>,
    base_value: f64,
    own_time: bool,
    records: usize,
}

impl<'m, 'a> Pack<'m, 'a> {
    pub(super) fn new(
        raw: &'m RawMessage<'m>,
        device: &'m DeviceId,
        time_base: TimeBase,
        profile: &str,
    ) -> Self {
        let mut mapped = Mapped::new(profile);
        mapped.time_base = time_base;
        Self {
            raw,
            device,
            mapped,
            measurements: Vec::new(),
            base_name: Cow::Borrowed(""),
            base_unit: None,
            base_time_s: None,
            base_value: 0.0,
            own_time: false,
            records: 0,
        }
    }

    /// Notes a problem of the message or of one record.
    pub(super) fn problem(&mut self, kind: ProblemKind, path: String, detail: &str) {
        self.mapped.problem(kind, path, detail);
    }

    /// Whether another record may be taken; the first one too many is noted.
    pub(super) fn has_room(&mut self) -> bool {
        self.records += 1;
        if self.records == MAX_RECORDS + 1 {
            self.problem(
                ProblemKind::Limit,
                format!("$[{MAX_RECORDS}]"),
                "more than 10,000 records in one message: send several messages",
            );
        }
        self.records <= MAX_RECORDS
    }

    /// Takes the next record, number `at`.
    pub(super) fn take(&mut self, at: usize, record: Record<'a>) {
        if let Some(name) = record.bn {
            self.base_name = name;
        }
        if let Some(unit) = record.bu {
            self.base_unit = Some(unit);
        }
        if let Some(time) = record.bt {
            self.base_time_s = Some(time);
        }
        if let Some(value) = record.bv {
            self.base_value = value;
        }
        if record.bver.is_some_and(|version| version > VERSION) {
            self.problem(ProblemKind::Syntax, format!("$[{at}].bver"), "a SenML version after 10 is not understood");
            return;
        }
        if record.must_understand {
            self.problem(ProblemKind::Syntax, format!("$[{at}]"), "a field that must be understood (its label ends with _) is not");
            return;
        }
        let has_value =
            record.v.is_some() || record.vs.is_some() || record.vb.is_some() || record.vws.is_some();
        if !has_value && !record.other_value && record.n.is_none() {
            return; // Only base fields: a record of its own is allowed to set them.
        }
        let made = self.measurement(
            record.n.as_deref().unwrap_or(""),
            record.u.as_deref(),
            record.t,
            record.vwq.as_deref(),
            match (record.v, record.vs.as_deref(), record.vb, record.vws) {
                (Some(number), ..) => Some(Sent::Number(number + self.base_value)),
                (_, Some(text), ..) => Some(Sent::Text(text)),
                (_, _, Some(flag), _) => Some(Sent::Flag(flag)),
                (.., Some(samples)) => Some(Sent::Samples(record.vwr.as_deref(), samples)),
                _ => None,
            },
        );
        match made {
            Ok(measurement) => self.measurements.push(measurement),
            Err(mut problem) => {
                problem.path = format!("$[{at}]{}", problem.path);
                self.mapped.problems.push(problem);
            }
        }
    }

    /// One measurement; a problem's path is relative to the record.
    fn measurement(
        &mut self,
        name: &str,
        unit: Option<&str>,
        time_s: Option<f64>,
        quality: Option<&str>,
        sent: Option<Sent<'_>>,
    ) -> Result<Measurement, Problem> {
        let joined: Cow<'_, str> = match (self.base_name.is_empty(), name.is_empty()) {
            (true, _) => Cow::Borrowed(name),
            (false, true) => Cow::Borrowed(&*self.base_name),
            (false, false) => Cow::Owned(format!("{}{name}", self.base_name)),
        };
        let (metric, channel) = parse_name(&joined)?;
        let sent = sent.ok_or_else(|| {
            crate::problem(ProblemKind::Missing, "", "the record has no value: one of v, vs, vb or vws is needed")
        })?;
        let device_time = resolve_time(self.base_time_s, time_s, self.raw.received)?;
        let own_time = device_time.is_some_and(|(_, absolute)| absolute);
        if self.mapped.time_base == TimeBase::Recorded && !own_time {
            return Err(crate::problem(
                ProblemKind::Missing,
                ".t",
                "a recording needs an absolute time (seconds since 1970) in each record",
            ));
        }
        self.own_time |= own_time;
        let details = Details {
            device_time: device_time.map(|(time, _)| time),
            quality: quality.map_or(Ok(Quality::empty()), parse_quality)?,
            channel,
        };
        self.mapped.lane_is_waveform |= matches!(sent, Sent::Samples(..));
        let unit = || match unit.or(self.base_unit.as_deref()).filter(|text| !text.is_empty()) {
            Some(text) => unit_from_text(text).map(Some).ok_or_else(|| unknown_unit(".u".to_owned())),
            None => Ok(None),
        };
        let (path, made) = match sent {
            Sent::Number(number) => (".v", measure(metric, number, unit()?, details)),
            Sent::Text(text) => (".vs", measure_text(metric, text, details)),
            Sent::Flag(flag) => {
                (".vb", measure_text(metric, if flag { "true" } else { "false" }, details))
            }
            Sent::Samples(rate, samples) => {
                return senml_wave::measured(metric, rate, samples, unit()?, details);
            }
        };
        made.map_err(|mut problem| {
            let path = if problem.kind == ProblemKind::UnknownUnit { ".u" } else { path };
            path.clone_into(&mut problem.path);
            problem
        })
    }

    /// What came of the pack.
    pub(super) fn finish(mut self) -> Mapped {
        if !self.measurements.is_empty() {
            self.mapped.content.push(vitals::Content::Reading(vitals::Reading {
                device: self.device.clone(),
                patient: None,
                measurements: self.measurements,
            }));
        }
        if self.own_time {
            self.mapped.dedup = Some(dedup_key(self.raw));
        }
        self.mapped
    }
}

enum Sent<'a> {
    Number(f64),
    Text(&'a str),
    Flag(bool),
    /// Rate and samples.
    Samples(Option<&'a str>, Vec<Option<f64>>),
}

/// `urn:dev:ow:10e2:MDC_ECG_HEART_RATE/2` → the metric and channel 2.
fn parse_name(name: &str) -> Result<(&'static Metric, u32), Problem> {
    if let Some(metric) = Metric::by_refid(name) {
        return Ok((metric, 0));
    }
    let (path, channel) = match name.rsplit_once('/') {
        Some((path, last)) if last.as_bytes().first().is_some_and(u8::is_ascii_digit) => {
            let channel = parse_channel(last).ok_or_else(|| {
                crate::problem(
                    ProblemKind::BadValue,
                    ".n",
                    "after the metric's name comes a channel: a number, or VMD.channel.metric",
                )
            })?;
            (path, channel)
        }
        _ => (name, 0),
    };
    let last = path.rsplit(['/', ':']).next().unwrap_or(path);
    Metric::by_refid(last).map(|metric| (metric, channel)).ok_or_else(|| unknown_metric(".n".to_owned()))
}

/// A channel number, or the three levels of an IEEE 11073 containment path.
fn parse_channel(text: &str) -> Option<u32> {
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
    let first = parts.next()??;
    let Some(second) = parts.next() else { return Some(first) };
    let (second, third) = (second?, parts.next()??);
    (parts.next().is_none() && first.max(second).max(third) < 1_024)
        .then(|| measurement::channel(first, second, third))
}

/// The device's time, and whether it is absolute; none when the record gives no time.
fn resolve_time(
    base_s: Option<f64>,
    time_s: Option<f64>,
    received: vitals::ReceiveTime,
) -> Result<Option<(DeviceTime, bool)>, Problem> {
    let sum = match (base_s, time_s) {
        (None, None) => return Ok(None),
        (base, time) => base.unwrap_or(0.0) + time.unwrap_or(0.0),
    };
    if sum == 0.0 {
        return Ok(None);
    }
    let bad = |path: &str| {
        crate::problem(ProblemKind::BadTime, path, "the time is out of range: use seconds since 1970")
    };
    // Each part is rounded by itself, so that a whole number of microseconds stays what it is.
    let base = base_s.map_or(Ok(0), |s| micros(s).ok_or_else(|| bad(".bt")))?;
    let time = time_s.map_or(Ok(0), |s| micros(s).ok_or_else(|| bad(".t")))?;
    let total = base + time;
    if sum < ABSOLUTE_FROM_S {
        return Ok(Some((DeviceTime(received.micros().saturating_add(total)), false)));
    }
    Ok(Some((DeviceTime(total), true)))
}

/// Seconds as whole microseconds; none beyond the year 9999 or so in either direction.
fn micros(seconds: f64) -> Option<i64> {
    (seconds.abs() < 3.0e11).then(|| (seconds * 1e6).round() as i64)
}

/// `vwq`: the names of quality flags, separated by commas or spaces.
fn parse_quality(text: &str) -> Result<Quality, Problem> {
    crate::profile::quality_from_text(text)
        .ok_or_else(|| crate::problem(ProblemKind::BadValue, ".vwq", "not the name of a quality flag"))
}
