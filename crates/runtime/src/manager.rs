//! Alerts for alert managers, as IHE PCD-04 over MLLP: one message when an alert starts, one for each
//! change, one when it ends, in order, kept in the store until answered.
//!
//! What waits names the patient by id only; name and bed are put in when it is sent. A message that
//! is sent again is the same message, with the same control id (MSH-10).

use std::time::Duration;

use alert::{ChangeKind, ConditionKey, EpisodeState, Priority};
use engine::AlertRecord;
use journal::Entry;
use outgoing::{Client, Peer};
use serde::{Deserialize, Serialize};
use store::{DirectoryQuery, OutboxRow, Reader};
use vitals::{AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Bed, DeviceTime, Patient};
use wire_hl7::build::Envelope;
use wire_hl7::order::{OrderAnswer, answer};
use wire_hl7::report::{Phase, Report, report};

/// How long a manager may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What we are called (MSH-3).
const OURSELVES: &str = "VITALWIRE";
/// A message that was refused this often is given up: others wait behind it.
pub(crate) const REFUSALS_MAX: u32 = 3;

/// An alert manager.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertManager {
    /// Its name: MSH-3 of what it sends.
    pub name: String,
    /// Where it listens.
    pub peer: Peer,
    /// Least priority.
    pub priority: Priority,
}

/// Why a message is not delivered.
#[derive(Debug, PartialEq)]
pub(crate) enum Undelivered {
    /// No answer, or one to something else.
    Failed(String),
    /// The manager does not take it.
    Refused(String),
}

/// A change as it waits.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Waiting {
    control: String,
    episode: String,
    phase: u8,
    state: EpisodeState,
    priority: Priority,
    technical: bool,
    title: String,
    patient: String,
    location: Option<String>,
    device: Option<String>,
    at: i64,
}

const PHASES: [Phase; 5] = [Phase::Start, Phase::Continue, Phase::Escalate, Phase::Deescalate, Phase::End];

/// What a manager is to be told of a change, if anything, with the priority that it then knows;
/// none: nothing any more. `told`: the priority that it was told before; none: nothing yet.
pub(crate) fn notice(
    manager: &AlertManager,
    entry: &Entry,
    record: &AlertRecord,
    told: Option<&str>,
) -> Option<(OutboxRow, Option<String>)> {
    let episode = &record.episode;
    let (now, ended) = (episode.priority.name(), record.kind == ChangeKind::Resolved);
    let rank = |name: &str| [Priority::Low, Priority::Medium, Priority::High].iter().position(|p| p.name() == name);
    let phase = match told {
        None if ended || episode.priority < manager.priority => return None,
        None => 0,
        Some(_) if ended => 4,
        Some(before) if rank(now) > rank(before) => 2,
        Some(before) if rank(now) < rank(before) => 3,
        Some(_) => 1,
    };
    let step = match phase {
        0 => "start".to_owned(),
        4 => "end".to_owned(),
        _ => format!("{}-{}", entry.offset, record.kind.name()),
    };
    let waiting = Waiting {
        control: format!("{}.{}.{step}", episode.id, entry.offset),
        episode: episode.id.to_string(),
        phase,
        state: episode.state,
        priority: episode.priority,
        technical: record.device.is_some() || matches!(episode.condition, ConditionKey::Gap(_)),
        title: episode.title.clone(),
        patient: record.patient.to_string(),
        location: record.location.as_ref().map(ToString::to_string),
        device: record.device.as_ref().map(ToString::to_string),
        at: record.at.0,
    };
    let row = OutboxRow {
        id: format!("{}/{}/{step}", target(manager), episode.id),
        target: target(manager),
        body: serde_json::to_vec(&waiting).unwrap_or_default(),
        created: entry.at,
        attempts: 0,
        next_at: entry.at,
        last_error: String::new(),
    };
    Some((row, (!ended).then(|| now.to_owned())))
}

/// What rows for a manager are addressed to; no webhook has such a name.
pub(crate) fn target(manager: &AlertManager) -> String {
    format!("hl7:{}", manager.name)
}

/// Sends a change and reads the answer.
pub(crate) async fn send(client: &Client, manager: &AlertManager, row: &OutboxRow, reader: &Reader) -> Result<(), Undelivered> {
    let failed = |why: &str| Undelivered::Failed(why.to_owned());
    let waiting: Waiting = serde_json::from_slice(&row.body).map_err(|_| Undelivered::Refused("not readable".to_owned()))?;
    let message = message(&waiting, reader);
    let bytes = client.exchange(&manager.peer, message.as_bytes(), PATIENCE).await;
    let bytes = bytes.map_err(|error| Undelivered::Failed(error.to_string()))?;
    match answer(&bytes, &waiting.control) {
        Some(OrderAnswer::Accepted | OrderAnswer::Received) => Ok(()),
        Some(OrderAnswer::Refused(why)) => Err(Undelivered::Refused(format!("refused: {why}"))),
        None => Err(failed("the answer is none to this message")),
    }
}

fn message(waiting: &Waiting, reader: &Reader) -> String {
    let patient = patient(reader, &waiting.patient);
    let bed = waiting.location.as_ref().and_then(|id| bed(reader, id));
    let phase = PHASES.get(usize::from(waiting.phase)).copied().unwrap_or(Phase::Continue);
    let at = DeviceTime(waiting.at);
    let state = match waiting.state {
        EpisodeState::Resolved => AlarmState::Inactive,
        EpisodeState::Latched => AlarmState::Latched,
        _ => AlarmState::Active,
    };
    let signal = match waiting.state {
        EpisodeState::Acknowledged => AlarmSignal::Acknowledged,
        EpisodeState::Snoozed => AlarmSignal::AudioPaused,
        _ => AlarmSignal::On,
    };
    let priority = match waiting.priority {
        Priority::Low => AlarmPriority::Low,
        Priority::Medium => AlarmPriority::Medium,
        Priority::High => AlarmPriority::High,
    };
    let told = Report {
        id: &waiting.episode,
        phase,
        state,
        signal,
        priority,
        kind: if waiting.technical { AlarmKind::Technical } else { AlarmKind::Physiological },
        text: &waiting.title,
        reason: "",
        patient: patient.as_ref(),
        bed: bed.as_ref(),
        device: waiting.device.as_deref().unwrap_or(engine::SELF_DEVICE),
        at,
    };
    report(&Envelope::new(OURSELVES, &waiting.control, at), &told)
}

fn patient(reader: &Reader, id: &str) -> Option<Patient> {
    let query = DirectoryQuery { ids: vec![id.to_owned()], ..DirectoryQuery::default() };
    Some(reader.patients(&query).ok()?.rows.into_iter().next()?.patient)
}

fn bed(reader: &Reader, id: &str) -> Option<Bed> {
    let query = DirectoryQuery { ids: vec![id.to_owned()], ..DirectoryQuery::default() };
    Some(reader.locations(&query).ok()?.rows.into_iter().next()?.location.bed)
}
