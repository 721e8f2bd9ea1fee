//! Documents of the Nightscout API: entries (`sgv`, `mbg`, `cal`), treatments, device status, one
//! or a list of them, as apps of continuous glucose meters and insulin pumps upload them. Their
//! shape tells what they are.

use jiff::tz::TimeZone;
use serde_json::Value;
use vitals::{DeviceId, DeviceTime, Metric, ProblemKind, Quality, Unit, metric};

use crate::time::TimeFormat;
use crate::{Details, MAX_RECORDS, Mapped, RawMessage, measure, unit_from_text};

/// Glucose values below this are codes for what is wrong with the sensor (Dexcom's numbering).
const SENSOR_CODES_BELOW: f64 = 13.0;
/// Noise from here on is `heavy`: a follower does not rely on the value.
const NOISE_HEAVY: f64 = 4.0;
/// The channel of a pump's battery; 0 is the phone's, which uploads.
const PUMP: u32 = 1;
/// Arrows in the order of their numbers (Dexcom's).
const DIRECTIONS: [&str; 10] = [
    "NONE", "DoubleUp", "SingleUp", "FortyFiveUp", "Flat", "FortyFiveDown", "SingleDown", "DoubleDown",
    "NOT COMPUTABLE", "RATE OUT OF RANGE",
];

/// The name of an arrow's number, as [`map`] reads it.
#[must_use]
pub fn direction_name(state: f64) -> Option<&'static str> {
    DIRECTIONS.iter().enumerate().find(|(at, _)| *at as f64 == state).map(|(_, name)| *name)
}

/// Maps a document, or a list of them.
pub(super) fn map(raw: &RawMessage<'_>, device: &DeviceId, profile: &str) -> Mapped {
    let mut mapped = Mapped::new(profile);
    let items = match serde_json::from_slice(raw.payload) {
        Ok(Value::Array(items)) => items,
        Ok(item @ Value::Object(_)) => vec![item],
        Ok(_) => {
            mapped.problem(ProblemKind::Syntax, "$", "send a document, or a list of documents");
            return mapped;
        }
        Err(error) => {
            let detail = format!("not JSON at line {} column {}", error.line(), error.column());
            mapped.problem(ProblemKind::Syntax, "$", detail);
            return mapped;
        }
    };
    if items.len() > MAX_RECORDS {
        let detail = format!("more than {MAX_RECORDS} documents: send several messages");
        mapped.problem(ProblemKind::Limit, "$", detail);
    }
    for (at, item) in items.iter().take(MAX_RECORDS).enumerate() {
        let mut document = Document { mapped: &mut mapped, device, at, item, time: None };
        if let Err((kind, key, detail)) = document.take() {
            let dot = if key.is_empty() { "" } else { "." };
            mapped.problem(kind, format!("$[{at}]{dot}{key}"), detail);
        }
    }
    mapped.dedup = Some(super::measured_key(raw, &mapped));
    mapped
}

/// What is wrong with a document: kind, key, and what to do.
type Refused = (ProblemKind, &'static str, String);

/// One document on its way to measurements.
struct Document<'m, 'd> {
    mapped: &'m mut Mapped,
    device: &'d DeviceId,
    at: usize,
    item: &'d Value,
    time: Option<DeviceTime>,
}

impl Document<'_, '_> {
    fn take(&mut self) -> Result<(), Refused> {
        if !self.item.is_object() {
            return Err((ProblemKind::Syntax, "", "a document is a JSON object".to_owned()));
        }
        let kind = self.item["type"].as_str();
        self.time = Some(self.time()?);
        match kind {
            _ if self.item.get("eventType").is_some() => self.treatment(),
            Some("sgv") => self.glucose("sgv", "MDC_CONC_GLU_ISF"),
            Some("mbg") => self.glucose("mbg", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD"),
            // Therapy settings as an app keeps them: kept whole, and no measurement.
            None if self.item.get("defaultProfile").is_some() => Ok(()),
            // A calibration is how the app makes numbers, and none of the patient's.
            Some("cal") => Ok(()),
            None if self.item.get("sgv").is_some() => self.glucose("sgv", "MDC_CONC_GLU_ISF"),
            None if self.item.get("mbg").is_some() => self.glucose("mbg", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD"),
            None if ["insulin", "carbs"].iter().any(|key| self.item.get(*key).is_some()) => self.treatment(),
            None if ["uploader", "uploaderBattery", "pump", "loop", "openaps", "device"].iter().any(|key| self.item.get(*key).is_some()) => {
                self.status();
                Ok(())
            }
            _ => Err((ProblemKind::Unmatched, "type", "an entry is sgv, mbg or cal".to_owned())),
        }
    }

    /// When it was measured: a number of milliseconds goes before texts.
    fn time(&self) -> Result<DeviceTime, Refused> {
        for key in ["date", "mills", "dateString", "created_at", "timestamp", "startDate", "sysTime"] {
            let value = &self.item[key];
            let read = match value {
                Value::Number(_) => TimeFormat::Unix(3).read(value, &TimeZone::UTC),
                Value::String(_) => TimeFormat::Rfc3339.read(value, &TimeZone::UTC),
                _ => continue,
            };
            return read.map_err(|why| (ProblemKind::BadTime, key, why));
        }
        let detail = "say when: date in milliseconds since 1970, or created_at as RFC 3339 writes it".to_owned();
        Err((ProblemKind::BadTime, "date", detail))
    }

    fn glucose(&mut self, key: &'static str, refid: &str) -> Result<(), Refused> {
        let value = number(&self.item[key]);
        let value = value.ok_or_else(|| (ProblemKind::Missing, key, "a number in mg/dL".to_owned()))?;
        if value < SENSOR_CODES_BELOW {
            let detail = "a code of the sensor for a fault, no glucose".to_owned();
            return Err((ProblemKind::BadValue, key, detail));
        }
        let heavy = number(&self.item["noise"]).is_some_and(|noise| noise >= NOISE_HEAVY);
        let quality = if heavy { Quality::QUESTIONABLE } else { Quality::empty() };
        // With the word mmol, a number in that unit; without one Nightscout means mg/dL.
        let unit = self.item["units"].as_str().filter(|unit| unit.starts_with("mmol")).and(unit_from_text("mmol/L"));
        self.put(refid, value, unit, (quality, 0), key);
        if key == "sgv" {
            let named = self.item["direction"].as_str();
            let state = named.and_then(|name| DIRECTIONS.iter().position(|known| *known == name));
            if let Some(state) = state {
                self.put("VW_CGM_DIRECTION", state as f64, None, (quality, 0), "direction");
            }
            // Some apps put a constant there that is no strength: only decibels are taken.
            if let Some(strength) = number(&self.item["rssi"]).filter(|rssi| (-150.0..0.0).contains(rssi)) {
                self.put("VW_SIGNAL_STRENGTH", strength, None, (Quality::empty(), 0), "rssi");
            }
        }
        Ok(())
    }

    fn treatment(&mut self) -> Result<(), Refused> {
        let manual = Quality::MANUAL;
        if let Some(units) = number(&self.item["insulin"]).filter(|units| *units > 0.0) {
            self.put("VW_INSULIN_BOLUS", units, None, (Quality::empty(), 0), "insulin");
        }
        if let Some(grams) = number(&self.item["carbs"]).filter(|grams| *grams > 0.0) {
            self.put("MDC_CTXT_GLU_CARB", grams, None, (manual, 0), "carbs");
        }
        let basal = self.item["eventType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("temp basal"));
        let rate = number(&self.item["absolute"]).or_else(|| number(&self.item["rate"]));
        if let Some(rate) = rate.filter(|_| basal) {
            self.put("VW_INSULIN_BASAL_RATE", rate, None, (Quality::empty(), 0), "absolute");
        }
        let finger = self.item["glucoseType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("finger"));
        if let Some(value) = number(&self.item["glucose"]).filter(|_| finger) {
            let mmol = self.item["units"].as_str().is_some_and(|unit| unit.starts_with("mmol"));
            let unit = if mmol { unit_from_text("mmol/L") } else { None };
            self.put("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", value, unit, (manual, 0), "glucose");
        }
        Ok(())
    }

    fn status(&mut self) {
        let item = self.item;
        let none = (Quality::empty(), 0);
        let phone = [&item["uploader"]["battery"], &item["uploaderBattery"]];
        if let Some(percent) = phone.into_iter().find_map(number) {
            self.put(&metric::code::BATTERY.refid(), percent, None, none, "uploader.battery");
        }
        if let Some(percent) = number(&item["pump"]["battery"]["percent"]) {
            self.put(&metric::code::BATTERY.refid(), percent, None, (Quality::empty(), PUMP), "pump.battery.percent");
        }
        if let Some(units) = number(&item["pump"]["reservoir"]) {
            self.put("VW_INSULIN_RESERVOIR", units, None, none, "pump.reservoir");
        }
        let on_board = [&item["loop"]["iob"]["iob"], &item["openaps"]["iob"]["iob"], &item["pump"]["iob"]["iob"]];
        if let Some(units) = on_board.into_iter().find_map(number) {
            self.put("VW_INSULIN_ON_BOARD", units, None, none, "iob.iob");
        }
    }

    /// Adds a value; one that its metric can't have is a problem of that key alone.
    fn put(&mut self, refid: &str, value: f64, unit: Option<Unit>, (quality, channel): (Quality, u32), key: &str) {
        let Some(row) = Metric::by_refid(refid) else { return };
        match measure(row, value, unit, Details { device_time: self.time, quality, channel }) {
            Ok(mut measurement) => {
                if let (vitals::Value::Enumeration(_, name), Some(known)) = (&mut measurement.value, direction_name(value)) {
                    known.clone_into(name);
                }
                self.mapped.push(self.device, None, measurement);
            }
            Err(problem) => self.mapped.problem(problem.kind, format!("$[{}].{key}", self.at), problem.detail),
        }
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number: &f64| number.is_finite())
}
