//! Notifications to other programs: kept in the store until delivered, signed, retried.
//!
//! A receiver hears of an episode once when it starts (or when it is escalated to a role that the
//! receiver serves), and once when it ends (AL-4). The body names no patient but by id: a receiver
//! who may know more asks the API.

use std::time::Duration;

use alert::{ChangeKind, Priority};
use engine::AlertRecord;
use hmac::{Hmac, Mac};
use journal::Entry;
use serde_json::json;
use sha2::Sha256;
use store::{OutboxRow, Reader, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vitals::{ReceiveTime, Role};

use crate::pending::outbox_row;

/// How often to look for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest pause between two tries, in microseconds.
const PAUSE_MAX_US: i64 = 300_000_000;

/// A receiver of notifications.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Name, for the record.
    pub name: String,
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub path: String,
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

/// What a receiver is to be told of a change, if anything.
pub(crate) fn notification(
    hook: &Webhook,
    entry: &Entry,
    record: &AlertRecord,
) -> Option<OutboxRow> {
    let episode = &record.episode;
    let serves = hook.roles.is_empty() || hook.roles.contains(&episode.assigned);
    let step = match record.kind {
        ChangeKind::Resolved => "end".to_owned(),
        // One start a role: a chain that comes back to the same role says nothing new.
        _ if serves => format!("start-{}", episode.assigned.name()),
        _ => return None,
    };
    if episode.priority < hook.priority && record.kind != ChangeKind::Resolved {
        return None;
    }
    let body = json!({
        "event": if record.kind == ChangeKind::Resolved { "alert.ended" } else { "alert.started" },
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
    let id = format!("{}/{}/{step}", hook.name, episode.id);
    Some(outbox_row(hook, entry, id, body.to_string().into_bytes()))
}

/// Delivers what is due until the task is ended.
pub(crate) async fn deliver(
    hooks: Vec<Webhook>,
    reader: Reader,
    side: std::sync::Arc<dyn Side>,
    clock: fn() -> ReceiveTime,
) {
    if hooks.is_empty() {
        return;
    }
    loop {
        let now = clock();
        for row in reader.outbox_due(now, 100).unwrap_or_default() {
            let sent = match hooks.iter().find(|hook| hook.name == row.target) {
                Some(hook) => post(hook, &row.body, now).await,
                // The receiver was taken out of the configuration: nobody waits for it.
                None => Ok(()),
            };
            let noted = match sent {
                Ok(()) => side.outbox_done(&row.id),
                Err(error) => {
                    metrics::counter!("vitalwire_webhook_failures_total").increment(1);
                    let attempts = row.attempts + 1;
                    let pause = (1_000_000_i64 << attempts.min(9)).min(PAUSE_MAX_US);
                    side.outbox_retry(&row.id, attempts, now.plus(pause), &error)
                }
            };
            if let Err(error) = noted {
                tracing::error!("webhook: cannot note a delivery: {error}");
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn post(hook: &Webhook, body: &[u8], now: ReceiveTime) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, exchange(hook, body, now)).await {
        Ok(Ok(status)) if (200..300).contains(&status) => Ok(()),
        Ok(Ok(status)) => Err(format!("answered {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in 10 s".to_owned()),
    }
}

/// One request on a connection of its own; only the status line of the answer matters.
async fn exchange(hook: &Webhook, body: &[u8], now: ReceiveTime) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(&hook.authority).await?;
    let signature = sign(&hook.secret, now.0.div_euclid(1_000_000), body);
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Vitalwire-Signature: {signature}\r\nConnection: close\r\n\r\n",
        hook.path,
        hook.authority,
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::with_capacity(256);
    let mut chunk = [0; 256];
    while !answer.contains(&b'\n') && answer.len() < 4_096 {
        match stream.read(&mut chunk).await? {
            0 => break,
            read => answer.extend_from_slice(&chunk[..read]),
        }
    }
    let line = String::from_utf8_lossy(&answer);
    let status = line.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    status.ok_or_else(|| std::io::Error::other("not an HTTP answer"))
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
}
