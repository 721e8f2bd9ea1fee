//! Administration of a data folder: accounts of people, programs and devices; patients; audit.
//! Whoever may write in the folder may do this; each command is in the audit log before it is done.

mod patient;
mod rebuild;

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use guard::{Account, Guard, Kind, Units};
pub(crate) use patient::{PatientCommand, patient};
use vitals::{PatientId, Role};

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
    /// Where the site's own access rules are.
    pub(crate) fn policies(&self) -> PathBuf {
        Folder(self.data.clone()).policies()
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

fn password() -> anyhow::Result<String> {
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
        UserCommand::Token { name, role: wanted, units, data } => {
            let units = units.into_iter().collect();
            let account =
                Account { units, ..Account::new(&name, role(&wanted)?, Kind::Service) };
            let guard = data.guard()?;
            let token = guard.locally("add-token", &detail(&account), clock(), || {
                guard.add_service(&account)
            })?;
            println!("{token}");
            eprintln!("This is shown once. Keep it like a password. Works with {}.", reach(&account));
        }
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
            for account in data.guard()?.list_users()? {
                let (role, kind) = (account.role.name(), account.kind.name());
                println!("{}\t{role}\t{kind}\t{}", account.name, account.units);
            }
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that the audit log and the journal were not tampered with.
    Verify {
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

pub(crate) fn audit(command: AuditCommand) -> anyhow::Result<()> {
    let data = match command {
        AuditCommand::Verify { data } => data,
        AuditCommand::Rebuild { data, json } => return rebuild::run(data.data, json),
    };
    let folder = Folder(data.data);
    let audit = Guard::verify_audit(&folder.guard()).context("the audit log was changed")?;
    println!("audit log: {} records, unbroken; the last hash is {}", audit.records, audit.hash);
    for repair in &audit.repairs {
        println!("  line {}: the program found: {}", repair.line, repair.detail);
    }
    match journal::EmbeddedJournal::open(&folder.journal()) {
        Err(journal::JournalError::InUse(_)) => {
            println!("journal: in use by a running program; stop it to check the journal");
        }
        Err(error) => return Err(error).context("cannot open the journal"),
        Ok(journal) => {
            let checked = journal::Journal::reader(&journal).verify();
            let checked = checked.context("the journal was changed")?;
            println!(
                "journal: entries {} to {}, {} files, all checksums and the hash chain hold",
                checked.first_offset, checked.next_offset, checked.files
            );
        }
    }
    Ok(())
}
