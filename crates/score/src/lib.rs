//! Early-warning scores: pure, published, self-explaining.
//!
//! Each score is a function of [`Inputs`], the present time and the ages up to which an input may
//! count. It returns a [`Score`] that shows its working: every part with the value, the time and
//! the cell of the published chart, what was missing, what was too old, the band that the total
//! falls in and what the source says to do there.
//!
//! Rules that all scores keep:
//!
//! - SC-1: what is missing is said to be missing. It counts neither as zero nor as normal: the
//!   value is the sum of what is known and `complete` is false.
//! - SC-2: an input older than its [`MaxAge`] is left out, listed as aged, and the score is not
//!   complete. An input from the future (a device clock ahead of ours) counts as new.
//! - SC-3: values are rounded to the resolution of the chart, half up, before they are looked up,
//!   as a person fills in the chart: whole numbers, temperatures to a tenth of a degree.
//! - SC-4: a score is not given for people that it was not made for; its note says why. NEWS2 in
//!   pregnancy is the exception: it is given with a note beside MEOWS, so that charting a pregnancy
//!   takes no rule of a site away.
//!
//! What is deliberately absent: where inputs come from, alerts, clocks, any input or output.

mod chart;
mod input;
mod meows;
mod mews;
mod news2;
mod pews;
mod qsofa;
mod result;
mod shock_index;
mod sirs;
mod sofa;

pub use input::{Aged, Consciousness, Effort, Inputs, MaxAge, Obstetric, Scale, Vasoactive};
pub use meows::meows;
pub use mews::mews;
pub use news2::news2;
pub use pews::pews;
pub use qsofa::qsofa;
pub use result::{Band, Part, PartState, Parts, Score};
pub use shock_index::shock_index;
pub use sirs::sirs;
pub use sofa::sofa;
