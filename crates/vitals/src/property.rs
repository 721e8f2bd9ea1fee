//! What a device says of itself beyond its record: versions of its parts, certification, how its
//! clock is set and how finely it tells time, calibration. Each is a metric of the device with a
//! history, like any other value; which metrics they are, and measurements of them, is said here.

use crate::{DeviceTime, Measurement, MetricCode, Quality, Unit, Value};

/// Specialisations that the device follows, `528391:1 528399:2` (code and version):
/// `MDC_ATTR_SYS_TYPE_SPEC_LIST`.
pub const SPECIALISATIONS: MetricCode = MetricCode(68_186);
/// What its clock can do, `BITS-16`: `MDC_TIME_CAP_STATE`.
pub const TIME_CAPABILITIES: MetricCode = MetricCode(68_219);
/// How its clock is set, a code from 532224 on: `MDC_TIME_SYNC_PROTOCOL`.
pub const TIME_SYNC: MetricCode = MetricCode(68_220);
/// How well, in microseconds.
pub const TIME_ACCURACY: MetricCode = MetricCode(68_221);
/// Resolution of absolute time, in microseconds.
pub const RESOLUTION_ABSOLUTE: MetricCode = MetricCode(68_222);
/// Resolution of relative time, in microseconds.
pub const RESOLUTION_RELATIVE: MetricCode = MetricCode(68_223);
/// Resolution of high-resolution relative time, in microseconds.
pub const RESOLUTION_HIGH: MetricCode = MetricCode(68_224);
/// Part number.
pub const PART: MetricCode = MetricCode(531_973);
/// Hardware revision.
pub const HARDWARE: MetricCode = MetricCode(531_974);
/// Software revision.
pub const SOFTWARE: MetricCode = MetricCode(531_975);
/// Firmware revision.
pub const FIRMWARE: MetricCode = MetricCode(531_976);
/// Protocol revision.
pub const PROTOCOL: MetricCode = MetricCode(531_977);
/// Version of Continua's guidelines that it is certified for, such as `6.0`.
pub const CERTIFIED_FOR: MetricCode = MetricCode(532_352);
/// Certified interfaces: numbers of transport and specialisation, apart by a space.
pub const CERTIFIED: MetricCode = MetricCode(532_353);
/// Whether it is regulated: 1 regulated, 2 not.
pub const REGULATION: MetricCode = MetricCode(532_354);
/// When it was last calibrated, ISO 8601.
pub const CALIBRATED: MetricCode = MetricCode(67_109_130);
/// When it is to be calibrated next, ISO 8601.
pub const CALIBRATION_DUE: MetricCode = MetricCode(67_109_131);

/// Every one.
pub const ALL: [MetricCode; 17] = [
    SPECIALISATIONS, TIME_CAPABILITIES, TIME_SYNC, TIME_ACCURACY, RESOLUTION_ABSOLUTE, RESOLUTION_RELATIVE,
    RESOLUTION_HIGH, PART, HARDWARE, SOFTWARE, FIRMWARE, PROTOCOL, CERTIFIED_FOR, CERTIFIED, REGULATION, CALIBRATED,
    CALIBRATION_DUE,
];

/// Ways of setting a clock, by code (IEEE 11073-10101, partition 8).
const SYNC: [(u32, &str); 15] = [
    (532_224, "MDC_TIME_SYNC_NONE"),
    (532_225, "MDC_TIME_SYNC_NTPV3"),
    (532_226, "MDC_TIME_SYNC_NTPV4"),
    (532_227, "MDC_TIME_SYNC_SNTPV4"),
    (532_228, "MDC_TIME_SYNC_SNTPV4330"),
    (532_229, "MDC_TIME_SYNC_BTV1"),
    (532_230, "MDC_TIME_SYNC_RADIO"),
    (532_231, "MDC_TIME_SYNC_HL7_NCK"),
    (532_232, "MDC_TIME_SYNC_CDMA"),
    (532_233, "MDC_TIME_SYNC_GSM"),
    (532_234, "MDC_TIME_SYNC_EBWW"),
    (532_235, "MDC_TIME_SYNC_USB_SOF"),
    (532_236, "MDC_TIME_SYNC_OTHER"),
    (532_237, "MDC_TIME_SYNC_OTHER_MOBILE"),
    (532_238, "MDC_TIME_SYNC_GPS"),
];

/// The reference id of a way of setting a clock.
#[must_use]
pub fn sync_name(code: u32) -> Option<&'static str> {
    SYNC.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// The clock method that a way of setting a clock is: by hand ("eyeball and wristwatch"), by a
/// signal or a network, or not at all.
#[must_use]
pub fn clock_method(code: u32) -> Option<crate::ClockMethod> {
    use crate::ClockMethod::{Manual, Synchronised, Unknown};
    match code {
        532_224 => Some(Unknown),
        532_234 => Some(Manual),
        other => sync_name(other).map(|_| Synchronised),
    }
}

fn measured(metric: MetricCode, value: Value, at: Option<DeviceTime>) -> Measurement {
    let unit = metric.metric().map_or(Unit::NONE, |row| row.unit);
    Measurement { metric, value, unit, device_time: at, quality: Quality::empty(), channel: 0 }
}

/// A property in words.
#[must_use]
pub fn text(metric: MetricCode, text: impl Into<String>, at: Option<DeviceTime>) -> Measurement {
    measured(metric, Value::Text(text.into()), at)
}

/// A property that is a number, in its metric's unit.
#[must_use]
pub fn number(metric: MetricCode, number: f64, at: Option<DeviceTime>) -> Measurement {
    measured(metric, Value::Numeric(number), at)
}

/// A property that is one of some states.
#[must_use]
pub fn state(metric: MetricCode, state: i32, name: impl Into<String>, at: Option<DeviceTime>) -> Measurement {
    measured(metric, Value::Enumeration(state, name.into()), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_is_a_metric_of_the_device() {
        for code in ALL {
            let row = code.metric();
            assert_eq!(row.map(|row| row.category), Some("device"), "{code:?}");
        }
        assert_eq!(clock_method(532_234), Some(crate::ClockMethod::Manual));
        assert_eq!(clock_method(532_226), Some(crate::ClockMethod::Synchronised));
        assert_eq!(clock_method(1), None);
        assert_eq!(number(TIME_ACCURACY, 120.0, None).unit.ucum(), "us");
    }
}
