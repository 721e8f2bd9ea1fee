//! How well findings agree with what experts marked: beats and their classes one by one, episodes by
//! number and by time. The rules are those of ANSI/AAMI EC57:2012.
//!
//! Everything here is counting; who reads records and prints tables is elsewhere.

mod beats;
mod episodes;

pub use beats::{Classes, Comparison, MATCH_WINDOW_US, Mark, Scope, Tally, compare};
pub use episodes::{EpisodeTally, Episodes, Span};
