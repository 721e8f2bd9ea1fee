//! The platform as a child process, in a folder of its own, on free ports: started, looked at from
//! outside, stopped or killed.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::http::Http;
use crate::process::Usage;

/// How long the platform may take to answer for the first time.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// How the platform is started.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// The token of a program, when authentication is on; none: `--open`.
    pub token: Option<String>,
    /// Configuration by variables.
    pub environment: Vec<(&'static str, &'static str)>,
}

impl How {
    /// Locked: makes an account for the load on a folder that is to be started on.
    ///
    /// # Errors
    /// When the program can't make it.
    pub fn locked(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        let made = Command::new(binary)
            .args(["user", "token", ACCOUNT, "--role", "administrator", "--data"])
            .arg(folder)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot make an account")?;
        let text = String::from_utf8_lossy(&made.stdout).into_owned();
        let token = text.split_whitespace().find(|word| word.starts_with("vw_"));
        let token = token.context("`vitalwire user token` printed no token")?.to_owned();
        // MLLP knows no accounts.
        let environment = vec![("VITALWIRE_MLLP_PEERS", "127.0.0.1")];
        Ok(Self { token: Some(token), environment })
    }

    /// Account and token, for MQTT.
    #[must_use]
    pub fn credentials(&self) -> Option<(String, String)> {
        self.token.clone().map(|token| (ACCOUNT.to_owned(), token))
    }
}

/// The account of the load.
const ACCOUNT: &str = "bench";

/// A running `vitalwire serve`.
pub struct Server {
    child: Child,
    /// MQTT, `host:port`.
    pub mqtt: String,
    /// MLLP, `host:port`.
    pub mllp: String,
    /// The HTTP interface.
    pub http: Http,
}

impl Server {
    /// Starts the program on `folder` and waits until it is ready. Gives the time that took, too.
    ///
    /// # Errors
    /// When it can't be started, ends, or is not ready within two minutes.
    pub async fn start(binary: &Path, folder: &Path) -> anyhow::Result<(Self, Duration)> {
        Self::start_as(binary, folder, &How::default()).await
    }

    /// [`Self::start`], locked or with other configuration.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_as(
        binary: &Path,
        folder: &Path,
        how: &How,
    ) -> anyhow::Result<(Self, Duration)> {
        Self::start_at(binary, folder, free_ports()?, how).await
    }

    /// Starts it on these ports: HTTP, MQTT, MLLP.
    async fn start_at(
        binary: &Path,
        folder: &Path,
        [http, mqtt, mllp]: [String; 3],
        how: &How,
    ) -> anyhow::Result<(Self, Duration)> {
        let log = std::fs::File::create(folder.join("bench.log")).context("cannot make a log")?;
        let began = Instant::now();
        let child = Command::new(binary)
            .arg("serve")
            .args(how.token.is_none().then_some("--open"))
            .arg("--data")
            .arg(folder)
            .args(["--http", &http, "--mqtt", &mqtt, "--mllp", &mllp])
            .env("RUST_LOG", "warn")
            .envs(how.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut server = Self { child, mqtt, mllp, http: Http::new(&http).with_token(how.token.clone()) };
        loop {
            if server.http.get("/readyz").await.is_ok() {
                return Ok((server, began.elapsed()));
            }
            if let Some(status) = server.child.try_wait()? {
                let log = std::fs::read_to_string(folder.join("bench.log")).unwrap_or_default();
                bail!("vitalwire ended while starting ({status}): {log}");
            }
            if began.elapsed() > STARTS_WITHIN {
                bail!("vitalwire was not ready within {} s", STARTS_WITHIN.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Memory and processor time so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }

    /// The process, for watching it from elsewhere.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Readings in the store, counted exactly, everything acknowledged by now included.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn stored(&self) -> anyhow::Result<u64> {
        let bundle = self.http.json("/fhir/Observation?_summary=count").await?;
        bundle["total"].as_u64().context("a count without a total")
    }

    /// Waits until at least `expected` readings are in the store; gives the exact count.
    ///
    /// # Errors
    /// When the count stands still below it for half a minute.
    pub async fn stored_at_least(&self, expected: u64) -> anyhow::Result<u64> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let stored = self.stored().await?;
            if stored >= expected {
                return Ok(stored);
            }
            if stored > last {
                (last, moved) = (stored, Instant::now());
            }
            if moved.elapsed() > Duration::from_secs(30) {
                bail!("{stored} readings are stored, but {expected} were acknowledged");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A value of `/metrics`, summed over its labels; 0 if it is not there.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.http.get("/metrics").await?;
        let lines = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with(['{', ' ']).then(|| rest.rsplit(' ').next())?
        });
        Ok(lines.filter_map(|value| value.parse::<f64>().ok()).sum())
    }

    /// Ends it as an administrator would, and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end within two minutes.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        ensure!(asked.is_ok_and(|status| status.success()), "cannot ask vitalwire to end");
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(asked.elapsed() < STARTS_WITHIN, "vitalwire does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends it as a power cut would and starts it again at the same addresses. Gives the time that
    /// the start took.
    ///
    /// # Errors
    /// When it can't be killed or does not come back.
    pub async fn killed(self, binary: &Path, folder: &Path) -> anyhow::Result<(Self, Duration)> {
        let at = [self.http.address().to_owned(), self.mqtt.clone(), self.mllp.clone()];
        self.kill()?;
        Self::start_at(binary, folder, at, &How::default()).await
    }

    /// Ends it as a power cut would: SIGKILL.
    ///
    /// # Errors
    /// When it can't be killed.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("cannot kill vitalwire")?;
        self.child.wait().context("cannot wait for vitalwire")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that nobody listens on now.
///
/// # Errors
/// When there are none.
pub fn free_ports<const N: usize>() -> anyhow::Result<[String; N]> {
    let mut listeners = Vec::with_capacity(N);
    for _ in 0..N {
        listeners.push(TcpListener::bind("127.0.0.1:0").context("no free port")?);
    }
    let mut ports = std::array::from_fn(|_| String::new());
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        let address: SocketAddr = listener.local_addr()?;
        *port = address.to_string();
    }
    Ok(ports)
}
