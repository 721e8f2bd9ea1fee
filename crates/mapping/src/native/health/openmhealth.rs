//! Data points of Open mHealth and IEEE 1752.1: a header with the schema, a body with the values and
//! the time frame that they hold for.

use serde_json::Value;
use vitals::{DeviceTime, ProblemKind, Quality};

use super::{Point, Refused, number, time};

/// Schema, field of the body, metric.
const FIELDS: [(&str, &str, &str); 20] = [
    ("blood-pressure", "systolic_blood_pressure", "MDC_PRESS_BLD_NONINV_SYS"),
    ("blood-pressure", "diastolic_blood_pressure", "MDC_PRESS_BLD_NONINV_DIA"),
    ("heart-rate", "heart_rate", "MDC_ECG_HEART_RATE"),
    ("rr-interval", "rr_interval", "MDC_ECG_TIME_PD_RR_GL"),
    ("body-temperature", "body_temperature", "MDC_TEMP_BODY"),
    ("oxygen-saturation", "oxygen_saturation", "MDC_PULS_OXIM_SAT_O2"),
    ("respiratory-rate", "respiratory_rate", "MDC_RESP_RATE"),
    ("blood-glucose", "blood_glucose", ""),
    ("body-weight", "body_weight", "MDC_MASS_BODY_ACTUAL"),
    ("body-height", "body_height", "MDC_LEN_BODY_ACTUAL"),
    ("body-mass-index", "body_mass_index", "MDC_RATIO_MASS_BODY_LEN_SQ"),
    ("body-fat-percentage", "body_fat_percentage", "MDC_BODY_FAT"),
    ("step-count", "step_count", "VW_STEPS"),
    ("sleep-duration", "sleep_duration", "VW_SLEEP_DURATION"),
    ("total-sleep-time", "total_sleep_time", "VW_SLEEP_DURATION"),
    ("sleep-episode", "total_sleep_time", "VW_SLEEP_DURATION"),
    ("minutes-moderate-activity", "minutes_moderate_activity", "MDC_HF_ACTIVITY_TIME"),
    ("calories-burned", "kcal_burned", "MDC_HF_ENERGY"),
    ("physical-activity", "kcal_burned", "MDC_HF_ENERGY"),
    ("physical-activity", "distance", "MDC_HF_DISTANCE"),
];

pub(super) fn take(point: &mut Point<'_, '_>) -> Result<(), Refused> {
    let (header, body) = (&point.item["header"], &point.item["body"]);
    let schema = header["schema_id"]["name"].as_str();
    let schema = schema.ok_or_else(|| (ProblemKind::Missing, "header.schema_id.name", "say which schema".to_owned()))?;
    let mut fields = FIELDS.iter().filter(|(name, ..)| *name == schema).peekable();
    if fields.peek().is_none() {
        return Err((ProblemKind::Unmatched, "header.schema_id.name", "this schema is not read".to_owned()));
    }
    let time = frame(&body["effective_time_frame"])?;
    let told = ["modality", "acquisition_provenance"].iter().map(|key| &header[*key]);
    let words = told.flat_map(|value| [value.as_str(), value["modality"].as_str()]);
    let manual = words.flatten().any(|word| matches!(word, "self-reported" | "self_reported"));
    let quality = if manual { Quality::MANUAL } else { Quality::empty() };
    let mut found = false;
    for (_, field, metric) in fields {
        let value = &body[*field];
        // A bare number is of the schema's only unit.
        let (amount, unit) = (number(&value["value"]).or_else(|| number(value)), value["unit"].as_str().unwrap_or_default());
        let Some(amount) = amount else { continue };
        let metric = if metric.is_empty() { glucose(body) } else { metric };
        point.put(metric, amount, unit, (Some(time), quality), "body")?;
        found = true;
    }
    if found { Ok(()) } else { Err((ProblemKind::Missing, "body", "the schema's value is not there".to_owned())) }
}

/// What glucose was measured in.
fn glucose(body: &Value) -> &'static str {
    match body["specimen_source"].as_str().unwrap_or_default() {
        "interstitial fluid" => "MDC_CONC_GLU_ISF",
        "plasma" => "MDC_CONC_GLU_UNDETERMINED_PLASMA",
        "capillary blood" | "whole blood" => "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD",
        _ => "MDC_CONC_GLU_GEN",
    }
}

/// The time of a value: when it was taken; of an interval its end, when the sum was known.
fn frame(frame: &Value) -> Result<DeviceTime, Refused> {
    let key = "body.effective_time_frame";
    if let Some(value) = frame.get("date_time") {
        return time(value, key);
    }
    let interval = &frame["time_interval"];
    if let Some(value) = interval.get("end_date_time") {
        return time(value, key);
    }
    let start = interval.get("start_date_time");
    let start = start.ok_or_else(|| (ProblemKind::BadTime, key, "say when: date_time or time_interval".to_owned()))?;
    let length = &interval["duration"];
    let unit = match length["unit"].as_str().unwrap_or_default() {
        "ms" => 1_000.0,
        "sec" | "s" => 1e6,
        "min" => 60e6,
        "h" | "hr" => 3_600e6,
        "d" => 86_400e6,
        _ => 0.0,
    };
    let length = number(&length["value"]).map_or(0.0, |value| value * unit);
    Ok(time(start, key)?.plus(length as i64))
}
