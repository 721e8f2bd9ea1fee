//! Risk models: what they look at, what they say, why, how sure they are, and when they do not judge. Pure.
//!
//! The path of a prediction: values fill a [`History`]; a [`Plan`](feature::Plan) computes a model's features of it; the
//! [`Forest`](forest::Forest) gives log-odds; calibration makes a probability with an interval of them; exact Shapley
//! values say in clinical words what moved it. [`Model`] does all of it, from one file that a person can read.
//!
//! Promises, named in tests:
//!
//! - FE-1: values that come late within the window give the same history as if they had come in order, to the bit.
//! - FE-2: nothing later than now is looked at.
//! - FE-3: training and bedside compute features with this code; a stored prediction is computed again from its inputs
//!   ([`Model::judge`]), to the bit and to the word.
//! - FE-4: what is missing is missing: never zero, never a mean.
//! - FE-5: shares of an explanation sum up to the margin less the reference's.
//!
//! What is deliberately absent: growing trees, fitting, evaluating (crate `training`), where values come from, clocks,
//! any input or output.

mod nan;
mod person;
mod prediction;
mod words;

pub mod variable;
pub mod history;
pub mod feature;
pub mod forest;
pub mod model;
pub mod drift;
pub mod watch;
pub mod onnx;

pub use history::{History, Refused};
pub use model::{Model, ModelError, Scratch};
pub use person::Person;
pub use prediction::{Because, Class, Judged, Prediction, Reason, Warning};
pub use variable::{Kind, Variable};

/// The models that come with the program: id and file, as `vitalwire model train` made them of public data
/// (`docs/clinical-evidence.md`).
#[must_use]
pub const fn shipped() -> &'static [(&'static str, &'static [u8])] {
    &[
        ("sepsis", include_bytes!("../models/sepsis.json")),
        ("sepsis-ahead", include_bytes!("../models/sepsis-ahead.json")),
        ("deterioration", include_bytes!("../models/deterioration.json")),
        ("deterioration-vitals", include_bytes!("../models/deterioration-vitals.json")),
        ("mortality-48h", include_bytes!("../models/mortality-48h.json")),
    ]
}
