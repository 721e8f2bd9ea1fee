//! The platform behind the FHIR routes: messages go to the journal, answers come from the store,
//! which is made to catch up first, so that what was created is found.

pub(crate) mod interval;
mod listing;
mod merged;
mod metrics;
mod panels;
pub(crate) mod said;
mod scoped;
mod stored;

pub(crate) use scoped::{Scoped, seen_by};

use std::time::Duration;

use journal::{Draft, Lane, Outcome};
use store::{DirectoryKind, DirectoryQuery, DirectoryRow, Page, Read, StoreError};
use vitals::{DirectoryEvent, Event, Message, Offset, PatientId, ReadingRef, ReceiveTime};
use wire_fhir::{Kind, Panel, Record, Stored};

use self::merged::Survivors;
use crate::app::readings::message_at;
use crate::error::ApiError;
use crate::fhir::backend::{
    BackendError, FhirBackend, Hint, ReadingPage, ReadingQuery, Reply, Submitted,
};
use crate::state::Api;

/// How long to wait for the engine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records of one kind that a search looks through.
const RECORDS_MAX: u64 = 100_000;

/// The platform as FHIR sees it.
pub struct Backend(pub Api);

fn failed(error: &ApiError) -> BackendError {
    match error {
        ApiError::Unavailable => BackendError::Unavailable(error.to_string()),
        _ => BackendError::Failed(error.to_string()),
    }
}

impl Backend {
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, BackendError> {
        self.0.ask_settled(question).await.map_err(|error| failed(&error))
    }
}

impl Backend {
    /// The stored reading that a named one, which is not stored itself, was the same as.
    async fn repeated(&self, name: ReadingRef) -> Result<Option<ReadingRef>, BackendError> {
        let Some(message) = message_at(&self.0, name.offset) else { return Ok(None) };
        let found = self.ask(move |store| stored::of_message(store, &message, name.offset)).await?;
        Ok(found.into_iter().find(|(index, _)| *index == name.index).map(|(_, stored)| stored.reference()))
    }
}

impl FhirBackend for Backend {
    fn now(&self) -> ReceiveTime {
        self.0.now()
    }

    fn submit(&self, message: Message, dedup: Option<u128>) -> Reply<'_, Submitted> {
        Box::pin(async move {
            let mut message = message;
            // What a device may not say goes to quarantine with all that came along with it, and its
            // sender is told so: half of what was sent is nothing to go by.
            let violations = self.0.guard.restrictions().keep_within(&mut message);
            let refused = violations.first().map(|first| {
                format!("{} may not send this: {}. Nothing of it was charted; it is kept in quarantine.", first.device, first.what)
            });
            violations.into_iter().for_each(|violation| self.0.violated(violation));
            let dedup = if refused.is_some() { message.content.clear(); None } else { dedup };
            // From where is not known here: much comes through a gateway of the house.
            self.0.depot.hear_message(&message, "fhir", None);
            let draft = Draft { event: Event::Message(message), dedup, lane: Lane::Numeric };
            match self.0.appender.append(draft).await {
                Ok(Outcome::Committed(_)) if refused.is_some() => Err(BackendError::Refused(refused.unwrap_or_default())),
                Ok(Outcome::Committed(offset)) => Ok(Submitted::Committed(offset)),
                Ok(Outcome::Duplicate(offset)) => Ok(Submitted::Duplicate(offset)),
                Ok(Outcome::Failed(error)) => Err(BackendError::Unavailable(error.to_string())),
                Err(closed) => Err(BackendError::Unavailable(closed.to_string())),
            }
        })
    }

    fn readings_of(&self, offset: Offset) -> Reply<'_, Vec<(u16, Stored)>> {
        Box::pin(async move {
            self.0.live.progress().judge(offset, PATIENCE).await;
            let Some(message) = message_at(&self.0, offset) else { return Ok(Vec::new()) };
            self.ask(move |store| stored::of_message(store, &message, offset)).await
        })
    }

    fn reading(&self, reference: ReadingRef) -> Reply<'_, Option<Stored>> {
        Box::pin(async move {
            // What is stored does not change: whoever finds it need not wait for what is newer.
            let found = self.0.ask(move |store| stored::one(store, reference)).await;
            if let Some(found) = found.map_err(|error| failed(&error))? {
                return Ok(Some(found));
            }
            self.ask(move |store| stored::one(store, reference)).await
        })
    }

    fn readings(&self, query: ReadingQuery) -> Reply<'_, ReadingPage> {
        Box::pin(async move { self.ask(move |store| listing::page(store, &query)).await })
    }

    fn panels(&self, anchors: Vec<Stored>) -> Reply<'_, Vec<Panel>> {
        Box::pin(async move {
            let panels = self.0.ask(move |store| panels::complete(store, anchors)).await;
            panels.map_err(|error| failed(&error))
        })
    }

    fn named(&self, name: &str) -> Reply<'_, Vec<ReadingRef>> {
        let name = name.to_owned();
        Box::pin(async move {
            let found = self.ask(move |store| stored::whether_there(store, &name)).await?;
            let mut named = Vec::with_capacity(found.len());
            for (reference, there) in found {
                // What repeats a reading is not stored again: its name is that reading's.
                let reference = if there { Some(reference) } else { self.repeated(reference).await? };
                named.extend(reference.filter(|reference| !named.contains(reference)));
            }
            Ok(named)
        })
    }

    fn same_person(&self, id: &PatientId) -> Reply<'_, Vec<PatientId>> {
        let id = id.clone();
        Box::pin(async move { self.ask(move |store| merged::same_person(store, id)).await })
    }

    fn payload(&self, offset: Offset) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(message_at(&self.0, offset).map(|message| message.payload)) })
    }

    fn history(&self, kind: Kind, id: &str) -> Reply<'_, Vec<Record>> {
        let id = id.to_owned();
        Box::pin(async move {
            if kind == Kind::DeviceMetric {
                return self.ask(move |store| metrics::history(store, &id)).await;
            }
            let rows = self.ask(move |store| store.directory_history(directory_kind(kind), &id)).await?;
            Ok(rows.into_iter().filter_map(|row| record(row, None)).collect())
        })
    }

    fn record(&self, kind: Kind, id: &str) -> Reply<'_, Option<Record>> {
        let id = id.to_owned();
        Box::pin(async move {
            let mut id = id;
            if let (Kind::Patient, Ok(patient)) = (kind, PatientId::new(&id)) {
                let survivor = self.ask(move |store| merged::survivor(store, patient)).await?;
                id = survivor.to_string();
            }
            if kind == Kind::DeviceMetric {
                let found = self.ask(move |store| metrics::one(store, &id)).await?;
                return Ok(found.map(|record| self.placed(record)));
            }
            let query = DirectoryQuery { ids: vec![id.clone()], ..DirectoryQuery::default() };
            let found = self.directory(kind, query).await?.into_iter().next();
            if found.is_none() && kind == Kind::Device {
                return self.ask(move |store| metrics::implied(store, &id)).await;
            }
            Ok(found)
        })
    }

    fn records(&self, kind: Kind, hint: Hint) -> Reply<'_, Vec<Record>> {
        Box::pin(async move {
            if kind == Kind::DeviceMetric {
                let found = self.ask(move |store| metrics::found(store, &hint)).await?;
                return Ok(found.into_iter().map(|record| self.placed(record)).collect());
            }
            let page = Page { skip: 0, limit: RECORDS_MAX };
            let mut implied = Vec::new();
            if let (Kind::Device, Hint::Devices(ids)) = (kind, &hint) {
                let ids = ids.clone();
                implied = self.ask(move |store| metrics::parts(store, &ids)).await?;
            }
            let all = DirectoryQuery { page, ..DirectoryQuery::default() };
            let queries = match hint {
                Hint::All | Hint::Devices(_) => vec![all],
                Hint::Ids(ids) if ids.is_empty() => Vec::new(),
                Hint::Ids(ids) => vec![DirectoryQuery { ids, ..all }],
                Hint::Identifiers(values) => values
                    .into_iter()
                    .map(|value| DirectoryQuery { identifier: Some((None, value)), ..all.clone() })
                    .collect(),
                // Devices have no patient of their own; the caller filters.
                Hint::Patients(_) if kind != Kind::Encounter => vec![all],
                Hint::Patients(patients) => patients
                    .into_iter()
                    .map(|patient| DirectoryQuery { patient: Some(patient), ..all.clone() })
                    .collect(),
            };
            let mut records = implied;
            for query in queries {
                records.extend(self.directory(kind, query).await?);
            }
            Ok(records)
        })
    }
}

impl Backend {
    /// A metric's record, with the patient that its device is on.
    fn placed(&self, mut record: Record) -> Record {
        if let DirectoryEvent::Device(device) = &record.event {
            record.patient = self.0.live.device(&device.id).and_then(|line| line.patient.clone());
        }
        record
    }

    async fn directory(
        &self,
        kind: Kind,
        query: DirectoryQuery,
    ) -> Result<Vec<Record>, BackendError> {
        let live = self.0.live.clone();
        self.ask(move |store| {
            let rows: Vec<DirectoryRow> = match kind {
                Kind::Patient => {
                    let rows = store.patients(&query)?.rows.into_iter();
                    rows.filter(|row| row.merged_into.is_none()).map(DirectoryRow::Patient).collect()
                }
                Kind::Encounter => {
                    let mut survivors = Survivors::default();
                    let mut rows = store.encounters(&query)?.rows;
                    for row in &mut rows {
                        survivors.put(store, &mut row.encounter.patient)?;
                    }
                    rows.into_iter().map(DirectoryRow::Encounter).collect()
                }
                Kind::Location => {
                    store.locations(&query)?.rows.into_iter().map(DirectoryRow::Location).collect()
                }
                Kind::Device | Kind::DeviceMetric => {
                    store.devices(&query)?.rows.into_iter().map(DirectoryRow::Device).collect()
                }
            };
            let device = |row: &DirectoryRow| match row {
                DirectoryRow::Device(row) => Some(row.device.id.clone()),
                _ => None,
            };
            let mut said = said::of(store, &rows.iter().filter_map(device).collect::<Vec<_>>())?;
            let told = |row: DirectoryRow| {
                let own = device(&row);
                let on = own.as_ref().and_then(|id| live.device(id)?.patient.clone());
                let said = own.and_then(|id| said.remove(&id)).unwrap_or_default();
                Some(Record { said, ..record(row, on)? })
            };
            Ok(rows.into_iter().filter_map(told).collect())
        })
        .await
    }
}

const fn directory_kind(kind: Kind) -> DirectoryKind {
    match kind {
        Kind::Patient => DirectoryKind::Patient,
        Kind::Encounter => DirectoryKind::Encounter,
        Kind::Location => DirectoryKind::Location,
        Kind::Device | Kind::DeviceMetric => DirectoryKind::Device,
    }
}

/// A stored row as a record; `on` is the patient that a device is on.
fn record(row: DirectoryRow, on: Option<PatientId>) -> Option<Record> {
    let (event, version, updated) = match row {
        DirectoryRow::Patient(row) => {
            (DirectoryEvent::Patient(row.patient), row.version, row.updated)
        }
        DirectoryRow::Encounter(row) => {
            (DirectoryEvent::Encounter(row.encounter), row.version, row.updated)
        }
        DirectoryRow::Location(row) => {
            (DirectoryEvent::Location(row.location), row.version, row.updated)
        }
        DirectoryRow::Device(row) => (DirectoryEvent::Device(row.device), row.version, row.updated),
        DirectoryRow::Association(_) => return None,
    };
    Some(Record { event, version, updated, offset: version.saturating_sub(1), patient: on, metric: None, said: Vec::new() })
}
