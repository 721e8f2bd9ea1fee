//! A FHIR backend that forgets: the journal is a list, the engine a loop. For tests only.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod server;

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use api::fhir::FhirBackend;
use api::fhir::backend::{Hint, ReadingPage, ReadingQuery, Reply, Submitted};
use vitals::{
    Content, EffectiveTime, Message, Offset, PatientId, Point, Quality, ReadingRef,
    ReceiveTime, SeriesId, SeriesKey, Value,
};
use wire_fhir::names::{self, Name};
use wire_fhir::{Kind, Panel, Record, Stored, panel};

#[derive(Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    messages: Vec<Message>,
    keys: HashMap<u128, Offset>,
    series: Vec<SeriesKey>,
    stored: Vec<Stored>,
    records: BTreeMap<(Kind, String), Vec<Record>>,
    names: Vec<(String, ReadingRef)>,
}

/// 2026-11-21T12:00:00Z
pub const NOW: ReceiveTime = ReceiveTime(1_795_262_400_000_000);

impl Memory {
    /// Number of messages and of problems in them.
    pub fn journal(&self) -> (usize, usize) {
        let inner = self.inner.lock().expect("not poisoned");
        (inner.messages.len(), inner.messages.iter().map(|m| m.problems.len()).sum())
    }

    fn with<T: Send + 'static>(&self, run: impl FnOnce(&mut Inner) -> T) -> Reply<'_, T> {
        let value = run(&mut self.inner.lock().expect("not poisoned"));
        Box::pin(std::future::ready(Ok(value)))
    }
}

impl Inner {
    fn apply(&mut self, message: &Message, offset: Offset) {
        for content in &message.content {
            let Content::Directory(event) = content else { continue };
            let mut record = Record {
                event: event.clone(),
                version: 1,
                updated: message.received,
                offset,
                patient: None,
                metric: None,
                said: Vec::new(),
            };
            let Some((kind, id)) = record.name().map(|(kind, id)| (kind, id.to_owned())) else { continue };
            let versions = self.records.entry((kind, id)).or_default();
            record.version = versions.len() as u64 + 1;
            versions.insert(0, record);
        }
        for (index, reading, measurement) in message.readings() {
            let parts = match &measurement.value {
                Value::Compound(parts) => parts.iter().map(|(m, v)| (*m, *v, None)).collect(),
                Value::Numeric(number) => vec![(measurement.metric, *number, None)],
                Value::Enumeration(number, _) => {
                    vec![(measurement.metric, f64::from(*number), Some(measurement.value.clone()))]
                }
                other => vec![(measurement.metric, f64::NAN, Some(other.clone()))],
            };
            for (step, (metric, value, attachment)) in parts.into_iter().enumerate() {
                let key = SeriesKey {
                    subject: reading.patient.as_ref().map(|p| p.id.clone()),
                    device: reading.device.clone(),
                    metric,
                    channel: measurement.channel,
                };
                let at = self.series.iter().position(|k| *k == key).unwrap_or_else(|| {
                    self.series.push(key.clone());
                    self.series.len() - 1
                });
                let mut quality = measurement.quality;
                quality.set(Quality::NO_DEVICE_TIME, measurement.device_time.is_none());
                let time = measurement.device_time.map_or(message.received.micros(), |t| t.micros());
                let point = Point {
                    time: EffectiveTime(time),
                    received: message.received,
                    value,
                    offset,
                    index: index + step as u16,
                    quality,
                };
                let series = SeriesId(at as u32);
                for (of, name) in names::decode(&message.origin.message_id) {
                    if of == point.index {
                        let reading = ReadingRef { series, offset, index: of };
                        self.names.insert(0, (name.to_owned(), reading));
                    }
                }
                self.stored.push(Stored { series, key, point, attachment, names: Vec::new() });
            }
        }
    }

    fn named(&self, name: &str) -> Vec<ReadingRef> {
        self.names.iter().filter(|(known, _)| known == name).map(|(_, reading)| *reading).collect()
    }

    fn complete(&self, mut stored: Stored) -> Stored {
        let name = stored.reference();
        let own = self.names.iter().filter(|(_, reading)| *reading == name).map(|(text, _)| text);
        stored.names = own
            .filter(|text| {
                let is_id = matches!(names::read(text), Some((_, Name::Id(_))));
                !is_id || self.named(text).first() == Some(&name)
            })
            .cloned()
            .collect();
        stored
    }
}

impl FhirBackend for Memory {
    fn now(&self) -> ReceiveTime {
        let inner = self.inner.lock().expect("not poisoned");
        NOW.plus(inner.messages.len() as i64 * 1_000)
    }

    fn submit(&self, message: Message, dedup: Option<u128>) -> Reply<'_, Submitted> {
        self.with(|inner| {
            if let Some(offset) = dedup.and_then(|key| inner.keys.get(&key)) {
                return Submitted::Duplicate(*offset);
            }
            let offset = inner.messages.len() as Offset;
            inner.apply(&message, offset);
            inner.messages.push(message);
            inner.keys.extend(dedup.map(|key| (key, offset)));
            Submitted::Committed(offset)
        })
    }

    fn readings_of(&self, offset: Offset) -> Reply<'_, Vec<(u16, Stored)>> {
        self.with(|inner| {
            let of = inner.stored.iter().filter(|s| s.point.offset == offset).cloned();
            of.map(|s| (s.point.index, inner.complete(s))).collect()
        })
    }

    fn reading(&self, reference: ReadingRef) -> Reply<'_, Option<Stored>> {
        self.with(|inner| inner.stored.iter().find(|s| s.reference() == reference).cloned().map(|s| inner.complete(s)))
    }

    fn payload(&self, offset: Offset) -> Reply<'_, Option<Vec<u8>>> {
        self.with(|inner| inner.messages.get(offset as usize).map(|message| message.payload.clone()))
    }

    fn panels(&self, anchors: Vec<Stored>) -> Reply<'_, Vec<Panel>> {
        self.with(|inner| {
            let panel = |anchor: Stored| {
                let beside = panel::other_parts(anchor.key.metric).into_iter().filter_map(|metric| {
                    let key = SeriesKey { metric, ..anchor.key.clone() };
                    inner.stored.iter().find(|s| s.key == key && s.point.time == anchor.point.time)
                });
                Panel { parts: beside.cloned().collect(), anchor: anchor.clone() }
            };
            anchors.into_iter().map(panel).collect()
        })
    }

    fn named(&self, name: &str) -> Reply<'_, Vec<ReadingRef>> {
        let name = name.to_owned();
        self.with(move |inner| inner.named(&name))
    }

    fn readings(&self, query: ReadingQuery) -> Reply<'_, ReadingPage> {
        self.with(|inner| {
            let takes = |s: &&Stored| {
                query.takes_series(&s.key)
                    && query.takes_point(&s.point)
                    && query.references.as_ref().is_none_or(|list| list.contains(&s.reference()))
            };
            let mut found: Vec<Stored> = inner.stored.iter().filter(takes).cloned().collect();
            found.sort_by_key(|s| query.place(s));
            if !query.order.ascending {
                found.reverse();
            }
            let total = found.len() as u64;
            found.retain(|s| query.follows(query.place(s)));
            let more = found.len() > query.limit;
            found.truncate(query.limit);
            let found = found.into_iter().map(|s| inner.complete(s)).collect();
            ReadingPage { total, readings: found, more }
        })
    }

    fn record(&self, kind: Kind, id: &str) -> Reply<'_, Option<Record>> {
        let id = id.to_owned();
        self.with(|inner| inner.records.get(&(kind, id)).and_then(|versions| versions.first().cloned()))
    }

    fn records(&self, kind: Kind, _hint: Hint) -> Reply<'_, Vec<Record>> {
        self.with(|inner| inner.records.values().filter_map(|versions| versions.first()).filter(|r| r.name().is_some_and(|(k, _)| k == kind)).cloned().collect())
    }

    fn same_person(&self, id: &PatientId) -> Reply<'_, Vec<PatientId>> {
        let id = id.clone();
        self.with(move |_| vec![id])
    }

    fn history(&self, kind: Kind, id: &str) -> Reply<'_, Vec<Record>> {
        let id = id.to_owned();
        self.with(move |inner| inner.records.get(&(kind, id)).cloned().unwrap_or_default())
    }
}
