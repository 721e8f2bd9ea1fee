//! Predictive models at the bedside: what is known of a patient's stay is kept hour by hour, models judge
//! it at most once a minute of the patient's clock, and what they say is recorded with all that it was said
//! from once an hour, and whenever it changes its class.
//!
//! Nothing here looks ahead: a value counts from when it is here on. What an edge held back for long is
//! part of the history and is judged with what comes next. What a model says asks nobody for anything: it
//! is shown, rules may use it like a score (`VW_RISK_SEPSIS >= 0.2`), and people decide (AL-5).

mod record;

use std::sync::Arc;

use alert::worklist::Risk;
use predict::{History, Model, Person, Scratch, Variable};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use vitals::metric::code;
use vitals::time::{HOUR, MINUTE};
use vitals::{EffectiveTime, MetricCode, ModelInUse, ModelRole, PatientId, PredictionId, ReadingRef, Sex};

use crate::effect::Effect;
use crate::patient::PatientState;
use crate::{Engine, Step};

pub use record::{Cause, PredictionRecord, RiskClass, Foretold};

/// A patient is judged again after this long, if something came.
const JUDGED_EVERY: i64 = MINUTE;
/// What models say is recorded this often.
const RECORDED_EVERY: i64 = HOUR;
/// A point of the trend stands for this long …
const TREND_EVERY: i64 = 10 * MINUTE;
/// … and so many are kept: twelve hours.
const TREND_POINTS: usize = 72;
/// A risk may be used by rules, and is shown as the present one, for this long.
pub const RISK_STANDS: i64 = 2 * HOUR;

/// Every model that there is to judge with, by id and version: the journal says which of them do. Cheap to
/// clone.
#[derive(Clone, Default)]
pub struct Models(Arc<Vec<Arc<Model>>>);

impl Models {
    /// These models.
    #[must_use]
    pub fn new(models: Vec<Arc<Model>>) -> Self {
        Self(Arc::new(models))
    }

    /// Every model.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.0.iter()
    }

    /// A model in this very version.
    #[must_use]
    pub fn find(&self, id: &str, version: &str) -> Option<&Arc<Model>> {
        self.iter().find(|model| model.id() == id && model.version() == version)
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|model| (model.id(), model.version()))).finish()
    }
}

/// A model that judges, and what it is here.
pub(crate) struct Placed {
    model: Arc<Model>,
    role: ModelRole,
}

impl Placed {
    fn is(&self, id: &str, version: &str) -> bool {
        self.model.id() == id && self.model.version() == version
    }
}

/// Which models judge.
#[derive(Default)]
pub(crate) struct Judges {
    library: Models,
    pub(crate) in_use: Vec<ModelInUse>,
    /// Those of them that there are.
    placed: Arc<Vec<Placed>>,
    /// Room in which they judge.
    scratch: Scratch,
}

impl Judges {
    /// Whether nothing is to be kept for any.
    pub(crate) fn none(&self) -> bool {
        self.in_use.is_empty()
    }

    /// A model in this very version.
    pub(crate) fn find(&self, id: &str, version: &str) -> Option<&Arc<Model>> {
        self.library.find(id, version)
    }

    /// Looks for the models in use anew.
    pub(crate) fn settle(&mut self) {
        let found = self.in_use.iter().filter_map(|used| {
            let model = Arc::clone(self.library.find(&used.id, &used.version)?);
            Some(Placed { model, role: used.role })
        });
        self.placed = Arc::new(found.collect());
    }
}

/// The metric under which a model's risk is kept; none for one that has no metric.
#[must_use]
pub fn risk_metric(model: &str) -> Option<MetricCode> {
    known(model).map(|known| known.metric)
}

/// What a model's risk is here.
struct Known {
    /// The metric that it is kept under.
    metric: MetricCode,
    /// Of what, as one says it in a sentence.
    of: &'static str,
    /// Models of one kind tell the same event in different ways.
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sepsis,
    Deterioration,
    Death,
}

/// A model by its id; none for one whose risk has no metric.
fn known(model: &str) -> Option<Known> {
    let (metric, of, kind) = match model {
        "sepsis" => (code::RISK_SEPSIS, "sepsis", Kind::Sepsis),
        "sepsis-ahead" => (code::RISK_SEPSIS_AHEAD, "sepsis in 6 to 24 hours", Kind::Sepsis),
        "deterioration" => (code::RISK_DETERIORATION, "deterioration", Kind::Deterioration),
        "deterioration-vitals" => (code::RISK_DETERIORATION_VITALS, "deterioration, by vital signs", Kind::Deterioration),
        "mortality-48h" => (code::RISK_MORTALITY, "death in hospital", Kind::Death),
        _ => return None,
    };
    Some(Known { metric, of, kind })
}

/// What is known of a patient's stay, and what models said last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Foresight {
    history: Option<Box<History>>,
    /// Whether something came since it was judged.
    fresh: bool,
    judged_at: i64,
    recorded_at: i64,
    /// What each model said last, in the models' order.
    pub said: Vec<LastSaid>,
}

/// What one model said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastSaid {
    /// Which model.
    pub model: String,
    /// Which version of it.
    pub version: String,
    /// What it is here.
    pub role: ModelRole,
    /// When it judged last, on the patient's clock.
    pub at: i64,
    /// What it said.
    pub said: Foretold,
    /// Why, most important first.
    pub because: Vec<String>,
    /// What is to be known of its inputs.
    pub warnings: Vec<String>,
    /// `(patient's clock in microseconds, probability)`, oldest first.
    pub trend: Vec<(i64, f32)>,
    /// The latest reading of the risk's own series.
    pub reading: Option<ReadingRef>,
    /// The latest prediction that was recorded.
    pub recorded: Option<PredictionId>,
}

impl Foresight {
    /// Takes in a value that may be believed, in its metric's unit. The stay began at `began`, or with the
    /// first value, if that came before.
    pub(crate) fn note(&mut self, variable: Variable, time: i64, value: f64, began: i64) {
        let history = self.history.get_or_insert_with(|| {
            Box::new(History::new(Person::UNKNOWN, began.min(time)))
        });
        self.fresh |= history.observe(variable, time, value as f32);
    }

    /// The risk that rules may use: of the champion whose metric it is.
    pub(crate) fn term(&self, metric: MetricCode, now: i64) -> Option<f64> {
        let last = self.of(metric).filter(|last| now.saturating_sub(last.at) < RISK_STANDS)?;
        last.said.probability().map(f64::from)
    }

    /// `Sepsis risk 0.41 (low 0.31, high 0.52): respiratory rate rising 18→26 over 5 h`, with its reading.
    pub(crate) fn describe(&self, metric: MetricCode, readings: &mut Vec<ReadingRef>) -> Option<String> {
        let last = self.of(metric)?;
        let Foretold::Risk { probability, low, high, .. } = last.said else { return None };
        readings.extend(last.reading);
        let name = metric.metric().map_or("Risk", |row| row.label);
        let why: Vec<&str> = last.because.iter().take(3).map(String::as_str).collect();
        Some(format!("{name} {probability:.2} ({low:.2} to {high:.2}): {}", why.join("; ")))
    }

    /// The champions' risks that stand, with what moved each most: of models that tell the same event in different ways
    /// the greatest, so that it counts once.
    pub(crate) fn risks(&self, now: i64) -> SmallVec<[Risk<'_>; 4]> {
        let stands = |last: &&LastSaid| last.role == ModelRole::Champion && now.saturating_sub(last.at) < RISK_STANDS;
        let mut kinds: SmallVec<[Kind; 4]> = SmallVec::new();
        let mut risks: SmallVec<[Risk<'_>; 4]> = SmallVec::new();
        for last in self.said.iter().filter(stands) {
            let (Some(known), Some(probability)) = (known(&last.model), last.said.probability()) else { continue };
            let why = last.because.first().map(String::as_str);
            let risk = Risk { of: known.of, probability: f64::from(probability), why };
            match kinds.iter().position(|kind| *kind == known.kind) {
                Some(at) if risks[at].probability < risk.probability => risks[at] = risk,
                Some(_) => {}
                None => {
                    kinds.push(known.kind);
                    risks.push(risk);
                }
            }
        }
        risks
    }

    fn of(&self, metric: MetricCode) -> Option<&LastSaid> {
        let mut champions = self.said.iter().filter(|last| last.role == ModelRole::Champion);
        champions.find(|last| risk_metric(&last.model) == Some(metric))
    }

    fn due(&self, now: i64) -> bool {
        self.fresh && now.saturating_sub(self.judged_at) >= JUDGED_EVERY
    }

    /// Notes what a model says now; gives what is to be kept of it: as a value, as a record.
    fn take(&mut self, placed: &Placed, prediction: &predict::Prediction, now: i64, hour: bool) -> (bool, bool) {
        let (id, version) = (placed.model.id(), placed.model.version());
        let before = self.said.iter().position(|last| placed.is(&last.model, &last.version));
        let old = before.map(|at| self.said.remove(at));
        let said = record::said(prediction);
        let changed = old.as_ref().is_none_or(|old| old.said.class() != said.class());
        let mut trend = old.as_ref().map(|old| old.trend.clone()).unwrap_or_default();
        let mut keep = false;
        if let Some(probability) = said.probability() {
            let due = trend.last().is_none_or(|(time, _)| now.saturating_sub(*time) >= TREND_EVERY);
            keep = due || changed;
            if keep {
                if trend.len() == TREND_POINTS {
                    trend.remove(0);
                }
                trend.push((now, probability));
            }
        }
        self.said.push(LastSaid {
            model: id.to_owned(),
            version: version.to_owned(),
            role: placed.role,
            at: now,
            said,
            because: record::causes(prediction).into_iter().map(|cause| cause.text).collect(),
            warnings: prediction.warnings.iter().map(ToString::to_string).collect(),
            trend,
            reading: old.as_ref().and_then(|old| old.reading),
            recorded: old.and_then(|old| old.recorded),
        });
        (keep && placed.role == ModelRole::Champion, changed || hour)
    }
}

impl Engine {
    /// What models there are. Which of them judge, the journal says.
    pub fn set_models(&mut self, library: Models) {
        self.judges.library = library;
        self.judges.settle();
    }

    /// The models in use, by what the journal says.
    #[must_use]
    pub fn models_in_use(&self) -> &[ModelInUse] {
        &self.judges.in_use
    }

    /// Lets these models judge from here on.
    pub(crate) fn use_models(&mut self, models: &[ModelInUse], out: &mut Vec<Effect>) {
        self.judges.in_use = models.to_vec();
        self.judges.settle();
        // Without its file a model says nothing; whoever runs the program is told.
        for _ in self.judges.placed.len()..models.len() {
            out.push(Effect::Counted("model-missing"));
        }
        self.touch_directory();
    }

    fn person(&self, id: &PatientId) -> Person {
        let male = match self.directory.patient(id).map(|patient| patient.sex) {
            Some(Sex::Male) => 1.0,
            Some(Sex::Female) => 0.0,
            _ => f32::NAN,
        };
        let age = self.age_of(id).map_or(f32::NAN, |age| age as f32);
        Person { age, male, ..Person::UNKNOWN }
    }

    /// Lets the models judge a patient, if it is time.
    pub(crate) fn foresee(&mut self, id: &PatientId, cx: &mut Step, out: &mut Vec<Effect>) {
        let due = |patient: &PatientState| patient.foresight.due(patient.clock);
        if self.judges.none() || !self.patients.get(id).is_some_and(|patient| due(patient)) {
            return;
        }
        let (models, person) = (Arc::clone(&self.judges.placed), self.person(id));
        let Some(patient) = self.patients.get_mut(id) else { return };
        let now = patient.clock;
        let Some(mut history) = patient.foresight.history.take() else { return };
        history.person = person;
        history.advance(now);
        let hour = now.saturating_sub(patient.foresight.recorded_at) >= RECORDED_EVERY;
        let mut told = Vec::new();
        for placed in models.iter() {
            let prediction = placed.model.predict(&history, &mut self.judges.scratch);
            let (keep, record) = patient.foresight.take(placed, &prediction, now, hour);
            told.push((placed, prediction, keep, record));
        }
        let foresight = &mut patient.foresight;
        foresight.history = Some(history);
        (foresight.fresh, foresight.judged_at) = (false, now);
        if hour {
            foresight.recorded_at = now;
        }
        // A model that judges no more has said nothing.
        let judges = |last: &LastSaid, placed: &Placed| placed.is(&last.model, &last.version);
        foresight.said.retain(|last| models.iter().any(|placed| judges(last, placed)));
        for (placed, prediction, keep, record) in told {
            let (model, probability) = (placed.model.id(), record::said(&prediction).probability());
            if let (true, Some(metric), Some(probability)) = (keep, risk_metric(model), probability) {
                let reading = self.keep_value(id, metric, f64::from(probability), cx, out);
                self.last_said(id, placed, |last| last.reading = Some(reading));
            }
            if record {
                self.record_prediction(id, placed, prediction, cx, out);
            }
        }
    }

    fn last_said(&mut self, id: &PatientId, placed: &Placed, change: impl FnOnce(&mut LastSaid)) {
        let Some(patient) = self.patients.get_mut(id) else { return };
        let mut said = patient.foresight.said.iter_mut();
        if let Some(last) = said.find(|last| placed.is(&last.model, &last.version)) {
            change(last);
        }
    }

    /// Keeps what a model said, with all that it was said from.
    fn record_prediction(
        &mut self,
        id: &PatientId,
        placed: &Placed,
        prediction: predict::Prediction,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let name = PredictionId { offset: cx.offset, index: cx.next_prediction };
        cx.next_prediction = cx.next_prediction.saturating_add(1);
        let Some(patient) = self.patients.get(id) else { return };
        let believed = patient.values.iter().filter(|current| Variable::of(current.metric).is_some());
        let basis = believed.filter_map(|current| Some((current.metric, current.believed()?.reading)));
        out.push(Effect::Predicted(Box::new(PredictionRecord {
            id: name,
            patient: id.clone(),
            model: placed.model.id().to_owned(),
            version: placed.model.version().to_owned(),
            title: placed.model.title().to_owned(),
            outcome: placed.model.outcome().words.clone(),
            horizon_h: f64::from(placed.model.horizon_h()),
            role: placed.role,
            at: EffectiveTime(patient.clock),
            made: self.now,
            recorded: patient.recorded,
            said: record::said(&prediction),
            margin_bits: prediction.margin.to_bits(),
            because: record::causes(&prediction),
            warnings: prediction.warnings.iter().map(ToString::to_string).collect(),
            basis: basis.collect(),
            inputs: prediction.inputs,
        })));
        self.last_said(id, placed, |last| last.recorded = Some(name));
    }
}
