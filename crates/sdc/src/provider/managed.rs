//! Managed discovery: hosts are registered at a discovery proxy (WS-Discovery 1.1, managed mode) by Hello over
//! HTTPS, and taken out by Bye. The proxy answers for them; what it is told is what multicast tells.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use wire_dpws::discovery::{Discovery, Service};
use wire_dpws::{AppSequence, Header, Payload};

use super::run::Shared;
use super::server::{message_id, stopped};
use crate::consumer::{Line, LineError};

/// How often hosts that came or changed are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// After so long a host is registered again, for a proxy may have forgotten.
const AGAIN: Duration = Duration::from_secs(60);
/// After a failure nothing is tried for so long.
const PAUSE: Duration = Duration::from_secs(10);
/// How long goodbyes may take in all when the program stops.
const GOODBYE: Duration = Duration::from_secs(3);

/// Registers until the program stops.
pub(super) async fn run(line: Line, proxy: String, shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    let mut register = Register { line, proxy, shared, number: 0, told: Vec::new(), failing: false };
    loop {
        let turn = async {
            let pause = if register.look().await { LOOK } else { PAUSE };
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            () = stopped(&mut stopping) => break,
            () = turn => {}
        }
    }
    // A proxy that does not answer any more finds out by itself.
    let _ = tokio::time::timeout(GOODBYE, register.leave()).await;
}

struct Register {
    line: Line,
    proxy: String,
    shared: Arc<Shared>,
    number: u64,
    told: Vec<(Service, Instant)>,
    failing: bool,
}

impl Register {
    /// Says Hello for hosts that came, changed or were told long ago, Bye for those that went; whether the proxy heard.
    async fn look(&mut self) -> bool {
        let now = self.shared.services();
        let gone = self.told.iter().position(|(old, _)| !now.iter().any(|new| new.endpoint == old.endpoint));
        let heard = match gone {
            Some(at) => {
                let heard = self.tell(&Discovery::Bye(self.told[at].0.endpoint.clone())).await;
                if heard.is_ok() {
                    self.told.remove(at);
                }
                heard
            }
            None => self.greet(now).await,
        };
        if let (Err(error), false) = (&heard, self.failing) {
            tracing::warn!(%error, "SDC: the discovery proxy is not reached, it is tried again");
        }
        if heard.is_err() {
            self.shared.live.count("sdc-proxy-failed", 1);
        }
        self.failing = heard.is_err();
        heard.is_ok()
    }

    async fn greet(&mut self, services: Vec<Service>) -> Result<(), LineError> {
        for service in services {
            let known = |(told, at): &(Service, Instant)| *told == service && at.elapsed() < AGAIN;
            if self.told.iter().any(known) {
                continue;
            }
            self.tell(&Discovery::Hello(service.clone())).await?;
            self.told.retain(|(told, _)| told.endpoint != service.endpoint);
            self.told.push((service, Instant::now()));
        }
        Ok(())
    }

    async fn leave(&mut self) {
        for (service, _) in std::mem::take(&mut self.told) {
            if self.tell(&Discovery::Bye(service.endpoint)).await.is_err() {
                return;
            }
        }
    }

    async fn tell(&mut self, message: &Discovery) -> Result<(), LineError> {
        self.number += 1;
        let sequence = AppSequence { instance: self.shared.instance, sequence: None, number: self.number };
        let header = Header::request(message.action(), self.proxy.clone(), message_id());
        let header = Header { sequence: Some(sequence), ..header };
        self.line.tell(&self.proxy, header, message).await.map(|_| ())
    }
}
