//! Restoring a backup into a new data folder.

use std::fs::File;
use std::io::BufReader;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use rusqlite::Connection;
use rusqlite::types::Value;
use seal::{Domain, database};
use vitals::ReceiveTime;

use super::format::{Cell, Database, Reader, Record};
use crate::config::Config;
use crate::sealed;
use crate::wiring::Folder;

/// Arguments of `restore`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The backup.
    #[arg(long)]
    from: PathBuf,
    /// The copy of the keyring.
    #[arg(long)]
    keyring: PathBuf,
    /// A file with the master key, where it is not configured: it is copied into the new folder.
    #[arg(long)]
    master_key: Option<PathBuf>,
    /// Data folder to make; it must not exist, or be empty.
    #[arg(long)]
    data: PathBuf,
    /// Configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let folder = Folder(args.data.clone());
    if std::fs::read_dir(&args.data).is_ok_and(|mut items| items.next().is_some()) {
        bail!("{} is not empty: a backup is restored into a new folder", args.data.display());
    }
    folder.make()?;
    keep(&args.keyring, &folder.keys().join(vault::KEYRING_FILE))?;
    if let Some(master) = &args.master_key {
        keep(master, &folder.keys().join(vault::MASTER_FILE))?;
    }
    let sealed = sealed::unlock(&folder, &config.keys)?;
    let vault = sealed.vault.as_ref().context("without a keyring nothing can be restored")?;
    let input = File::open(&args.from).with_context(|| format!("cannot read {}", args.from.display()))?;
    let mut records = Reader::new(BufReader::new(input), vault)?;
    let Some(Record::Begin { checkpoint, chain, store, accounts, .. }) = records.next()? else {
        bail!("the backup does not begin as one");
    };
    // The tables are made by those who know them.
    drop(sealed.store(&folder)?);
    drop(sealed.guard(&folder)?);
    clear_trail(&folder)?;
    let mut stores = Target::open(&folder.store(), &vault.key(&Domain::Store)?, store)?;
    let guard = folder.guard().join(guard::DATABASE_FILE);
    let mut people = Target::open(&guard, &vault.key(&Domain::Guard)?, accounts)?;
    while let Some(record) = records.next()? {
        match record {
            Record::Rows { database: Database::Store, table, columns, rows } => {
                stores.put(&table, &columns, rows)?;
            }
            Record::Rows { database: Database::Accounts, table, columns, rows } => {
                people.put(&table, &columns, rows)?;
            }
            Record::File { path, bytes } => file(&folder, &path, &bytes)?,
            Record::Begin { .. } | Record::End { .. } => bail!("the backup has a record out of place"),
        }
    }
    let erased = records.erased;
    let rows = stores.end()? + people.end()?;
    let before = chain.map(|(at, chain)| (ReceiveTime(at), chain));
    journal::begin_at(&folder.journal(), checkpoint, before)
        .context("cannot begin the journal")?;
    println!(
        "{}: {rows} rows restored, as of journal entry {checkpoint}; {erased} records were of people \
         erased since and stay so",
        args.data.display()
    );
    Ok(())
}

/// The audit log comes from the backup, whole: the one that was just begun is nobody's.
fn clear_trail(folder: &Folder) -> anyhow::Result<()> {
    for item in std::fs::read_dir(folder.guard())? {
        let item = item?;
        if item.file_name().to_string_lossy().starts_with(guard::DATABASE_FILE) {
            continue;
        }
        match item.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(item.path())?,
            false => std::fs::remove_file(item.path())?,
        }
    }
    Ok(())
}

/// A database that rows are put into, all in one transaction.
struct Target {
    db: Connection,
    rows: u64,
    emptied: std::collections::BTreeSet<String>,
}

impl Target {
    fn open(file: &Path, key: &seal::Key, version: i64) -> anyhow::Result<Self> {
        let db = Connection::open(file)?;
        db.execute_batch(&database::unlock(key))?;
        let ours: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != ours && version != 0 {
            bail!("the backup's tables are of version {version}, this program's of {ours}: restore with the program that made it");
        }
        db.execute_batch("pragma foreign_keys = off; begin immediate;")?;
        Ok(Self { db, rows: 0, emptied: Default::default() })
    }

    fn put(&mut self, table: &str, columns: &[String], rows: Vec<Vec<Cell>>) -> anyhow::Result<()> {
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain(table) || !columns.iter().all(|column| plain(column)) {
            bail!("the backup names a table that cannot be");
        }
        if self.emptied.insert(table.to_owned()) {
            // A new database is not always empty.
            self.db.execute(&format!("delete from \"{table}\""), [])?;
        }
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("insert into \"{table}\" ({}) values ({marks})", names.join(", "));
        let mut insert = self.db.prepare_cached(&sql)?;
        for row in rows {
            insert.execute(rusqlite::params_from_iter(row.into_iter().map(value)))?;
            self.rows += 1;
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<u64> {
        self.db.execute_batch("commit; pragma wal_checkpoint(truncate);")?;
        Ok(self.rows)
    }
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(number),
        Cell::Real(number) => Value::Real(number),
        Cell::Text(text) => Value::Text(text),
        Cell::Blob(bytes) => Value::Blob(bytes),
    }
}

/// Copies a file of keys, for its owner alone.
fn keep(from: &Path, to: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    private(to, &bytes)
}

fn file(folder: &Folder, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let inside = Path::new(path);
    if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
        bail!("the backup has a file outside of the data folder");
    }
    private(&folder.0.join(inside), bytes)
}

fn private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    std::io::Write::write_all(&mut file, bytes)?;
    Ok(file.sync_all()?)
}
