//! `vitalwire import`: what people kept elsewhere, sent to a running platform as a program would.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use outgoing::{Address, Answer, Ask, Client, HeaderValue, header};
use serde_json::Value;
use vitals::DeviceId;
use wire_applehealth::Export;

use crate::Misuse;

/// Data points in one request.
const BATCH: usize = 1_000;
/// How often a platform that is busy is asked again, a second apart.
const TRIES: u32 = 60;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Apple Health's export.xml, however large; what was sent before is stored once.
    AppleHealth(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file `export.xml` of the export.
    file: PathBuf,
    /// Device that the values are of: the person's phone.
    #[arg(long)]
    device: String,
    /// Where the platform is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Token of a program that may send readings.
    #[arg(long, env = "VITALWIRE_TOKEN", hide_env_values = true, default_value = "")]
    token: String,
    /// Authorities to trust, PEM; without it the system's.
    #[arg(long)]
    authorities: Option<PathBuf>,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::AppleHealth(args) = command;
    let device = DeviceId::new(&args.device).map_err(|error| Misuse(format!("--device: {error}")))?;
    let address = format!("{}/api/v1/device/health?device={device}", args.url.trim_end_matches('/'));
    let address = Address::parse(&address).map_err(|error| Misuse(format!("--url: {error}")))?;
    if !address.is_encrypted() && !address.is_loopback() {
        return Err(Misuse("--url: https, or this machine".to_owned()).into());
    }
    let client = Client::new(args.authorities.as_deref());
    let client = if address.is_encrypted() { client? } else { Client::plain()? };
    let sender = Sender { client, address, token: args.token };
    let file = File::open(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let export = Export::new(BufReader::with_capacity(1 << 20, file));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(send(export, &sender))
}

async fn send(mut export: Export<BufReader<File>>, sender: &Sender) -> anyhow::Result<()> {
    let mut sum = Sum::default();
    let mut batch = Vec::with_capacity(BATCH);
    for point in export.by_ref() {
        batch.push(point?);
        if batch.len() == BATCH {
            sum.add(&sender.post(&std::mem::take(&mut batch)).await?);
        }
    }
    if !batch.is_empty() {
        sum.add(&sender.post(&batch).await?);
    }
    let counts = export.counts();
    println!("{} values taken, {} data points had come before, {} in quarantine", sum.values, sum.duplicates, sum.quarantined);
    if counts.broken > 0 {
        println!("{} records without a readable time or value", counts.broken);
    }
    for (kind, count) in &counts.passed {
        println!("not read: {count} of {kind}");
    }
    Ok(())
}

/// What became of all.
#[derive(Default)]
struct Sum {
    values: u64,
    duplicates: u64,
    quarantined: usize,
}

impl Sum {
    fn add(&mut self, answer: &Value) {
        self.values += answer["values"].as_u64().unwrap_or(0);
        self.duplicates += answer["duplicates"].as_u64().unwrap_or(0);
        self.quarantined += answer["quarantined"].as_array().map_or(0, Vec::len);
    }
}

struct Sender {
    client: Client,
    address: Address,
    token: String,
}

impl Sender {
    async fn post(&self, points: &[Value]) -> anyhow::Result<Value> {
        let body = serde_json::to_vec(points)?;
        for _ in 0..TRIES {
            let answer = self.once(body.clone()).await.context("run it again: what was taken is known")?;
            match answer.status {
                200 => return Ok(serde_json::from_slice(&answer.body)?),
                429 | 503 => tokio::time::sleep(Duration::from_secs(1)).await,
                status => bail!("the platform answered {status}: {}", String::from_utf8_lossy(&answer.body)),
            }
        }
        bail!("the platform is busy; run it again later: what was taken is known")
    }

    async fn once(&self, body: Vec<u8>) -> anyhow::Result<Answer> {
        let mut ask = Ask::post(&self.address, "application/json", body).within(Duration::from_secs(120)).answer_max(4 << 20);
        if !self.address.is_encrypted() {
            ask = ask.plain_too();
        }
        if !self.token.is_empty() {
            ask = ask.with(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", self.token))?);
        }
        Ok(self.client.send(ask).await?)
    }
}
