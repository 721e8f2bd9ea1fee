//! What alarms cost those who hear them, and how often they were right.
//!
//! Records of alerts and of who was monitored go in, figures come out: alerts a bed-day, floods,
//! chattering and standing alarms, the few places that make most of them, how long it took until
//! somebody came, calls at night, what another limit would have spared, and how often a score's
//! warning was followed by something real. Each share comes with its counts and an interval, or
//! with the word that there are too few to tell.
//!
//! Pure: times are microseconds since 1970, the place's time zone is an argument. What is absent:
//! stores, HTTP, names of people, any rule about what should alarm.

mod record;
mod settings;
mod spread;
mod monitored;
mod nuisance;
mod flood;
mod limits;
mod figures;
mod right;
mod week;
mod table;

pub use figures::{Figures, Handling, Input, Judged, Night, Pareto, Row, figures};
pub use flood::{Flood, floods};
pub use limits::{Extreme, LimitChange, Step};
pub use monitored::{Monitored, Stay, Worn, monitored};
pub use nuisance::{Chatter, Standing};
pub use record::{Alert, Call, Priority};
pub use right::{Real, RealKind, Right, Warning, right, warnings};
pub use settings::{Settings, Shift};
pub use spread::{Share, Spread, TOO_FEW, share};
pub use table::csv;
pub use vitals::Verdict;
pub use week::{Week, week_of};
