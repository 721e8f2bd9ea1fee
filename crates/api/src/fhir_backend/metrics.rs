//! What devices can measure: metrics that senders wrote, kept with their device, and those that a
//! device's series show; and the parts (VMDs, channels) that those imply.

use std::collections::BTreeMap;

use store::{DirectoryQuery, DirectoryRow, Page, Read, SeriesFilter, StoreError};
use vitals::{Device, DeviceId, DirectoryEvent, MetricCode, property};
use wire_fhir::device_metric::{self, Seen};
use wire_fhir::{Record, containment, guide};

use super::{RECORDS_MAX, record};
use crate::fhir::backend::Hint;

/// The metrics that a hint describes, and perhaps more.
pub(super) fn found(store: &dyn Read, hint: &Hint) -> Result<Vec<Record>, StoreError> {
    match hint {
        Hint::Ids(ids) => {
            let mut all = Vec::new();
            for id in ids {
                all.extend(one(store, id)?);
            }
            Ok(all)
        }
        Hint::Devices(ids) => {
            let mut roots: Vec<String> = ids.iter().map(|id| root(store, id)).collect::<Result<_, _>>()?;
            roots.sort_unstable();
            roots.dedup();
            // What stands below a part that was written as a device has that device's source.
            let mut all = of_devices(store, Some(roots))?;
            if ids.iter().any(|id| containment::read_id(id).is_none()) {
                all.extend(of_devices(store, None)?.into_iter().filter(|record| is_written_below(record, ids)));
            }
            Ok(all)
        }
        _ => of_devices(store, None),
    }
}

fn is_written_below(record: &Record, ids: &[String]) -> bool {
    let parent = record.metric.as_ref().and_then(|metric| metric["parent"]["reference"].as_str());
    parent.and_then(|text| text.rsplit('/').next()).is_some_and(|id| ids.iter().any(|wanted| wanted == id))
}

/// The metric with this id.
pub(super) fn one(store: &dyn Read, id: &str) -> Result<Option<Record>, StoreError> {
    let all = match device_metric::read_id(id) {
        Some((_, device)) => match holder(store, device, |known| {
            device_metric::read_id(id).is_some_and(|(seen, _)| seen.id(known) == id)
        })? {
            Some(device) => of_devices(store, Some(vec![device]))?,
            None => Vec::new(),
        },
        None => written(store)?,
    };
    Ok(all.into_iter().find(|record| record.name().is_some_and(|(_, own)| own == id)))
}

/// The versions of a metric, newest first.
pub(super) fn history(store: &dyn Read, id: &str) -> Result<Vec<Record>, StoreError> {
    let Some(now) = one(store, id)? else { return Ok(Vec::new()) };
    let DirectoryEvent::Device(device) = &now.event else { return Ok(vec![now]) };
    let mut versions: Vec<Record> = Vec::new();
    for row in store.directory_history(store::DirectoryKind::Device, device.id.as_str())? {
        let Some(record) = record(row, None) else { continue };
        let DirectoryEvent::Device(then) = &record.event else { continue };
        let Some(metric) = device_metric::of(then).into_iter().find(|json| json["id"] == id) else { continue };
        // A version of the device in which the metric stayed as it was is none of the metric.
        if versions.last().is_some_and(|newer| newer.metric.as_ref() == Some(&metric)) {
            versions.pop();
        }
        versions.push(Record { metric: Some(metric), ..record });
    }
    Ok(if versions.is_empty() { vec![now] } else { versions })
}

/// A device that nobody wrote: a part of one that is known, or the platform itself.
pub(super) fn implied(store: &dyn Read, id: &str) -> Result<Option<Record>, StoreError> {
    if id == guide::OURSELVES {
        let Ok(own) = DeviceId::new(id) else { return Ok(None) };
        let document = guide::ourselves(env!("CARGO_PKG_VERSION")).to_string().into_bytes();
        let name = "Vitalwire".to_owned();
        let device = Device { name, document: Some(document), ..Device::announced(own) };
        let event = DirectoryEvent::Device(device);
        let updated = vitals::ReceiveTime(0);
        return Ok(Some(Record { event, version: 1, updated, offset: 0, patient: None, metric: None, said: Vec::new() }));
    }
    let Some((part, device)) = containment::read_id(id) else { return Ok(None) };
    let Some(root) = holder(store, device, |known| containment::id(known, part) == id)? else { return Ok(None) };
    Ok(parts(store, &[root])?.into_iter().find(|record| record.name().is_some_and(|(_, own)| own == id)))
}

/// The parts of devices that their series imply.
pub(super) fn parts(store: &dyn Read, ids: &[String]) -> Result<Vec<Record>, StoreError> {
    let mut roots: Vec<String> = ids.iter().map(|id| root(store, id)).collect::<Result<_, _>>()?;
    roots.sort_unstable();
    roots.dedup();
    let mut found = Vec::new();
    let seen = seen(store, Some(&roots))?;
    for row in rows(store, Some(roots))? {
        let metrics: Vec<MetricCode> =
            seen.get(&row.device.id).into_iter().flatten().map(|seen| seen.metric).collect();
        for part in containment::parts_of(&metrics) {
            let Ok(id) = DeviceId::new(&containment::id(&row.device.id, part)) else { continue };
            let document = Some(containment::resource(&row.device.id, part).to_string().into_bytes());
            let event = DirectoryEvent::Device(Device { name: String::new(), document, ..Device::announced(id) });
            let (version, updated) = (row.version, row.updated);
            found.push(Record { event, version, updated, offset: version.saturating_sub(1), patient: None, metric: None, said: Vec::new() });
        }
    }
    Ok(found)
}

/// The device that an id is a part of, or the id itself.
fn root(store: &dyn Read, id: &str) -> Result<String, StoreError> {
    let Some((part, device)) = containment::read_id(id) else { return Ok(id.to_owned()) };
    let found = holder(store, device, |known| containment::id(known, part) == id)?;
    Ok(found.unwrap_or_else(|| id.to_owned()))
}

/// The id of the device that a derived id ends with, or whose hash it ends with.
fn holder(
    store: &dyn Read,
    ending: &str,
    is_it: impl Fn(&DeviceId) -> bool,
) -> Result<Option<String>, StoreError> {
    if DeviceId::new(ending).is_ok_and(|id| is_it(&id)) && !rows(store, Some(vec![ending.to_owned()]))?.is_empty() {
        return Ok(Some(ending.to_owned()));
    }
    let hashed = ending.len() == 16 && ending.bytes().all(|b| b.is_ascii_hexdigit());
    if !hashed {
        return Ok(None);
    }
    Ok(rows(store, None)?.into_iter().map(|row| row.device.id).find(is_it).map(|id| id.to_string()))
}

fn rows(store: &dyn Read, ids: Option<Vec<String>>) -> Result<Vec<store::DeviceRow>, StoreError> {
    if ids.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let page = Page { skip: 0, limit: RECORDS_MAX };
    Ok(store.devices(&DirectoryQuery { ids: ids.unwrap_or_default(), page, ..DirectoryQuery::default() })?.rows)
}

/// What the series of devices show.
fn seen(store: &dyn Read, ids: Option<&[String]>) -> Result<BTreeMap<DeviceId, Vec<Seen>>, StoreError> {
    let devices: Vec<DeviceId> =
        ids.unwrap_or_default().iter().filter_map(|id| DeviceId::new(id).ok()).collect();
    if ids.is_some() && devices.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found: BTreeMap<DeviceId, Vec<Seen>> = BTreeMap::new();
    for info in store.series(&SeriesFilter { devices, ..SeriesFilter::default() })? {
        // What a device says of itself is no metric of it, but stands in its `Device`.
        if property::ALL.contains(&info.key.metric) {
            continue;
        }
        let seen = Seen::of(info.key.metric, info.key.channel);
        let list = found.entry(info.key.device).or_default();
        if !list.contains(&seen) {
            list.push(seen);
        }
    }
    found.values_mut().for_each(|list| list.sort_unstable());
    Ok(found)
}

/// Metrics that were written.
fn written(store: &dyn Read) -> Result<Vec<Record>, StoreError> {
    let rows = rows(store, None)?;
    Ok(rows.into_iter().flat_map(|row| records(row, &[])).collect())
}

fn of_devices(store: &dyn Read, ids: Option<Vec<String>>) -> Result<Vec<Record>, StoreError> {
    let seen = seen(store, ids.as_deref())?;
    let rows = rows(store, ids)?;
    let all = rows.into_iter().flat_map(|row| {
        let seen = seen.get(&row.device.id).map_or(&[][..], Vec::as_slice);
        records(row, seen)
    });
    Ok(all.collect())
}

fn records(row: store::DeviceRow, seen: &[Seen]) -> Vec<Record> {
    let metrics = device_metric::all(&row.device, seen);
    let Some(record) = record(DirectoryRow::Device(row), None) else { return Vec::new() };
    metrics.into_iter().map(|metric| Record { metric: Some(metric), ..record.clone() }).collect()
}
