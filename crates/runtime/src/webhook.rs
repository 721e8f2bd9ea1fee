//! Notifications to other programs: kept in the store until delivered, signed, retried.
//!
//! A receiver hears of an episode once when it starts and once when it ends (AL-4). In between it
//! hears when the episode goes on to another role that it serves, and when it sounds again because
//! it worsened or was taken for too long (AL-3). The body names no patient but by id: a receiver
//! who may know more asks the API.

use std::collections::HashMap;
use std::time::Duration;

use alert::{ChangeKind, Priority};
use engine::AlertRecord;
use hmac::{Hmac, Mac};
use journal::Entry;
use outgoing::{Address, Ask, Client, HeaderName, HeaderValue};
use serde_json::json;
use sha2::Sha256;
use store::{OutboxRow, Reader, Side};
use tokio::task::JoinSet;
use vitals::{ReceiveTime, Role};

use crate::manager::{self, AlertManager, REFUSALS_MAX, Undelivered};

/// How often to look for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of its answer the status alone matters; a larger one is no receiver's, in bytes.
const ANSWER_MAX: usize = 64 << 10;
/// Carries the signature.
const SIGNATURE: &str = "vitalwire-signature";
/// Longest pause between two tries, in microseconds.
const PAUSE_MAX_US: i64 = 300_000_000;
/// A notification that was tried this often, which takes three days, is given up and counted.
const ATTEMPTS_MAX: u32 = 870;

/// A receiver of notifications.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Name, for the record.
    pub name: String,
    /// Where it listens: over TLS, or plainly.
    pub address: Address,
    /// Key of the signature.
    pub secret: String,
    /// Roles that it serves; empty: all.
    pub roles: Vec<Role>,
    /// Least priority.
    pub priority: Priority,
}

/// The signature of a body: `t=<seconds>,v1=<hex of HMAC-SHA-256 of "<seconds>.<body>">`. The
/// receiver computes it again with the shared secret and refuses old times.
#[must_use]
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// One thing to tell a receiver.
#[derive(Debug, PartialEq)]
pub(crate) struct Notice {
    /// What it is to the receiver.
    event: &'static str,
    /// Names it within the episode.
    step: String,
    /// What the receiver then has been told: roles, separated by commas; none: nothing any more.
    pub(crate) told: Option<String>,
}

/// What a receiver is to be told of a change, if anything. `told`: the roles for which it heard of
/// the episode before; none: it did not.
pub(crate) fn notice(hook: &Webhook, record: &AlertRecord, told: Option<&str>) -> Option<Notice> {
    let episode = &record.episode;
    if record.kind == ChangeKind::Resolved {
        return told.map(|_| Notice { event: "alert.ended", step: "end".to_owned(), told: None });
    }
    let role = episode.assigned.name();
    let serves = hook.roles.is_empty() || hook.roles.contains(&episode.assigned);
    if episode.priority < hook.priority || !episode.state.sounding() || !serves {
        return None;
    }
    let Some(told) = told else {
        let told = Some(role.to_owned());
        return Some(Notice { event: "alert.started", step: "start".to_owned(), told });
    };
    match record.kind {
        // A chain that comes back to the same role says nothing new.
        ChangeKind::Escalated if told.split(',').all(|other| other != role) => Some(Notice {
            event: "alert.escalated",
            step: format!("escalated-{role}"),
            told: Some(format!("{told},{role}")),
        }),
        ChangeKind::Worsened | ChangeKind::Sounding => Some(Notice {
            event: "alert.again",
            step: format!("again-{}", record.at.0),
            told: Some(told.to_owned()),
        }),
        _ => None,
    }
}

/// A notice as it waits for delivery: its name holds receiver, episode and step, so that each is
/// kept once.
pub(crate) fn outbox_row(
    hook: &Webhook,
    entry: &Entry,
    record: &AlertRecord,
    notice: &Notice,
) -> OutboxRow {
    let episode = &record.episode;
    let body = json!({
        "event": notice.event,
        "episode": episode.id.to_string(),
        "kind": record.kind.name(),
        "priority": episode.priority.name(),
        "title": episode.title,
        "patient": record.patient.as_str(),
        "location": record.location.as_ref().map(|id| id.as_str()),
        "assigned": episode.assigned.name(),
        "level": episode.level,
        "raised_ms": episode.raised_at / 1_000,
        "at_ms": record.at.millis(),
    });
    OutboxRow {
        id: format!("{}/{}/{}", hook.name, episode.id, notice.step),
        target: hook.name.clone(),
        body: body.to_string().into_bytes(),
        created: entry.at,
        attempts: 0,
        next_at: entry.at,
        last_error: String::new(),
    }
}

/// Something that is no alert, as it waits for delivery, if the receiver serves one of these roles.
/// `id` names it: each is kept once.
#[must_use]
pub fn event_row(
    hook: &Webhook,
    id: &str,
    roles: &[Role],
    body: &serde_json::Value,
    at: ReceiveTime,
) -> Option<OutboxRow> {
    let serves = hook.roles.is_empty() || hook.roles.iter().any(|role| roles.contains(role));
    serves.then(|| OutboxRow {
        id: format!("{}/{id}", hook.name),
        target: hook.name.clone(),
        body: body.to_string().into_bytes(),
        created: at,
        attempts: 0,
        next_at: at,
        last_error: String::new(),
    })
}

/// Delivers what is due until the task is ended.
pub(crate) async fn deliver(
    client: Option<Client>,
    (hooks, managers): (Vec<Webhook>, Vec<AlertManager>),
    reader: Reader,
    side: std::sync::Arc<dyn Side>,
    clock: fn() -> ReceiveTime,
) {
    let Some(client) = client.filter(|_| !hooks.is_empty() || !managers.is_empty()) else { return };
    // Receivers that failed, with when they are tried again: what comes later waits for what failed.
    let mut paused: HashMap<String, ReceiveTime> = HashMap::new();
    loop {
        let now = clock();
        paused.retain(|_, until| *until > now);
        let mut due = reader.outbox_due(now, 100).unwrap_or_default();
        due.retain(|row| !paused.contains_key(&row.target));
        // Receivers side by side, so that one that hangs holds up no other.
        let mut rounds = JoinSet::new();
        let mut targets: Vec<&str> = due.iter().map(|row| row.target.as_str()).collect();
        targets.sort_unstable();
        targets.dedup();
        for target in targets {
            let rows: Vec<OutboxRow> = due.iter().filter(|row| row.target == target).cloned().collect();
            let hook = hooks.iter().find(|hook| hook.name == target).cloned().map(Receiver::Hook);
            let manager = managers.iter().find(|manager| manager::target(manager) == target);
            let manager = manager.map(|manager| Receiver::Manager(manager.clone(), reader.clone()));
            rounds.spawn(round(client.clone(), hook.or(manager), rows, std::sync::Arc::clone(&side), clock));
        }
        while let Some(ended) = rounds.join_next().await {
            paused.extend(ended.ok().flatten());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Who is told.
enum Receiver {
    Hook(Webhook),
    Manager(AlertManager, Reader),
}

impl Receiver {
    /// Tells it; else how often it was tried now, and why it failed.
    async fn tell(&self, client: &Client, row: &OutboxRow, now: ReceiveTime) -> Result<(), (u32, String)> {
        let attempts = row.attempts + 1;
        match self {
            Self::Hook(hook) => post(client, hook, &row.body, now).await.map_err(|error| (attempts, error)),
            Self::Manager(manager, reader) => match manager::send(client, manager, row, reader).await {
                Ok(()) => Ok(()),
                Err(Undelivered::Failed(why)) => Err((attempts, why)),
                // An answer is an answer: what is behind it shall not wait for three days.
                Err(Undelivered::Refused(why)) if attempts >= REFUSALS_MAX => Err((ATTEMPTS_MAX + 1, why)),
                Err(Undelivered::Refused(why)) => Err((attempts, why)),
            },
        }
    }
}

/// Delivers what is due to one receiver, in order. After a failure the rest waits with what failed,
/// so that no end is told before its start; gives receiver and time of the next try.
async fn round(
    client: Client,
    receiver: Option<Receiver>,
    mut rows: Vec<OutboxRow>,
    side: std::sync::Arc<dyn Side>,
    clock: fn() -> ReceiveTime,
) -> Option<(String, ReceiveTime)> {
    let mut failed: Option<(u32, String)> = None;
    let mut again = None;
    rows.sort_by_key(|row| (row.created, !row.id.ends_with("/start"), row.id.ends_with("/end")));
    for row in rows {
        let now = clock();
        let outcome = match (&receiver, &failed) {
            (_, Some((attempts, error))) => Err((*attempts, error.clone())),
            (Some(receiver), None) => receiver.tell(&client, &row, now).await,
            // The receiver was taken out of the configuration: nobody waits for it.
            (None, None) => Ok(()),
        };
        let noted = match outcome {
            Ok(()) => side.outbox_done(&row.id),
            Err((attempts, _)) if attempts > ATTEMPTS_MAX => {
                metrics::counter!("vitalwire_webhook_given_up_total").increment(1);
                tracing::error!(receiver = row.target, "a notification was given up");
                side.outbox_done(&row.id)
            }
            Err((attempts, error)) => {
                if failed.is_none() {
                    metrics::counter!("vitalwire_webhook_failures_total").increment(1);
                }
                let pause = (1_000_000_i64 << attempts.min(9)).min(PAUSE_MAX_US);
                let noted = side.outbox_retry(&row.id, attempts, now.plus(pause), &error);
                failed = Some((attempts, error));
                again = again.or(Some((row.target.clone(), now.plus(pause))));
                noted
            }
        };
        if let Err(error) = noted {
            tracing::error!("webhook: cannot note a delivery: {error}");
        }
    }
    again
}

/// One request on a connection of its own; only the status of the answer matters.
async fn post(client: &Client, hook: &Webhook, body: &[u8], now: ReceiveTime) -> Result<(), String> {
    let signature = sign(&hook.secret, now.0.div_euclid(1_000_000), body);
    let signature = HeaderValue::from_str(&signature).map_err(|error| error.to_string())?;
    // Within the house plain HTTP is the site's choice: the body is signed, and names nobody.
    let ask = Ask::post(&hook.address, "application/json", body.to_vec())
        .with(HeaderName::from_static(SIGNATURE), signature)
        .plain_too()
        .answer_max(ANSWER_MAX)
        .within(PATIENCE);
    match client.send(ask).await {
        Ok(answer) if answer.is_success() => Ok(()),
        Ok(answer) => Err(format!("answered {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked against `printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn signatures_are_hmac_sha_256() {
        assert_eq!(
            sign("secret", 1_700_000_000, br#"{"a":1}"#),
            "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }

    fn hook(roles: &[Role], priority: Priority) -> Webhook {
        Webhook {
            name: "h".into(),
            address: Address::parse("https://pager.example/hook").expect("an address"),
            secret: String::new(),
            roles: roles.to_vec(),
            priority,
        }
    }

    /// An alert's life as it is told; what a receiver hears of it.
    fn heard(hook: &Webhook, life: &[(ChangeKind, Priority, Role)]) -> Vec<&'static str> {
        let mut told: Option<String> = None;
        let mut heard = Vec::new();
        for (second, (kind, priority, assigned)) in life.iter().enumerate() {
            if let Some(notice) = notice(hook, &record(*kind, *priority, *assigned, second), told.as_deref()) {
                heard.push(notice.event);
                told = notice.told;
            }
        }
        heard
    }

    fn record(kind: ChangeKind, priority: Priority, assigned: Role, second: usize) -> AlertRecord {
        let state = match kind {
            ChangeKind::Acknowledged => "Acknowledged",
            ChangeKind::Resolved => "Resolved",
            _ => "Raised",
        };
        let priority = priority.name();
        serde_json::from_value(json!({
            "episode": {
                "id": { "offset": 5, "index": 0 }, "group": "g", "state": state,
                "priority": priority, "condition": { "Rule": "r" }, "title": "t", "reason": "r",
                "readings": [], "raised_at": 0, "changed_at": 0, "taken": null, "level": 0,
                "assigned": assigned, "escalates_at": null, "members": [], "chain": 0, "latch": false,
            },
            "kind": kind, "actor": "system", "detail": "", "at": second, "patient": "p-1",
            "location": null, "device": null,
        }))
        .expect("a record")
    }

    #[test]
    fn al_4_each_receiver_hears_of_one_start_and_one_end() {
        use ChangeKind::{Acknowledged, Escalated, Raised, Resolved, Worsened};
        use Priority::{High, Medium};
        use Role::{ChargeNurse, Nurse, Physician};
        let life = [
            (Raised, Medium, Nurse),
            (Escalated, Medium, ChargeNurse),
            (Escalated, Medium, Physician),
            (Escalated, Medium, Physician),
            (Acknowledged, Medium, Physician),
            (Worsened, High, Nurse),
            (Acknowledged, High, Nurse),
            (Resolved, High, Nurse),
        ];
        let (start, on, again, end) = ("alert.started", "alert.escalated", "alert.again", "alert.ended");
        for (roles, least, expected) in [
            (&[][..], Medium, &[start, on, on, again, end][..]),
            (&[Nurse][..], Medium, &[start, again, end][..]),
            (&[Physician][..], Medium, &[start, end][..]),
            (&[Nurse][..], High, &[start, end][..]),
            (&[Role::Engineer][..], Medium, &[][..]),
        ] {
            assert_eq!(heard(&hook(roles, least), &life), expected, "{roles:?} {least:?}");
        }
    }
}
