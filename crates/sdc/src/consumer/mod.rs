//! The consumer: medical devices that speak SDC are connected to, described, followed.
//!
//! Each device has a task of its own: metadata, subscriptions, the MDIB, then report after report
//! into the journal. A report that was missed leads to a new MDIB; a device that is lost, to a lost
//! link and new attempts for as long as it takes. Both sides show certificates of the site's
//! authority; a device found by discovery is connected to only when the site named it.
//!
//! What is deliberately absent: any conclusion. Whose a value is, and whether it alarms, is the
//! engine's to say.

mod alarms;
mod commands;
mod context;
mod discovery;
mod line;
mod map;
mod operate;
mod session;
mod settings;
mod sink;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use journal::Appender;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use vitals::{DeviceId, Message, ReceiveTime};

pub use commands::Commands;
pub use line::{Line, LineError, Papers};
pub use operate::{OperateError, Operator, SafetyContext, Seen, is_done};
pub use settings::{Discovery, Known, Peer, Settings};

/// What the consumer needs of the rest of the program.
#[derive(Clone)]
pub struct Parts {
    /// Where messages go.
    pub appender: Appender,
    /// Our own clock.
    pub clock: fn() -> ReceiveTime,
    /// Takes out of a message what its devices may not say, and notes that they spoke.
    pub within: Arc<dyn Fn(&mut Message) + Send + Sync>,
    /// By which commands come to its devices.
    pub commands: Commands,
    /// Becomes true when the program stops.
    pub stopping: watch::Receiver<bool>,
}

/// The consumer with its listener.
pub struct Consumer {
    settings: Arc<Settings>,
    parts: Parts,
    line: Line,
    tls: Arc<rustls::ServerConfig>,
    listener: TcpListener,
}

impl Consumer {
    /// Reads certificates and takes the listener's place.
    ///
    /// # Errors
    /// [`LineError`] when a file or the address can't be used.
    pub async fn new(settings: Settings, parts: Parts) -> Result<Self, LineError> {
        let (line, tls) = (Line::new(settings.papers())?, line::server(&settings)?);
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| LineError::Connection(format!("cannot listen on {}: {error}", settings.listen)))?;
        Ok(Self { settings: Arc::new(settings), parts, line, tls, listener })
    }

    /// Runs until the program stops.
    pub async fn run(self) {
        let sink = sink::Sink::default();
        let port = self.listener.local_addr().map_or(self.settings.listen.port(), |address| address.port());
        let host = self.settings.address.clone().unwrap_or_else(|| format!("{}:{port}", self.settings.listen.ip()));
        let mut stopping = self.parts.stopping.clone();
        let serving = tokio::spawn(sink.clone().serve(self.listener, self.tls, stopping.clone()));
        let (found, mut finds) = mpsc::channel(16);
        // Where each device was last found.
        let mut known: HashMap<DeviceId, watch::Sender<String>> = HashMap::new();
        let mut meet = |peer: Peer| {
            if let Some(address) = known.get(&peer.id) {
                address.send_if_modified(|known| std::mem::replace(known, peer.address.clone()) != peer.address);
                return;
            }
            let (address, found_at) = watch::channel(peer.address.clone());
            known.insert(peer.id.clone(), address);
            let session = session::Session::new(
                Arc::clone(&self.settings),
                self.parts.clone(),
                self.line.clone(),
                sink.clone(),
                format!("https://{host}"),
                (peer, found_at),
            );
            tokio::spawn(session.run());
        };
        for peer in &self.settings.devices {
            meet(peer.clone());
        }
        if self.settings.discovery.is_some() {
            tokio::spawn(discovery::look(Arc::clone(&self.settings), self.line.clone(), found, stopping.clone()));
        } else {
            drop(found);
        }
        loop {
            tokio::select! {
                Some(peer) = finds.recv() => meet(peer),
                _ = stopping.wait_for(|stop| *stop) => break,
            }
        }
        serving.abort();
    }
}
