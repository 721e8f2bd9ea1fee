//! The line to the centre: enrols once, delivers batches, says how the edge is, fetches what the
//! centre configures. Whatever fails is tried again, with pauses that grow.

use std::time::Duration;

use ::edge::{Answer, Batch, Class, Configuration, Health, LeftOut, Ready, Spool};
use outgoing::{Ask, HeaderName, HeaderValue};
use serde_json::json;
use vitals::time::SECOND;
use vitals::RelayLine;

use super::follow::now;
use super::{Line, Shared, configured};
use crate::wiring::Near;

/// How often to look for what is to be sent.
const EVERY: Duration = Duration::from_millis(500);
/// A sign of life at least this often, microseconds.
const SIGN_OF_LIFE: i64 = 5 * SECOND;
/// Bytes of a batch.
const BATCH_BYTES: usize = 256 << 10;
/// How long the centre may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest pause after failures.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Largest configuration, in bytes.
const CONFIGURATION_MAX: usize = 4 << 20;
/// Notes in the spool.
const TOKEN: &str = "token";
const CONFIGURATION: &str = "configuration";
const REFUSED: &str = "refused";

/// The configuration that was in force before a restart.
pub(super) fn kept(spool: &Spool) -> Option<Configuration> {
    serde_json::from_str(&spool.note(CONFIGURATION).ok()??).ok()
}

/// What of it was refused.
pub(super) fn refused(spool: &Spool) -> Vec<String> {
    let note = spool.note(REFUSED).ok().flatten().unwrap_or_default();
    serde_json::from_str(&note).unwrap_or_default()
}

/// Delivers until the task is ended.
pub(super) async fn run(near: Near, shared: Shared) {
    let mut pause = EVERY;
    let mut sent_at = 0;
    loop {
        match step(&near, &shared, &mut sent_at).await {
            Ok(more) => {
                pause = EVERY;
                if more {
                    continue;
                }
            }
            Err(error) => {
                let was = {
                    let mut this = shared.this.0.lock();
                    this.as_mut().map(|this| {
                        this.trouble = format!("{error:#}");
                        std::mem::replace(&mut this.linked, false)
                    })
                };
                if was == Some(true) {
                    tracing::warn!("the centre is not reached, and what is to be sent waits: {error:#}");
                }
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
        metrics::gauge!("vitalwire_edge_linked").set(linked(&shared));
        tokio::time::sleep(pause).await;
    }
}

fn linked(shared: &Shared) -> f64 {
    let linked = shared.this.0.lock().as_ref().is_some_and(|this| this.linked);
    if linked { 1.0 } else { 0.0 }
}

/// Sends what is due; whether more waits.
async fn step(near: &Near, shared: &Shared, sent_at: &mut i64) -> anyhow::Result<bool> {
    let token = match with(shared, |spool| Ok(spool.note(TOKEN)?)).await? {
        Some(token) => token,
        None => enrol(shared).await?,
    };
    let (ready, health, id, left_out) = with(shared, |spool| {
        Ok((spool.next(BATCH_BYTES)?, health(spool)?, spool.id(), spool.left_out()?))
    })
    .await?;
    let at = now().0;
    show(shared, left_out, None);
    if ready.is_none() && health.thinned.is_empty() && at.saturating_sub(*sent_at) < SIGN_OF_LIFE {
        return Ok(false);
    }
    let this = shared.this.0.lock().clone().unwrap_or_default();
    let patients = near.live.patients();
    let health = Health {
        configuration: this.configuration,
        refused: this.refused,
        started: Some(shared.started),
        open_alerts: patients.iter().map(|patient| patient.alerts.len() as u64).sum(),
        ..health
    };
    let more = ready.is_some();
    let Ready { line, pieces } = ready.unwrap_or(Ready { line: RelayLine::Numerics, pieces: Vec::new() });
    let batch = Batch { spool: id, line, sent_at: at, pieces, health };
    let answer = deliver(&shared.line, &token, &batch).await?;
    *sent_at = at;
    let (numbers, thinned) = (
        batch.pieces.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        batch.health.thinned.clone(),
    );
    let delivered = numbers.len() as u64;
    let deeds_wait = with(shared, move |spool| {
        spool.done(line, numbers.into_iter().filter(|number| *number <= answer.durable))?;
        spool.told(&thinned)?;
        Ok(spool.fill().pieces[Class::Alerts as usize] > 0)
    })
    .await?;
    metrics::counter!("vitalwire_edge_delivered_total").increment(delivered);
    show(shared, Vec::new(), Some((at, answer.now)));
    // What people did here goes up first: else the centre's word of before would undo it for a moment.
    if answer.configuration != batch.health.configuration && !deeds_wait {
        configure(near, shared, &token).await?;
    }
    if answer.rotate {
        rotate(shared, &token).await?;
    }
    Ok(more)
}

fn health(spool: &Spool) -> anyhow::Result<Health> {
    let fill = spool.fill();
    metrics::gauge!("vitalwire_edge_spool_bytes").set(fill.all_bytes() as f64);
    Ok(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        spool_bytes: fill.all_bytes(),
        spool_bytes_max: spool.bytes_max(),
        spool_pieces: fill.pieces.iter().sum(),
        oldest: spool.oldest()?,
        memory_bytes: memory(),
        thinned: spool.thinned(true)?,
        ..Health::default()
    })
}

/// Resident memory, where the system tells.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Shows how it gets on: what was left out, unless nothing is said of it; `synced`: our time and the
/// centre's when it answered.
fn show(shared: &Shared, left_out: Vec<LeftOut>, synced: Option<(i64, i64)>) {
    let mut this = shared.this.0.lock();
    let Some(this) = this.as_mut() else { return };
    if !left_out.is_empty() {
        this.left_out = left_out.iter().map(|one| one.pieces).sum();
        this.left_out_by = left_out.into_iter().map(Into::into).collect();
    }
    if let Some((ours, theirs)) = synced {
        if !this.linked {
            tracing::info!("the centre answers");
        }
        this.linked = true;
        this.trouble.clear();
        this.synced_ms = Some(ours / 1_000);
        this.centre_ahead_ms = Some((theirs - ours) / 1_000);
    }
}

fn bearer(token: &str) -> anyhow::Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn ask<'a>(line: &Line, ask: Ask<'a>) -> Ask<'a> {
    let ask = ask.within(PATIENCE).answer_max(CONFIGURATION_MAX);
    if line.plain { ask.plain_too() } else { ask }
}

async fn enrol(shared: &Shared) -> anyhow::Result<String> {
    let line = &shared.line;
    let Some(code) = &line.code else {
        anyhow::bail!("this edge is not enrolled: register it at the centre and give --code");
    };
    let address = line.route("enrolment")?;
    let body = json!({ "code": code }).to_string();
    let answer = line.client().send(ask(line, Ask::post(&address, "application/json", body))).await?;
    if !answer.is_success() {
        anyhow::bail!("the centre does not take the code (status {}): it holds once, for a day", answer.status);
    }
    let given: ::edge::Enrolment = serde_json::from_slice(&answer.body)?;
    let token = given.token.clone();
    with(shared, move |spool| Ok(spool.set_note(TOKEN, &token)?)).await?;
    tracing::info!("enrolled at the centre");
    Ok(given.token)
}

async fn deliver(line: &Line, token: &str, batch: &Batch) -> anyhow::Result<Answer> {
    let address = line.route("batch")?;
    let post = Ask::post(&address, "application/octet-stream", batch.write());
    let post = post.with(HeaderName::from_static("authorization"), bearer(token)?);
    let answer = line.client().send(ask(line, post)).await?;
    match answer.status {
        200..=299 => Ok(serde_json::from_slice(&answer.body)?),
        401 => anyhow::bail!("the centre does not know this edge (any more): give it a new code there"),
        403 => anyhow::bail!("the centre does not let in this edge's certificate, or wants one: look at edge.certificate"),
        400 => anyhow::bail!("the centre does not read our batches: bring edge and centre to the same version"),
        status => anyhow::bail!("the centre answers with status {status}"),
    }
}

/// Fetches what the centre configures, and puts it in force.
async fn configure(near: &Near, shared: &Shared, token: &str) -> anyhow::Result<()> {
    let line = &shared.line;
    let address = line.route("configuration")?;
    let get = Ask::get(&address).with(HeaderName::from_static("authorization"), bearer(token)?);
    let answer = line.client().send(ask(line, get)).await?;
    if !answer.is_success() {
        anyhow::bail!("the centre does not tell the configuration (status {})", answer.status);
    }
    let wanted: Configuration = serde_json::from_slice(&answer.body)?;
    let ahead_us = shared.this.0.lock().as_ref().and_then(|this| this.centre_ahead_ms).unwrap_or(0) * 1_000;
    let refused = configured::put_in_force(near, &wanted, ahead_us).await?;
    let (etag, text) = (wanted.etag.clone(), serde_json::to_string(&wanted)?);
    let note = serde_json::to_string(&refused)?;
    with(shared, move |spool| {
        spool.set_rules(wanted.rules);
        spool.set_note(REFUSED, &note)?;
        Ok(spool.set_note(CONFIGURATION, &text)?)
    })
    .await?;
    if let Some(this) = shared.this.0.lock().as_mut() {
        this.configuration = etag;
        this.refused = refused;
    }
    tracing::info!("another configuration of the centre was looked at");
    Ok(())
}

/// Asks for another token, and from then on shows that one.
async fn rotate(shared: &Shared, token: &str) -> anyhow::Result<()> {
    let line = &shared.line;
    let address = line.route("token")?;
    let post = Ask::post(&address, "application/json", "{}");
    let post = post.with(HeaderName::from_static("authorization"), bearer(token)?);
    let answer = line.client().send(ask(line, post)).await?;
    if !answer.is_success() {
        anyhow::bail!("the centre gives no other token (status {})", answer.status);
    }
    let given: ::edge::Enrolment = serde_json::from_slice(&answer.body)?;
    with(shared, move |spool| Ok(spool.set_note(TOKEN, &given.token)?)).await?;
    tracing::info!("another token is in use at the centre");
    Ok(())
}

/// Works with the spool on a thread that may block.
async fn with<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&mut Spool) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || {
        let mut spool = shared.spool.lock();
        let done = work(&mut spool);
        shared.note(&spool);
        done
    })
    .await?
}
