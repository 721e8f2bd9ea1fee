//! The two clocks, as two types, and the time that both together yield.
//!
//! All three count microseconds since 1970-01-01T00:00:00Z. They do not convert into each other
//! by accident: whoever turns a device's time into an effective one says so.

use serde::{Deserialize, Serialize};

macro_rules! clock {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        pub struct $name(pub i64);

        impl $name {
            /// From whole milliseconds since 1970, UTC.
            #[must_use]
            pub const fn from_millis(ms: i64) -> Self {
                Self(ms.saturating_mul(1_000))
            }

            /// Microseconds since 1970, UTC.
            #[must_use]
            pub const fn micros(self) -> i64 {
                self.0
            }

            /// Whole milliseconds since 1970, UTC, rounded down.
            #[must_use]
            pub const fn millis(self) -> i64 {
                self.0.div_euclid(1_000)
            }

            /// This time moved by `micros` (negative: earlier); stops at the ends of the range.
            #[must_use]
            pub const fn plus(self, micros: i64) -> Self {
                Self(self.0.saturating_add(micros))
            }
        }
    };
}

clock! {
    /// When the device says that it measured.
    DeviceTime
}
clock! {
    /// When we received it: our own clock, never running backwards within one journal.
    ReceiveTime
}
clock! {
    /// When the value was true of the patient, as well as we can tell: the device's time where
    /// its clock can be believed, the corrected one where it is known to be off, else ours.
    EffectiveTime
}

/// One second in microseconds.
pub const SECOND: i64 = 1_000_000;
/// One minute in microseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in microseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day in microseconds.
pub const DAY: i64 = 24 * HOUR;
