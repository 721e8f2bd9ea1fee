//! Enumerations that are strings of bits: several conditions at once, each a bit of the number
//! (`BITS-16` and `BITS-32` of IEEE 11073-20601, where bit 0 is the most significant; the second as
//! a signed number). FHIR shows them as one component a bit.

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

/// Names of the bits of `MDC_PULS_OXIM_PULS_CHAR`.
const PULSE: [&str; 4] =
    ["pulse-qual-nominal", "pulse-qual-marginal", "pulse-qual-minimal", "pulse-qual-unacceptable"];
/// …of `MDC_ECG_DEV_STAT`.
const ECG: [&str; 8] = [
    "leadwire-loss", "leadsignal-loss", "leadwire-loss-first-lead", "leadsignal-loss-first-lead",
    "leadwire-loss-second-lead", "leadsignal-loss-second-lead", "leadwire-loss-third-lead",
    "leadsignal-loss-third-lead",
];
/// …of `MDC_GLU_METER_DEV_STATUS`.
const GLUCOSE: [&str; 12] = [
    "device-battery-low", "sensor-malfunction", "sensor-sample-size-insufficient", "sensor-strip-insertion",
    "sensor-strip-type-incorrect", "sensor-result-too-high", "sensor-result-too-low", "sensor-temp-too-high",
    "sensor-temp-too-low", "sensor-read-interrupt", "device-gen-fault", "sensor-temp-out-of-range",
];
/// …of `MDC_CGM_DEV_STAT`; an empty name is a bit without one.
const CGM: [&str; 21] = [
    "sensor-session-stopped", "", "sensor-type-incorrect", "sensor-malfunction", "device-specific-alert", "", "",
    "sensor-calibration-not-allowed", "sensor-calibration-recommended", "sensor-calibration-required",
    "sensor-temp-too-high", "sensor-temp-too-low", "sensor-result-below-patient-low",
    "sensor-result-above-patient-high", "sensor-low-hypo", "sensor-high-hyper", "sensor-rate-decrease-exceeded",
    "sensor-rate-increase-exceeded", "sensor-result-too-low", "sensor-result-too-high", "sensor-com-out-of-range",
];
/// …of `MDC_PHD_DM_DEV_STAT`.
const DEVICE: [&str; 29] = [
    "device-status-undetermined", "device-status-reset", "", "", "", "device-status-error",
    "device-status-error-mechanical", "device-status-error-electronic", "device-status-error-software",
    "device-status-error-battery", "", "", "", "", "", "device-status-service",
    "device-status-service-time-sync-required", "device-status-service-calibration-required",
    "device-status-service-replenishment-required", "", "", "", "", "", "", "device-status-battery-low",
    "device-status-battery-depleted", "device-status-battery-replaced", "device-status-battery-interrupted",
];

/// Metrics, how many bits they have, and their names; HL7's code system ASN1ToHL7 lists them.
const METRICS: [(MetricCode, u32, &[&str]); 7] = [
    (MetricCode(150_604), 16, &OXIMETER),
    (MetricCode(150_605), 16, &PULSE),
    (MetricCode(8_410_608), 16, &PRESSURE),
    (MetricCode(8_410_584), 16, &ECG),
    (MetricCode(8_417_752), 16, &GLUCOSE),
    (MetricCode(8_418_060), 32, &CGM),
    (MetricCode(8_408_608), 32, &DEVICE),
];

fn names(metric: MetricCode) -> Option<(u32, &'static [&'static str])> {
    METRICS.iter().find(|(code, ..)| *code == metric).map(|(_, width, names)| (*width, *names))
}

/// Whether a metric's number is a string of bits.
#[must_use]
pub fn has(metric: MetricCode) -> bool {
    names(metric).is_some()
}

/// The number that an observation's components say bit by bit; none when one of them is no bit of
/// this metric.
pub(crate) fn read(metric: MetricCode, components: &[Json]) -> Option<i32> {
    let (width, _) = names(metric)?;
    let mut number = 0_u32;
    for component in components {
        let (_, code) = codings(&component["code"]).find(|(system, _)| *system == BITS)?;
        let (of, bit) = code.split_once('.')?;
        let bit: u32 = bit.parse().ok().filter(|bit| *bit < width)?;
        if of.parse() != Ok(metric.0) {
            return None;
        }
        if component["valueBoolean"].as_bool()? {
            number |= 1 << (width - 1 - bit);
        }
    }
    (!components.is_empty()).then_some(number.cast_signed())
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
    let (width, names) = names(metric).unwrap_or_default();
    let set = (0..width).filter(|bit| number.cast_unsigned() & 1 << (width - 1 - bit) != 0);
    set.map(|bit| {
        let mut coding = json!({"system": BITS, "code": format!("{}.{bit}", metric.0)});
        if let Some(name) = names.get(bit as usize).filter(|name| !name.is_empty()) {
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
        for (metric, width, _) in METRICS {
            assert!(metric.metric().is_some_and(|row| row.kind == vitals::metric::MetricKind::Enumeration));
            let wide = if width == 32 { vec![i32::MIN, -1, 0x0010_0800] } else { Vec::new() };
            for number in [1, 0x8000, 0x2118, 0xffff].into_iter().chain(wide) {
                assert_eq!(read(metric, &components(metric, number)), Some(number), "{metric:?} {number:x}");
            }
        }
        assert_eq!(read(METRICS[0].0, &components(METRICS[1].0, 1)), None, "bits of another metric");
        assert_eq!(read(METRICS[0].0, &[]), None);
    }
}
