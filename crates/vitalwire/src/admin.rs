//! Administration of a data folder: accounts of people, programs and devices; patients; audit.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use guard::Guard;
use store::{DirectoryQuery, SqliteStore, Store};
use vitals::{DeviceId, Role};

use crate::Misuse;
use crate::wiring::Folder;

/// Where the data are.
#[derive(clap::Args)]
pub(crate) struct Data {
    /// Data folder.
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

impl Data {
    fn guard(&self) -> anyhow::Result<Guard> {
        let folder = Folder(self.data.clone());
        folder.make()?;
        Guard::open(&folder.guard()).context("cannot open the accounts")
    }
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person; the password is read from standard input, or from VITALWIRE_PASSWORD.
    Add {
        /// Account name.
        name: String,
        /// nurse, charge-nurse, physician, engineer, administrator
        #[arg(long)]
        role: String,
        #[command(flatten)]
        data: Data,
    },
    /// Add a program, and print its token once.
    Token {
        /// Account name.
        name: String,
        /// service, or any role of a person.
        #[arg(long, default_value = "service")]
        role: String,
        #[command(flatten)]
        data: Data,
    },
    /// Set a person's password.
    Password {
        /// Account name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Remove an account; its sessions end at once.
    Remove {
        /// Account name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// List accounts.
    List {
        #[command(flatten)]
        data: Data,
    },
}

fn role(name: &str) -> Result<Role, Misuse> {
    Role::from_name(name).ok_or_else(|| {
        Misuse(format!("--role: one of {}", Role::ALL.map(Role::name).join(", ")))
    })
}

fn password() -> anyhow::Result<String> {
    if let Ok(password) = std::env::var("VITALWIRE_PASSWORD") {
        return Ok(password);
    }
    eprintln!("Password (one line, shown as you type):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read a password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub(crate) fn user(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add { name, role: wanted, data } => {
            let role = role(&wanted)?;
            data.guard()?.add_user(&name, role, &password()?)?;
            println!("added {name} ({})", role.name());
        }
        UserCommand::Token { name, role: wanted, data } => {
            let token = data.guard()?.add_service_token(&name, role(&wanted)?)?;
            println!("{token}");
            eprintln!("This is shown once. Keep it like a password.");
        }
        UserCommand::Password { name, data } => data.guard()?.set_password(&name, &password()?)?,
        UserCommand::Remove { name, data } => data.guard()?.remove_user(&name)?,
        UserCommand::List { data } => {
            for account in data.guard()?.list_users()? {
                println!("{}\t{}\t{}", account.name, account.role.name(), account.kind.name());
            }
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Add an account for a device, and print its password once; the user name is its id.
    Add {
        /// Device id.
        id: String,
        #[command(flatten)]
        data: Data,
    },
    /// Remove a device's account.
    Remove {
        /// Device id.
        id: String,
        #[command(flatten)]
        data: Data,
    },
    /// List devices with accounts.
    List {
        #[command(flatten)]
        data: Data,
    },
}

pub(crate) fn device(command: DeviceCommand) -> anyhow::Result<()> {
    let id = |text: &str| DeviceId::new(text).map_err(|error| Misuse(error.to_string()));
    match command {
        DeviceCommand::Add { id: text, data } => {
            println!("{}", data.guard()?.add_device(&id(&text)?)?);
            eprintln!("This is shown once. The device logs in as {text} with it.");
        }
        DeviceCommand::Remove { id: text, data } => data.guard()?.remove_device(&id(&text)?)?,
        DeviceCommand::List { data } => {
            for device in data.guard()?.list_devices()? {
                println!("{device}");
            }
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub(crate) enum PatientCommand {
    /// Count patients and stored values; names are not shown.
    Count {
        #[command(flatten)]
        data: Data,
    },
}

pub(crate) fn patient(command: PatientCommand) -> anyhow::Result<()> {
    let PatientCommand::Count { data } = command;
    let store = SqliteStore::open(&Folder(data.data).store()).context("cannot open the store")?;
    let reader = store.reader();
    let patients = reader.patients(&DirectoryQuery::default())?.total;
    let values: u64 = reader.series(&store::SeriesFilter::default())?.iter().map(|s| s.count).sum();
    println!("{patients} patients, {values} values");
    Ok(())
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that the audit log and the journal were not tampered with.
    Verify {
        #[command(flatten)]
        data: Data,
    },
}

pub(crate) fn audit(command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Verify { data } = command;
    let folder = Folder(data.data);
    let audit = Guard::verify_audit(&folder.guard()).context("the audit log was changed")?;
    println!("audit log: {audit:?}");
    let journal = journal::EmbeddedJournal::open(&folder.journal())
        .context("cannot open the journal; stop the program first")?;
    let verified = journal::Journal::reader(&journal).verify().context("the journal was changed")?;
    println!(
        "journal: entries {} to {}, {} files, all checksums and the hash chain hold",
        verified.first_offset, verified.next_offset, verified.files
    );
    Ok(())
}
