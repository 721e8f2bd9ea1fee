//! What really came, as far as the program knows: of one patient within a stretch of time.

use std::fmt;
use std::str::FromStr;

use burden::{Real, RealKind};
use predict::Variable;
use serde::{Deserialize, Serialize};
use store::{AlertQuery, DirectoryQuery, DocumentQuery, Page, PatientRow, Read, SeriesFilter, Span, StoreError};
use training::cohort::{Fate, Stay, Value};
use training::outcome::Task;
use vitals::time::{HOUR, MINUTE};
use vitals::{PatientId, Quality};

use crate::places::{Places, lay};
use crate::scores::{died_of, judged, moved};
use crate::House;

/// Hours before a judgement that are looked at for whether decline had begun already.
const BEFORE_H: i64 = 6;
/// Records of one patient that are looked at.
const LOOKED_MAX: u64 = 1_000;
/// What kind of document a care pathway of a patient is.
const PATHWAYS: &str = "vitalwire-pathway";

/// What counts as the event that a model predicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The record says that the patient died, as of when it said so first.
    Death,
    /// A move from another unit to one of higher care.
    HigherCare,
    /// An alarm of asystole or ventricular fibrillation that somebody judged actionable.
    Arrest,
    /// Any other alert that somebody judged actionable.
    Actionable,
    /// Vital signs went beyond the limits of decline in two measured hours running, as models of deterioration learned it.
    Decline,
    /// Somebody began to follow this care pathway.
    Pathway(String),
}

impl EventKind {
    /// What counts if the configuration says nothing: what the program knows as the model's own definition has it. Of
    /// sepsis it knows nothing, so nothing does.
    #[must_use]
    pub fn usual(model: &str) -> Vec<Self> {
        match model.split('-').next() {
            Some("mortality") => vec![Self::Death],
            Some("deterioration") => vec![Self::Decline],
            _ => Vec::new(),
        }
    }

    /// As people say it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Death => "death in the record".to_owned(),
            Self::HigherCare => "a move to higher care".to_owned(),
            Self::Arrest => "an alarm of an arrest that was judged actionable".to_owned(),
            Self::Actionable => "an alert that was judged actionable".to_owned(),
            Self::Decline => "vital signs beyond the limits of decline for two hours".to_owned(),
            Self::Pathway(id) => format!("the care pathway {id} was begun"),
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Death => out.write_str("death"),
            Self::HigherCare => out.write_str("higher-care"),
            Self::Arrest => out.write_str("arrest"),
            Self::Actionable => out.write_str("actionable"),
            Self::Decline => out.write_str("decline"),
            Self::Pathway(id) => write!(out, "pathway:{id}"),
        }
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "death" => Self::Death,
            "higher-care" => Self::HigherCare,
            "arrest" => Self::Arrest,
            "actionable" => Self::Actionable,
            "decline" => Self::Decline,
            _ => match text.strip_prefix("pathway:").filter(|id| !id.is_empty()) {
                Some(id) => Self::Pathway(id.to_owned()),
                None => return Err("an event is death, higher-care, arrest, actionable, decline or pathway:ID".to_owned()),
            },
        })
    }
}

impl Serialize for EventKind {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Looks up what came.
pub(super) struct Events<'a> {
    store: &'a dyn Read,
    house: &'a House,
    places: Places,
}

impl<'a> Events<'a> {
    pub(super) fn new(store: &'a dyn Read, house: &'a House) -> Result<Self, StoreError> {
        Ok(Self { store, house, places: Places::read(store)? })
    }

    /// Whether one of these came to a patient after `from` and up to `to`. None where it cannot be asked: the patient was
    /// in decline already and nothing else came, or was erased.
    pub(super) fn came(
        &self,
        patient: &PatientId,
        (from, to): (i64, i64),
        kinds: &[EventKind],
    ) -> Result<Option<bool>, StoreError> {
        let Some(record) = self.record(patient)? else { return Ok(None) };
        let mut asked = false;
        for kind in kinds {
            match self.one(&record, (from, to), kind)? {
                Some(true) => return Ok(Some(true)),
                Some(false) => asked = true,
                None => {}
            }
        }
        Ok(asked.then_some(false))
    }

    fn one(&self, record: &PatientRow, (from, to): (i64, i64), kind: &EventKind) -> Result<Option<bool>, StoreError> {
        let patient = &record.patient.id;
        let within = |at: i64| from < at && at <= to;
        let any = |real: Vec<Real>, kind: RealKind| Some(real.iter().any(|one| one.kind == kind && within(one.at)));
        Ok(match kind {
            EventKind::Death if !record.patient.deceased => Some(false),
            EventKind::Death => Some(within(died_of(self.store, patient)?.unwrap_or(record.updated.0))),
            EventKind::HigherCare => {
                let stays = lay(self.store, &self.places, patient)?;
                any(moved(&stays, self.house, (from, to.saturating_add(1))), RealKind::HigherCare)
            }
            EventKind::Arrest => any(self.judged(patient, (from, to))?, RealKind::Arrest),
            EventKind::Actionable => any(self.judged(patient, (from, to))?, RealKind::Actionable),
            EventKind::Decline => self.declined(patient, (from, to))?,
            EventKind::Pathway(id) => Some(self.began(patient, id)?.into_iter().any(within)),
        })
    }

    /// A patient's record, or the one that it lives on as; none if there is none any more.
    fn record(&self, patient: &PatientId) -> Result<Option<PatientRow>, StoreError> {
        let find = |id: &PatientId| {
            let ids = vec![id.to_string()];
            let query = DirectoryQuery { ids, page: Page { skip: 0, limit: 1 }, ..DirectoryQuery::default() };
            Ok(self.store.patients(&query)?.rows.pop())
        };
        match find(patient)? {
            Some(PatientRow { merged_into: Some(other), .. }) => find(&other),
            found => Ok(found),
        }
    }

    fn judged(&self, patient: &PatientId, (from, to): (i64, i64)) -> Result<Vec<Real>, StoreError> {
        let query = AlertQuery {
            patient: Some(patient.clone()),
            raised: Span { from: Some(from), to: Some(to.saturating_add(1)) },
            page: Page { skip: 0, limit: LOOKED_MAX },
            ..AlertQuery::default()
        };
        judged(self.store, &query)
    }

    /// When somebody began to follow a pathway.
    fn began(&self, patient: &PatientId, id: &str) -> Result<Vec<i64>, StoreError> {
        let query = DocumentQuery {
            kind: PATHWAYS.to_owned(),
            tokens: vec![("patient".to_owned(), patient.to_string())],
            page: Page { skip: 0, limit: LOOKED_MAX },
            ..DocumentQuery::default()
        };
        let rows = self.store.documents(&query)?.rows.into_iter();
        let begun = rows.filter_map(|row| {
            let body: serde_json::Value = serde_json::from_slice(&row.body).ok()?;
            let offer = &body["offer"];
            (offer["pathway"] == id).then(|| offer["started_at"].as_i64())?
        });
        Ok(begun.collect())
    }

    /// Whether decline began after `from` and up to `to`; none if it had begun before.
    fn declined(&self, patient: &PatientId, (from, to): (i64, i64)) -> Result<Option<bool>, StoreError> {
        let begin = from.saturating_sub(BEFORE_H * HOUR);
        let hours = u32::try_from((to - begin) / HOUR).unwrap_or(0);
        let stay = Stay {
            id: String::new(),
            source: 0,
            person: predict::Person::UNKNOWN,
            values: hourly(self.store, patient, (begin, to))?,
            moments: (0..=hours).map(|hour| hour * 60).collect(),
            fate: Fate::Sepsis(vec![false; hours as usize + 1]),
        };
        let now = BEFORE_H as usize;
        let asked = Task::Deterioration.lessons(&stay).and_then(|lessons| lessons.get(now)?.event);
        Ok(asked.map(|_| Task::Deterioration.event(&stay).is_some_and(|event| event > now)))
    }
}

/// Means of hours of what decline is judged by, as models are given it.
fn hourly(store: &dyn Read, patient: &PatientId, (begin, end): (i64, i64)) -> Result<Vec<Value>, StoreError> {
    let filter = SeriesFilter { subjects: vec![patient.clone()], ..SeriesFilter::default() };
    let mut sums: std::collections::BTreeMap<(u32, Variable), (f64, u32)> = std::collections::BTreeMap::new();
    for series in store.series(&filter)? {
        let Some(variable) = Variable::of(series.key.metric).filter(|one| one.kind() == predict::Kind::Vital) else { continue };
        let (low, high) = variable.plausible();
        for point in store.points(series.id, Span { from: Some(begin), to: Some(end.saturating_add(1)) })? {
            let value = point.value as f32;
            if point.quality.intersects(Quality::DOUBTFUL) || !(low..=high).contains(&value) {
                continue;
            }
            let hour = u32::try_from((point.time.0 - begin) / HOUR).unwrap_or(0);
            let sum = sums.entry((hour, variable)).or_default();
            *sum = (sum.0 + point.value, sum.1 + 1);
        }
    }
    let minutes = (HOUR / MINUTE) as u32;
    let mean = |((hour, variable), (sum, count)): (&(u32, Variable), &(f64, u32))| Value {
        minute: hour * minutes,
        variable: *variable,
        value: (sum / f64::from(*count)) as f32,
    };
    Ok(sums.iter().map(mean).collect())
}
