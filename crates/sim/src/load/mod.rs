//! Load: as many connections, as fast or at a rate, with as little work of our own as can be, so
//! that what is measured is the platform.

pub mod bed;
pub mod mllp;
pub mod mqtt;
pub mod waves;

pub use mllp::{MllpLoad, run as run_mllp};
pub use mqtt::{MqttLoad, run as run_mqtt};
pub use waves::{WaveLoad, WaveManifest, run as run_waves};

use std::sync::{Mutex, PoisonError};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::error::SimError;
use crate::histogram::{Histogram, Quantiles};

/// What a load run found. Keys are stable.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadReport {
    /// `mqtt`, `mllp` or `waves`.
    pub protocol: &'static str,
    /// Connections that were open.
    pub connections: u64,
    /// Unacknowledged messages allowed on each; 0: as many as the server allows.
    pub window: u64,
    /// Measured wall time, s: from the first message to the last acknowledgement.
    pub seconds: f64,
    /// Messages sent.
    pub sent: u64,
    /// Messages acknowledged as taken.
    pub acknowledged: u64,
    /// Messages answered with an error.
    pub refused: u64,
    /// Connections that broke.
    pub broken: u64,
    /// Values in each message.
    pub values_per_message: u64,
    /// Acknowledged messages in a second.
    pub messages_per_s: f64,
    /// Acknowledged values in a second.
    pub values_per_s: f64,
    /// From handing a message to the socket to its acknowledgement; at a fixed rate, from the
    /// moment it was due.
    pub latency: Quantiles,
}

/// Progress of a load run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LoadProgress {
    /// Open connections.
    pub connections: u64,
    /// Acknowledged messages so far.
    pub acknowledged: u64,
    /// Refused messages so far.
    pub refused: u64,
}

/// What one connection counted.
#[derive(Debug, Default)]
struct Tally {
    sent: u64,
    acknowledged: u64,
    refused: u64,
    broken: u64,
}

/// Counters that all connections share; each adds once per batch, not per message.
#[derive(Debug, Default)]
struct Shared {
    connections: AtomicU64,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    latency: Mutex<Histogram>,
}

impl Shared {
    /// Counts what one read brought: one lock and two additions per batch, one histogram for all
    /// connections.
    fn batch(&self, taken: u64, refused: u64, latencies_us: &mut Vec<u64>) {
        self.acknowledged.fetch_add(taken, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        let mut latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        for us in latencies_us.drain(..) {
            latency.record(us);
        }
    }

    fn progress(&self) -> LoadProgress {
        LoadProgress {
            connections: self.connections.load(Ordering::Relaxed),
            acknowledged: self.acknowledged.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// Runs `tasks` to their end, telling progress every half second, and adds up.
async fn collect(
    mut tasks: tokio::task::JoinSet<Tally>,
    shared: &Shared,
    mut progress: impl FnMut(LoadProgress),
) -> Result<Tally, SimError> {
    let mut total = Tally::default();
    let mut beat = tokio::time::interval(std::time::Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = beat.tick() => progress(shared.progress()),
            done = tasks.join_next() => match done {
                None => break,
                Some(Ok(tally)) => {
                    total.sent += tally.sent;
                    total.acknowledged += tally.acknowledged;
                    total.refused += tally.refused;
                    total.broken += tally.broken;
                }
                Some(Err(error)) => {
                    return Err(SimError::Refused {
                        what: "the load task".to_owned(),
                        reason: error.to_string(),
                    });
                }
            },
        }
    }
    progress(shared.progress());
    Ok(total)
}

impl Tally {
    fn report(
        &self,
        shared: &Shared,
        protocol: &'static str,
        (connections, window): (usize, usize),
        values: u64,
        seconds: f64,
    ) -> LoadReport {
        let latency = shared.latency.lock().unwrap_or_else(PoisonError::into_inner).quantiles();
        let per_second = self.acknowledged as f64 / seconds.max(1e-9);
        LoadReport {
            protocol,
            connections: connections as u64,
            window: window as u64,
            seconds,
            sent: self.sent,
            acknowledged: self.acknowledged,
            refused: self.refused,
            broken: self.broken,
            values_per_message: values,
            messages_per_s: per_second,
            values_per_s: per_second * values as f64,
            latency,
        }
    }
}

/// Writes `value` as exactly `digits.len()` decimal digits, leading zeros included.
fn put_digits(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}
