//! Alarm conditions, episodes and escalation, as closed state machines (IEC 60601-1-8 words).
//!
//! A *policy* (TOML) says which conditions there are and who is told; [`Conditions`] turns values
//! into active conditions, with duration and hysteresis; [`Episodes`] turns active conditions into
//! alerts: one episode for all that belongs together (AL-1), taken, worsening, escalated, resolved.
//! [`pathway`] suggests what is known to help and keeps what people decide (AL-5); [`worklist`] says who
//! needs a look next, and why.
//!
//! Pure: time is an argument, and the same steps give the same changes (EN-1). What is absent:
//! patients, devices, journals, delivery.

mod expression;
mod own;
mod policy;
mod bands;
mod condition;
mod episode;
mod escalation;
pub mod pathway;
pub mod slots;
pub mod worklist;

pub use bands::{BandSet, band_sets};
pub use condition::{Active, ConditionKey, Conditions, Limit, Limits};
pub use episode::{Change, ChangeKind, Context, Description, Episode, EpisodeState, Episodes, Taken};
pub use escalation::{Chain, Step};
pub use expression::{Comparison, Expression, ExpressionError, Term, Truth};
pub use own::{Apply, Aspect, BaselineRule};
pub use policy::{Gap, Level, LimitRule, Policy, PolicyError, Priority, Rule};
