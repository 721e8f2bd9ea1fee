//! Points as compressed blocks: encoding, merging, thinning. Pure; no database.
//!
//! A block holds up to [`BLOCK_POINTS`] points of one series in time order, column by column. The
//! blocks of a series do not overlap in time. Small blocks are packed as differences, larger ones
//! with pco (see DEPENDENCIES: two to three bytes a point, decoded at hundreds of millions of
//! values a second).
//!
//! The receive time is kept as its distance from the effective time in whole milliseconds: exact
//! to half a millisecond, and exact where the device has no clock of its own.

mod codec;
pub mod merge;
pub(crate) mod plain;
pub mod thin;

pub use codec::{Columns, decode, decode_columns, encode};

use vitals::{Point, Quality, ReceiveTime};

/// Points of a full block.
pub const BLOCK_POINTS: usize = 2_048;

/// A block can't be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of points is damaged")]
pub struct Damaged;

/// What is known of a block without decoding it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// First and last effective time.
    pub time: (i64, i64),
    /// Earliest and latest receive time.
    pub received: (i64, i64),
    /// Lowest and highest journal offset.
    pub offset: (u64, u64),
    /// Number of points.
    pub count: usize,
    /// Smallest and largest value; NaN if there is no number.
    pub value: (f64, f64),
    /// First and last value.
    pub ends: (f64, f64),
    /// All flags that any point has.
    pub quality: Quality,
}

impl Head {
    /// The head of a block of these points, which are in time order and at least one.
    #[must_use]
    pub fn of(points: &[Point]) -> Self {
        let first = points[0];
        let last = points[points.len() - 1];
        let mut head = Self {
            time: (first.time.0, last.time.0),
            received: (i64::MAX, i64::MIN),
            offset: (u64::MAX, 0),
            count: points.len(),
            value: (f64::NAN, f64::NAN),
            ends: (first.value, last.value),
            quality: Quality::empty(),
        };
        for point in points {
            head.received.0 = head.received.0.min(point.received.0);
            head.received.1 = head.received.1.max(point.received.0);
            head.offset.0 = head.offset.0.min(point.offset);
            head.offset.1 = head.offset.1.max(point.offset);
            head.value = (head.value.0.min(point.value), head.value.1.max(point.value));
            head.quality |= point.quality;
        }
        head
    }
}

/// The point as a block will give it back: the receive time rounded.
#[must_use]
pub fn rounded(mut point: Point) -> Point {
    point.received = received(point.time.0, delay_ms(&point));
    point
}

/// Receive time minus effective time in milliseconds, rounded to the nearest.
fn delay_ms(point: &Point) -> i64 {
    point
        .received
        .0
        .saturating_sub(point.time.0)
        .saturating_add(500)
        .div_euclid(1_000)
}

fn received(time: i64, delay_ms: i64) -> ReceiveTime {
    ReceiveTime(time.saturating_add(delay_ms.saturating_mul(1_000)))
}
