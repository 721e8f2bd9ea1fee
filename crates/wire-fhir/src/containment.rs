//! Where in a device a metric belongs: the virtual medical device (VMD) and channel that IEEE
//! 11073-10101 has for it, as `Device` resources with a `parent`.
//!
//! Only pairs are here that two independent published messages or guides show with their codes; a
//! metric of any other kind stands directly below its device. What a sender says of its own
//! containment goes before this table.

use serde_json::{Value as Json, json};
use vitals::id::stable_hash;
use vitals::{DeviceId, Metric, MetricCode};

use crate::code::MDC;
use crate::guide::POCD;

/// A part of a device: its code, its reference id, and the code of the part that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// MDC code; 2 modulo 4 is a VMD, 3 a channel.
    pub code: u32,
    /// Reference id.
    pub refid: &'static str,
    /// The VMD that holds a channel.
    pub within: Option<u32>,
}

/// VMDs and channels.
const PARTS: [Part; 11] = [
    Part { code: 69_798, refid: "MDC_DEV_ECG_VMD", within: None },
    Part { code: 69_799, refid: "MDC_DEV_ECG_CHAN", within: Some(69_798) },
    Part { code: 70_739, refid: "MDC_DEV_CARD_RATE_CHAN", within: Some(69_798) },
    Part { code: 69_710, refid: "MDC_DEV_ANALY_PRESS_BLD_VMD", within: None },
    Part { code: 69_711, refid: "MDC_DEV_ANALY_PRESS_BLD_CHAN", within: Some(69_710) },
    Part { code: 70_686, refid: "MDC_DEV_PRESS_BLD_NONINV_VMD", within: None },
    Part { code: 70_687, refid: "MDC_DEV_PRESS_BLD_NONINV_CHAN", within: Some(70_686) },
    Part { code: 69_642, refid: "MDC_DEV_ANALY_SAT_O2_VMD", within: None },
    Part { code: 69_643, refid: "MDC_DEV_ANALY_SAT_O2_CHAN", within: Some(69_642) },
    Part { code: 69_902, refid: "MDC_DEV_METER_TEMP_VMD", within: None },
    Part { code: 69_903, refid: "MDC_DEV_METER_TEMP_CHAN", within: Some(69_902) },
];

/// Which channel a metric's reference id belongs to: the longest beginning counts.
const CHANNELS: [(&str, u32); 6] = [
    ("MDC_ECG_", 69_799),
    ("MDC_ECG_HEART_RATE", 70_739),
    ("MDC_PRESS_BLD_", 69_711),
    ("MDC_PRESS_BLD_NONINV", 70_687),
    ("MDC_PULS_OXIM_", 69_643),
    ("MDC_TEMP", 69_903),
];

/// The part with this code.
#[must_use]
pub fn part(code: u32) -> Option<Part> {
    PARTS.into_iter().find(|part| part.code == code)
}

/// The channel that a metric belongs to, where the table has one.
#[must_use]
pub fn channel_of(metric: &Metric) -> Option<Part> {
    let found = CHANNELS.into_iter().filter(|(beginning, _)| metric.refid.starts_with(beginning));
    found.max_by_key(|(beginning, _)| beginning.len()).and_then(|(_, code)| part(code))
}

/// What a derived id ends with: the device's id, or its hash where that would be too long.
pub(crate) fn ending(device: &DeviceId, room: usize) -> String {
    let id = device.as_str();
    if id.len() <= room { id.to_owned() } else { format!("{:016x}", stable_hash(id.as_bytes())) }
}

/// Longest logical id of FHIR.
pub(crate) const ID_MAX: usize = 64;
const PREFIX: &str = "part-";

/// The id of a device's part: `part-<code>-<device>`.
#[must_use]
pub fn id(device: &DeviceId, part: Part) -> String {
    let front = format!("{PREFIX}{}-", part.code);
    let end = ending(device, ID_MAX - front.len());
    front + &end
}

/// The part that an id names, and the id of its device (or its hash).
#[must_use]
pub fn read_id(id: &str) -> Option<(Part, &str)> {
    let (code, device) = id.strip_prefix(PREFIX)?.split_once('-')?;
    Some((part(code.parse().ok()?)?, device))
}

/// A part of a device as a `Device` (profiles `VmdDevice` and `ChannelDevice`).
#[must_use]
pub fn resource(device: &DeviceId, part: Part) -> Json {
    let parent = part.within.and_then(self::part).map_or_else(|| device.to_string(), |within| id(device, within));
    let profile = if part.within.is_some() { "ChannelDevice" } else { "VmdDevice" };
    json!({
        "resourceType": "Device",
        "id": id(device, part),
        "meta": {"profile": [format!("{POCD}{profile}")]},
        "status": "active",
        "type": {"coding": [{"system": MDC, "code": part.code.to_string(), "display": part.refid}]},
        "parent": {"reference": format!("Device/{parent}")},
    })
}

/// The parts that a device which measures these metrics has, VMDs before their channels.
#[must_use]
pub fn parts_of(metrics: &[MetricCode]) -> Vec<Part> {
    let channels: Vec<Part> = metrics.iter().filter_map(|m| channel_of(m.metric()?)).collect();
    let wanted = |part: &Part| {
        channels.iter().any(|channel| channel.code == part.code || channel.within == Some(part.code))
    };
    PARTS.into_iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::metric::code;

    #[test]
    fn metrics_are_in_channels_and_channels_in_vmds() {
        for (metric, expected) in [
            (code::HEART_RATE, Some(70_739)),
            (MetricCode(131_330), Some(69_799)),
            (code::NIBP, Some(70_687)),
            (code::ABP_SYS, Some(69_711)),
            (code::SPO2, Some(69_643)),
            (MetricCode(150_364), Some(69_903)),
            (code::CONSCIOUSNESS, None),
        ] {
            let found = metric.metric().and_then(channel_of).map(|part| part.code);
            assert_eq!(found, expected, "{metric:?}");
        }
        // The nomenclature's own pattern: a device's code in four, 2 its VMD, 3 its channel.
        for part in PARTS {
            assert_eq!(part.code % 4, if part.within.is_some() { 3 } else { 2 }, "{}", part.refid);
        }
        let all: Vec<u32> = parts_of(&[code::HEART_RATE, code::SPO2]).iter().map(|part| part.code).collect();
        assert_eq!(all, [69_798, 70_739, 69_642, 69_643]);
    }

    #[test]
    fn ids_of_parts_are_read_back() {
        let short = DeviceId::sanitised("monitor-7");
        let long = DeviceId::sanitised(&"m".repeat(64));
        for device in [&short, &long] {
            for part in PARTS {
                let id = id(device, part);
                assert!(vitals::id::is_logical_id(&id), "{id}");
                assert_eq!(read_id(&id).map(|(found, _)| found), Some(part));
            }
        }
        assert_eq!(read_id("part-69798-monitor-7").map(|(_, device)| device), Some("monitor-7"));
        assert_eq!(read_id("part-1-x"), None);
        let json = resource(&short, PARTS[1]);
        assert_eq!(json["parent"]["reference"], "Device/part-69798-monitor-7");
        assert!(crate::validate(&json, "Device").is_empty());
    }
}
