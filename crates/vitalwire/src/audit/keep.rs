//! What the running program does for its audit log: goes on to new files, notes the journal's
//! end, brings heads to witnesses, keeps the index near, and records its own start and end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use guard::{Guard, JOURNAL_NOTED, JournalHead, Record, Rotation, STOPPED};
use journal::Appender;
use vitals::time::{DAY, SECOND};

use super::push::Pusher;
use crate::clock::clock;
use crate::config;

/// How often witnesses are told of a new head.
const PUSH_EVERY: Duration = Duration::from_secs(5);
/// Records that are taken into the index in a second, so that it takes little of the machine.
const INDEX_STEP: usize = 5_000;

/// Begins: from here on files are closed by size and age.
pub(crate) fn begin(guard: &Guard, config: &config::Audit) {
    let age_us = i64::from(config.rotate_days) * DAY;
    guard.rotate_audit_by(Rotation { bytes: config.rotate_bytes, age_us });
    let detail = format!("version {}", env!("CARGO_PKG_VERSION"));
    later(guard, Record { detail, ..Record::new(clock(), "system", "application-start") });
}

fn later(guard: &Guard, record: Record) {
    if let Err(error) = guard.audit_blocking(record) {
        tracing::error!(%error, "not recorded");
    }
}

/// Notes where the journal ends and begins now.
fn note_journal(guard: &Guard, appender: &Appender) -> Option<(u64, u64)> {
    let place = appender.head()?;
    let first = appender.first_offset();
    let object = JournalHead::text(place.next, first, &place.chain);
    later(guard, Record { object, ..Record::new(clock(), "system", JOURNAL_NOTED) });
    Some((place.next, first))
}

/// Runs until the task is ended.
pub(crate) async fn run(guard: Guard, appender: Appender, folder: PathBuf, config: config::Audit) {
    let mut pusher = match Pusher::new(guard.clone(), folder, &config) {
        Ok(pusher) => Some(pusher),
        Err(error) => {
            tracing::error!("the audit log has no witnesses: {error:#}");
            None
        }
    };
    let every = Duration::from_secs(u64::from(config.journal_every_s.max(1)));
    let (mut noted, mut last) = (None, Instant::now());
    let mut pushed = Instant::now();
    loop {
        let (theirs, journal, now) = (guard.clone(), appender.clone(), Instant::now());
        let removed = noted.is_some_and(|(_, first)| first != journal.first_offset());
        let moved = noted.is_none_or(|(next, _)| next != journal.next_offset());
        let due = removed || noted.is_none() || (moved && last.elapsed() >= every);
        let push = pushed.elapsed() >= PUSH_EVERY;
        let worked = tokio::task::spawn_blocking(move || {
            let found = due.then(|| note_journal(&theirs, &journal)).flatten();
            if let Err(error) = theirs.index_audit(INDEX_STEP) {
                tracing::warn!(%error, "the index of the audit log is behind");
            }
            if let Some(pusher) = pusher.as_mut().filter(|_| push) {
                pusher.push();
            }
            (found, pusher)
        });
        let Ok((found, back)) = worked.await else { return };
        pusher = back;
        if found.is_some() {
            (noted, last) = (found, now);
        }
        if push {
            pushed = now;
        }
        tokio::time::sleep(Duration::from_micros(SECOND as u64)).await;
    }
}

/// Ends: nothing is written behind this, and all of it is signed when this returns.
pub(crate) fn end(guard: &Guard, appender: &Appender) {
    note_journal(guard, appender);
    later(guard, Record::new(clock(), "system", STOPPED));
}
