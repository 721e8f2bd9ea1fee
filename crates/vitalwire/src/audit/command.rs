//! The commands.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use guard::{ARCHIVED, AUDIT_FILE, AuditLog, Checks, Guard, Proof, Record};
use ledger::{SignedHead, Verifier, to_base64};
use serde_json::json;

use super::check::{Broken, Whole, check};
use super::witness;
use crate::Misuse;
use crate::clock::clock;
use crate::wiring::Folder;

/// Where the data are.
#[derive(clap::Args)]
pub(crate) struct Data {
    /// Data folder.
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

impl Data {
    fn log(&self) -> AuditLog {
        AuditLog::at(&Folder(self.data.clone()).guard())
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check that the audit log and the journal were not tampered with; exit code 1 names the
    /// first place that is not as it was written.
    Verify(VerifyArgs),
    /// Print the signed head of the log: keep it elsewhere, and compare with it later.
    Head {
        #[command(flatten)]
        data: Data,
        /// Print the log's public key instead.
        #[arg(long)]
        key: bool,
    },
    /// Print a record with the proof that it is in the log (JSON).
    Prove {
        /// The record's number, from 1.
        record: u64,
        #[command(flatten)]
        data: Data,
    },
    /// Check such a proof; needs nothing but the log's public key.
    VerifyProof {
        /// The file that `prove` printed.
        proof: PathBuf,
        /// The log's public key (`name+hash+base64`), or a file with it.
        #[arg(long)]
        key: String,
    },
    /// Print the proof that the log of NEW records continues the one of OLD (JSON).
    Continues {
        /// Size of the older log.
        old: u64,
        /// Size of the newer one.
        new: u64,
        #[command(flatten)]
        data: Data,
    },
    /// Witness logs of other machines: sign their heads, each only if it continues the one before.
    Witness(witness::Args),
    /// Take the older files of the log away, and record that.
    Archive {
        /// The folder to move them to.
        #[arg(long)]
        to: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Take the journal in again from its first entry: print what became of alerts and a digest,
    /// and say whether the store holds the same. Run twice, it prints the same bytes.
    Rebuild {
        #[command(flatten)]
        data: Data,
        /// Print JSON lines: one a change of an alert, then one summary.
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    data: Data,
    /// A head that was kept elsewhere (`audit head`, or a witness's file); may be given again.
    #[arg(long)]
    head: Vec<PathBuf>,
    /// A witness's public key: it must have signed one of these heads; may be given again.
    #[arg(long)]
    witness: Vec<String>,
    /// A folder with older files of the log (`audit archive`); may be given again.
    #[arg(long)]
    archive: Vec<PathBuf>,
    /// The folder is a copy without the log's secret key.
    #[arg(long)]
    copy: bool,
    /// What the program itself found up to this record was looked into.
    #[arg(long, default_value_t = 0)]
    seen: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Verify(args) => verify(&args),
        Command::Head { data, key: true } => {
            println!("{}", data.log().verifier()?);
            Ok(())
        }
        Command::Head { data, key: false } => {
            let head = data.log().head()?.context("no head was signed yet")?;
            print!("{}", head.note());
            Ok(())
        }
        Command::Prove { record, data } => {
            let proof = data.log().prove(record)?;
            let proof = proof.with_context(|| format!("record {record} is not here, or not signed yet"))?;
            println!("{}", serde_json::to_string_pretty(&proof)?);
            Ok(())
        }
        Command::VerifyProof { proof, key } => verify_proof(&proof, &key),
        Command::Continues { old, new, data } => {
            let (log, hash) = (data.log(), |hash: &ledger::Hash| to_base64(hash));
            let path: Vec<String> = log.continues(old, new)?.iter().map(hash).collect();
            let (old_root, new_root) = (hash(&log.root(old)?), hash(&log.root(new)?));
            let proof = json!({"old": old, "old_root": old_root, "new": new, "new_root": new_root, "path": path});
            println!("{}", serde_json::to_string_pretty(&proof)?);
            Ok(())
        }
        Command::Witness(args) => witness::run(args),
        Command::Archive { to, data } => archive(&Folder(data.data), &to),
        Command::Rebuild { data, json } => crate::admin::rebuild(data.data, json),
    }
}

/// A key as text, or in a file.
pub(crate) fn key(text: &str) -> anyhow::Result<Verifier> {
    let from_file = std::fs::read_to_string(text);
    let text = from_file.as_deref().unwrap_or(text).trim();
    Ok(Verifier::parse(text).map_err(|error| Misuse(format!("a key is needed: {error}")))?)
}

fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let folder = Folder(args.data.data.clone());
    let mut checks = Checks { archives: args.archive.clone(), copy: args.copy, ..Checks::default() };
    for path in &args.head {
        let note = std::fs::read_to_string(path);
        let note = note.with_context(|| format!("cannot read {}", path.display()))?;
        checks.heads.push((path.display().to_string(), note));
    }
    for text in &args.witness {
        checks.witnesses.push(key(text)?);
    }
    match check(&folder.guard(), &folder.journal(), &checks) {
        Ok(whole) => told(&whole, args),
        Err(broken) => {
            if args.json {
                println!("{}", broken_json(&broken));
            }
            Err(broken.into())
        }
    }
}

fn broken_json(broken: &Broken) -> serde_json::Value {
    let (file, at) = broken.place();
    let unit = match broken {
        Broken::Audit(_) => "record",
        Broken::Journal { .. } | Broken::Unreadable(_) => "byte",
    };
    json!({"whole": false, "file": file, unit: at, "what": broken.to_string()})
}

/// Says what is whole; what the program itself found is an error until somebody has seen it.
fn told(whole: &Whole, args: &VerifyArgs) -> anyhow::Result<()> {
    let audit = &whole.audit;
    let found: Vec<_> = audit.repairs.iter().filter(|one| one.is_suspicious() && one.record > args.seen).collect();
    if args.json {
        let journal = whole.journal.as_ref().map(|found| {
            json!({"first": found.verified.first_offset, "next": found.verified.next_offset,
                "files": found.verified.files, "in_use": whole.in_use})
        });
        let repairs: Vec<_> = audit.repairs.iter().map(|one| {
            json!({"record": one.record, "found": one.detail, "suspicious": one.is_suspicious()})
        }).collect();
        let report = json!({"whole": found.is_empty(), "records": audit.records, "files": audit.files,
            "hash": audit.hash, "root": to_base64(&audit.root), "signed": audit.signed,
            "key": audit.keys.last(), "compared": audit.compared, "repairs": repairs,
            "absent": audit.absent.iter().map(|(from, to)| json!({"from": from, "to": to})).collect::<Vec<_>>(),
            "archived": audit.archived, "expired": audit.expired.map(|(record, before)| {
                json!({"record": record, "before_ms": before.millis()})
            }),
            "journal_heads": audit.journal.len(), "journal": journal});
        println!("{report}");
    } else {
        println!("audit log: {} records in {} files, unbroken; the last hash is {}", audit.records, audit.files, audit.hash);
        println!("  tree: root {}, signed up to record {}", to_base64(&audit.root), audit.signed);
        if let Some(key) = audit.keys.last() {
            println!("  key: {key}");
        }
        for (from, to) in &audit.absent {
            println!("  records {from} to {to} are not here: {}", away(audit, *to));
        }
        for head in &audit.compared {
            println!("  it continues {head}");
        }
        for repair in &audit.repairs {
            println!("  record {}: the program found: {}", repair.record, repair.detail);
        }
        match &whole.journal {
            None => println!("journal: none yet"),
            Some(found) => println!(
                "journal: entries {} to {}, {} files, all checksums and the hash chain hold; {} notes of its end in the audit log{}",
                found.verified.first_offset, found.verified.next_offset, found.verified.files, audit.journal.len(),
                if whole.in_use { "; in use: what is being written is not looked at" } else { "" }
            ),
        }
    }
    match found.first() {
        None => Ok(()),
        Some(one) => anyhow::bail!(
            "record {}: the program found {}; look into it, then say --seen {}",
            one.record, one.detail, one.record
        ),
    }
}

/// Why records up to this one are not here, by the log's own word.
fn away(audit: &guard::Verified, to: u64) -> String {
    match audit.expired.filter(|(record, _)| *record >= to) {
        Some((_, before)) => format!("expired, all of before {} (retention.audit_days)", crate::retention::when(before.micros())),
        None => "archived; give the folder with --archive".to_owned(),
    }
}

fn verify_proof(path: &Path, key_text: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let proof: Proof = serde_json::from_str(&text).context("not a proof as `audit prove` prints it")?;
    let head: SignedHead = proof.verify(&key(key_text)?).context("the proof does not hold")?;
    println!("record {} is in the log of {} records:", proof.index + 1, head.checkpoint.size);
    println!("{}", proof.record);
    Ok(())
}

/// Moves older files away, after a record that says so.
fn archive(folder: &Folder, to: &Path) -> anyhow::Result<()> {
    let guard = folder.guard();
    guard::verify_audit_with(&guard, &Checks { archives: vec![to.to_owned()], ..Checks::default() })
        .or_else(|_| guard::verify_audit(&guard))
        .context("what is not whole is not archived")?;
    let older: Vec<PathBuf> = std::fs::read_dir(&guard)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            name.starts_with("audit-") && name.ends_with(".log")
        })
        .collect();
    if older.is_empty() {
        println!("nothing to archive: there is only {AUDIT_FILE}");
        return Ok(());
    }
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let log = AuditLog::at(&guard);
    let mut last = 0;
    // The growing file's first record says what it continues.
    let growing = std::fs::read_to_string(guard.join(AUDIT_FILE))?;
    if let Some(number) = growing.lines().next().and_then(|line| line.split(&[':', ','][..]).nth(1)?.parse::<u64>().ok()) {
        last = number - 1;
    }
    for path in &older {
        let name = path.file_name().unwrap_or_default();
        std::fs::copy(path, to.join(name)).with_context(|| format!("cannot copy {}", path.display()))?;
        std::fs::File::open(to.join(name))?.sync_all()?;
    }
    let record = Record { object: last.to_string(), ..Record::new(clock(), "system", ARCHIVED) };
    let writer = Guard::trial(&guard).context("cannot open the audit log")?;
    writer.audit_blocking(Record { detail: format!("records up to {last} moved away"), ..record })?;
    drop(writer);
    for path in &older {
        std::fs::remove_file(path)?;
    }
    let head = log.head()?.map(|head| head.note()).unwrap_or_default();
    std::fs::write(to.join(format!("head-{last:020}.txt")), head)?;
    println!("{} files with records up to {last} are in {}", older.len(), to.display());
    Ok(())
}
