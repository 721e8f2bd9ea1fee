//! What phones and their clouds keep: data points of Open mHealth and IEEE 1752.1, records of Android's
//! Health Connect, and events of things that give out medicine. One of them, or a list.

mod connect;
mod event;
mod openmhealth;

use jiff::tz::TimeZone;
use serde_json::Value;
use vitals::{DeviceId, DeviceTime, Metric, ProblemKind, Quality};

use crate::time::TimeFormat;
use crate::{Details, MAX_RECORDS, Mapped, RawMessage, dedup_key, measure, unit_from_text};

/// What is wrong with an item: kind, key, and what to do.
type Refused = (ProblemKind, &'static str, String);

/// Maps an item, or a list of them.
pub(super) fn map(raw: &RawMessage<'_>, device: &DeviceId, profile: &str) -> Mapped {
    let mut mapped = Mapped::new(profile);
    let items = match serde_json::from_slice(raw.payload) {
        Ok(Value::Array(items)) => items,
        Ok(item @ Value::Object(_)) => vec![item],
        Ok(_) => {
            mapped.problem(ProblemKind::Syntax, "$", "send a data point, or a list of data points");
            return mapped;
        }
        Err(error) => {
            let detail = format!("not JSON at line {} column {}", error.line(), error.column());
            mapped.problem(ProblemKind::Syntax, "$", detail);
            return mapped;
        }
    };
    if items.len() > MAX_RECORDS {
        mapped.problem(ProblemKind::Limit, "$", format!("more than {MAX_RECORDS} data points: send several messages"));
    }
    for (at, item) in items.iter().take(MAX_RECORDS).enumerate() {
        let mut point = Point { mapped: &mut mapped, device, item };
        if let Err((kind, key, detail)) = point.take() {
            let dot = if key.is_empty() { "" } else { "." };
            mapped.problem(kind, format!("$[{at}]{dot}{key}"), detail);
        }
    }
    // Phones send a day's values again with each that is new, in other company: see `nightscout`.
    let timed = mapped.measurements().all(|measurement| measurement.device_time.is_some());
    if timed {
        mapped.dedup = Some(super::measured_key(raw, &mapped));
    } else if mapped.content.is_empty() {
        mapped.dedup = Some(dedup_key(raw));
    }
    mapped
}

/// One item on its way to measurements.
struct Point<'m, 'd> {
    mapped: &'m mut Mapped,
    device: &'d DeviceId,
    item: &'d Value,
}

impl Point<'_, '_> {
    fn take(&mut self) -> Result<(), Refused> {
        if !self.item.is_object() {
            return Err((ProblemKind::Syntax, "", "a data point is a JSON object".to_owned()));
        }
        if self.item.get("header").is_some() && self.item.get("body").is_some() {
            return openmhealth::take(self);
        }
        if self.item.get("event").is_some() {
            return event::take(self);
        }
        if ["recordType", "type"].iter().any(|key| self.item.get(*key).is_some()) {
            return connect::take(self);
        }
        let detail = "neither a data point (header, body), a Health Connect record (recordType) nor an event".to_owned();
        Err((ProblemKind::Unmatched, "", detail))
    }

    /// Adds a value in a unit (empty: the metric's own).
    fn put(
        &mut self,
        refid: &str,
        value: f64,
        unit: &str,
        (time, quality): (Option<DeviceTime>, Quality),
        key: &'static str,
    ) -> Result<(), Refused> {
        let row = Metric::by_refid(refid).ok_or_else(|| (ProblemKind::UnknownMetric, key, "no such metric".to_owned()))?;
        let known = match unit {
            "" => None,
            unit => {
                let unknown = || (ProblemKind::UnknownUnit, key, "this unit is not known".to_owned());
                Some(unit_from_text(usual(unit)).ok_or_else(unknown)?)
            }
        };
        let details = Details { device_time: time, quality, channel: 0 };
        let made = measure(row, value, known, details).map_err(|problem| (problem.kind, key, problem.detail))?;
        self.mapped.push(self.device, None, made);
        Ok(())
    }
}

/// UCUM for how phones write units.
fn usual(unit: &str) -> &str {
    match unit {
        "beats/min" | "breaths/min" | "bpm" => "/min",
        "C" | "degC" => "Cel",
        "F" | "degF" => "[degF]",
        "lb" => "[lb_av]",
        "oz" => "[oz_av]",
        "in" => "[in_i]",
        "ft" => "[ft_i]",
        "mmHg" => "mm[Hg]",
        "sec" => "s",
        "hr" => "h",
        "steps" | "count" => "{steps}",
        other => other,
    }
}

/// A time as RFC 3339 writes it, or a number of milliseconds since 1970.
fn time(value: &Value, key: &'static str) -> Result<DeviceTime, Refused> {
    let format = if value.is_number() { TimeFormat::Unix(3) } else { TimeFormat::Rfc3339 };
    format.read(value, &TimeZone::UTC).map_err(|why| (ProblemKind::BadTime, key, why))
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number: &f64| number.is_finite())
}
