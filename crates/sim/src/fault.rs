//! A TCP proxy that breaks things with a seed: it stands between devices and the platform and
//! cuts, delays, repeats or garbles what they send. Repeating whole protocol packets needs their
//! borders, so it is told which protocol passes through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::error::SimError;
use crate::link::mllp::END;
use crate::random::Random;

/// How packets are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// MQTT control packets.
    Mqtt,
    /// MLLP frames.
    Mllp,
    /// None: each read is a packet.
    Bytes,
}

/// What may happen to each packet on its way to the platform; probabilities from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// The whole run is a function of this and of the order of connections.
    pub seed: u64,
    /// How packets are told apart.
    pub framing: Framing,
    /// The connection is cut: in the middle of the packet, after it, or before its answer.
    pub cut: f64,
    /// The packet waits for up to `delay_ms_max`.
    pub delay: f64,
    /// The longest delay, ms.
    pub delay_ms_max: u64,
    /// The packet is sent twice. The first packet of a connection never is: MQTT forbids a second
    /// CONNECT.
    pub duplicate: f64,
    /// One byte of the packet is changed. Never the first packet.
    pub corrupt: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: 1,
            framing: Framing::Bytes,
            cut: 0.0,
            delay: 0.0,
            delay_ms_max: 50,
            duplicate: 0.0,
            corrupt: 0.0,
        }
    }
}

/// How often each fault has happened.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections accepted.
    pub connections: AtomicU64,
    /// Packets passed on.
    pub packets: AtomicU64,
    /// Connections cut.
    pub cuts: AtomicU64,
    /// Packets delayed.
    pub delays: AtomicU64,
    /// Packets repeated.
    pub duplicates: AtomicU64,
    /// Packets garbled.
    pub corruptions: AtomicU64,
}

/// A running proxy; dropping it closes its listener and its connections.
#[derive(Debug)]
pub struct Proxy {
    /// Where devices connect, `127.0.0.1:port`.
    pub address: String,
    /// What has happened so far.
    pub tally: Arc<Tally>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts a proxy on a free port of loopback, before the platform at `target`.
    ///
    /// # Errors
    /// [`SimError::Network`] when no port can be bound.
    pub async fn start(target: &str, faults: Faults) -> Result<Self, SimError> {
        let failed = || SimError::network("proxy listen", "127.0.0.1:0");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?.to_string();
        let tally = Arc::new(Tally::default());
        let (counted, target) = (Arc::clone(&tally), target.to_owned());
        let task = tokio::spawn(async move {
            // Dropping the set with the task ends every connection.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((device, _)) = listener.accept().await {
                let index = counted.connections.fetch_add(1, Ordering::Relaxed);
                let random = Random::new(faults.seed).fork(&format!("connection {index}"));
                let (faults, target) = (faults.clone(), target.clone());
                connections.spawn(pass(device, target, faults, random, Arc::clone(&counted)));
            }
        });
        Ok(Self { address, tally, task })
    }
}

/// Passes one connection on until either side ends or it is cut.
async fn pass(
    device: TcpStream,
    target: String,
    faults: Faults,
    mut random: Random,
    tally: Arc<Tally>,
) {
    let Ok(platform) = TcpStream::connect(&target).await else { return };
    let (_, _) = (device.set_nodelay(true), platform.set_nodelay(true));
    let (from_device, mut to_device) = device.into_split();
    let (mut from_platform, to_platform) = platform.into_split();
    let back = async { tokio::io::copy(&mut from_platform, &mut to_device).await };
    let forth = forward(from_device, to_platform, &faults, &mut random, &tally);
    tokio::select! {
        _ = back => {}
        _ = forth => {}
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    faults: &Faults,
    random: &mut Random,
    tally: &Tally,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut first = true;
    while from.read_buf(&mut bytes).await? > 0 {
        while let Some(length) = packet_length(faults.framing, &bytes) {
            let mut packet: Vec<u8> = bytes.drain(..length).collect();
            if random.chance(faults.delay) {
                tally.delays.fetch_add(1, Ordering::Relaxed);
                let ms = random.below(faults.delay_ms_max as usize + 1) as u64;
                sleep(Duration::from_millis(ms)).await;
            }
            if !first && random.chance(faults.corrupt) {
                tally.corruptions.fetch_add(1, Ordering::Relaxed);
                let at = random.below(packet.len());
                packet[at] ^= 1 << random.below(8);
            }
            if random.chance(faults.cut) {
                tally.cuts.fetch_add(1, Ordering::Relaxed);
                // Anything from nothing to all of it arrives; the answer never comes back.
                let kept = random.below(packet.len() + 1);
                to.write_all(&packet[..kept]).await?;
                return Ok(());
            }
            to.write_all(&packet).await?;
            tally.packets.fetch_add(1, Ordering::Relaxed);
            if !first && random.chance(faults.duplicate) {
                tally.duplicates.fetch_add(1, Ordering::Relaxed);
                to.write_all(&packet).await?;
            }
            first = false;
        }
    }
    to.shutdown().await
}

/// Length of the first whole packet; none while it is incomplete.
fn packet_length(framing: Framing, bytes: &[u8]) -> Option<usize> {
    match framing {
        Framing::Bytes => (!bytes.is_empty()).then_some(bytes.len()),
        Framing::Mllp => bytes.windows(2).position(|pair| pair == END).map(|at| at + 2),
        Framing::Mqtt => {
            let mut length = 0;
            for (at, byte) in bytes.iter().skip(1).take(4).enumerate() {
                length |= usize::from(byte & 0x7f) << (7 * at);
                if byte & 0x80 == 0 {
                    return (bytes.len() >= length + at + 2).then_some(length + at + 2);
                }
            }
            // Five length bytes are no MQTT: pass on what there is.
            (bytes.len() > 5).then_some(bytes.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        for (framing, bytes, expected) in [
            (Framing::Mqtt, &[0xc0_u8, 0, 0xc0][..], Some(2)),
            (Framing::Mqtt, &[0x30, 3, 0, 1], None),
            (Framing::Mllp, b"\x0bMSH\x1c\x0d\x0b", Some(6)),
            (Framing::Mllp, b"\x0bMSH", None),
            (Framing::Bytes, b"abc", Some(3)),
        ] {
            assert_eq!(packet_length(framing, bytes), expected, "{framing:?} {bytes:?}");
        }
    }
}
