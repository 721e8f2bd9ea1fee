//! `vitalwire doctor`: checks the installation, the data folder, the clocks.

mod security;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use guard::Guard;
use store::Store;

use crate::clock::clock;
use crate::config::Config;
use crate::sealed;
use crate::watch::{AUDIT_LARGE, audit_bytes, newest_entry};
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
    /// Check keys, encryption, modes and backups as well.
    #[arg(long)]
    security: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = Folder(args.data.clone());
    let (mut sick, mut checks) = (0, 0);
    let mut say = |what: &str, found: Result<String, String>| {
        checks += 1;
        match found {
            Ok(text) => println!("ok    {what}: {text}"),
            Err(text) => {
                sick += 1;
                println!("FAIL  {what}: {text}");
            }
        }
    };
    let config = Config::load(args.config.as_deref(), std::env::vars());
    say("configuration", config.as_ref().map(configured).map_err(ToString::to_string));
    say("certificates", config.as_ref().map_or(Ok("not looked at".to_owned()), |c| certificates(c, &folder)));
    say("data folder", writable(&args.data));
    say("permissions", permissions(&args.data));
    say("disk", sync_time(&args.data));
    say("journal", journal(&folder));
    say("store", store(&folder));
    say("audit log", audit(&folder));
    say("clock", our_clock(&folder));
    if let (true, Ok(config)) = (args.security, &config) {
        for (what, check) in security::CHECKS {
            match check(&folder, config) {
                security::Verdict::Fine(text) => say(what, Ok(text)),
                security::Verdict::Bad(text) => say(what, Err(text)),
                security::Verdict::Mind(text) => println!("mind  {what}: {text}"),
            }
        }
    }
    if sick > 0 {
        anyhow::bail!("{sick} of {checks} checks failed; each line above says what to do");
    }
    Ok(())
}

fn configured(config: &Config) -> String {
    let open = [config.http.listen, config.mqtt.listen, config.mllp.listen];
    let outside = open.iter().filter(|address| !address.ip().is_loopback()).count();
    match crate::serve::check_exposure(config, false) {
        Ok(()) => format!("well-formed; {outside} of 3 plain addresses reached from outside"),
        Err(error) => format!("well-formed, but serve needs a flag with it: {error}"),
    }
}

/// Every certificate that a listener shows: readable, fitting, for how long.
fn certificates(config: &Config, folder: &Folder) -> Result<String, String> {
    const SOON_S: i64 = 30 * 24 * 3_600;
    let own = folder.tls().join("certificate.pem");
    let own = (config.tls.self_signed && own.exists()).then(|| gateway::tls::TlsFiles {
        certificate: own,
        key: folder.tls().join("key.pem"),
        ..gateway::tls::TlsFiles::default()
    });
    let mut files: Vec<_> = [config.http_tls(), config.mqtt_tls(), config.mllp_tls(), own]
        .into_iter()
        .flatten()
        .collect();
    files.dedup();
    if files.is_empty() {
        return Ok("none configured".to_owned());
    }
    let mut first = i64::MAX;
    for one in &files {
        gateway::tls::acceptor(one).map_err(|error| error.to_string())?;
        let (until, _) =
            gateway::tls::valid_until(&one.certificate).map_err(|error| error.to_string())?;
        first = first.min(until);
    }
    let days = (first - clock().millis() / 1_000) / 86_400;
    if first - clock().millis() / 1_000 < SOON_S {
        return Err(format!("one ends in {days} days: put in a new one and start again"));
    }
    Ok(format!("{} usable, the first ends in {days} days", files.len()))
}

/// Nobody but us may read what is in the folder.
fn permissions(folder: &Path) -> Result<String, String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut open = Vec::new();
        for name in ["", "guard/guard.db", "guard/audit.log", "guard/audit.head", "guard/authority.key", "tls/key.pem"] {
            let path = if name.is_empty() { folder.to_owned() } else { folder.join(name) };
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            if metadata.permissions().mode() & 0o077 != 0 {
                open.push(path.display().to_string());
            }
        }
        if !open.is_empty() {
            return Err(format!("others may use {}: chmod go= {0}", open.join(" ")));
        }
    }
    Ok("for its owner alone".to_owned())
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
    let store = sealed::unlock_here(folder).and_then(|sealed| sealed.store(folder));
    let store = store.map_err(|error| format!("{error:#}"))?;
    let reader = store.reader();
    let checkpoint = reader.checkpoint().map_err(|error| error.to_string())?;
    let expired = reader.expired().map_err(|error| error.to_string())?;
    Ok(format!(
        "readable, at journal entry {checkpoint}; retention removed {} samples, {} values, {} texts so far",
        expired.samples, expired.points, expired.texts
    ))
}

fn audit(folder: &Folder) -> Result<String, String> {
    if !folder.guard().exists() {
        return Ok("none yet".to_owned());
    }
    let verified = Guard::verify_audit(&folder.guard()).map_err(|error| error.to_string())?;
    let bytes = audit_bytes(&folder.guard());
    let hint = if bytes > AUDIT_LARGE { "; `vitalwire audit archive` moves older files away" } else { "" };
    let repairs = verified.repairs.len();
    let key = verified.keys.last().map_or("none yet", String::as_str);
    Ok(format!("{} records, {bytes} bytes, unbroken; repaired {repairs} times; key {key}{hint}", verified.records))
}

/// A clock before this program was written is wrong, and so is one behind what was taken in.
fn our_clock(folder: &Folder) -> Result<String, String> {
    const WRITTEN_MS: i64 = 1_767_225_600_000;
    if clock().millis() < WRITTEN_MS {
        return Err("before 2026; set the clock, and keep it by NTP".to_owned());
    }
    if folder.journal().exists()
        && let Ok(sealed) = sealed::unlock_here(folder)
        && let Ok(journal) = sealed.journal(folder)
        && let Ok(Some(newest)) = newest_entry(&journal)
    {
        let behind_s = (newest.micros() - clock().micros()) / 1_000_000;
        if behind_s > 1 {
            return Err(format!(
                "{behind_s} s behind the newest journal entry: it was set back, or was ahead \
                 before; set it, and keep it by NTP"
            ));
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let kept = runtime.map_or(crate::time_service::Kept::Unknown, |runtime| runtime.block_on(crate::time_service::look()));
    Ok(format!("plausible; {}", kept.words()))
}
