//! Heart beats in electrocardiograms: where they are, in one lead and in several, and of what type.

mod decide;
mod detector;
mod form;
mod front;
mod level;

pub use detector::{Detection, Detector};
pub use form::Form;
