//! The shapes that clients of `/api/v1` see. Times are milliseconds since 1970, UTC, unless the
//! name says otherwise; values stand in the unit beside them.

mod alert;
mod device;
mod error;
mod foresight;
mod model;
mod own_normal;
mod patient;
mod quarantine;
mod session;
mod ward;

pub use alert::*;
pub use device::*;
pub use error::*;
pub use foresight::*;
pub use model::*;
pub use own_normal::*;
pub use patient::*;
pub use quarantine::*;
pub use session::*;
pub use ward::*;
