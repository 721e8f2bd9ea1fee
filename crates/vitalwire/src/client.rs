//! Applications that may ask for access (SMART on FHIR): registered, listed, removed.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use guard::GrantError;
use oauth::{Authentication, Client};

use crate::Misuse;
use crate::admin::Data;
use crate::clock::clock;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Register an application; one with a secret gets it printed once.
    Add(Box<Add>),
    /// Remove an application; everything that it was given ends at once.
    Remove {
        /// Its id.
        id: String,
        #[command(flatten)]
        data: Data,
    },
    /// List applications.
    List {
        /// As JSON, with everything that was registered.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its client_id: 1 to 64 characters of A-Z a-z 0-9 . _ -
    id: String,
    /// What people see; the id when it is left out.
    #[arg(long)]
    name: Option<String>,
    /// How it proves itself: public (PKCE alone), secret (client_secret_basic), key (private_key_jwt).
    #[arg(long, default_value = "public")]
    authentication: String,
    /// Where codes may be sent, exactly; may be repeated.
    #[arg(long = "redirect")]
    redirects: Vec<String>,
    /// Where it is opened from a patient's page.
    #[arg(long)]
    launch: Option<String>,
    /// File with its public keys, a JWK set.
    #[arg(long)]
    jwks: Option<PathBuf>,
    /// Address of its public keys.
    #[arg(long)]
    jwks_uri: Option<String>,
    /// What it may have: "openid fhirUser launch/patient patient/*.rs"
    #[arg(long)]
    scopes: String,
    /// Do not ask people: the house decides for them.
    #[arg(long)]
    trusted: bool,
    /// For a backend service: the service account as which it acts.
    #[arg(long)]
    account: Option<String>,
    /// Further origins from which its pages call (https://pages.example); may be repeated.
    #[arg(long = "origin")]
    origins: Vec<String>,
    #[command(flatten)]
    data: Data,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(wanted) => add(*wanted),
        Command::Remove { id, data } => {
            let guard = data.guard()?;
            guard.locally("remove-client", &shown(&id), clock(), || guard.remove_client(&id))?;
            Ok(())
        }
        Command::List { json, data } => {
            let clients = data.guard()?.clients()?;
            if json {
                println!("{}", serde_json::to_string_pretty(&clients)?);
                return Ok(());
            }
            for client in clients {
                println!("{}\t{}\t{}\t{}", client.id, client.name, client.authentication.name(), client.scopes);
            }
            Ok(())
        }
    }
}

fn add(wanted: Add) -> anyhow::Result<()> {
    let authentication = Authentication::from_name(&wanted.authentication)
        .ok_or_else(|| Misuse("--authentication: one of public, secret, key".to_owned()))?;
    let jwks = wanted.jwks.map(|path| -> anyhow::Result<_> {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no JWK set of public keys", path.display()))
    });
    let client = Client {
        name: wanted.name.unwrap_or_else(|| wanted.id.clone()),
        id: wanted.id,
        authentication,
        redirect_uris: wanted.redirects,
        launch_url: wanted.launch,
        jwks: jwks.transpose()?,
        jwks_uri: wanted.jwks_uri,
        scopes: wanted.scopes,
        trusted: wanted.trusted,
        account: wanted.account,
        origins: wanted.origins,
    };
    client.check().map_err(|error| Misuse(error.to_string()))?;
    let guard = wanted.data.guard()?;
    let detail = format!("{} for {}", shown(&client.id), client.scopes);
    let made = guard.locally("add-client", &detail, clock(), || -> Result<_, GrantError> {
        guard.add_client(client, clock())
    })?;
    match made.secret {
        Some(secret) => {
            println!("{secret}");
            eprintln!("This is shown once. Keep it like a password.");
        }
        None => println!("added {}", made.client.id),
    }
    Ok(())
}

/// An id, if it can be one: the record holds nothing that was typed in the wrong place.
fn shown(id: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if id.len() <= 64 && id.bytes().all(plain) { id.to_owned() } else { "no possible id".to_owned() }
}
