//! What the running program watches about itself: its clock, its audit log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use guard::{AUDIT_FILE, Guard};
use journal::{Appender, Draft, Journal, Lane};
use live::Live;
use tokio::task::JoinSet;
use vitals::time::SECOND;
use vitals::{Action, Actor, Event, LinkState, ReceiveTime, Role};

use crate::clock;

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// How often changes by another process are looked for: a revocation on the command line is to end
/// sessions within a second.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between our clock and the wall clock, in microseconds: less is usual.
const NOTABLE: i64 = SECOND;
/// An audit log of this size is worth archiving, in bytes: some 8 million records.
pub(crate) const AUDIT_LARGE: u64 = 2 << 30;

/// Lets our clock begin, not before the journal's newest entry.
pub(crate) fn begin_clock(journal: &impl Journal) -> anyhow::Result<()> {
    let newest = newest_entry(journal)?;
    let behind = newest.map_or(0, |at| at.micros() - clock::wall());
    if behind > NOTABLE {
        tracing::error!(
            behind_s = behind / SECOND,
            "the machine's clock is behind the newest journal entry: set it, and keep it by NTP; \
             meanwhile our clock goes on from that entry"
        );
    }
    clock::begin(newest.unwrap_or(ReceiveTime(0)));
    Ok(())
}

/// When the newest entry was taken in.
pub(crate) fn newest_entry(journal: &impl Journal) -> anyhow::Result<Option<ReceiveTime>> {
    let next = journal.next_offset();
    if next == journal.reader().first_offset() {
        return Ok(None);
    }
    let newest = journal.read(next - 1, 1).context("cannot read the journal's last entry")?;
    Ok(newest.last().map(|entry| entry.at))
}

/// Connections did not outlive the process that had them: after a crash, what the journal still
/// knows as connected is noted as offline, before the first device can connect again.
pub(crate) async fn end_links(live: &Live, appender: &Appender) {
    let mut noted = JoinSet::new();
    for line in live.devices() {
        if line.link != LinkState::Online {
            continue;
        }
        let event = Event::Link {
            device: line.device.id.clone(),
            state: LinkState::Offline,
            reason: "the program was started anew".to_owned(),
        };
        let appender = appender.clone();
        let draft = Draft { event, dedup: None, lane: Lane::Urgent };
        noted.spawn(async move { appender.append(draft).await.is_ok() });
    }
    while noted.join_next().await.is_some() {}
}

/// Watches until the task is ended.
pub(crate) async fn run(guard: Guard, appender: Appender, folder: PathBuf) {
    let mut told = 0_i64;
    let mut large = false;
    loop {
        tokio::time::sleep(EVERY).await;
        guard.sum_up(clock::clock());
        let ahead = clock::ahead();
        let leapt = clock::take_leap();
        if leapt > 0 {
            let seconds = leapt / SECOND;
            tell(&appender, format!("the machine's clock jumped {seconds} s ahead, ours with it")).await;
        }
        metrics::gauge!("vitalwire_clock_ahead_seconds").set(ahead as f64 / SECOND as f64);
        if let Some(news) = news(told, ahead) {
            tell(&appender, news).await;
        }
        told = ahead;
        let bytes = audit_bytes(&folder);
        metrics::gauge!("vitalwire_audit_bytes").set(bytes as f64);
        if bytes > AUDIT_LARGE && !large {
            tracing::warn!(bytes, "the audit log is large: vitalwire audit archive moves older files away");
        }
        large = bytes > AUDIT_LARGE;
    }
}

/// Looks for changes of accounts and devices that another process made, and keeps what was counted,
/// until the task is ended.
pub(crate) async fn trust(guard: Guard) {
    for turn in 0_u32.. {
        tokio::time::sleep(LOOK_EVERY).await;
        guard.look_for_changes();
        // Certificates end without anybody changing anything.
        if turn % 240 == 0 {
            guard.look_again();
        }
        if turn % 4 == 0 {
            let guard = guard.clone();
            let settled = tokio::task::spawn_blocking(move || guard.settle_trust());
            if settled.await.is_err() {
                return;
            }
        }
    }
}

/// The size of a guard's audit log, all its files together.
pub(crate) fn audit_bytes(folder: &Path) -> u64 {
    let logs = std::fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name == AUDIT_FILE || (name.starts_with("audit-") && name.ends_with(".log"))
    });
    logs.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

/// What there is to tell when the difference between the two clocks was `before` and is `ahead`.
/// It shrinks by itself while we wait: only a jump is news, and the end.
fn news(before: i64, ahead: i64) -> Option<String> {
    let seconds = ahead / SECOND;
    let jumped = (ahead - before).abs() > NOTABLE;
    match ahead {
        a if a > NOTABLE && jumped => Some(format!(
            "the machine's clock was set back: ours is {seconds} s ahead and waits for it at 95 %"
        )),
        a if a < -NOTABLE && jumped => Some(format!(
            "the machine's clock jumped {} s ahead: that is too much to believe, ours goes on as \
             before; if it is right now, start the program again",
            -seconds
        )),
        a if a.abs() <= NOTABLE && before.abs() > NOTABLE => {
            Some("the machine's clock and ours agree again".to_owned())
        }
        _ => None,
    }
}

/// Tells it in the log and in the journal, where it stands beside what was measured meanwhile.
async fn tell(appender: &Appender, detail: String) {
    tracing::warn!("clock: {detail}");
    let actor = Actor { name: "system".to_owned(), role: Role::Service };
    let note = Action::Note { subject: "clock".to_owned(), detail };
    let draft = Draft { event: Event::Action(actor, note), dedup: None, lane: Lane::Urgent };
    if let Err(closed) = appender.append(draft).await {
        tracing::debug!("clock: not noted in the journal: {closed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_once() {
        let hour = 3_600 * SECOND;
        for (before, ahead, word) in [
            (0, 500_000, None),
            (0, hour, Some("set back")),
            (hour, hour - SECOND / 20, None),
            (hour, 2 * hour, Some("set back")),
            (NOTABLE + 1, NOTABLE, Some("agree")),
            (NOTABLE, NOTABLE - 1, None),
            (0, -48 * hour, Some("too much")),
            (-48 * hour, -48 * hour, None),
        ] {
            let found = news(before, ahead);
            let fits = match (&found, word) {
                (None, None) => true,
                (Some(text), Some(word)) => text.contains(word),
                _ => false,
            };
            assert!(fits, "{before} {ahead}: {found:?}");
        }
    }
}
