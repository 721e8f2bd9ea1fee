//! `vitalwire policy propose | versions | verify`: versions of the alarm policy in a data folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use laboratory::versions::Version;
use laboratory::{Candidate, Progress};
use serde_json::json;

use crate::Misuse;
use crate::admin::Data;
use crate::clock::clock;

/// Arguments of `policy propose`.
#[derive(clap::Args)]
pub(crate) struct Propose {
    /// The policy: a TOML file, such as `policy simulate --write` makes.
    file: PathBuf,
    /// What it changes, in a line.
    #[arg(long)]
    title: String,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    data: Data,
}

/// Runs `policy propose`: in place of the policy in force, without figures.
pub(crate) fn propose(args: &Propose) -> anyhow::Result<()> {
    let text = super::text(&args.file)?;
    Candidate::of(&args.file.display().to_string(), &text).map_err(super::misuse)?;
    let in_force = super::past::open(&args.data.folder().0, None, None, &Progress::default())?.policy;
    if in_force == text {
        return Err(Misuse("that is the policy in force: it changes nothing".to_owned()).into());
    }
    let version = Version {
        title: args.title.clone(),
        reason: args.reason.clone(),
        policy: text,
        simulated: "not simulated".to_owned(),
        proposed_by: guard::local_name(),
        proposed_ms: clock().millis(),
        ..Version::default()
    };
    let versions = args.data.alarm_policies()?;
    let guard = args.data.guard()?;
    let detail = format!("BLAKE3 {}", laboratory::hash(&version.policy));
    let kept = guard.locally("propose-alert-policy", &detail, clock(), || -> anyhow::Result<Version> {
        Ok(versions.propose(version, &in_force)?)
    })?;
    println!("version {} is proposed; a second person approves it on the page, or with vitalwire policy approve {}", kept.number, kept.number);
    Ok(())
}

/// Runs `policy versions`.
pub(crate) fn list(data: &Data, as_json: bool) -> anyhow::Result<()> {
    // A folder without versions is left as it is.
    let any = data.folder().alarm_policies().exists();
    let all = if any { data.alarm_policies()?.list()? } else { Vec::new() };
    if as_json {
        println!("{}", json!(all));
        return Ok(());
    }
    for version in all {
        let state = match (&version.ended, &version.approved_by) {
            (Some(ended), _) => format!("{} by {}", ended.how, ended.by),
            (None, Some(by)) => format!("approved by {by}"),
            (None, None) => match &version.emergency {
                Some(emergency) => format!("put in force by {}, not reviewed", emergency.by),
                None => "proposed".to_owned(),
            },
        };
        println!("{}\t{}\tby {}\t{state}\t{}", version.number, version.title, version.proposed_by, version.hash);
    }
    Ok(())
}

/// Runs `policy verify`: needs nothing but the file and the house's public key.
pub(crate) fn verify(file: &Path, key: &str, as_json: bool) -> anyhow::Result<()> {
    let house = crate::audit::key(key)?;
    let signed = super::text(file)?;
    let version = Version::read(&signed, &house).with_context(|| format!("{} does not hold", file.display()))?;
    if as_json {
        println!("{}", json!(version));
        return Ok(());
    }
    let by = |name: &Option<String>| name.clone().unwrap_or_default();
    println!("version {}: {}", version.number, version.title);
    println!("proposed by {}, approved by {}, signed by {}", version.proposed_by, by(&version.approved_by), house.name());
    println!("policy {} in place of {}", version.hash, version.parent);
    if let Some(emergency) = &version.emergency {
        println!("put in force by {} before it was approved: {}", emergency.by, emergency.reason);
    }
    Ok(())
}
