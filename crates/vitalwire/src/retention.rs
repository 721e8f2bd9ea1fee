//! Retention while the program runs: how long things stay by the latest word of a person; what the
//! guard and the fleet keep goes by age; what went is in the audit log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use depot::Depot;
use guard::{AuditExpiry, Guard, GuardError, Record, RetentionKind};
use runtime::{Retention, RetentionNow};
use serde::{Deserialize, Serialize};
use store::{Expired, ExpiredRecords, Held, KvRow, Reader, Side};
use vitals::ReceiveTime;

use crate::config;

/// How often.
const EVERY: Duration = Duration::from_secs(60);
/// Where it stands what the audit log was last told of.
const BUCKET: &str = "retention";
const TOLD: &str = "told";
/// A day, in microseconds.
const DAY_US: i64 = 86_400_000_000;

/// Retention as people set it while the program runs; what nobody set is as configured.
pub(crate) fn now(guard: &Guard) -> RetentionNow {
    let guard = guard.clone();
    RetentionNow(Arc::new(move |configured| match guard.retention() {
        Ok(rules) => rules.iter().fold(configured, |kept, rule| {
            let days = rule.days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
            match rule.kind {
                RetentionKind::Waveforms => Retention { waves: days, ..kept },
                RetentionKind::Numerics => Retention { points: days, ..kept },
                RetentionKind::Alerts => Retention { alerts: days, ..kept },
                RetentionKind::Quarantine => Retention { quarantine: days, ..kept },
                RetentionKind::DirectoryHistory => Retention { directory: days, ..kept },
                RetentionKind::Audit | RetentionKind::SecurityEvents | RetentionKind::Messages => kept,
            }
        }),
        // Without accounts nothing was set; and what cannot be read lets nothing go earlier.
        Err(_) if guard.is_open() => configured,
        Err(error) => {
            tracing::error!("retention: what was set cannot be read, nothing is removed: {error}");
            Retention::FOR_EVER
        }
    }))
}

/// What looks after it.
pub(crate) struct Keeper {
    pub(crate) guard: Guard,
    pub(crate) depot: Depot,
    pub(crate) reader: Reader,
    pub(crate) side: Arc<dyn Side>,
    pub(crate) configured: config::Retention,
    /// The guard's folder, and who is to have every record of the audit log before it goes.
    pub(crate) folder: PathBuf,
    pub(crate) repositories: Vec<String>,
    pub(crate) clock: fn() -> ReceiveTime,
}

/// What retention removed from the store so far, as the audit log was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Told {
    samples: u64,
    values: u64,
    texts: u64,
    alerts: u64,
    quarantine: u64,
    versions: u64,
}

impl Keeper {
    /// Runs until the task is ended.
    pub(crate) async fn run(self) {
        let keeper = Arc::new(self);
        loop {
            let work = Arc::clone(&keeper);
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || work.step()).await {
                tracing::error!("retention: a step failed and is tried again: {error:#}");
                metrics::counter!("vitalwire_store_expiry_failures_total").increment(1);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn step(&self) -> anyhow::Result<()> {
        let now = (self.clock)();
        self.tell(now)?;
        let held = self.reader.held()?;
        if let Some(before) = self.before(RetentionKind::Audit, now)? {
            let until = brought(&self.folder, &self.repositories);
            self.guard.expire_audit(&AuditExpiry { before, until, held: people(&held) }, now)?;
        }
        if let Some(before) = self.before(RetentionKind::SecurityEvents, now)? {
            let devices: Vec<String> =
                held.iter().flat_map(|held| &held.devices).map(ToString::to_string).collect();
            if !self.guard.is_open() {
                self.guard.expire_security_events(before, &devices, now)?;
            }
            let findings = self.depot.old_events(before.micros(), &devices)?;
            if findings > 0 {
                self.note("broken-habits", &format!("{findings} of before {}", when(before.micros())), now)?;
                self.depot.expire_events(before.micros(), &devices)?;
            }
        }
        Ok(())
    }

    /// What of a kind is older than this may go; none: it stays.
    fn before(&self, kind: RetentionKind, now: ReceiveTime) -> Result<Option<ReceiveTime>, GuardError> {
        let set = match self.guard.is_open() {
            true => None,
            false => self.guard.retention()?.into_iter().find(|rule| rule.kind == kind),
        };
        let configured = match kind {
            RetentionKind::Audit => self.configured.audit_days,
            _ => self.configured.security_events_days,
        };
        let days = set.map_or((configured > 0).then_some(configured), |rule| rule.days);
        Ok(days.map(|days| ReceiveTime(now.micros() - i64::from(days) * DAY_US)))
    }

    /// Tells the audit log what has gone from the store since it was last told. The store counts in
    /// the transaction that removes, so a crash in between tells twice at worst, and never not.
    fn tell(&self, now: ReceiveTime) -> anyhow::Result<()> {
        let (blocks, rows) = (self.reader.expired()?, self.reader.expired_records()?);
        let (gone, told) = (Told::of(&blocks, &rows), self.told()?);
        if gone == told {
            return Ok(());
        }
        self.note("store", &gone.since(&told, &blocks, &rows), now)?;
        let value = serde_json::to_vec(&gone)?;
        self.side.put(&[KvRow { bucket: BUCKET.to_owned(), key: TOLD.to_owned(), value: Some(value) }])?;
        Ok(())
    }

    fn told(&self) -> anyhow::Result<Told> {
        let told = self.reader.kv(BUCKET, TOLD)?;
        Ok(told.and_then(|told| serde_json::from_slice(&told).ok()).unwrap_or_default())
    }

    fn note(&self, object: &str, detail: &str, now: ReceiveTime) -> Result<(), GuardError> {
        let (object, detail) = (object.to_owned(), detail.to_owned());
        self.guard.audit_blocking(Record { object, detail, ..Record::new(now, "system", "retention") })
    }
}

impl Told {
    fn of(blocks: &Expired, rows: &ExpiredRecords) -> Self {
        Self {
            samples: blocks.samples,
            values: blocks.points,
            texts: blocks.texts,
            alerts: rows.alerts,
            quarantine: rows.quarantine,
            versions: rows.versions,
        }
    }

    /// What went since, in words: how many of each kind, and from before when.
    fn since(&self, told: &Self, blocks: &Expired, rows: &ExpiredRecords) -> String {
        let points = blocks.points_before.map(|time| time.0);
        let kinds = [
            ("samples", self.samples, told.samples, blocks.waves_before.map(|time| time.0)),
            ("values", self.values, told.values, points),
            ("texts", self.texts, told.texts, points),
            ("alerts", self.alerts, told.alerts, rows.alerts_before.map(|time| time.0)),
            ("quarantine", self.quarantine, told.quarantine, rows.quarantine_before.map(|time| time.0)),
            ("directory-history", self.versions, told.versions, rows.versions_before.map(|time| time.0)),
        ];
        let gone = kinds.iter().filter(|(_, all, before, _)| all != before);
        let words = gone.map(|(kind, all, before, until)| {
            let count = all.wrapping_sub(*before);
            format!("{kind}: {count} of before {}", when(until.unwrap_or(0)))
        });
        words.collect::<Vec<_>>().join("; ")
    }
}

/// A time for people, UTC.
pub(crate) fn when(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| "ever".to_owned(), |time| time.to_string())
}

/// Whose records in the audit log stay, and of which times.
fn people(held: &[Held]) -> Vec<(vitals::PatientId, vitals::EffectiveTime, vitals::EffectiveTime)> {
    held.iter().flat_map(|held| held.records.iter().map(|id| (id.clone(), held.from, held.to))).collect()
}

/// The last record of the audit log that every repository has.
fn brought(folder: &Path, repositories: &[String]) -> u64 {
    let position = |name: &String| {
        let text = std::fs::read_to_string(folder.join(format!("atna-{name}.position")));
        text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    };
    repositories.iter().map(position).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use store::{Commit, RecordExpiry, SqliteStore, Store};

    use super::*;

    #[test]
    fn what_was_set_takes_the_place_of_what_is_configured() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = Guard::open(folder.path()).expect("opens");
        let now = now(&guard);
        let configured = Retention { waves: Some(Duration::from_secs(1)), ..Retention::FOR_EVER };
        assert_eq!((now.0)(configured), configured);
        let two_days = Some(Duration::from_secs(2 * 86_400));
        let set = |kind, days| guard.set_retention(kind, days, "sue", ReceiveTime(0)).expect("set");
        set(RetentionKind::Waveforms, Some(2));
        assert_eq!((now.0)(configured), Retention { waves: two_days, ..Retention::FOR_EVER });
        set(RetentionKind::Waveforms, None);
        set(RetentionKind::Alerts, Some(2));
        set(RetentionKind::Quarantine, Some(2));
        set(RetentionKind::DirectoryHistory, Some(2));
        let rest = Retention { alerts: two_days, quarantine: two_days, directory: two_days, ..Retention::FOR_EVER };
        assert_eq!((now.0)(configured), rest);
    }

    fn clock() -> ReceiveTime {
        ReceiveTime(100 * DAY_US)
    }

    fn keeper(folder: &Path, store: &SqliteStore, audit_days: u32) -> Keeper {
        let configured = config::Retention { audit_days, security_events_days: 30, ..config::Retention::default() };
        Keeper {
            guard: Guard::open(&folder.join("guard")).expect("opens"),
            depot: Depot::open(folder, None).expect("opens"),
            reader: store.reader(),
            side: store.side(),
            configured,
            folder: folder.join("guard"),
            repositories: Vec::new(),
            clock,
        }
    }

    fn told(guard: &Guard) -> Vec<String> {
        let mut details = Vec::new();
        let read = guard.audit_log().lines(1, |_, line| {
            let record: serde_json::Value = serde_json::from_str(line).expect("a record");
            if record["action"] == "retention" {
                details.push(record["detail"].as_str().unwrap_or_default().to_owned());
            }
            true
        });
        read.expect("read");
        details
    }

    #[test]
    fn what_went_is_in_the_audit_log_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = SqliteStore::open(&folder.path().join("store.db")).expect("opens");
        let quarantine = (1..=3_u64).map(|n| store::QuarantineRow {
            offset: n,
            received: ReceiveTime(n as i64 * DAY_US),
            protocol: "mqtt".to_owned(),
            address: "a".to_owned(),
            sender: "m1".to_owned(),
            profile: String::new(),
            kinds: Vec::new(),
            status: store::QuarantineStatus::New,
            resolution: Vec::new(),
            problems: Vec::new(),
            payload: b"x".to_vec(),
        });
        let commit = Commit { checkpoint: 9, quarantine: quarantine.collect(), ..Commit::default() };
        store.commit(&commit).expect("a commit succeeds");
        let keeper = keeper(folder.path(), &store, 0);
        keeper.step().expect("works");
        assert!(told(&keeper.guard).is_empty(), "nothing went");
        let never = ReceiveTime(i64::MIN);
        let before = ReceiveTime(3 * DAY_US);
        let step =
            RecordExpiry { alerts_before: never, quarantine_before: before, directory_before: never, rows_max: 9 };
        store.expire_records(&step).expect("a step succeeds");
        for _ in 0..2 {
            keeper.step().expect("works");
            assert_eq!(told(&keeper.guard), ["quarantine: 2 of before 1970-01-04T00:00:00Z"]);
        }
    }

    #[test]
    fn nothing_goes_before_every_repository_has_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(brought(folder.path(), &[]), u64::MAX);
        std::fs::write(folder.path().join("atna-a.position"), "17\n").expect("written");
        assert_eq!(brought(folder.path(), &names), 0);
        std::fs::write(folder.path().join("atna-b.position"), "9\n").expect("written");
        assert_eq!(brought(folder.path(), &names), 9);
    }
}
