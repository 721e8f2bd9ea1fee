//! Events of things that give out medicine: inhalers, pill dispensers, ingestible sensors. The shape is
//! ours; `docs/interfaces/mobile-health.md` has its schema.

use vitals::{ProblemKind, Quality};

use super::{Point, Refused, number, time};

/// Event, metric of its count.
const EVENTS: [(&str, &str); 6] = [
    ("inhaler-actuation", "VW_INHALER_PUFFS"),
    ("dose-dispensed", "VW_DOSES_DISPENSED"),
    ("dose-taken", "VW_DOSES_TAKEN"),
    ("dose-missed", "VW_DOSES_MISSED"),
    ("dose-ingested", "VW_DOSES_INGESTED"),
    ("call-button", "VW_CALL_BUTTON"),
];

pub(super) fn take(point: &mut Point<'_, '_>) -> Result<(), Refused> {
    let item = point.item;
    let name = item["event"].as_str().unwrap_or_default();
    let known = EVENTS.iter().find(|(event, _)| *event == name);
    let (_, metric) = known.ok_or_else(|| {
        let names = EVENTS.map(|(event, _)| event).join(", ");
        (ProblemKind::Unmatched, "event", format!("an event is one of {names}"))
    })?;
    let at = Some(time(&item["time"], "time")?);
    let count = match item.get("count") {
        None => 1.0,
        Some(count) => number(count).filter(|n| *n >= 0.0 && n.fract() == 0.0).ok_or_else(|| {
            (ProblemKind::BadValue, "count", "a whole number from 0".to_owned())
        })?,
    };
    let certain = item["confidence"].as_f64().is_none_or(|share| share >= 0.5);
    let quality = if certain { Quality::empty() } else { Quality::QUESTIONABLE };
    point.put(metric, count, "", (at, quality), "count")?;
    let also = [("flow_peak_l_min", "L/min", "VW_INHALED_FLOW_PEAK"), ("remaining", "", "VW_DOSES_LEFT")];
    for (key, unit, metric) in also {
        if let Some(value) = number(&item[key]) {
            point.put(metric, value, unit, (at, quality), "count")?;
        }
    }
    if let Some(percent) = number(&item["battery"]) {
        point.put("MDC_ATTR_VAL_BATT_CHARGE", percent, "%", (at, Quality::empty()), "battery")?;
    }
    Ok(())
}
