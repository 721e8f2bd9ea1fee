//! Heart rate, pressures, temperature, oximetry, movement, battery.

use vitals::{ProblemKind, Quality};

use super::Notes;
use crate::heart::HeartRate;
use crate::oximeter::{Continuous, MeasurementStatus, Oximetry, SensorStatus, SpotCheck};
use crate::pressure::{PressureStatus, Pressures};
use crate::running::Running;
use crate::temperature::{Site, Temperature};

pub(super) fn heart_rate(notes: &mut Notes, heart: &HeartRate) {
    notes.doubt(heart.contact == Some(false), false);
    let rate = f64::from(heart.rate.per_minute());
    notes.number("heart rate", "MDC_ECG_HEART_RATE", rate, "/min");
    for interval in heart.rr_1024.iter().flatten() {
        let ms = f64::from(*interval) * 1000.0 / 1024.0;
        notes.number("rr-interval", "MDC_ECG_TIME_PD_RR_GL", ms, "ms");
    }
    if let Some(energy) = heart.energy_kj {
        notes.number("energy expended", "MDC_HF_ENERGY", f64::from(energy), "kJ");
    }
}

pub(super) fn blood_pressure(notes: &mut Notes, pressure: &Pressures) {
    notes.at(pressure.time);
    notes.of_user(pressure.user);
    let doubts = PressureStatus::BODY_MOVEMENT
        | PressureStatus::CUFF_TOO_LOOSE
        | PressureStatus::IMPROPER_POSITION;
    let doubtful = pressure.status.is_some_and(|status| status.intersects(doubts));
    notes.doubt(false, doubtful);
    notes.group(
        "MDC_PRESS_BLD_NONINV",
        &[
            ("systolic", "MDC_PRESS_BLD_NONINV_SYS", pressure.systolic.value()),
            ("diastolic", "MDC_PRESS_BLD_NONINV_DIA", pressure.diastolic.value()),
            ("mean arterial pressure", "MDC_PRESS_BLD_NONINV_MEAN", pressure.mean.value()),
        ],
        if pressure.kilopascal { "kPa" } else { "mm[Hg]" },
    );
    if let Some(pulse) = pressure.pulse {
        notes.decimal("pulse rate", "MDC_PULS_RATE_NON_INV", pulse.value(), "/min");
    }
}

pub(super) fn temperature(notes: &mut Notes, temperature: &Temperature) {
    notes.at(temperature.time);
    let metric = match temperature.site {
        Some(Site::Armpit) => "MDC_TEMP_AXILLA",
        Some(Site::Ear) => "MDC_TEMP_EAR",
        Some(Site::Finger) => "MDC_TEMP_FINGER",
        Some(Site::Mouth) => "MDC_TEMP_ORAL",
        Some(Site::Rectum) => "MDC_TEMP_RECT",
        Some(Site::Toe) => "MDC_TEMP_SKIN",
        Some(Site::Tympanum) => "MDC_TEMP_TYMP",
        Some(Site::Body | Site::GastroIntestinal | Site::Other(_)) | None => "MDC_TEMP_BODY",
    };
    let unit = if temperature.fahrenheit { "[degF]" } else { "Cel" };
    notes.decimal("temperature measurement value", metric, temperature.value.value(), unit);
}

pub(super) fn spot_check(notes: &mut Notes, spot: &SpotCheck) {
    if spot.clock_not_set && spot.time.is_some() {
        let detail = "the device's clock is not set: set it".to_owned();
        notes.problem(ProblemKind::BadTime, "timestamp", detail);
    } else {
        notes.at(spot.time);
    }
    oximeter_doubts(notes, spot.status, spot.sensor);
    oximetry(notes, spot.value);
    if let Some(amplitude) = spot.amplitude {
        notes.decimal("pulse amplitude index", "MDC_PULS_OXIM_PERF_REL", amplitude.value(), "%");
    }
}

/// The fast and the slow response are channels 1 and 2.
pub(super) fn continuous(notes: &mut Notes, value: &Continuous) {
    oximeter_doubts(notes, value.status, value.sensor);
    oximetry(notes, value.normal);
    for (other, channel) in [(value.fast, 1), (value.slow, 2)] {
        if let Some(other) = other {
            notes.channel = channel;
            oximetry(notes, other);
        }
    }
    notes.channel = 0;
    if let Some(amplitude) = value.amplitude {
        notes.decimal("pulse amplitude index", "MDC_PULS_OXIM_PERF_REL", amplitude.value(), "%");
    }
}

fn oximetry(notes: &mut Notes, value: Oximetry) {
    notes.decimal("spo2", "MDC_PULS_OXIM_SAT_O2", value.spo2.value(), "%");
    notes.decimal("pulse rate", "MDC_PULS_OXIM_PULS_RATE", value.pulse.value(), "/min");
}

fn oximeter_doubts(
    notes: &mut Notes,
    status: Option<MeasurementStatus>,
    sensor: Option<SensorStatus>,
) {
    let status = status.unwrap_or_default();
    let sensor = sensor.unwrap_or_default();
    let invalid = SensorStatus::EQUIPMENT_MALFUNCTION
        | SensorStatus::INADEQUATE_SIGNAL
        | SensorStatus::NON_PULSATILE
        | SensorStatus::NOT_ON_USER
        | SensorStatus::UNKNOWN_SENSOR
        | SensorStatus::SENSOR_MALFUNCTION
        | SensorStatus::DISCONNECTED;
    let questionable = SensorStatus::PROCESSING_IRREGULARITY
        | SensorStatus::POOR_SIGNAL
        | SensorStatus::LOW_PERFUSION
        | SensorStatus::ERRATIC_SIGNAL
        | SensorStatus::QUESTIONABLE_PULSE
        | SensorStatus::INTERFERENCE
        | SensorStatus::DISPLACED;
    notes.doubt(
        status.intersects(MeasurementStatus::INVALID | MeasurementStatus::UNAVAILABLE)
            || sensor.intersects(invalid),
        status.intersects(MeasurementStatus::QUESTIONABLE | MeasurementStatus::EARLY_ESTIMATE)
            || sensor.intersects(questionable),
    );
    if status.intersects(MeasurementStatus::DEMONSTRATION | MeasurementStatus::TEST) {
        notes.quality |= Quality::TEST;
    }
    if status.contains(MeasurementStatus::CALIBRATING) {
        notes.quality |= Quality::CALIBRATING;
    }
}

pub(super) fn running(notes: &mut Notes, value: Running) {
    let speed = f64::from(value.speed_256) / 256.0;
    notes.number("instantaneous speed", "MDC_HF_SPEED", speed, "m/s");
    notes.number("instantaneous cadence", "MDC_HF_CAD", f64::from(value.cadence), "/min");
    if let Some(distance) = value.distance_dm {
        notes.number("total distance", "MDC_HF_DISTANCE", f64::from(distance) / 10.0, "m");
    }
}

pub(super) fn battery(notes: &mut Notes, percent: u8) {
    if percent > 100 {
        let detail = "a battery has 0 to 100 %".to_owned();
        notes.problem(ProblemKind::BadValue, "battery level", detail);
    } else {
        notes.number("battery level", "MDC_ATTR_VAL_BATT_CHARGE", f64::from(percent), "%");
    }
}
