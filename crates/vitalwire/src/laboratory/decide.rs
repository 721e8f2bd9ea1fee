//! `vitalwire policy approve | reject | put-in-force`: a person's word on a version, given to the running
//! platform. Whoever has the data folder alone is nobody in particular, so the person logs in as on the page:
//! the platform's own rules decide, and it signs.

use std::path::PathBuf;

use anyhow::{Context, bail};
use outgoing::{Address, Answer, Ask, Client, HeaderValue, header};
use serde_json::{Value as Json, json};

use crate::Misuse;

/// Who decides, and where.
#[derive(clap::Args)]
pub(crate) struct Who {
    /// Number of the version.
    number: u64,
    /// Your account. The password is read from standard input, or from VITALWIRE_PASSWORD.
    #[arg(long = "as", value_name = "NAME")]
    name: String,
    /// The code of your authenticator app, where you have one.
    #[arg(long)]
    code: Option<String>,
    /// Where the platform runs.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Authorities to trust, PEM; without it the system's.
    #[arg(long)]
    authorities: Option<PathBuf>,
}

/// Runs `policy approve`.
pub(crate) fn approve(who: &Who, note: &str) -> anyhow::Result<()> {
    decide(who, "approval", json!({ "note": note }))
}

/// Runs `policy reject`.
pub(crate) fn reject(who: &Who, reason: &str) -> anyhow::Result<()> {
    decide(who, "rejection", json!({ "reason": reason }))
}

/// Runs `policy put-in-force`; with a reason, without review.
pub(crate) fn put_in_force(who: &Who, unreviewed: Option<&str>) -> anyhow::Result<()> {
    match unreviewed {
        Some(reason) => decide(who, "emergency", json!({ "reason": reason })),
        None => decide(who, "in-force", json!({})),
    }
}

fn decide(who: &Who, step: &str, body: Json) -> anyhow::Result<()> {
    let base = Address::parse(&who.url).map_err(|error| Misuse(format!("--url: {error}")))?;
    if !base.is_encrypted() && !base.is_loopback() {
        return Err(Misuse("--url: https, or this machine".to_owned()).into());
    }
    let client = if base.is_encrypted() { Client::new(who.authorities.as_deref())? } else { Client::plain()? };
    let password = crate::admin::password()?;
    let path = format!("/api/v1/policy/versions/{}/{step}", who.number);
    let told = async {
        let mut session = Session { client, url: who.url.trim_end_matches('/'), cookies: Vec::new() };
        session.log_in(who, &password).await?;
        let told = session.post(&path, &body).await;
        // Nobody is left logged in, whatever came of it.
        let left = session.post("/api/v1/logout", &json!({})).await;
        let told = told?;
        left.context("it is done, but the session could not be ended: end it on the page Account")?;
        anyhow::Ok(told)
    };
    let told = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(told)?;
    let told: Json = serde_json::from_slice(&told.body).context("the platform gave no answer that can be read")?;
    println!("version {} is {}", who.number, told["state"].as_str().unwrap_or("changed"));
    Ok(())
}

/// A person who is logged in.
struct Session<'a> {
    client: Client,
    url: &'a str,
    cookies: Vec<String>,
}

impl Session<'_> {
    async fn log_in(&mut self, who: &Who, password: &str) -> anyhow::Result<()> {
        let first = self.post("/api/v1/login", &json!({ "name": who.name, "password": password })).await?;
        self.cookies = first.cookies;
        if first.status == 202 {
            let code = who.code.as_ref().ok_or_else(|| {
                Misuse("--code: this account has a second factor; give the code of its authenticator app".to_owned())
            })?;
            self.cookies = self.post("/api/v1/login/totp", &json!({ "code": code })).await?.cookies;
        }
        // A cookie that was taken away has no value.
        self.cookies.retain(|cookie| !cookie.ends_with('='));
        Ok(())
    }

    async fn post(&self, path: &str, body: &Json) -> anyhow::Result<Answer> {
        let address = Address::parse(&format!("{}{path}", self.url)).context("the address of the platform")?;
        let mut ask = Ask::post(&address, "application/json", body.to_string());
        if !address.is_encrypted() {
            ask = ask.plain_too();
        }
        if !self.cookies.is_empty() {
            ask = ask.with(header::COOKIE, HeaderValue::from_str(&self.cookies.join("; "))?);
        }
        let answer = self.client.send(ask).await.with_context(|| format!("{} is not reached: is the platform running?", self.url))?;
        if !answer.is_success() {
            let told: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
            bail!("{}", told["message"].as_str().unwrap_or("the platform refused it without saying why"));
        }
        Ok(answer)
    }
}
