//! A virtual ward: patients in beds, devices that speak the three protocols, nurses who chart, an
//! admission system that moves people.
//!
//! [`Ward`] is pure: one seed gives one ward, second by second. [`run`] gives it a clock and
//! connections.

mod config;
mod device;
mod home;
mod nurse;
mod people;
mod plan;
mod pump;
mod run;
mod state;
mod talk;
mod waves;

pub use config::{Protocols, WardConfig};
pub use plan::{BedPlan, Personality, Plan, Resident};
pub use pump::Manner;
pub use run::{Progress, run};
pub(crate) use run::now_us;
pub use state::{Errand, Outgoing, Sender, Ward};

/// The device profile that makes the wearables of the ward understood: install it as
/// `wearable.toml` beside the platform's other profiles.
pub const WEARABLE_PROFILE: &str = include_str!("../../profiles/wearable.toml");

/// What the pumps of the ward take as commands: put it as `simulated-pump.toml` into `DATA/commands`.
pub const PUMP_COMMANDS: &str = include_str!("../../commands/simulated-pump.toml");
