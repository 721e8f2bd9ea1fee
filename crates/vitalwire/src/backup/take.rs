//! Taking a backup, also while the program runs.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use guard::Guard;
use rusqlite::{Connection, OpenFlags};
use seal::{Domain, database};
use serde_json::json;
use vault::Vault;

use super::format::{Record, Writer};
use super::tables;
use crate::clock::clock;
use crate::config::Config;
use crate::sealed;
use crate::wiring::Folder;

/// When the last backup was made, in the folder of keys.
pub(crate) const LAST: &str = "last-backup.json";

/// Arguments of `backup`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Data folder; the program may be running on it.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
    /// File to write, or a folder to write one into that is named after the time.
    #[arg(long)]
    to: PathBuf,
    /// Where to put the copy of the keyring, in place of the one before. Keep it elsewhere than the
    /// backups. [default: keys.copy of the configuration]
    #[arg(long)]
    keyring_to: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let folder = Folder(args.data.clone());
    if !folder.store().exists() {
        bail!("{} has no store: is it the data folder?", args.data.display());
    }
    let sealed = sealed::unlock(&folder, &config.keys)?;
    let vault = sealed.vault.as_ref().context(
        "this data folder is not encrypted (keys.encrypt = false), and a backup is: copy the folder \
         while the program is stopped",
    )?;
    let copy = args.keyring_to.as_ref().or(config.keys.copy.as_ref()).context(
        "--keyring-to: a backup cannot be read without the keyring, so say where its copy goes",
    )?;
    let to = target(&args.to);
    let guard = Guard::trial(&folder.guard()).context("cannot open the audit log")?;
    let told = to.display().to_string();
    let made = guard.locally("backup", &told, clock(), || write(&folder, vault, &to))?;
    vault.copy_to(copy).context("the backup was made, but not the copy of the keyring")?;
    let report = json!({
        "file": told,
        "bytes": std::fs::metadata(&to).map_or(0, |found| found.len()),
        "records": made.records,
        "rows": made.rows,
        "checkpoint": made.checkpoint,
        "made_ms": made.made_us / 1_000,
        "keyring": copy.display().to_string(),
    });
    std::fs::write(folder.keys().join(LAST), report.to_string())?;
    if args.json {
        println!("{report}");
    } else {
        println!(
            "{}: {} rows at journal entry {}; the keyring's copy: {}",
            told, made.rows, made.checkpoint, copy.display()
        );
    }
    Ok(())
}

fn target(to: &Path) -> PathBuf {
    if !to.is_dir() {
        return to.to_owned();
    }
    let now = jiff::Timestamp::from_microsecond(clock().micros()).unwrap_or_default();
    to.join(format!("vitalwire-{}.backup", now.strftime("%Y%m%dT%H%M%SZ")))
}

struct Made {
    records: u64,
    rows: u64,
    checkpoint: u64,
    made_us: i64,
}

fn write(folder: &Folder, vault: &Vault, to: &Path) -> anyhow::Result<Made> {
    let mut name = to.file_name().context("--to: no file name")?.to_owned();
    name.push(".part");
    let part = to.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let store = reading(&folder.store(), vault, &Domain::Store)?;
    let accounts = folder.guard().join(guard::DATABASE_FILE);
    let accounts =
        accounts.exists().then(|| reading(&accounts, vault, &Domain::Guard)).transpose()?;
    let version = |db: &Connection| db.pragma_query_value(None, "user_version", |row| row.get(0));
    let checkpoint: i64 = store.query_row(
        "select coalesce((select value from meta where name = 'checkpoint'), 0)", [], |row| row.get(0),
    )?;
    let begin = Record::Begin {
        made_us: clock().micros(),
        checkpoint: checkpoint as u64,
        chain: journal::ended_at(&folder.journal(), checkpoint as u64)?.map(|(at, chain)| (at.0, chain)),
        store: version(&store)?,
        accounts: accounts.as_ref().map_or(Ok(0), version)?,
    };
    let Record::Begin { made_us, .. } = begin else { unreachable!("it was made so") };
    let mut out = Writer::new(BufWriter::new(file), vault)?;
    out.put(&Domain::Backup, &begin)?;
    let mut rows = tables::store(&store, &mut out)?;
    if let Some(accounts) = &accounts {
        rows += tables::accounts(accounts, &mut out)?;
    }
    for path in files(folder)? {
        let bytes = std::fs::read(folder.0.join(&path)).with_context(|| format!("cannot read {path}"))?;
        out.put(&Domain::Backup, &Record::File { path, bytes })?;
    }
    let (out, records) = out.end()?;
    out.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    std::fs::rename(&part, to)?;
    let beside = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(beside.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(Made { records, rows, checkpoint: checkpoint as u64, made_us })
}

/// A connection that sees one moment of a database until it is dropped.
fn reading(file: &Path, vault: &Vault, domain: &Domain) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = Connection::open_with_flags(file, flags)?;
    db.execute_batch(&database::unlock(&vault.key(domain)?))?;
    db.busy_timeout(std::time::Duration::from_secs(30))?;
    db.execute_batch("pragma query_only = on; begin; select count(*) from sqlite_master;")?;
    Ok(db)
}

/// Files that go into a backup as they are, by their path in the data folder. The audit log's head
/// comes before the log: a log that is longer than its head is one to which more was added.
fn files(folder: &Folder) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = ["guard", "tls", "profiles", "alarm-policies"].map(str::to_owned).to_vec();
    while let Some(name) = folders.pop() {
        let Ok(items) = std::fs::read_dir(folder.0.join(&name)) else { continue };
        for item in items {
            let item = item?;
            let path = format!("{name}/{}", item.file_name().to_string_lossy());
            if item.file_type()?.is_dir() {
                folders.push(path);
            } else if !path.starts_with(&format!("guard/{}", guard::DATABASE_FILE)) {
                found.push(path);
            }
        }
    }
    found.sort_by_key(|path| (path.ends_with(".log"), path.clone()));
    Ok(found)
}
