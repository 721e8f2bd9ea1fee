//! `vitalwire audit witness`: another machine that signs heads of logs, each only if it continues
//! the last one that it signed (C2SP tlog-witness). Who puts back or rewrites a log has to bring
//! all its witnesses to do so, too.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ledger::{Hash, LogKey, SignedHead, Verifier, hash_from_base64, verify_consistency};
use parking_lot::Mutex;

use super::command::key;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the witness: its key, and the last head of each log.
    #[arg(long)]
    state: PathBuf,
    /// Address to listen on (HTTP).
    #[arg(long, default_value = "127.0.0.1:8099")]
    listen: SocketAddr,
    /// Name of this witness.
    #[arg(long, default_value = "vitalwire-witness")]
    name: String,
    /// Public key of a log that is witnessed (`vitalwire audit head --key`), or a file with it;
    /// may be given again.
    #[arg(long, required = true)]
    log: Vec<String>,
}

struct Witness {
    folder: PathBuf,
    key: LogKey,
    logs: Vec<Verifier>,
    /// One at a time: a head is compared and kept in one step.
    one: Mutex<()>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    crate::start_log();
    std::fs::create_dir_all(&args.state).context("cannot make the witness's folder")?;
    let logs = args.log.iter().map(|text| key(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let key = own_key(&args.state, &args.name)?;
    let verifier = key.verifier();
    let witness = Arc::new(Witness { folder: args.state, key, logs, one: Mutex::new(()) });
    let router = Router::new()
        .route("/add-checkpoint", post(add))
        .route("/key", get(|| async move { format!("{verifier}\n") }))
        .with_state(Arc::clone(&witness));
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
        println!("witness at http://{}, key {}", listener.local_addr()?, witness.key.verifier());
        let stop = async {
            let _ = crate::serve::stop_signal().await;
        };
        Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?)
    })
}

/// The witness's key, made at the first start.
fn own_key(folder: &Path, name: &str) -> anyhow::Result<LogKey> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join("witness.key");
    let seed = match std::fs::read_to_string(&path) {
        Ok(text) => *blake3::Hash::from_hex(text.trim()).context("witness.key is no key")?.as_bytes(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            writeln!(file, "{}", blake3::Hash::from_bytes(seed).to_hex())?;
            file.sync_all()?;
            seed
        }
        Err(error) => return Err(error).context("cannot read witness.key"),
    };
    Ok(LogKey::witness(name, &seed)?)
}

async fn add(State(witness): State<Arc<Witness>>, body: String) -> Response {
    let done = tokio::task::spawn_blocking(move || witness.add(&body)).await;
    match done {
        Ok(Ok(line)) => line.into_response(),
        Ok(Err(refused)) => refused.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Why a head was not signed.
enum Refused {
    /// It does not continue the head of this size, which is the last that was signed.
    Other(u64),
    Plain(StatusCode, &'static str),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Other(size) => {
                let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
                (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response()
            }
            Self::Plain(status, why) => (status, format!("{why}\n")).into_response(),
        }
    }
}

impl Witness {
    /// Signs the head of a request, if it continues the last.
    fn add(&self, body: &str) -> Result<String, Refused> {
        const FORM: Refused = Refused::Plain(StatusCode::BAD_REQUEST, "not an add-checkpoint request");
        let (old, path, note) = taken_apart(body).ok_or(FORM)?;
        let head = SignedHead::parse(note).map_err(|_| FORM)?;
        let origin = &head.checkpoint.origin;
        let log = self.logs.iter().find(|log| log.name() == origin);
        let log = log.ok_or(Refused::Plain(StatusCode::NOT_FOUND, "this log is not witnessed here"))?;
        head.check(log).map_err(|_| Refused::Plain(StatusCode::FORBIDDEN, "the log's signature does not hold"))?;
        let _one = self.one.lock();
        let failed = |_| Refused::Plain(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot keep heads");
        let kept = self.folder.join(format!("{origin}.head"));
        let last = match std::fs::read_to_string(&kept) {
            Ok(text) => Some(SignedHead::parse(&text).map_err(|_| failed(()))?.checkpoint),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => return Err(failed(())),
        };
        let (size, root) = (head.checkpoint.size, head.checkpoint.root);
        let (known, known_root) = last.map_or((0, None), |last| (last.size, Some(last.root)));
        if old > size {
            return Err(FORM);
        }
        if old != known || (old == size && known_root.is_some_and(|known| known != root)) {
            return Err(Refused::Other(known));
        }
        let before = known_root.unwrap_or_default();
        verify_consistency((known, &before), (size, &root), &path)
            .map_err(|_| Refused::Plain(StatusCode::UNPROCESSABLE_ENTITY, "it does not continue the head before"))?;
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let line = head.cosign(&self.key, time);
        let mut signed = head.clone();
        signed.signatures.retain(|one| one.name == log.name());
        signed.signatures.push(line.clone());
        keep(&kept, &signed.note()).map_err(|_| failed(()))?;
        Ok(line.line())
    }
}

/// The older size, the proof and the note of a request.
fn taken_apart(body: &str) -> Option<(u64, Vec<Hash>, &str)> {
    let (proof, note) = body.split_once("\n\n")?;
    let mut lines = proof.lines();
    let old = lines.next()?.strip_prefix("old ")?.parse().ok()?;
    let path = lines.map(hash_from_base64).collect::<Option<Vec<_>>>()?;
    Some((old, path, note))
}

/// Puts a file in the place of another, on the disk before this returns.
pub(super) fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
