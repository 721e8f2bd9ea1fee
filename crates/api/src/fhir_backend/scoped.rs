//! FHIR as somebody may see it: between the routes and the platform, everything that is not theirs
//! is left out of what is looked up, and what they write about others is refused. So no route,
//! include, history or bundle can show or change more than the access policy permits.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use guard::{Categories, Category, Kind as AccountKind, Permission};
use vitals::{
    Content, DeviceId, DirectoryEvent, EncounterStatus, LocationId, Message, Offset, Patient, PatientId, ReadingRef, ReceiveTime, Role, Value,
};
use wire_fhir::{Kind, Panel, Record, Stored};

use crate::fhir::backend::{
    BackendError, FhirBackend, Hint, ReadingPage, ReadingQuery, Reply, Submitted,
};
use crate::state::Api;
use crate::viewer::Viewer;

/// How long, and how often, it is looked whether somebody admitted is there.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Why a write is refused.
const NOT_THEIRS: &str = "This account may not write that: it is about a patient, place or device that is not its own.";
const NOT_ADMITTED: &str = "This account works with some units: a new patient is written together with an Encounter in \
    progress in one of them, in one transaction.";

tokio::task_local! {
    static SEEN_BY: Sight;
}

/// Through whose eyes a request sees. Looking up needs `read-fhir`, also for what is to be written.
#[derive(Clone)]
struct Sight {
    viewer: Viewer,
}

/// Serves a request of somebody: what it looks up is what they may see.
pub(crate) async fn seen_by<T>(viewer: Viewer, task: impl Future<Output = T>) -> T {
    SEEN_BY.scope(Sight { viewer }, task).await
}

/// A backend of which each request sees its part. A request of nobody sees nothing.
pub(crate) struct Scoped {
    inner: Arc<dyn FhirBackend>,
    api: Api,
}

impl Sight {
    /// Whether everything is theirs, so that nothing needs to be looked through.
    fn unlimited(&self) -> bool {
        self.viewer.caller().account.kind == AccountKind::Trial
    }

    /// Whether they work here and with every unit.
    fn whole_house(&self) -> bool {
        self.viewer.whole_house() && !self.outsider()
    }

    fn outsider(&self) -> bool {
        matches!(self.viewer.caller().account.role, Role::Patient | Role::Caregiver)
    }

    fn kinds(&self, id: &PatientId) -> Categories {
        self.viewer.kinds(Permission::ReadFhir, id)
    }

    fn sees(&self, id: &PatientId, kind: Category) -> bool {
        self.kinds(id).has(kind)
    }

    /// A reading is seen with its patient; one of nobody by those who see the whole house.
    fn sees_reading(&self, stored: &Stored) -> bool {
        let kind = match stored.attachment {
            Some(Value::SampleArray(_)) => Category::Waveforms,
            _ => Category::VitalSigns,
        };
        stored.key.subject.as_ref().map_or_else(|| self.whole_house(), |id| self.sees(id, kind))
    }

    /// What is seen of a record: all, or a device without whom it is on, or nothing.
    fn record(&self, mut record: Record) -> Option<Record> {
        match &record.event {
            DirectoryEvent::Patient(patient) => {
                self.sees(&patient.id, Category::Demographics).then_some(record)
            }
            DirectoryEvent::Encounter(encounter) => {
                self.sees(&encounter.patient, Category::Demographics).then_some(record)
            }
            DirectoryEvent::Device(_) => {
                let on = record.patient.take().filter(|id| self.sees(id, Category::DeviceData));
                let seen = on.is_some() || !self.outsider();
                record.patient = on;
                seen.then_some(record)
            }
            _ => Some(record),
        }
    }
}

impl Scoped {
    pub(crate) fn new(inner: Arc<dyn FhirBackend>, api: Api) -> Self {
        Self { inner, api }
    }

    /// Who looks; an error for nobody, which no request is.
    fn sight() -> Result<Sight, BackendError> {
        SEEN_BY
            .try_with(Clone::clone)
            .map_err(|_| BackendError::Failed("nobody is known to ask".to_owned()))
    }

    /// The patients whose readings are seen; none: all.
    fn subjects(&self, sight: &Sight, asked: Option<Vec<PatientId>>) -> Option<Vec<PatientId>> {
        if let Some(asked) = asked {
            let seen = asked.into_iter().filter(|id| sight.sees(id, Category::VitalSigns));
            return Some(seen.collect());
        }
        let patients = self.api.live.patients();
        let (seen, hidden): (Vec<_>, Vec<_>) = patients
            .iter()
            .partition(|seen| sight.viewer.kinds_of(Permission::ReadFhir, seen).has(Category::VitalSigns));
        if sight.whole_house() && hidden.is_empty() {
            return None;
        }
        let all = seen.iter().flat_map(|seen| std::iter::once(&seen.patient.id).chain(&seen.merged));
        let mut ids: HashSet<PatientId> = all.cloned().collect();
        ids.extend(sight.viewer.caller().account.patient.clone());
        Some(ids.into_iter().collect())
    }

    /// Refuses what somebody of some units writes about patients and places of others.
    /// Gives whom the message admits.
    async fn may_write(&self, sight: &Sight, message: &Message) -> Result<HashSet<PatientId>, BackendError> {
        let refused = |why: &str| BackendError::Refused(why.to_owned());
        let admitted = self.admitted(sight, message).await?;
        let may = |id: &PatientId| {
            admitted.contains(id) || sight.viewer.decide(Permission::WriteFhir, id, Category::Documents).allowed
        };
        for content in &message.content {
            let fine = match content {
                Content::Reading(reading) => match &reading.patient {
                    Some(patient) => may(&patient.id),
                    None => self.on(&reading.device).is_none_or(|id| may(&id)),
                },
                Content::Directory(DirectoryEvent::Patient(patient)) => {
                    let known = self.inner.record(Kind::Patient, patient.id.as_str()).await?;
                    if known.is_none() && !may(&patient.id) {
                        return Err(refused(NOT_ADMITTED));
                    }
                    may(&patient.id) && self.known_by(patient).await?.iter().all(may)
                }
                Content::Directory(DirectoryEvent::Encounter(encounter)) => may(&encounter.patient),
                Content::Directory(DirectoryEvent::Location(place)) => {
                    let known = self.inner.record(Kind::Location, place.id.as_str()).await?;
                    let was = known.and_then(|known| match known.event {
                        DirectoryEvent::Location(place) => Some(place.bed.unit),
                        _ => None,
                    });
                    sight.viewer.works_with(&place.bed.unit)
                        && was.is_none_or(|unit| sight.viewer.works_with(&unit))
                }
                Content::Directory(_) | Content::Alarm(_) => false,
            };
            if !fine {
                return Err(refused(NOT_THEIRS));
            }
        }
        Ok(admitted)
    }

    /// Whoever has an identifier of this patient already: what is written would be about them.
    async fn known_by(&self, patient: &Patient) -> Result<Vec<PatientId>, BackendError> {
        let values: Vec<String> = patient.identifiers.iter().map(|one| one.value.clone()).collect();
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.inner.records(Kind::Patient, Hint::Identifiers(values)).await?;
        let theirs = found.iter().filter(|record| {
            let known = record.identifiers();
            known.iter().any(|one| patient.identifiers.iter().any(|own| own.system == one.system && own.value == one.value))
        });
        Ok(theirs.filter_map(|record| PatientId::new(record.name()?.1).ok()).collect())
    }

    /// Waits until these patients lie where they were admitted to: whoever wrote them may read them
    /// when the answer comes.
    async fn shown(&self, admitted: &HashSet<PatientId>) {
        let lies = |id: &PatientId| self.api.live.patient(id).is_some_and(|seen| seen.location.is_some());
        let waiting = async {
            while !admitted.iter().all(lies) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        // Late or not, what was written is written.
        let _ = tokio::time::timeout(PATIENCE, waiting).await;
    }

    /// Patients whom nobody knew before, and whom the same message admits to a unit where the
    /// sender may write.
    async fn admitted(&self, sight: &Sight, message: &Message) -> Result<HashSet<PatientId>, BackendError> {
        let mut admitted = HashSet::new();
        for content in &message.content {
            let Content::Directory(DirectoryEvent::Encounter(stay)) = content else { continue };
            if stay.status != EncounterStatus::InProgress {
                continue;
            }
            let unit = match &stay.location {
                Some(id) => self.unit_of(id, message).await?,
                None => None,
            };
            let theirs = unit.is_some_and(|unit| {
                sight.viewer.decide_in(Permission::WriteFhir, &stay.patient, &unit, Category::Documents).allowed
            });
            if theirs && self.inner.record(Kind::Patient, stay.patient.as_str()).await?.is_none() {
                admitted.insert(stay.patient.clone());
            }
        }
        Ok(admitted)
    }

    /// The unit of a place that is known, or that the message brings along.
    async fn unit_of(&self, id: &LocationId, message: &Message) -> Result<Option<String>, BackendError> {
        let unit = |event: &DirectoryEvent| match event {
            DirectoryEvent::Location(place) if place.id == *id => Some(place.bed.unit.clone()),
            _ => None,
        };
        if let Some(known) = self.inner.record(Kind::Location, id.as_str()).await? {
            return Ok(unit(&known.event));
        }
        Ok(message.content.iter().find_map(|content| match content {
            Content::Directory(event) => unit(event),
            _ => None,
        }))
    }

    fn on(&self, device: &DeviceId) -> Option<PatientId> {
        self.api.live.device(device)?.patient.clone()
    }
}

impl FhirBackend for Scoped {
    fn now(&self) -> ReceiveTime {
        self.inner.now()
    }

    fn submit(&self, message: Message, dedup: Option<u128>) -> Reply<'_, Submitted> {
        Box::pin(async move {
            let sight = Self::sight()?;
            let mut admitted = HashSet::new();
            if !sight.unlimited() && !sight.whole_house() {
                admitted = self.may_write(&sight, &message).await?;
            }
            let submitted = self.inner.submit(message, dedup).await?;
            self.shown(&admitted).await;
            Ok(submitted)
        })
    }

    fn readings_of(&self, offset: Offset) -> Reply<'_, Vec<(u16, Stored)>> {
        // A sender is told what became of its own message.
        self.inner.readings_of(offset)
    }

    fn reading(&self, reference: ReadingRef) -> Reply<'_, Option<Stored>> {
        Box::pin(async move {
            let sight = Self::sight()?;
            let found = self.inner.reading(reference).await?;
            Ok(found.filter(|stored| sight.unlimited() || sight.sees_reading(stored)))
        })
    }

    fn readings(&self, mut query: ReadingQuery) -> Reply<'_, ReadingPage> {
        Box::pin(async move {
            let sight = Self::sight()?;
            if sight.unlimited() {
                return self.inner.readings(query).await;
            }
            query.subjects = self.subjects(&sight, query.subjects.take());
            let mut page = self.inner.readings(query).await?;
            let before = page.readings.len();
            page.readings.retain(|stored| sight.sees_reading(stored));
            page.total -= (before - page.readings.len()) as u64;
            Ok(page)
        })
    }

    fn payload(&self, offset: Offset) -> Reply<'_, Option<Vec<u8>>> {
        // Whoever has a reading may know what its sender said about it.
        self.inner.payload(offset)
    }

    fn panels(&self, anchors: Vec<Stored>) -> Reply<'_, Vec<Panel>> {
        // Whoever has the anchor sees its patient.
        self.inner.panels(anchors)
    }

    fn named(&self, name: &str) -> Reply<'_, Vec<ReadingRef>> {
        let name = name.to_owned();
        Box::pin(async move {
            let sight = Self::sight()?;
            let found = self.inner.named(&name).await?;
            if sight.unlimited() {
                return Ok(found);
            }
            let mut seen = Vec::new();
            for reference in found {
                let stored = self.inner.reading(reference).await?;
                if stored.is_some_and(|stored| sight.sees_reading(&stored)) {
                    seen.push(reference);
                }
            }
            Ok(seen)
        })
    }

    fn record(&self, kind: Kind, id: &str) -> Reply<'_, Option<Record>> {
        let id = id.to_owned();
        Box::pin(async move {
            let sight = Self::sight()?;
            let found = self.inner.record(kind, &id).await?;
            Ok(if sight.unlimited() { found } else { found.and_then(|record| sight.record(record)) })
        })
    }

    fn records(&self, kind: Kind, hint: Hint) -> Reply<'_, Vec<Record>> {
        Box::pin(async move {
            let sight = Self::sight()?;
            let found = self.inner.records(kind, hint).await?;
            if sight.unlimited() {
                return Ok(found);
            }
            Ok(found.into_iter().filter_map(|record| sight.record(record)).collect())
        })
    }

    fn same_person(&self, id: &PatientId) -> Reply<'_, Vec<PatientId>> {
        let id = id.clone();
        Box::pin(async move {
            let sight = Self::sight()?;
            if !sight.unlimited() && !sight.sees(&id, Category::Demographics) {
                return Ok(vec![id]);
            }
            self.inner.same_person(&id).await
        })
    }

    fn history(&self, kind: Kind, id: &str) -> Reply<'_, Vec<Record>> {
        let id = id.to_owned();
        Box::pin(async move {
            let sight = Self::sight()?;
            let found = self.inner.history(kind, &id).await?;
            if sight.unlimited() {
                return Ok(found);
            }
            // An encounter that was somebody else's once is not shown as it was then.
            Ok(found.into_iter().filter_map(|record| sight.record(record)).collect())
        })
    }
}
