//! Reads another Nightscout site: entries, treatments and device status, a little more each time.
//!
//! By API version 3, where the site answers it to our token, after each document's `srvModified`, which
//! tells also what came late. Else by version 1, after the documents' own times, in pieces of time that
//! shrink until an answer holds all of a piece. Where it has come to is kept after the documents are
//! durable; what is read twice is recognised by the journal.

mod ask;
mod round;
mod settings;

use std::path::Path;
use std::time::Duration;

use vitals::LinkState;

pub use settings::{Credential, Settings, SettingsError};

use crate::memory::Memory;
use crate::pace::Pace;
use crate::{MemoryError, Parts};
use round::Reader;

/// Failed rounds after which a source counts as lost.
const LOST_AFTER: u32 = 3;
/// The longest wait after failures.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// Reads one source.
pub struct Source {
    reader: Reader,
    parts: Parts,
    settings: Settings,
}

impl Source {
    /// Prepares to read; `folder` keeps how far it has come.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn new(settings: Settings, client: outgoing::Client, folder: &Path, parts: Parts) -> Result<Self, MemoryError> {
        let memory = Memory::new(folder, &format!("nightscout-{}", settings.name))?;
        let reader = Reader::new(settings.clone(), client, memory, parts.clone())?;
        Ok(Self { reader, parts, settings })
    }

    /// Reads until the program stops. A source that can't be read three times in a row is lost, which is a
    /// data gap of its device; it comes back by itself.
    pub async fn run(mut self) {
        let mut pace = Pace::new(self.settings.every, WAIT_MAX.max(self.settings.every));
        let mut link = LinkState::Offline;
        let mut stopping = self.parts.stopping.clone();
        loop {
            let outcome = tokio::select! {
                outcome = self.reader.round() => outcome,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            let name = outcome.as_ref().map_or_else(ask::SourceError::name, |()| "read");
            metrics::counter!("vitalwire_collector_rounds_total", "collector" => "nightscout", "outcome" => name).increment(1);
            let (wait, now) = match outcome {
                Ok(()) => {
                    pace.worked();
                    (self.settings.every, LinkState::Online)
                }
                Err(error) => {
                    tracing::warn!(source = %self.settings.name, %error, "a Nightscout site could not be read");
                    let wait = pace.failed();
                    (wait, if pace.failures() >= LOST_AFTER { LinkState::Lost } else { link })
                }
            };
            if now != link {
                let why = if now == LinkState::Lost { "the Nightscout site cannot be read" } else { "" };
                match self.parts.link(&self.settings.device, now, why).await {
                    Ok(()) => link = now,
                    Err(error) => tracing::error!(source = %self.settings.name, %error, "the state of a Nightscout site"),
                }
            }
            if self.parts.rest(wait).await {
                return;
            }
        }
    }
}
