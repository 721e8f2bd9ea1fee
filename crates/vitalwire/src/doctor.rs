//! `vitalwire doctor`: checks the installation, the data folder, the clocks.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use guard::Guard;
use store::{SqliteStore, Store};

use crate::clock::clock;
use crate::config::Config;
use crate::wiring::Folder;

/// Arguments of `doctor`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Data folder.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = Folder(args.data.clone());
    let mut sick = 0;
    let mut say = |what: &str, found: Result<String, String>| match found {
        Ok(text) => println!("ok    {what}: {text}"),
        Err(text) => {
            sick += 1;
            println!("FAIL  {what}: {text}");
        }
    };
    say("configuration", configuration(args));
    say("data folder", writable(&args.data));
    say("disk", sync_time(&args.data));
    say("journal", journal(&folder));
    say("store", store(&folder));
    say("audit log", audit(&folder));
    say("clock", our_clock());
    if sick > 0 {
        anyhow::bail!("{sick} of 7 checks failed; each line above says what to do");
    }
    Ok(())
}

fn configuration(args: &Args) -> Result<String, String> {
    let config = Config::load(args.config.as_deref(), std::env::vars());
    config.map(|_| "well-formed".to_owned()).map_err(|error| error.to_string())
}

fn writable(folder: &Path) -> Result<String, String> {
    if !folder.exists() {
        return Ok("not there yet; `vitalwire serve` makes it".to_owned());
    }
    let probe = folder.join(".doctor");
    std::fs::write(&probe, b"x")
        .and_then(|()| std::fs::remove_file(&probe))
        .map(|()| "writable".to_owned())
        .map_err(|error| format!("cannot write: {error}; give this account the right to"))
}

/// What an acknowledgement costs on this disk.
fn sync_time(folder: &Path) -> Result<String, String> {
    let folder = if folder.exists() { folder.to_owned() } else { std::env::temp_dir() };
    let path = folder.join(".doctor-sync");
    let measure = || -> std::io::Result<f64> {
        let mut file = std::fs::File::create(&path)?;
        let begun = Instant::now();
        for _ in 0..20 {
            file.write_all(&[0; 512])?;
            file.sync_data()?;
        }
        Ok(begun.elapsed().as_secs_f64() * 1_000.0 / 20.0)
    };
    let found = measure();
    let _ = std::fs::remove_file(&path);
    match found {
        Ok(ms) => Ok(format!("a synced write takes {ms:.2} ms")),
        Err(error) => Err(format!("cannot sync: {error}")),
    }
}

fn journal(folder: &Folder) -> Result<String, String> {
    if !folder.journal().exists() {
        return Ok("none yet".to_owned());
    }
    match journal::EmbeddedJournal::open(&folder.journal()) {
        Err(journal::JournalError::InUse(_)) => Ok("in use by a running program".to_owned()),
        Err(error) => Err(error.to_string()),
        Ok(journal) => {
            let verified = journal::Journal::reader(&journal).verify();
            let verified = verified.map_err(|error| error.to_string())?;
            let entries = verified.next_offset - verified.first_offset;
            Ok(format!("{entries} entries, chain intact"))
        }
    }
}

fn store(folder: &Folder) -> Result<String, String> {
    if !folder.store().exists() {
        return Ok("none yet".to_owned());
    }
    let store = SqliteStore::open(&folder.store()).map_err(|error| error.to_string())?;
    let checkpoint = store.reader().checkpoint().map_err(|error| error.to_string())?;
    Ok(format!("readable, at journal entry {checkpoint}"))
}

fn audit(folder: &Folder) -> Result<String, String> {
    if !folder.guard().exists() {
        return Ok("none yet".to_owned());
    }
    let verified = Guard::verify_audit(&folder.guard()).map_err(|error| error.to_string())?;
    Ok(format!("intact: {verified:?}"))
}

/// A clock before this program was written is wrong.
fn our_clock() -> Result<String, String> {
    const WRITTEN_MS: i64 = 1_767_225_600_000;
    if clock().millis() < WRITTEN_MS {
        return Err("before 2026; set the clock, and keep it by NTP".to_owned());
    }
    Ok("plausible; keep it by NTP, or device times will look wrong".to_owned())
}
