//! `vitalwire patient`: counted, erased, and the erasure proved again.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use api::app::erasure::ErasureProof;
use clap::Subcommand;
use guard::Guard;
use journal::{Appender, Draft, Journal, Lane, Outcome};
use live::Live;
use runtime::{Options, Runtime};
use store::{DirectoryQuery, ErasureRow, Reader, Store};
use vitals::{Action, Actor, Event, PatientId, Role};

use super::Data;
use crate::clock::clock;
use crate::config::Config;
use crate::sealed::{self, Sealed};
use crate::wiring::Folder;
use crate::{Misuse, erasing};

/// How long an erasure may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Subcommand)]
pub(crate) enum PatientCommand {
    /// Count patients and stored values; names are not shown.
    Count {
        #[command(flatten)]
        data: Data,
    },
    /// Erase a patient for ever: everything kept is deleted, the patient's key destroyed. The
    /// program must be stopped; while it runs: POST /api/v1/patients/ID/erasure.
    Erase {
        /// The patient's id.
        id: String,
        /// The request or the rule that it follows; it is kept, so it names nobody.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        data: Data,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Prove an erasure again: what was done, and what is left now.
    Erased {
        /// The patient's id.
        id: String,
        #[command(flatten)]
        data: Data,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn patient(command: PatientCommand) -> anyhow::Result<()> {
    match command {
        PatientCommand::Count { data } => count(data),
        PatientCommand::Erase { id, reason, data, json } => {
            let patient = known_id(&id)?;
            let guard = data.guard()?;
            let folder = Folder(data.data);
            // Who may write in the folder may do this; the record of it names the opaque id.
            let proof = guard.locally("erase-patient", &id, clock(), || {
                erase(&folder, &guard, &patient, &reason)
            })?;
            print(&proof, json)
        }
        PatientCommand::Erased { id, data, json } => {
            let patient = known_id(&id)?;
            let guard = data.guard()?;
            let folder = Folder(data.data);
            let proof = guard.locally("prove-erasure", &id, clock(), || {
                let sealed = sealed::unlock_here(&folder)?;
                let store = sealed.store(&folder)?.reader();
                let row = store.erasures(Some(&patient))?.pop();
                let row = row.context("nobody of that id was erased here")?;
                prove(&folder, &guard, &sealed, &store, &row)
            })?;
            print(&proof, json)
        }
    }
}

fn known_id(id: &str) -> Result<PatientId, Misuse> {
    PatientId::new(id).map_err(|_| Misuse("the id of a patient looks like p-0123456789abcdef".to_owned()))
}

fn count(data: Data) -> anyhow::Result<()> {
    let guard = data.guard()?;
    let folder = Folder(data.data);
    let store = sealed::unlock_here(&folder)?.store(&folder)?;
    guard.locally("count-patients", "", clock(), || {
        let reader = store.reader();
        let patients = reader.patients(&DirectoryQuery::default())?.total;
        let series = reader.series(&store::SeriesFilter::default())?;
        let values: u64 = series.iter().map(|series| series.count).sum();
        println!("{patients} patients, {values} values");
        Ok::<(), anyhow::Error>(())
    })
}

fn print(proof: &ErasureProof, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(proof)?);
    } else {
        println!("patient             {}", proof.patient);
        println!("said by             {}: {}", proof.by, proof.reason);
        for (table, rows) in proof.deleted.iter().chain(&proof.accounts_deleted) {
            println!("deleted             {rows} of {table}");
        }
        println!("devices gone        {}", proof.devices.join(" "));
        println!("keys destroyed      {:?}", proof.keys_destroyed);
        println!("journal unreadable  {} entries", proof.journal_unreadable);
        if let Some(behind) = proof.journal_cut_behind {
            println!("journal cut behind  entry {behind}; it begins at {}", proof.journal_first);
        }
        for (table, rows) in &proof.left {
            println!("LEFT                {rows} of {table}");
        }
        println!("proved              {}", if proof.proved { "yes" } else { "NO" });
    }
    if proof.proved { Ok(()) } else { bail!("the erasure is not proved: see above") }
}

/// What was done, with what is left now.
fn prove(
    folder: &Folder,
    guard: &Guard,
    sealed: &Sealed,
    store: &Reader,
    row: &ErasureRow,
) -> anyhow::Result<ErasureProof> {
    let mut left = store.left_of(&row.erasure.records)?;
    left.extend(guard.left_of_patients(&row.erasure.records)?);
    let kept: u64 = sealed.vault.as_ref().map_or(0, |vault| {
        row.erasure.records.iter().map(|record| vault.numbers(record).len() as u64).sum()
    });
    left.push(("keys".to_owned(), kept));
    let mut proof = ErasureProof::new(row, left, (0, 0));
    let (first, unreadable) = journal::sealed_with(&folder.journal(), &proof.keys_destroyed)?;
    proof.journal_first = first;
    proof.journal_unreadable = unreadable;
    proof.proved = proof.finished_ms.is_some()
        && proof.left.is_empty()
        && proof.journal_cut_behind.is_none_or(|cut| first > cut);
    Ok(proof)
}

/// Erases on a data folder that no program has open: the same engine and store, without listeners.
fn erase(
    folder: &Folder,
    guard: &Guard,
    patient: &PatientId,
    reason: &str,
) -> anyhow::Result<ErasureProof> {
    let sealed = sealed::unlock_here(folder)?;
    let config = Config::load(None, std::env::vars())?;
    let journal = sealed.journal(folder).context(
        "cannot open the journal; while the program runs: POST /api/v1/patients/ID/erasure",
    )?;
    if Journal::next_offset(&journal) == 0 {
        bail!("there is nothing here yet");
    }
    let store = sealed.store(folder)?;
    let reader = store.reader();
    let query = DirectoryQuery { ids: vec![patient.to_string()], ..DirectoryQuery::default() };
    let legal = guard.legal_holds(Some(patient))?;
    let held = reader.holds(std::slice::from_ref(patient))?;
    if held.iter().any(|hold| hold.released.is_none())
        || legal.iter().any(|hold| hold.released.is_none())
    {
        bail!("a hold keeps this patient's data; it must be released first");
    }
    if reader.patients(&query)?.total == 0 && reader.left_of(std::slice::from_ref(patient))?.iter().all(|(_, rows)| *rows == 0) {
        bail!("there is no such patient");
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    let row = runtime.block_on(async {
        let (sink, feed) = sync_channel(2);
        let appender =
            Appender::start(journal, Box::new(clock), journal::Limits::default(), sink)?;
        let live = Live::new(0);
        let knowing = erasing::Knowing { live: live.clone(), reader: reader.clone() };
        appender.know(Arc::new(knowing));
        let hook = erasing::hook(&sealed, guard, &appender, &reader, config.keys.copy.clone());
        let options = Options {
            erase: Some(hook),
            retention: config.retention.limits(),
            store_every: Duration::from_millis(200),
            ..Options::default()
        };
        let running = Runtime::start(appender.clone(), feed, Box::new(store), live, clock, options)?;
        let actor = Actor { name: "command line".to_owned(), role: Role::Administrator };
        let action = Action::Erase { patient: patient.clone(), reason: reason.to_owned() };
        let draft = Draft { event: Event::Action(actor, action), dedup: None, lane: Lane::Urgent };
        let outcome = appender.append(draft).await.context("the journal is closed")?;
        let row = match outcome {
            Outcome::Committed(offset) => wait(&reader, &appender, patient, offset).await,
            Outcome::Duplicate(_) => Err(anyhow::anyhow!("an erasure has no key")),
            Outcome::Failed(error) => Err(anyhow::anyhow!("not written: {error}")),
        };
        let stopped = tokio::task::spawn_blocking(move || {
            appender.close();
            running.stop();
        });
        stopped.await.context("stopping failed")?;
        row
    })?;
    prove(folder, guard, &sealed, &reader, &row)
}

/// Waits until an erasure is done, and the journal is cut where it must be.
async fn wait(
    reader: &Reader,
    appender: &Appender,
    patient: &PatientId,
    offset: u64,
) -> anyhow::Result<ErasureRow> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let rows = reader.erasures(Some(patient))?;
        let done = rows.into_iter().find(|row| row.erasure.offset == offset && row.proof.is_some());
        if let Some(row) = done
            && erasing::behind(&row).is_none_or(|behind| appender.first_offset() > behind)
        {
            return Ok(row);
        }
        if reader.checkpoint()? > offset && reader.erasures(Some(patient))?.is_empty() {
            bail!("a hold keeps this patient's data; it must be released first");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("it takes too long; it goes on at the next start of the program")
}
