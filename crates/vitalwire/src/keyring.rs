//! `vitalwire keys`: what keys there are, and their rotation, also while the program runs.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use vault::{Source, Vault};

use crate::Misuse;
use crate::clock::clock;
use crate::config::Config;
use crate::sealed;
use crate::wiring::Folder;

/// Where the keys are.
#[derive(clap::Args)]
pub(crate) struct Where {
    /// Data folder.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What keys there are, and where the master key is.
    Status {
        #[command(flatten)]
        place: Where,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make a new master key; with --data-keys new keys for journal entries and backups instead.
    Rotate {
        #[command(flatten)]
        place: Where,
        /// Where the new master key is: file:PATH (made when it is not there), env:NAME,
        /// credential:NAME, or pkcs11 (as configured under keys.token_…). [default: in place of the
        /// old one, a file]
        #[arg(long)]
        to: Option<String>,
        /// Renew the keys of patients and of the journal. What is sealed stays readable.
        #[arg(long, conflicts_with = "to")]
        data_keys: bool,
    },
    /// Put a copy of the keyring somewhere, in place of the one before.
    Copy {
        #[command(flatten)]
        place: Where,
        /// The file.
        #[arg(long)]
        to: PathBuf,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Status { place, json } => status(&open(&place)?.1, json),
        Command::Rotate { place, to, data_keys } => rotate(&place, to.as_deref(), data_keys),
        Command::Copy { place, to } => {
            let (folder, vault) = open(&place)?;
            let told = to.display().to_string();
            audited(&folder, "copy-keyring", &told, || Ok(vault.copy_to(&to)?))
        }
    }
}

fn open(place: &Where) -> anyhow::Result<(Folder, Vault)> {
    let folder = Folder(place.data.clone());
    if !folder.keys().join(vault::KEYRING_FILE).exists() {
        bail!("{} has no keyring: it is not encrypted, or not a data folder", place.data.display());
    }
    let config = Config::load(place.config.as_deref(), std::env::vars())?;
    // The configuration may say already where the key is to go: it still is where it was noted.
    let vault = match sealed::unlock(&folder, &config.keys) {
        Ok(sealed) => sealed.vault.context("no keyring")?,
        Err(error) => {
            let noted = vault::noted(&folder.keys()).ok_or(error)?;
            Vault::open(&folder.keys(), noted)?
        }
    };
    Ok((folder, vault))
}

fn audited(
    folder: &Folder,
    deed: &'static str,
    detail: &str,
    act: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let guard = guard::Guard::trial(&folder.guard()).context("cannot open the audit log")?;
    guard.locally(deed, detail, clock(), act)
}

fn status(vault: &Vault, as_json: bool) -> anyhow::Result<()> {
    let status = vault.status();
    if as_json {
        let keys: serde_json::Map<_, _> = status
            .keys
            .iter()
            .map(|(name, (count, made))| {
                ((*name).to_owned(), json!({ "keys": count, "newest_ms": made / 1_000 }))
            })
            .collect();
        println!(
            "{}",
            json!({
                "master_key": status.source.describe(),
                "generation": status.generation,
                "patients": status.patients,
                "erased": status.destroyed,
                "keys": keys,
                "bytes": status.bytes,
            })
        );
        return Ok(());
    }
    println!("master key  {}", status.source.describe());
    println!("keyring     written anew {} times, {} bytes", status.generation, status.bytes);
    println!("patients    {} with a key, {} erasures", status.patients, status.destroyed);
    for (name, (count, made)) in &status.keys {
        let made = jiff::Timestamp::from_microsecond(*made).unwrap_or_default();
        println!("{name:11} {count} keys, the newest made {}", made.strftime("%Y-%m-%d %H:%M UTC"));
    }
    Ok(())
}

fn rotate(place: &Where, to: Option<&str>, data_keys: bool) -> anyhow::Result<()> {
    let (folder, vault) = open(place)?;
    if data_keys {
        return audited(&folder, "rotate-data-keys", "", || {
            let count = vault.rotate_data(clock())?;
            println!("{count} new keys; what is sealed from now on is sealed with them");
            Ok(())
        });
    }
    let config = Config::load(place.config.as_deref(), std::env::vars())?;
    let to = to.map(|text| parse(text, &folder, &config)).transpose()?;
    let told = to.as_ref().map_or("in place".to_owned(), Source::describe);
    audited(&folder, "rotate-master-key", &told, || {
        vault.rotate_master(to.as_ref())?;
        if let Some(to) = &to {
            println!("{} holds it", to.describe());
        }
        println!("a new master key wraps the keyring: {told}");
        if to.is_some() {
            println!("Configure it (keys.…) before the next start, and remove the old one.");
        }
        Ok(())
    })
}

fn parse(text: &str, folder: &Folder, config: &Config) -> anyhow::Result<Source> {
    Ok(match text.split_once(':') {
        Some(("file", path)) => Source::File(path.into()),
        Some(("env", name)) => Source::Environment(name.to_owned()),
        Some(("credential", name)) => Source::Credential(name.to_owned()),
        None if text == "pkcs11" && config.keys.token_module.is_some() => {
            sealed::source(folder, &config.keys)?
        }
        _ => {
            return Err(Misuse(
                "--to: file:PATH, env:NAME, credential:NAME, or pkcs11 with keys.token_… configured"
                    .to_owned(),
            )
            .into());
        }
    })
}
