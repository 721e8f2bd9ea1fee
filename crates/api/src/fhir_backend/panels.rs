//! The other parts of blood pressures, found beside their systolic readings.

use std::collections::HashMap;

use store::{Read, SeriesFilter, SeriesInfo, Span, StoreError};
use vitals::{Point, SeriesId, SeriesKey};
use wire_fhir::{Panel, Stored, panel};

use super::stored::bare;

/// The parts of one series around some anchors, by time.
type Parts = HashMap<i64, Vec<Point>>;

/// Each anchor's panel, in the same order. Parts of one pressure share device, patient, channel and
/// time; where several values stand at that time, the one of the anchor's own message is meant.
pub(super) fn complete(store: &dyn Read, anchors: Vec<Stored>) -> Result<Vec<Panel>, StoreError> {
    let mut groups: HashMap<SeriesId, (i64, i64)> = HashMap::new();
    for anchor in &anchors {
        let at = anchor.point.time.micros();
        let span = groups.entry(anchor.series).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }
    let ids: Vec<SeriesId> = groups.keys().copied().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: HashMap<SeriesId, Vec<(SeriesInfo, Parts)>> = HashMap::new();
    for info in store.series(&SeriesFilter { ids, ..SeriesFilter::default() })? {
        let Some((first, last)) = groups.get(&info.id) else { continue };
        let span = Span { from: Some(*first), to: Some(last.saturating_add(1)) };
        found.insert(info.id, parts(store, &info.key, span)?);
    }
    let panel = |anchor: Stored| {
        let point = &anchor.point;
        let beside = found.get(&anchor.series).into_iter().flatten().filter_map(|(info, parts)| {
            let there = parts.get(&point.time.micros())?;
            let own = there.iter().rfind(|part| part.offset == point.offset);
            own.or(there.last()).map(|part| bare(info, *part))
        });
        Panel { parts: beside.collect(), anchor }
    };
    Ok(anchors.into_iter().map(panel).collect())
}

fn parts(
    store: &dyn Read,
    key: &SeriesKey,
    span: Span,
) -> Result<Vec<(SeriesInfo, Parts)>, StoreError> {
    let mut found = Vec::new();
    for metric in panel::other_parts(key.metric) {
        let filter = SeriesFilter {
            subjects: key.subject.iter().cloned().collect(),
            without_subject: key.subject.is_none(),
            devices: vec![key.device.clone()],
            metrics: vec![metric],
            ..SeriesFilter::default()
        };
        for info in store.series(&filter)? {
            if info.key.channel != key.channel {
                continue;
            }
            let mut by_time = Parts::new();
            for point in store.points(info.id, span)? {
                by_time.entry(point.time.micros()).or_default().push(point);
            }
            found.push((info, by_time));
        }
    }
    Ok(found)
}
