//! `vitalwire edge`: the platform near the device. It listens, judges and alerts as `serve` does, and
//! sends on what it took in and concluded to its centre: now, or when there is a line again.

mod centre;
mod configured;
mod follow;
mod lean;
mod notify;
mod own;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::edge::{Configuration, Rules, Spool};
use anyhow::Context;
use api::edges::{ThisEdge, ThisEdgeView};
use outgoing::Address;
use parking_lot::Mutex;

use crate::config::Config;
use crate::serve::stop_signal;
use crate::wiring::{self, Folder, Platform};
use crate::{Misuse, sealed, start_log};

/// Arguments of `edge`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Data folder: spool, journal, store, accounts, audit log, profiles.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Configuration file (TOML); every value can be overridden by a VITALWIRE_… variable.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address of the centre, such as https://vitalwire.example.
    #[arg(long)]
    centre: Option<String>,
    /// Under which id the centre knows this edge.
    #[arg(long)]
    id: Option<String>,
    /// The code that the centre gave for it; needed once.
    #[arg(long)]
    code: Option<String>,
    /// Address for HTTP: how it gets on, and its own pages. [default: 127.0.0.1:8080]
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Address for MQTT. [default: 127.0.0.1:1883]
    #[arg(long)]
    mqtt: Option<SocketAddr>,
    /// Address for HL7 v2 over MLLP. [default: 127.0.0.1:2575]
    #[arg(long)]
    mllp: Option<SocketAddr>,
    /// Turn authentication of devices and people here off for a trial; refuses any address but
    /// loopback.
    #[arg(long)]
    open: bool,
}

/// Threads that listeners share. Few: each has its own heap.
const THREADS: usize = 2;
/// Threads for what waits for the disk.
const BLOCKING_THREADS: usize = 8;
/// Bytes of the edge's own journal. What is to be sent on is in the spool.
const JOURNAL_BYTES: u64 = 256 << 20;
/// Bytes of messages that wait to be journaled.
const QUEUE_BYTES: usize = 1 << 20;

/// Where the centre is, and who we are there.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) centre: String,
    pub(crate) code: Option<String>,
    /// Whether `http` will do.
    pub(crate) plain: bool,
    own: own::Own,
}

impl Line {
    /// The address of one of our routes there.
    pub(crate) fn route(&self, route: &str) -> anyhow::Result<Address> {
        let text = format!("{}/api/v1/edges/{}/{route}", self.centre, self.id);
        Ok(Address::parse(&text)?)
    }

    /// Who asks, with the certificate that is in its file now.
    pub(crate) fn client(&self) -> outgoing::Client {
        self.own.client()
    }
}

/// What the edge's tasks share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) spool: Arc<Mutex<Spool>>,
    pub(crate) line: Arc<Line>,
    pub(crate) this: ThisEdge,
    /// When the program started, in microseconds.
    pub(crate) started: i64,
}

impl Shared {
    /// Notes what is in the spool, and how far in the journal it has come. Called with the spool locked,
    /// so that the two belong together.
    pub(crate) fn note(&self, spool: &Spool) {
        if let Some(this) = self.this.0.lock().as_mut() {
            let fill = spool.fill();
            this.spool_pieces = fill.pieces.iter().sum();
            this.spool_bytes = fill.all_bytes();
            this.cursor = spool.cursor();
        }
    }
}

impl Args {
    fn configuration(&self) -> Result<Config, Misuse> {
        let mut config = Config::load(self.config.as_deref(), std::env::vars())?;
        config.http.listen = self.http.unwrap_or(config.http.listen);
        config.mqtt.listen = self.mqtt.unwrap_or(config.mqtt.listen);
        config.mllp.listen = self.mllp.unwrap_or(config.mllp.listen);
        let edge = &mut config.edge;
        edge.id = self.id.clone().or(edge.id.take());
        edge.centre = self.centre.clone().or(edge.centre.take());
        edge.code = self.code.clone().or(edge.code.take());
        config.journal.keep_bytes_max = config.journal.keep_bytes_max.min(JOURNAL_BYTES);
        config.journal.queue_bytes = config.journal.queue_bytes.min(QUEUE_BYTES);
        crate::serve::check_exposure(&config, self.open)?;
        Ok(config)
    }
}

fn line(config: &Config) -> anyhow::Result<Line> {
    let edge = &config.edge;
    let wants = |key: &str| Misuse(format!("edge.{key}: an edge needs it; give --{key}"));
    let id = edge.id.clone().ok_or_else(|| wants("id"))?;
    if !vitals::id::is_logical_id(&id) {
        return Err(Misuse("edge.id: 1 to 64 characters of A-Z a-z 0-9 - .".to_owned()).into());
    }
    let centre = edge.centre.clone().ok_or_else(|| wants("centre"))?;
    let centre = centre.trim_end_matches('/').to_owned();
    let address = Address::parse(&centre).map_err(|error| Misuse(format!("edge.centre: {error}")))?;
    if !address.is_encrypted() && !edge.insecure {
        return Err(Misuse(
            "edge.centre: it is not encrypted (https); say edge.insecure = true if something else encrypts it".to_owned(),
        )
        .into());
    }
    let own = own::Own::new(config)?;
    Ok(Line { id, centre, code: edge.code.clone(), plain: edge.insecure, own })
}

/// The spool of a data folder, encrypted like everything else in it.
fn open_spool(folder: &Folder, config: &Config) -> anyhow::Result<Spool> {
    let place = folder.0.join("edge");
    std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let file = place.join("spool.db");
    let sealed = sealed::unlock(folder, &config.keys)?;
    let key = sealed.database(&file, &seal::Domain::Store)?;
    let unlock = key.as_ref().map(seal::database::unlock);
    let mut fresh = [0_u8; 8];
    getrandom::fill(&mut fresh).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let unlock = unlock.as_ref().map(|unlock| unlock.as_str());
    Spool::open(&file, unlock, u64::from_le_bytes(fresh), config.edge.spool_bytes_max).context("cannot open the spool")
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.configuration()?;
    let line = Arc::new(line(&config)?);
    lean::begin_again();
    start_log();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(live(&args.data, &config, args.open, line))
}

async fn live(data: &Path, config: &Config, open: bool, line: Arc<Line>) -> anyhow::Result<()> {
    let folder = Folder(data.to_owned());
    folder.make()?;
    let mut spool = open_spool(&folder, config)?;
    let configuration = centre::kept(&spool);
    spool.set_rules(configuration.as_ref().map_or_else(Rules::default, |kept| kept.rules.clone()));
    let refused = centre::refused(&spool);
    let this = ThisEdge::default();
    *this.0.lock() = Some(ThisEdgeView {
        id: line.id.clone(),
        centre: line.centre.clone(),
        configuration: configuration.map(|kept: Configuration| kept.etag).unwrap_or_default(),
        spool_bytes_max: config.edge.spool_bytes_max,
        trouble: "not asked yet".to_owned(),
        cursor: spool.cursor(),
        spool_pieces: spool.fill().pieces.iter().sum(),
        refused,
        ..ThisEdgeView::default()
    });
    let platform = wiring::start_as(data, config, open, this.clone()).await?;
    let shared = Shared { spool: Arc::new(Mutex::new(spool)), line, this, started: crate::clock::clock().0 };
    tracing::info!(
        http = %platform.http, mqtt = %platform.mqtt, mllp = %platform.mllp,
        centre = shared.line.centre, id = shared.line.id, "vitalwire is running"
    );
    let tasks = start(&platform, &shared);
    stop_signal().await?;
    tracing::info!("stopping");
    for task in tasks {
        task.abort();
    }
    platform.stop().await;
    Ok(())
}

fn start(platform: &Platform, shared: &Shared) -> [tokio::task::JoinHandle<()>; 3] {
    let near = &platform.near;
    [
        tokio::spawn(follow::run(near.clone(), shared.clone())),
        tokio::spawn(centre::run(near.clone(), shared.clone())),
        tokio::spawn(notify::run(near.clone())),
    ]
}
