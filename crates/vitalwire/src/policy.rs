//! `vitalwire policy`: the access policy read, checked and asked why it decides as it does; and the
//! alarm policy tried on the past (`laboratory`).

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use guard::{Account, Asking, Category, Decision, Guard, Kind, Permission, Purpose, Target, policy_sources};
use policy::{Change, Policies, PolicyError, Rule, Source};
use serde_json::json;
use vitals::{PatientId, Role};

use crate::Misuse;
use crate::admin::Data;
use crate::clock::clock;
use crate::laboratory;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Explain a decision: allowed or denied, by which rules, and what would be needed.
    Check(Box<Check>),
    /// Print the rules in force.
    Show {
        /// Only this rule.
        id: Option<String>,
        #[command(flatten)]
        data: Data,
    },
    /// Check a file of rules before it is put into the folder `policy` of the data folder.
    Validate {
        /// The file.
        file: PathBuf,
    },
    /// Try an alarm policy on the past, a journal's or a public data set's, and compare it with the
    /// present one.
    Simulate(Box<laboratory::Args>),
    /// The numbers in which two alarm policies differ.
    Diff {
        /// A TOML file.
        from: PathBuf,
        /// Another.
        to: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Propose an alarm policy as a version in place of the one in force.
    Propose(Box<laboratory::Propose>),
    /// Approve a version of the alarm policy that somebody else proposed: the running platform signs it.
    Approve {
        #[command(flatten)]
        who: laboratory::Who,
        /// What you looked at.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Reject a version of the alarm policy, withdraw your own, or take back one that nobody reviewed.
    Reject {
        #[command(flatten)]
        who: laboratory::Who,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Put an approved version of the alarm policy in force.
    PutInForce {
        #[command(flatten)]
        who: laboratory::Who,
        /// Put a proposed one in force without review: why it cannot wait.
        #[arg(long, value_name = "REASON")]
        unreviewed: Option<String>,
    },
    /// List the versions of the alarm policy that were proposed, newest first.
    Versions {
        #[command(flatten)]
        data: Data,
        /// Print JSON, with the policies and the figures of their simulations.
        #[arg(long)]
        json: bool,
    },
    /// Check a signed version of the alarm policy: who proposed it, who approved it, and that nothing in it
    /// was changed. Needs no data folder.
    Verify {
        /// The file, as it was downloaded.
        file: PathBuf,
        /// The house's public key: `guard/audit.pub` of the data folder, or its text.
        #[arg(long)]
        key: String,
        /// Print the version as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the numbers of an alarm policy by the paths that --set and --sweep take.
    Numbers {
        /// A TOML file. [default: the built-in policy]
        file: Option<PathBuf>,
        /// Print JSON, also numbers that the policy leaves out.
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
pub(crate) struct Check {
    /// As this account.
    #[arg(long = "as", value_name = "NAME", conflicts_with = "role")]
    account: Option<String>,
    /// As anybody in this role.
    #[arg(long, required_unless_present = "account")]
    role: Option<String>,
    /// With --role: a unit whose patients they work with; may be repeated. Without: the whole house.
    #[arg(long = "unit")]
    units: Vec<String>,
    /// To do this, such as see-patients.
    #[arg(long = "do", value_name = "PERMISSION", conflicts_with = "route")]
    permission: Option<String>,
    /// Or to use this route, such as "GET /api/v1/ward".
    #[arg(long, required_unless_present = "permission")]
    route: Option<String>,
    /// About this patient.
    #[arg(long)]
    patient: Option<String>,
    /// The unit where the patient lies.
    #[arg(long)]
    patient_unit: Option<String>,
    /// Kind of data: demographics, vital-signs, waveforms, alerts, device-data, documents.
    #[arg(long, default_value = "vital-signs")]
    category: String,
    /// Having come in with a second factor or a passkey.
    #[arg(long)]
    strong: bool,
    /// Naming this purpose of use: a code of HL7 PurposeOfUse, such as HRESCH.
    #[arg(long)]
    purpose: Option<String>,
    /// From this network zone.
    #[arg(long, default_value = "")]
    zone: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

/// Runs the command.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Check(asked) => check(&asked),
        Command::Show { id, data } => show(id.as_deref(), &data),
        Command::Validate { file } => validate(&file),
        Command::Simulate(args) => laboratory::simulate(&args),
        Command::Diff { from, to, json } => laboratory::diff(&from, &to, json),
        Command::Propose(args) => laboratory::propose(&args),
        Command::Approve { who, note } => laboratory::approve(&who, &note),
        Command::Reject { who, reason } => laboratory::reject(&who, &reason),
        Command::PutInForce { who, unreviewed } => laboratory::put_in_force(&who, unreviewed.as_deref()),
        Command::Versions { data, json } => laboratory::list_versions(&data, json),
        Command::Verify { file, key, json } => laboratory::verify(&file, &key, json),
        Command::Numbers { file, json } => laboratory::numbers(file.as_deref(), json),
    }
}

/// Takes the rules of a data folder; wrong ones are a misuse, which ends with exit code 2.
pub(crate) fn load(guard: &Guard, folder: &std::path::Path) -> anyhow::Result<()> {
    let odd = guard.load_policies(folder).map_err(|error| in_the_way(&error, folder))?;
    odd.iter().for_each(|odd| tracing::warn!("access policy: {odd}"));
    Ok(())
}

fn refused(error: &PolicyError) -> anyhow::Error {
    anyhow::Error::new(Misuse(format!("the access policy is not taken:\n{error}")))
}

/// Wrong rules keep the program from starting: says where they are and how to go on.
fn in_the_way(error: &PolicyError, folder: &std::path::Path) -> anyhow::Error {
    let place = folder.display();
    anyhow::Error::new(Misuse(format!(
        "the access policy in {place} is not taken:\n{error}\n\
         Rules that were not understood are not used. Mend the file, or take it out of {place} to go on with \
         the built-in rules; `vitalwire policy validate {place}/FILE.cedar` says what is wrong."
    )))
}

fn misuse(text: &str) -> anyhow::Error {
    anyhow::Error::new(Misuse(text.to_owned()))
}

fn validate(file: &std::path::Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| misuse(&format!("cannot read {}: {error}", file.display())))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = Source { name: name.clone(), text };
    let mut sources = vec![own];
    if name != policy::DEFAULT_NAME {
        sources.insert(0, Source::built_in());
    }
    let policies = Policies::load(&sources).map_err(|error| refused(&error))?;
    policies.warnings().iter().for_each(|odd| println!("odd: {odd}"));
    let rules = policies.rules().iter().filter(|rule| rule.file == name).count();
    let count = if rules == 1 { "1 rule, it fits".to_owned() } else { format!("{rules} rules, each fits") };
    println!("{name}: {count} the schema");
    Ok(())
}

fn show(id: Option<&str>, data: &Data) -> anyhow::Result<()> {
    let sources = policy_sources(&data.policies()).map_err(|error| refused(&error))?;
    let policies = Policies::load(&sources).map_err(|error| refused(&error))?;
    let wanted = |rule: &&Rule| id.is_none_or(|id| rule.id == id);
    let mut found = policies.rules().iter().filter(wanted).peekable();
    if found.peek().is_none() {
        return Err(misuse("there is no rule of that name; without a name all are printed"));
    }
    found.for_each(|rule| println!("// {}:{}\n{}\n", rule.file, rule.line, rule.text));
    Ok(())
}

fn account(asked: &Check, guard: &Guard) -> anyhow::Result<Account> {
    if let Some(name) = &asked.account {
        let all = guard.list_users().context("cannot read the accounts")?;
        let found = all.into_iter().find(|account| account.name.eq_ignore_ascii_case(name));
        return found.ok_or_else(|| misuse("there is no account of that name"));
    }
    let role = asked.role.as_deref().and_then(Role::from_name);
    let role = role.ok_or_else(|| {
        misuse(&format!("--role: one of {}", Role::ALL.map(Role::name).join(", ")))
    })?;
    let mut account = Account::new("(nobody in particular)", role, Kind::Person);
    account.units = asked.units.iter().collect();
    Ok(account)
}

fn check(asked: &Check) -> anyhow::Result<()> {
    let permission = match (&asked.permission, &asked.route) {
        (Some(name), _) => Permission::from_name(name),
        (None, Some(route)) => api::app::decisions::permission_of(route),
        (None, None) => None,
    };
    let permission = permission.ok_or_else(|| {
        misuse("--do: a permission such as see-patients; --route: a route that needs one, such as \"GET /api/v1/ward\"")
    })?;
    let category = Category::from_name(&asked.category)
        .ok_or_else(|| misuse("--category: demographics, vital-signs, waveforms, alerts, device-data, documents"))?;
    let patient = asked.patient.as_deref().map(PatientId::new).transpose();
    let patient = patient.map_err(|error| misuse(&format!("--patient: {error}")))?;
    let guard = asked.data.guard()?;
    load(&guard, &asked.data.policies())?;
    let account = account(asked, &guard)?;
    let purpose = asked.purpose.as_deref().map(|code| {
        Purpose::from_code(code).ok_or_else(|| misuse("--purpose: TREAT, HOPERAT, HRESCH, HPAYMT, PUBHLTH, PATRQT or FAMRQT"))
    });
    let purpose = purpose.transpose()?;
    let asking = Asking { account: &account, strong: asked.strong, zone: &asked.zone, purpose };
    let target = match &patient {
        Some(id) if permission.about_patients() => {
            Target::Patient { id, unit: asked.patient_unit.as_deref(), in_encounter: true }
        }
        _ => Target::House,
    };
    let decision = guard.decide(asking, permission, target, category, clock());
    let wanting = guard.wanting(asking, permission, target, category, clock());
    guard.with_policies(|policies| tell(asked.json, permission, &decision, &wanting, policies));
    Ok(())
}

fn tell(as_json: bool, permission: Permission, decision: &Decision, wanting: &[Change], policies: &Policies) {
    let rules: Vec<&Rule> = decision.rules.iter().filter_map(|id| policies.rule(id)).collect();
    if as_json {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| {
                json!({
                    "id": rule.id, "permits": rule.permits, "meaning": rule.meaning,
                    "place": format!("{}:{}", rule.file, rule.line), "text": rule.text,
                })
            })
            .collect();
        let would_need: Vec<String> = wanting.iter().map(ToString::to_string).collect();
        let told = json!({
            "allowed": decision.allowed, "permission": permission.name(), "purpose": decision.purpose,
            "rules": rules, "would_need": would_need,
        });
        println!("{told}");
        return;
    }
    println!("{}: {}", if decision.allowed { "allowed" } else { "denied" }, permission.name());
    if rules.is_empty() {
        println!("no rule permits it");
    }
    for rule in rules {
        let says = if rule.permits { "permitted" } else { "forbidden" };
        println!("\n{says} by {} ({}:{})\n{}", rule.id, rule.file, rule.line, rule.text);
    }
    if !wanting.is_empty() {
        println!("\neach of these would do by itself:");
        wanting.iter().for_each(|change| println!("- {change}"));
    }
}
