//! `vitalwire profile test`: how a profile reads a payload, step by step.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use mapping::{Profiles, RawMessage};

use crate::Misuse;
use crate::clock::clock;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Test a profile on a payload and show each step.
    Test {
        /// Profile (.toml, .json), or a folder of them.
        file: PathBuf,
        /// Payload; `-` reads standard input.
        payload: PathBuf,
        /// Topic that the payload came on; without it the profile's own first topic.
        #[arg(long)]
        topic: Option<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Test { file, payload, topic, json } = command;
    let sources = sources(&file)?;
    let (profiles, errors) = Profiles::compile(&sources);
    let profiles = profiles.decoding_with(Some(crate::decoding::pool()));
    if let Some(error) = errors.iter().find(|error| !error.warning) {
        return Err(Misuse(error.to_string()).into());
    }
    let bytes = if payload.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        bytes
    } else {
        std::fs::read(&payload).with_context(|| format!("cannot read {}", payload.display()))?
    };
    let topic = topic.or_else(|| own_topic(&profiles)).unwrap_or_else(|| "test".to_owned());
    let raw =
        RawMessage { topic: &topic, payload: &bytes, content_type: None, received: clock() };
    let trace = profiles.trace(&raw);
    if json {
        println!("{}", serde_json::to_string(&trace)?);
    } else {
        println!("{trace}");
    }
    if trace.values.is_empty() {
        anyhow::bail!("no value came out; see the steps above");
    }
    Ok(())
}

/// A topic that the first profile takes: its filter with names in place of wildcards.
fn own_topic(profiles: &Profiles) -> Option<String> {
    let listed = profiles.list().into_iter().find(|listed| !listed.file.is_empty())?;
    let filter = listed.topics.first()?;
    let levels = filter.split('/').map(|level| match level {
        "+" | "#" => "test",
        level if level.starts_with('{') => "test-device",
        level => level,
    });
    Some(levels.collect::<Vec<_>>().join("/"))
}

fn sources(path: &std::path::Path) -> anyhow::Result<Vec<(String, String)>> {
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    if path.is_file() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("profile.toml");
        let mut sources = vec![(name.to_owned(), read(path)?)];
        // The payload decoders beside it, one of which it may name.
        let beside = path.parent().map(std::fs::read_dir).and_then(Result::ok);
        for other in beside.into_iter().flatten().flatten().map(|entry| entry.path()) {
            if let Some(name) = other.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".js")) {
                sources.push((name.to_owned(), read(&other)?));
            }
        }
        return Ok(sources);
    }
    let mut sources = Vec::new();
    let folder = path.file_name().and_then(|name| name.to_str()).unwrap_or("profiles");
    let entries = std::fs::read_dir(path);
    for entry in entries.with_context(|| format!("cannot read {}", path.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if [".toml", ".json", ".js"].iter().any(|ending| name.ends_with(ending)) {
            sources.push((format!("{folder}/{name}"), read(&path)?));
        }
    }
    sources.sort();
    Ok(sources)
}
