//! Puts the passing of time into the journal, so that what follows from silence is an entry like
//! any other (AL-2, EN-1).

use std::time::Duration;

use journal::{Appender, Draft, Lane};
use tokio::time::MissedTickBehavior;
use vitals::Event;

pub(crate) async fn run(appender: Appender, every: Duration) {
    let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        let tick = Draft { event: Event::Tick, dedup: None, lane: Lane::Urgent };
        // A failed tick is followed by another; a closed journal ends the program.
        if appender.append(tick).await.is_err() {
            return;
        }
    }
}
