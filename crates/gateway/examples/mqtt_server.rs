//! The MQTT listener alone, open to everybody on loopback, over a journal of its own: for
//! interoperability tests and tuning.
//!
//! `cargo run -p gateway --example mqtt_server -- [ADDRESS] [FOLDER] [SECONDS]`; without a folder
//! the journal is a temporary one. Prints what was committed once a second.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::mqtt::{MqttConfig, MqttServer};
use gateway::{Doors, OpenDoor};
use journal::{Appender, EmbeddedJournal, Limits};
use vitals::ReceiveTime;

fn now() -> ReceiveTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ReceiveTime(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let listen: SocketAddr = args.next().as_deref().unwrap_or("127.0.0.1:1883").parse()?;
    let temporary = tempfile::tempdir()?;
    let folder = args.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let seconds: u64 = args.next().map_or(Ok(u64::MAX), |s| s.parse())?;
    let (sink, feed) = std::sync::mpsc::sync_channel::<Arc<[journal::Entry]>>(64);
    let committed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&committed);
    std::thread::spawn(move || {
        for batch in feed {
            counted.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
    });
    let journal = EmbeddedJournal::open(&folder)?;
    let appender = Appender::start(journal, Box::new(now), Limits::default(), sink)?;
    let (profiles, _) = mapping::Profiles::compile(&[]);
    let profiles = Arc::new(profiles);
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let doors = Doors {
        appender: appender.clone(),
        profiles: Arc::new(move || Arc::clone(&profiles)),
        identify: Arc::new(OpenDoor),
        clock: now,
        shutdown,
    };
    let server = MqttServer::new(MqttConfig::default().limits, doors, None);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("listening on {}, journal in {}", listener.local_addr()?, folder.display());
    let serving = tokio::spawn(async move { server.serve(listener).await });
    let mut before = 0;
    for _ in 0..seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let after = committed.load(Ordering::Relaxed);
        if after != before {
            let stats = appender.stats();
            println!(
                "{} entries/s, {after} in all, {} commits, last {} µs, queued {:?}",
                after - before,
                stats.commits,
                stats.last_commit_us,
                stats.queued_bytes
            );
        }
        before = after;
    }
    stop.send(true)?;
    serving.await?;
    Ok(())
}
