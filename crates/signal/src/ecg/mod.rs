//! Heart beats in electrocardiograms: where they are, in one lead and in several, and of what type.

mod decide;
mod detector;
mod form;
mod front;
mod fuse;
mod leads;
mod level;
mod model;
mod types;

pub use decide::Stage;
pub use detector::{Detection, Detector};
pub use form::Form;
pub use fuse::{Fused, Fuser, MAX_LEADS};
pub use leads::Leads;
pub use types::{MEASURES, Types};
