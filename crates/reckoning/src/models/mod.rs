//! How risk models do in this house: what goes into them and what becomes of their risks is watched over, from the
//! predictions in the store; models of one outcome are compared on the same patients at the same moments.
//!
//! What counts as the event of a model is stated by [`EventKind`]s: the program knows no diagnoses. What is absent: who is
//! told, who may ask, and putting another model to use, which is a change of the configuration.

mod compare;
mod events;
mod figures;
mod views;
mod watcher;

use std::sync::Arc;

use predict::Model;
use vitals::ModelRole;

pub use compare::{Change, Compared, Comparison};
pub use events::EventKind;
pub use figures::{CurvePoint, Ranged};
pub use views::{Look, MatterView, Notice, OutcomesView, ShiftView, WatchView};
pub use watcher::{BUCKET, Watcher};

/// A model that judges here, and what its owner says of it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The model.
    pub model: Arc<Model>,
    /// What it is here.
    pub role: ModelRole,
    /// Who is told when something is the matter, in the configuration's words; may be empty.
    pub owner: String,
    /// What counts as its event; empty: nothing does, so that risks are not compared with what came.
    pub events: Vec<EventKind>,
}

impl Watched {
    /// Id and version.
    #[must_use]
    pub fn name(&self) -> (&str, &str) {
        (self.model.id(), self.model.version())
    }

    fn horizon_us(&self) -> i64 {
        horizon_us(&self.model)
    }
}

/// A model's horizon in microseconds.
fn horizon_us(model: &Model) -> i64 {
    (f64::from(model.horizon_h()) * vitals::time::HOUR as f64) as i64
}
