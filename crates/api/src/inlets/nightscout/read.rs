//! Reading back: glucose, insulin and carbohydrates of one patient, as Nightscout's documents, within
//! the rights of whoever asks. A device reads what it measured on the patient that it is on now.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use guard::Permission;
use serde_json::{Value, json};
use store::{SeriesFilter, Span};
use vitals::{DeviceId, EffectiveTime, Metric, PatientId, Point};

use super::super::Shown;
use super::super::sender::device;
use crate::access::shown as told;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

/// Documents in an answer, unless the request says otherwise (as Nightscout does).
const COUNT: usize = 10;
/// Most documents in an answer.
const COUNT_MAX: usize = 10_000;
/// The same by version 3.
const THIRD_MAX: usize = 1_000;
/// How long before a change its value may have been measured, to be told among changes, in microseconds.
const LATE_US: i64 = 7 * vitals::time::DAY;
/// How far back is looked when the request does not say: as Nightscout does, two days.
const BACK_US: i64 = 2 * vitals::time::DAY;

const SGV: &str = "MDC_CONC_GLU_ISF";
const MBG: &str = "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD";
const ARROW: &str = "VW_CGM_DIRECTION";
const BOLUS: &str = "VW_INSULIN_BOLUS";
const CARBS: &str = "MDC_CTXT_GLU_CARB";

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    count: usize,
    from: Option<i64>,
    to: Option<i64>,
    kind: Option<String>,
    patient: Option<String>,
}

impl Asked {
    /// Reads `count` and `find[date][$gte]` and its kin.
    pub(super) fn read(query: Option<&str>, kind: Option<&str>) -> Result<Self, ApiError> {
        let current = kind == Some("current");
        let kind = kind.filter(|kind| !current && !kind.is_empty()).map(str::to_owned);
        let mut asked = Self { count: if current { 1 } else { COUNT }, from: None, to: None, kind, patient: None };
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match key.as_ref() {
                "count" => {
                    let count = value.parse().map_err(|_| ApiError::bad("count: a whole number"))?;
                    asked.count = std::cmp::min(count, COUNT_MAX);
                }
                "patient" => asked.patient = Some(value.into_owned()),
                "find[type]" | "find[type][$eq]" => asked.kind = Some(value.into_owned()),
                other => asked.bound(other, &value)?,
            }
        }
        Ok(asked)
    }

    fn bound(&mut self, key: &str, value: &str) -> Result<(), ApiError> {
        let Some(rest) = key.strip_prefix("find[") else { return Ok(()) };
        let Some((field, operator)) = rest.split_once("][") else { return Ok(()) };
        if !["date", "dateString", "created_at", "mills", "sysTime"].contains(&field) {
            return Ok(());
        }
        let time = instant(value).ok_or_else(|| ApiError::bad("find: a time in milliseconds since 1970, or as RFC 3339 writes it"))?;
        match operator.trim_end_matches(']') {
            "$gte" => self.from = Some(time),
            "$gt" => self.from = Some(time.saturating_add(1)),
            "$lte" => self.to = Some(time.saturating_add(1)),
            "$lt" => self.to = Some(time),
            _ => return Err(ApiError::bad("find: $gte, $gt, $lte or $lt")),
        }
        Ok(())
    }

    /// Reads `limit`, `date$gte` and its kin, as version 3 writes them. What narrows further is disregarded.
    pub(super) fn third(query: Option<&str>) -> Result<Self, ApiError> {
        let mut asked = Self { count: COUNT, from: None, to: None, kind: None, patient: None };
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match key.as_ref() {
                "limit" => asked.count = value.parse().map_err(|_| ApiError::bad("limit: a whole number"))?,
                "patient" => asked.patient = Some(value.into_owned()),
                "type" | "type$eq" => asked.kind = Some(value.into_owned()),
                other => {
                    if let Some((field, operator)) = other.split_once('$') {
                        asked.bound(&format!("find[{field}][${operator}]"), &value)?;
                    }
                }
            }
        }
        asked.count = asked.count.min(THIRD_MAX);
        Ok(asked)
    }

    /// Most documents in the answer.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    fn span(&self, now: i64) -> Span {
        let to = self.to.unwrap_or(now.saturating_add(1));
        let from = self.from.unwrap_or(to.saturating_sub(BACK_US));
        Span::effective(EffectiveTime(from.min(to)), EffectiveTime(to))
    }

    fn wants(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|wanted| wanted == kind)
    }
}

/// Microseconds since 1970 of a time that somebody asks for.
fn instant(text: &str) -> Option<i64> {
    if let Ok(ms) = text.parse::<f64>() {
        return ms.is_finite().then_some((ms * 1_000.0) as i64);
    }
    // A plus of an offset comes as a space where it was not escaped.
    text.replace(' ', "+").parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// Whose values: as the store finds them.
async fn subject(api: &Api, shown: Shown, headers: &HeaderMap, asked: &Asked, route: &'static str) -> Result<SeriesFilter, ApiError> {
    if let Some(own) = device(api, shown, headers, route)? {
        return Ok(of_device(api, own));
    }
    let caller = api.caller(headers)?;
    let named = asked.patient.as_deref().map(PatientId::new).transpose();
    let named = named.map_err(|_| ApiError::bad("patient: a patient's id"))?;
    let patient = named.or_else(|| caller.account.patient.clone());
    let Some(patient) = patient else {
        return Err(ApiError::bad("patient: say whose values; an account of a patient or caregiver has its own"));
    };
    api.enter(headers, Permission::SeePatients, route, Some(&patient)).await?;
    let mut subjects = vec![patient.clone()];
    if let Some(seen) = api.live.patient(&patient) {
        subjects.extend(seen.merged.iter().cloned());
    }
    told([&patient]);
    Ok(SeriesFilter { subjects, ..SeriesFilter::default() })
}

fn of_device(api: &Api, own: DeviceId) -> SeriesFilter {
    let patient = api.live.device(&own).and_then(|line| line.patient.clone());
    let without_subject = patient.is_none();
    let subjects: Vec<PatientId> = patient.into_iter().collect();
    told(&subjects);
    SeriesFilter { devices: vec![own], subjects, without_subject, ..SeriesFilter::default() }
}

/// The points of a metric, by time; of two at one time the later received.
async fn points(api: &Api, filter: &SeriesFilter, refid: &str, span: Span) -> Result<BTreeMap<i64, (Point, DeviceId)>, ApiError> {
    let Some(row) = Metric::by_refid(refid) else { return Ok(BTreeMap::new()) };
    let filter = SeriesFilter { metrics: vec![row.code], ..filter.clone() };
    let live = api.live.clone();
    api.ask_settled(move |store| {
        let mut found = BTreeMap::new();
        for info in store.series(&filter)? {
            let fresh = live.tail().points(info.id);
            let kept = store.points(info.id, span)?;
            for point in kept.into_iter().chain(fresh.iter().copied()).filter(|p| span.holds(p.time.0) && p.value.is_finite()) {
                found.insert(point.time.0, (point, info.key.device.clone()));
            }
        }
        Ok(found)
    })
    .await
}

/// Entries, newest first.
pub(super) async fn entries(api: &Api, shown: Shown, headers: &HeaderMap, asked: Asked) -> Result<Json<Value>, ApiError> {
    let filter = subject(api, shown, headers, &asked, "/api/v1/entries").await?;
    let span = asked.span(api.now().micros());
    let mut found: Vec<(i64, Value)> = Vec::new();
    if asked.wants("sgv") {
        let arrows = points(api, &filter, ARROW, span).await?;
        for (time, (point, device)) in points(api, &filter, SGV, span).await? {
            let mut entry = entry("sgv", time, &point, &device);
            let arrow = arrows.get(&time).and_then(|(arrow, _)| mapping::direction_name(arrow.value));
            if let (Value::Object(fields), Some(arrow)) = (&mut entry, arrow) {
                fields.insert("direction".to_owned(), arrow.into());
            }
            found.push((time, entry));
        }
    }
    if asked.wants("mbg") {
        for (time, (point, device)) in points(api, &filter, MBG, span).await? {
            found.push((time, entry("mbg", time, &point, &device)));
        }
    }
    Ok(Json(newest(found, asked.count)))
}

/// Treatments, newest first.
pub(super) async fn treatments(api: &Api, shown: Shown, headers: &HeaderMap, asked: Asked) -> Result<Json<Value>, ApiError> {
    let filter = subject(api, shown, headers, &asked, "/api/v1/treatments").await?;
    let span = asked.span(api.now().micros());
    let mut found: Vec<(i64, Value)> = Vec::new();
    for (refid, key, kind) in [(BOLUS, "insulin", "Correction Bolus"), (CARBS, "carbs", "Carb Correction")] {
        for (time, (point, device)) in points(api, &filter, refid, span).await? {
            let when = rfc3339(time);
            let mut document = json!({"eventType": kind, "created_at": when, "mills": time.div_euclid(1_000),
                "enteredBy": device.as_str(), key: number(point.value)});
            document["_id"] = Value::from(document_id(&document));
            found.push((time, document));
        }
    }
    Ok(Json(newest(found, asked.count)))
}

/// Entries or treatments that were received after a time (milliseconds since 1970), in that order; values
/// measured long before it are left out.
pub(super) async fn changes(
    api: &Api,
    shown: Shown,
    headers: &HeaderMap,
    (collection, asked): (&str, &Asked),
    since_ms: i64,
) -> Result<Vec<Value>, ApiError> {
    let now = api.now().micros();
    let since = since_ms.saturating_mul(1_000);
    // Nobody asks for all that ever was: without a time, as elsewhere, what is not old.
    let from = if since_ms == 0 { now.saturating_sub(BACK_US) } else { since.saturating_sub(LATE_US) };
    let asked = Asked { from: Some(from), to: Some(now.saturating_add(vitals::time::DAY)), count: COUNT_MAX, ..asked.clone() };
    let Json(found) = match collection {
        "treatments" => treatments(api, shown, headers, asked).await?,
        _ => entries(api, shown, headers, asked).await?,
    };
    let Value::Array(mut found) = found else { return Ok(Vec::new()) };
    let changed = |document: &Value| document["srvModified"].as_i64().unwrap_or(0);
    found.retain(|document| changed(document) > since_ms);
    found.sort_by_key(changed);
    Ok(found)
}

fn newest(mut found: Vec<(i64, Value)>, count: usize) -> Value {
    found.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    found.into_iter().take(count).map(|(_, document)| document).collect()
}

fn entry(kind: &str, time: i64, point: &Point, device: &DeviceId) -> Value {
    let ms = time.div_euclid(1_000);
    let mut entry = json!({"type": kind, "date": ms, "dateString": rfc3339(time), "sysTime": rfc3339(time),
        "mills": ms, "utcOffset": 0, "device": device.as_str(), kind: number(point.value)});
    if !point.quality.usable() {
        entry["noise"] = Value::from(4);
    }
    let id = Value::from(document_id(&entry));
    entry["_id"] = id.clone();
    entry["identifier"] = id;
    entry["srvModified"] = Value::from(point.received.millis());
    entry
}

/// A whole number where it is one: some apps take no other.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e9 { Value::from(value as i64) } else { Value::from(value) }
}

/// A document's id, made of its content: 24 hexadecimal digits, as Nightscout's are.
pub(super) fn document_id(document: &Value) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(document.to_string().as_bytes());
    hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// A time as Nightscout writes it.
pub(super) fn rfc3339(us: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(us.div_euclid(1_000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_nightscout_reads_them() {
        let ms = 1_700_000_000_000_i64;
        for (query, kind, count, from, to) in [
            ("", None, 10, None, None),
            ("count=3", None, 3, None, None),
            ("count=99999999", None, COUNT_MAX, None, None),
            ("", Some("current"), 1, None, None),
            ("find[date][$gte]=1700000000000&find[date][$lt]=1700000001000", None, 10, Some(ms * 1_000), Some(ms * 1_000 + 1_000_000)),
            ("find%5BdateString%5D%5B%24gt%5D=2023-11-14T22:13:20Z", None, 10, Some(ms * 1_000 + 1), None),
            ("find[created_at][$gte]=2023-11-14T23:13:20+01:00", None, 10, Some(ms * 1_000), None),
            ("find[device]=x&other=y", None, 10, None, None),
        ] {
            let asked = Asked::read(Some(query), kind).expect(query);
            assert_eq!((asked.count, asked.from, asked.to), (count, from, to), "{query}");
        }
        for query in ["count=x", "find[date][$gte]=soon", "find[date][$where]=1"] {
            assert!(Asked::read(Some(query), None).is_err(), "{query}");
        }
        assert_eq!(rfc3339(1_700_000_000_123_456), "2023-11-14T22:13:20.123Z");
    }
}
