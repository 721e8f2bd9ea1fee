//! Heads of our log to its witnesses: to others' machines over HTTP (C2SP tlog-witness), and into
//! files on other disks. A witness that knows another log than ours is an alarm.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use guard::{AuditLog, Guard, Outcome, Record};
use ledger::{Signature, SignedHead, Verifier, to_base64};

use super::net;
use super::witness::keep;
use crate::clock::clock;
use crate::config;

/// One witness over HTTP.
struct Remote {
    name: String,
    url: String,
    key: Verifier,
    tls: Option<std::sync::Arc<tokio_rustls::rustls::ClientConfig>>,
    /// The size of the last head that it signed, as far as we know.
    known: u64,
}

/// Sends heads.
pub(crate) struct Pusher {
    guard: Guard,
    log: AuditLog,
    folder: PathBuf,
    remotes: Vec<Remote>,
    file: Option<PathBuf>,
    /// What is wrong with each witness, so that each trouble is told once.
    troubles: HashMap<String, String>,
    sent: u64,
}

/// Why a witness did not take a head.
enum Trouble {
    /// It cannot be reached, or does not speak our language.
    Away(String),
    /// It knows another log than this one.
    Other(String),
}

impl Pusher {
    pub(crate) fn new(guard: Guard, folder: PathBuf, config: &config::Audit) -> anyhow::Result<Self> {
        let mut remotes = Vec::new();
        for one in &config.witness {
            let tls = one.authority.as_deref().map(|authority| net::tls(authority, None)).transpose()?;
            let (name, url) = (one.name.clone(), one.url.trim_end_matches('/').to_owned());
            remotes.push(Remote { name, url, key: super::command::key(&one.public_key)?, tls, known: 0 });
        }
        let (log, file) = (guard.audit_log(), config.witness_file.clone());
        Ok(Self { guard, log, folder, remotes, file, troubles: HashMap::new(), sent: 0 })
    }

    /// Sends the present head to whoever does not have it.
    pub(crate) fn push(&mut self) {
        let Ok(Some(head)) = self.log.head() else { return };
        if head.checkpoint.size == self.sent && self.troubles.is_empty() {
            return;
        }
        self.sent = head.checkpoint.size;
        if let Some(file) = self.file.clone() {
            let told = self.to_file(&file, &head);
            self.judge("witness file", told);
        }
        for index in 0..self.remotes.len() {
            let told = self.ship_to(index, &head);
            let name = self.remotes[index].name.clone();
            self.judge(&name, told);
        }
    }

    fn to_file(&self, file: &std::path::Path, head: &SignedHead) -> Result<(), Trouble> {
        let away = |error: std::io::Error| Trouble::Away(error.to_string());
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let last = SignedHead::parse(&text).map_err(|_| Trouble::Other("its file holds no head".to_owned()))?;
                let (size, root) = (last.checkpoint.size, last.checkpoint.root);
                let ours = self.log.root(size).ok();
                if size > head.checkpoint.size || (size > 0 && ours != Some(root)) {
                    return Err(Trouble::Other(format!("it knows a log of {size} records that ours does not continue")));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(away(error)),
        }
        keep(file, &head.note()).map_err(away)
    }

    fn ship_to(&mut self, index: usize, head: &SignedHead) -> Result<(), Trouble> {
        for _ in 0..3 {
            let remote = &self.remotes[index];
            if remote.known > head.checkpoint.size {
                return Err(Trouble::Other(format!("it knows a log of {} records", remote.known)));
            }
            let path = self.log.continues(remote.known, head.checkpoint.size);
            let path = path.map_err(|error| Trouble::Away(error.to_string()))?;
            let mut body = format!("old {}\n", remote.known);
            for hash in path {
                let _ = writeln!(body, "{}", to_base64(&hash));
            }
            let _ = write!(body, "\n{}", head.note());
            let answer = net::post(&format!("{}/add-checkpoint", remote.url), &body, remote.tls.as_ref());
            match answer.map_err(|error| Trouble::Away(format!("{error:#}")))? {
                (200, text) => return self.signed(index, head, &text),
                (409, text) => {
                    let known = text.trim().parse().map_err(|_| Trouble::Away("409 without a size".to_owned()))?;
                    if known == self.remotes[index].known {
                        return Err(Trouble::Other(format!("it knows another log of {known} records")));
                    }
                    self.remotes[index].known = known;
                }
                (422, _) => return Err(Trouble::Other("ours does not continue the log that it knows".to_owned())),
                (status, _) => return Err(Trouble::Away(format!("it answers {status}"))),
            }
        }
        Err(Trouble::Away("it does not say which head it knows".to_owned()))
    }

    /// Keeps the head with the witness's signature, if that holds.
    fn signed(&mut self, index: usize, head: &SignedHead, text: &str) -> Result<(), Trouble> {
        let remote = &mut self.remotes[index];
        let mut cosigned = head.clone();
        cosigned.signatures.extend(text.lines().filter_map(|line| Signature::parse(line).ok()));
        cosigned.check(&remote.key).map_err(|_| Trouble::Away("its signature does not hold".to_owned()))?;
        remote.known = head.checkpoint.size;
        let path = self.folder.join(format!("audit.cosigned-{}", remote.name));
        keep(&path, &cosigned.note()).map_err(|error| Trouble::Away(error.to_string()))
    }

    /// Tells of a new trouble, once; a witness that contradicts is recorded.
    fn judge(&mut self, name: &str, told: Result<(), Trouble>) {
        let (text, contradicts) = match told {
            Ok(()) => {
                self.troubles.remove(name);
                return;
            }
            Err(Trouble::Away(text)) => (text, false),
            Err(Trouble::Other(text)) => (text, true),
        };
        metrics::counter!("vitalwire_audit_witness_failures_total", "witness" => name.to_owned()).increment(1);
        if self.troubles.insert(name.to_owned(), text.clone()).as_ref() == Some(&text) {
            return;
        }
        if !contradicts {
            tracing::warn!(witness = name, "the audit log's head was not witnessed: {text}");
            return;
        }
        tracing::error!(witness = name, "A WITNESS CONTRADICTS THE AUDIT LOG: {text}");
        let record = Record::new(clock(), "system", "witness-contradicts");
        let detail = format!("{name}: {text}");
        let recorded = self.guard.audit_blocking(Record { outcome: Outcome::Failed, detail, ..record });
        if let Err(error) = recorded {
            tracing::error!(%error, "not recorded");
        }
    }
}
