//! `vitalwire firmware …`: signed firmware and update campaigns, on a data folder, also while the
//! program runs.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use depot::Depot;
use fleet::campaign::{Plan, Ring};

use crate::Misuse;
use crate::clock::clock;
use crate::wiring::Folder;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Trust a manufacturer's root of signatures (TUF); once, before the first import.
    Trust {
        /// The root's file, such as `1.root.json`, from the manufacturer by a way that you trust.
        root: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Take in signed firmware: a TUF repository as a folder or zip file.
    Import {
        /// The folder or zip file.
        from: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// List the firmware that is signed for.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Update campaigns.
    #[command(subcommand)]
    Campaign(Campaign),
}

#[derive(Subcommand)]
pub(crate) enum Campaign {
    /// Make a campaign (a draft) for all devices of the image's model that run another version.
    Create {
        /// What people call it.
        name: String,
        /// The image's path in the signed metadata, or its SHA-256.
        image: String,
        /// Percent of all devices in each ring.
        #[arg(long, value_delimiter = ',', default_values_t = [5, 25, 100])]
        rings: Vec<u8>,
        /// Minutes that a ring is watched before the next begins.
        #[arg(long, default_value_t = 1_440)]
        soak: u32,
        #[command(flatten)]
        data: Data,
    },
    /// List campaigns with their progress.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Begin a campaign, or go on after a pause or halt.
    Resume(Numbered),
    /// Make no more offers, and take back those not begun.
    Pause(Numbered),
    /// Tell devices to go back to what they had.
    Rollback(Numbered),
}

#[derive(Args)]
pub(crate) struct Numbered {
    /// Number of the campaign.
    number: i64,
    /// Why.
    #[arg(long, default_value = "")]
    why: String,
    #[command(flatten)]
    data: Data,
}

#[derive(Args)]
pub(crate) struct Data {
    /// The data folder.
    #[arg(long, env = "VITALWIRE_DATA")]
    data: PathBuf,
}

impl Data {
    fn depot(&self) -> anyhow::Result<Depot> {
        let folder = Folder(self.data.clone());
        crate::steward::open(&folder, &crate::sealed::unlock_here(&folder)?)
    }
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Trust { root, data } => {
            let bytes = std::fs::read(&root).with_context(|| format!("cannot read {}", root.display()))?;
            data.depot()?.trust_root(&bytes)?;
            println!("trusted; what this root and its successors sign can be imported");
            Ok(())
        }
        Command::Import { from, data } => {
            let images = data.depot()?.import_firmware(&from, clock().0)?;
            images.iter().for_each(show);
            Ok(())
        }
        Command::List { data } => {
            data.depot()?.targets()?.iter().for_each(show);
            Ok(())
        }
        Command::Campaign(command) => campaign(command),
    }
}

fn show(image: &depot::Image) {
    let signed = &image.signed;
    let here = if image.here { "" } else { " (image missing)" };
    println!("{} {} {} {} {}{here}", signed.path, signed.manufacturer, signed.model, signed.version, signed.sha256);
}

fn campaign(command: Campaign) -> anyhow::Result<()> {
    match command {
        Campaign::Create { name, image, rings, soak, data } => {
            let depot = data.depot()?;
            let images = depot.targets()?;
            let found = images.iter().find(|i| i.signed.path == image || i.signed.sha256 == image);
            let found = found.ok_or_else(|| Misuse(format!("no signed image `{image}`; see `vitalwire firmware list`")))?;
            let rings = rings.into_iter().map(Ring::Percent).collect();
            let plan = Plan { rings, soak_min: soak, ..Plan::careful(&name, found.signed.target()) };
            let number = depot.create_campaign(plan, clock().0)?;
            println!("campaign {number}: a draft; begin with `vitalwire firmware campaign resume {number}`");
        }
        Campaign::List { data } => {
            for (number, campaign) in data.depot()?.campaigns()? {
                let steps: Vec<String> =
                    campaign.counts().into_iter().map(|(step, n)| format!("{n} {}", step.name())).collect();
                let (state, ring, rings) = (campaign.state.name(), campaign.ring + 1, campaign.plan.rings.len());
                println!("{number} {} {state} ring {ring} of {rings}: {} {}", campaign.plan.name, steps.join(", "), campaign.why);
            }
        }
        Campaign::Resume(of) => of.data.depot()?.resume_campaign(of.number)?,
        // A running program tells the devices at its next look.
        Campaign::Pause(of) => drop(of.data.depot()?.pause_campaign(of.number, &of.why, clock().0)?),
        Campaign::Rollback(of) => drop(of.data.depot()?.roll_back_campaign(of.number, &of.why, clock().0)?),
    }
    Ok(())
}
