//! What consents and emergency accesses need of the running program: whom to notify, and that records
//! which became one are one for them, too.

use std::sync::Arc;

use guard::{BreakGlass, Guard};
use live::{Change, Live};
use runtime::{Webhook, event_row};
use serde_json::json;
use store::Side;
use tokio::sync::broadcast::error::RecvError;
use vitals::{ReceiveTime, Role};

/// Who is told of emergency accesses.
const TOLD: [Role; 2] = [Role::ChargeNurse, Role::SecurityOfficer];

/// Tells receivers of each emergency access, once. Runs until the task is ended.
pub(crate) async fn tell(guard: Guard, hooks: Vec<Webhook>, side: Arc<dyn Side>, clock: fn() -> ReceiveTime) {
    let Some(mut opened) = guard.emergencies_opened().filter(|_| !hooks.is_empty()) else { return };
    loop {
        match opened.recv().await {
            Ok(access) => {
                let rows: Vec<_> = hooks.iter().filter_map(|hook| row(hook, &access, clock())).collect();
                let side = Arc::clone(&side);
                let kept = tokio::task::spawn_blocking(move || side.outbox_add(&rows)).await;
                if !matches!(kept, Ok(Ok(()))) {
                    tracing::error!("an emergency access could not be told to the receivers; the page for reviews has it");
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
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
