//! The conformance suite that every store passes: `run(|folder| backend)`.
//!
//! It panics with what does not hold, as tests do. `make` opens the store in an empty folder, and
//! opens the same one again when called with the same folder.

mod directory;
mod expiry;
mod hours;
mod points;
mod predictions;
mod records;
mod waves;

use std::path::Path;

use vitals::{EffectiveTime, Point, Quality, ReceiveTime};

use crate::Store;

/// Runs everything. `folder` must be empty.
///
/// # Panics
/// When the backend does not conform.
pub fn run<S: Store>(folder: &Path, make: impl Fn(&Path) -> S) {
    let fresh = |name: &str| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("the test folder can be written");
        folder
    };
    records::checkpoints_and_state(&fresh("state"), &make);
    records::alerts_and_events(&mut make(&fresh("alerts")));
    hours::kept_until_something_changes(&fresh("hours"), &make);
    predictions::kept_found_expired(&fresh("predictions"), &make);
    records::quarantine(&mut make(&fresh("quarantine")));
    records::documents(&mut make(&fresh("documents")));
    records::outbox_and_settings(&mut make(&fresh("outbox")));
    directory::people_places_devices(&mut make(&fresh("directory")));
    directory::associations(&mut make(&fresh("associations")));
    points::once_in_order(&fresh("points"), &make);
    points::small_commits(&mut make(&fresh("small")));
    points::late_points(&mut make(&fresh("late")));
    points::thinning(&mut make(&fresh("thinning")));
    points::counting_and_listing(&mut make(&fresh("counting")));
    points::attachments_and_names(&mut make(&fresh("attachments")));
    waves::once_in_order(&fresh("waves"), &make);
    waves::late_and_mixed(&mut make(&fresh("late-waves")));
    waves::overview(&mut make(&fresh("overview")));
    waves::frames_are_readings(&mut make(&fresh("frames")));
    expiry::retention(&mut make(&fresh("retention")));
    expiry::rows(&mut make(&fresh("retention-rows")));
}

/// A point at `seconds`, received 200 ms later, from entry `offset`.
fn point(seconds: i64, value: f64, offset: u64) -> Point {
    Point {
        time: EffectiveTime(seconds * 1_000_000),
        received: ReceiveTime(seconds * 1_000_000 + 200_000),
        value,
        offset,
        index: 0,
        quality: Quality::empty(),
    }
}
