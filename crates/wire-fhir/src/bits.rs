//! Enumerations that are strings of bits: several conditions at once, each a bit of the number
//! (`BITS-16` of IEEE 11073-20601, where bit 0 is the most significant). FHIR shows them as one
//! component a bit.

use serde_json::{Value as Json, json};
use vitals::MetricCode;

use crate::code::codings;
use crate::guide::BITS;

/// Names of the bits of `MDC_PULS_OXIM_DEV_STATUS` (IEEE 11073-10404), from bit 0.
const OXIMETER: [&str; 16] = [
    "sensor-disconnected", "sensor-malfunction", "sensor-displaced", "sensor-unsupported", "sensor-off",
    "sensor-interference", "signal-searching", "signal-pulse-questionable", "signal-non-pulsatile",
    "signal-erratic", "signal-low-perfusion", "signal-poor", "signal-inadequate",
    "signal-processing-irregularity", "device-equipment-malfunction", "device-extended-update",
];
/// Names of the bits of `MDC_BLOOD_PRESSURE_MEASUREMENT_STATUS`, as the Bluetooth measurement has
/// them, from bit 0.
const PRESSURE: [&str; 6] = [
    "body-movement", "cuff-too-loose", "irregular-pulse", "pulse-rate-exceeds-upper-limit",
    "pulse-rate-less-than-lower-limit", "improper-body-position",
];

const METRICS: [(MetricCode, &[&str]); 2] =
    [(MetricCode(150_604), &OXIMETER), (MetricCode(8_410_608), &PRESSURE)];

fn names(metric: MetricCode) -> Option<&'static [&'static str]> {
    METRICS.iter().find(|(code, _)| *code == metric).map(|(_, names)| *names)
}

/// Whether a metric's number is a string of bits.
#[must_use]
pub fn has(metric: MetricCode) -> bool {
    names(metric).is_some()
}

/// The number that an observation's components say bit by bit; none when one of them is no bit of
/// this metric.
pub(crate) fn read(metric: MetricCode, components: &[Json]) -> Option<i32> {
    names(metric)?;
    let mut number = 0;
    for component in components {
        let (_, code) = codings(&component["code"]).find(|(system, _)| *system == BITS)?;
        let (of, bit) = code.split_once('.')?;
        let bit: u32 = bit.parse().ok().filter(|bit| *bit < 16)?;
        if of.parse() != Ok(metric.0) {
            return None;
        }
        if component["valueBoolean"].as_bool()? {
            number |= 0x8000 >> bit;
        }
    }
    (!components.is_empty()).then_some(number)
}

/// Puts the bits that are set in place of the number.
pub(crate) fn show(json: &mut Json, metric: MetricCode, value: f64) {
    let Some(object) = json.as_object_mut() else { return };
    object.shift_remove("valueCodeableConcept");
    let set = components(metric, value as i32);
    if !set.is_empty() {
        object.insert("component".into(), set.into());
    }
}

/// A component for each bit that is set.
pub(crate) fn components(metric: MetricCode, number: i32) -> Vec<Json> {
    let names = names(metric).unwrap_or_default();
    let set = (0..16_usize).filter(|bit| number & (0x8000 >> bit) != 0);
    set.map(|bit| {
        let mut coding = json!({"system": BITS, "code": format!("{}.{bit}", metric.0)});
        if let Some(name) = names.get(bit) {
            coding["display"] = (*name).into();
        }
        json!({"code": {"coding": [coding]}, "valueBoolean": true})
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_components_and_back() {
        for (metric, _) in METRICS {
            assert!(metric.metric().is_some_and(|row| row.kind == vitals::metric::MetricKind::Enumeration));
            for number in [1, 0x8000, 0x2118, 0xffff] {
                assert_eq!(read(metric, &components(metric, number)), Some(number), "{metric:?} {number:x}");
            }
        }
        assert_eq!(read(METRICS[0].0, &components(METRICS[1].0, 1)), None, "bits of another metric");
        assert_eq!(read(METRICS[0].0, &[]), None);
    }
}
