//! Administration of a data folder: accounts of people, programs and devices; patients; audit.
//! Whoever may write in the folder may do this; each command is in the audit log before it is done.

mod patient;
mod rebuild;

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use guard::{Account, Guard, Kind, Units};
pub(crate) use patient::{PatientCommand, patient};
use vitals::time::HOUR;
use vitals::{PatientId, ReceiveTime, Role};

use crate::Misuse;
use crate::clock::clock;
use crate::sealed;
use crate::wiring::Folder;

/// Where the data are.
#[derive(clap::Args)]
pub(crate) struct Data {
    /// Data folder.
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

impl Data {
    /// The folder.
    pub(crate) fn folder(&self) -> Folder {
        Folder(self.data.clone())
    }

    /// Where the site's own access rules are.
    pub(crate) fn policies(&self) -> PathBuf {
        Folder(self.data.clone()).policies()
    }

    /// The store.
    pub(crate) fn store(&self) -> anyhow::Result<store::SqliteStore> {
        let folder = Folder(self.data.clone());
        anyhow::ensure!(folder.store().exists(), "{}: there is no store here", self.data.display());
        crate::sealed::unlock_here(&folder)?.store(&folder)
    }

    /// Versions of the alarm policy.
    pub(crate) fn alarm_policies(&self) -> anyhow::Result<laboratory::versions::Versions> {
        let folder = Folder(self.data.clone());
        sealed::unlock_here(&folder)?.alarm_policies(&folder)
    }

    pub(crate) fn guard(&self) -> anyhow::Result<Guard> {
        let folder = Folder(self.data.clone());
        folder.make()?;
        sealed::unlock_here(&folder)?.guard(&folder)
    }
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person; the password is read from standard input, or from VITALWIRE_PASSWORD.
    Add {
        /// Account name.
        name: String,
        /// nurse, charge-nurse, physician, pharmacist, engineer, operations, security-officer,
        /// researcher, administrator, patient, caregiver
        #[arg(long)]
        role: String,
        /// A unit whose patients the person works with, as locations name it; may be repeated.
        /// Without any: the whole house.
        #[arg(long = "unit")]
        units: Vec<String>,
        /// For a patient's own account (role patient): who that is.
        #[arg(long)]
        patient: Option<String>,
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
        /// A unit whose patients the program works with; may be repeated. Without any: the whole
        /// house.
        #[arg(long = "unit")]
        units: Vec<String>,
        /// Days until the token ends. Without: it does not.
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        data: Data,
    },
    /// Give a program another token, and print it once; the one it has ends at once.
    Rotate {
        /// Account name.
        name: String,
        /// Days until the token ends. Without: it does not.
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        data: Data,
    },
    /// Take all second factors away from somebody who has lost them; their sessions end.
    ResetFactors {
        /// Account name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Keep an account out; its sessions end at once.
    Disable {
        /// Account name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Let an account in again.
    Enable {
        /// Account name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Set a person's password; their sessions end.
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

/// What was typed as a name, if it can be one: people type passwords in the wrong place.
fn shown(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
    if name.len() <= 64 && name.bytes().all(plain) { name } else { "no possible name" }
}

fn role(name: &str) -> Result<Role, Misuse> {
    Role::from_name(name).ok_or_else(|| {
        Misuse(format!("--role: one of {}", Role::ALL.map(Role::name).join(", ")))
    })
}

/// A person's password: from `VITALWIRE_PASSWORD`, else a line of standard input.
pub(crate) fn password() -> anyhow::Result<String> {
    if let Ok(password) = std::env::var("VITALWIRE_PASSWORD") {
        return Ok(password);
    }
    eprintln!("Password (one line, shown as you type):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read a password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An account as the command line describes it.
fn described(
    name: &str,
    role: Role,
    units: Vec<String>,
    patient: Option<String>,
) -> Result<Account, Misuse> {
    if (role == Role::Patient) != patient.is_some() {
        return Err(Misuse("--role patient and --patient ID go together".to_owned()));
    }
    let patient = patient.map(|id| PatientId::new(&id)).transpose();
    let patient = patient.map_err(|error| Misuse(format!("--patient: {error}")))?;
    Ok(Account { units: units.into_iter().collect(), patient, ..Account::new(name, role, Kind::Person) })
}

/// When a token ends.
fn end(days: Option<u32>) -> Option<ReceiveTime> {
    days.map(|days| clock().plus(i64::from(days) * 24 * HOUR))
}

fn keep_out(data: &Data, name: &str, disabled: bool) -> anyhow::Result<()> {
    let (guard, action) = (data.guard()?, if disabled { "disable-user" } else { "enable-user" });
    let change = guard::Change { disabled: Some(disabled), ..guard::Change::default() };
    guard.locally(action, shown(name), clock(), || guard.change_account(name, &change))?;
    Ok(())
}

/// Whose patients an account works with.
fn reach(account: &Account) -> String {
    match (&account.patient, &account.units) {
        (Some(_), _) => "one patient's own account".to_owned(),
        (None, Units::All) => "the whole house; --unit restricts it".to_owned(),
        (None, units) => format!("units {units}"),
    }
}

/// What the audit log says of a new account.
fn detail(account: &Account) -> String {
    let who = format!("{} as {}", shown(&account.name), account.role.name());
    match &account.units {
        Units::All => who,
        units => format!("{who} in {units}"),
    }
}

pub(crate) fn user(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add { name, role: wanted, units, patient, data } => {
            let account = described(&name, role(&wanted)?, units, patient)?;
            let (guard, password) = (data.guard()?, password()?);
            guard.locally("add-user", &detail(&account), clock(), || {
                guard.add_person(&account, &password)
            })?;
            println!("added {name} ({}): {}", account.role.name(), reach(&account));
        }
        UserCommand::Token { name, role: wanted, units, days, data } => {
            let units = units.into_iter().collect();
            let account =
                Account { units, ..Account::new(&name, role(&wanted)?, Kind::Service) };
            let guard = data.guard()?;
            let (now, end) = (clock(), end(days));
            let token = guard.locally("add-token", &detail(&account), now, || {
                guard.add_service_until(&account, end, now)
            })?;
            println!("{token}");
            eprintln!("This is shown once. Keep it like a password. Works with {}.", reach(&account));
        }
        UserCommand::Rotate { name, days, data } => {
            let guard = data.guard()?;
            let token = guard.locally("rotate-token", shown(&name), clock(), || {
                guard.rotate_token(&name, end(days))
            })?;
            println!("{token}");
            eprintln!("This is shown once. Keep it like a password. The one before has ended.");
        }
        UserCommand::ResetFactors { name, data } => {
            let guard = data.guard()?;
            guard.locally("reset-factors", shown(&name), clock(), || guard.reset_factors(&name))?;
        }
        UserCommand::Disable { name, data } => keep_out(&data, &name, true)?,
        UserCommand::Enable { name, data } => keep_out(&data, &name, false)?,
        UserCommand::Password { name, data } => {
            let (guard, password) = (data.guard()?, password()?);
            guard.locally("set-password", shown(&name), clock(), || {
                guard.set_password(&name, &password)
            })?;
        }
        UserCommand::Remove { name, data } => {
            let guard = data.guard()?;
            guard.locally("remove-user", shown(&name), clock(), || guard.remove_user(&name))?;
        }
        UserCommand::List { data } => {
            for facts in data.guard()?.account_facts()? {
                let account = &facts.account;
                let (role, kind) = (account.role.name(), account.kind.name());
                let mark = if facts.disabled { "\tdisabled" } else { "" };
                println!("{}\t{role}\t{kind}\t{}{mark}", account.name, account.units);
            }
        }
    }
    Ok(())
}

/// Takes the journal in again: `vitalwire audit rebuild`.
pub(crate) fn rebuild(data: PathBuf, json: bool) -> anyhow::Result<()> {
    rebuild::run(data, json)
}
