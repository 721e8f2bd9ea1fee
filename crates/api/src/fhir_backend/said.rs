//! What devices say of themselves beyond their records: the newest value of each property.

use std::collections::BTreeMap;

use store::{Attachment, Read, SeriesFilter, SeriesInfo, Span, StoreError};
use vitals::metric::MetricKind;
use vitals::{DeviceId, MetricCode, ReadingRef, Value, property};

/// More devices than this are asked about at once rather than by their names.
const NAMED_MAX: usize = 64;

/// Properties of devices, by metric.
pub(crate) type Said = BTreeMap<DeviceId, Vec<(MetricCode, Value)>>;

/// The newest of every property of these devices.
pub(crate) fn of(store: &dyn Read, devices: &[DeviceId]) -> Result<Said, StoreError> {
    if devices.is_empty() {
        return Ok(Said::new());
    }
    let named = if devices.len() > NAMED_MAX { Vec::new() } else { devices.to_vec() };
    let filter = SeriesFilter { devices: named, metrics: property::ALL.to_vec(), ..SeriesFilter::default() };
    let mut newest: BTreeMap<(DeviceId, MetricCode), SeriesInfo> = BTreeMap::new();
    for info in store.series(&filter)?.into_iter().filter(|info| info.last.is_some()) {
        let key = (info.key.device.clone(), info.key.metric);
        // A device that was on several people has a series of each.
        if newest.get(&key).is_none_or(|known| known.last < info.last) {
            newest.insert(key, info);
        }
    }
    let mut said = Said::new();
    for ((device, metric), info) in newest {
        if let Some(value) = value(store, &info)? {
            said.entry(device).or_default().push((metric, value));
        }
    }
    Ok(said)
}

fn value(store: &dyn Read, info: &SeriesInfo) -> Result<Option<Value>, StoreError> {
    let Some(last) = info.last.map(vitals::EffectiveTime::micros) else { return Ok(None) };
    let span = Span { from: Some(last), to: Some(last.saturating_add(1)) };
    let Some(point) = store.points(info.id, span)?.pop() else { return Ok(None) };
    if !point.value.is_nan() {
        let state = info.key.metric.metric().is_some_and(|row| row.kind == MetricKind::Enumeration);
        return Ok(Some(match state {
            true => Value::Enumeration(point.value as i32, String::new()),
            false => Value::Numeric(point.value),
        }));
    }
    let reading = ReadingRef { series: info.id, offset: point.offset, index: point.index };
    Ok(match store.attachment(reading)? {
        Some(Attachment::Text(text)) => Some(Value::Text(text)),
        _ => None,
    })
}
