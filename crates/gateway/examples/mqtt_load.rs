//! Load on an MQTT listener: single-value SenML publishes with QoS 1, a window of them in flight
//! on each connection.
//!
//! `cargo run --release -p gateway --example mqtt_load -- ADDRESS CONNECTIONS WINDOW SECONDS`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire_mqtt::codec::encode::{self, Block, PublishHead};
use wire_mqtt::codec::{FromServer, decode_server, split};
use wire_mqtt::{Qos, Version};

#[derive(Default)]
struct Tally {
    connected: AtomicU64,
    acknowledged: AtomicU64,
    /// Sum of the times from publish to PUBACK, µs.
    waited_us: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, connections, window, seconds] = args.as_slice() else {
        return Err("usage: mqtt_load ADDRESS CONNECTIONS WINDOW SECONDS".into());
    };
    let (connections, window): (usize, u16) = (connections.parse()?, window.parse()?);
    let seconds: u64 = seconds.parse()?;
    let tally = Arc::new(Tally::default());
    for number in 0..connections {
        let (address, tally) = (address.clone(), Arc::clone(&tally));
        tokio::spawn(async move {
            if let Err(error) = client(&address, number, window, &tally).await {
                eprintln!("client {number}: {error}");
            }
        });
        if number % 200 == 199 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    while tally.connected.load(Ordering::Relaxed) < connections as u64 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, began) = (tally.acknowledged.load(Ordering::Relaxed), Instant::now());
    let waited = tally.waited_us.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let count = tally.acknowledged.load(Ordering::Relaxed) - before;
    let waited = tally.waited_us.load(Ordering::Relaxed) - waited;
    println!(
        "{connections} connections, window {window}: {:.0} acknowledged publishes/s, mean {:.2} ms",
        count as f64 / began.elapsed().as_secs_f64(),
        waited as f64 / count.max(1) as f64 / 1_000.0,
    );
    Ok(())
}

async fn client(
    address: &str,
    number: usize,
    window: u16,
    tally: &Tally,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut io = TcpStream::connect(address).await?;
    io.set_nodelay(true)?;
    let (mut out, mut inbox) = (Vec::new(), Vec::with_capacity(4_096));
    let id = format!("load-{number}");
    encode::connect(&mut out, Version::V3, &id, true, 60, None, &Block::new());
    let topic = format!("vitalwire/{id}/measurements");
    let mut sent_at = vec![Instant::now(); usize::from(window) + 1];
    io.write_all(&out).await?;
    out.clear();
    loop {
        if io.read_buf(&mut inbox).await? == 0 {
            return Err("closed".into());
        }
        let (mut at, mut acknowledged) = (0, 0);
        while let Some(frame) = split(&inbox[at..], usize::MAX)? {
            at += frame.length;
            match decode_server(frame.header, frame.body, Version::V3)? {
                FromServer::ConnAck(_) => {
                    tally.connected.fetch_add(1, Ordering::Relaxed);
                    for id in 1..=window {
                        publish(&mut out, &topic, id);
                    }
                    sent_at.fill(Instant::now());
                }
                FromServer::PubAck(ack) => {
                    acknowledged += 1;
                    let since = &mut sent_at[usize::from(ack.packet_id)];
                    let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
                    tally.waited_us.fetch_add(us, Ordering::Relaxed);
                    *since = Instant::now();
                    publish(&mut out, &topic, ack.packet_id);
                }
                other => return Err(format!("unexpected {other:?}").into()),
            }
        }
        inbox.drain(..at);
        tally.acknowledged.fetch_add(acknowledged, Ordering::Relaxed);
        io.write_all(&out).await?;
        out.clear();
    }
}

fn publish(out: &mut Vec<u8>, topic: &str, packet_id: u16) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let payload = format!(r#"[{{"n":"MDC_PULS_OXIM_SAT_O2","u":"%","v":97,"t":{now:.6}}}]"#);
    let head = PublishHead { qos: Qos::AtLeastOnce, packet_id, ..PublishHead::default() };
    encode::publish(out, Version::V3, &head, topic, payload.as_bytes(), usize::MAX);
}
