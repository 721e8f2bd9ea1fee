//! What consents and emergency accesses need of the running program: whom to notify, and that records
//! which became one are one for them, too.

use std::sync::Arc;
use std::time::Duration;

use guard::{BreakGlass, Guard};
use live::{Change, Live};
use runtime::{Webhook, event_row};
use serde_json::json;
use store::Side;
use tokio::sync::broadcast::error::RecvError;
use vitals::{ReceiveTime, Role};

/// Who is told of emergency accesses.
const TOLD: [Role; 2] = [Role::ChargeNurse, Role::SecurityOfficer];

/// How far back accesses are told that nobody was told of, microseconds: a week.
const TOLD_WITHIN: i64 = 7 * vitals::time::DAY;
/// Pause before what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells receivers of each emergency access. The access itself, which is durable before anybody sees
/// anything by it, says that it is to be told, until the notification is durable, too: a crash in between
/// tells twice at worst, under the same id, and never not. Runs until the task is ended.
pub(crate) async fn tell(guard: Guard, hooks: Vec<Webhook>, side: Arc<dyn Side>, clock: fn() -> ReceiveTime) {
    let Some(mut opened) = guard.emergencies_opened() else { return };
    let hooks = Arc::new(hooks);
    loop {
        let (theirs, to, whom) = (guard.clone(), Arc::clone(&side), Arc::clone(&hooks));
        let done = tokio::task::spawn_blocking(move || tell_untold(&theirs, &whom, to.as_ref(), clock()));
        match done.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!("emergency accesses could not be told to the receivers, tried again: {error:#}");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Err(_) => return,
        }
        if matches!(opened.recv().await, Err(RecvError::Closed)) {
            return;
        }
    }
}

/// Puts what is to be told where deliveries wait, and marks it.
fn tell_untold(guard: &Guard, hooks: &[Webhook], side: &dyn Side, now: ReceiveTime) -> anyhow::Result<()> {
    let since = now.plus(-TOLD_WITHIN);
    let untold = guard.emergencies_untold(since)?;
    if untold.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> =
        untold.iter().flat_map(|access| hooks.iter().filter_map(|hook| row(hook, access, now))).collect();
    side.outbox_add(&rows)?;
    Ok(guard.emergencies_told(&untold, since)?)
}

/// Ids only: whoever may know more asks the API. The words are for reviewers.
fn row(hook: &Webhook, access: &BreakGlass, now: ReceiveTime) -> Option<store::OutboxRow> {
    let body = json!({
        "event": "break-glass",
        "access": access.id,
        "patient": access.patient.as_str(),
        "unit": access.unit,
        "account": access.account,
        "role": access.role,
        "reason": access.reason,
        "began_ms": access.began.millis(),
        "until_ms": access.until.millis(),
        "at_ms": now.millis(),
    });
    event_row(hook, &format!("break-glass/{}", access.id), &TOLD, &body, now)
}

/// Lets what was said of records that became one hold for that one. Runs until the task is ended.
pub(crate) async fn follow_merges(guard: Guard, live: Live) {
    let mut changes = live.changes().subscribe(None).receiver;
    let adopt = |id: &vitals::PatientId| {
        let Some(seen) = live.patient(id).filter(|seen| !seen.merged.is_empty()) else { return };
        if let Err(error) = guard.adopt_records(&seen.patient.id, &seen.merged) {
            tracing::error!("consents of a merged record could not be taken over: {error}");
        }
    };
    for seen in live.patients() {
        adopt(&seen.patient.id);
    }
    loop {
        match changes.recv().await {
            Ok((_, Change::Patient(id))) => adopt(&id),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => {
                for seen in live.patients() {
                    adopt(&seen.patient.id);
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use guard::{Account, Opening, Reason};
    use store::{SqliteStore, Store};
    use vitals::PatientId;

    use super::*;

    #[test]
    fn an_access_before_a_crash_is_told_after_it_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = Guard::open(folder.path()).expect("opens");
        let opening = |patient: &str| Opening {
            patient: PatientId::new(patient).expect("a valid id"),
            unit: "ICU".to_owned(),
            reason: Reason::Emergency,
            words: "found unresponsive".to_owned(),
            minutes: 5,
        };
        let now = ReceiveTime(1_800_000_000_000_000);
        let nurse = Account { name: "nora".to_owned(), ..Account::trial() };
        guard.open_patient(&nurse, &opening("p1"), now).expect("opens");
        drop(guard);
        let guard = Guard::open(folder.path()).expect("opens again");
        let store = SqliteStore::open(&folder.path().join("store.db")).expect("opens");
        let (side, reader) = (store.side(), store.reader());
        let hook = Webhook {
            name: "pager".to_owned(),
            address: outgoing::Address::parse("http://127.0.0.1:9/hook").expect("an address"),
            secret: "0123456789abcdef".to_owned(),
            roles: Vec::new(),
            priority: alert::Priority::Low,
        };
        for later in 1..4 {
            tell_untold(&guard, std::slice::from_ref(&hook), side.as_ref(), now.plus(later)).expect("told");
            assert_eq!(reader.outbox_len().expect("read"), 1);
        }
        guard.open_patient(&nurse, &opening("p2"), now.plus(9)).expect("opens");
        tell_untold(&guard, std::slice::from_ref(&hook), side.as_ref(), now.plus(10)).expect("told");
        assert_eq!(reader.outbox_len().expect("read"), 2);
        assert!(guard.emergencies_untold(now).expect("read").is_empty());
    }
}
