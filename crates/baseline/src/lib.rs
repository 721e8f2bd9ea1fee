//! A patient's own normal of one metric, and what departs from it.
//!
//! [`Normal`] learns the level and spread that are usual for one patient: robust (medians of short
//! slots, weighted by age), slow (a stated half-life), silent until it has seen enough. Beside it
//! stand a profile of the hours of the day ([`Hours`]), a change-point test ([`Cusum`]) and a trend
//! test ([`Trend`]). [`follow`] turns a normal into alarm limits that never leave a policy's bounds.
//!
//! Pure: times are arguments in microseconds, hours of the day come from whoever knows the place's
//! clock; no transcendental function is used, so that the same values give the same bits on any
//! machine (EN-1). Memory is bounded: [`SLOTS_MAX`] slots a metric. What is absent: metrics, patients,
//! policies, alarms; and which values may teach, which is the caller's to decide.

mod change;
mod follow;
mod hours;
mod normal;
mod robust;
mod settings;
mod trend;

pub use change::{Change, Cusum, Direction};
pub use follow::{Bounds, Followed, Moved, follow};
pub use hours::Hours;
pub use normal::{Learned, Normal, SLOTS_MAX, Usual};
pub use robust::{halving, weighted_median};
pub use settings::Settings;
pub use trend::{CRITICAL_Z, Trend};
