//! `DeviceMetric`: what a device can measure. One that a sender wrote is kept with the device
//! that it belongs to, inside that device's document; every other is derived from the device's
//! stored series, and never stored.

use serde_json::{Value as Json, json};
use vitals::metric::MetricKind;
use vitals::{Device, DeviceId, MetricCode, Unit};

use crate::code::{MDC, PRIVATE, UCUM, codings, metric_of};
use crate::containment::{self, ID_MAX, channel_of, ending};
use crate::directory::target;
use crate::guide::POCD;
use crate::outcome::{Issue, IssueCode};
use crate::panel;

/// Metrics that one device may have written for it.
const METRICS_MAX: usize = 1_000;
const PREFIX: &str = "metric-";

/// A device's metric as its series shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// What is measured; for a blood pressure the compound, not its parts.
    pub metric: MetricCode,
    /// Channel as in [`vitals::Measurement::channel`].
    pub channel: u32,
}

impl Seen {
    /// The metric that a series of `metric` belongs to: the parts of a pressure are one metric.
    #[must_use]
    pub fn of(metric: MetricCode, channel: u32) -> Self {
        let systolic = (0..3).filter_map(|back| metric.0.checked_sub(back).map(MetricCode));
        let compound = systolic.filter_map(panel::compound_of).find(|compound| {
            metric.0 > compound.0 && metric.0 <= compound.0 + 3 && metric.metric().is_some()
        });
        Self { metric: compound.unwrap_or(metric), channel }
    }

    /// The id of the resource: `metric-<code>-<channel>-<device>`.
    #[must_use]
    pub fn id(self, device: &DeviceId) -> String {
        let front = format!("{PREFIX}{}-{}-", self.metric.0, self.channel);
        let end = ending(device, ID_MAX - front.len());
        front + &end
    }
}

/// The metric that a derived id names, and the id of its device (or its hash).
#[must_use]
pub fn read_id(id: &str) -> Option<(Seen, &str)> {
    let mut parts = id.strip_prefix(PREFIX)?.splitn(3, '-');
    let metric = MetricCode(parts.next()?.parse().ok()?);
    let channel = parts.next()?.parse().ok()?;
    Some((Seen { metric, channel }, parts.next()?))
}

/// A metric that is known by its series alone.
#[must_use]
pub fn derived(device: &DeviceId, seen: Seen) -> Json {
    let row = seen.metric.metric();
    let number = seen.metric.0.to_string();
    let coding = match row {
        Some(row) if row.refid.starts_with("VW_") => json!({"system": PRIVATE, "code": number, "display": row.refid}),
        Some(row) => json!({"system": MDC, "code": number, "display": row.refid}),
        None => json!({"system": MDC, "code": number}),
    };
    let mut kind = json!({"coding": [coding]});
    let profile = match row.map(|row| row.kind) {
        Some(MetricKind::SampleArray) => "SampleArrayDeviceMetric",
        Some(MetricKind::Enumeration | MetricKind::Text) => "EnumerationDeviceMetric",
        _ => "NumericDeviceMetric",
    };
    let mut json = json!({
        "resourceType": "DeviceMetric",
        "id": seen.id(device),
        "meta": {"profile": [format!("{POCD}{profile}")]},
        "source": {"reference": format!("Device/{device}")},
        "category": if row.is_some_and(|row| matches!(row.category, "score" | "risk")) { "calculation" } else { "measurement" },
    });
    if let Some(row) = row {
        kind["text"] = row.name.into();
        if matches!(row.kind, MetricKind::Numeric | MetricKind::Compound | MetricKind::SampleArray) {
            json["unit"] = unit(row.unit);
        }
        if let Some(channel) = channel_of(row) {
            let parent = containment::id(device, channel);
            json["parent"] = json!({"reference": format!("Device/{parent}")});
        }
    }
    json["type"] = kind;
    json
}

/// A unit in the nomenclature and in UCUM.
fn unit(unit: Unit) -> Json {
    let mut codings = Vec::new();
    if unit.mdc() != 0 {
        codings.push(json!({"system": MDC, "code": unit.mdc().to_string(), "display": unit.refid()}));
    }
    codings.push(json!({"system": UCUM, "code": unit.ucum()}));
    json!({"coding": codings})
}

/// The device that a written metric belongs to: its source, else the device that its parent is.
#[must_use]
pub fn source(metric: &Json) -> Option<DeviceId> {
    let id = target(&metric["source"], "Device").or_else(|| target(&metric["parent"], "Device"))?;
    DeviceId::new(id).ok()
}

/// The metric that a written one is of, where the table has it.
#[must_use]
pub fn metric(json: &Json) -> Option<MetricCode> {
    metric_of(&json["type"]).map(|row| row.code)
}

/// `device` with the metric under `id` in its document, in place of the one that had this id.
///
/// # Errors
/// What stands against it, at elements below `path`.
pub fn within(device: &Device, metric: &Json, id: &str, path: &str) -> Result<Device, Issue> {
    if !vitals::id::is_logical_id(id) || read_id(id).is_some() {
        let detail = "Not an id that a metric can be given: 1 to 64 characters of A-Z a-z 0-9 - ., not one of ours.";
        return Err(Issue::error(IssueCode::Value, format!("{path}.id"), detail));
    }
    let mut kept = metric.clone();
    kept["id"] = id.into();
    if let Some(meta) = kept.get_mut("meta").and_then(Json::as_object_mut) {
        for name in ["versionId", "lastUpdated", "source"] {
            meta.shift_remove(name);
        }
    }
    let mut all = of(device);
    match all.iter_mut().find(|known| known["id"] == id) {
        Some(known) => *known = kept,
        None => all.push(kept),
    }
    if all.len() > METRICS_MAX {
        let detail = "The device has as many metrics as are kept for one.";
        return Err(Issue::error(IssueCode::TooCostly, path.to_owned(), detail));
    }
    Ok(with(device, all))
}

/// The metrics that were written for a device.
#[must_use]
pub fn of(device: &Device) -> Vec<Json> {
    let told = device.document.as_deref().filter(|bytes| mentioned(bytes));
    let Some(json) = told.and_then(|bytes| serde_json::from_slice::<Json>(bytes).ok()) else { return Vec::new() };
    let inside = json["contained"].as_array().into_iter().flatten();
    inside.filter(|inner| inner["resourceType"] == "DeviceMetric").cloned().collect()
}

/// The calibration of a written metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibration {
    /// What it measures, where the table has it.
    pub metric: Option<MetricCode>,
    /// `not-calibrated`, `calibration-required`, `calibrated`, `unspecified`.
    pub state: Option<String>,
    /// When (ISO 8601).
    pub time: Option<String>,
}

/// The calibrations in the metrics that were written for a device, the last of each.
#[must_use]
pub fn calibrations(device: &Device) -> Vec<Calibration> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let last = |json: &Json| {
        let all = json["calibration"].as_array()?;
        let last = all.iter().max_by_key(|one| one["time"].as_str().unwrap_or_default())?;
        Some(Calibration { metric: metric(json), state: text(&last["state"]), time: text(&last["time"]) })
    };
    of(device).iter().filter_map(last).collect()
}

/// Whether a document can hold a metric: looked at before it is parsed.
fn mentioned(document: &[u8]) -> bool {
    const WORD: &[u8] = b"\"DeviceMetric\"";
    document.windows(WORD.len()).any(|window| window == WORD)
}

/// A device's new record with the metrics that were written for it before.
#[must_use]
pub fn carried(old: &Device, new: Device) -> Device {
    let metrics = of(old);
    if metrics.is_empty() { new } else { with(&new, metrics) }
}

fn with(device: &Device, metrics: Vec<Json>) -> Device {
    let told = device.document.as_deref().and_then(|bytes| serde_json::from_slice::<Json>(bytes).ok());
    let mut json = told.unwrap_or_else(|| json!({"resourceType": "Device", "id": device.id.as_str()}));
    strip(&mut json);
    let mut inside = json["contained"].as_array().cloned().unwrap_or_default();
    inside.extend(metrics);
    json["contained"] = inside.into();
    Device { document: Some(json.to_string().into_bytes()), ..device.clone() }
}

/// Takes the metrics out of a device's document: they are resources of their own.
pub(crate) fn strip(json: &mut Json) {
    let Some(object) = json.as_object_mut() else { return };
    let Some(inside) = object.get_mut("contained").and_then(Json::as_array_mut) else { return };
    inside.retain(|inner| inner["resourceType"] != "DeviceMetric");
    if inside.is_empty() {
        object.shift_remove("contained");
    }
}

/// Everything that a device can measure: what was written for it, then what its series show beside.
#[must_use]
pub fn all(device: &Device, seen: &[Seen]) -> Vec<Json> {
    let mut found = of(device);
    let told: Vec<String> = found.iter().flat_map(|json| {
        codings(&json["type"]).map(|(_, code)| code.to_owned()).collect::<Vec<_>>()
    }).collect();
    let told_metrics: Vec<MetricCode> = found.iter().filter_map(metric).collect();
    let fresh = seen.iter().filter(|seen| {
        !told.contains(&seen.metric.0.to_string()) && !told_metrics.contains(&seen.metric)
    });
    found.extend(fresh.map(|seen| derived(&device.id, *seen)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::metric::code;

    fn device() -> Device {
        Device::announced(DeviceId::sanitised("monitor-7"))
    }

    #[test]
    fn series_become_metrics() {
        let seen = [Seen::of(code::HEART_RATE, 0), Seen::of(code::NIBP_DIA, 0), Seen::of(code::SPO2, 2)];
        assert_eq!(seen[1].metric, code::NIBP);
        let found = all(&device(), &seen);
        assert_eq!(found.len(), 3);
        for json in &found {
            assert!(crate::validate(json, "DeviceMetric").is_empty(), "{json}");
            let id = json["id"].as_str().unwrap_or_default();
            assert_eq!(read_id(id).map(|(_, device)| device), Some("monitor-7"));
        }
        assert_eq!(found[0]["unit"]["coding"][0]["code"], "264864");
        assert_eq!(found[0]["parent"]["reference"], "Device/part-70739-monitor-7");
        assert_eq!(Seen::of(code::PULSE_RATE, 0).metric, code::PULSE_RATE);
        let long = DeviceId::sanitised(&"d".repeat(64));
        assert!(seen[0].id(&long).len() <= ID_MAX);
    }

    #[test]
    fn written_metrics_stay_with_their_device() {
        let metric = json!({
            "resourceType": "DeviceMetric", "id": "hr", "category": "measurement", "color": "green",
            "type": {"coding": [{"system": MDC, "code": "147842"}]}, "source": {"reference": "Device/monitor-7"},
        });
        let first = within(&device(), &metric, "hr", "DeviceMetric").expect("kept");
        let again = within(&first, &metric, "hr", "DeviceMetric").expect("kept");
        assert_eq!(of(&again), [metric.clone()]);
        let renewed = carried(&again, Device { name: "new".into(), ..device() });
        assert_eq!(of(&renewed), [metric.clone()]);
        assert_eq!(all(&renewed, &[Seen::of(code::HEART_RATE, 0)]).len(), 1, "told before derived");
        let mut document = serde_json::from_slice(renewed.document.as_deref().unwrap_or_default()).expect("JSON");
        strip(&mut document);
        assert_eq!(document.get("contained"), None);
        assert!(within(&device(), &metric, "metric-1-0-x", "DeviceMetric").is_err());
        assert_eq!(source(&metric), Some(DeviceId::sanitised("monitor-7")));
    }
}
