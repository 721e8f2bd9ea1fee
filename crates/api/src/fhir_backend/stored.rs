//! Single readings from the store, with all that an `Observation` needs of them.

use store::{Attachment, Read, SeriesFilter, SeriesInfo, Span, StoreError};
use vitals::{Measurement, Message, MetricCode, Offset, Point, ReadingRef, Value};
use wire_fhir::Stored;
use wire_fhir::names::{self, Name};

use super::merged::Survivors;

/// One stored reading.
pub(super) fn one(store: &dyn Read, name: ReadingRef) -> Result<Option<Stored>, StoreError> {
    let Some(point) = store.reading(name)? else { return Ok(None) };
    let filter = SeriesFilter { ids: vec![name.series], ..SeriesFilter::default() };
    let Some(info) = store.series(&filter)?.pop() else { return Ok(None) };
    let mut stored = bare(&info, point);
    complete(store, &mut stored, &mut Survivors::default())?;
    Ok(Some(stored))
}

/// The readings that have a name, newest first, each with whether it is stored.
pub(super) fn whether_there(store: &dyn Read, name: &str) -> Result<Vec<(ReadingRef, bool)>, StoreError> {
    let named = store.identified(name)?.into_iter();
    named.map(|reference| Ok((reference, store.reading(reference)?.is_some()))).collect()
}

/// The readings that a message led to, each with its index in the message. A value that was there
/// already is the one that was there.
pub(super) fn of_message(
    store: &dyn Read,
    message: &Message,
    offset: Offset,
) -> Result<Vec<(u16, Stored)>, StoreError> {
    let mut found = Vec::new();
    let mut survivors = Survivors::default();
    for (first, reading, measurement) in message.readings() {
        for (index, (metric, value)) in (first..).zip(values(measurement)) {
            let filter = SeriesFilter {
                devices: vec![reading.device.clone()],
                metrics: vec![metric],
                ..SeriesFilter::default()
            };
            let series = store.series(&filter)?;
            let named = |info: &SeriesInfo| {
                let point = store.reading(ReadingRef { series: info.id, offset, index })?;
                Ok::<_, StoreError>(point.map(|point| bare(info, point)))
            };
            let mut hit = None;
            for info in &series {
                hit = named(info)?;
                if hit.is_some() {
                    break;
                }
            }
            if hit.is_none() {
                hit = equal(store, &series, measurement, value)?;
            }
            if let Some(mut stored) = hit {
                complete(store, &mut stored, &mut survivors)?;
                found.push((index, stored));
            }
        }
    }
    Ok(found)
}

/// Metric and, where it has one, number of each value in a measurement.
fn values(measurement: &Measurement) -> Vec<(MetricCode, Option<f64>)> {
    match &measurement.value {
        Value::Compound(parts) => parts.iter().map(|(metric, n)| (*metric, Some(*n))).collect(),
        Value::Numeric(number) => vec![(measurement.metric, Some(*number))],
        Value::Enumeration(number, _) => vec![(measurement.metric, Some(f64::from(*number)))],
        _ => vec![(measurement.metric, None)],
    }
}

/// The reading of the same value at the same time that was stored before.
fn equal(
    store: &dyn Read,
    series: &[SeriesInfo],
    measurement: &Measurement,
    value: Option<f64>,
) -> Result<Option<Stored>, StoreError> {
    let (Some(at), Some(value)) = (measurement.device_time, value) else { return Ok(None) };
    let span = Span { from: Some(at.0), to: Some(at.0.saturating_add(1)) };
    for info in series.iter().filter(|info| info.key.channel == measurement.channel) {
        let points = store.points(info.id, span)?;
        if let Some(point) = points.into_iter().find(|point| point.value == value) {
            return Ok(Some(bare(info, point)));
        }
    }
    Ok(None)
}

/// A reading without what lies beside its point.
pub(super) fn bare(info: &SeriesInfo, point: Point) -> Stored {
    Stored { series: info.id, key: info.key.clone(), point, attachment: None, names: Vec::new() }
}

/// Adds what lies beside the point: text or samples, and names; and names the patient who lives
/// on.
pub(super) fn complete(
    store: &dyn Read,
    stored: &mut Stored,
    survivors: &mut Survivors,
) -> Result<(), StoreError> {
    if let Some(patient) = &mut stored.key.subject {
        survivors.put(store, patient)?;
    }
    let name = stored.reference();
    stored.attachment = attachment(store, name, &stored.point)?;
    for text in store.identifiers(name)? {
        // An id that passed on to a later reading is that one's.
        let is_id = matches!(names::read(&text), Some((_, Name::Id(_))));
        if !is_id || store.identified(&text)?.first() == Some(&name) {
            stored.names.push(text);
        }
    }
    Ok(())
}

fn attachment(
    store: &dyn Read,
    name: ReadingRef,
    point: &Point,
) -> Result<Option<Value>, StoreError> {
    if !point.value.is_nan() {
        return Ok(None);
    }
    Ok(store.attachment(name)?.map(|attachment| match attachment {
        Attachment::Text(text) => Value::Text(text),
        Attachment::Samples(samples) => Value::SampleArray(samples),
    }))
}
