//! Models of one outcome beside each other, on the same patients at the same moments; and beside published scores.

use std::collections::{BTreeMap, HashMap};

use burden::{Share, share, warnings};
use serde::{Deserialize, Serialize};
use store::{Read, SeriesFilter, Span, StoreError};
use vitals::metric::code;
use vitals::time::{DAY, HOUR};
use vitals::{MetricCode, ModelRole, PatientId};

use super::events::Events;
use super::figures::{CurvePoint, Ranged, Settled};
use super::{EventKind, Watched};
use crate::{Asked, House};

/// Predictions of each model that are looked at, the newest.
const LOOKED_MAX: u64 = 100_000;
/// Moments whose outcome is looked up, the newest.
const SETTLED_MAX: usize = 3_000;
/// What came is looked up so long after it could have come.
const TOLD_LATE: i64 = DAY;
/// Whoever is above a threshold is told of once in this time.
const TOLD_EVERY: i64 = DAY;
/// Published scores and from where on they ask for somebody.
const SCORES: [(MetricCode, f64); 3] = [(code::NEWS2, 5.0), (code::MEWS, 5.0), (code::QSOFA, 2.0)];
/// A score stands for so long.
const SCORE_STANDS: i64 = 6 * HOUR;

/// Models of one outcome beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelComparison))]
pub struct Comparison {
    /// What is predicted, in words.
    pub outcome: String,
    /// Hours within which it must come.
    pub horizon_h: f32,
    /// First time, in milliseconds since 1970, by when predictions were made.
    pub from_ms: i64,
    /// First time after.
    pub to_ms: i64,
    /// What counts as the event, in words; empty: nothing is known of it here.
    pub events_words: Vec<String>,
    /// Patients.
    pub patients: u64,
    /// Moments at which every model was asked.
    pub moments: u64,
    /// Days that patients were watched over by them.
    pub bed_days: f64,
    /// Moments whose outcome is known, one a patient and horizon, at which every model judged.
    pub settled: u64,
    /// Events that came after those.
    pub observed: u64,
    /// Whether there was more than is looked at: it is the newest.
    pub cut: bool,
    /// The models, the champion first.
    pub models: Vec<Compared>,
    /// What each other model would change in the first one's place.
    pub changes: Vec<Change>,
}

/// A model, or a published score, on those moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelCompared))]
pub struct Compared {
    /// The model; of a score its name.
    pub model: String,
    /// Its version; empty for a score.
    pub version: String,
    /// What people call it.
    pub title: String,
    /// `champion`, `shadow`, `score`.
    pub role: String,
    /// Moments at which it judged.
    pub judged: u64,
    /// Moments at which it did not.
    pub abstained: u64,
    /// Mean risk; none for a score.
    pub mean_risk: Option<f64>,
    /// From where on it is an alert.
    pub threshold: f64,
    /// Alerts: times that it reached the threshold, at most one a day and patient.
    pub alerts: u64,
    /// The same a bed-day.
    pub alerts_per_bed_day: Option<f64>,
    /// Events that were to be expected after the moments whose outcome is known; none for a score.
    pub expected: Option<f64>,
    /// Events observed to events expected.
    pub ratio: Option<Ranged>,
    /// AUROC; none where there are too few events.
    pub auroc: Option<Ranged>,
    /// What was said and what came.
    pub curve: Vec<CurvePoint>,
}

/// What a model would change in the first one's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelChange))]
pub struct Change {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Moments of the same class, of those that both judged.
    pub agree: Share,
    /// Moments raised by both.
    pub both: u64,
    /// Raised by the first alone: no longer raised.
    pub no_longer: u64,
    /// Raised by this one alone: newly raised.
    pub newly: u64,
    /// Of those no longer raised whose outcome is known, after how many the event came.
    pub no_longer_right: Share,
    /// Of those newly raised whose outcome is known, after how many the event came.
    pub newly_right: Share,
    /// Alerts a bed-day more, or fewer.
    pub alerts_per_bed_day: Option<f64>,
}

/// What a model said at a moment.
#[derive(Debug, Clone, Copy)]
struct Said {
    class: u8,
    probability: Option<f64>,
}

const HIGH: u8 = 2;

fn class(name: &str) -> u8 {
    match name {
        "low" => 0,
        "unsure" => 1,
        "high" => HIGH,
        _ => u8::MAX,
    }
}

type Moment = (PatientId, i64);

/// Every moment at which all models were asked, in order of patient and time, with what each said.
struct Table {
    rows: Vec<(Moment, Vec<Said>)>,
    cut: bool,
}

impl Table {
    fn read(store: &dyn Read, models: &[&Watched], asked: &Asked) -> Result<Self, StoreError> {
        let mut said: BTreeMap<Moment, Vec<Said>> = BTreeMap::new();
        let mut cut = false;
        for (number, watched) in models.iter().enumerate() {
            let span = Span { from: Some(asked.from), to: Some(asked.to) };
            let rows = store.risks(watched.name(), span, LOOKED_MAX)?;
            cut |= rows.len() as u64 == LOOKED_MAX;
            for row in rows {
                let one = Said { class: class(&row.class), probability: row.probability };
                let moment = said.entry((row.patient, row.at.0)).or_default();
                // Whoever was not asked before is left out.
                if moment.len() == number {
                    moment.push(one);
                }
            }
        }
        let rows = said.into_iter().filter(|(_, said)| said.len() == models.len()).collect();
        Ok(Self { rows, cut })
    }

    fn patients(&self) -> u64 {
        let mut patients: Vec<&PatientId> = self.rows.iter().map(|((patient, _), _)| patient).collect();
        patients.dedup();
        patients.len() as u64
    }

    /// Different hours of patients, in days.
    fn bed_days(&self) -> f64 {
        let mut hours: Vec<(&PatientId, i64)> =
            self.rows.iter().map(|((patient, at), _)| (patient, at.div_euclid(HOUR))).collect();
        hours.dedup();
        hours.len() as f64 / 24.0
    }

    /// The rows of each patient.
    fn by_patient(&self) -> impl Iterator<Item = &[(Moment, Vec<Said>)]> {
        self.rows.chunk_by(|a, b| a.0.0 == b.0.0)
    }

    /// Of each patient the moments that all judged, a horizon apart, whose horizon is over; newest last.
    fn chosen(&self, horizon: i64, now: i64) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut last: Option<&Moment> = None;
        for (number, (moment, said)) in self.rows.iter().enumerate() {
            let again = last.is_some_and(|last| last.0 == moment.0 && moment.1 - last.1 < horizon);
            let over = moment.1.saturating_add(horizon).saturating_add(TOLD_LATE) <= now;
            if !again && over && said.iter().all(|said| said.probability.is_some()) {
                chosen.push(number);
                last = Some(moment);
            }
        }
        chosen
    }
}

/// What came after which rows of a table.
struct Known {
    rows: Vec<usize>,
    settled: Settled,
    cut: bool,
}

impl Known {
    fn look_up(store: &dyn Read, house: &House, table: &Table, first: &Watched, now: i64) -> Result<Self, StoreError> {
        let mut known = Self { rows: Vec::new(), settled: Settled::default(), cut: false };
        if first.events.is_empty() {
            return Ok(known);
        }
        let events = Events::new(store, house)?;
        let mut chosen = table.chosen(first.horizon_us(), now);
        if chosen.len() > SETTLED_MAX {
            chosen.sort_by_key(|row| std::cmp::Reverse(table.rows[*row].0.1));
            chosen.truncate(SETTLED_MAX);
            chosen.sort_unstable();
            known.cut = true;
        }
        let mut patient: Option<(&PatientId, usize)> = None;
        for row in chosen {
            let (who, at) = &table.rows[row].0;
            let span = (*at, at.saturating_add(first.horizon_us()));
            let Some(came) = events.came(who, span, &first.events)? else { continue };
            let number = match patient {
                Some((last, number)) if last == who => number,
                Some((_, number)) => number + 1,
                None => 0,
            };
            patient = Some((who, number));
            known.rows.push(row);
            known.settled.patients.push(number);
            known.settled.events.push(came);
        }
        Ok(known)
    }
}

/// Compares these models, the champion first, by what counts as the first one's event.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub(super) fn compare(
    store: &dyn Read,
    house: &House,
    models: &[&Watched],
    asked: &Asked,
) -> Result<Option<Comparison>, StoreError> {
    let Some(first) = models.first() else { return Ok(None) };
    let table = Table::read(store, models, asked)?;
    let known = Known::look_up(store, house, &table, first, asked.now)?;
    let bed_days = table.bed_days();
    let mut compared: Vec<Compared> =
        models.iter().enumerate().map(|(number, watched)| of_model(watched, number, &table, &known, bed_days)).collect();
    let changes = (1..models.len()).map(|number| change((number, models[number]), &table, &known, &compared)).collect();
    compared.extend(of_scores(store, &table, &known, bed_days)?);
    Ok(Some(Comparison {
        outcome: first.model.outcome().words.clone(),
        horizon_h: first.model.horizon_h(),
        from_ms: asked.from / 1_000,
        to_ms: asked.to / 1_000,
        events_words: first.events.iter().map(EventKind::words).collect(),
        patients: table.patients(),
        moments: table.rows.len() as u64,
        bed_days,
        settled: known.rows.len() as u64,
        observed: known.settled.observed() as u64,
        cut: table.cut || known.cut,
        models: compared,
        changes,
    }))
}

fn per_day(alerts: u64, bed_days: f64) -> Option<f64> {
    (bed_days > 0.0).then(|| alerts as f64 / bed_days)
}

fn of_model(watched: &Watched, number: usize, table: &Table, known: &Known, bed_days: f64) -> Compared {
    let risks: Vec<f64> = table.rows.iter().filter_map(|(_, said)| said[number].probability).collect();
    let threshold = watched.model.threshold("alert").unwrap_or(watched.model.doubt().none_up_to);
    let alerts = table.by_patient().map(|rows| {
        let points: Vec<(i64, f64)> =
            rows.iter().filter_map(|((_, at), said)| Some((*at, said[number].probability?))).collect();
        warnings(&points, f64::from(threshold), TOLD_EVERY).len() as u64
    });
    let alerts = alerts.sum();
    let settled: Vec<f64> =
        known.rows.iter().map(|row| table.rows[*row].1[number].probability.unwrap_or(0.0)).collect();
    let some = !settled.is_empty();
    Compared {
        model: watched.model.id().to_owned(),
        version: watched.model.version().to_owned(),
        title: watched.model.title().to_owned(),
        role: watched.role.name().to_owned(),
        judged: risks.len() as u64,
        abstained: (table.rows.len() - risks.len()) as u64,
        mean_risk: (!risks.is_empty()).then(|| risks.iter().sum::<f64>() / risks.len() as f64),
        threshold: f64::from(threshold),
        alerts,
        alerts_per_bed_day: per_day(alerts, bed_days),
        expected: some.then(|| settled.iter().sum()),
        ratio: known.settled.ratio(&settled),
        auroc: known.settled.auroc(&settled),
        curve: known.settled.curve(&settled),
    }
}

fn change((number, watched): (usize, &Watched), table: &Table, known: &Known, compared: &[Compared]) -> Change {
    let event: HashMap<usize, bool> =
        known.rows.iter().copied().zip(known.settled.events.iter().copied()).collect();
    let (mut same, mut judged, mut both, mut no_longer, mut newly) = (0, 0, 0, 0, 0);
    let (mut lost, mut gained) = ([0, 0], [0, 0]);
    for (row, (_, said)) in table.rows.iter().enumerate() {
        let (first, other) = (said[0], said[number]);
        if first.probability.is_some() && other.probability.is_some() {
            judged += 1;
            same += u64::from(first.class == other.class);
        }
        let tally = match (first.class == HIGH, other.class == HIGH) {
            (true, true) => {
                both += 1;
                continue;
            }
            (true, false) => {
                no_longer += 1;
                &mut lost
            }
            (false, true) => {
                newly += 1;
                &mut gained
            }
            (false, false) => continue,
        };
        if let Some(came) = event.get(&row) {
            tally[0] += u64::from(*came);
            tally[1] += 1;
        }
    }
    let rate = |number: usize| compared.get(number).and_then(|one| one.alerts_per_bed_day);
    Change {
        model: watched.model.id().to_owned(),
        version: watched.model.version().to_owned(),
        agree: share(same, judged),
        both,
        no_longer,
        newly,
        no_longer_right: share(lost[0], lost[1]),
        newly_right: share(gained[0], gained[1]),
        alerts_per_bed_day: rate(number).zip(rate(0)).map(|(there, here)| there - here),
    }
}

/// Published scores of the same patients: the newest value of the last hours at each moment.
fn of_scores(
    store: &dyn Read,
    table: &Table,
    known: &Known,
    bed_days: f64,
) -> Result<Vec<Compared>, StoreError> {
    let mut told = Vec::new();
    for (metric, least) in SCORES {
        let found = store.series(&SeriesFilter { metrics: vec![metric], ..SeriesFilter::default() })?;
        let series: HashMap<String, _> =
            found.into_iter().filter_map(|one| Some((one.key.subject.as_ref()?.to_string(), one.id))).collect();
        let mut values: Vec<Option<f64>> = Vec::with_capacity(table.rows.len());
        let mut alerts = 0;
        for rows in table.by_patient() {
            let (begin, end) = (rows[0].0.1 - SCORE_STANDS, rows[rows.len() - 1].0.1);
            let points = match series.get(rows[0].0.0.as_str()) {
                Some(id) => store.points(*id, Span { from: Some(begin), to: Some(end + 1) })?,
                None => Vec::new(),
            };
            let points: Vec<(i64, f64)> = points.iter().map(|point| (point.time.0, point.value)).collect();
            alerts += warnings(&points, least, TOLD_EVERY).len() as u64;
            values.extend(rows.iter().map(|((_, at), _)| {
                let next = points.partition_point(|(time, _)| time <= at);
                let (time, value) = points.get(next.checked_sub(1)?)?;
                (at - time <= SCORE_STANDS).then_some(*value)
            }));
        }
        let judged = values.iter().flatten().count();
        if judged == 0 {
            continue;
        }
        told.push(Compared {
            model: metric.refid(),
            version: String::new(),
            title: metric.metric().map_or_else(String::new, |metric| metric.label.to_owned()),
            role: "score".to_owned(),
            judged: judged as u64,
            abstained: (values.len() - judged) as u64,
            mean_risk: None,
            threshold: least,
            alerts,
            alerts_per_bed_day: per_day(alerts, bed_days),
            expected: None,
            ratio: None,
            auroc: score_auroc(&values, known),
            curve: Vec::new(),
        });
    }
    Ok(told)
}

/// On those moments that the score is known of.
fn score_auroc(values: &[Option<f64>], known: &Known) -> Option<Ranged> {
    let (mut settled, mut scores) = (Settled::default(), Vec::new());
    for ((row, patient), event) in known.rows.iter().zip(&known.settled.patients).zip(&known.settled.events) {
        if let Some(value) = values.get(*row).copied().flatten() {
            settled.patients.push(*patient);
            settled.events.push(*event);
            scores.push(value);
        }
    }
    settled.auroc(&scores)
}

/// The models that are compared when one is asked for: those of the same outcome, or of the same family (the first word of
/// their ids: `sepsis-ahead` is beside `sepsis`), champions first, and the one that was asked for first of its role.
pub(super) fn beside<'a>(watched: &'a [Watched], id: &str) -> Vec<&'a Watched> {
    let Some(asked) = watched.iter().find(|one| one.model.id() == id) else { return Vec::new() };
    let like = |one: &&Watched| {
        one.model.outcome().words == asked.model.outcome().words || family(one.model.id()) == family(id)
    };
    let mut models: Vec<&Watched> = watched.iter().filter(like).collect();
    models.sort_by_key(|one| (one.role != ModelRole::Champion, one.model.id() != id));
    models
}

fn family(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}
