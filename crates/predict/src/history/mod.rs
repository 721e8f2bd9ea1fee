//! What is known of one patient's stay up to now, hour by hour: filled value by value, never looking ahead.
//!
//! Hours are counted from the beginning of the stay. An hour's value is the mean of its values (the sum for what is
//! collected), and the last [`WINDOW`] hours are kept; of older ones what whole-stay statistics need. So the size is
//! bounded, about 5 kB for a patient at a monitor, and so it does not matter in which order an hour's values came:
//!
//! - FE-1: the same values give the same history to the bit, whether they came in order or late within the window.
//!   (Sums of hours are exact in 64 bits for values of at least 1/512 whose sum stays below a million. Of two values of
//!   the same microsecond the one that came last is the newest.)
//! - FE-2: nothing later than the newest value or [`History::advance`] is part of it.

mod track;

pub use track::{Hour, Track, Whole};

use serde::{Deserialize, Serialize};

use crate::Person;
use crate::variable::{COUNT, Variable};

/// Hours that windows reach back, the present one among them.
pub const WINDOW: u32 = 24;

/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600_000_000;

/// Why a value is not part of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// Not a number, or none that a living person can have.
    #[error("not a value that a person can have")]
    Implausible,
    /// It says that something is not going on, of what records of training only ever say that it is.
    #[error("not going on, which counts as not recorded")]
    Absent,
    /// From before the stay.
    #[error("measured before the stay began")]
    BeforeStay,
    /// From an hour that no window reaches any more.
    #[error("came later than the {WINDOW} h for which hours stay open")]
    TooLate,
}

/// A stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Person and stay.
    pub person: Person,
    begin_us: i64,
    hour: u32,
    /// By [`Variable`] as far as there are values; a file of a program that knew fewer variables is simply shorter.
    tracks: Vec<Track>,
}

impl History {
    /// A stay of which nothing is known yet. It begins at `begin_us`, microseconds since 1970.
    #[must_use]
    pub const fn new(person: Person, begin_us: i64) -> Self {
        Self { person, begin_us, hour: 0, tracks: Vec::new() }
    }

    /// When the stay began, in microseconds since 1970.
    #[must_use]
    pub const fn begin_us(&self) -> i64 {
        self.begin_us
    }

    /// The present hour, 0 for the first of the stay.
    #[must_use]
    pub const fn hour(&self) -> u32 {
        self.hour
    }

    /// Time goes on to `time_us`; an earlier time than the present changes nothing.
    pub fn advance(&mut self, time_us: i64) {
        let hour = self.hour_of(time_us).unwrap_or(0);
        if hour > self.hour {
            self.hour = hour;
            for (track, variable) in self.tracks.iter_mut().zip(Variable::ALL) {
                track.forget_before(oldest(hour), variable.kind());
            }
        }
    }

    /// Takes a value in the variable's unit, as [`History::take`] does; says whether it was taken.
    pub fn observe(&mut self, variable: Variable, time_us: i64, value: f32) -> bool {
        self.take(variable, time_us, value).is_ok()
    }

    /// Takes a value in the variable's unit. One of an earlier hour that is still within the window goes to its hour.
    ///
    /// # Errors
    /// Why it was not taken; nothing has changed then.
    pub fn take(&mut self, variable: Variable, time_us: i64, value: f32) -> Result<(), Refused> {
        let (low, high) = variable.plausible();
        if !(low..=high).contains(&value) {
            return Err(Refused::Implausible);
        }
        if variable.is_told_by_presence() && value < 0.5 {
            return Err(Refused::Absent);
        }
        let hour = self.hour_of(time_us).ok_or(Refused::BeforeStay)?;
        if hour < oldest(self.hour) {
            return Err(Refused::TooLate);
        }
        self.advance(time_us);
        let at = variable as usize;
        if self.tracks.len() <= at {
            self.tracks.resize(at + 1, Track::default());
        }
        self.tracks[at].take(hour, time_us, value);
        Ok(())
    }

    /// The track of a variable.
    #[must_use]
    pub fn track(&self, variable: Variable) -> &Track {
        self.tracks.get(variable as usize).unwrap_or(&track::EMPTY)
    }

    fn hour_of(&self, time_us: i64) -> Option<u32> {
        let since = time_us.checked_sub(self.begin_us)?;
        (since >= 0).then(|| u32::try_from(since / HOUR_US).unwrap_or(u32::MAX))
    }
}

/// The oldest hour that the window still has.
const fn oldest(hour: u32) -> u32 {
    hour.saturating_sub(WINDOW - 1)
}

const _: () = assert!(Variable::ALL.len() == COUNT, "tracks are found by the variable's number");
