//! Commands to devices: which a device takes ([`Catalogue`]), and what becomes of one
//! ([`Command`]), a closed state machine that never lets one be sent twice.
//!
//! Pure: no socket, no clock. Whoever sends plugs in as a [`Transport`]; that a command was about
//! to be sent is in the journal before it is, and after that nothing sends it again: when the
//! answer does not come it is [`State::Unknown`], and a person looks at the device.

mod answer;
mod catalogue;
mod shelf;
mod state;
mod transport;

pub use answer::{Answer, AnswerError};
pub use catalogue::{Catalogue, CatalogueError, Fault, Kind, Offer, Offered, Parameter, fits};
pub use shelf::Shelf;
pub use state::{Command, Event, Line, Outcome, State};
pub use transport::{Handed, Handing, Transport, message};
