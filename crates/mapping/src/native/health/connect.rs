//! Records of Android's Health Connect, as exporters write them: the name of the class, its fields, and
//! amounts either bare in the unit below or as `{"inKilograms": 70}`.

use serde_json::Value;
use vitals::{DeviceTime, ProblemKind, Quality};

use super::{Point, Refused, number, time};

/// Record, field, its unit when bare, metric.
const FIELDS: [(&str, &str, &str, &str); 16] = [
    ("BloodPressure", "systolic", "mmHg", "MDC_PRESS_BLD_NONINV_SYS"),
    ("BloodPressure", "diastolic", "mmHg", "MDC_PRESS_BLD_NONINV_DIA"),
    ("HeartRate", "beatsPerMinute", "/min", "MDC_ECG_HEART_RATE"),
    ("RestingHeartRate", "beatsPerMinute", "/min", "MDC_ECG_HEART_RATE"),
    ("BodyTemperature", "temperature", "Cel", "MDC_TEMP_BODY"),
    ("OxygenSaturation", "percentage", "%", "MDC_PULS_OXIM_SAT_O2"),
    ("RespiratoryRate", "rate", "/min", "MDC_RESP_RATE"),
    ("BloodGlucose", "level", "mmol/L", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD"),
    ("Weight", "weight", "kg", "MDC_MASS_BODY_ACTUAL"),
    ("Height", "height", "m", "MDC_LEN_BODY_ACTUAL"),
    ("BodyFat", "percentage", "%", "MDC_BODY_FAT"),
    ("Steps", "count", "", "VW_STEPS"),
    ("Distance", "distance", "m", "MDC_HF_DISTANCE"),
    ("TotalCaloriesBurned", "energy", "kcal", "MDC_HF_ENERGY"),
    ("ActiveCaloriesBurned", "energy", "kcal", "MDC_HF_ENERGY"),
    ("Speed", "speed", "m/s", "MDC_HF_SPEED"),
];

/// Units as the platform's getters name them.
const UNITS: [(&str, &str); 13] = [
    ("inMillimetersOfMercury", "mmHg"),
    ("inCelsius", "Cel"),
    ("inFahrenheit", "[degF]"),
    ("inMillimolesPerLiter", "mmol/L"),
    ("inMilligramsPerDeciliter", "mg/dL"),
    ("inKilograms", "kg"),
    ("inGrams", "g"),
    ("inPounds", "[lb_av]"),
    ("inMeters", "m"),
    ("inKilometers", "km"),
    ("inKilocalories", "kcal"),
    ("inMetersPerSecond", "m/s"),
    ("value", ""),
];

pub(super) fn take(point: &mut Point<'_, '_>) -> Result<(), Refused> {
    let item = point.item;
    let name = item["recordType"].as_str().or_else(|| item["type"].as_str()).unwrap_or_default();
    let name = name.strip_suffix("Record").unwrap_or(name);
    let manual = item["metadata"]["recordingMethod"] == 3 || item["metadata"]["recordingMethod"] == "MANUAL_ENTRY";
    let quality = if manual { Quality::MANUAL } else { Quality::empty() };
    if name == "SleepSession" {
        let (start, end) = (time(&item["startTime"], "startTime")?, time(&item["endTime"], "endTime")?);
        let seconds = (end.0 - start.0) as f64 / 1e6;
        return point.put("VW_SLEEP_DURATION", seconds, "s", (Some(end), quality), "endTime");
    }
    let fields: Vec<_> = FIELDS.iter().filter(|(record, ..)| *record == name).collect();
    if fields.is_empty() {
        return Err((ProblemKind::Unmatched, "recordType", "this record is not read".to_owned()));
    }
    // A series has samples, each with a time of its own; all other records are one value each.
    let samples = item["samples"].as_array().map(Vec::as_slice);
    let mut found = false;
    for sample in samples.unwrap_or(std::slice::from_ref(item)) {
        let at = when(sample)?;
        for (_, field, unit, metric) in &fields {
            let Some((value, unit)) = amount(&sample[*field], unit) else { continue };
            point.put(metric, value, unit, (Some(at), quality), "value")?;
            found = true;
        }
    }
    if found { Ok(()) } else { Err((ProblemKind::Missing, "", "the record's value is not there".to_owned())) }
}

fn when(sample: &Value) -> Result<DeviceTime, Refused> {
    let found = ["time", "endTime", "startTime"].into_iter().find(|key| sample.get(*key).is_some());
    time(&sample[found.unwrap_or("time")], "time")
}

/// A bare number, or one under the name of its unit.
fn amount<'u>(value: &Value, bare: &'u str) -> Option<(f64, &'u str)> {
    if let Some(number) = number(value) {
        return Some((number, bare));
    }
    UNITS.iter().find_map(|(key, unit)| Some((number(value.get(*key)?)?, if unit.is_empty() { bare } else { unit })))
}
