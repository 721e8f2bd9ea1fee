//! `/api/v1/predictions`, `/api/v1/models`: what predictive models said, said again on demand; the models with
//! their cards; how models do here, for their owner.

pub(crate) mod fhir;
mod models;
mod predictions;
mod watch;

use std::sync::Arc;

use axum::Extension;
use engine::{Foretold, Models, PatientView, PredictionRecord, RISK_STANDS, RiskClass, RiskLine};
use reckoning::models::Watcher;
use store::PredictionRow;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::ModelInUse;

use crate::dto;
use crate::state::Api;

/// The models of this house, for whoever answers; put among the routers' extensions.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// Every model that ever judged here.
    pub library: Models,
    /// Those that judge.
    pub in_use: Vec<ModelInUse>,
    /// The watch over them; none where nobody watches.
    pub watcher: Option<Arc<Watcher>>,
}

/// The shelf of a request; none where nobody put one there.
type OnShelf = Option<Extension<Arc<Shelf>>>;

fn shelf(found: OnShelf) -> Arc<Shelf> {
    found.map(|Extension(shelf)| shelf).unwrap_or_default()
}

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(predictions::get_predictions))
        .routes(routes!(predictions::get_prediction))
        .routes(routes!(predictions::recompute))
        .routes(routes!(models::get_models))
        .routes(routes!(watch::get_watches))
        .routes(routes!(models::get_model_card))
        .routes(routes!(watch::get_watch))
        .routes(routes!(watch::post_looked_into))
        .routes(routes!(watch::get_comparison))
}

/// What models say is raised, in words, each event once; none while nothing is, or it was said too long ago.
pub(crate) fn raised(view: &PatientView, clock_us: i64) -> Option<String> {
    let high = |line: &&RiskLine| {
        let fresh = clock_us.saturating_sub(line.last.at) < RISK_STANDS;
        fresh && matches!(line.last.said, Foretold::Risk { class: RiskClass::High, .. })
    };
    let mut words: Vec<&str> = view.risks.iter().filter(high).map(|line| line.outcome.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What a model said last, as the patient's page shows it.
pub(crate) fn risk(line: &RiskLine, clock_us: i64) -> dto::RiskView {
    let last = &line.last;
    let (probability, low, high, reasons) = parts(&last.said);
    dto::RiskView {
        model: last.model.clone(),
        version: last.version.clone(),
        title: line.title.clone(),
        outcome: line.outcome.clone(),
        horizon_h: line.horizon_h,
        class: last.said.class().to_owned(),
        probability,
        low,
        high,
        reasons,
        because: last.because.clone(),
        warnings: last.warnings.clone(),
        trend: last.trend.iter().map(|(time, value)| (time.div_euclid(1_000), *value)).collect(),
        time_ms: last.at.div_euclid(1_000),
        stale: clock_us.saturating_sub(last.at) >= RISK_STANDS,
        prediction: last.recorded.map(|id| id.to_string()),
    }
}

type Parts = (Option<f32>, Option<f32>, Option<f32>, Vec<String>);

fn parts(said: &Foretold) -> Parts {
    match said {
        Foretold::Risk { probability, low, high, .. } => (Some(*probability), Some(*low), Some(*high), Vec::new()),
        Foretold::Abstained(reasons) => (None, None, None, reasons.clone()),
    }
}

/// A stored prediction; none for one that an older program wrote in another form.
fn record_of(row: &PredictionRow) -> Option<PredictionRecord> {
    let mut record: PredictionRecord = serde_json::from_slice(&row.body).ok()?;
    record.inputs = PredictionRecord::inputs_of(&row.inputs);
    Some(record)
}

/// Names of a prediction's inputs: those of its model, or their places where it is not here any more.
fn names(shelf: &Shelf, record: &PredictionRecord) -> Vec<String> {
    match shelf.library.find(&record.model, &record.version) {
        Some(model) => model.features().map(str::to_owned).collect(),
        None => (0..record.inputs.len()).map(|at| format!("input {at}")).collect(),
    }
}
