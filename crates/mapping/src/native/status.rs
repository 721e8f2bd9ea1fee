//! The status topic: what a device says of itself.

use serde_json::Value;
use vitals::{
    ClockMethod, Content, Device, DeviceId, DirectoryEvent, Identifier, MetricCode, ProblemKind, metric, property,
};

use crate::{Details, Mapped, RawMessage, measure, metric_from_text};

/// Maps `{"model":…, "serial":…, "clock":…, "battery":…}`: the battery becomes a measurement, the
/// rest a change of the device's details. Unknown keys are left alone.
pub(super) fn map(raw: &RawMessage<'_>, device: &DeviceId, profile: &str) -> Mapped {
    let mut mapped = Mapped::new(profile);
    let fields = match serde_json::from_slice(raw.payload) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => {
            mapped.problem(ProblemKind::Syntax, "$", "a status is a JSON object");
            return mapped;
        }
        Err(error) => {
            let detail = format!("not JSON at line {} column {}", error.line(), error.column());
            mapped.problem(ProblemKind::Syntax, "$", detail);
            return mapped;
        }
    };
    let mut details = Device::announced(device.clone());
    let mut described = false;
    for (key, value) in &fields {
        let outcome = match key.as_str() {
            "battery" => battery(&mut mapped, device, value),
            "hardware" | "software" | "calibrated" | "calibration_due" => told(&mut mapped, device, key, value),
            key => describe(&mut details, key, value).map(|known| described |= known),
        };
        if let Err(expected) = outcome {
            mapped.problem(ProblemKind::BadValue, format!("$.{key}"), expected);
        }
    }
    if described {
        mapped.content.insert(0, Content::Directory(DirectoryEvent::Device(details)));
    }
    mapped
}

/// Sets one detail; whether the key is one.
fn describe(device: &mut Device, key: &str, value: &Value) -> Result<bool, &'static str> {
    let text = || value.as_str().map(str::to_owned).ok_or("must be a text");
    match key {
        "name" => device.name = text()?,
        "manufacturer" => device.manufacturer = text()?,
        "model" => device.model = text()?,
        "serial" => device.serial = text()?,
        "version" => device.version = text()?,
        "udi" | "eui64" => {
            let identifier =
                Identifier { system: format!("urn:vitalwire:{key}"), value: text()?, kind: key.to_ascii_uppercase() };
            device.identifiers.push(identifier);
        }
        "kind" => {
            let code = value.as_u64().and_then(|code| u32::try_from(code).ok()).map(MetricCode);
            let named = || value.as_str().and_then(metric_from_text).map(|metric| metric.code);
            let kind = code.or_else(named).ok_or("must be a context-free IEEE 11073-10101 code")?;
            device.kind = Some(kind);
        }
        "clock" => {
            device.clock = match value.as_str() {
                Some("synchronised" | "synchronized") => ClockMethod::Synchronised,
                Some("manual") => ClockMethod::Manual,
                Some("none") => ClockMethod::None,
                Some("unknown") => ClockMethod::Unknown,
                _ => return Err("must be synchronised, manual, none or unknown"),
            };
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn battery(mapped: &mut Mapped, device: &DeviceId, value: &Value) -> Result<(), &'static str> {
    let percent = value.as_f64().ok_or("must be a number, in percent")?;
    if let Some(row) = metric::code::BATTERY.metric()
        && let Ok(measurement) = measure(row, percent, None, Details::default())
    {
        mapped.push(device, None, measurement);
    }
    Ok(())
}

/// A property of the device that has a history.
fn told(mapped: &mut Mapped, device: &DeviceId, key: &str, value: &Value) -> Result<(), &'static str> {
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty()).ok_or("must be a text")?;
    let metric = match key {
        "hardware" => property::HARDWARE,
        "software" => property::SOFTWARE,
        _ if !is_day(text) => return Err("must be a day or a time, as 2026-11-22 or 2026-11-22T10:00:00Z"),
        "calibrated" => property::CALIBRATED,
        _ => property::CALIBRATION_DUE,
    };
    mapped.push(device, None, property::text(metric, text, None));
    Ok(())
}

fn is_day(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() || text.parse::<jiff::Timestamp>().is_ok()
}
