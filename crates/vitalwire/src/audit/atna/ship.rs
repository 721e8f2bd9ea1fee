//! Records on their way to a repository. Syslog tells nobody that a message arrived: what was sent
//! counts as there only when the connection has stood for a while after it; else it is sent again.
//! So a repository may get a record twice (its number is in it), but none is left out.

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use api::audit::AuditRow;
use guard::AuditLog;
use tokio_rustls::rustls::ClientConfig;

use super::message::framed;
use crate::audit::net::{self, Line};
use crate::audit::witness::keep;
use crate::config;

/// How long a connection has to stand behind a message.
const SETTLED: Duration = Duration::from_secs(5);
/// Records in one go.
const BATCH: usize = 1_000;
/// Between two tries to connect.
const RETRY: Duration = Duration::from_secs(5);
/// Between two looks for new records.
const EVERY: Duration = Duration::from_millis(500);

/// The way to one repository.
pub(crate) struct Shipper {
    name: String,
    address: String,
    host: String,
    tls: Option<Arc<ClientConfig>>,
    log: AuditLog,
    /// Where the number of the last record that is surely there is kept.
    position: PathBuf,
    settled: u64,
    sent: u64,
    /// What was sent when, not settled yet.
    waiting: VecDeque<(Instant, u64)>,
    line: Option<Line>,
    tried: Option<Instant>,
    failing: bool,
}

impl Shipper {
    pub(crate) fn new(log: AuditLog, folder: &std::path::Path, config: &config::Repository) -> anyhow::Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        anyhow::ensure!(!config.name.is_empty() && config.name.chars().all(plain), "audit.repository: name: letters, digits and - only");
        let own = config.certificate.as_deref().zip(config.key.as_deref());
        let tls = match &config.authority {
            Some(authority) => Some(net::tls(authority, own)?),
            None if config.insecure => None,
            None => anyhow::bail!("audit.repository {}: give `authority`, or say insecure = true", config.name),
        };
        let position = folder.join(format!("atna-{}.position", config.name));
        let settled = match std::fs::read_to_string(&position) {
            Ok(text) => text.trim().parse().with_context(|| format!("{} is no number", position.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", position.display())),
        };
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        let host: String = host.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
        Ok(Self {
            name: config.name.clone(),
            address: config.address.clone(),
            host: if host.is_empty() { "vitalwire".to_owned() } else { host },
            tls,
            log,
            position,
            settled,
            sent: settled,
            waiting: VecDeque::new(),
            line: None,
            tried: None,
            failing: false,
        })
    }

    /// Sends what there is; true when there may be more at once.
    fn ship(&mut self) -> bool {
        match self.try_ship() {
            Ok(more) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!(repository = self.name, "audit records are sent again");
                }
                more
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(repository = self.name, "audit records wait: {error:#}");
                }
                metrics::counter!("vitalwire_atna_failures_total", "repository" => self.name.clone()).increment(1);
                // What may not have arrived is sent again.
                self.line = None;
                self.waiting.clear();
                self.sent = self.settled;
                false
            }
        }
    }

    fn try_ship(&mut self) -> anyhow::Result<bool> {
        if let Some(line) = &mut self.line {
            anyhow::ensure!(!line.is_over(), "the repository hung up");
        }
        self.settle()?;
        let mut batch = Vec::new();
        let (mut last, mut count) = (self.sent, 0);
        self.log.lines(self.sent + 1, |number, text| {
            if let Some(row) = AuditRow::read(number, text) {
                batch.extend_from_slice(&framed(&row, &self.host));
            }
            (last, count) = (number, count + 1);
            count < BATCH
        })?;
        let behind = |sent: u64| (last - sent) as f64;
        metrics::gauge!("vitalwire_atna_waiting", "repository" => self.name.clone()).set(behind(self.settled));
        if last == self.sent {
            return Ok(false);
        }
        let line = match &mut self.line {
            Some(line) => line,
            None => {
                if self.tried.is_some_and(|tried| tried.elapsed() < RETRY) {
                    return Ok(false);
                }
                self.tried = Some(Instant::now());
                self.line.insert(Line::open(&self.address, self.tls.as_ref())?)
            }
        };
        line.write_all(&batch).and_then(|()| line.flush()).context("sending")?;
        metrics::counter!("vitalwire_atna_sent_total", "repository" => self.name.clone()).increment(count as u64);
        self.sent = last;
        self.waiting.push_back((Instant::now(), last));
        Ok(count == BATCH)
    }

    /// Notes what has been there for long enough.
    fn settle(&mut self) -> anyhow::Result<()> {
        let mut settled = self.settled;
        while let Some((when, number)) = self.waiting.front()
            && when.elapsed() >= SETTLED
        {
            settled = *number;
            self.waiting.pop_front();
        }
        if settled != self.settled {
            keep(&self.position, &format!("{settled}\n"))?;
            self.settled = settled;
        }
        Ok(())
    }
}

/// Runs until the task is ended.
pub(crate) async fn run(mut shipper: Shipper) {
    loop {
        let worked = tokio::task::spawn_blocking(move || {
            let more = shipper.ship();
            (more, shipper)
        });
        let Ok((more, back)) = worked.await else { return };
        shipper = back;
        if !more {
            tokio::time::sleep(EVERY).await;
        }
    }
}
