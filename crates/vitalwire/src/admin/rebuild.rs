//! `vitalwire audit rebuild`: what the journal concludes when it is taken in again from its first
//! entry, and whether the store holds the same (EN-1).

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use journal::Journal;
use runtime::{Compared, Rebuilt, rebuild, rebuild_and_compare};
use serde_json::json;
use store::Store;

use crate::wiring::Folder;

/// Takes the journal of a data folder in and prints what became of alerts; JSON lines on demand.
pub(super) fn run(data: PathBuf, as_json: bool) -> anyhow::Result<()> {
    let folder = Folder(data);
    let sealed = crate::sealed::unlock_here(&folder)?;
    let journal = sealed.journal(&folder)
        .context("cannot open the journal; stop the program first, or take a copy of its folder")?;
    let journal = Journal::reader(&journal);
    let models = crate::foresight::library(&folder.models())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed = None;
    let told = |offset, record: &engine::AlertRecord| {
        let line = if as_json {
            json!({ "offset": offset, "alert": record }).to_string()
        } else {
            let episode = &record.episode;
            format!(
                "entry {offset}: {} {} {} ({}, {}): {}",
                episode.id,
                record.kind.name(),
                episode.title,
                episode.priority.name(),
                record.actor,
                episode.reason
            )
        };
        // A reader that went away ends the printing, not the comparison.
        failed = writeln!(out, "{line}").err().or(failed.take());
    };
    let (rebuilt, compared) = if folder.store().exists() {
        let store = sealed.store(&folder)?;
        rebuild_and_compare(journal.as_ref(), &models, &store.reader(), told)?
    } else {
        (rebuild(journal.as_ref(), &models, told)?, Compared::Cut)
    };
    let has_store = folder.store().exists();
    let standing = match &compared {
        _ if !has_store => "there is none".to_owned(),
        Compared::Equal { checkpoint } => format!("equal up to entry {checkpoint}"),
        Compared::Differs(what) => format!("differs: {what}"),
        Compared::Erased => "not compared: somebody was erased from this journal".to_owned(),
        Compared::Cut => "not compared: the journal no longer has its first entries".to_owned(),
    };
    writeln!(out, "{}", summary(&rebuilt, &standing, as_json))?;
    out.flush()?;
    match compared {
        Compared::Differs(what) => anyhow::bail!("the store is not what the journal concludes: {what}"),
        _ => Ok(()),
    }
}

fn summary(rebuilt: &Rebuilt, store: &str, as_json: bool) -> String {
    let Rebuilt { first, next, alerts, values, samples, effects, state } = rebuilt;
    if as_json {
        return json!({
            "first_offset": first,
            "next_offset": next,
            "alert_changes": alerts,
            "values": values,
            "samples": samples,
            "effects_blake3": effects,
            "state_blake3": state,
            "store": store,
        })
        .to_string();
    }
    format!(
        "entries {first} to {next}: {values} values, {samples} samples, {alerts} changes of alerts\neffects  {effects}\n\
         state    {state}\nstore    {store}"
    )
}
